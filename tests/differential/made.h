/* made.h: sessions and expressions made from a seed, for comparing what finds them.
 *
 * The same seed gives the same on every machine. Words come from small lists, so that expressions hit often.
 */
#ifndef SEINE_TESTS_MADE_H
#define SEINE_TESTS_MADE_H

#include <stdio.h>

#include "base/json.h"
#include "query/query.h"
#include "record/core_fields.h"

#define MADE_NOW INT64_C(1700000000000)
#define MADE_EPOCH INT64_C(1699900000) /* the first session begins about here; s since 1970 */
#define MADE_SPAN 90000                /* and the last one so many s later */
#define MADE_FILES 8

struct random {
    uint64_t state;
};
uint64_t random_next(struct random *r);
static inline uint64_t random_below(struct random *r, uint64_t limit) {
    return random_next(r) % limit;
}
static inline bool random_chance(struct random *r, unsigned percent) {
    return random_below(r, 100) < percent;
}

enum made_field {
    MADE_HTTP_HOST,
    MADE_DNS_HOST,
    MADE_URI,
    MADE_STATUS,
    MADE_DELTA,
    MADE_SCORE,
    MADE_DNS_IP,
    MADE_FLAG,
    MADE_BOX,
    MADE_BOX_CODE,
    MADE_BOX_SIZE,
    MADE_FIELDS
};
extern const struct field_def made_fields[MADE_FIELDS];

struct words {
    const char *const *list;
    size_t count;
};
extern const struct words made_hosts, made_uris, made_users, made_tags, made_codes, made_countries, made_protocols;
const char *words_pick(const struct words *w, struct random *r);

/* An address out of some small networks, at `to`. */
void made_ip(struct random *r, uint8_t to[16]);
void made_mac(struct random *r, uint8_t to[6]);
uint64_t made_port(struct random *r);

struct made {
    struct registry *registry;
    struct pool pool;
    uint16_t base; /* id of made_fields[0] */
    struct record *records;
    struct packet_position *positions; /* two a record */
    size_t count;
};

void made_sessions(struct made *m, uint64_t seed, size_t count);
void made_done(struct made *m);

/* Files, views and shortcuts that the expressions name. */
extern const struct query_names made_names;

/* One expression: its text, and the same as a tree in JSON that nobody has to parse our language for. */
void made_expression(struct random *r, struct buf *text, struct json *tree);

#endif
