/* certificates.h: certificates that were not in order when they were used. */
#ifndef SEINE_API_CERTIFICATES_H
#define SEINE_API_CERTIFICATES_H

#include "api/group.h"

#define CERTIFICATES_MAX 2000

struct certificate_found {
    char hash[64];
    size_t hash_len;
    char subject[160];
    const char *note; /* "expired", "self-signed", "not yet valid", "short-lived" */
    uint64_t sessions;
};

struct certificates {
    struct certificate_found *list; /* most sessions first */
    size_t count;
    bool more; /* further sessions were not looked at */
};

/* `certificates_done` is due in any case. */
int certificates_find(struct ask *a, struct certificates *ret);
void certificates_done(struct certificates *c);

#endif
