/* test_bodies.c: files are cut out of HTTP and SMTP as they were sent, and odd bytes do no harm. */
#include "check.h"

#include <zlib.h>

#include "base/util.h"
#include "fetch/bodies.h"

struct seen_bodies {
    unsigned count;
    struct body list[16];
    char text[16][256];
};

static bool take(void *ctx, const struct body *b) {
    struct seen_bodies *s = ctx;
    assert_true(s->count < ARRAY_LEN(s->list));
    s->list[s->count] = *b;
    size_t n = MIN(b->bytes.len, sizeof(s->text[0]) - 1);
    if (n) {
        memcpy(s->text[s->count], b->bytes.at, n);
    }
    s->text[s->count][n] = 0;
    s->count++;
    return true;
}

static struct seen_bodies carve(const char *src, const char *dst) {
    struct seen_bodies s = {0};
    const struct span sides[2] = {span_text(src), span_text(dst)};
    assert_int_equal(bodies_each(sides, take, &s), 0);
    return s;
}

static void http_lengths_and_chunks(void **state) {
    (void)state;
    struct seen_bodies s =
        carve("GET /a/one.txt?x=1 HTTP/1.1\r\nHost: h\r\n\r\nHEAD /b HTTP/1.1\r\n\r\n"
              "POST /c/up.bin HTTP/1.1\r\nContent-Length: 4\r\n\r\nsend"
              "GET /last HTTP/1.1\r\n\r\n",
              "HTTP/1.1 200 OK\r\nContent-Type: text/plain; charset=x\r\nContent-Length: 3\r\n\r\none"
              "HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n" /* answers HEAD: nothing follows */
              "HTTP/1.1 100 Continue\r\n\r\n"
              "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2;x=y\r\nde\r\n0\r\nA: b\r\n\r\n"
              "HTTP/1.1 200 OK\r\nContent-Disposition: attachment; filename=\"../../etc/p\"\r\n\r\nto the end");
    assert_int_equal(s.count, 4);
    assert_string_equal(s.text[0], "send");
    assert_string_equal(s.list[0].name, "up.bin");
    assert_int_equal(s.list[0].side, 0);
    assert_string_equal(s.text[1], "one");
    assert_string_equal(s.list[1].name, "one.txt");
    assert_string_equal(s.list[1].type, "text/plain");
    assert_string_equal(s.text[2], "abcde");
    assert_string_equal(s.list[2].name, "up.bin");
    assert_string_equal(s.text[3], "to the end");
    assert_string_equal(s.list[3].name, "p");
    for (unsigned i = 0; i < 4; i++) {
        assert_int_equal(s.list[i].number, i);
        assert_true(s.list[i].complete);
    }
}

static void http_cut_and_out_of_step(void **state) {
    (void)state;
    struct seen_bodies s = carve("", "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf");
    assert_int_equal(s.count, 1);
    assert_false(s.list[0].complete);
    s = carve("", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nHTTP/1.1 200 OK\r\nContent-Length: "
                  "2\r\n\r\nok");
    assert_int_equal(s.count, 1);
    assert_string_equal(s.text[0], "ok");
    s = carve("GET /ws HTTP/1.1\r\nUpgrade: websocket\r\n\r\n",
              "HTTP/1.1 101 Switching Protocols\r\n\r\nHTTP/1.1 200 OK\r\n\r\nno body of ours");
    assert_int_equal(s.count, 0);
}

static void unpacking(void **state) {
    (void)state;
    uint8_t packed[256];
    z_stream z = {0};
    assert_int_equal(deflateInit2(&z, 6, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY), Z_OK);
    z.next_in = (Bytef *)(uintptr_t) "hello hello hello";
    z.avail_in = 17;
    z.next_out = packed;
    z.avail_out = sizeof(packed);
    assert_int_equal(deflate(&z, Z_FINISH), Z_STREAM_END);
    size_t len = sizeof(packed) - z.avail_out;
    (void)deflateEnd(&z);
    struct buf out;
    buf_init(&out, BODY_MAX);
    struct body b = {.coding = BODY_GZIP, .bytes = span_make(packed, len)};
    assert_true(body_unpack(&b, &out));
    assert_true(span_is(buf_span(&out), "hello hello hello"));
    buf_clear(&out);
    b.bytes.len -= 9;
    assert_false(body_unpack(&b, &out));
    buf_clear(&out);
    b.coding = BODY_ZSTD;
    assert_false(body_unpack(&b, &out));
    b = (struct body){.bytes = SPAN_LITERAL("plain")};
    buf_clear(&out);
    assert_true(body_unpack(&b, &out));
    assert_true(span_is(buf_span(&out), "plain"));
    buf_done(&out);
}

static void mail_attachments(void **state) {
    (void)state;
    struct seen_bodies s = carve(
        "EHLO x\r\nMAIL FROM:<a@b>\r\nRCPT TO:<c@d>\r\nDATA\r\n"
        "Subject: s\r\nContent-Type: multipart/mixed;\r\n boundary=\"xx\"\r\n\r\n"
        "preamble\r\n--xx\r\nContent-Type: text/plain\r\n\r\nthe text\r\n"
        "--xx\r\nContent-Type: application/pdf; name=\"n.pdf\"\r\nContent-Transfer-Encoding: base64\r\n"
        "Content-Disposition: attachment;\r\n\tfilename=\"d.pdf\"\r\n\r\naGVs\r\nbG8=\r\n"
        "--xx\r\nContent-Type: text/html; name=q.html\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\na=3Db=\r\n"
        "c\r\n--xx--\r\n.\r\nQUIT\r\n",
        "220 hi\r\n250 ok\r\n");
    assert_int_equal(s.count, 2);
    assert_string_equal(s.list[0].name, "d.pdf");
    assert_string_equal(s.list[0].type, "application/pdf");
    assert_string_equal(s.text[0], "hello");
    assert_int_equal(s.list[0].kind, BODY_MAIL);
    assert_string_equal(s.list[1].name, "q.html");
    assert_string_equal(s.text[1], "a=bc");
    s = carve("MAIL FROM:<a@b>\r\nBDAT 62 LAST\r\nContent-Type: application/x\r\nContent-Disposition: attachment\r\n"
              "\r\nB",
              "");
    assert_int_equal(s.count, 1);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(http_lengths_and_chunks),
        cmocka_unit_test(http_cut_and_out_of_step),
        cmocka_unit_test(unpacking),
        cmocka_unit_test(mail_attachments),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
