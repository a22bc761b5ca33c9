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

#include "auth/s2s.h"
#include "auth/secret.h"
#include "auth/users.h"
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
    RIGHT_WRITE = 1 << 12,  /* change what the others allow: every person may; a token only when its scope says so */
    RIGHT_ALL = (1 << 13) - 1,
};

/* Names of rights in scopes of tokens, by bit; NULL ends. */
extern const char *const right_names[];
/* What a token may do unless its maker says otherwise: everything but administration. */
#define RIGHTS_OF_TOKENS (RIGHT_ALL & ~(RIGHT_USERS | RIGHT_ADMIN | RIGHT_SUPER))
/* "read,pcap" as a mask; `read` (RIGHT_ANY) is always in it, `write` only when it is named. -EINVAL names the word. */
int rights_parse(struct span text, uint32_t *ret_rights, struct err *ret_err);

#define PRINCIPAL_EXPRESSION_MAX 16384

struct principal {
    char id[65], name[129];
    uint32_t rights;          /* of enum right */
    double time_limit;        /* hours; 0 = none */
    const char *expression;   /* forced: all of them joined by &&; "" = none */
    const char *const *roles; /* all, nested ones included; NULL ends */
    bool by_token;            /* an API token: its scope is in `rights` already */
    bool by_server;           /* another server asks in this user's name: auth/s2s.h */
    bool stranger;            /* by_server, and nobody here has that id: no rights at all */
    bool by_browser;          /* a cookie or Referer came along */
};

struct auth;

enum auth_mode {
    AUTH_AUTO, /* digest when there are users, else anonymous */
    AUTH_DIGEST,
    AUTH_BASIC,
    AUTH_FORM,
    AUTH_HEADER_ONLY,
    AUTH_HEADER,
    AUTH_HEADER_DIGEST,
    AUTH_HEADER_BASIC,
    AUTH_ANONYMOUS,
    AUTH_BASIC_FORM,
    AUTH_TOKEN,
    AUTH_S2S,
    AUTH_HEADER_JWT,
    AUTH_OIDC,
    AUTH_BASIC_OIDC,
};

enum same_site { SAME_SITE_AUTO, SAME_SITE_STRICT, SAME_SITE_LAX, SAME_SITE_NONE };

struct auth_settings {
    uint32_t mode; /* enum auth_mode */
    const char *realm;
    const char *user_header, *required_header, *required_value;
    struct setting_list user_ips;
    bool basic_plain;   /* Basic without TLS */
    bool cookie_secure; /* also when a proxy does TLS */
    const char *login_message;
    const char *server_secret, *password_secret; /* "" = none */
    const char *user_field;                      /* claim that holds the user's id */
    const char *jwt_issuer, *jwt_audience, *jwt_url, *jwt_file, *jwt_secret, *jwt_algorithms, *jwt_prefix, *jwt_scopes;
    uint32_t jwt_skew; /* s */
    const char *discover_url, *client_id, *client_secret, *redirect_uris, *oidc_scope, *oidc_algorithm;
    const char *ca_file, *logout_url;
    uint32_t same_site; /* enum same_site */
};
extern const struct setting auth_setting_table[];
extern const size_t auth_setting_count;

struct auth_options {
    const struct auth_settings *settings;
    struct control *control;     /* users; NULL: there are none */
    const struct secret *secret; /* copied */
    const char *base_path;       /* as server_options.base_path */
    bool tls;
};

int auth_new(const struct auth_options *options, struct auth **ret_auth, struct err *ret_err);
struct auth *auth_free(struct auth *a);
/* What it came to: AUTH_AUTO is settled, by whether there are users at the moment. */
enum auth_mode auth_mode(struct auth *a);
const struct secret *auth_secret(const struct auth *a);
/* 0 when a server with this way to know users may listen on `address`; else -EPERM with what to do. Beyond loopback
 * everybody must be somebody. */
int auth_may_listen(struct auth *a, const char *address, struct err *ret_err);
/* Users were changed: what is remembered of them is read again. Other processes' changes are seen within 5 s. */
void auth_forget(struct auth *a);
/* What passwords are made with, for users.h. */
struct user_keys auth_user_keys(const struct auth *a);

/* `told` hears of logins that give a cookie, and of those that failed: a wrong password, an unknown token, a used link;
 * of failures at most AUTH_TOLD a minute from one address and AUTH_TOLD_ALL in all, the last of them saying so: nobody
 * may fill the history. Any thread; set before requests come. */
#define AUTH_TOLD 60
#define AUTH_TOLD_ALL 2000
typedef void (*auth_login_fn)(void *ctx, const struct request *q, const char *user, bool good);
void auth_on_login(struct auth *a, auth_login_fn told, void *ctx);

/* AUTH_TOKEN: a token that lets one browser in, once: `/?token=...`. It has 256 random bits. */
#define AUTH_LINK_WORD_MAX 64
int auth_link_word(struct auth *a, char ret[AUTH_LINK_WORD_MAX]);
/* Forms: 1 the password is right, 0 it is not, -EAGAIN too many failures. Takes its time after a failure. */
int auth_password(struct auth *a, const struct request *q, const char *id, const char *password);
/* Another proof of `id` was wrong, a one-time password: counts as a failed login, and takes its time. */
void auth_refused(struct auth *a, const struct request *q, const char *id);
/* Gives the browser a new cookie by which it is `id` for a day; the one it had is over. */
int auth_login(struct auth *a, const struct request *q, struct reply *r, const char *id);
/* Cookies are for TLS only. */
bool auth_cookie_is_secure(const struct auth *a, const struct request *q);
const char *auth_message(const struct auth *a);    /* loginMessage */
const char *auth_logout_url(const struct auth *a); /* logoutUrl; "" = none */
/* Only a path of this server: "/x", not "//host" or "/\host". */
bool auth_path_is_local(const char *path);
void auth_logout(struct auth *a, const struct request *q, struct reply *r);

/* The value of the header x-arkime-auth by which another server with our serverSecret believes that `claim.user` asks
 * for `claim.path` (with query, as it is sent) with `claim.method`; the date is set. -EOPNOTSUPP: serverSecret is not
 * set. For a remote cluster with a secret of its own: s2s_new and s2s_make of auth/s2s.h. */
int auth_server_token(struct auth *a, const struct s2s_claim *claim, struct buf *ret);

/* Who asks. True: `*ret` is filled and valid until auth_release. False: the reply is complete. */
bool auth_check(struct auth *a, const struct request *q, struct reply *r, struct principal **ret);
void auth_release(struct auth *a, struct principal *p);
/* A user by id, for work in their name while nobody asks. -ENOENT: there is none, or it is not enabled. */
int auth_principal(struct auth *a, const char *id, struct principal **ret);

bool principal_has_role(const struct principal *p, const char *role);
bool auth_user_exists(struct auth *a, const char *id);

#endif
