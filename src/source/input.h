/* input.h: what stands behind source.h's input_list: one entry per file to read, in order.
 *
 * Owner: whoever made the list; read-only afterwards, so any thread may read it.
 */
#ifndef SEINE_SOURCE_INPUT_H
#define SEINE_SOURCE_INPUT_H

#include "source/source.h"

enum input_kind {
    INPUT_FILE,   /* regular: can be read again and again */
    INPUT_STREAM, /* pipe or device: once */
    INPUT_STDIN,
};

struct input {
    char *path;
    uint64_t size;
    uint64_t before; /* bytes of all inputs before it */
    enum input_kind kind;
    bool plain; /* regular and not packed: reading it again costs little */
};

const struct input *input_list_get(const struct input_list *l, size_t index);

#endif
