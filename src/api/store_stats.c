/* store_stats.c: the store in numbers: its parts, its columns, its bytes on disk, and what writing it counted. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "api/input.h"
#include "api/lists.h"
#include "api/shared.h"
#include "api/store_stats.h"
#include "base/util.h"

#define FOLDER_DEPTH_MAX 4

/* --- bytes on disk --- */

static uint64_t folder_bytes(int at, const char *name, int depth) {
    int fd = openat(at, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    DIR *dir = fd >= 0 ? fdopendir(fd) : NULL;
    uint64_t bytes = 0;
    if (!dir) {
        if (fd >= 0) {
            (void)close(fd);
        }
        return 0;
    }
    const struct dirent *entry;
    while ((entry = readdir(dir))) {
        struct stat info;
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0 ||
            fstatat(dirfd(dir), entry->d_name, &info, AT_SYMLINK_NOFOLLOW) != 0) {
            continue;
        }
        if (S_ISDIR(info.st_mode) && depth < FOLDER_DEPTH_MAX) {
            bytes += folder_bytes(dirfd(dir), entry->d_name, depth + 1);
        } else if (S_ISREG(info.st_mode)) {
            bytes += (uint64_t)info.st_size;
        }
    }
    (void)closedir(dir);
    return bytes;
}

/* --- columns, added up over the parts --- */

struct column_sum {
    const char *path;
    enum field_type type;
    enum column_kind kind;
    uint64_t present, values, parts;
};

struct column_sums {
    struct column_sum *list;
    size_t count, cap;
};

static void column_sums_done(struct column_sums *s) {
    free(s->list);
}

/* Parts list their columns in the order of paths, so that a part is merged into the sums as it is walked. */
static int column_add(struct column_sums *s, size_t *at, const struct column_info *info) {
    while (*at < s->count && strcmp(s->list[*at].path, info->path) < 0) {
        ++*at;
    }
    if (*at == s->count || strcmp(s->list[*at].path, info->path) != 0) {
        if (s->count == s->cap) {
            size_t cap = s->cap ? s->cap * 2 : 256;
            struct column_sum *more = reallocarray(s->list, cap, sizeof(struct column_sum));
            if (!more) {
                return -ENOMEM;
            }
            s->list = more;
            s->cap = cap;
        }
        memmove(&s->list[*at + 1], &s->list[*at], (s->count - *at) * sizeof(struct column_sum));
        s->list[*at] = (struct column_sum){.path = info->path, .type = info->type, .kind = info->kind};
        s->count++;
    }
    s->list[*at].present += info->present;
    s->list[*at].values = MAX(s->list[*at].values, info->values);
    s->list[*at].parts++;
    return 0;
}

static int column_sums_make(const struct snapshot *snapshot, struct column_sums *ret) {
    for (size_t p = 0; p < snapshot_parts(snapshot); p++) {
        const struct part *part = snapshot_part(snapshot, p);
        size_t at = 0;
        for (uint32_t i = 0; i < part_columns(part); i++) {
            int code = column_add(ret, &at, column_info(part_column(part, i)));
            if (code) {
                return code;
            }
        }
    }
    return 0;
}

/* --- the answer --- */

void store_numbers_read(struct call *c, const struct snapshot *snapshot, struct store_numbers *ret) {
    *ret = (struct store_numbers){.rows = snapshot_rows(snapshot), .parts = snapshot_parts(snapshot)};
    for (size_t i = 0; i < ret->parts; i++) {
        const struct part_info *info = part_info(snapshot_part(snapshot, i));
        ret->segments += !info->tail;
        ret->tail_rows += info->tail ? info->rows : 0;
        if (info->rows) {
            ret->first_ms = ret->first_ms ? MIN(ret->first_ms, info->first_min) : info->first_min;
            ret->last_ms = MAX(ret->last_ms, info->last_max);
        }
    }
    ret->bytes = c->api->folder ? folder_bytes(AT_FDCWD, c->api->folder, 0) : 0;
}

static void number_write(struct json *j, const char *key, uint64_t value) {
    json_key(j, key);
    json_u64(j, value);
}

static void columns_write(struct json *j, const struct column_sums *sums) {
    static const char *const kinds[] = {[COLUMN_NUMBER] = "number",
                                        [COLUMN_CODE] = "dictionary",
                                        [COLUMN_LIST] = "lists of a dictionary",
                                        [COLUMN_RAW] = "text"};
    json_open(j, '[');
    for (size_t i = 0; i < sums->count; i++) {
        const struct column_sum *s = &sums->list[i];
        if (s->path[0] == '.') { /* the store's own */
            continue;
        }
        json_open(j, '{');
        json_key(j, "path");
        json_cstr(j, s->path);
        json_key(j, "kind");
        json_cstr(j, kinds[s->kind]);
        number_write(j, "sessions", s->present);
        number_write(j, "mostValuesInAPart", s->values);
        number_write(j, "parts", s->parts);
        json_close(j, '}');
    }
    json_close(j, ']');
}

static void writer_write(struct json *j, const struct store_writer *writer) {
    uint64_t counts[STORE_COUNTS];
    store_writer_counts(writer, counts);
    json_open(j, '{');
    for (size_t i = 0; i < STORE_COUNTS; i++) {
        number_write(j, store_count_names[i], counts[i]);
    }
    json_close(j, '}');
}

static void server_write(struct json *j, const struct server *server) {
    uint64_t counts[SERVER_COUNTS];
    server_counts(server, counts);
    json_open(j, '{');
    for (size_t i = 0; i < SERVER_COUNTS; i++) {
        number_write(j, server_count_names[i], counts[i]);
    }
    json_close(j, '}');
}

static void damage_write(void *ctx, const char *text) {
    json_cstr(ctx, text);
}

static void store_answer(struct call *c) {
    _cleanup_(column_sums_done) struct column_sums sums = {0};
    struct snapshot *snapshot = store_snapshot(c->api->store);
    struct store_numbers n;
    store_numbers_read(c, snapshot, &n);
    int code = input_flag(c, "columns") ? column_sums_make(snapshot, &sums) : 0;
    if (code) {
        (void)snapshot_unref(snapshot);
        call_fail(c, 500, "No memory for the list of columns");
        return;
    }
    struct json j = call_json(c);
    json_open(&j, '{');
    number_write(&j, "sessions", n.rows);
    number_write(&j, "segments", n.segments);
    number_write(&j, "sessionsInLog", n.tail_rows);
    number_write(&j, "firstPacket", n.first_ms);
    number_write(&j, "lastPacket", n.last_ms);
    number_write(&j, "bytes", n.bytes);
    json_key(&j, "bytesPerSession");
    json_double(&j, n.rows ? (double)n.bytes / (double)n.rows : 0);
    number_write(&j, "version", snapshot_version(snapshot));
    json_key(&j, "damage");
    json_open(&j, '[');
    (void)store_damage(c->api->store, damage_write, &j);
    json_close(&j, ']');
    if (sums.count) {
        json_key(&j, "columns");
        columns_write(&j, &sums);
    }
    if (c->api->writer) {
        json_key(&j, "writer");
        writer_write(&j, c->api->writer);
    }
    if (c->api->server) {
        json_key(&j, "server");
        server_write(&j, c->api->server);
    }
    json_close(&j, '}');
    (void)snapshot_unref(snapshot); /* paths of columns are its own */
}

static const struct parameter parameters[] = {
    {"columns", PARAM_BOOL, "false", "with the list of columns"},
    {0},
};

static const struct endpoint stores[] = {
    {"/api/store", NULL, API_GET, RIGHT_ANY | RIGHT_STATS, store_answer, parameters, "The store in numbers",
     "`{sessions,segments,sessionsInLog,firstPacket,lastPacket,bytes,bytesPerSession,version,damage:[text],"
     "columns:[{path,kind,sessions,mostValuesInAPart,parts}],writer:{...},server:{...}}`: `bytes` are those of the "
     "folder's files; `damage` is what was found since the server started; `writer` counts are there when this process "
     "writes the store."},
};

const struct endpoint_family store_family = {"Store", stores, ARRAY_LEN(stores)};
