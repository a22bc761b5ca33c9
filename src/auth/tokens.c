/* tokens.c: what stands beside users: their documents, API tokens, logins of browsers. Secrets are stored as SHA-256:
 * they are random, so nothing slower is needed.
 */
#include <errno.h>
#include <openssl/sha.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "auth/users.h"
#include "base/util.h"

/* --- documents --- */

static sqlite3_stmt *document_statement(struct control *c, const char *sql, const char *user, const char *kind,
                                        const char *name) {
    sqlite3_stmt *s = control_prepare(c, sql, NULL);
    if (s) {
        control_bind_text(s, 1, user);
        control_bind_text(s, 2, kind);
        if (name) {
            control_bind_text(s, 3, name);
        }
    }
    return s;
}

int user_document_get(struct control *c, const char *user, const char *kind, const char *name, struct buf *ret) {
    control_lock(c);
    sqlite3_stmt *s = document_statement(
        c, "SELECT json FROM user_documents WHERE user = ?1 AND kind = ?2 AND name = ?3", user, kind, name);
    int code = s ? control_step(s) : -EINVAL;
    if (code == 1) {
        buf_add_span(ret, control_text(s, 0));
    }
    if (s) {
        (void)sqlite3_reset(s);
    }
    control_unlock(c);
    return code == 1 ? 0 : code == 0 ? -ENOENT : code;
}

static int64_t document_count(struct control *c, const char *user) {
    sqlite3_stmt *s = control_prepare(c, "SELECT count(*) FROM user_documents WHERE user = ?1", NULL);
    if (!s) {
        return -EINVAL;
    }
    control_bind_text(s, 1, user);
    int64_t n = control_step(s) == 1 ? (int64_t)control_u64(s, 0) : -EIO;
    (void)sqlite3_reset(s);
    return n;
}

int user_document_set(struct control *c, const char *user, const char *kind, const char *name, struct span json) {
    if (json.len > USER_DOCUMENT_MAX) {
        return -E2BIG;
    }
    control_lock(c);
    int64_t count = document_count(c, user);
    int code = count < 0 ? (int)count : count >= USER_DOCUMENTS_MAX ? -E2BIG : 0;
    sqlite3_stmt *s = code < 0
                          ? NULL
                          : document_statement(c,
                                               "INSERT INTO user_documents (user, kind, name, json) VALUES (?1, ?2,"
                                               " ?3, ?4) ON CONFLICT (user, kind, name) DO UPDATE SET json = ?4",
                                               user, kind, name);
    if (s) {
        control_bind(s, 4, json);
        code = control_step(s);
    }
    control_unlock(c);
    return s || code < 0 ? code : -EINVAL;
}

int user_document_remove(struct control *c, const char *user, const char *kind, const char *name) {
    control_lock(c);
    sqlite3_stmt *s = document_statement(c, "DELETE FROM user_documents WHERE user = ?1 AND kind = ?2 AND name = ?3",
                                         user, kind, name);
    int code = s ? control_step(s) : -EINVAL;
    if (code == 0 && sqlite3_changes(sqlite3_db_handle(s)) == 0) {
        code = -ENOENT;
    }
    control_unlock(c);
    return code;
}

int user_documents(struct control *c, const char *user, const char *kind,
                   bool (*each)(void *ctx, const char *name, struct span json), void *ctx) {
    control_lock(c);
    sqlite3_stmt *s = document_statement(
        c, "SELECT name, json FROM user_documents WHERE user = ?1 AND kind = ?2 ORDER BY number", user, kind, NULL);
    int code = s ? control_step(s) : -EINVAL;
    for (bool going = true; code == 1 && going;) {
        going = each(ctx, (const char *)sqlite3_column_text(s, 0), control_text(s, 1));
        code = going ? control_step(s) : 0;
    }
    if (s) {
        (void)sqlite3_reset(s);
    }
    control_unlock(c);
    return code;
}

/* --- tokens --- */

static void hash_bind(sqlite3_stmt *s, int index, const char *text) {
    uint8_t hash[SHA256_DIGEST_LENGTH];
    (void)SHA256((const uint8_t *)text, strlen(text), hash);
    (void)sqlite3_bind_blob(s, index, hash, sizeof(hash), SQLITE_TRANSIENT);
}

static int64_t token_count(struct control *c, const char *user) {
    sqlite3_stmt *s = control_prepare(c, "SELECT count(*) FROM tokens WHERE user = ?1", NULL);
    if (!s) {
        return -EINVAL;
    }
    control_bind_text(s, 1, user);
    int64_t n = control_step(s) == 1 ? (int64_t)control_u64(s, 0) : -EIO;
    (void)sqlite3_reset(s);
    return n;
}

static int64_t now_ms(void) {
    struct timespec now;
    (void)clock_gettime(CLOCK_REALTIME, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static int token_insert(struct control *c, const struct token *wanted, const char *text, const char *id,
                        struct err *ret_err) {
    sqlite3_stmt *s = control_prepare(c,
                                      "INSERT INTO tokens (id, user, name, hash, rights, created, expires, last_used)"
                                      " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, 0)",
                                      ret_err);
    if (!s) {
        return -EINVAL;
    }
    control_bind_text(s, 1, id);
    control_bind_text(s, 2, wanted->user);
    control_bind_text(s, 3, wanted->name);
    hash_bind(s, 4, text);
    control_bind_u64(s, 5, wanted->rights);
    control_bind_u64(s, 6, (uint64_t)now_ms());
    control_bind_u64(s, 7, (uint64_t)wanted->expires_ms);
    return control_step(s);
}

int tokens_create(struct control *c, const struct token *wanted, char ret_text[TOKEN_TEXT], char ret_id[TOKEN_ID],
                  struct err *ret_err) {
    char word[TOKEN_TEXT - sizeof(TOKEN_PREFIX)];
    int code = random_word(32, word, sizeof(word));
    code = code < 0 ? code : random_word(9, ret_id, TOKEN_ID);
    if (code < 0) {
        return err_set(ret_err, code, "no random bytes: %s", strerror(-code));
    }
    (void)snprintf(ret_text, TOKEN_TEXT, TOKEN_PREFIX "%s", word);
    control_lock(c);
    int64_t count = token_count(c, wanted->user);
    code = count < 0 ? (int)count : count >= TOKENS_MAX ? -E2BIG : token_insert(c, wanted, ret_text, ret_id, ret_err);
    control_unlock(c);
    if (code < 0) {
        err_set(ret_err, code, code == -E2BIG ? "This user has %d tokens already" : "The token could not be stored",
                TOKENS_MAX);
    }
    return code;
}

int tokens_revoke(struct control *c, const char *user, const char *id, struct err *ret_err) {
    control_lock(c);
    sqlite3_stmt *s = control_prepare(c, "DELETE FROM tokens WHERE id = ?1 AND (?2 IS NULL OR user = ?2)", ret_err);
    int code = s ? 0 : -EINVAL;
    if (s) {
        control_bind_text(s, 1, id);
        control_bind(s, 2, user ? span_text(user) : (struct span){0});
        code = control_step(s);
        if (code == 0 && sqlite3_changes(sqlite3_db_handle(s)) == 0) {
            code = err_set(ret_err, -ENOENT, "Token not found");
        }
    }
    control_unlock(c);
    return code;
}

int tokens_list(struct control *c, const char *user, bool (*each)(void *ctx, const struct token *t), void *ctx) {
    control_lock(c);
    sqlite3_stmt *s = control_prepare(c,
                                      "SELECT id, user, name, rights, created, expires, last_used FROM tokens"
                                      " WHERE ?1 IS NULL OR user = ?1 ORDER BY created",
                                      NULL);
    int code = -EINVAL;
    if (s) {
        control_bind(s, 1, user ? span_text(user) : (struct span){0});
        code = control_step(s);
    }
    for (bool going = true; code == 1 && going;) {
        struct token t = {
            .user = (const char *)sqlite3_column_text(s, 1),
            .name = (const char *)sqlite3_column_text(s, 2),
            .rights = (uint32_t)control_u64(s, 3),
            .created_ms = (int64_t)control_u64(s, 4),
            .expires_ms = (int64_t)control_u64(s, 5),
            .last_used_ms = (int64_t)control_u64(s, 6),
        };
        (void)snprintf(t.id, sizeof(t.id), "%s", (const char *)sqlite3_column_text(s, 0));
        going = each(ctx, &t);
        code = going ? control_step(s) : 0;
    }
    if (s) {
        (void)sqlite3_reset(s);
    }
    control_unlock(c);
    return code;
}

/* When it was used is written once a minute, so that reading does not cost a transaction each. */
static void token_used(struct control *c, const char *text, int64_t now) {
    sqlite3_stmt *s = control_prepare(c, "UPDATE tokens SET last_used = ?2 WHERE hash = ?1", NULL);
    if (s) {
        hash_bind(s, 1, text);
        control_bind_u64(s, 2, (uint64_t)now);
        (void)control_step(s);
    }
}

int tokens_find(struct control *c, const char *text, int64_t now, char ret_user[USER_ID_MAX + 1],
                uint32_t *ret_rights) {
    if (strncmp(text, TOKEN_PREFIX, sizeof(TOKEN_PREFIX) - 1) != 0) {
        return -ENOENT;
    }
    control_lock(c);
    sqlite3_stmt *s = control_prepare(
        c, "SELECT user, rights, last_used FROM tokens WHERE hash = ?1 AND (expires = 0 OR expires > ?2)", NULL);
    int code = s ? 0 : -EINVAL;
    bool stamp = false;
    if (s) {
        hash_bind(s, 1, text);
        control_bind_u64(s, 2, (uint64_t)now);
        code = control_step(s);
        if (code == 1) {
            (void)snprintf(ret_user, USER_ID_MAX + 1, "%s", (const char *)sqlite3_column_text(s, 0));
            *ret_rights = (uint32_t)control_u64(s, 1);
            stamp = now - (int64_t)control_u64(s, 2) > 60000;
        }
        (void)sqlite3_reset(s);
    }
    if (stamp) {
        token_used(c, text, now);
    }
    control_unlock(c);
    return code == 1 ? 0 : code == 0 ? -ENOENT : code;
}

/* --- logins --- */

/* Those that ended go, and the oldest beyond the ceiling. */
static int web_sessions_trim(struct control *c, int64_t now) {
    sqlite3_stmt *s = control_prepare(c,
                                      "DELETE FROM web_sessions WHERE expires <= ?1 OR hash IN (SELECT hash FROM"
                                      " web_sessions ORDER BY created DESC LIMIT -1 OFFSET ?2)",
                                      NULL);
    if (!s) {
        return -EINVAL;
    }
    control_bind_u64(s, 1, (uint64_t)now);
    control_bind_u64(s, 2, WEB_SESSIONS_MAX - 1);
    return control_step(s);
}

int web_session_new(struct control *c, const char *user, int64_t now, int64_t valid_ms, char ret[WEB_SESSION_TEXT]) {
    int code = random_word(32, ret, WEB_SESSION_TEXT);
    if (code < 0) {
        return code;
    }
    control_lock(c);
    code = web_sessions_trim(c, now);
    sqlite3_stmt *s = code < 0 ? NULL
                               : control_prepare(c,
                                                 "INSERT INTO web_sessions (hash, user, created, expires)"
                                                 " VALUES (?1, ?2, ?3, ?4)",
                                                 NULL);
    if (s) {
        hash_bind(s, 1, ret);
        control_bind_text(s, 2, user);
        control_bind_u64(s, 3, (uint64_t)now);
        control_bind_u64(s, 4, (uint64_t)(now + valid_ms));
        code = control_step(s);
    }
    control_unlock(c);
    return s || code < 0 ? code : -EINVAL;
}

int web_session_find(struct control *c, const char *text, int64_t now, char ret_user[USER_ID_MAX + 1]) {
    control_lock(c);
    sqlite3_stmt *s = control_prepare(c, "SELECT user FROM web_sessions WHERE hash = ?1 AND expires > ?2", NULL);
    int code = s ? 0 : -EINVAL;
    if (s) {
        hash_bind(s, 1, text);
        control_bind_u64(s, 2, (uint64_t)now);
        code = control_step(s);
        if (code == 1) {
            (void)snprintf(ret_user, USER_ID_MAX + 1, "%s", (const char *)sqlite3_column_text(s, 0));
        }
        (void)sqlite3_reset(s);
    }
    control_unlock(c);
    return code == 1 ? 0 : code == 0 ? -ENOENT : code;
}

void web_session_end(struct control *c, const char *text) {
    control_lock(c);
    sqlite3_stmt *s = control_prepare(c, "DELETE FROM web_sessions WHERE hash = ?1", NULL);
    if (s) {
        hash_bind(s, 1, text);
        (void)control_step(s);
    }
    control_unlock(c);
}
