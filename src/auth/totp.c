/* totp.c: see totp.h. */
#include "auth/totp.h"

#include <errno.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <stdio.h>

#include "base/util.h"

void totp_code(const uint8_t secret[TOTP_SECRET_BYTES], uint64_t step, char ret[TOTP_DIGITS + 1]) {
    uint8_t counter[8], hash[EVP_MAX_MD_SIZE] = {0};
    unsigned len = 0;
    for (int i = 0; i < 8; i++) {
        counter[i] = (uint8_t)(step >> (56 - 8 * i));
    }
    (void)HMAC(EVP_sha1(), secret, TOTP_SECRET_BYTES, counter, sizeof(counter), hash, &len);
    uint32_t number = read_be32(hash + (hash[19] & 15)) & 0x7fffffff;
    (void)snprintf(ret, TOTP_DIGITS + 1, "%06u", number % 1000000);
}

void totp_secret_text(const uint8_t secret[TOTP_SECRET_BYTES], char ret[TOTP_SECRET_TEXT]) {
    static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
    uint32_t held = 0;
    unsigned bits = 0;
    for (size_t i = 0; i < TOTP_SECRET_BYTES; i++) {
        held = (held << 8 | secret[i]) & 0xffff;
        for (bits += 8; bits >= 5; bits -= 5) {
            *ret++ = letters[held >> (bits - 5) & 31];
        }
    }
    *ret = 0;
}

/* --- the row; under control_lock --- */

struct held {
    enum totp_state state;
    uint8_t secret[TOTP_SECRET_BYTES];
    uint64_t step, tries;
    int64_t since_ms;
};

static int secret_read(const struct user_keys *keys, const char *id, struct span sealed,
                       uint8_t ret[TOTP_SECRET_BYTES]) {
    struct buf plain;
    buf_init(&plain, 256);
    int code = secret_open(keys->secret, "totp", span_text(id), sealed, &plain);
    code = code == 0 && plain.len != TOTP_SECRET_BYTES ? -EBADMSG : code;
    if (code == 0) {
        (void)span_copy_to(buf_span(&plain), ret);
    }
    if (plain.data) {
        OPENSSL_cleanse(plain.data, plain.cap);
    }
    buf_done(&plain);
    return code;
}

/* `keys` NULL: without the secret. */
static int row_read(struct control *c, const struct user_keys *keys, const char *id, struct held *ret) {
    sqlite3_stmt *s =
        control_prepare(c, "SELECT totp_state, totp, totp_step, totp_tries, totp_since FROM users WHERE id = ?1", NULL);
    if (!s) {
        return -EINVAL;
    }
    control_bind_text(s, 1, id);
    int code = control_step(s);
    if (code == 1) {
        ret->state = (enum totp_state)control_u64(s, 0);
        ret->step = control_u64(s, 2);
        ret->tries = control_u64(s, 3);
        ret->since_ms = (int64_t)control_u64(s, 4);
        struct span sealed = span_make(sqlite3_column_blob(s, 1), (size_t)sqlite3_column_bytes(s, 1));
        code = keys && ret->state != TOTP_NONE ? secret_read(keys, id, sealed, ret->secret) : 0;
    } else {
        code = code < 0 ? code : -ENOENT;
    }
    (void)sqlite3_reset(s);
    return code;
}

static int row_write(struct control *c, const char *id, const struct held *h) {
    sqlite3_stmt *s = control_prepare(
        c, "UPDATE users SET totp_state = ?2, totp_step = ?3, totp_tries = ?4, totp_since = ?5 WHERE id = ?1", NULL);
    if (!s) {
        return -EINVAL;
    }
    control_bind_text(s, 1, id);
    control_bind_u64(s, 2, (uint64_t)h->state);
    control_bind_u64(s, 3, h->step);
    control_bind_u64(s, 4, h->tries);
    control_bind_u64(s, 5, (uint64_t)h->since_ms);
    return control_step(s);
}

/* NULL, or what stands in the row from now on; state and steps begin anew. */
static int secret_write(struct control *c, const char *id, const struct buf *sealed) {
    sqlite3_stmt *s =
        control_prepare(c, "UPDATE users SET totp = ?2, totp_state = ?3, totp_step = 0 WHERE id = ?1", NULL);
    if (!s) {
        return -EINVAL;
    }
    control_bind_text(s, 1, id);
    if (sealed) {
        (void)sqlite3_bind_blob64(s, 2, sealed->data, sealed->len, SQLITE_TRANSIENT);
    } else {
        control_bind(s, 2, (struct span){0});
    }
    control_bind_u64(s, 3, sealed ? TOTP_PENDING : TOTP_NONE);
    int code = control_step(s);
    return code == 0 && sqlite3_changes(sqlite3_db_handle(s)) == 0 ? -ENOENT : code;
}

/* --- what is offered --- */

int totp_state(struct control *c, const char *id) {
    struct held h = {0};
    control_lock(c);
    int code = row_read(c, NULL, id, &h);
    control_unlock(c);
    return code < 0 ? code : (int)h.state;
}

int totp_set_up(struct control *c, const struct user_keys *keys, const char *id, char ret[TOTP_SECRET_TEXT]) {
    uint8_t secret[TOTP_SECRET_BYTES];
    struct held h = {0};
    struct buf sealed;
    buf_init(&sealed, 256);
    int code = random_fill(secret, sizeof(secret));
    code =
        code < 0 ? code : secret_seal(keys->secret, "totp", span_text(id), span_make(secret, sizeof(secret)), &sealed);
    if (code == 0) {
        control_lock(c);
        code = control_begin(c);
        if (code == 0) {
            code = row_read(c, NULL, id, &h);
            code = code == 0 && h.state == TOTP_ON ? -EEXIST : code;
            code = code < 0 ? code : secret_write(c, id, &sealed);
            int ended = control_end(c, code == 0);
            code = code < 0 ? code : ended;
        }
        control_unlock(c);
    }
    if (code == 0) {
        totp_secret_text(secret, ret);
    }
    OPENSSL_cleanse(secret, sizeof(secret));
    buf_done(&sealed);
    return code;
}

/* The step whose code it is, of those that did not count yet; 0: none. All are compared, always. */
static uint64_t step_of(const struct held *h, const char *code, int64_t now_ms) {
    uint64_t now = (uint64_t)(now_ms / 1000 / TOTP_STEP_S), found = 0;
    for (uint64_t step = now - 1; step <= now + 1; step++) {
        char wanted[TOTP_DIGITS + 1];
        totp_code(h->secret, step, wanted);
        bool same = secret_equal(span_text(wanted), span_text(code));
        found = same && step > h->step ? step : found;
    }
    return found;
}

static int try_take(struct held *h, enum totp_state wanted, const char *code, int64_t now_ms) {
    if (h->state != wanted) {
        return -ENOENT;
    }
    if (now_ms - h->since_ms >= TOTP_TRIES_MS || now_ms < h->since_ms) {
        h->since_ms = now_ms;
        h->tries = 0;
    }
    if (h->tries >= TOTP_TRIES) {
        return -EAGAIN;
    }
    h->tries++;
    uint64_t step = step_of(h, code, now_ms);
    if (!step) {
        return -EACCES;
    }
    h->step = step;
    h->state = TOTP_ON;
    return 0;
}

int totp_take(struct control *c, const struct user_keys *keys, const char *id, enum totp_state wanted, const char *code,
              int64_t now_ms) {
    struct held h = {0};
    control_lock(c);
    int result = control_begin(c);
    if (result == 0) {
        result = row_read(c, keys, id, &h);
        result = result < 0 ? result : try_take(&h, wanted, code, now_ms);
        /* A try that cannot be counted does not count as right. */
        bool tried = result == 0 || result == -EACCES;
        int written = tried ? row_write(c, id, &h) : 0;
        int ended = control_end(c, written == 0);
        result = written < 0 ? written : tried && ended < 0 ? ended : result;
    }
    control_unlock(c);
    OPENSSL_cleanse(&h, sizeof(h));
    return result;
}

int totp_remove(struct control *c, const char *id) {
    control_lock(c);
    int code = secret_write(c, id, NULL);
    control_unlock(c);
    return code;
}
