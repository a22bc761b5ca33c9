/* describe.c: store_describe and store_dump: what a store holds and what it costs, for people. */
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/digest.h"
#include "base/util.h"
#include "record/document.h"
#include "store/file.h"
#include "store/log.h"
#include "store/manifest.h"
#include "store/part_open.h"
#include "store/store.h"

#define DESCRIBE_CACHE ((size_t)64 << 20)
#define LINE_MAX_BYTES ((size_t)8 << 20)

static void say(const struct store_report *report, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void say(const struct store_report *report, const char *format, ...) {
    char line[512];
    va_list args;
    va_start(args, format);
    (void)vsnprintf(line, sizeof(line), format, args);
    va_end(args);
    report->say(report->ctx, false, line);
}

static const char *const kind_names[] = {"number", "code", "list", "text"};

struct column_sum {
    const char *path;
    uint64_t bytes, present;
    uint32_t values;
    enum column_kind kind;
};

/* Bytes of a column in its file; presence that several share counts for each. */
static uint64_t column_bytes(const struct column *c) {
    uint64_t bytes = c->index.len + (uint64_t)c->lengths.len + c->codes.len;
    if (column_open_dictionary(c) == 0) {
        for (uint32_t i = 0; i < c->dictionary_blocks; i++) {
            bytes += c->dictionary[i].extent.len;
        }
    }
    for (uint32_t b = 0; b < c->part->info.blocks; b++) {
        bytes += c->blocks[b].presence.len + (uint64_t)c->blocks[b].data.len;
    }
    return bytes;
}

struct sums {
    struct column_sum *list;
    size_t count, cap;
    struct part **parts;
    size_t part_count;
};

static int add_column(struct sums *s, const struct column *c) {
    for (size_t i = 0; i < s->count; i++) {
        if (strcmp(s->list[i].path, c->info.path) == 0) {
            s->list[i].bytes += column_bytes(c);
            s->list[i].present += c->info.present;
            s->list[i].values = MAX(s->list[i].values, c->info.values);
            return 0;
        }
    }
    if (s->count == s->cap) {
        size_t cap = MAX((size_t)256, s->cap * 2);
        struct column_sum *more = realloc(s->list, cap * sizeof(*more));
        if (!more) {
            return -ENOMEM;
        }
        s->list = more;
        s->cap = cap;
    }
    s->list[s->count++] =
        (struct column_sum){c->info.path, column_bytes(c), c->info.present, c->info.values, c->info.kind};
    return 0;
}

static int by_bytes(const void *a, const void *b) {
    const struct column_sum *x = a, *y = b;
    return (x->bytes < y->bytes) - (x->bytes > y->bytes);
}

static int describe_columns(const char *folder, const struct manifest *m, uint64_t rows,
                            const struct store_report *report) {
    struct cache cache;
    struct sums s = {.parts = calloc(m->count + 1, sizeof(struct part *))};
    int r = s.parts ? cache_init(&cache, DESCRIBE_CACHE) : -ENOMEM;
    if (r) {
        free(s.parts);
        return r;
    }
    for (uint32_t i = 0; i < m->count && r == 0; i++) {
        char path[FILE_PATH_MAX];
        (void)snprintf(path, sizeof(path), "%.4000s/seg/%s", folder, m->segments[i].name);
        if (part_from_file(path, m->segments[i].name, &cache, NULL, &s.parts[s.part_count]) != 0) {
            say(report, "%s cannot be read", m->segments[i].name);
            continue;
        }
        const struct part *p = s.parts[s.part_count++];
        for (uint32_t k = 0; k < p->count && r == 0; k++) {
            r = add_column(&s, &p->columns[k]);
        }
    }
    if (s.count) {
        qsort(s.list, s.count, sizeof(*s.list), by_bytes);
    }
    say(report, "%-40s %-7s %12s %10s %12s %8s", "column", "kind", "rows", "distinct", "bytes", "each");
    for (size_t i = 0; i < s.count && r == 0; i++) {
        const struct column_sum *c = &s.list[i];
        say(report, "%-40s %-7s %12" PRIu64 " %10u %12" PRIu64 " %8.3f", c->path, kind_names[c->kind], c->present,
            c->values, c->bytes, rows ? (double)c->bytes / (double)rows : 0);
    }
    for (size_t i = 0; i < s.part_count; i++) {
        (void)part_unref(s.parts[i]);
    }
    free(s.parts);
    free(s.list);
    cache_done(&cache);
    return r;
}

static void describe_logs(const char *folder, const struct manifest *m, const struct store_report *report) {
    char path[FILE_PATH_MAX];
    uint64_t bytes = 0, rows = 0, logs = 0;
    for (uint64_t number = m->log;; number++) {
        struct stat st;
        struct log_reader reader;
        struct log_frame f;
        log_path(folder, number, path);
        if (stat(path, &st) != 0) {
            break;
        }
        logs++;
        bytes += (uint64_t)st.st_size;
        if (log_reader_open(&reader, folder, number) != 0) {
            continue;
        }
        while (log_next(&reader, &f) == 1) {
            rows += f.rows;
        }
        log_reader_done(&reader);
    }
    say(report, "log: %" PRIu64 " files, %" PRIu64 " sessions, %" PRIu64 " bytes", logs, rows, bytes);
}

int store_describe(const char *folder, bool columns, const struct store_report *report, struct err *ret_err) {
    struct manifest m;
    int r = manifest_read(folder, &m, ret_err);
    if (r) {
        return r;
    }
    uint64_t rows = 0, bytes = 0;
    for (uint32_t i = 0; i < m.count; i++) {
        rows += m.segments[i].rows;
        bytes += m.segments[i].size;
    }
    say(report, "store %s of node %s, generation %" PRIu64, m.uuid, m.node, m.generation);
    say(report, "segments: %u, %" PRIu64 " sessions, %" PRIu64 " bytes, %.1f a session", m.count, rows, bytes,
        rows ? (double)bytes / (double)rows : 0);
    for (uint32_t i = 0; i < m.count; i++) {
        const struct manifest_segment *s = &m.segments[i];
        say(report, "  %-24s level %u  sessions %" PRIu64 " to %" PRIu64 "  %" PRIu64 " bytes", s->name, s->level,
            s->seq_low, s->seq_low + s->rows - 1, s->size);
    }
    describe_logs(folder, &m, report);
    r = columns ? describe_columns(folder, &m, rows, report) : 0;
    manifest_done(&m);
    return r ? err_set(ret_err, r, "%s: cannot be described", folder) : 0;
}

/* --- dump --- */

struct dumping {
    const struct column *column;
    struct json json;
    struct buf out;
};

static int dump_value(void *ctx, struct span bytes, uint64_t number) {
    struct dumping *d = ctx;
    char text[64];
    switch (d->column->info.type) {
    case FT_U64:
    case FT_TIME:
    case FT_BOOL:
        json_u64(&d->json, number);
        break;
    case FT_I64:
        json_i64(&d->json, number_to_i64(number));
        break;
    case FT_FLOAT:
        json_double(&d->json, number_to_double(number));
        break;
    case FT_IP:
        json_text(&d->json, span_make(text, bytes.len == 16 ? ip_write(bytes.at, text) : 0));
        break;
    case FT_MAC:
        json_text(&d->json, span_make(text, bytes.len == 6 ? mac_write(bytes.at, text) : 0));
        break;
    default:
        if (d->column->info.type == FT_OBJECT || d->column->info.path[0] == '.') {
            char hex[512];
            size_t len = MIN(bytes.len, sizeof(hex) / 2);
            hex_write(bytes.at, len, hex);
            json_text(&d->json, span_make(hex, 2 * len));
        } else {
            json_text(&d->json, bytes);
        }
    }
    return 0;
}

static int dump_row(struct dumping *d, const struct part *p, struct use *u, uint32_t row) {
    buf_clear(&d->out);
    d->json = json_over(&d->out);
    json_open(&d->json, '{');
    json_key(&d->json, "session");
    json_u64(&d->json, p->info.seq_low + row);
    for (uint32_t i = 0; i < p->count; i++) {
        const struct column *c = &p->columns[i];
        uint64_t number = 0;
        int present = c->info.kind == COLUMN_RAW ? 1 : column_number_at(c, row, &number);
        if (present <= 0) {
            continue;
        }
        d->column = c;
        json_key(&d->json, c->info.path);
        json_open(&d->json, '[');
        int r = column_row(c, u, row, dump_value, d);
        json_close(&d->json, ']');
        if (r < 0 && r != -EBADMSG) {
            return r;
        }
    }
    json_close(&d->json, '}');
    buf_add_byte(&d->out, 0);
    return d->out.overflowed ? -E2BIG : 0;
}

int store_dump(const char *folder, const char *segment, uint64_t limit, const struct store_report *report,
               struct err *ret_err) {
    char path[FILE_PATH_MAX];
    struct cache cache;
    struct part *p = NULL;
    if (strchr(segment, '/') || snprintf(path, sizeof(path), "%.4000s/seg/%s", folder, segment) >= (int)sizeof(path)) {
        return err_set(ret_err, -EINVAL, "%s: is no name of a segment", segment);
    }
    int r = cache_init(&cache, DESCRIBE_CACHE);
    r = r ? r : part_from_file(path, segment, &cache, NULL, &p);
    if (r) {
        return err_set(ret_err, r, "%s: cannot be read: %s", path, strerror(-r));
    }
    struct dumping d = {0};
    struct use u;
    use_init(&u);
    buf_init(&d.out, LINE_MAX_BYTES);
    for (uint32_t row = 0; row < p->info.rows && row < limit && r == 0; row++) {
        r = dump_row(&d, p, &u, row);
        if (r == 0) {
            report->say(report->ctx, false, (const char *)d.out.data);
        }
        if (row % 1024 == 1023) {
            use_done(&u);
        }
    }
    use_done(&u);
    buf_done(&d.out);
    (void)part_unref(p);
    cache_done(&cache);
    return r ? err_set(ret_err, r, "%s: cannot be dumped", segment) : 0;
}
