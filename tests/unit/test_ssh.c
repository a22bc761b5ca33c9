/* test_ssh.c: the SSH dissector on exchanges built here: versions, fingerprints, host keys of each kind of key
 * exchange, any segmentation, and the shape of encrypted turns. */
#include <openssl/evp.h>

#include "dissect_run.h"

#define PORT 22
#define BUILD_MAX ((size_t)1 << 20)
#define TALK_MAX 64

struct talk {
    struct buf parts[TALK_MAX];
    struct said said[TALK_MAX];
    size_t count;
};

static const char *const client_lists[10] = {
    "sntrup761x25519-sha512@openssh.com,curve25519-sha256,ext-info-c,kex-strict-c-v00@openssh.com",
    "ssh-ed25519,rsa-sha2-512",
    "chacha20-poly1305@openssh.com,aes128-ctr",
    "aes256-gcm@openssh.com",
    "umac-64-etm@openssh.com,hmac-sha2-256",
    "hmac-sha1",
    "none,zlib@openssh.com",
    "none",
    "",
    "",
};
static const char *const server_lists[10] = {"curve25519-sha256", "ssh-ed25519", "c2s",  "aes128-ctr", "c2s",
                                             "hmac-sha2-512",     "c2s",         "none", "",           ""};

static int setup(void **state) {
    struct dissect_run *r = malloc(sizeof(struct dissect_run));
    run_init(r, NULL);
    *state = r;
    return 0;
}

static int teardown(void **state) {
    run_done(*state);
    free(*state);
    return 0;
}

static void number(struct buf *b, unsigned width, uint64_t value) {
    while (width-- > 0) {
        buf_add_byte(b, (uint8_t)(value >> 8 * width));
    }
}

static void string(struct buf *b, struct span s) {
    number(b, 4, s.len);
    buf_add_span(b, s);
}

static struct buf *say(struct talk *t, uint8_t side) {
    assert_true(t->count < TALK_MAX);
    t->said[t->count].side = side;
    buf_init(&t->parts[t->count], BUILD_MAX);
    return &t->parts[t->count++];
}

/* A binary packet, padded to a multiple of eight as RFC 4253, 6 asks. */
static void packet(struct buf *to, const struct buf *payload) {
    size_t padding = 8 - (5 + payload->len) % 8;
    padding += padding < 4 ? 8 : 0;
    number(to, 4, 1 + payload->len + padding);
    number(to, 1, padding);
    buf_add_span(to, buf_span(payload));
    buf_add(to, "\0\0\0\0\0\0\0\0\0\0\0\0", padding);
}

static void say_packet(struct talk *t, uint8_t side, uint8_t type, struct span body) {
    struct buf payload;
    buf_init(&payload, BUILD_MAX);
    number(&payload, 1, type);
    buf_add_span(&payload, body);
    packet(say(t, side), &payload);
    buf_done(&payload);
}

static void say_kexinit(struct talk *t, uint8_t side, const char *const lists[10]) {
    struct buf body;
    buf_init(&body, BUILD_MAX);
    buf_add_text(&body, "0123456789abcdef");
    for (size_t i = 0; i < 10; i++) {
        string(&body, span_text(lists[i]));
    }
    number(&body, 5, 0);
    say_packet(t, side, 20, buf_span(&body));
    buf_done(&body);
}

/* Message `type` of a server whose first string is `first`, as all replies with a host key begin. */
static void say_string(struct talk *t, uint8_t side, uint8_t type, struct span first) {
    struct buf body;
    buf_init(&body, BUILD_MAX);
    string(&body, first);
    string(&body, SPAN_LITERAL("ephemeral"));
    string(&body, SPAN_LITERAL("signature"));
    say_packet(t, side, type, buf_span(&body));
    buf_done(&body);
}

static void say_text(struct talk *t, uint8_t side, const char *text) {
    buf_add_text(say(t, side), text);
}

static void talk_bytes(struct talk *t) {
    for (size_t i = 0; i < t->count; i++) {
        assert_false(t->parts[i].overflowed);
        t->said[i].bytes = buf_span(&t->parts[i]);
    }
}

static const char *talk_run(struct dissect_run *r, struct talk *t) {
    talk_bytes(t);
    const char *doc = run_every_cut(r, PORT, t->said, t->count);
    for (size_t i = 0; i < t->count; i++) {
        buf_done(&t->parts[i]);
    }
    t->count = 0;
    return doc;
}

static void say_hellos(struct talk *t) {
    say_text(t, 1, "SSH-2.0-OpenSSH_9.2p1 Debian-2\r\n");
    say_text(t, 0, "SSH-2.0-PuTTY_Release_0.78\r\n");
    say_kexinit(t, 0, client_lists);
    say_kexinit(t, 1, server_lists);
}

static void expect_md5(const char *doc, const char *field, const char *text) {
    unsigned char digest[EVP_MAX_MD_SIZE];
    size_t len = 0;
    char want[96];
    assert_int_equal(EVP_Q_digest(NULL, "MD5", NULL, text, strlen(text), digest, &len), 1);
    int at = snprintf(want, sizeof(want), "\"%s\":[\"", field);
    for (size_t i = 0; i < len; i++) {
        at += snprintf(want + at, sizeof(want) - (size_t)at, "%02x", digest[i]);
    }
    assert_has(doc, want);
}

/* A host key as it stands on the wire and in known_hosts. */
static const char key_bytes[] = "\0\0\0\x0bssh-ed25519\0\0\0\x20"
                                "ABCDEFGHIJKLMNOPQRSTUVWXYZ012345";
static const char key_text[] = "\"key\":[\"AAAAC3NzaC1lZDI1NTE5AAAAIEFCQ0RFRkdISUpLTE1OT1BRUlNUVVZXWFlaMDEyMzQ1\"]";
#define KEY span_make(key_bytes, sizeof(key_bytes) - 1)

static void test_exchange(void **state) {
    struct talk t = {0};
    say_hellos(&t);
    say_string(&t, 0, 30, SPAN_LITERAL("client's point"));
    say_string(&t, 1, 31, KEY);
    say_packet(&t, 1, 21, SPAN_LITERAL(""));
    say_packet(&t, 0, 21, SPAN_LITERAL(""));
    say_text(&t, 0, "encrypted SSH-2.0-not-a-version\r\n");
    const char *doc = talk_run(*state, &t);
    assert_has(doc, "\"version\":[\"ssh-2.0-openssh_9.2p1 debian-2\",\"ssh-2.0-putty_release_0.78\"],\"versionCnt\":2");
    assert_has(doc, key_text);
    assert_has(doc, "\"keyCnt\":1");
    expect_md5(doc, "hassh",
               "sntrup761x25519-sha512@openssh.com,curve25519-sha256,ext-info-c,kex-strict-c-v00@openssh.com;"
               "chacha20-poly1305@openssh.com,aes128-ctr;umac-64-etm@openssh.com,hmac-sha2-256;none,zlib@openssh.com");
    expect_md5(doc, "hasshServer", "curve25519-sha256;aes128-ctr;hmac-sha2-512;none");
    assert_has(doc, "\"protocol\":[\"ssh\"]");
}

/* In a group exchange 31 carries a prime, and 33 the key. */
static void test_group_exchange(void **state) {
    struct talk t = {0};
    say_hellos(&t);
    say_packet(&t, 0, 34, SPAN_LITERAL("\0\0\4\0\0\0\x20\0\0\0\x20\0"));
    say_string(&t, 1, 31, SPAN_LITERAL("\0\xc7\x9f\1a prime"));
    say_string(&t, 0, 32, SPAN_LITERAL("client's number"));
    say_string(&t, 1, 33, KEY);
    const char *doc = talk_run(*state, &t);
    assert_has(doc, key_text);
    assert_has(doc, "\"keyCnt\":1");
}

/* Lines before the version (RFC 4253, 4.2), ignored messages, and a key exchange of many segments. */
static void test_odd_beginnings(void **state) {
    struct talk t = {0};
    static char list[20000];
    memset(list, 'x', sizeof(list) - 1);
    const char *const lists[10] = {list, "a", "b", "b", "c", "c", "d", "d", "", ""};
    say_text(&t, 0, "SSH-2.0-client\n");
    say_text(&t, 1, "Keep out.\r\nThis means you.\r\n\r\nSSH-2.0-server with words\n");
    say_packet(&t, 1, 2, SPAN_LITERAL("\0\0\0\3abc"));
    say_kexinit(&t, 1, lists);
    const char *doc = talk_run(*state, &t);
    assert_has(doc, "\"ssh-2.0-client\"");
    assert_has(doc, "\"ssh-2.0-server with words\"");
    assert_has(doc, "\"hasshServer\"");
    assert_lacks(doc, "\"hassh\"");

    /* Protocol 1 has other packets. */
    say_text(&t, 1, "SSH-1.5-1.2.26\n");
    say_text(&t, 0, "SSH-1.5-1.2.27\n");
    say_text(&t, 1, "\0\0\1");
    doc = talk_run(*state, &t);
    assert_has(doc, "\"version\":[\"ssh-1.5-1.2.26\",\"ssh-1.5-1.2.27\"]");

    struct said not_ssh = {0, SPAN_LITERAL("SSHD says hello\r\n")};
    assert_lacks(run_every_cut(*state, PORT, &not_ssh, 1), "ssh");
}

/* The opening was missed, the server spoke first: its port tells which side it is. */
static void test_swapped_sides(void **state) {
    struct dissect_run *r = *state;
    struct talk t = {0};
    say_text(&t, 0, "SSH-2.0-server\r\n");
    say_text(&t, 1, "SSH-2.0-client\r\n");
    say_kexinit(&t, 0, server_lists);
    say_string(&t, 0, 31, KEY);
    talk_bytes(&t);
    run_start(r, 50000);
    r->session.key.low_port = PORT;
    for (size_t i = 0; i < t.count; i++) {
        run_say(r, t.said[i].side, t.said[i].bytes, 0);
        buf_done(&t.parts[i]);
    }
    const char *doc = run_finish(r);
    expect_md5(doc, "hasshServer", "curve25519-sha256;aes128-ctr;hmac-sha2-512;none");
    assert_has(doc, key_text);
}

/* Someone types: turns of `key` bytes, one side after the other; the side `typist` takes its time. Before that the
 * server says `success`. The document must not depend on segments; *ret_quiet: whether nobody listens any more. */
static const char *run_typing(struct dissect_run *r, size_t success, size_t key, unsigned typist, bool *ret_quiet) {
    static const size_t cuts[] = {1, 7, 0};
    static const char bytes[400000];
    struct talk t = {0};
    char *first = NULL;
    const char *doc = NULL;
    say_hellos(&t);
    say_packet(&t, 1, 21, SPAN_LITERAL(""));
    say_packet(&t, 0, 21, SPAN_LITERAL(""));
    buf_add(say(&t, 0), bytes, 500);
    buf_add(say(&t, 1), bytes, success);
    buf_add(say(&t, 0), bytes, 200);
    buf_add(say(&t, 1), bytes, 300);
    for (unsigned i = 0; i < 12; i++) {
        buf_add(say(&t, (uint8_t)(i % 2 ? !typist : typist)), bytes, key);
    }
    talk_bytes(&t);
    for (size_t c = 0; c < ARRAY_LEN(cuts); c++) {
        run_start(r, PORT);
        for (size_t i = 0; i < t.count; i++) {
            r->session.last_time += t.said[i].side == typist ? 150000000 : 3000000;
            run_say(r, t.said[i].side, t.said[i].bytes, cuts[c]);
        }
        *ret_quiet = r->session.quiet;
        doc = run_finish(r);
        if (!first) {
            first = strdup(doc);
        }
        assert_string_equal(doc, first);
    }
    free(first);
    for (size_t i = 0; i < t.count; i++) {
        buf_done(&t.parts[i]);
    }
    return doc;
}

static void test_typing(void **state) {
    bool quiet;
    /* From the server's end through a nested session. */
    assert_has(run_typing(*state, 28, 76, 1, &quiet), "\"ssh-reverse-shell\"");
    assert_true(quiet);
    /* Through a nested session as it should be: a jump host. */
    assert_lacks(run_typing(*state, 28, 76, 0, &quiet), "\"tags\"");
    assert_true(quiet);
    /* Plain sessions, with short packets and with long ones. */
    assert_lacks(run_typing(*state, 28, 36, 0, &quiet), "\"tags\"");
    assert_lacks(run_typing(*state, 52, 52, 1, &quiet), "\"tags\"");
    assert_lacks(run_typing(*state, 48, 64, 1, &quiet), "\"tags\"");
    assert_true(quiet);
    /* No typing: packets too long, then a transfer. */
    assert_lacks(run_typing(*state, 28, 1000, 1, &quiet), "\"tags\"");
    assert_false(quiet);
    assert_lacks(run_typing(*state, 28, 30000, 1, &quiet), "\"tags\"");
    assert_true(quiet);
}

static void test_gap(void **state) {
    struct dissect_run *r = *state;
    struct talk t = {0};
    say_hellos(&t);
    say_string(&t, 1, 31, KEY);
    talk_bytes(&t);
    run_start(r, PORT);
    for (size_t i = 0; i < t.count; i++) {
        dissect_stream(r->engine, &r->session, t.said[i].side, t.said[i].bytes, i == 3 ? 10 : 0, 0);
        buf_done(&t.parts[i]);
    }
    const char *doc = run_finish(r);
    assert_has(doc, "\"hassh\"");
    assert_lacks(doc, "\"hasshServer\"");
    assert_lacks(doc, "\"key\"");
    assert_has(doc, "\"versionCnt\":2");
}

/* Every prefix of an exchange, and every byte of it changed, must be survived (the sanitizers look on). */
static void test_damage(void **state) {
    struct dissect_run *r = *state;
    struct talk t = {0};
    say_hellos(&t);
    say_string(&t, 1, 31, KEY);
    say_packet(&t, 1, 21, SPAN_LITERAL(""));
    struct buf all;
    buf_init(&all, BUILD_MAX);
    for (size_t i = 0; i < t.count; i++) {
        if (t.said[i].side == 1) {
            buf_add_span(&all, buf_span(&t.parts[i]));
        }
        buf_done(&t.parts[i]);
    }
    for (size_t i = 0; i < all.len; i++) {
        struct said said = {1, span_make(all.data, i)};
        assert_non_null(run_talk(r, PORT, &said, 1, 0));
        said.bytes = buf_span(&all);
        all.data[i] ^= 0xff;
        assert_non_null(run_talk(r, PORT, &said, 1, 11));
        all.data[i] ^= 0xff;
    }
    buf_done(&all);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_exchange, setup, teardown),
        cmocka_unit_test_setup_teardown(test_group_exchange, setup, teardown),
        cmocka_unit_test_setup_teardown(test_odd_beginnings, setup, teardown),
        cmocka_unit_test_setup_teardown(test_swapped_sides, setup, teardown),
        cmocka_unit_test_setup_teardown(test_typing, setup, teardown),
        cmocka_unit_test_setup_teardown(test_gap, setup, teardown),
        cmocka_unit_test_setup_teardown(test_damage, setup, teardown),
    };
    return cmocka_run_group_tests_name("ssh", tests, NULL, NULL);
}
