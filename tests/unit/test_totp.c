/* test_totp.c: one-time passwords against the examples of RFC 4226 and RFC 6238; tries, steps, states in a database. */
#include <errno.h>

#include "auth/totp.h"
#include "base/util.h"
#include "check.h"

#define NOW ((int64_t)1700000000000)

/* RFC 4226, appendix D, and the SHA-1 lines of RFC 6238, appendix B, cut to six digits. */
static void test_codes(void **state) {
    static const struct {
        uint64_t step;
        const char *code;
    } cases[] = {{0, "755224"},
                 {1, "287082"},
                 {9, "520489"},
                 {59 / 30, "287082"},
                 {1111111109 / 30, "081804"},
                 {1111111111 / 30, "050471"},
                 {1234567890 / 30, "005924"},
                 {2000000000 / 30, "279037"},
                 {20000000000 / 30, "353130"}};
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        char code[TOTP_DIGITS + 1];
        totp_code((const uint8_t *)"12345678901234567890", cases[i].step, code);
        assert_string_equal(code, cases[i].code);
    }
    char text[TOTP_SECRET_TEXT];
    totp_secret_text((const uint8_t *)"12345678901234567890", text);
    assert_string_equal(text, "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ");
}

struct base {
    struct control *control;
    struct secret secret;
    struct user_keys keys;
    uint8_t bytes[TOTP_SECRET_BYTES];
};

static void base_open(struct base *b) {
    struct user u;
    assert_int_equal(control_open(NULL, &b->control, NULL), 0);
    assert_int_equal(users_prepare(b->control, NULL), 0);
    assert_int_equal(secret_load(NULL, &b->secret, NULL), 0);
    b->keys = (struct user_keys){&b->secret, "realm"};
    user_init(&u);
    (void)snprintf(u.id, sizeof(u.id), "anna");
    assert_int_equal(users_add(b->control, &b->keys, &u, "geheim", NULL), 0);
    user_done(&u);
}

static void set_up(struct base *b) {
    char text[TOTP_SECRET_TEXT];
    assert_int_equal(totp_set_up(b->control, &b->keys, "anna", text), 0);
    uint64_t held = 0;
    for (size_t i = 0; i < 32; i++) {
        held = held << 5 | (uint64_t)(text[i] >= 'A' ? text[i] - 'A' : text[i] - '2' + 26);
        if (i % 8 == 7) {
            for (size_t k = 0; k < 5; k++) {
                b->bytes[i / 8 * 5 + k] = (uint8_t)(held >> (32 - 8 * k));
            }
        }
    }
}

/* `ahead`: steps from now. */
static int take(struct base *b, enum totp_state wanted, int64_t ahead, int64_t now) {
    char code[TOTP_DIGITS + 1];
    totp_code(b->bytes, (uint64_t)(now / 1000 / TOTP_STEP_S + ahead), code);
    return totp_take(b->control, &b->keys, "anna", wanted, code, now);
}

static void test_states(void **state) {
    struct base b;
    char text[TOTP_SECRET_TEXT];
    (void)state;
    base_open(&b);
    assert_int_equal(totp_state(b.control, "anna"), TOTP_NONE);
    assert_int_equal(totp_state(b.control, "bob"), -ENOENT);
    assert_int_equal(totp_set_up(b.control, &b.keys, "bob", text), -ENOENT);
    assert_int_equal(take(&b, TOTP_PENDING, 0, NOW), -ENOENT);
    set_up(&b);
    assert_int_equal(totp_state(b.control, "anna"), TOTP_PENDING);
    assert_int_equal(take(&b, TOTP_ON, 0, NOW), -ENOENT);
    set_up(&b);
    assert_int_equal(take(&b, TOTP_PENDING, 0, NOW), 0);
    assert_int_equal(totp_state(b.control, "anna"), TOTP_ON);
    assert_int_equal(totp_set_up(b.control, &b.keys, "anna", text), -EEXIST);
    struct secret other;
    assert_int_equal(secret_load(NULL, &other, NULL), 0);
    struct user_keys keys = {&other, "realm"};
    assert_int_equal(totp_take(b.control, &keys, "anna", TOTP_ON, "000000", NOW), -EBADMSG);
    assert_int_equal(totp_remove(b.control, "anna"), 0);
    assert_int_equal(totp_state(b.control, "anna"), TOTP_NONE);
    assert_int_equal(totp_remove(b.control, "bob"), -ENOENT);
    control_close(b.control);
}

static void test_steps(void **state) {
    struct base b;
    (void)state;
    base_open(&b);
    set_up(&b);
    assert_int_equal(take(&b, TOTP_PENDING, 0, NOW), 0);
    assert_int_equal(take(&b, TOTP_ON, 0, NOW), -EACCES);  /* the step counted */
    assert_int_equal(take(&b, TOTP_ON, -1, NOW), -EACCES); /* older than it */
    assert_int_equal(take(&b, TOTP_ON, 2, NOW), -EACCES);
    assert_int_equal(take(&b, TOTP_ON, 1, NOW), 0);
    /* Right or wrong, five in a minute. */
    int64_t later = NOW + 10 * TOTP_TRIES_MS;
    for (int i = 0; i < TOTP_TRIES; i++) {
        assert_int_equal(totp_take(b.control, &b.keys, "anna", TOTP_ON, i % 2 ? "" : "12345", later), -EACCES);
    }
    assert_int_equal(take(&b, TOTP_ON, 0, later), -EAGAIN);
    assert_int_equal(take(&b, TOTP_ON, 0, later + TOTP_TRIES_MS - 1), -EAGAIN);
    assert_int_equal(take(&b, TOTP_ON, 0, later + TOTP_TRIES_MS), 0);
    static const char *const none[] = {"", "0", "0000000", "abcdef", "\xff"};
    for (size_t i = 0; i < ARRAY_LEN(none); i++) {
        int64_t now = later + (int64_t)(i + 2) * TOTP_TRIES_MS;
        assert_int_equal(totp_take(b.control, &b.keys, "anna", TOTP_ON, none[i], now), -EACCES);
    }
    control_close(b.control);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_codes),
        cmocka_unit_test(test_states),
        cmocka_unit_test(test_steps),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
