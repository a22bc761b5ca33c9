/* frame_text.h: a decoded packet in words: one line, and its layers.
 *
 * Owner: caller's stack. Thread: any. Cost: about 2 us. Failure: none: what is cut off is said to be.
 */
#ifndef SEINE_FETCH_FRAME_TEXT_H
#define SEINE_FETCH_FRAME_TEXT_H

#include "packet/packet.h"

#define FRAME_LAYERS_MAX 24

struct frame_layer {
    const char *name;
    char text[200];
    uint32_t offset, length;
};

struct frame_text {
    char summary[480];
    char flags[10]; /* of TCP, as tcpdump writes them: "S.", "P.", "." */
    struct frame_layer layers[FRAME_LAYERS_MAX];
    unsigned count;
};

void frame_describe(const struct packet *p, struct frame_text *ret);

#endif
