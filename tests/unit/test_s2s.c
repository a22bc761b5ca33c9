/* test_s2s.c: tokens between servers: two that Node.js made the way Arkime does, round trips, what is refused, once. */
#include <errno.h>

#include "auth/s2s.h"
#include "base/util.h"
#include "check.h"

#define SECRET "shared by all nodes"
#define DATE 1700000000000
#define PATH "/api/session/vm/x.pcap?a=\xc3\xa9&b=1"

/* {"date":1700000000000,"user":"anna","node":"vm \"1\"","path":PATH,"method":"GET"} with SECRET. */
static const char gcm[] =
    "{\"iv\":\"a0a1a2a3a4a5a6a7a8a9aaab\",\"salt\":\"000102030405060708090a0b0c0d0e0f\",\"data\":"
    "\"49a5c006958495b680503fe39f3991845d1ac555d118b3001de87ea13dd150af2885bc896840a2f99656fd14921c77b7f10e44b650c3eb4c"
    "ae704ddd1a7cc1539905c21b9bee57893f8f87b869a82e9fcf5f06f8518bc94e97e6ec17ee746acc20bcfc34d2a502a121013287a144\","
    "\"tag\":\"a9c7adad96544d33bc4facdf403c6c2f\"}";
static const char cbc[] =
    "b0b1b2b3b4b5b6b7b8b9babbbcbdbebf.5734007b2b075559d3c1db9091e25d30ddf9f5205b8b97b019b1c6c117fcc8d889480ed09d1f267d"
    "7f34da99ba3b6d88e790c1cfd0c132f11921e72fe8300b67bfba5c2f28495faff4afa33acf5b786ac26662248cca1ea4a95d4ebbaf82998147"
    "9e3f270d753d487e8f502a32137dc5.d99380f6023b8928c08aaae6103df991cbb08f637154e803a37724b3657cc035";

static const struct s2s_request get = {"GET", {PATH, NULL}, DATE + 1000};

static int open_text(struct s2s *s, const char *text, const struct s2s_request *request, struct s2s_claim *ret) {
    struct buf memory;
    buf_init(&memory, S2S_TEXT_MAX);
    int code = s2s_open(s, span_text(text), request, &memory, ret);
    if (code == 0) {
        assert_span(ret->user, "anna");
        assert_span(ret->node, "vm \"1\"");
        assert_true(ret->date_ms == DATE);
    }
    buf_done(&memory);
    return code;
}

static void test_arkime(void **state) {
    static const char *const texts[] = {gcm, cbc};
    struct s2s *s = s2s_new(SECRET), *other = s2s_new("another");
    struct s2s_claim claim;
    (void)state;
    assert_true(s && other);
    for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
        struct s2s_request late = get, early = get, post = get, elsewhere = get, below = get;
        late.now_ms = DATE + S2S_VALID_MS + 1;
        early.now_ms = DATE - S2S_VALID_MS - 1;
        post.method = "POST";
        elsewhere.paths[0] = "/api/session/vm/x.pcap";
        below.paths[0] = "/seine" PATH;
        assert_int_equal(open_text(other, texts[i], &get, &claim), -EBADMSG);
        assert_int_equal(open_text(s, texts[i], &late, &claim), -ESTALE);
        assert_int_equal(open_text(s, texts[i], &early, &claim), -ESTALE);
        assert_int_equal(open_text(s, texts[i], &post, &claim), -EACCES);
        assert_int_equal(open_text(s, texts[i], &elsewhere, &claim), -EACCES);
        assert_int_equal(open_text(s, texts[i], &below, &claim), -EACCES);
        below.paths[1] = PATH;
        assert_int_equal(open_text(s, texts[i], &below, &claim), 0);
        assert_int_equal(open_text(s, texts[i], &get, &claim), -EALREADY);
    }
    s2s_free(s);
    s2s_free(other);
}

/* A digit changed anywhere is seen; upper case is the same token and not a second one. */
static void test_changed(void **state) {
    struct s2s *s = s2s_new(SECRET);
    struct s2s_claim claim;
    char text[sizeof(gcm)];
    (void)state;
    assert_int_equal(open_text(s, gcm, &get, &claim), 0);
    memcpy(text, gcm, sizeof(gcm));
    for (char *at = strstr(text, "\"data\""); *at; at++) {
        char kept = *at;
        *at = kept == '1' ? '2' : '1';
        /* The salt is left alone: each other one would cost a derived key. */
        assert_int_equal(open_text(s, text, &get, &claim), -EBADMSG);
        *at = kept;
    }
    char *tag = strstr(text, "a9c7adad");
    memcpy(tag, "A9C7ADAD", 8);
    assert_int_equal(open_text(s, text, &get, &claim), -EALREADY);
    char old[sizeof(cbc)];
    memcpy(old, cbc, sizeof(cbc));
    for (size_t i = 0; i < sizeof(cbc) - 1; i++) {
        char kept = old[i];
        old[i] = kept == '1' ? '2' : '1';
        assert_int_equal(open_text(s, old, &get, &claim), -EBADMSG);
        old[i] = 0;
        assert_int_equal(open_text(s, old, &get, &claim), -EBADMSG);
        old[i] = kept;
    }
    static const char *const none[] = {"",
                                       ".",
                                       "..",
                                       "{}",
                                       "{",
                                       "[]",
                                       "{\"iv\":1,\"salt\":[],\"data\":null,\"tag\":{}}",
                                       "{\"iv\":\"\",\"salt\":\"\",\"data\":\"\",\"tag\":\"\"}",
                                       "00.00.00"};
    for (size_t i = 0; i < ARRAY_LEN(none); i++) {
        assert_int_equal(open_text(s, none[i], &get, &claim), -EBADMSG);
    }
    s2s_free(s);
}

static void test_round(void **state) {
    struct s2s *one = s2s_new(SECRET), *two = s2s_new(SECRET);
    struct s2s_claim claim = {span_text("anna"), span_text("vm \"1\""), span_text(PATH), span_text("GET"), DATE}, read;
    struct buf first, second;
    (void)state;
    buf_init(&first, S2S_TEXT_MAX);
    buf_init(&second, S2S_TEXT_MAX);
    assert_int_equal(s2s_make(one, &claim, &first), 0);
    assert_int_equal(s2s_make(one, &claim, &second), 0);
    buf_add_byte(&first, 0);
    buf_add_byte(&second, 0);
    assert_string_not_equal((char *)first.data, (char *)second.data);
    assert_int_equal(open_text(two, (char *)first.data, &get, &read), 0);
    assert_int_equal(open_text(two, (char *)second.data, &get, &read), 0);
    assert_int_equal(open_text(two, (char *)first.data, &get, &read), -EALREADY);
    buf_done(&first);
    buf_done(&second);
    s2s_free(one);
    s2s_free(two);
}

/* However many come, none counts twice, and nearly all of those in order count once. */
static void test_many(void **state) {
    enum { MANY = 20000 };
    struct s2s *one = s2s_new(SECRET);
    struct buf *texts = calloc(MANY, sizeof(*texts));
    (void)state;
    assert_true(one && texts);
    size_t good = 0, again = 0;
    for (int round = 0; round < 2; round++) {
        for (size_t i = 0; i < MANY; i++) {
            struct s2s_claim claim = {span_text("anna"), {0}, span_text("/"), span_text("GET"), DATE + (int64_t)i},
                             read;
            struct s2s_request request = {"GET", {"/", NULL}, DATE + (int64_t)i};
            struct buf memory;
            buf_init(&memory, S2S_TEXT_MAX);
            if (round == 0) {
                buf_init(&texts[i], S2S_TEXT_MAX);
                assert_int_equal(s2s_make(one, &claim, &texts[i]), 0);
            }
            size_t *count = round ? &again : &good;
            *count += s2s_open(one, buf_span(&texts[i]), &request, &memory, &read) == 0;
            buf_done(&memory);
        }
    }
    assert_int_equal(good, MANY);
    assert_int_equal(again, 0);
    for (size_t i = 0; i < MANY; i++) {
        buf_done(&texts[i]);
    }
    free(texts);
    s2s_free(one);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_arkime),
        cmocka_unit_test(test_changed),
        cmocka_unit_test(test_round),
        cmocka_unit_test(test_many),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
