/* manifest.c: see manifest.h. One fact a line, so that people can read it when something is wrong. */
#include "store/manifest.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/util.h"
#include "store/crc32c.h"
#include "store/file.h"

#define FILE_NAME "MANIFEST"
#define FIRST_LINE "seine-store 1"
#define VERSION 1
#define FILE_MAX ((size_t)256 << 20)
#define SEGMENT_NUMBERS 11

void manifest_done(struct manifest *m) {
    free(m->segments);
    *m = (struct manifest){0};
}

int manifest_copy(const struct manifest *m, struct manifest *ret) {
    struct manifest_segment *copy = malloc(MAX(m->count, 1u) * sizeof(*copy));
    if (!copy) {
        return -ENOMEM;
    }
    if (m->count) {
        memcpy(copy, m->segments, m->count * sizeof(*copy));
    }
    *ret = *m;
    ret->segments = copy;
    ret->cap = MAX(m->count, 1u);
    return 0;
}

int manifest_splice(struct manifest *m, uint32_t at, uint32_t drop, const struct manifest_segment *add) {
    if (add && drop == 0 && m->count == m->cap) {
        uint32_t cap = MAX(64u, m->cap * 2);
        struct manifest_segment *more = cap <= MANIFEST_SEGMENTS_MAX ? realloc(m->segments, cap * sizeof(*more)) : NULL;
        if (!more) {
            return -ENOMEM;
        }
        m->segments = more;
        m->cap = cap;
    }
    uint32_t put = add ? 1 : 0;
    if (m->segments) {
        memmove(m->segments + at + put, m->segments + at + drop, (m->count - at - drop) * sizeof(*m->segments));
    }
    if (add) {
        m->segments[at] = *add;
    }
    m->count = m->count - drop + put;
    return 0;
}

/* --- reading --- */

/* The next word of the line; empty at its end. */
static struct span next_word(struct span *line) {
    size_t blank = span_find_byte(*line, 0, ' ');
    struct span word = span_sub(*line, 0, blank);
    *line = span_from(*line, blank == SPAN_NONE ? line->len : blank + 1);
    return word;
}

static bool word_u64(struct span *line, uint64_t *ret) {
    return span_decimal(next_word(line), UINT64_MAX, ret);
}

static bool word_text(struct span *line, char *to, size_t room) {
    struct span word = next_word(line);
    if (word.len == 0 || word.len >= room) {
        return false;
    }
    memcpy(to, word.at, word.len);
    to[word.len] = 0;
    return true;
}

static bool name_is_plain(const char *name) {
    return name[0] != '.' && !strchr(name, '/');
}

static int read_segment(struct span line, struct manifest *m) {
    struct manifest_segment s = {0};
    uint64_t n[SEGMENT_NUMBERS];
    bool ok = word_text(&line, s.name, sizeof(s.name)) && name_is_plain(s.name);
    for (unsigned i = 0; i < SEGMENT_NUMBERS && ok; i++) {
        ok = word_u64(&line, &n[i]);
    }
    if (!ok || n[1] > UINT32_MAX || n[0] > 64) {
        return -EBADMSG;
    }
    s.level = (uint32_t)n[0];
    s.rows = (uint32_t)n[1];
    s.seq_low = n[2];
    s.first_min = n[3];
    s.first_max = n[4];
    s.last_min = n[5];
    s.last_max = n[6];
    s.arrived_min = (int64_t)n[7];
    s.arrived_max = (int64_t)n[8];
    s.size = n[9];
    s.folded = n[10];
    const struct manifest_segment *last = m->count ? &m->segments[m->count - 1] : NULL;
    if (last && s.seq_low < last->seq_low + last->rows) {
        return -EBADMSG;
    }
    return manifest_splice(m, m->count, 0, &s);
}

static int read_line(struct span line, struct manifest *m) {
    struct span word = next_word(&line);
    bool ok = true;
    if (span_is(word, "uuid")) {
        ok = word_text(&line, m->uuid, sizeof(m->uuid));
    } else if (span_is(word, "node")) {
        ok = line.len == 0 || word_text(&line, m->node, sizeof(m->node));
    } else if (span_is(word, "generation")) {
        ok = word_u64(&line, &m->generation);
    } else if (span_is(word, "covered")) {
        ok = word_u64(&line, &m->covered);
    } else if (span_is(word, "log")) {
        ok = word_u64(&line, &m->log);
    } else if (span_is(word, "next-file")) {
        ok = word_u64(&line, &m->next_file);
    } else if (span_is(word, "segment")) {
        return read_segment(line, m);
    }
    return ok ? 0 : -EBADMSG; /* other words: of later versions */
}

/* The checksum stands in the last line and covers all before it. */
static bool checksum_holds(struct span *text) {
    static const char head[] = "crc ";
    if (text->len < 13) {
        return false;
    }
    struct span last = span_from(*text, text->len - 13);
    char want[16];
    text->len -= 13;
    (void)snprintf(want, sizeof(want), "%s%08x\n", head, crc32c(0, text->at, text->len));
    return span_is(last, want);
}

/* Of a later program, whose checksum may be another: its first line says so. */
static bool is_newer(struct span text) {
    struct span line, head = SPAN_LITERAL("seine-store ");
    uint64_t version;
    return span_line(&text, &line) && span_starts(line, head) &&
           span_decimal(span_from(line, head.len), UINT32_MAX, &version) && version > VERSION;
}

static int parse(struct span text, struct manifest *m) {
    struct span line;
    if (is_newer(text)) {
        return -EPROTO;
    }
    if (!checksum_holds(&text) || !span_line(&text, &line) || !span_is(line, FIRST_LINE)) {
        return -EBADMSG;
    }
    int r = 0;
    while (r == 0 && span_line(&text, &line)) {
        r = read_line(line, m);
    }
    return r;
}

int store_missing(const char *folder, int code, struct err *ret_err) {
    if (code != -ENOENT && code != -ENOTDIR) {
        return err_set(ret_err, code, "%s: cannot be read: %s", folder, strerrordesc_np(-code));
    }
    err_set(ret_err, code, "%s: there is no store here", folder);
    err_hint(ret_err, "`seine import --store DIR FILE` makes one");
    return code;
}

int store_is_there(const char *folder, struct err *ret_err) {
    char path[FILE_PATH_MAX];
    int r = file_path(folder, FILE_NAME, path);
    r = r ? r : access(path, F_OK) == 0 ? 0 : -errno;
    return r ? store_missing(folder, r, ret_err) : 0;
}

int manifest_read(const char *folder, struct manifest *ret, struct err *ret_err) {
    char path[FILE_PATH_MAX];
    struct buf text;
    buf_init(&text, FILE_MAX);
    *ret = (struct manifest){0};
    int r = file_path(folder, FILE_NAME, path);
    r = r ? r : file_read_all(path, &text);
    if (r == 0) {
        r = parse(buf_span(&text), ret);
    }
    buf_done(&text);
    if (r) {
        manifest_done(ret);
        if (r == -ENOENT || r == -EACCES) {
            return store_missing(folder, r, ret_err);
        }
        bool newer = r == -EPROTO;
        err_set(ret_err, r, "%s: %s", path,
                newer ? "was made by a newer version of this program" : "is damaged or cannot be read");
        err_hint(ret_err, newer ? "use that version" : "`seine store fsck --repair` makes a new one from the segments");
    }
    return r;
}

/* --- writing --- */

static void write_segment(struct buf *b, const struct manifest_segment *s) {
    buf_printf(b, "segment %s %u %u %" PRIu64 " %" PRIu64 " %" PRIu64 " %" PRIu64 " %" PRIu64, s->name, s->level,
               s->rows, s->seq_low, s->first_min, s->first_max, s->last_min, s->last_max);
    buf_printf(b, " %" PRIi64 " %" PRIi64 " %" PRIu64 " %" PRIu64 "\n", MAX(s->arrived_min, (int64_t)0),
               MAX(s->arrived_max, (int64_t)0), s->size, s->folded);
}

int manifest_write(const char *folder, const struct manifest *m, bool *ret_replaced, struct err *ret_err) {
    struct buf b;
    if (ret_replaced) {
        *ret_replaced = false;
    }
    buf_init(&b, FILE_MAX);
    buf_printf(&b, FIRST_LINE "\nuuid %s\nnode %s\ngeneration %" PRIu64 "\n", m->uuid, m->node, m->generation);
    buf_printf(&b, "covered %" PRIu64 "\nlog %" PRIu64 "\nnext-file %" PRIu64 "\n", m->covered, m->log, m->next_file);
    for (uint32_t i = 0; i < m->count; i++) {
        write_segment(&b, &m->segments[i]);
    }
    buf_printf(&b, "crc %08x\n", crc32c(0, b.data, b.len));
    int r = b.overflowed ? -ENOMEM : file_replace(folder, FILE_NAME, buf_span(&b), ret_replaced);
    buf_done(&b);
    return r ? err_set(ret_err, r, "%s/%s: could not be replaced", folder, FILE_NAME) : 0;
}
