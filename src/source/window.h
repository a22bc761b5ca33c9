/* window.h: the part of a stream that lies in memory, in one block, so that a parser sees whole records.
 *
 *   block:  [ done | at ... end | free ... cap ]        position of data[i] in the stream = base + i
 *
 * Owner: one source. Thread: one. Cost: one read() per block; only the bytes of a record that straddles two blocks are
 * moved. Failure: -ENOMEM; an error of the stream ends it (`eof`) and is kept in `error`.
 */
#ifndef SEINE_SOURCE_WINDOW_H
#define SEINE_SOURCE_WINDOW_H

#include "packet/block.h"
#include "source/stream.h"

struct window {
    struct block_pool *pool;
    struct stream *stream;
    struct block *block; /* NULL until the first read */
    size_t at, end;
    uint64_t base;
    bool eof;
    int error; /* -errno of the stream */
};

/* Begins a stream; a block that is left over is used again. */
void window_start(struct window *w, struct stream *stream);
void window_done(struct window *w);

/* Makes `n` bytes from `at` on available, or fewer with `eof` set. Moves the window when it must: pointers into it that
 * no batch holds are then invalid. */
int window_need(struct window *w, size_t n);
/* Drops `n` bytes, reading past what is in memory; fewer when the stream ends. Returns the number dropped or -ENOMEM.
 */
int64_t window_skip(struct window *w, uint64_t n);

static inline const uint8_t *window_data(const struct window *w) {
    return w->block->data + w->at;
}
static inline size_t window_left(const struct window *w) {
    return w->end - w->at;
}
static inline uint64_t window_position(const struct window *w) {
    return w->base + w->at;
}

#endif
