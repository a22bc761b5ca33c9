/* schema.c: see schema.h. */
#include "store/schema.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/util.h"
#include "store/bits.h"
#include "store/column.h"
#include "store/crc32c.h"
#include "store/file.h"

#define FILE_NAME "fields"
#define FRAME_MAX 65536u
#define FILE_MAX ((size_t)64 << 20)
#define TEXTS 7u

static const char *const own_paths[] = {OWN_FLAGS, OWN_ICMP, OWN_POSITIONS, OWN_GONE, OWN_COMMUNITY};
static const enum field_type own_types[] = {FT_U64, FT_U64, FT_KEYWORD, FT_U64, FT_U64};

static struct schema_field *field_free(struct schema_field *f) {
    if (f) {
        free(f->text);
        free(f);
    }
    return NULL;
}

void schema_done(struct schema *s) {
    for (uint32_t i = 0; i < s->count; i++) {
        field_free(s->fields[i]);
    }
    free(s->fields);
    *s = (struct schema){0};
}

const struct schema_field *schema_field(const struct schema *s, uint32_t id) {
    return id < s->count ? s->fields[id] : NULL;
}

const struct schema_field *schema_find(const struct schema *s, struct span path) {
    for (uint32_t i = 0; i < s->count; i++) {
        if (span_is(path, s->fields[i]->path)) {
            return s->fields[i];
        }
    }
    return NULL;
}

struct span schema_plain_path(const char *path) {
    const char *suffix = strrchr(path, '~');
    return suffix ? span_make(path, (size_t)(suffix - path)) : span_text(path);
}

/* --- frames --- */

static const char **text_of(struct field_def *d, unsigned i) {
    const char **const texts[TEXTS] = {&d->path, &d->name, &d->title, &d->help, &d->category, &d->aliases, &d->members};
    return texts[i];
}

static void write_field(const struct schema_field *f, struct buf *out) {
    buf_add_byte(out, (uint8_t)f->type);
    buf_add_varint(out, f->flags);
    buf_add_byte(out, (uint8_t)(f->computed | f->companion << 1));
    struct field_def def = f->def;
    def.path = f->path;
    for (unsigned i = 0; i < TEXTS; i++) { /* 0: none; else the length and one */
        const char *text = *text_of(&def, i);
        buf_add_varint(out, text ? strlen(text) + 1 : 0);
        buf_add(out, text ? text : "", text ? strlen(text) : 0);
    }
}

static int read_texts(struct schema_field *f, struct cursor *c) {
    f->text = calloc(1, cursor_left(c) + TEXTS);
    if (!f->text) {
        return -ENOMEM;
    }
    char *to = f->text;
    for (unsigned i = 0; i < TEXTS; i++) {
        uint64_t len = cursor_varint(c);
        if (len == 0) {
            continue;
        }
        struct span text = cursor_span(c, len <= FRAME_MAX ? (size_t)len - 1 : SIZE_MAX);
        *text_of(&f->def, i) = to;
        to = (char *)span_copy_to(text, (uint8_t *)to) + 1;
    }
    f->path = f->def.path;
    return cursor_ok(c) && f->path ? 0 : -EBADMSG;
}

static int read_field(struct span frame, struct schema_field **ret) {
    struct schema_field *f = calloc(1, sizeof(*f));
    if (!f) {
        return -ENOMEM;
    }
    struct cursor c = cursor_over(frame);
    uint8_t type = cursor_u8(&c);
    f->type = (enum field_type)type;
    f->flags = (uint32_t)cursor_varint(&c);
    uint8_t bits = cursor_u8(&c);
    f->computed = bits & 1;
    f->companion = bits & 2;
    int r = read_texts(f, &c);
    f->def.type = f->type;
    f->def.flags = f->flags;
    if (r || type >= FT_UNION) {
        field_free(f);
        return r ? r : -EBADMSG;
    }
    *ret = f;
    return 0;
}

static int put_field(struct schema *s, struct schema_field *f) {
    if (s->count == s->cap) {
        uint32_t cap = MAX(256u, s->cap * 2);
        struct schema_field **more =
            s->count < SCHEMA_MAX ? realloc(s->fields, cap * sizeof(struct schema_field *)) : NULL;
        if (!more) {
            field_free(f);
            return s->count < SCHEMA_MAX ? -ENOMEM : -E2BIG;
        }
        s->fields = more;
        s->cap = cap;
    }
    f->id = s->count;
    s->fields[s->count++] = f;
    return 0;
}

static int read_frames(struct schema *s, struct span bytes) {
    struct cursor c = cursor_over(bytes);
    while (cursor_left(&c) >= 8) {
        uint32_t len = cursor_u32le(&c), crc = cursor_u32le(&c);
        struct span frame = cursor_span(&c, len <= FRAME_MAX ? len : SIZE_MAX);
        struct schema_field *f = NULL;
        if (!cursor_ok(&c) || !crc32c_holds(crc, frame.at, frame.len)) {
            return 0; /* being written, or torn: nothing behind it can be known */
        }
        int r = read_field(frame, &f);
        r = r ? r : put_field(s, f);
        if (r) {
            return r;
        }
        s->read += 8 + len;
    }
    return 0;
}

int schema_load(struct schema *s, const char *folder, uint32_t *ret_added, struct err *ret_err) {
    char path[FILE_PATH_MAX];
    uint32_t before = s->count;
    if (ret_added) {
        *ret_added = 0;
    }
    int r = file_path(folder, FILE_NAME, path);
    struct stat st;
    if (r || (stat(path, &st) == 0 && (uint64_t)st.st_size == s->read)) {
        return r;
    }
    struct buf bytes;
    buf_init(&bytes, FILE_MAX);
    r = file_read_all(path, &bytes);
    if (r == 0) {
        r = read_frames(s, span_from(buf_span(&bytes), s->read));
    }
    buf_done(&bytes);
    if (ret_added) {
        *ret_added = s->count - before;
    }
    return r == 0 || r == -ENOENT ? 0 : err_set(ret_err, r, "%s: cannot be read", path);
}

/* --- adopting a registry --- */

static const char *kind_suffix(enum field_type type) {
    static const char *const suffixes[] = {
        [FT_U64] = "~u64",   [FT_I64] = "~i64",      [FT_FLOAT] = "~float", [FT_TIME] = "~u64",
        [FT_BOOL] = "~u64",  [FT_KEYWORD] = "~text", [FT_LOWER] = "~text",  [FT_UPPER] = "~text",
        [FT_TEXT] = "~text", [FT_IP] = "~ip",        [FT_MAC] = "~mac",     [FT_OBJECT] = "~object"};
    return suffixes[type];
}

static bool same_kind(enum field_type a, enum field_type b) {
    return strcmp(kind_suffix(a), kind_suffix(b)) == 0;
}

static int add_field(struct schema *s, const struct field_def *def, const char *path, unsigned bits, struct buf *out) {
    struct schema_field made = {
        .type = def->type,
        .flags = def->flags,
        .computed = bits & 1,
        .companion = bits & 2,
        .path = path,
        .def = *def,
    };
    struct buf frame;
    buf_init(&frame, FRAME_MAX);
    write_field(&made, &frame);
    uint32_t head[2] = {(uint32_t)frame.len, crc32c(0, frame.data, frame.len)};
    buf_add(out, head, sizeof(head));
    buf_add_span(out, buf_span(&frame));
    struct schema_field *f = NULL;
    int r = frame.overflowed || out->overflowed ? -E2BIG : read_field(buf_span(&frame), &f);
    buf_done(&frame);
    return r ? r : put_field(s, f);
}

/* The number of a field, which gets one when it has none. */
static int adopt(struct schema *s, const struct field_def *def, unsigned bits, struct buf *out, uint32_t *ret_id) {
    char path[512];
    const char *name = def->path;
    for (int odd = 0; odd < 2; odd++) {
        const struct schema_field *f = schema_find(s, span_text(name));
        if (!f) {
            *ret_id = s->count;
            return add_field(s, def, name, bits, out);
        }
        if (same_kind(f->type, def->type)) {
            *ret_id = f->id;
            return 0;
        }
        int len = snprintf(path, sizeof(path), "%s%s", def->path, kind_suffix(def->type));
        if (len < 0 || (size_t)len >= sizeof(path)) {
            return -ENAMETOOLONG;
        }
        name = path;
    }
    return -EEXIST;
}

static int adopt_all(struct schema *s, const struct registry *r, uint32_t *ret_ids, struct buf *out) {
    size_t count = registry_count(r);
    const struct field *fields = registry_fields(r);
    for (size_t i = 0; i < ARRAY_LEN(own_paths); i++) {
        uint32_t id;
        struct field_def def = {.path = own_paths[i], .type = own_types[i], .flags = F_SINGLE};
        int code = adopt(s, &def, 1, out, &id);
        if (code) {
            return code;
        }
    }
    uint8_t *companion = calloc(count + 3, 1);
    int code = companion ? 0 : -ENOMEM;
    for (size_t i = 0; code == 0 && i < count; i++) {
        if (fields[i].companion != FIELD_NONE) {
            memset(companion + fields[i].companion, 1, 3);
        }
    }
    for (size_t i = 0; code == 0 && i < count; i++) {
        const struct field *f = &fields[i];
        ret_ids[i] = SCHEMA_NONE;
        if (f->type != FT_UNION && !(f->flags & F_VIRTUAL)) {
            unsigned bits = (f->flags & F_COMPUTED ? 1u : 0) | (companion[i] ? 2u : 0);
            code = adopt(s, f->def, bits, out, &ret_ids[i]);
        }
    }
    free(companion);
    return code;
}

static int append(const char *path, uint64_t at, struct span bytes) {
    _cleanup_(fd_close) int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0640);
    if (fd < 0 || ftruncate(fd, (off_t)at) != 0 || lseek(fd, (off_t)at, SEEK_SET) < 0) {
        return -errno;
    }
    int r = file_write(fd, bytes);
    return r == 0 && fdatasync(fd) != 0 ? -errno : r;
}

int schema_adopt(struct schema *s, const char *folder, const struct registry *r, uint32_t *ret_ids,
                 struct err *ret_err) {
    char path[FILE_PATH_MAX];
    int code = schema_load(s, folder, NULL, ret_err);
    code = code ? code : file_path(folder, FILE_NAME, path);
    if (code) {
        return code;
    }
    struct buf out;
    buf_init(&out, FILE_MAX);
    code = adopt_all(s, r, ret_ids, &out);
    if (code == 0 && out.len) {
        code = append(path, s->read, buf_span(&out));
        code = code ? code : folder_sync(folder);
        s->read += code ? 0 : out.len;
    }
    buf_done(&out);
    return code ? err_set(ret_err, code, "%s: the fields of this program could not be added", path) : 0;
}
