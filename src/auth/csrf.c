/* csrf.c: see csrf.h. */
#include "auth/csrf.h"

#include <stdio.h>
#include <string.h>

#define SIGNATURE_TEXT 44

static void signature(const struct secret *s, const char *user, struct span time, char ret[SIGNATURE_TEXT]) {
    struct buf text;
    uint8_t bytes[SIGNATURE_BYTES];
    buf_init(&text, 4096);
    buf_add_span(&text, time);
    buf_add_byte(&text, '.');
    buf_add_text(&text, user);
    secret_sign(s, "csrf", buf_span(&text), bytes);
    buf_done(&text);
    base64url_write(bytes, sizeof(bytes), ret);
}

void csrf_make(const struct secret *s, const char *user, int64_t now_ms, char ret[CSRF_TOKEN_MAX]) {
    char signed_text[SIGNATURE_TEXT], time[24];
    (void)snprintf(time, sizeof(time), "%lld", (long long)now_ms);
    signature(s, user, span_text(time), signed_text);
    (void)snprintf(ret, CSRF_TOKEN_MAX, "%s.%s", time, signed_text);
}

enum csrf_verdict csrf_check(const struct secret *s, const char *user, int64_t now_ms, const char *token) {
    char wanted[SIGNATURE_TEXT];
    uint64_t made;
    if (!token || !*token) {
        return CSRF_MISSING;
    }
    struct span text = span_text(token);
    size_t dot = span_find_byte(text, 0, '.');
    struct span time = span_sub(text, 0, dot == SPAN_NONE ? 0 : dot);
    if (!span_decimal(time, INT64_MAX / 2, &made)) {
        return CSRF_OLD;
    }
    signature(s, user, time, wanted);
    if (!secret_equal(span_from(text, dot + 1), span_text(wanted))) {
        return CSRF_OLD;
    }
    int64_t age = now_ms - (int64_t)made;
    return age > CSRF_VALID_MS || age < -60000 ? CSRF_OLD : CSRF_GOOD;
}
