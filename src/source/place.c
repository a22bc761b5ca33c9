/* place.c: see place.h.
 *
 * Decision: the table grows by pieces of doubling size instead of being moved, because workers look up file names while
 * the reader goes on.
 */
#include "source/place.h"

#include <errno.h>
#include <stdlib.h>

#define FIRST_PIECE 16u

/* Piece `*ret_piece`, entry `*ret_at` of capture number `number`. */
static void place_locate(uint32_t number, unsigned *ret_piece, uint32_t *ret_at) {
    uint32_t index = number - 1 + FIRST_PIECE;
    unsigned top = 31u - (unsigned)__builtin_clz(index);
    *ret_piece = top - 4; /* FIRST_PIECE = 1 << 4 */
    *ret_at = index - (1u << top);
}

int places_add(struct places *p, const struct place *place) {
    uint32_t number = p->count + 1;
    if (number > PLACES_MAX) {
        return -E2BIG;
    }
    unsigned piece;
    uint32_t at;
    place_locate(number, &piece, &at);
    if (!p->pieces[piece]) {
        p->pieces[piece] = calloc((size_t)FIRST_PIECE << piece, sizeof(struct place));
    }
    char *name = strdup(place->file.name);
    if (!p->pieces[piece] || !name) {
        free(name);
        return -ENOMEM;
    }
    struct place *to = &p->pieces[piece][at];
    *to = *place;
    to->file.name = name;
    to->file.number = number;
    __atomic_store_n(&p->count, number, __ATOMIC_RELEASE);
    return 0;
}

uint32_t places_count(const struct places *p) {
    return __atomic_load_n(&p->count, __ATOMIC_ACQUIRE);
}

const struct place *places_get(const struct places *p, uint32_t number) {
    if (number == 0 || number > places_count(p)) {
        return NULL;
    }
    unsigned piece;
    uint32_t at;
    place_locate(number, &piece, &at);
    return &p->pieces[piece][at];
}

void places_done(struct places *p) {
    for (uint32_t number = 1; number <= p->count; number++) {
        free(places_get(p, number)->file.name);
    }
    for (size_t i = 0; i < PLACE_PIECES; i++) {
        free(p->pieces[i]);
    }
    *p = (struct places){0};
}
