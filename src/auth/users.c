/* users.c: see users.h. One row per user; lists are JSON arrays in their columns, flags NULL where they are unset. */
#include "auth/users.h"

#include <errno.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "base/digest.h"
#include "base/json.h"
#include "base/json_scan.h"
#include "base/util.h"

const char *const user_flag_names[USER_FLAGS] = {"webEnabled",    "headerAuthEnabled", "emailSearch",
                                                 "removeEnabled", "packetSearch",      "hideStats",
                                                 "hideFiles",     "hidePcap",          "disablePcapDownload"};

static const char *const scripts[] = {
    "CREATE TABLE users (id TEXT PRIMARY KEY, name TEXT NOT NULL, enabled INTEGER NOT NULL,"
    " web INTEGER, header INTEGER, email INTEGER, remove INTEGER, hunt INTEGER, hide_stats INTEGER,"
    " hide_files INTEGER, hide_pcap INTEGER, no_pcap INTEGER, expression TEXT, time_limit INTEGER,"
    " roles TEXT NOT NULL, assigners TEXT NOT NULL, created INTEGER NOT NULL, last_used INTEGER NOT NULL,"
    " welcome INTEGER NOT NULL, password BLOB) WITHOUT ROWID;"
    "CREATE TABLE user_documents (number INTEGER PRIMARY KEY, user TEXT NOT NULL, kind TEXT NOT NULL,"
    " name TEXT NOT NULL, json TEXT NOT NULL, UNIQUE (user, kind, name));"
    "CREATE TABLE tokens (id TEXT PRIMARY KEY, user TEXT NOT NULL, name TEXT NOT NULL, hash BLOB NOT NULL UNIQUE,"
    " rights INTEGER NOT NULL, created INTEGER NOT NULL, expires INTEGER NOT NULL, last_used INTEGER NOT NULL);"
    "CREATE TABLE web_sessions (hash BLOB PRIMARY KEY, user TEXT NOT NULL, created INTEGER NOT NULL,"
    " expires INTEGER NOT NULL) WITHOUT ROWID;",
    "ALTER TABLE users ADD COLUMN totp BLOB;"
    "ALTER TABLE users ADD COLUMN totp_state INTEGER NOT NULL DEFAULT 0;"
    "ALTER TABLE users ADD COLUMN totp_step INTEGER NOT NULL DEFAULT 0;"
    "ALTER TABLE users ADD COLUMN totp_tries INTEGER NOT NULL DEFAULT 0;"
    "ALTER TABLE users ADD COLUMN totp_since INTEGER NOT NULL DEFAULT 0;",
};
static const struct control_schema schema = {"auth", scripts, ARRAY_LEN(scripts)};

int users_prepare(struct control *c, struct err *ret_err) {
    return control_migrate(c, &schema, ret_err);
}

/* A sealed pair of digests: nonce, text, tag. */
#define NOBODY_BYTES (12 + 32 + 1 + 64 + 16)

/* --- lists of texts --- */

int texts_add(struct texts *t, struct span text) {
    if (t->count == USER_LIST_MAX) {
        return -E2BIG;
    }
    char *copy = malloc(text.len + 1);
    if (!copy) {
        return -ENOMEM;
    }
    char **items = realloc(t->items, (t->count + 1) * sizeof(*items));
    if (!items) {
        free(copy);
        return -ENOMEM;
    }
    *span_copy_to(text, (uint8_t *)copy) = 0;
    items[t->count++] = copy;
    t->items = items;
    return 0;
}

bool texts_hold(const struct texts *t, const char *text) {
    for (size_t i = 0; i < t->count; i++) {
        if (strcmp(t->items[i], text) == 0) {
            return true;
        }
    }
    return false;
}

void texts_done(struct texts *t) {
    for (size_t i = 0; i < t->count; i++) {
        free(t->items[i]);
    }
    free(t->items);
    *t = (struct texts){0};
}

static void texts_write(const struct texts *t, struct buf *out) {
    struct json j = json_over(out);
    json_open(&j, '[');
    for (size_t i = 0; i < t->count; i++) {
        json_cstr(&j, t->items[i]);
    }
    json_close(&j, ']');
}

static int texts_read(struct texts *t, struct span json) {
    struct json_index index;
    struct json_error error;
    struct buf scratch;
    json_index_init(&index, 1u << 14);
    buf_init(&scratch, 1u << 16);
    int code = json_index_build(&index, json, &error);
    struct json_walk walk =
        code == 0 ? json_walk_over(json_root(&index)) : (struct json_walk){NULL, 0, false, false, true};
    struct span key, text;
    struct json_ref value;
    while (code == 0 && json_walk_next(&walk, &key, &value)) {
        buf_clear(&scratch);
        code = json_string(value, &scratch, &text) ? texts_add(t, text) : -EBADMSG;
    }
    json_index_done(&index);
    buf_done(&scratch);
    return code;
}

/* --- users --- */

void user_init(struct user *u) {
    *u = (struct user){.enabled = true, .time_limit = -1};
    for (size_t i = 0; i < USER_FLAGS; i++) {
        u->flags[i] = TRI_UNSET;
    }
}

void user_done(struct user *u) {
    free(u->expression);
    texts_done(&u->roles);
    texts_done(&u->assigners);
    user_init(u);
}

bool user_is_role(const char *id) {
    return strncmp(id, "role:", 5) == 0;
}

bool user_id_valid(const char *id) {
    const char *at = user_is_role(id) ? id + 5 : id;
    if (!*at || strlen(id) > USER_ID_MAX) {
        return false;
    }
    for (; *at; at++) {
        bool word = (*at >= 'a' && *at <= 'z') || (*at >= 'A' && *at <= 'Z') || (*at >= '0' && *at <= '9');
        if (!word && !strchr("_@.-", *at)) {
            return false;
        }
    }
    return true;
}

void password_digest(enum digest_hash hash, const char *user, const char *realm, const char *password,
                     char ret[HASH_TEXT]) {
    const EVP_MD *kind = hash == HASH_MD5 ? EVP_md5() : EVP_sha256();
    uint8_t bytes[EVP_MAX_MD_SIZE];
    unsigned len = 0;
    EVP_MD_CTX *c = EVP_MD_CTX_new();
    const char *const parts[] = {user, ":", realm, ":", password};
    bool good = c && EVP_DigestInit_ex(c, kind, NULL) == 1;
    for (size_t i = 0; good && i < ARRAY_LEN(parts); i++) {
        good = EVP_DigestUpdate(c, parts[i], strlen(parts[i])) == 1;
    }
    good = good && EVP_DigestFinal_ex(c, bytes, &len) == 1;
    EVP_MD_CTX_free(c);
    hex_write(bytes, good ? len : 0, ret);
    ret[good ? 2 * len : 0] = 0;
    OPENSSL_cleanse(bytes, sizeof(bytes));
}

/* Both digests in one text, sealed; who and where they belong to is bound to them. */
static int password_seal(const struct user_keys *keys, const char *id, const char *password, struct buf *out) {
    char md5[HASH_TEXT], sha256[HASH_TEXT], both[2 * HASH_TEXT], bound[512];
    password_digest(HASH_MD5, id, keys->realm, password, md5);
    password_digest(HASH_SHA256, id, keys->realm, password, sha256);
    int n = snprintf(both, sizeof(both), "%s:%s", md5, sha256);
    (void)snprintf(bound, sizeof(bound), "%s:%.300s", id, keys->realm);
    int code = secret_seal(keys->secret, "password", span_text(bound), span_make(both, (size_t)n), out);
    OPENSSL_cleanse(md5, sizeof(md5));
    OPENSSL_cleanse(sha256, sizeof(sha256));
    OPENSSL_cleanse(both, sizeof(both));
    return code;
}

static int password_check(const char *password, struct err *ret_err) {
    size_t len = strlen(password);
    if (len < PASSWORD_MIN) {
        return err_set(ret_err, -EINVAL, "Password needs to be at least %d characters", PASSWORD_MIN);
    }
    return len > PASSWORD_MAX ? err_set(ret_err, -EINVAL, "Password is longer than %d characters", PASSWORD_MAX) : 0;
}

static int64_t now_ms(void) {
    struct timespec now;
    (void)clock_gettime(CLOCK_REALTIME, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* Parameters 1 to 15 of both statements. */
static void user_bind(sqlite3_stmt *s, const struct user *u, const struct buf *roles, const struct buf *assigners) {
    control_bind_text(s, 1, u->id);
    control_bind_text(s, 2, u->name);
    control_bind_u64(s, 3, u->enabled);
    for (int i = 0; i < USER_FLAGS; i++) {
        if (u->flags[i] == TRI_UNSET) {
            control_bind(s, 4 + i, (struct span){0});
        } else {
            control_bind_u64(s, 4 + i, (uint64_t)u->flags[i]);
        }
    }
    control_bind_text(s, 13, u->expression ? u->expression : "");
    control_bind_u64(s, 14, (uint64_t)u->time_limit);
    control_bind(s, 15, buf_span(roles));
    control_bind(s, 16, buf_span(assigners));
}

static int user_write(struct control *c, const char *sql, const struct user *u, const struct buf *password,
                      struct err *ret_err) {
    struct buf roles, assigners;
    buf_init(&roles, 1u << 16);
    buf_init(&assigners, 1u << 16);
    texts_write(&u->roles, &roles);
    texts_write(&u->assigners, &assigners);
    control_lock(c);
    sqlite3_stmt *s = control_prepare(c, sql, ret_err);
    int code = s && !roles.overflowed && !assigners.overflowed ? 0 : -EINVAL;
    if (code == 0) {
        user_bind(s, u, &roles, &assigners);
        if (password) {
            control_bind_u64(s, 17, (uint64_t)now_ms());
            (void)sqlite3_bind_blob64(s, 18, password->data, password->len, SQLITE_TRANSIENT);
        }
        code = control_step(s);
        if (code == 0 && sqlite3_changes(sqlite3_db_handle(s)) == 0) {
            code = -ENOENT;
        }
    }
    control_unlock(c);
    buf_done(&roles);
    buf_done(&assigners);
    if (code == -EEXIST) {
        err_set(ret_err, code, "User already exists");
    } else if (code < 0) {
        err_set(ret_err, code, code == -ENOENT ? "User not found" : "The user could not be written: %s",
                strerror(-code));
    }
    return code;
}

int users_add(struct control *c, const struct user_keys *keys, const struct user *u, const char *password,
              struct err *ret_err) {
    struct buf sealed;
    if (!user_id_valid(u->id)) {
        return err_set(ret_err, -EINVAL, "User ID must be word characters");
    }
    bool role = user_is_role(u->id);
    int code = role ? 0 : password_check(password ? password : "", ret_err);
    if (code < 0) {
        return code;
    }
    buf_init(&sealed, 4096);
    if (!role) {
        code = password_seal(keys, u->id, password, &sealed);
        if (code < 0) {
            err_set(ret_err, code, "The password could not be sealed");
        }
    }
    if (code == 0) {
        code =
            user_write(c,
                       "INSERT INTO users (id, name, enabled, web, header, email, remove, hunt, hide_stats, hide_files,"
                       " hide_pcap, no_pcap, expression, time_limit, roles, assigners, created, password, last_used,"
                       " welcome) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17,"
                       " ?18, 0, 0)",
                       u, &sealed, ret_err);
    }
    buf_done(&sealed);
    return code;
}

int users_update(struct control *c, const struct user *u, struct err *ret_err) {
    return user_write(c,
                      "UPDATE users SET name = ?2, enabled = ?3, web = ?4, header = ?5, email = ?6, remove = ?7,"
                      " hunt = ?8, hide_stats = ?9, hide_files = ?10, hide_pcap = ?11, no_pcap = ?12, expression = ?13,"
                      " time_limit = ?14, roles = ?15, assigners = ?16 WHERE id = ?1",
                      u, NULL, ret_err);
}

/* One statement with the user's id as its parameter; the number of changed rows, or -errno. */
static int change(struct control *c, const char *sql, const char *id) {
    sqlite3_stmt *s = control_prepare(c, sql, NULL);
    if (!s) {
        return -EINVAL;
    }
    control_bind_text(s, 1, id);
    int code = control_step(s);
    return code < 0 ? code : sqlite3_changes(sqlite3_db_handle(s));
}

int users_remove(struct control *c, const char *id, struct err *ret_err) {
    control_lock(c);
    int code = control_begin(c);
    int removed = code < 0 ? code : change(c, "DELETE FROM users WHERE id = ?1", id);
    code = removed;
    code = code < 0 ? code : change(c, "DELETE FROM tokens WHERE user = ?1", id);
    code = code < 0 ? code : change(c, "DELETE FROM web_sessions WHERE user = ?1", id);
    code = code < 0 ? code : change(c, "DELETE FROM user_documents WHERE user = ?1", id);
    int ended = control_end(c, code >= 0);
    control_unlock(c);
    code = code < 0 ? code : ended;
    if (code < 0) {
        return err_set(ret_err, code, "The user could not be removed: %s", strerror(-code));
    }
    return removed > 0 ? 0 : err_set(ret_err, -ENOENT, "User not found");
}

int users_set_password(struct control *c, const struct user_keys *keys, const char *id, const char *password,
                       struct err *ret_err) {
    struct buf sealed;
    int code =
        user_is_role(id) ? err_set(ret_err, -EINVAL, "Roles have no password") : password_check(password, ret_err);
    if (code < 0) {
        return code;
    }
    buf_init(&sealed, 4096);
    code = password_seal(keys, id, password, &sealed);
    control_lock(c);
    sqlite3_stmt *s = code == 0 ? control_prepare(c, "UPDATE users SET password = ?2 WHERE id = ?1", ret_err) : NULL;
    code = s ? 0 : -EINVAL;
    if (s) {
        control_bind_text(s, 1, id);
        (void)sqlite3_bind_blob64(s, 2, sealed.data, sealed.len, SQLITE_TRANSIENT);
        code = control_step(s);
        if (code == 0 && sqlite3_changes(sqlite3_db_handle(s)) == 0) {
            code = -ENOENT;
        }
    }
    if (code == 0) {
        (void)change(c, "DELETE FROM web_sessions WHERE user = ?1", id);
    }
    control_unlock(c);
    buf_done(&sealed);
    return code < 0 ? err_set(ret_err, code, code == -ENOENT ? "User not found" : "The password could not be set") : 0;
}

#define USER_COLUMNS                                                                                               \
    "id, name, enabled, web, header, email, remove, hunt, hide_stats, hide_files, hide_pcap, no_pcap, expression," \
    " time_limit, roles, assigners, created, last_used, welcome, password IS NOT NULL AND length(password) > 0"

static int user_read(sqlite3_stmt *s, struct user *u) {
    user_init(u);
    struct span id = control_text(s, 0), name = control_text(s, 1), expression = control_text(s, 12);
    (void)snprintf(u->id, sizeof(u->id), "%.*s", (int)id.len, id.at);
    (void)snprintf(u->name, sizeof(u->name), "%.*s", (int)name.len, name.at);
    u->enabled = control_u64(s, 2) != 0;
    for (int i = 0; i < USER_FLAGS; i++) {
        bool unset = sqlite3_column_type(s, 3 + i) == SQLITE_NULL;
        u->flags[i] = (signed char)(unset ? TRI_UNSET : control_u64(s, 3 + i) ? TRI_YES : TRI_NO);
    }
    u->expression = malloc(expression.len + 1);
    if (!u->expression) {
        return -ENOMEM;
    }
    *span_copy_to(expression, (uint8_t *)u->expression) = 0;
    u->time_limit = (int64_t)control_u64(s, 13);
    int code = texts_read(&u->roles, control_text(s, 14));
    code = code < 0 ? code : texts_read(&u->assigners, control_text(s, 15));
    u->created_ms = (int64_t)control_u64(s, 16);
    u->last_used_ms = (int64_t)control_u64(s, 17);
    u->welcome = (int64_t)control_u64(s, 18);
    u->has_password = control_u64(s, 19) != 0;
    return code;
}

int users_get(struct control *c, const char *id, struct user *ret_user) {
    control_lock(c);
    sqlite3_stmt *s = control_prepare(c, "SELECT " USER_COLUMNS " FROM users WHERE id = ?1", NULL);
    int code = s ? 0 : -EINVAL;
    if (s) {
        control_bind_text(s, 1, id);
        code = control_step(s);
        code = code == 0 ? -ENOENT : code < 0 ? code : user_read(s, ret_user);
        if (code < 0 && code != -ENOENT) {
            user_done(ret_user);
        }
        (void)sqlite3_reset(s);
    }
    control_unlock(c);
    return code;
}

int users_list(struct control *c, bool (*each)(void *ctx, const struct user *u), void *ctx) {
    control_lock(c);
    sqlite3_stmt *s = control_prepare(c, "SELECT " USER_COLUMNS " FROM users ORDER BY id", NULL);
    int code = s ? control_step(s) : -EINVAL;
    for (bool going = true; code == 1 && going;) {
        struct user u;
        code = user_read(s, &u);
        going = code == 0 && each(ctx, &u);
        user_done(&u);
        code = code < 0 || !going ? code : control_step(s);
    }
    if (s) {
        (void)sqlite3_reset(s);
    }
    control_unlock(c);
    return code;
}

int64_t users_count(struct control *c) {
    control_lock(c);
    sqlite3_stmt *s = control_prepare(c, "SELECT count(*) FROM users WHERE id NOT LIKE 'role:%'", NULL);
    int64_t n = s ? control_step(s) : -EINVAL;
    n = n == 1 ? (int64_t)control_u64(s, 0) : -EIO;
    if (s) {
        (void)sqlite3_reset(s);
    }
    control_unlock(c);
    return n;
}

static int number_set(struct control *c, const char *sql, const char *id, int64_t number) {
    control_lock(c);
    sqlite3_stmt *s = control_prepare(c, sql, NULL);
    int code = s ? 0 : -EINVAL;
    if (s) {
        control_bind_text(s, 1, id);
        control_bind_u64(s, 2, (uint64_t)number);
        code = control_step(s);
    }
    control_unlock(c);
    return code;
}

void users_touch(struct control *c, const char *id, int64_t ms) {
    (void)number_set(c, "UPDATE users SET last_used = ?2 WHERE id = ?1", id, ms);
}

int users_set_welcome(struct control *c, const char *id, int64_t number) {
    return number_set(c, "UPDATE users SET welcome = ?2 WHERE id = ?1", id, number);
}

int users_digest(struct control *c, const struct user_keys *keys, const char *id, enum digest_hash hash,
                 char ret[HASH_TEXT]) {
    struct buf text;
    char bound[512];
    buf_init(&text, 4096);
    (void)snprintf(bound, sizeof(bound), "%.64s:%.300s", id, keys->realm);
    control_lock(c);
    sqlite3_stmt *s = control_prepare(c, "SELECT password FROM users WHERE id = ?1 AND length(password) > 0", NULL);
    int code = s ? 0 : -EINVAL;
    if (s) {
        control_bind_text(s, 1, id);
        code = control_step(s);
        if (code == 1) {
            struct span sealed = span_make(sqlite3_column_blob(s, 0), (size_t)sqlite3_column_bytes(s, 0));
            code = secret_open(keys->secret, "password", span_text(bound), sealed, &text);
        } else {
            /* Who is not there takes the same work. */
            static const uint8_t nobody[NOBODY_BYTES];
            (void)secret_open(keys->secret, "password", span_text(bound), span_make(nobody, sizeof(nobody)), &text);
            code = code < 0 ? code : -ENOENT;
        }
        (void)sqlite3_reset(s);
    }
    control_unlock(c);
    size_t colon = span_find_byte(buf_span(&text), 0, ':');
    if (code == 0 && (colon != 32 || text.len != 32 + 1 + 64)) {
        code = -EBADMSG;
    }
    if (code == 0) {
        struct span part = hash == HASH_MD5 ? span_sub(buf_span(&text), 0, 32) : span_from(buf_span(&text), 33);
        *span_copy_to(part, (uint8_t *)ret) = 0;
    }
    if (text.data) {
        OPENSSL_cleanse(text.data, text.cap);
    }
    buf_done(&text);
    return code;
}
