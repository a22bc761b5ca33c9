/* auth.h: who asks, and what may they.
 *
 * Users, roles, tokens and their rights live in control.db (auth/users.c). Modes are Arkime's `authMode` names, plus
 * "token" (one-time link, then a cookie). Passwords are never stored: only digests of user, realm and password for
 * SHA-256 and MD5 (RFC 7616).
 *
 * Owner: the command. Thread: any. Cost: a user is read from a cache of 5 s. Failure: auth_check fills the reply itself
 * (401 with a challenge, 403) and answers false.
 */
#ifndef SEINE_AUTH_AUTH_H
#define SEINE_AUTH_AUTH_H

#include "config/setting.h"
#include "http/server.h"
#include "store/control.h"

/* Rights of a principal, as Arkime names them; from the user and all roles, nested ones included. */
enum right {
    RIGHT_WEB = 1 << 0,     /* webEnabled */
    RIGHT_EMAIL = 1 << 1,   /* emailSearch */
    RIGHT_REMOVE = 1 << 2,  /* removeEnabled */
    RIGHT_HUNT = 1 << 3,    /* packetSearch */
    RIGHT_STATS = 1 << 4,   /* not hideStats */
    RIGHT_FILES = 1 << 5,   /* not hideFiles */
    RIGHT_PAYLOAD = 1 << 6, /* not hidePcap */
    RIGHT_PCAP = 1 << 7,    /* not disablePcapDownload */
    RIGHT_USERS = 1 << 8,   /* usersAdmin */
    RIGHT_ADMIN = 1 << 9,   /* arkimeAdmin */
    RIGHT_SUPER = 1 << 10,  /* superAdmin */
    RIGHT_ANY = 1 << 11,    /* a known user at all (arkimeUser) */
};

#define PRINCIPAL_EXPRESSION_MAX 16384

struct principal {
    char id[65], name[129];
    uint32_t rights;          /* of enum right */
    double time_limit;        /* hours; 0 = none */
    const char *expression;   /* forced: all of them joined by &&; "" = none */
    const char *const *roles; /* all, nested ones included; NULL ends */
    bool by_token;            /* an API token: its scope is in `rights` already */
    bool by_browser;          /* a cookie or Referer came along: changes need the CSRF token */
};

struct auth;
struct auth_settings; /* auth/settings.c: authMode, httpRealm, userNameHeader, ... */
extern const struct setting auth_setting_table[];
extern const size_t auth_setting_count;

/* Who asks. True: `*ret` is filled and valid until auth_release. False: the reply is complete. */
bool auth_check(struct auth *a, const struct request *q, struct reply *r, struct principal **ret);
void auth_release(struct auth *a, struct principal *p);

bool principal_has_role(const struct principal *p, const char *role);

#endif
