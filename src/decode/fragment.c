/* fragment.c: datagrams from fragments. */
#include <stdlib.h>

#include "decode/state.h"

struct fragments {
    struct decoder *d;
};

struct fragments *fragments_new(struct decoder *d) {
    struct fragments *f = calloc(1, sizeof(*f));
    if (f) {
        f->d = d;
    }
    return f;
}

struct fragments *fragments_free(struct fragments *f) {
    free(f);
    return NULL;
}

void fragments_recycle(struct fragments *f) {
    (void)f;
}
