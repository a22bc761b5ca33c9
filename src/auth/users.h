/* users.h: users, roles and API tokens as they are stored (control.db).
 *
 * A role that people made is a user whose id begins with "role:"; it has no password. Passwords are not stored: only
 * digests of user, realm and password for MD5 and SHA-256 (RFC 7616, 3.4.2), sealed with the server's secret. Tokens
 * are stored as their SHA-256.
 *
 * Owner: caller. Thread: any (control_lock is taken inside). Cost: a transaction of control.db each. Failure: -errno
 * with text: -EEXIST, -ENOENT, -EINVAL.
 */
#ifndef SEINE_AUTH_USERS_H
#define SEINE_AUTH_USERS_H

#include "auth/secret.h"
#include "store/control.h"

#define USER_ID_MAX 64
#define USER_NAME_MAX 128
#define USER_LIST_MAX 256u /* roles, role assigners */
#define PASSWORD_MIN 3
#define PASSWORD_MAX 1000

/* Permissions that are set, unset, or left to the roles. In the order of user_flag_names. */
enum user_flag {
    FLAG_WEB,
    FLAG_HEADER,
    FLAG_EMAIL,
    FLAG_REMOVE,
    FLAG_HUNT,
    FLAG_HIDE_STATS,
    FLAG_HIDE_FILES,
    FLAG_HIDE_PCAP,
    FLAG_NO_PCAP,
    USER_FLAGS
};
extern const char *const user_flag_names[USER_FLAGS];
enum tri { TRI_UNSET = -1, TRI_NO, TRI_YES };

struct texts {
    char **items;
    size_t count;
};

struct user {
    char id[USER_ID_MAX + 1], name[USER_NAME_MAX + 1];
    bool enabled;
    signed char flags[USER_FLAGS]; /* enum tri */
    char *expression;              /* forced; NULL or "" = none */
    int64_t time_limit;            /* hours; -1 = none */
    struct texts roles, assigners; /* assigners: users who may hand out this role */
    int64_t created_ms, last_used_ms;
    int64_t welcome;
    bool has_password;
};

void user_init(struct user *u); /* nothing is allowed, flags are unset */
void user_done(struct user *u);
bool user_is_role(const char *id);
int texts_add(struct texts *t, struct span text); /* -E2BIG beyond USER_LIST_MAX */
bool texts_hold(const struct texts *t, const char *text);
void texts_done(struct texts *t);

/* The tables. */
int users_prepare(struct control *c, struct err *ret_err);

/* What passwords are made with. */
struct user_keys {
    const struct secret *secret;
    const char *realm;
};

/* Word characters, '@', '.', '-'; roles have "role:" in front. */
bool user_id_valid(const char *id);
int users_add(struct control *c, const struct user_keys *keys, const struct user *u, const char *password,
              struct err *ret_err);
/* All but password, times and what the user saved. */
int users_update(struct control *c, const struct user *u, struct err *ret_err);
/* With tokens, web sessions and what the user saved. */
int users_remove(struct control *c, const char *id, struct err *ret_err);
/* Also ends the user's web sessions. */
int users_set_password(struct control *c, const struct user_keys *keys, const char *id, const char *password,
                       struct err *ret_err);
/* 0 and the caller calls user_done, or -ENOENT. */
int users_get(struct control *c, const char *id, struct user *ret_user);
/* In the order of ids; false from `each` ends it. The user is borrowed. */
int users_list(struct control *c, bool (*each)(void *ctx, const struct user *u), void *ctx);
/* Without roles; -errno. */
int64_t users_count(struct control *c);
void users_touch(struct control *c, const char *id, int64_t now_ms); /* lastUsed */
int users_set_welcome(struct control *c, const char *id, int64_t number);

enum digest_hash { HASH_MD5, HASH_SHA256 };
#define HASH_TEXT 65
/* Digest of `user:realm:password` as hexadecimal. */
void password_digest(enum digest_hash hash, const char *user, const char *realm, const char *password,
                     char ret[HASH_TEXT]);
/* The stored one; -ENOENT: no such user or no password; -EBADMSG: made with another secret or realm. */
int users_digest(struct control *c, const struct user_keys *keys, const char *id, enum digest_hash hash,
                 char ret[HASH_TEXT]);

/* --- what a user saved: settings, layouts, states of tables --- */

/* JSON documents; `name` "" where a kind has only one. `ret` gets the text; -ENOENT. */
int user_document_get(struct control *c, const char *user, const char *kind, const char *name, struct buf *ret);
int user_document_set(struct control *c, const char *user, const char *kind, const char *name, struct span json);
int user_document_remove(struct control *c, const char *user, const char *kind, const char *name);
/* In the order in which they were first saved. */
int user_documents(struct control *c, const char *user, const char *kind,
                   bool (*each)(void *ctx, const char *name, struct span json), void *ctx);
#define USER_DOCUMENT_MAX ((size_t)1 << 20)
#define USER_DOCUMENTS_MAX 1000

/* --- API tokens: "seine_" and 43 characters --- */

#define TOKEN_PREFIX "seine_"
#define TOKEN_TEXT 64
#define TOKEN_ID 17
#define TOKENS_MAX 1000 /* of a user */

struct token {
    char id[TOKEN_ID];
    const char *user, *name;
    uint32_t rights;                              /* a subset of the user's that it may use (enum right) */
    int64_t created_ms, expires_ms, last_used_ms; /* expires 0: never */
};

/* `ret_text` is shown once and never stored. */
int tokens_create(struct control *c, const struct token *wanted, char ret_text[TOKEN_TEXT], char ret_id[TOKEN_ID],
                  struct err *ret_err);
/* `user` NULL: anybody's. */
int tokens_revoke(struct control *c, const char *user, const char *id, struct err *ret_err);
int tokens_list(struct control *c, const char *user, bool (*each)(void *ctx, const struct token *t), void *ctx);
/* -ENOENT: unknown or expired. */
int tokens_find(struct control *c, const char *text, int64_t now_ms, char ret_user[USER_ID_MAX + 1],
                uint32_t *ret_rights);

/* --- logins of browsers --- */

#define WEB_SESSION_TEXT 44
#define WEB_SESSIONS_MAX 10000

int web_session_new(struct control *c, const char *user, int64_t now_ms, int64_t valid_ms, char ret[WEB_SESSION_TEXT]);
int web_session_find(struct control *c, const char *text, int64_t now_ms, char ret_user[USER_ID_MAX + 1]);
void web_session_end(struct control *c, const char *text);

#endif
