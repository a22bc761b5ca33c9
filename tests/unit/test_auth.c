/* test_auth.c: digests against the examples of RFC 7616, nonces and their counts, CSRF tokens, sealed values, users and
 * roles in a database in memory, tokens, failures.
 */
#include <errno.h>

#include "auth/auth.h"
#include "auth/csrf.h"
#include "auth/digest.h"
#include "auth/roles.h"
#include "auth/throttle.h"
#include "check.h"

/* --- Digest --- */

/* RFC 7616, 3.9.1. */
static void test_response(void **state) {
    static const struct {
        const char *algorithm, *response;
        enum digest_hash hash;
    } cases[] = {{"MD5", "8ca523f5e9506fed4657c9700eebdbec", HASH_MD5},
                 {"SHA-256", "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1", HASH_SHA256}};
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        char header[1024], secret[HASH_TEXT], response[HASH_TEXT];
        struct digest_parts p;
        (void)snprintf(header, sizeof(header),
                       "username=\"Mufasa\", realm=\"http-auth@example.org\", uri=\"/dir/index.html\", algorithm=%s, "
                       "nonce=\"7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v\", nc=00000001, "
                       "cnonce=\"f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ\", qop=auth, response=\"%s\"",
                       cases[i].algorithm, cases[i].response);
        assert_int_equal(digest_parse(span_text(header), &p), 0);
        password_digest(cases[i].hash, "Mufasa", "http-auth@example.org", "Circle of Life", secret);
        digest_response(&p, digest_algorithm(p.algorithm), secret, "GET", response);
        assert_string_equal(response, cases[i].response);
        assert_span(p.response, cases[i].response);
        digest_response(&p, digest_algorithm(p.algorithm), secret, "POST", response);
        assert_string_not_equal(response, cases[i].response);
    }
}

static void test_parse(void **state) {
    static const char *const bad[] = {"username",   "username=\"a",  "username=\"a\\\"b\"", "a=\"b\"c",
                                      "nc=1, nc=2", "uri=\"/\"nc=1", "x=\"\\\\\"",          "nonce=a\"b\""};
    struct digest_parts p;
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        assert_int_equal(digest_parse(span_text(bad[i]), &p), -EINVAL);
    }
    assert_int_equal(digest_parse(span_text(""), &p), 0);
    assert_int_equal(digest_parse(span_text(" ,, UserName = \"a, b=c\" ,\tnc=00000001,unknown=x,"), &p), 0);
    assert_span(p.username, "a, b=c");
    assert_span(p.nc, "00000001");
    assert_int_equal(digest_algorithm((struct span){0}), DIGEST_OF_MD5);
    assert_int_equal(digest_algorithm(span_text("sha-256-SESS")), DIGEST_OF_SHA256_SESS);
    assert_int_equal(digest_algorithm(span_text("SHA-512-256")), DIGEST_OF_OTHER);
}

static void test_nonce(void **state) {
    struct secret s, other;
    char nonce[NONCE_TEXT];
    int64_t now = 1700000000000;
    (void)state;
    assert_int_equal(secret_load(NULL, &s, NULL), 0);
    assert_int_equal(secret_load(NULL, &other, NULL), 0);
    assert_int_equal(nonce_make(&s, now, nonce), 0);
    assert_int_equal(nonce_check(&s, span_text(nonce), now), NONCE_GOOD);
    assert_int_equal(nonce_check(&s, span_text(nonce), now + NONCE_VALID_MS), NONCE_GOOD);
    assert_int_equal(nonce_check(&s, span_text(nonce), now + NONCE_VALID_MS + 1), NONCE_STALE);
    assert_int_equal(nonce_check(&s, span_text(nonce), now - 5000), NONCE_STALE);
    assert_int_equal(nonce_check(&other, span_text(nonce), now), NONCE_BAD);
    for (size_t i = 0; nonce[i]; i++) {
        char kept = nonce[i];
        nonce[i] = kept == 'A' ? 'Q' : 'A';
        assert_int_equal(nonce_check(&s, span_text(nonce), now), NONCE_BAD);
        nonce[i] = kept;
    }
    nonce[42] = 0;
    assert_int_equal(nonce_check(&s, span_text(nonce), now), NONCE_BAD);
    assert_int_equal(nonce_check(&s, span_text(""), now), NONCE_BAD);
}

static void test_counts(void **state) {
    struct secret s;
    char nonce[NONCE_TEXT];
    struct nonce_table *t = nonce_table_new();
    (void)state;
    assert_non_null(t);
    assert_int_equal(secret_load(NULL, &s, NULL), 0);
    assert_int_equal(nonce_make(&s, 1700000000000, nonce), 0);
    struct span n = span_text(nonce);
    assert_int_equal(nonce_use(t, n, span_text("00000001")), NONCE_GOOD);
    assert_int_equal(nonce_use(t, n, span_text("00000001")), NONCE_REPLAY);
    assert_int_equal(nonce_use(t, n, span_text("00000005")), NONCE_GOOD);
    assert_int_equal(nonce_use(t, n, span_text("00000003")), NONCE_GOOD);
    assert_int_equal(nonce_use(t, n, span_text("00000003")), NONCE_REPLAY);
    assert_int_equal(nonce_use(t, n, span_text("00000005")), NONCE_REPLAY);
    assert_int_equal(nonce_use(t, n, span_text("00000100")), NONCE_GOOD);
    assert_int_equal(nonce_use(t, n, span_text("000000C0")), NONCE_REPLAY); /* 64 behind: not known any more */
    assert_int_equal(nonce_use(t, n, span_text("000000c1")), NONCE_GOOD);
    static const char *const bad[] = {"", "0", "00000000", "0000000g", "000000001", "-0000001"};
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        assert_int_equal(nonce_use(t, n, span_text(bad[i])), NONCE_BAD);
    }
    nonce_table_free(t);
}

/* However many nonces come, one that was used is never taken for new. */
static void test_counts_ceiling(void **state) {
    struct secret s;
    enum { MANY = 20000 };
    char(*nonces)[NONCE_TEXT] = calloc(MANY, sizeof(*nonces));
    struct nonce_table *t = nonce_table_new();
    (void)state;
    assert_true(t && nonces);
    assert_int_equal(secret_load(NULL, &s, NULL), 0);
    size_t first = 0, second = 0;
    for (size_t i = 0; i < MANY; i++) {
        assert_int_equal(nonce_make(&s, 1700000000000 + (int64_t)i, nonces[i]), 0);
        first += nonce_use(t, span_text(nonces[i]), span_text("00000001")) == NONCE_GOOD;
    }
    for (size_t i = 0; i < MANY; i++) {
        second += nonce_use(t, span_text(nonces[i]), span_text("00000001")) == NONCE_GOOD;
    }
    assert_int_equal(first, MANY);
    assert_int_equal(second, 0);
    nonce_table_free(t);
    free(nonces);
}

/* --- secrets --- */

static void test_csrf(void **state) {
    struct secret s;
    char token[CSRF_TOKEN_MAX];
    int64_t now = 1700000000000;
    (void)state;
    assert_int_equal(secret_load(NULL, &s, NULL), 0);
    csrf_make(&s, "anna", now, token);
    assert_int_equal(csrf_check(&s, "anna", now, token), CSRF_GOOD);
    assert_int_equal(csrf_check(&s, "anna", now + CSRF_VALID_MS, token), CSRF_GOOD);
    assert_int_equal(csrf_check(&s, "anna", now + CSRF_VALID_MS + 1, token), CSRF_OLD);
    assert_int_equal(csrf_check(&s, "bob", now, token), CSRF_OLD);
    assert_int_equal(csrf_check(&s, "anna", now, NULL), CSRF_MISSING);
    assert_int_equal(csrf_check(&s, "anna", now, ""), CSRF_MISSING);
    assert_int_equal(csrf_check(&s, "anna", now, "1700000000000."), CSRF_OLD);
    assert_int_equal(csrf_check(&s, "anna", now, "x"), CSRF_OLD);
    token[0] = '2';
    assert_int_equal(csrf_check(&s, "anna", now, token), CSRF_OLD);
}

static void test_seal(void **state) {
    struct secret s;
    struct buf sealed, text;
    (void)state;
    assert_int_equal(secret_load(NULL, &s, NULL), 0);
    buf_init(&sealed, 4096);
    buf_init(&text, 4096);
    assert_int_equal(secret_seal(&s, "p", span_text("anna"), span_text("hidden"), &sealed), 0);
    assert_int_equal(span_find(buf_span(&sealed), span_text("hidden")), SPAN_NONE);
    assert_int_equal(secret_open(&s, "p", span_text("anna"), buf_span(&sealed), &text), 0);
    assert_span(buf_span(&text), "hidden");
    assert_int_equal(secret_open(&s, "q", span_text("anna"), buf_span(&sealed), &text), -EBADMSG);
    assert_int_equal(secret_open(&s, "p", span_text("bob"), buf_span(&sealed), &text), -EBADMSG);
    for (size_t i = 0; i < sealed.len; i++) {
        sealed.data[i] ^= 1;
        assert_int_equal(secret_open(&s, "p", span_text("anna"), buf_span(&sealed), &text), -EBADMSG);
        sealed.data[i] ^= 1;
        assert_int_equal(secret_open(&s, "p", span_text("anna"), span_sub(buf_span(&sealed), 0, i), &text), -EBADMSG);
    }
    assert_true(secret_equal(span_text("a"), span_text("a")));
    assert_false(secret_equal(span_text("a"), span_text("ab")));
    assert_false(secret_equal(span_text("a"), span_text("b")));
    buf_done(&sealed);
    buf_done(&text);
}

static void test_base64url(void **state) {
    char text[16];
    (void)state;
    base64url_write((const uint8_t *)"\xff\xef\xbe", 3, text);
    assert_string_equal(text, "_---");
    base64url_write((const uint8_t *)"f", 1, text);
    assert_string_equal(text, "Zg");
    base64url_write((const uint8_t *)"fo", 2, text);
    assert_string_equal(text, "Zm8");
}

/* --- users --- */

struct base {
    struct control *control;
    struct secret secret;
    struct user_keys keys;
};

static void base_open(struct base *b) {
    assert_int_equal(control_open(NULL, &b->control, NULL), 0);
    assert_int_equal(users_prepare(b->control, NULL), 0);
    assert_int_equal(users_prepare(b->control, NULL), 0);
    assert_int_equal(secret_load(NULL, &b->secret, NULL), 0);
    b->keys = (struct user_keys){&b->secret, "realm"};
}

static void user_put(struct base *b, const char *id, const char *roles, enum user_flag flag, enum tri value) {
    struct user u;
    user_init(&u);
    (void)snprintf(u.id, sizeof(u.id), "%s", id);
    (void)snprintf(u.name, sizeof(u.name), "%s", id);
    u.flags[flag] = (signed char)value;
    struct span rest = span_text(roles);
    while (rest.len) {
        size_t end = span_find_byte(rest, 0, ' ');
        assert_int_equal(texts_add(&u.roles, end == SPAN_NONE ? rest : span_sub(rest, 0, end)), 0);
        rest = end == SPAN_NONE ? (struct span){0} : span_from(rest, end + 1);
    }
    assert_int_equal(users_add(b->control, &b->keys, &u, "geheim", NULL), 0);
    user_done(&u);
}

static void user_limit(struct base *b, const char *id, const char *expression, int64_t hours) {
    struct user u;
    assert_int_equal(users_get(b->control, id, &u), 0);
    free(u.expression);
    u.expression = strdup(expression);
    u.time_limit = hours;
    assert_int_equal(users_update(b->control, &u, NULL), 0);
    user_done(&u);
}

static struct standing standing_of(struct base *b, const char *id) {
    struct user u;
    struct standing s;
    assert_int_equal(users_get(b->control, id, &u), 0);
    assert_int_equal(standing_make(b->control, &u, &s), 0);
    user_done(&u);
    return s;
}

static void test_users(void **state) {
    struct base b;
    struct user u;
    struct err e = {0};
    char digest[HASH_TEXT], wanted[HASH_TEXT];
    (void)state;
    base_open(&b);
    user_put(&b, "anna", "arkimeUser role:x", FLAG_EMAIL, TRI_NO);
    assert_int_equal(users_count(b.control), 1);
    assert_int_equal(users_get(b.control, "anna", &u), 0);
    assert_string_equal(u.name, "anna");
    assert_true(u.enabled && u.has_password);
    assert_int_equal(u.flags[FLAG_EMAIL], TRI_NO);
    assert_int_equal(u.flags[FLAG_WEB], TRI_UNSET);
    assert_int_equal(u.time_limit, -1);
    assert_int_equal(u.roles.count, 2);
    assert_string_equal(u.roles.items[1], "role:x");
    assert_int_equal(users_add(b.control, &b.keys, &u, "geheim", &e), -EEXIST);
    assert_string_equal(e.text, "User already exists");
    user_done(&u);
    assert_int_equal(users_digest(b.control, &b.keys, "anna", HASH_SHA256, digest), 0);
    password_digest(HASH_SHA256, "anna", "realm", "geheim", wanted);
    assert_string_equal(digest, wanted);
    assert_int_equal(users_set_password(b.control, &b.keys, "anna", "ab", &e), -EINVAL);
    assert_int_equal(users_set_password(b.control, &b.keys, "anna", "anders", &e), 0);
    assert_int_equal(users_digest(b.control, &b.keys, "anna", HASH_MD5, digest), 0);
    password_digest(HASH_MD5, "anna", "realm", "anders", wanted);
    assert_string_equal(digest, wanted);
    struct user_keys elsewhere = {&b.secret, "other realm"};
    assert_int_equal(users_digest(b.control, &elsewhere, "anna", HASH_MD5, digest), -EBADMSG);
    assert_int_equal(users_digest(b.control, &b.keys, "bob", HASH_MD5, digest), -ENOENT);
    assert_int_equal(users_set_password(b.control, &b.keys, "bob", "anders", &e), -ENOENT);
    assert_int_equal(users_remove(b.control, "bob", &e), -ENOENT);
    assert_int_equal(users_remove(b.control, "anna", &e), 0);
    assert_int_equal(users_get(b.control, "anna", &u), -ENOENT);
    control_close(b.control);
}

static void test_user_ids(void **state) {
    static const char *const bad[] = {"", "a b", "role:", "a/b", "a:b", "\xc3\xa4", "a\n", "role:a:b"};
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        assert_false(user_id_valid(bad[i]));
    }
    assert_true(user_id_valid("a.b-c_d@e") && user_id_valid("role:a-b"));
    char longest[USER_ID_MAX + 2];
    memset(longest, 'a', sizeof(longest));
    longest[USER_ID_MAX + 1] = 0;
    assert_false(user_id_valid(longest));
    longest[USER_ID_MAX] = 0;
    assert_true(user_id_valid(longest));
}

/* Own flags win; without them any direct role gives one; expressions and limits come from all roles. */
static void test_standing(void **state) {
    struct base b;
    (void)state;
    base_open(&b);
    user_put(&b, "role:inner", "arkimeUser", FLAG_HUNT, TRI_YES);
    user_put(&b, "role:outer", "role:inner", FLAG_HIDE_PCAP, TRI_YES);
    user_put(&b, "plain", "role:outer", FLAG_EMAIL, TRI_YES);
    user_put(&b, "own", "role:outer", FLAG_HIDE_PCAP, TRI_NO);
    user_put(&b, "admin", "arkimeAdmin", FLAG_EMAIL, TRI_UNSET);
    user_put(&b, "super", "superAdmin", FLAG_EMAIL, TRI_UNSET);
    user_put(&b, "none", "", FLAG_EMAIL, TRI_UNSET);
    user_limit(&b, "role:inner", "port == 80", 48);
    user_limit(&b, "role:outer", "", 0);
    user_limit(&b, "plain", "ip == 10.0.0.0/8 || vlan == 3", 72);
    struct standing s = standing_of(&b, "plain");
    assert_true(s.rights & RIGHT_ANY && s.rights & RIGHT_EMAIL && s.rights & RIGHT_PCAP);
    assert_false(s.rights & (RIGHT_PAYLOAD | RIGHT_HUNT | RIGHT_USERS | RIGHT_ADMIN | RIGHT_WEB));
    assert_string_equal(s.expression, "(ip == 10.0.0.0/8 || vlan == 3) && (port == 80)");
    assert_true(s.time_limit == 48);
    assert_true(texts_hold(&s.roles, "role:inner"));
    standing_done(&s);
    s = standing_of(&b, "own");
    assert_true(s.rights & RIGHT_PAYLOAD);
    standing_done(&s);
    s = standing_of(&b, "admin");
    assert_true(s.rights & RIGHT_ADMIN && s.rights & RIGHT_ANY && !(s.rights & RIGHT_USERS));
    assert_string_equal(s.expression, "");
    standing_done(&s);
    s = standing_of(&b, "super");
    assert_int_equal(s.rights & (RIGHT_ADMIN | RIGHT_USERS | RIGHT_SUPER | RIGHT_ANY),
                     RIGHT_ADMIN | RIGHT_USERS | RIGHT_SUPER | RIGHT_ANY);
    standing_done(&s);
    s = standing_of(&b, "none");
    assert_false(s.rights & RIGHT_ANY);
    standing_done(&s);
    control_close(b.control);
}

static void test_role_loops(void **state) {
    struct base b;
    struct texts roles = {0};
    struct user u;
    (void)state;
    base_open(&b);
    user_put(&b, "role:a", "role:b", FLAG_HUNT, TRI_YES);
    user_put(&b, "role:b", "role:c", FLAG_HUNT, TRI_YES);
    user_put(&b, "role:c", "", FLAG_HUNT, TRI_YES);
    assert_int_equal(texts_add(&roles, span_text("role:a")), 0);
    assert_true(roles_would_loop(b.control, "role:c", &roles));
    assert_false(roles_would_loop(b.control, "role:d", &roles));
    /* A loop that stands in the database anyway ends. */
    assert_int_equal(users_get(b.control, "role:c", &u), 0);
    assert_int_equal(texts_add(&u.roles, span_text("role:a")), 0);
    assert_int_equal(users_update(b.control, &u, NULL), 0);
    user_done(&u);
    user_put(&b, "anna", "role:a", FLAG_WEB, TRI_YES);
    struct standing s = standing_of(&b, "anna");
    assert_int_equal(s.roles.count, 3);
    standing_done(&s);
    texts_done(&roles);
    control_close(b.control);
}

/* A forced expression is never cut: who has too much of it gets nothing. */
static void test_expression_ceiling(void **state) {
    struct base b;
    struct user u;
    struct standing s;
    char *text = malloc(9000);
    (void)state;
    assert_non_null(text);
    memset(text, 'x', 8999);
    text[8999] = 0;
    base_open(&b);
    user_put(&b, "role:a", "", FLAG_WEB, TRI_YES);
    user_put(&b, "anna", "role:a", FLAG_WEB, TRI_YES);
    user_limit(&b, "role:a", text, -1);
    user_limit(&b, "anna", text, -1);
    assert_int_equal(users_get(b.control, "anna", &u), 0);
    assert_int_equal(standing_make(b.control, &u, &s), -E2BIG);
    user_done(&u);
    free(text);
    control_close(b.control);
}

static void test_mode(void **state) {
    struct base b;
    struct auth *a;
    struct err e = {0};
    struct auth_settings settings = {.mode = AUTH_AUTO, .realm = "realm", .user_header = "", .required_header = ""};
    (void)state;
    base_open(&b);
    struct auth_options options = {.settings = &settings, .control = b.control, .secret = &b.secret, .base_path = ""};
    assert_int_equal(auth_new(&options, &a, &e), 0);
    assert_int_equal(auth_mode(a), AUTH_ANONYMOUS);
    assert_int_equal(auth_may_listen(a, "127.0.0.1", &e), 0);
    assert_int_equal(auth_may_listen(a, "::1", &e), 0);
    assert_int_equal(auth_may_listen(a, "0.0.0.0", &e), -EPERM);
    user_put(&b, "anna", "arkimeUser", FLAG_WEB, TRI_YES);
    auth_forget(a);
    assert_int_equal(auth_mode(a), AUTH_DIGEST);
    assert_int_equal(auth_may_listen(a, "0.0.0.0", &e), 0);
    /* The last user goes: the door stays shut. */
    assert_int_equal(users_remove(b.control, "anna", &e), 0);
    auth_forget(a);
    assert_int_equal(auth_mode(a), AUTH_DIGEST);
    auth_free(a);
    settings.mode = AUTH_ANONYMOUS;
    user_put(&b, "anna", "arkimeUser", FLAG_WEB, TRI_YES);
    assert_int_equal(auth_new(&options, &a, &e), 0);
    assert_int_equal(auth_may_listen(a, "0.0.0.0", &e), -EPERM);
    auth_free(a);
    static const enum auth_mode refused[] = {AUTH_BASIC, AUTH_FORM, AUTH_BASIC_FORM, AUTH_HEADER, AUTH_S2S};
    for (size_t i = 0; i < ARRAY_LEN(refused); i++) {
        settings.mode = refused[i];
        assert_true(auth_new(&options, &a, &e) < 0);
    }
    options.tls = true;
    settings.mode = AUTH_BASIC;
    assert_int_equal(auth_new(&options, &a, &e), 0);
    auth_free(a);
    control_close(b.control);
}

static bool token_count(void *ctx, const struct token *t) {
    assert_string_equal(t->name, "ci");
    ++*(size_t *)ctx;
    return true;
}

static void test_tokens(void **state) {
    struct base b;
    char text[TOKEN_TEXT], id[TOKEN_ID], user[USER_ID_MAX + 1];
    uint32_t rights;
    size_t count = 0;
    (void)state;
    base_open(&b);
    user_put(&b, "anna", "arkimeUser", FLAG_WEB, TRI_YES);
    struct token t = {.user = "anna", .name = "ci", .rights = RIGHT_ANY | RIGHT_PCAP, .expires_ms = 5000};
    assert_int_equal(tokens_create(b.control, &t, text, id, NULL), 0);
    assert_memory_equal(text, "seine_", 6);
    assert_int_equal(strlen(text), 49);
    assert_int_equal(tokens_find(b.control, text, 4999, user, &rights), 0);
    assert_string_equal(user, "anna");
    assert_int_equal(rights, RIGHT_ANY | RIGHT_PCAP);
    assert_int_equal(tokens_find(b.control, text, 5000, user, &rights), -ENOENT);
    text[10] ^= 1;
    assert_int_equal(tokens_find(b.control, text, 0, user, &rights), -ENOENT);
    text[10] ^= 1;
    assert_int_equal(tokens_find(b.control, text + 6, 0, user, &rights), -ENOENT);
    assert_true(tokens_list(b.control, "anna", token_count, &count) >= 0 && count == 1);
    assert_true(tokens_list(b.control, "bob", token_count, &count) >= 0 && count == 1);
    assert_int_equal(tokens_revoke(b.control, "bob", id, NULL), -ENOENT);
    assert_int_equal(tokens_revoke(b.control, "anna", id, NULL), 0);
    assert_int_equal(tokens_find(b.control, text, 0, user, &rights), -ENOENT);
    struct err e = {0};
    assert_int_equal(rights_parse(span_text("pcap, stats"), &rights, &e), 0);
    assert_int_equal(rights, RIGHT_ANY | RIGHT_PCAP | RIGHT_STATS);
    assert_int_equal(rights_parse(span_text("write"), &rights, &e), 0);
    assert_int_equal(rights, RIGHT_ANY | RIGHT_WRITE);
    assert_int_equal(rights_parse(span_text("pcap,everything"), &rights, &e), -EINVAL);
    control_close(b.control);
}

static void test_web_sessions(void **state) {
    struct base b;
    char one[WEB_SESSION_TEXT], two[WEB_SESSION_TEXT], user[USER_ID_MAX + 1];
    (void)state;
    base_open(&b);
    user_put(&b, "anna", "arkimeUser", FLAG_WEB, TRI_YES);
    assert_int_equal(web_session_new(b.control, "anna", 1000, 500, one), 0);
    assert_int_equal(web_session_new(b.control, "anna", 1000, 500, two), 0);
    assert_int_equal(web_session_find(b.control, one, 1499, user), 0);
    assert_string_equal(user, "anna");
    assert_int_equal(web_session_find(b.control, one, 1500, user), -ENOENT);
    web_session_end(b.control, one);
    assert_int_equal(web_session_find(b.control, one, 1000, user), -ENOENT);
    assert_int_equal(web_session_find(b.control, two, 1000, user), 0);
    /* A new password ends what an old one began. */
    assert_int_equal(users_set_password(b.control, &b.keys, "anna", "anders", NULL), 0);
    assert_int_equal(web_session_find(b.control, two, 1000, user), -ENOENT);
    control_close(b.control);
}

static bool name_add(void *ctx, const char *name, struct span json) {
    struct buf *out = ctx;
    buf_printf(out, "%s=%.*s;", name, (int)json.len, (const char *)json.at);
    return true;
}

static void test_documents(void **state) {
    struct base b;
    struct buf text;
    (void)state;
    base_open(&b);
    buf_init(&text, 4096);
    assert_int_equal(user_document_get(b.control, "anna", "k", "n", &text), -ENOENT);
    assert_int_equal(user_document_set(b.control, "anna", "k", "z", span_text("1")), 0);
    assert_int_equal(user_document_set(b.control, "anna", "k", "a", span_text("2")), 0);
    assert_int_equal(user_document_set(b.control, "anna", "k", "z", span_text("3")), 0);
    assert_int_equal(user_document_set(b.control, "bob", "k", "z", span_text("4")), 0);
    assert_true(user_documents(b.control, "anna", "k", name_add, &text) >= 0);
    assert_span(buf_span(&text), "z=3;a=2;");
    assert_int_equal(user_document_remove(b.control, "anna", "k", "z"), 0);
    assert_int_equal(user_document_remove(b.control, "anna", "k", "z"), -ENOENT);
    buf_clear(&text);
    assert_int_equal(user_document_get(b.control, "bob", "k", "z", &text), 0);
    assert_span(buf_span(&text), "4");
    buf_done(&text);
    control_close(b.control);
}

static void test_throttle(void **state) {
    struct throttle *t = throttle_new();
    (void)state;
    assert_non_null(t);
    for (int i = 0; i < THROTTLE_TRIES; i++) {
        assert_false(throttle_blocked(t, "10.0.0.1", "anna", 1000));
        throttle_fail(t, "10.0.0.1", "anna", 1000);
    }
    assert_true(throttle_blocked(t, "10.0.0.1", "anna", 1000));
    assert_false(throttle_blocked(t, "10.0.0.1", "bob", 1000));
    assert_false(throttle_blocked(t, "10.0.0.2", "anna", 1000));
    assert_false(throttle_blocked(t, "10.0.0.1", "anna", 1000 + THROTTLE_MS));
    throttle_clear(t, "10.0.0.1", "anna");
    assert_false(throttle_blocked(t, "10.0.0.1", "anna", 1000));
    /* All of a /64 is one place. */
    for (int i = 0; i < THROTTLE_TRIES; i++) {
        throttle_fail(t, "2001:db8::1", "anna", 1000);
    }
    assert_true(throttle_blocked(t, "2001:db8::ffff", "anna", 1000));
    assert_false(throttle_blocked(t, "2001:db8:0:1::1", "anna", 1000));
    throttle_free(t);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_response),
        cmocka_unit_test(test_parse),
        cmocka_unit_test(test_nonce),
        cmocka_unit_test(test_counts),
        cmocka_unit_test(test_counts_ceiling),
        cmocka_unit_test(test_csrf),
        cmocka_unit_test(test_seal),
        cmocka_unit_test(test_base64url),
        cmocka_unit_test(test_users),
        cmocka_unit_test(test_user_ids),
        cmocka_unit_test(test_standing),
        cmocka_unit_test(test_role_loops),
        cmocka_unit_test(test_expression_ceiling),
        cmocka_unit_test(test_tokens),
        cmocka_unit_test(test_web_sessions),
        cmocka_unit_test(test_documents),
        cmocka_unit_test(test_throttle),
        cmocka_unit_test(test_mode),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
