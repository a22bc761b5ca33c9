/* positions_read.c: finding the packets of a session in the files of captures (positions.h). */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zstd.h>

#include "base/util.h"
#include "store/bits.h"
#include "store/crc32c.h"
#include "store/file.h"
#include "store/positions_file.h"

#define EXTENT_MAX ((uint32_t)256 << 20)
#define FILES_KEPT 256u
#define WINDOW ((size_t)1 << 20)

static int read_extent(int fd, uint64_t at, uint8_t head[POSITIONS_HEAD], uint8_t **ret_bytes, uint32_t *ret_len) {
    ssize_t n = file_read_at(fd, head, POSITIONS_HEAD, at);
    if (n < (ssize_t)POSITIONS_HEAD) {
        return n < 0 ? (int)n : 0;
    }
    uint32_t len, crc;
    memcpy(&len, head, 4);
    memcpy(&crc, head + 4, 4);
    if (len < POSITIONS_HEAD - 8 || len > EXTENT_MAX) {
        return -EBADMSG;
    }
    struct stat st;
    if (fstat(fd, &st) != 0) {
        return -errno;
    }
    if (at + 8 + len > (uint64_t)st.st_size) {
        return 0;
    }
    uint8_t *bytes = malloc(len);
    if (!bytes) {
        return -ENOMEM;
    }
    n = file_read_at(fd, bytes, len, at + 8);
    if (n != (ssize_t)len || !crc32c_holds(crc, bytes, len)) {
        free(bytes);
        return n < 0 ? (int)n : -EBADMSG;
    }
    *ret_bytes = bytes;
    *ret_len = len;
    return 1;
}

int positions_extent_at(int fd, uint64_t at, struct positions_extent *ret) {
    uint8_t head[POSITIONS_HEAD];
    uint32_t len;
    struct stat st;
    ssize_t n = file_read_at(fd, head, POSITIONS_HEAD, at);
    if (n < (ssize_t)POSITIONS_HEAD) {
        return n < 0 ? (int)n : 0;
    }
    memcpy(&len, head, 4);
    *ret = (struct positions_extent){.at = at, .next = at + 8 + len};
    memcpy(&ret->first, head + 8, 8);
    memcpy(&ret->last, head + 16, 8);
    memcpy(&ret->sessions, head + 24, 4);
    memcpy(&ret->raw, head + 28, 4);
    if (len < POSITIONS_HEAD - 8 || len > EXTENT_MAX || ret->first > ret->last) {
        return -EBADMSG;
    }
    return fstat(fd, &st) != 0 ? -errno : ret->next <= (uint64_t)st.st_size;
}

int positions_extent_read(int fd, const struct positions_extent *e, uint8_t **ret) {
    uint8_t head[POSITIONS_HEAD], *bytes = NULL;
    uint32_t len = 0;
    int r = read_extent(fd, e->at, head, &bytes, &len);
    if (r <= 0) {
        return r ? r : -EBADMSG;
    }
    uint32_t size_now; /* another extent may have been written over a damaged one that was known */
    memcpy(&size_now, head + 28, 4);
    if (size_now != e->raw || e->raw > EXTENT_MAX) {
        free(bytes);
        return -EBADMSG;
    }
    uint8_t *raw = malloc(MAX(e->raw, 1u));
    size_t start = POSITIONS_HEAD - 8;
    size_t size = raw ? ZSTD_decompress(raw, e->raw, bytes + start, len - start) : 0;
    free(bytes);
    if (!raw || ZSTD_isError(size) || size != e->raw) {
        free(raw);
        return raw ? -EBADMSG : -ENOMEM;
    }
    *ret = raw;
    return 0;
}

/* A head that may be one: most bytes are not. */
static bool head_plausible(const uint8_t *head, uint64_t left) {
    struct positions_extent e = {0};
    uint32_t len;
    memcpy(&len, head, 4);
    memcpy(&e.first, head + 8, 8);
    memcpy(&e.last, head + 16, 8);
    memcpy(&e.sessions, head + 24, 4);
    return len >= POSITIONS_HEAD - 8 && 8 + (uint64_t)len <= left && e.first <= e.last && e.sessions > 0 &&
           e.sessions <= POSITIONS_EXTENT_SESSIONS;
}

/* The first sound extent that begins at `from` or behind. 1, 0, -errno. */
static int find_sound(int fd, uint64_t from, uint64_t size, struct positions_extent *ret) {
    uint8_t *window = malloc(WINDOW);
    int found = window ? 0 : -ENOMEM;
    while (found == 0 && from + POSITIONS_HEAD <= size) {
        ssize_t n = file_read_at(fd, window, WINDOW, from);
        size_t heads = n >= (ssize_t)POSITIONS_HEAD ? (size_t)n - POSITIONS_HEAD + 1 : 0;
        found = n < 0 ? (int)n : 0;
        for (size_t i = 0; i < heads && found == 0; i++) {
            uint8_t *bytes = NULL;
            bool sound = head_plausible(window + i, size - from - i) && positions_extent_at(fd, from + i, ret) == 1 &&
                         positions_extent_read(fd, ret, &bytes) == 0;
            free(bytes);
            found = sound ? 1 : 0;
        }
        if (heads == 0) {
            break;
        }
        from += heads;
    }
    free(window);
    return found;
}

int positions_extent_next(int fd, const struct positions_extent *before, struct positions_extent *ret) {
    uint64_t at = before ? before->next : 0;
    struct stat st;
    uint8_t *bytes = NULL;
    int r = positions_extent_at(fd, at, ret);
    if (r == 1 || (r < 0 && r != -EBADMSG)) {
        return r;
    }
    if (fstat(fd, &st) != 0) {
        return -errno;
    }
    if (at >= (uint64_t)st.st_size) {
        return 0;
    }
    r = before ? positions_extent_read(fd, before, &bytes) : 0;
    free(bytes);
    if (r < 0 && r != -EBADMSG) {
        return r;
    }
    return find_sound(fd, r ? before->at + 1 : at, (uint64_t)st.st_size, ret);
}

int positions_check(const char *path, uint64_t *ret_extents, uint64_t *ret_bad_at) {
    _cleanup_(fd_close) int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        return -errno;
    }
    *ret_extents = 0;
    *ret_bad_at = 0;
    struct positions_extent e;
    int r;
    while ((r = positions_extent_at(fd, *ret_bad_at, &e)) == 1) {
        uint8_t *raw = NULL;
        r = positions_extent_read(fd, &e, &raw);
        free(raw);
        if (r) {
            return r;
        }
        *ret_bad_at = e.next;
        ++*ret_extents;
    }
    struct stat st;
    if (r == 0 && fstat(fd, &st) == 0 && (uint64_t)st.st_size != *ret_bad_at) {
        return -EBADMSG;
    }
    return r;
}

/* --- looking up --- */

struct known_file {
    uint32_t file;
    int fd;
    struct positions_extent *extents;
    size_t count, cap;
    uint64_t used; /* clock of the reader */
};

struct positions_reader {
    struct positions_reader *next;
    char folder[FILE_PATH_MAX];
    struct known_file files[FILES_KEPT];
    size_t count;
    uint64_t clock;
    struct packet_position *list;
    struct found_run {
        uint64_t run;
        uint32_t start, count;
    } * runs;
    uint32_t list_count, list_cap, run_count, run_cap;
    const struct positions_extent *unpacked; /* whose sessions `raw` are */
    uint8_t *raw;
};

struct positions_reader *positions_reader_new(const char *store_folder) {
    struct positions_reader *r = calloc(1, sizeof(*r));
    size_t len = strlen(store_folder);
    if (!r || len >= sizeof(r->folder) - 32) {
        free(r);
        return NULL;
    }
    memcpy(r->folder, store_folder, len);
    return r;
}

struct positions_reader **positions_reader_next(struct positions_reader *r) {
    return &r->next;
}

static void forget_file(struct positions_reader *r, struct known_file *f) {
    fd_close(&f->fd);
    free(f->extents);
    free(r->raw);
    r->raw = NULL;
    r->unpacked = NULL;
    *f = (struct known_file){.fd = -1};
}

struct positions_reader *positions_reader_free(struct positions_reader *r) {
    if (r) {
        for (size_t i = 0; i < r->count; i++) {
            forget_file(r, &r->files[i]);
        }
        free(r->list);
        free(r->runs);
        free(r->raw);
        free(r);
    }
    return NULL;
}

static struct known_file *open_known(struct positions_reader *r, uint32_t file) {
    struct known_file *oldest = NULL;
    for (size_t i = 0; i < r->count; i++) {
        if (r->files[i].file == file && r->files[i].fd >= 0) {
            r->files[i].used = ++r->clock;
            return &r->files[i];
        }
        oldest = !oldest || r->files[i].used < oldest->used ? &r->files[i] : oldest;
    }
    if (r->count < FILES_KEPT) {
        oldest = &r->files[r->count++];
        *oldest = (struct known_file){.fd = -1};
    } else {
        forget_file(r, oldest);
    }
    char path[FILE_PATH_MAX];
    positions_path(r->folder, file, path);
    *oldest = (struct known_file){.file = file, .fd = open(path, O_RDONLY | O_CLOEXEC), .used = ++r->clock};
    return oldest->fd >= 0 ? oldest : NULL;
}

/* Learns of extents that came since. */
static int learn(struct positions_reader *r, struct known_file *f) {
    for (;;) {
        struct positions_extent e;
        int found = positions_extent_next(f->fd, f->count ? &f->extents[f->count - 1] : NULL, &e);
        if (found != 1) {
            return found;
        }
        if (f->count == f->cap) {
            size_t cap = MAX((size_t)64, f->cap * 2);
            struct positions_extent *more = realloc(f->extents, cap * sizeof(*more));
            if (!more) {
                return -ENOMEM;
            }
            f->extents = more;
            f->cap = cap;
            r->unpacked = NULL; /* may have moved */
        }
        f->extents[f->count++] = e;
    }
}

static int note_run(struct positions_reader *r, struct cursor *c, uint32_t file) {
    uint64_t run = cursor_varint(c), count = cursor_varint(c);
    if (!cursor_ok(c) || count > cursor_left(c) || r->list_count + count > POSITIONS_MAX) {
        return -EBADMSG;
    }
    if (r->list_count + count > r->list_cap) {
        uint32_t cap = (uint32_t)MAX(r->list_count + count, MAX((uint64_t)r->list_cap * 2, (uint64_t)256));
        struct packet_position *more = realloc(r->list, cap * sizeof(*more));
        if (!more) {
            return -ENOMEM;
        }
        r->list = more;
        r->list_cap = cap;
    }
    if (r->run_count == r->run_cap) {
        uint32_t cap = MAX(64u, r->run_cap * 2);
        struct found_run *more = realloc(r->runs, cap * sizeof(*more));
        if (!more) {
            return -ENOMEM;
        }
        r->runs = more;
        r->run_cap = cap;
    }
    r->runs[r->run_count++] = (struct found_run){run, r->list_count, (uint32_t)count};
    int code = positions_run_read(c, file, count, r->list + r->list_count);
    r->list_count += (uint32_t)count;
    return code;
}

static void skip_runs(struct cursor *c, uint64_t runs) {
    for (uint64_t i = 0; i < runs && cursor_ok(c); i++) {
        (void)cursor_varint(c);
        uint64_t packets = cursor_varint(c);
        for (uint64_t k = 0; k < 2 * packets && cursor_ok(c); k++) {
            (void)cursor_varint(c);
        }
    }
}

static int search_extent(struct positions_reader *r, struct known_file *f, const struct positions_extent *e,
                         uint64_t seq) {
    if (r->unpacked != e) {
        free(r->raw);
        r->raw = NULL;
        r->unpacked = NULL;
        int code = positions_extent_read(f->fd, e, &r->raw);
        if (code) {
            return code;
        }
        r->unpacked = e;
    }
    struct cursor c = cursor_over(span_make(r->raw, e->raw));
    uint64_t at = e->first;
    for (uint32_t i = 0; i < e->sessions && cursor_ok(&c); i++) {
        at += cursor_varint(&c);
        uint64_t runs = cursor_varint(&c);
        if (at < seq) {
            skip_runs(&c, runs);
            continue;
        }
        int code = 0;
        for (uint64_t k = 0; at == seq && k < runs && code == 0; k++) {
            code = note_run(r, &c, f->file);
        }
        return code ? code : at == seq;
    }
    return cursor_ok(&c) ? 0 : -EBADMSG;
}

/* 1: found; 0: no extent that is known has it; -EBADMSG: one that is damaged may have it. */
static int search_known(struct positions_reader *r, struct known_file *f, uint64_t seq) {
    int found = 0, damaged = 0;
    uint32_t runs = r->run_count, packets = r->list_count;
    for (size_t i = 0; i < f->count && found == 0; i++) {
        if (seq >= f->extents[i].first && seq <= f->extents[i].last) {
            found = search_extent(r, f, &f->extents[i], seq);
        }
        if (found == -EBADMSG) {
            damaged = found;
            found = 0;
            r->run_count = runs;
            r->list_count = packets;
        }
    }
    return found ? found : damaged;
}

static int search_file(struct positions_reader *r, uint32_t file, uint64_t seq) {
    struct known_file *f = open_known(r, file);
    int found = f ? search_known(r, f, seq) : 1; /* the capture is gone, and what was known of it */
    if (found == 0) {
        (void)learn(r, f);
        found = search_known(r, f, seq);
    } else if (found == -EBADMSG) { /* a torn end that was known may have been written anew since */
        forget_file(r, f);
        f = open_known(r, file);
        if (f) {
            (void)learn(r, f);
        }
        found = f ? search_known(r, f, seq) : 1;
    }
    return found < 0 ? found : 0;
}

static int by_run(const void *a, const void *b) {
    const struct found_run *x = a, *y = b;
    return (x->run > y->run) - (x->run < y->run);
}

/* Puts the runs of several files back into their order. */
static int order_runs(struct positions_reader *r) {
    struct packet_position *ordered = malloc(MAX(r->list_count, 1u) * sizeof(*ordered));
    if (!ordered) {
        return -ENOMEM;
    }
    qsort(r->runs, r->run_count, sizeof(*r->runs), by_run);
    uint32_t at = 0;
    for (uint32_t i = 0; i < r->run_count; i++) {
        memcpy(ordered + at, r->list + r->runs[i].start, r->runs[i].count * sizeof(*ordered));
        at += r->runs[i].count;
    }
    free(r->list);
    r->list = ordered;
    r->list_cap = MAX(r->list_count, 1u);
    return 0;
}

int positions_find(struct positions_reader *r, uint64_t seq, const uint32_t *files, size_t file_count,
                   const struct packet_position **ret_list, uint32_t *ret_count) {
    r->list_count = r->run_count = 0;
    int code = 0;
    for (size_t i = 0; i < file_count && code == 0; i++) {
        code = search_file(r, files[i], seq);
    }
    if (code == 0 && r->run_count > 1) {
        code = order_runs(r);
    }
    *ret_list = r->list;
    *ret_count = code ? 0 : r->list_count;
    return code;
}
