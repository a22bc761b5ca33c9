/* state.h: what the files of auth/ share. */
#ifndef SEINE_AUTH_STATE_H
#define SEINE_AUTH_STATE_H

#include <pthread.h>

#include "auth/auth.h"
#include "auth/digest.h"
#include "auth/roles.h"
#include "auth/throttle.h"

#define LINKS_MAX 16
#define CACHED_MAX 256
#define CACHE_MS 5000
#define WEB_SESSION_MS ((int64_t)86400000)
#define COOKIE_NAME 32
#define NAMES_MAX 16

/* A user as it was read at most CACHE_MS ago; shared by requests, freed with the last. */
struct cached {
    unsigned references; /* under auth.lock */
    char id[USER_ID_MAX + 1], name[USER_NAME_MAX + 1];
    bool enabled;
    int64_t read_ms, touched_ms;
    struct standing standing;
    const char **roles; /* of the standing; NULL ends */
};

/* A text taken apart at commas, semicolons and blanks. */
struct names {
    char *memory;
    const char *items[NAMES_MAX + 1]; /* NULL ends */
    size_t count;
};
/* -E2BIG, -ENOMEM. */
int names_split(const char *text, struct names *ret);
void names_done(struct names *w);

/* Who a request says it is. */
struct claim {
    char id[USER_ID_MAX + 1];
    uint32_t rights;                     /* that a token leaves */
    bool by_token, by_header, by_server; /* by_header: somebody else vouches for the user */
    struct buf claims;                   /* what they say of the user, a JSON object; empty: nothing */
};

struct auth {
    struct auth_settings settings;
    enum auth_mode mode; /* AUTH_AUTO: see auth_mode */
    struct control *control;
    struct secret secret;
    char *base_path;
    char cookie[COOKIE_NAME];
    bool tls;
    struct nonce_table *nonces;
    struct throttle *throttle;
    struct s2s *servers;  /* NULL: no secret is set */
    struct keyring *keys; /* of AUTH_HEADER_JWT */
    struct oidc *oidc;
    struct names algorithms, scopes, redirects;
    auth_login_fn told;
    void *told_ctx;
    pthread_mutex_t lock; /* of what follows */
    struct cached *cached[CACHED_MAX];
    size_t cached_count;
    uint64_t generation; /* auth_forget was called */
    uint8_t links[LINKS_MAX][SIGNATURE_BYTES];
    size_t link_count;
    bool has_users;
    int64_t users_looked_ms;
};

int64_t auth_now_ms(void);
struct user_keys auth_keys(const struct auth *a);

/* principal.c: 0 with a reference, -ENOENT, -errno. */
int cached_get(struct auth *a, const char *id, struct cached **ret);
void cached_unref(struct auth *a, struct cached *c);
void cached_clear(struct auth *a);
int principal_make(struct auth *a, struct cached *c, struct principal **ret);
int principal_anonymous(struct principal **ret);
/* Somebody another server vouches for, whom nobody knows here. */
int principal_stranger(const char *id, struct principal **ret);

/* methods.c: who the request says it is. 1: `ret_id` is known to be true; 0: it says nothing; negative: refused, and
 * the reply is complete. */
int method_digest(struct auth *a, const struct request *q, struct reply *r, char ret_id[USER_ID_MAX + 1]);
int method_basic(struct auth *a, const struct request *q, struct reply *r, char ret_id[USER_ID_MAX + 1]);
int method_bearer(struct auth *a, const struct request *q, struct reply *r, struct claim *ret);
int method_server(struct auth *a, const struct request *q, struct reply *r, char ret_id[USER_ID_MAX + 1]);
int method_header(struct auth *a, const struct request *q, struct reply *r, char ret_id[USER_ID_MAX + 1]);
int method_cookie(struct auth *a, const struct request *q, struct reply *r, char ret_id[USER_ID_MAX + 1]);
int method_jwt(struct auth *a, const struct request *q, struct reply *r, struct claim *ret);
/* login_oidc.c: a page that nobody asks for by name begins a login; what comes back from the provider ends one. Both
 * answer a negative number: the reply is complete. 0: this request is neither. */
int login_oidc(struct auth *a, const struct request *q, struct reply *r);
void login_oidc_begin(struct auth *a, const struct request *q, struct reply *r);

/* The user's id in a JSON object of claims: member `field`, with `prefix` in front. False: there is none, or it is no
 * id of a user. */
bool claims_user(struct span claims, const char *field, const char *prefix, char ret_id[USER_ID_MAX + 1]);
struct cookie {
    const char *name, *value;
    int64_t seconds;
};
void cookie_write(const struct auth *a, const struct request *q, struct reply *r, const struct cookie *cookie);
/* The way back from the provider that this request would take is https. */
bool login_oidc_is_secure(const struct auth *a, const struct request *q);
bool wants_page(const struct request *q);

bool peer_is_allowed(const struct auth *a, const char *peer, bool loopback_only);

/* trust.c */
int trust_open(struct auth *a, struct err *ret_err);
void trust_done(struct auth *a);

/* Is this somebody here? -ENOENT unknown, -EACCES not enabled, -EPERM not by another's word, else -errno. */
int claim_allowed(struct auth *a, const struct claim *claim, struct principal **ret);

/* A line of the history about what is no guess. */
void auth_told(struct auth *a, const struct request *q, const char *what);
/* A wrong password: counts, tells and waits. */
void auth_failed(struct auth *a, const struct request *q, const char *id);
/* A wrong token or link: tells and waits. Nobody guesses 256 bits, and an old token must not lock out its neighbours.
 */
void auth_guessed(struct auth *a, const struct request *q, const char *what);
void auth_say(struct reply *r, int status, const char *text);
void challenge_digest(struct auth *a, struct reply *r, bool stale);
void challenge_basic(struct auth *a, struct reply *r);

#endif
