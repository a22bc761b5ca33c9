/* late.h: digests of bodies that become values of their session when they are ready. For the engine; dissectors call
 * dissect_digest (dissector.h).
 *
 * Owner: one worker. Thread: one. Cost: that of the digests (base/digest_runs.h). Failure: as there.
 */
#ifndef SEINE_DISSECT_LATE_H
#define SEINE_DISSECT_LATE_H

#include "dissect/dissector.h"

/* For digest_runs_new; `fields` is the registry's array, `owner` a struct cells, `tag` the id of the field. */
void late_put(const void *fields, void *owner, uint32_t tag, const uint8_t *digest, size_t len);

/* Before anybody reads the values: those that are on their way are put. */
static inline void late_settle(struct digest_runs *runs, const struct cells *cells) {
    if (cells->late) {
        digest_runs_settle(runs);
    }
}

#endif
