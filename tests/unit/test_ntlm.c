/* test_ntlm.c: NTLMSSP messages as HTTP carries them. */
#include "dissect_run.h"

static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

static void add_base64(struct buf *to, const uint8_t *bytes, size_t len) {
    for (size_t i = 0; i < len; i += 3) {
        uint32_t word = (uint32_t)bytes[i] << 16 | (i + 1 < len ? (uint32_t)bytes[i + 1] << 8 : 0) |
                        (i + 2 < len ? bytes[i + 2] : 0u);
        buf_add_byte(to, (uint8_t)digits[word >> 18 & 63]);
        buf_add_byte(to, (uint8_t)digits[word >> 12 & 63]);
        buf_add_byte(to, (uint8_t)(i + 1 < len ? digits[word >> 6 & 63] : '='));
        buf_add_byte(to, (uint8_t)(i + 2 < len ? digits[word & 63] : '='));
    }
}

static void set_name(uint8_t *message, size_t at, size_t *end, const char *name, bool wide) {
    size_t len = strlen(name) * (wide ? 2 : 1);
    message[at] = message[at + 2] = (uint8_t)len;
    message[at + 4] = (uint8_t)*end;
    for (size_t i = 0; name[i]; i++) {
        message[*end + i * (wide ? 2 : 1)] = (uint8_t)name[i];
    }
    *end += len;
}

static uint8_t *begin(uint8_t message[256], unsigned type, size_t flags_at, unsigned long flags) {
    memset(message, 0, 256);
    memcpy(message, "NTLMSSP", 8);
    message[8] = (uint8_t)type;
    for (unsigned i = 0; i < 4; i++) {
        message[flags_at + i] = (uint8_t)(flags >> 8 * i);
    }
    return message;
}

static const char *talk(struct dissect_run *r, struct buf *request, struct buf *response) {
    const struct said said[] = {{0, buf_span(request)}, {1, buf_span(response)}};
    return run_every_cut(r, 80, said, ARRAY_LEN(said));
}

static void three_messages(void **state) {
    (void)state;
    struct dissect_run r;
    struct buf request, response;
    uint8_t message[256];
    size_t end;
    run_init(&r, NULL);
    buf_init(&request, 65536);
    buf_init(&response, 65536);

    begin(message, 1, 12, 0x02003000);
    end = 40;
    set_name(message, 16, &end, "DOM", false);
    set_name(message, 24, &end, "PC1", false);
    memcpy(message + 32, "\x0a\x00\x61\x4a", 4);
    buf_add_text(&request, "GET / HTTP/1.1\r\nHost: h\r\nAuthorization: NTLM ");
    add_base64(&request, message, end);
    buf_add_text(&request, "\r\n\r\n");

    begin(message, 2, 20, 0x00000001);
    end = 56;
    set_name(message, 12, &end, "TARGET", true);
    message[57] = 0x01; /* T becomes U+0154 */
    buf_add_text(&response, "HTTP/1.1 401 No\r\nWWW-Authenticate: Basic realm=x\r\nWWW-Authenticate: Negotiate ");
    uint8_t wrapped[260] = {0x60, 0x82, 0x01, 0x00};
    memcpy(wrapped + 4, message, sizeof(message));
    add_base64(&response, wrapped, end + 4);
    buf_add_text(&response, "\r\nContent-Length: 0\r\n\r\n");

    begin(message, 3, 60, 0x00000001);
    end = 72;
    set_name(message, 28, &end, "Corp", true);
    set_name(message, 36, &end, "wanda", true);
    set_name(message, 44, &end, "PC2", true);
    buf_add_text(&request, "GET / HTTP/1.1\r\nHost: h\r\nProxy-Authorization: NTLM ");
    add_base64(&request, message, end);
    buf_add_text(&request, "\r\n\r\n");

    const char *text = talk(&r, &request, &response);
    assert_has(text, "\"ntlm\":{");
    assert_has(text, "\"domain\":[\"DOM\",\"Corp\"]");
    assert_has(text, "\"host\":[\"PC1\",\"PC2\"]");
    assert_has(text, "\"targetName\":[\"\xc5\x94"
                     "ARGET\"]");
    assert_has(text, "\"type\":[1,3,2]");
    assert_has(text, "\"version\":[\"10.0.19041\"]");
    assert_has(text, "\"user\":[\"wanda\"]");
    assert_has(text, "\"authType\":[\"ntlm\"]");
    buf_done(&request);
    buf_done(&response);
    run_done(&r);
}

/* Offsets that lie give no name; what is no message gives nothing. */
static void lies(void **state) {
    (void)state;
    struct dissect_run r;
    struct buf request, response;
    uint8_t message[256];
    run_init(&r, NULL);
    buf_init(&request, 65536);
    buf_init(&response, 65536);
    begin(message, 3, 60, 0x02000001);
    message[36] = 200; /* a user of 200 bytes at 250 */
    message[40] = 250;
    buf_add_text(&request, "GET / HTTP/1.1\r\nHost: h\r\nAuthorization: NTLM ");
    add_base64(&request, message, 66);
    buf_add_text(&request, "\r\n\r\n");
    const char *text = talk(&r, &request, &response);
    assert_has(text, "\"type\":[3]");
    assert_lacks(text, "\"user\"");
    assert_lacks(text, "\"version\"");

    buf_clear(&request);
    buf_add_text(&request, "GET / HTTP/1.1\r\nHost: h\r\nAuthorization: Negotiate YII\r\n\r\n");
    assert_lacks(talk(&r, &request, &response), "\"ntlm\"");
    buf_done(&request);
    buf_done(&response);
    run_done(&r);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(three_messages),
        cmocka_unit_test(lies),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
