/* engine.h: brings a session's bytes to the dissectors that want them.
 *
 * dissect_set: made once at start from the list of protocols (tables, settings, hints), then read-only and shared.
 * dissect_engine: one per worker. Its functions are the flow table's hooks. Cost: a look-up by first byte or port for a
 * new side, then one call per delivery. Failure: no memory for a dissector's state means the session goes on without
 * it.
 */
#ifndef SEINE_DISSECT_ENGINE_H
#define SEINE_DISSECT_ENGINE_H

#include "base/err.h"
#include "config/config.h"
#include "dissect/dissector.h"
#include "flow/flow.h"

struct dissect_set;

/* Registers every protocol's fields. */
struct dissect_set *dissect_set_new(struct registry *registry, struct err *ret_err);
struct dissect_set *dissect_set_free(struct dissect_set *set);
/* The protocols' settings, for config_apply; returns how many were written into `ret` (at most `max`). */
size_t dissect_set_modules(struct dissect_set *set, struct config_module *ret, size_t max);
/* After the configuration was applied, before the registry is sealed. */
int dissect_set_prepare(struct dissect_set *set, struct registry *registry, struct config *config, struct err *ret_err);
size_t dissect_set_count(const struct dissect_set *set);
const struct dissector *dissect_set_get(const struct dissect_set *set, size_t i);

enum dissect_count {
    DISSECT_ATTACHED,
    DISSECT_BROKEN,
    DISSECT_NOT_MINE,
    DISSECT_BUFFER_FULL,
    DISSECT_GAPS,
    DISSECT_NO_MEMORY,
    DISSECT_COUNTS
};
extern const char *const dissect_count_names[DISSECT_COUNTS];

struct dissect_engine *dissect_engine_new(const struct dissect_set *set, const struct registry *registry,
                                          struct pool *pool);
struct dissect_engine *dissect_engine_free(struct dissect_engine *e);
const uint64_t *dissect_engine_counts(const struct dissect_engine *e);
struct digests *dissect_engine_digests(struct dissect_engine *e);

/* The hooks: `ctx` of struct flow_hooks is the engine for these four. */
void dissect_stream(struct dissect_engine *e, struct session *s, unsigned side, struct span bytes, uint64_t gap,
                    int64_t time);
void dissect_stream_end(struct dissect_engine *e, struct session *s, unsigned side);
void dissect_datagram(struct dissect_engine *e, struct session *s, unsigned side, struct span bytes,
                      const struct packet *p);
void dissect_saving(struct dissect_engine *e, struct session *s, bool final);

/* For tests and fuzzing: attaches dissector `id` to the session at once. */
bool dissect_attach(struct dissect_engine *e, struct session *s, unsigned id);

#endif
