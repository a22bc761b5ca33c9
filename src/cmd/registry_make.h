/* registry_make.h: the registry of a reader of stores: the fields of this program and those the store has besides.
 *
 * Owner: caller. Thread: any. Failure: as registry.h; a field of the store that contradicts a built-in one is left out.
 */
#ifndef SEINE_CMD_REGISTRY_MAKE_H
#define SEINE_CMD_REGISTRY_MAKE_H

#include "store/store.h"

/* A registry_make_fn; `ctx` is not looked at. */
int registry_make(void *ctx, const struct field_def *fields, size_t count, struct registry **ret_registry,
                  struct err *ret_err);

#endif
