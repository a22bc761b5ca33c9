/* notify.h: messages to people: what kinds of notifiers there are, and sending by one of them.
 *
 * Slack and Teams (webhooks), Twilio and mail go through libcurl, when it is compiled in; syslog (RFC 5424) through a
 * socket of our own. Only administrators make notifiers, so the server goes where they say; not to link-local
 * addresses (where clouds keep secrets of machines), and it follows no redirections. Answers of the other side are
 * thrown away. Nothing that a sentence of failure says comes from fields that hold secrets.
 *
 * notify_send: thread: any; cost: blocks for up to NOTIFY_SECONDS. notices_*: a queue of NOTICES_MAX messages and one
 * thread; owner: struct api; notices_post never waits: what finds no place is counted.
 */
#ifndef SEINE_API_NOTIFY_H
#define SEINE_API_NOTIFY_H

#include <stdatomic.h>

#include "api/api.h"
#include "api/saved.h"
#include "base/json_scan.h"

#define NOTIFY_SECONDS 20
#define NOTICES_MAX 256
#define NOTICE_TEXT_MAX 4096
#define NOTIFIER_FIELD_MAX 4096 /* bytes of one field */
#define NOTIFIER_FIELDS_MAX 10

enum notifier_field_kind { FIELD_TEXT, FIELD_SECRET, FIELD_URL /* a secret one */, FIELD_FLAG };

struct notifier_field {
    const char *name;
    enum notifier_field_kind kind;
    bool required;
    const char *help;
};

struct delivery;

struct notifier_type {
    const char *name;
    int (*send)(struct delivery *d);
    struct notifier_field fields[NOTIFIER_FIELDS_MAX]; /* name NULL ends */
};
extern const struct notifier_type notifier_types[];
extern const size_t notifier_type_count;
const struct notifier_type *notifier_type_find(struct span name);

/* One of the fields `[{name,value}]`; of kind JSON_NONE when it is not there. */
struct json_ref notifier_field_value(const struct json_index *fields, const char *name);

/* What is sent, by which notifier. */
struct notice {
    struct span type, body; /* of the notifier: struct saved */
    const char *text;       /* UTF-8 */
    const char *subject;    /* of mails whose notifier has none */
};

/* 0 when the other side took it; else -errno with a sentence. `ending` (atomic; NULL = never) gives up. */
int notify_send(const struct api *api, const struct notice *notice, const atomic_bool *ending, struct err *ret_err);

struct notices;

int notices_new(const struct api *api, struct notices **ret_notices, struct err *ret_err);
/* What waits is not sent any more. */
struct notices *notices_free(struct notices *n);
/* False: there is no place. */
bool notices_post(struct notices *n, const struct saved *notifier, const struct notice *notice);
/* What became of a notifier's last message. False: none was sent since the server started. */
struct notice_state {
    int64_t sent_ms;
    char error[sizeof(((struct err *)0)->text)]; /* "": it was taken */
};
bool notices_state(struct notices *n, struct span notifier_id, struct notice_state *ret);
/* Also one that was sent by notify_send. */
void notices_note(struct notices *n, struct span notifier_id, const char *error);
uint64_t notices_dropped(struct notices *n);

#endif
