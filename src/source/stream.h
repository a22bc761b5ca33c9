/* stream.h: bytes of one input in order, wherever they come from: a descriptor, memory, or an unpacked archive member.
 *
 * Owner: one source. Thread: one. Cost: an indirect call per read of up to a block. Failure: -errno, with a sentence in
 * `why` when the number alone does not say what happened (damaged compressed data).
 */
#ifndef SEINE_SOURCE_STREAM_H
#define SEINE_SOURCE_STREAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define STREAM_HEAD 16

struct stream {
    ssize_t (*read)(struct stream *s, uint8_t *to, size_t n); /* > 0, 0 at the end, -errno */
    int (*rewind)(struct stream *s);                          /* NULL: cannot go back */
    void (*close)(struct stream *s);                          /* frees `s` */
    uint64_t *counter;                                        /* atomic: bytes taken from disk; NULL = nobody counts */
    const bool *stop;                                         /* atomic: true ends a pipe; NULL = never */
    char why[120];
    uint8_t head[STREAM_HEAD]; /* peeked bytes not yet read */
    uint8_t head_at, head_len;
};

/* `fd` is the stream's from now on. A regular file is announced to the kernel as read from front to back. */
int stream_open_fd(int fd, uint64_t *counter, struct stream **ret_stream);
/* `data` is borrowed. */
int stream_open_bytes(const void *data, size_t size, struct stream **ret_stream);
struct stream *stream_close(struct stream *s); /* NULL is fine; returns NULL */

/* Descriptor of a stream made by stream_open_fd when it can seek, else -1. */
int stream_seekable_fd(const struct stream *s);

ssize_t stream_read(struct stream *s, uint8_t *to, size_t n);
/* The first `n` (at most STREAM_HEAD) bytes without consuming them; less at the end. Only before the first read. */
ssize_t stream_peek(struct stream *s, size_t n, const uint8_t **ret_bytes);
/* Back to the first byte; -ESPIPE for what cannot. */
int stream_rewind(struct stream *s);

#endif
