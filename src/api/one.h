/* one.h: one stored session with where its packets are: what endpoints about a session's packets begin with.
 *
 * Owner: the endpoint's stack; one_close is due once one_open was called. Failure: the call is answered (404, 403, 500)
 * and a negative number given back.
 */
#ifndef SEINE_API_ONE_H
#define SEINE_API_ONE_H

#include "api/item.h"
#include "fetch/conversation.h"

struct one {
    struct ask ask;
    struct restorer *restorer;
    const struct record *record;
    struct file_names *files;
    struct captures *captures;
    bool opened;
};

/* `id`: as in paths, perhaps with a suffix such as ".pcap". `all`: with every field, else only with what fetching
 * needs. */
int one_open(struct one *o, struct call *c, const char *id, bool all);
void one_close(struct one *o);

/* Captures by the store's numbers, over the names in `files`. */
struct captures *captures_of(struct file_names *files);

/* Both sides as they were sent. Gaps of at most ONE_GAP_FILLED bytes are filled with zeros. */
#define ONE_GAP_FILLED 65536
#define ONE_SIDE_MAX ((size_t)64 << 20)
struct sides {
    struct buf bytes[2];
    struct conversation_result result;
    bool cut; /* a side is longer than ONE_SIDE_MAX */
};
int one_sides(struct one *o, struct sides *ret);
void sides_done(struct sides *s);

#endif
