/* ntlm.c: NTLMSSP negotiate, challenge and authenticate messages ([MS-NLMP] 2.2.1).
 *
 * Names are found by the length and offset the message states for them; those that point outside of it are left out.
 * Not probed for: the protocols that carry it call ntlm_put.
 */
#include "dissect/ntlm.h"

#include "base/util.h"
#include "dissect/list.h"
#include "dissect/text.h"

enum { DOMAIN, HOST, TARGET, TYPE, VERSION };

static const struct field_def fields[] = {
    [DOMAIN] = {.path = "ntlm.domain",
                .name = "ntlm.domain",
                .type = FT_KEYWORD,
                .flags = F_COUNT | F_UTF8,
                .title = "NTLM Domain",
                .help = "Domain of the user or the client"},
    [HOST] = {.path = "ntlm.host",
              .name = "ntlm.host",
              .type = FT_KEYWORD,
              .flags = F_COUNT | F_UTF8,
              .title = "NTLM Host",
              .help = "Name of the client's machine",
              .category = "host"},
    [TARGET] = {.path = "ntlm.targetName",
                .name = "ntlm.targetName",
                .type = FT_KEYWORD,
                .flags = F_COUNT | F_UTF8,
                .title = "NTLM Target Name",
                .help = "Domain or server that asks for authentication"},
    [TYPE] = {.path = "ntlm.type",
              .name = "ntlm.type",
              .type = FT_U64,
              .flags = F_COUNT,
              .title = "NTLM Message Type",
              .help = "1 negotiate, 2 challenge, 3 authenticate"},
    [VERSION] = {.path = "ntlm.version",
                 .name = "ntlm.version",
                 .type = FT_KEYWORD,
                 .flags = F_COUNT,
                 .title = "NTLM Version",
                 .help = "Version of Windows that a message states"},
};

#define SIGNATURE SPAN_LITERAL("NTLMSSP\0")
#define FLAG_UNICODE 0x00000001u
#define FLAG_DOMAIN 0x00001000u /* of a negotiate message: it has a domain */
#define FLAG_HOST 0x00002000u   /* and a workstation */
#define FLAG_VERSION 0x02000000u

/* Where the parts of a message stand. 0 = it has none. */
static const struct layout {
    uint8_t flags, domain, host, target, user, version;
} layouts[] = {
    [1] = {.flags = 12, .domain = 16, .host = 24, .version = 32},
    [2] = {.flags = 20, .target = 12, .version = 48},
    [3] = {.flags = 60, .domain = 28, .user = 36, .host = 44, .version = 64},
};

static size_t put_utf8(uint8_t *to, uint32_t code) {
    if (code < 0x80) {
        to[0] = (uint8_t)code;
        return 1;
    }
    if (code < 0x800) {
        to[0] = (uint8_t)(0xc0 | code >> 6);
        to[1] = (uint8_t)(0x80 | (code & 0x3f));
        return 2;
    }
    if (code < 0x10000) {
        to[0] = (uint8_t)(0xe0 | code >> 12);
        to[1] = (uint8_t)(0x80 | (code >> 6 & 0x3f));
        to[2] = (uint8_t)(0x80 | (code & 0x3f));
        return 3;
    }
    to[0] = (uint8_t)(0xf0 | code >> 18);
    to[1] = (uint8_t)(0x80 | (code >> 12 & 0x3f));
    to[2] = (uint8_t)(0x80 | (code >> 6 & 0x3f));
    to[3] = (uint8_t)(0x80 | (code & 0x3f));
    return 4;
}

/* UTF-16 of little end to UTF-8; a lone surrogate becomes U+FFFD. */
static struct span from_utf16(struct dissect *d, struct span text) {
    uint8_t *to = arena_alloc(d->scratch, text.len / 2 * 3 + 4);
    size_t len = 0;
    struct cursor c = cursor_over(text);
    while (to && cursor_left(&c) >= 2) {
        uint32_t code = cursor_u16le(&c);
        if (code >> 10 == 0x36) {
            struct cursor ahead = c;
            uint32_t low = cursor_u16le(&ahead);
            bool pair = cursor_ok(&ahead) && low >> 10 == 0x37;
            code = pair ? 0x10000 + ((code & 0x3ff) << 10 | (low & 0x3ff)) : 0xfffd;
            c = pair ? ahead : c;
        } else if (code >> 10 == 0x37) {
            code = 0xfffd;
        }
        len += put_utf8(to + len, code);
    }
    return span_make(to, len);
}

/* The text whose length and offset stand at `at`. */
static struct span read_name(struct dissect *d, struct span message, size_t at, bool unicode) {
    struct cursor c = cursor_over(span_from(message, at));
    uint16_t len = cursor_u16le(&c);
    cursor_skip(&c, 2);
    uint32_t offset = cursor_u32le(&c);
    struct span text = span_sub(message, offset, len);
    if (at == 0 || !cursor_ok(&c) || text.len < len) {
        return (struct span){0};
    }
    return unicode ? from_utf16(d, text) : text;
}

static void put_name(struct dissect *d, unsigned field, struct span name) {
    if (name.len) {
        put_text(d, field, name);
    }
}

static size_t write_decimal(char *to, unsigned value) {
    char digits[8];
    size_t n = 0, len = 0;
    do {
        digits[n++] = (char)('0' + value % 10);
        value /= 10;
    } while (value);
    while (n) {
        to[len++] = digits[--n];
    }
    return len;
}

static void put_version(struct dissect *d, struct span message, size_t at) {
    struct cursor c = cursor_over(span_from(message, at));
    char text[24];
    size_t len = write_decimal(text, cursor_u8(&c));
    text[len++] = '.';
    len += write_decimal(text + len, cursor_u8(&c));
    text[len++] = '.';
    len += write_decimal(text + len, cursor_u16le(&c));
    if (cursor_ok(&c)) {
        put_text(d, VERSION, span_make(text, len));
    }
}

bool ntlm_put(struct dissect *d, struct span blob) {
    size_t at = span_find(blob, SIGNATURE);
    if (at == SPAN_NONE) {
        return false;
    }
    struct span message = span_from(blob, at);
    struct cursor c = cursor_over(span_from(message, SIGNATURE.len));
    uint32_t type = cursor_u32le(&c);
    if (!cursor_ok(&c) || type == 0 || type >= ARRAY_LEN(layouts)) {
        return false;
    }
    const struct layout *l = &layouts[type];
    c = cursor_over(span_from(message, l->flags));
    uint32_t flags = cursor_u32le(&c);
    bool unicode = type != 1 && flags & FLAG_UNICODE;
    struct dissect ntlm = dissect_as(d, DISSECTOR_NTLM);
    dissect_protocol(d, "ntlm");
    put_u64(&ntlm, TYPE, type);
    if (type != 1 || flags & FLAG_DOMAIN) {
        put_name(&ntlm, DOMAIN, read_name(d, message, l->domain, unicode));
    }
    if (type != 1 || flags & FLAG_HOST) {
        put_name(&ntlm, HOST, read_name(d, message, l->host, unicode));
    }
    put_name(&ntlm, TARGET, read_name(d, message, l->target, unicode));
    struct span user = read_name(d, message, l->user, unicode);
    if (user.len) {
        dissect_user(d, user);
    }
    if (flags & FLAG_VERSION) {
        put_version(&ntlm, message, l->version);
    }
    return true;
}

bool ntlm_put_base64(struct dissect *d, struct span text) {
    struct span blob;
    return text_base64(d->scratch, text, &blob) && ntlm_put(d, blob);
}

const struct dissector dissector_ntlm = {
    .name = "ntlm",
    .title = "NTLM",
    .spec = "MS-NLMP",
    .fields = fields,
    .field_count = ARRAY_LEN(fields),
};
