/* window.c: see window.h.
 *
 * Decision: when nobody else holds the block, the straddling bytes move to its front and the same bytes are filled
 * again, so that one pass over a file by one thread touches one block.
 */
#include "source/window.h"

#include <errno.h>
#include <string.h>

#include "base/util.h"

/* Reading less than this at the end of a block is not worth a system call. */
#define SMALL_READ ((size_t)32 << 10)

void window_start(struct window *w, struct stream *stream) {
    w->stream = stream;
    w->eof = false;
    w->error = 0;
    w->at = w->end = 0;
    if (w->block && (!block_is_own(w->block) || w->block->cap != BLOCK_SIZE)) {
        w->block = block_unref(w->block);
    }
    w->base = 0;
}

void window_done(struct window *w) {
    w->block = block_unref(w->block);
    w->at = w->end = 0;
}

/* Room for `n` bytes from `at` on, in this block or a new one. */
static int window_room(struct window *w, size_t n) {
    size_t have = w->end - w->at;
    if (w->block) {
        size_t cap = w->block->cap;
        if (cap - w->at >= n && cap - w->end >= SMALL_READ) {
            return 0;
        }
        bool fits = n <= cap && (cap == BLOCK_SIZE || n > BLOCK_SIZE);
        if (fits && w->at == 0) {
            return 0;
        }
        if (fits && block_is_own(w->block)) {
            memmove(w->block->data, w->block->data + w->at, have);
            w->base += w->at;
            w->at = 0;
            w->end = have;
            return 0;
        }
    }
    struct block *next = block_take_wait(w->pool, MAX(n, BLOCK_SIZE));
    if (!next) {
        return -ENOMEM;
    }
    if (have) {
        memcpy(next->data, w->block->data + w->at, have);
    }
    block_unref(w->block);
    w->block = next;
    w->base += w->at;
    w->at = 0;
    w->end = have;
    return 0;
}

int window_need(struct window *w, size_t n) {
    if (w->end - w->at >= n || w->eof) {
        return 0;
    }
    int rc = window_room(w, n);
    while (rc == 0 && w->end - w->at < n) {
        ssize_t got = stream_read(w->stream, w->block->data + w->end, w->block->cap - w->end);
        if (got <= 0) {
            w->eof = true;
            w->error = (int)got;
            break;
        }
        w->end += (size_t)got;
    }
    return rc;
}

int64_t window_skip(struct window *w, uint64_t n) {
    uint64_t done = 0;
    while (done < n) {
        uint64_t now = MIN((uint64_t)(w->end - w->at), n - done);
        w->at += (size_t)now;
        done += now;
        if (done < n) {
            int rc = window_need(w, 1);
            if (rc < 0) {
                return rc;
            }
            if (w->end == w->at) {
                break;
            }
        }
    }
    return (int64_t)done;
}
