/* late.c: see late.h.
 *
 * A document must not show when a digest was ready. Values of one field keep their order, because runs are told in the
 * order of their ends; what is left is `full`, which ends a piece of a session by how much was written: while a list
 * could reach that point by the values on their way, nothing is put off.
 */
#include "dissect/late.h"

#define WRITTEN_MAX (2 * DIGEST_MAX + 3) /* of one digest in the document */
_Static_assert(DIGEST_LATE_MAX *WRITTEN_MAX < CELLS_FIELD_SOFT, "digests alone, all of one session, do not fill it");

void late_put(const void *fields, void *owner, uint32_t tag, const uint8_t *digest, size_t len) {
    char text[2 * DIGEST_MAX];
    struct cells *cells = owner;
    cells->late = 0; /* all there are get told at once */
    if (len) {
        hex_write(digest, len, text);
        (void)cells_put_text(cells, (const struct field *)fields + tag, span_make(text, 2 * len));
    }
}

static void check_full(struct dissect *d, unsigned field) {
    const uint32_t near = CELLS_FIELD_SOFT - DIGEST_LATE_MAX * WRITTEN_MAX;
    /* No list has more than there is in all: the look for this one is seldom needed. */
    if (d->cells->used > near && cells_written(d->cells, &d->fields[d->base + field]) > near) {
        late_settle(d->runs, d->cells);
    }
}

void dissect_digest(struct dissect *d, unsigned field, struct digest_run *run) {
    d->cells->late = 1;
    digest_end(d->runs, run, d->cells, d->base + field);
    check_full(d, field);
}

void dissect_digest_whole(struct dissect *d, unsigned field, enum digest_kind kind, struct span bytes) {
    d->cells->late = 1;
    digest_whole(d->runs, kind, bytes, d->cells, d->base + field);
    check_full(d, field);
}
