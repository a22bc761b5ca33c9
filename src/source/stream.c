/* stream.c: see stream.h. Streams over a file descriptor and over memory.
 *
 * Decision: plain read() into the caller's block. Mapping the file costs a page fault per 4 KiB and was slower in every
 * measurement of one-pass reading.
 */
#include "source/stream.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define STOP_LOOK_MS 100

struct fd_stream {
    struct stream base;
    int fd;
    bool regular;
};

/* Waits until a pipe has something. False when the run is to end: a pipe may stay silent for ever. */
static bool fd_wait(const struct fd_stream *f) {
    struct pollfd p = {.fd = f->fd, .events = POLLIN};
    while (!__atomic_load_n(f->base.stop, __ATOMIC_RELAXED)) {
        if (poll(&p, 1, STOP_LOOK_MS) != 0) {
            return true;
        }
    }
    return false;
}

static ssize_t fd_read(struct stream *s, uint8_t *to, size_t n) {
    struct fd_stream *f = (struct fd_stream *)s;
    for (;;) {
        if (s->stop && !f->regular && !fd_wait(f)) {
            return 0;
        }
        ssize_t got = read(f->fd, to, n);
        if (got >= 0) {
            if (s->counter) {
                __atomic_add_fetch(s->counter, (uint64_t)got, __ATOMIC_RELAXED);
            }
            return got;
        }
        if (errno != EINTR) {
            return -errno;
        }
    }
}

static int fd_rewind(struct stream *s) {
    struct fd_stream *f = (struct fd_stream *)s;
    off_t was = lseek(f->fd, 0, SEEK_CUR);
    if (was < 0 || lseek(f->fd, 0, SEEK_SET) < 0) {
        return -errno;
    }
    if (s->counter) {
        __atomic_sub_fetch(s->counter, (uint64_t)was, __ATOMIC_RELAXED);
    }
    return 0;
}

static void fd_close(struct stream *s) {
    struct fd_stream *f = (struct fd_stream *)s;
    close(f->fd);
    free(f);
}

int stream_open_fd(int fd, uint64_t *counter, struct stream **ret_stream) {
    struct fd_stream *f = calloc(1, sizeof(*f));
    if (!f) {
        close(fd);
        return -ENOMEM;
    }
    struct stat st;
    f->regular = fstat(fd, &st) == 0 && S_ISREG(st.st_mode);
    if (f->regular) {
        posix_fadvise(fd, 0, 0, POSIX_FADV_SEQUENTIAL);
    }
    f->fd = fd;
    f->base.read = fd_read;
    f->base.rewind = f->regular ? fd_rewind : NULL;
    f->base.close = fd_close;
    f->base.counter = counter;
    *ret_stream = &f->base;
    return 0;
}

int stream_seekable_fd(const struct stream *s) {
    if (s->read != fd_read) {
        return -1;
    }
    const struct fd_stream *f = (const struct fd_stream *)s;
    return f->regular ? f->fd : -1;
}

struct bytes_stream {
    struct stream base;
    const uint8_t *data;
    size_t size, at;
};

static ssize_t bytes_read(struct stream *s, uint8_t *to, size_t n) {
    struct bytes_stream *m = (struct bytes_stream *)s;
    size_t rest = m->size - m->at;
    size_t now = n < rest ? n : rest;
    if (now) {
        memcpy(to, m->data + m->at, now);
    }
    m->at += now;
    return (ssize_t)now;
}

static int bytes_rewind(struct stream *s) {
    ((struct bytes_stream *)s)->at = 0;
    return 0;
}

static void bytes_close(struct stream *s) {
    free((struct bytes_stream *)s);
}

int stream_open_bytes(const void *data, size_t size, struct stream **ret_stream) {
    struct bytes_stream *m = calloc(1, sizeof(*m));
    if (!m) {
        return -ENOMEM;
    }
    m->base.read = bytes_read;
    m->base.rewind = bytes_rewind;
    m->base.close = bytes_close;
    m->data = data;
    m->size = size;
    *ret_stream = &m->base;
    return 0;
}

struct stream *stream_close(struct stream *s) {
    if (s) {
        s->close(s);
    }
    return NULL;
}

ssize_t stream_read(struct stream *s, uint8_t *to, size_t n) {
    size_t kept = (size_t)(s->head_len - s->head_at);
    if (kept == 0) {
        return s->read(s, to, n);
    }
    size_t now = n < kept ? n : kept;
    memcpy(to, s->head + s->head_at, now);
    s->head_at = (uint8_t)(s->head_at + now);
    return (ssize_t)now;
}

ssize_t stream_peek(struct stream *s, size_t n, const uint8_t **ret_bytes) {
    n = n < STREAM_HEAD ? n : STREAM_HEAD;
    while (s->head_len < n) {
        ssize_t got = s->read(s, s->head + s->head_len, n - s->head_len);
        if (got < 0 && s->head_len == 0) {
            return got;
        }
        if (got <= 0) {
            break; /* an error comes again with the next read */
        }
        s->head_len = (uint8_t)(s->head_len + got);
    }
    *ret_bytes = s->head;
    return s->head_len;
}

int stream_rewind(struct stream *s) {
    if (!s->rewind) {
        return -ESPIPE;
    }
    s->head_at = s->head_len = 0;
    return s->rewind(s);
}
