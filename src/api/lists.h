/* lists.h: parts of list answers that other answers hold as well. Thread: any. Failure: -errno. */
#ifndef SEINE_API_LISTS_H
#define SEINE_API_LISTS_H

#include "api/api.h"

/* All fields as an array or an object. */
int fields_write(struct call *c, struct json *j, bool array);
/* Views the caller may use, as an array. */
int views_write(struct call *c, struct json *j);
/* The caller may send captures. */
bool upload_is_open(const struct call *c);
/* What a cluster of Elasticsearch would say of itself, said of the store. */
void health_write(struct call *c, struct json *j);

extern const struct endpoint_family field_family, file_family, action_family, info_family, upload_family, stats_family,
    store_family;

#endif
