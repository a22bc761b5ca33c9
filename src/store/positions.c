/* positions.c: see positions.h. Blobs, and writing the files of captures; reading them is in positions_read.c. */
#include "store/positions.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zstd.h>

#include "base/util.h"
#include "store/bits.h"
#include "store/crc32c.h"
#include "store/file.h"
#include "store/positions_file.h"

#define EXTENT_BYTES ((size_t)32 << 10) /* finding a session means unpacking and walking through one */
#define WRITE_AT ((size_t)4 << 20)
#define PAYLOAD_MAX ((size_t)256 << 20)

void positions_write(const struct packet_position *list, uint32_t count, struct buf *blob) {
    uint32_t runs = 0;
    for (uint32_t i = 0; i < count; i++) {
        runs += i == 0 || list[i].file != list[i - 1].file;
    }
    buf_add_varint(blob, runs);
    for (uint32_t i = 0; i < count;) {
        uint32_t end = i + 1;
        while (end < count && list[end].file == list[i].file) {
            end++;
        }
        buf_add_varint(blob, list[i].file);
        buf_add_varint(blob, end - i);
        uint64_t before = 0;
        for (; i < end; i++) {
            uint8_t *to = buf_reserve(blob, 2 * VARINT_MAX);
            if (to) {
                uint8_t *at = varint_write(to, zigzag((int64_t)(list[i].position - before)));
                blob->len += (size_t)(varint_write(at, list[i].captured) - to);
            }
            before = list[i].position;
        }
    }
}

int positions_run_read(struct cursor *c, uint32_t file, uint64_t count, struct packet_position *to) {
    uint64_t before = 0;
    for (uint64_t i = 0; i < count; i++) {
        before += (uint64_t)unzigzag(cursor_varint(c));
        to[i] = (struct packet_position){.file = file, .captured = (uint32_t)cursor_varint(c), .position = before};
    }
    return cursor_ok(c) ? 0 : -EBADMSG;
}

int positions_read(struct span blob, struct packet_position **ret_list, uint32_t *ret_count) {
    struct packet_position *list = NULL;
    uint64_t total = 0;
    struct cursor c = cursor_over(blob);
    uint64_t runs = cursor_varint(&c);
    int r = cursor_ok(&c) ? 0 : -EBADMSG;
    for (uint64_t i = 0; r == 0 && i < runs; i++) {
        uint64_t file = cursor_varint(&c), count = cursor_varint(&c);
        if (!cursor_ok(&c) || count > cursor_left(&c) || total + count > POSITIONS_MAX) {
            r = -EBADMSG;
            break;
        }
        struct packet_position *more = realloc(list, MAX(total + count, (uint64_t)1) * sizeof(*more));
        if (!more) {
            r = -ENOMEM;
            break;
        }
        list = more;
        r = positions_run_read(&c, (uint32_t)file, count, list + total);
        total += count;
    }
    if (r) {
        free(list);
        return r;
    }
    *ret_list = list;
    *ret_count = (uint32_t)total;
    return 0;
}

/* --- files --- */

struct positions_file {
    uint32_t file;
    uint32_t sessions;
    uint64_t first, last;
    struct buf payload; /* of the extent being filled */
    struct buf full;    /* extents on their way to the disk */
};

void positions_path(const char *folder, uint32_t file, char *ret) {
    (void)snprintf(ret, FILE_PATH_MAX, "%.4000s/ppos/%05u.pp", folder, file);
}

int positions_sink_begin(struct positions_sink *s, const char *store_folder) {
    *s = (struct positions_sink){0};
    int len = snprintf(s->folder, sizeof(s->folder), "%s", store_folder);
    s->error = len < 0 || (size_t)len >= sizeof(s->folder) - 32 ? -ENAMETOOLONG : 0;
    return s->error;
}

/* What a crash left at the end is cut off, and nothing that stands before a sound extent. */
static int open_end(const char *path) {
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0640);
    if (fd < 0) {
        return -errno;
    }
    struct positions_extent e, last;
    uint64_t end = 0;
    int found;
    while ((found = positions_extent_next(fd, end ? &last : NULL, &e)) == 1) {
        last = e;
        end = e.next;
    }
    uint8_t *bytes = NULL;
    if (end && found == 0 && positions_extent_read(fd, &last, &bytes) == -EBADMSG) {
        end = last.at;
    }
    free(bytes);
    if (found < 0) {
        (void)close(fd);
        return found;
    }
    if (ftruncate(fd, (off_t)end) != 0 || lseek(fd, (off_t)end, SEEK_SET) < 0) {
        int r = -errno;
        (void)close(fd);
        return r;
    }
    return fd;
}

static struct positions_file *want_file(struct positions_sink *s, uint32_t file) {
    for (size_t i = s->count; i-- > 0;) { /* the newest first: captures come one after the other */
        if (s->files[i].file == file) {
            return &s->files[i];
        }
    }
    if (s->count == s->cap) {
        size_t cap = MAX((size_t)16, s->cap * 2);
        struct positions_file *more = realloc(s->files, cap * sizeof(*more));
        if (!more) {
            s->error = -ENOMEM;
            return NULL;
        }
        s->files = more;
        s->cap = cap;
    }
    struct positions_file *f = &s->files[s->count++];
    *f = (struct positions_file){.file = file};
    buf_init(&f->payload, PAYLOAD_MAX);
    buf_init(&f->full, PAYLOAD_MAX);
    return f;
}

/* The extent that is being filled becomes one of the full ones. */
static int finish_extent(struct positions_file *f) {
    size_t bound = ZSTD_compressBound(f->payload.len);
    uint8_t *to = f->payload.overflowed ? NULL : buf_reserve(&f->full, POSITIONS_HEAD + bound);
    size_t size = to ? ZSTD_compress(to + POSITIONS_HEAD, bound, f->payload.data, f->payload.len, 1) : 0;
    if (!to || ZSTD_isError(size)) {
        return -ENOMEM;
    }
    uint32_t len = (uint32_t)(POSITIONS_HEAD - 8 + size), raw = (uint32_t)f->payload.len;
    memcpy(to, &len, 4);
    memcpy(to + 8, &f->first, 8);
    memcpy(to + 16, &f->last, 8);
    memcpy(to + 24, &f->sessions, 4);
    memcpy(to + 28, &raw, 4);
    uint32_t crc = crc32c(0, to + 8, len);
    memcpy(to + 4, &crc, 4);
    f->full.len += POSITIONS_HEAD + size;
    buf_clear(&f->payload);
    f->sessions = 0;
    return 0;
}

static int write_extents(struct positions_sink *s, struct positions_file *f) {
    char path[FILE_PATH_MAX];
    if (f->full.len == 0) {
        return 0;
    }
    positions_path(s->folder, f->file, path);
    _cleanup_(fd_close) int fd = open_end(path);
    int r = fd < 0 ? fd : file_write(fd, buf_span(&f->full));
    buf_clear(&f->full);
    return r == 0 && fdatasync(fd) != 0 ? -errno : r;
}

static void flush(struct positions_sink *s, struct positions_file *f, bool all) {
    if (f->sessions && !s->error) {
        s->error = finish_extent(f);
    }
    if (!s->error && (all || f->full.len >= WRITE_AT)) {
        s->error = write_extents(s, f);
    }
}

/* One run of a session as it stood in the blob, from `start` on. */
static void add_run(struct positions_file *f, uint64_t seq, uint32_t runs, struct span run) {
    if (runs) { /* of this file in this session; 0: a further one, already counted */
        buf_add_varint(&f->payload, f->sessions ? seq - f->last : 0);
        buf_add_varint(&f->payload, runs);
        f->first = f->sessions ? f->first : seq;
        f->last = seq;
        f->sessions++;
    }
    buf_add_span(&f->payload, run);
}

struct run_span {
    uint32_t file;
    struct span packets; /* with the number of them */
};

static int split_runs(struct span blob, struct run_span **ret, uint64_t *ret_count) {
    struct cursor c = cursor_over(blob);
    uint64_t runs = cursor_varint(&c);
    if (!cursor_ok(&c) || runs > cursor_left(&c)) {
        return -EBADMSG;
    }
    struct run_span *list = calloc(MAX(runs, (uint64_t)1), sizeof(*list));
    if (!list) {
        return -ENOMEM;
    }
    for (uint64_t i = 0; i < runs; i++) {
        list[i].file = (uint32_t)cursor_varint(&c);
        const uint8_t *start = c.at;
        uint64_t packets = cursor_varint(&c);
        for (uint64_t k = 0; k < 2 * packets && cursor_ok(&c); k++) {
            (void)cursor_varint(&c);
        }
        list[i].packets = span_make(start, (size_t)(c.at - start));
    }
    if (!cursor_ok(&c)) {
        free(list);
        return -EBADMSG;
    }
    *ret = list;
    *ret_count = runs;
    return 0;
}

void positions_sink_add(struct positions_sink *s, uint64_t seq, struct span blob) {
    struct run_span *runs = NULL;
    uint64_t count = 0;
    int r = s->error ? s->error : split_runs(blob, &runs, &count);
    s->error = r;
    for (uint64_t i = 0; i < count && !s->error; i++) {
        uint32_t same = 0;
        for (uint64_t k = 0; k < count; k++) {
            if (runs[k].file == runs[i].file) {
                same = k < i ? 0 : same + 1;
                if (k < i) {
                    break;
                }
            }
        }
        struct positions_file *f = want_file(s, runs[i].file);
        if (!f) {
            break;
        }
        if (same && (f->sessions >= POSITIONS_EXTENT_SESSIONS || f->payload.len >= EXTENT_BYTES)) {
            flush(s, f, false);
        }
        add_run(f, seq, same, (struct span){0});
        buf_add_varint(&f->payload, i);
        add_run(f, seq, 0, runs[i].packets);
    }
    free(runs);
}

int positions_sink_end(struct positions_sink *s) {
    char path[FILE_PATH_MAX];
    for (size_t i = 0; i < s->count; i++) {
        flush(s, &s->files[i], true);
        buf_done(&s->files[i].payload);
        buf_done(&s->files[i].full);
    }
    if (s->count && !s->error) {
        (void)snprintf(path, sizeof(path), "%.4000s/ppos", s->folder);
        s->error = folder_sync(path);
    }
    free(s->files);
    s->files = NULL;
    s->count = s->cap = 0;
    return s->error;
}
