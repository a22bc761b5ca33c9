/* source_impl.h: an open source from inside: shared by source.c (sequential) and random.c (single packets).
 *
 * A capture's number is its place among all captures of the run; `places` remembers where each was met, so that reading
 * can be taken up there again. Owner and thread: those of the source.
 */
#ifndef SEINE_SOURCE_SOURCE_IMPL_H
#define SEINE_SOURCE_SOURCE_IMPL_H

#include "source/capture.h"
#include "source/input.h"
#include "source/packed.h"
#include "source/place.h"

struct source {
    const struct input_list *inputs; /* NULL for a source over bytes */
    struct capture_run run;
    struct block_pool *pool;
    struct window window;
    struct capture capture;
    bool open;             /* `capture` is being read */
    struct stream *stream; /* of the capture at hand */
    struct packed *packed; /* of the input at hand, when it is one */
    struct packed *inner;  /* of the member at hand, when that is compressed in turn */
    size_t next_input;
    uint32_t number; /* of the last capture met */
    uint32_t within; /* captures met in the input at hand */
    struct places places;
    uint64_t read_bytes; /* atomic */
    const bool *stop;    /* of source_options */
};

/* A source over one stream, which is its own from then on, also on failure. */
int source_open_stream(struct stream *stream, const struct source_options *options, struct source **ret_source,
                       struct err *ret_err);
/* A source over bytes in memory, which must outlive it. */
int source_open_bytes(const void *data, size_t size, const struct source_options *options, struct source **ret_source,
                      struct err *ret_err);

/* Opens the next capture without reading packets. 1: there is one, 0: no more, -errno. */
int source_advance(struct source *s);
/* As source_next, but ends (count 0) with the capture at hand instead of opening the next one. */
int source_next_here(struct source *s, struct batch *b);
/* Makes `number` the capture at hand, from its beginning; searches on when it was not met yet. -ENOENT: no such
 * capture. */
int source_go_to(struct source *s, uint32_t number);

#endif
