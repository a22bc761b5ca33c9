/* log.c: see log.h. */
#include "store/log.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cursor.h"
#include "base/util.h"
#include "store/crc32c.h"
#include "store/file.h"

#define LOG_MAGIC "SeineLog"
#define LOG_VERSION 1u
#define PUT_ASIDE_MAX 100u
#define WALL_LEAST ((int64_t)946684800000) /* 2000 */
#define WALL_MOST ((int64_t)7258118400000) /* 2200 */

void log_path(const char *folder, uint64_t number, char *ret) {
    (void)snprintf(ret, FILE_PATH_MAX, "%s/wal.%08" PRIu64, folder, number);
}

int log_create(const char *folder, uint64_t number) {
    char path[FILE_PATH_MAX];
    log_path(folder, number, path);
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0640);
    if (fd < 0) {
        return -errno;
    }
    uint8_t head[LOG_HEAD] = LOG_MAGIC;
    head[8] = LOG_VERSION;
    int r = file_write(fd, span_make(head, sizeof(head)));
    r = r == 0 && fdatasync(fd) != 0 ? -errno : r;
    r = r ? r : folder_sync(folder);
    if (r) {
        (void)close(fd);
        (void)unlink(path);
        return r;
    }
    return fd;
}

/* A name for a log that is put aside; there may be earlier ones of its number. */
static int free_name(const char *path, char *ret) {
    for (unsigned i = 0; i < PUT_ASIDE_MAX; i++) {
        int len = i ? snprintf(ret, FILE_PATH_MAX, "%s.damaged-%u", path, i)
                    : snprintf(ret, FILE_PATH_MAX, "%s.damaged", path);
        if (len < 0 || len >= FILE_PATH_MAX) {
            return -ENAMETOOLONG;
        }
        if (access(ret, F_OK) != 0) {
            return 0;
        }
    }
    return -EEXIST;
}

int log_remove(const char *folder, uint64_t number) {
    char path[FILE_PATH_MAX], aside[FILE_PATH_MAX];
    struct log_reader reader;
    struct stat st;
    log_path(folder, number, path);
    int r = log_reader_open(&reader, folder, number);
    if (r == 0) {
        log_reader_done(&reader);
    } else if (r == -EBADMSG && stat(path, &st) == 0 && st.st_size > (off_t)LOG_HEAD) {
        r = free_name(path, aside);
        return r ? r : rename(path, aside) == 0 ? 0 : -errno;
    }
    return unlink(path) == 0 ? 0 : -errno;
}

int log_frame_write(ZSTD_CCtx *zstd, const struct log_frame *f, struct buf *out) {
    size_t bound = ZSTD_compressBound(f->raw.len), start = out->len;
    uint8_t *to = buf_reserve(out, LOG_FRAME_HEAD + bound);
    if (!to || f->raw.len > LOG_FRAME_MAX) {
        return to ? -E2BIG : -ENOMEM;
    }
    size_t size = ZSTD_compressCCtx(zstd, to + LOG_FRAME_HEAD, bound, f->raw.at, f->raw.len, 1);
    if (ZSTD_isError(size)) {
        return -ENOMEM;
    }
    uint32_t len = (uint32_t)(LOG_FRAME_HEAD - 8 + size), raw = (uint32_t)f->raw.len;
    memcpy(to, &len, 4);
    memcpy(to + 8, &f->rows, 4);
    memcpy(to + 12, &raw, 4);
    memcpy(to + 16, &f->seq, 8);
    memcpy(to + 24, &f->wall, 8);
    uint32_t crc = crc32c(0, to + 8, len);
    memcpy(to + 4, &crc, 4);
    out->len = start + LOG_FRAME_HEAD + size;
    return 0;
}

int log_reader_open(struct log_reader *r, const char *folder, uint64_t number) {
    char path[FILE_PATH_MAX];
    log_path(folder, number, path);
    *r = (struct log_reader){.fd = open(path, O_RDONLY | O_CLOEXEC), .at = LOG_HEAD};
    if (r->fd < 0) {
        return -errno;
    }
    buf_init(&r->packed, (size_t)LOG_FRAME_MAX + LOG_FRAME_HEAD + 65536);
    buf_init(&r->raw, LOG_FRAME_MAX);
    uint8_t head[LOG_HEAD];
    ssize_t n = file_read_at(r->fd, head, sizeof(head), 0);
    int code = n < 0 ? (int)n : n < (ssize_t)sizeof(head) ? -EAGAIN : 0;
    if (code == 0 && memcmp(head, LOG_MAGIC, 8) != 0) {
        code = -EBADMSG;
    } else if (code == 0 && head[8] != LOG_VERSION) {
        code = -EPROTO;
    }
    if (code) {
        log_reader_done(r);
    }
    return code;
}

void log_reader_done(struct log_reader *r) {
    fd_close(&r->fd);
    buf_done(&r->packed);
    buf_done(&r->raw);
}

/* The packed frame at r->at into r->packed. 1, 0: not all of it is there, -EBADMSG: it cannot be one. */
static int read_frame(struct log_reader *r) {
    uint8_t head[LOG_FRAME_HEAD];
    ssize_t n = file_read_at(r->fd, head, sizeof(head), r->at);
    if (n < (ssize_t)sizeof(head)) {
        return n < 0 ? (int)n : 0;
    }
    uint32_t len;
    memcpy(&len, head, 4);
    if (len <= LOG_FRAME_HEAD - 8 || len > LOG_FRAME_MAX) {
        return -EBADMSG;
    }
    struct stat st;
    if (fstat(r->fd, &st) != 0) {
        return -errno;
    }
    size_t whole = (size_t)len + 8;
    if (r->at + whole > (uint64_t)st.st_size) {
        return 0;
    }
    buf_clear(&r->packed);
    uint8_t *to = buf_reserve(&r->packed, whole);
    if (!to) {
        return -ENOMEM;
    }
    n = file_read_at(r->fd, to, whole, r->at);
    if (n != (ssize_t)whole) {
        return n < 0 ? (int)n : 0;
    }
    r->packed.len = whole;
    uint32_t crc;
    memcpy(&crc, to + 4, 4);
    return crc32c_holds(crc, to + 8, len) ? 1 : -EBADMSG;
}

static int unpack_frame(struct log_reader *r, struct log_frame *ret) {
    const uint8_t *at = r->packed.data;
    uint32_t raw_len;
    memcpy(&ret->rows, at + 8, 4);
    memcpy(&raw_len, at + 12, 4);
    memcpy(&ret->seq, at + 16, 8);
    memcpy(&ret->wall, at + 24, 8);
    ret->at = r->at;
    ret->size = r->packed.len;
    if (raw_len > LOG_FRAME_MAX || ret->rows > raw_len || ret->rows == 0 || ret->seq > UINT64_MAX - ret->rows) {
        return -EBADMSG;
    }
    buf_clear(&r->raw);
    uint8_t *to = buf_reserve(&r->raw, raw_len);
    if (!to) {
        return -ENOMEM;
    }
    size_t size = ZSTD_decompress(to, raw_len, at + LOG_FRAME_HEAD, r->packed.len - LOG_FRAME_HEAD);
    if (ZSTD_isError(size) || size != raw_len) {
        return -EBADMSG;
    }
    r->raw.len = size;
    ret->raw = buf_span(&r->raw);
    return 1;
}

int log_next(struct log_reader *r, struct log_frame *ret) {
    int found = read_frame(r);
    found = found == 1 ? unpack_frame(r, ret) : found;
    if (found == 1) {
        r->at += ret->size;
    }
    return found;
}

int log_next_whole(struct log_reader *r, struct log_frame *ret) {
    int found = log_next(r, ret);
    struct stat st;
    if (found != 0) {
        return found;
    }
    if (fstat(r->fd, &st) != 0) {
        return -errno;
    }
    return r->at < (uint64_t)st.st_size ? -EBADMSG : 0;
}

/* Whether a frame may begin with this head: its numbers fit each other, and it was written in this age. */
static bool plausible(const uint8_t *head, uint64_t left) {
    uint32_t len, rows, raw;
    int64_t wall;
    memcpy(&len, head, 4);
    memcpy(&rows, head + 8, 4);
    memcpy(&raw, head + 12, 4);
    memcpy(&wall, head + 24, 8);
    return len > LOG_FRAME_HEAD - 8 && len <= LOG_FRAME_MAX && (uint64_t)len + 8 <= left && rows && rows <= raw &&
           raw <= LOG_FRAME_MAX && wall > WALL_LEAST && wall < WALL_MOST;
}

/* Looks for a frame in the bytes from r->at on; r->at is where it begins when there is one. */
static bool scan_frames(struct log_reader *r, uint64_t size) {
    uint8_t window[65536];
    for (uint64_t at = r->at; at + LOG_FRAME_HEAD <= size;) {
        ssize_t n = file_read_at(r->fd, window, sizeof(window), at);
        if (n < (ssize_t)LOG_FRAME_HEAD) {
            return false;
        }
        size_t tries = (size_t)n - LOG_FRAME_HEAD + 1;
        for (size_t i = 0; i < tries; i++) {
            r->at = at + i;
            if (plausible(window + i, size - r->at) && read_frame(r) == 1) {
                return true;
            }
        }
        at += tries;
    }
    return false;
}

bool log_resync(struct log_reader *r) {
    uint64_t start = r->at;
    struct stat st;
    uint32_t len;
    if (fstat(r->fd, &st) != 0) {
        return false;
    }
    if (file_read_at(r->fd, &len, sizeof(len), start) == (ssize_t)sizeof(len)) {
        r->at = start + 8 + len; /* most damage is inside a frame, not in its length */
        if (r->at + LOG_FRAME_HEAD <= (uint64_t)st.st_size && read_frame(r) == 1) {
            return true;
        }
    }
    r->at = start + 1;
    if (scan_frames(r, (uint64_t)st.st_size)) {
        return true;
    }
    r->at = start;
    return false;
}
