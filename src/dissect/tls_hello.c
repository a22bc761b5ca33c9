/* tls_hello.c: ClientHello and ServerHello: versions, names, session ids and the fingerprints JA3, JA3S and JA4.
 *
 * RFC 8446 and 5246, RFC 6066 (server name), RFC 7301 (ALPN), RFC 8701 (GREASE), RFC 6347 (DTLS); JA3 and JA3S by
 * Althouse, Atkinson and Atkins (2017), JA4 by FoxIO's technical description (2023). A hello is read once into short
 * lists in scratch memory, GREASE left out; each fingerprint's text is then written into memory of exactly the size it
 * may need.
 */
#include <stdio.h>

#include "base/util.h"
#include "dissect/http_fields.h"
#include "dissect/list.h"
#include "dissect/tls.h"
#include "dissect/tls_fields.h"

enum extension {
    EXT_SERVER_NAME = 0,
    EXT_GROUPS = 10,
    EXT_POINT_FORMATS = 11,
    EXT_SIGNATURES = 13,
    EXT_ALPN = 16,
    EXT_VERSIONS = 43,
    EXT_ECH = 0xfe0d,
    EXT_ESNI = 0xffce,
};

enum {
    SSL3 = 0x0300,
    TLS10 = 0x0301,
    TLS11 = 0x0302,
    TLS12 = 0x0303,
    TLS13 = 0x0304,
    TLS13_DRAFT = 0x7f00,       /* 0x7f00 + number of the draft */
    TLS13_DRAFT_LAST = 0x7f1c,  /* draft 28 */
    TLS13_DRAFT_SHORT = 0x7f15, /* up to draft 21 the ServerHello had no session id */
    DTLS10 = 0xfeff,
    DTLS12 = 0xfefd,
    DTLS13 = 0xfefc,
    SESSION_ID_MAX = 32,
    JA4_HASH = 12,
    JA4_HEAD = 10,
};

struct list {
    uint16_t *items;
    size_t count;
};

struct client_hello {
    uint16_t version, highest; /* highest: of supported_versions, 0 without */
    struct span session_id, formats, alpn;
    struct list ciphers, extensions, groups, signatures;
    bool has_name;
};

/* Text in the making, in memory of known size. */
struct text {
    char *start;
    size_t len, size;
};

static bool is_grease(uint16_t value) {
    return (value & 0x0f0f) == 0x0a0a && value >> 8 == (value & 0xff);
}

/* The 16-bit values of `s` without GREASE. */
static struct list list_read(struct arena *scratch, struct span s) {
    struct list list = {arena_alloc(scratch, s.len + 2), 0};
    struct cursor c = cursor_over(s);
    while (list.items && cursor_left(&c) >= 2) {
        uint16_t value = cursor_u16(&c);
        list.items[list.count] = value;
        list.count += !is_grease(value);
    }
    return list;
}

/* Shell's sort with Ciura's gaps: for the few dozen values of honest hellos it is an insertion sort, and hostile ones
 * of many thousand do not make it quadratic. */
static void list_sort(struct list list) {
    static const uint16_t gaps[] = {8861, 3938, 1750, 701, 301, 132, 57, 1};
    for (size_t g = 0; g < ARRAY_LEN(gaps); g++) {
        size_t gap = gaps[g];
        for (size_t i = gap; i < list.count; i++) {
            uint16_t value = list.items[i];
            size_t at = i;
            for (; at >= gap && list.items[at - gap] > value; at -= gap) {
                list.items[at] = list.items[at - gap];
            }
            list.items[at] = value;
        }
    }
}

static struct text text_new(struct arena *scratch, size_t size) {
    struct text t = {arena_alloc(scratch, size), 0, 0};
    t.size = t.start ? size : 0;
    return t;
}

static struct span text_span(const struct text *t) {
    return span_make(t->start, t->len);
}

static void text_byte(struct text *t, char byte) {
    if (t->len < t->size) {
        t->start[t->len++] = byte;
    }
}

static void text_span_add(struct text *t, struct span s) {
    if (t->size - t->len >= s.len) {
        (void)span_copy_to(s, (uint8_t *)t->start + t->len);
        t->len += s.len;
    }
}

/* Writes `value` and returns where it ends: at most five characters. */
static char *decimal_write(char *to, unsigned value) {
    unsigned size = value >= 10000 ? 5 : value >= 1000 ? 4 : value >= 100 ? 3 : value >= 10 ? 2 : 1;
    for (unsigned i = size; i-- > 0; value /= 10) {
        to[i] = (char)('0' + value % 10);
    }
    return to + size;
}

static char *hex4_write(char *to, uint16_t value) {
    static const char digits[] = "0123456789abcdef";
    to[0] = digits[value >> 12];
    to[1] = digits[value >> 8 & 15];
    to[2] = digits[value >> 4 & 15];
    to[3] = digits[value & 15];
    return to + 4;
}

static void text_decimal(struct text *t, uint16_t value) {
    if (t->size - t->len >= 5) {
        t->len = (size_t)(decimal_write(t->start + t->len, value) - t->start);
    }
}

/* Lists are written in one go, with room for the widest numbers: this is where hellos cost most besides digests. */
static void text_list_decimal(struct text *t, struct list list) {
    if (list.count == 0 || t->size - t->len < 6 * list.count) {
        return;
    }
    char *to = t->start + t->len;
    for (size_t i = 0; i < list.count; i++) {
        to = decimal_write(to, list.items[i]);
        *to++ = '-';
    }
    t->len = (size_t)(to - 1 - t->start);
}

static void text_list_hex(struct text *t, struct list list) {
    if (list.count == 0 || t->size - t->len < 5 * list.count) {
        return;
    }
    char *to = t->start + t->len;
    for (size_t i = 0; i < list.count; i++) {
        to = hex4_write(to, list.items[i]);
        *to++ = ',';
    }
    t->len = (size_t)(to - 1 - t->start);
}

/* --- versions --- */

const char *tls_version_name(uint16_t version) {
    switch (version) {
    case SSL3:
        return "SSLv3";
    case TLS10:
        return "TLSv1";
    case TLS11:
        return "TLSv1.1";
    case TLS12:
        return "TLSv1.2";
    case TLS13:
        return "TLSv1.3";
    case DTLS10:
        return "DTLSv1";
    case DTLS12:
        return "DTLSv1.2";
    case DTLS13:
        return "DTLSv1.3";
    default:
        return NULL;
    }
}

static void put_version(struct dissect *tls, uint16_t version) {
    const char *name = tls_version_name(version);
    if (name) {
        put_const(tls, TLS_VERSION, name);
        return;
    }
    char text[24];
    bool draft = version > TLS13_DRAFT && version <= TLS13_DRAFT_LAST;
    int n = draft ? snprintf(text, sizeof(text), "TLSv1.3-draft-%02u", version & 0xffu)
                  : snprintf(text, sizeof(text), "0x%04x", version);
    put_text(tls, TLS_VERSION, span_make(text, (size_t)n));
}

static void put_cipher(struct dissect *tls, uint16_t cipher) {
    const char *name = tls_cipher_name(cipher);
    if (name) {
        put_const(tls, TLS_CIPHER, name);
        return;
    }
    char text[8];
    int n = snprintf(text, sizeof(text), "0X%04X", cipher);
    put_text(tls, TLS_CIPHER, span_make(text, (size_t)n));
}

static void put_session_id(struct dissect *tls, unsigned field, struct span id) {
    char text[2 * SESSION_ID_MAX];
    if (id.len && id.len <= SESSION_ID_MAX) {
        hex_write(id.at, id.len, text);
        put_text(tls, field, span_make(text, 2 * id.len));
    }
}

/* The fingerprint of `text`: its MD5; and the text itself when that is wanted. */
static void put_md5(struct dissect *tls, unsigned field, const struct text *text, bool raw) {
    uint8_t digest[DIGEST_MAX];
    char hex[2 * DIGEST_MAX];
    size_t n = digest_memo(tls->digests, DIGEST_MD5, text_span(text), digest);
    if (text->size && n) {
        hex_write(digest, n, hex);
        put_text(tls, field, span_make(hex, 2 * n));
    }
    if (text->size && raw) {
        put_text(tls, field + 1, text_span(text)); /* the string's field follows its digest's */
    }
}

/* --- ClientHello --- */

static void read_server_names(struct dissect *d, struct span body) {
    struct cursor c = cursor_over(body);
    c = cursor_sub(&c, cursor_u16(&c));
    struct dissect http = dissect_as(d, DISSECTOR_HTTP);
    while (cursor_left(&c)) {
        uint8_t type = cursor_u8(&c);
        struct span name = cursor_span(&c, cursor_u16(&c));
        if (type == 0 && name.len) {
            put_text(&http, HTTP_HOST, name);
        }
    }
}

static bool is_dtls(uint16_t version) {
    return version >> 8 == 0xfe;
}

/* The newest of the versions offered; those of DTLS count downwards. */
static uint16_t newest_version(struct list versions) {
    uint16_t newest = 0;
    for (size_t i = 0; i < versions.count; i++) {
        uint16_t version = versions.items[i];
        if (!newest || (is_dtls(version) ? version < newest : version > newest)) {
            newest = version;
        }
    }
    return newest;
}

static void read_client_extension(struct dissect *d, struct client_hello *h, uint16_t type, struct span body) {
    struct cursor c = cursor_over(body);
    switch (type) {
    case EXT_SERVER_NAME:
        h->has_name = true;
        read_server_names(d, body);
        break;
    case EXT_GROUPS:
        h->groups = list_read(d->scratch, cursor_span(&c, cursor_u16(&c)));
        break;
    case EXT_POINT_FORMATS:
        h->formats = cursor_span(&c, cursor_u8(&c));
        break;
    case EXT_SIGNATURES:
        h->signatures = list_read(d->scratch, cursor_span(&c, cursor_u16(&c)));
        break;
    case EXT_ALPN:
        cursor_skip(&c, 2);
        h->alpn = cursor_span(&c, cursor_u8(&c));
        break;
    case EXT_VERSIONS:
        h->highest = newest_version(list_read(d->scratch, cursor_span(&c, cursor_u8(&c))));
        break;
    case EXT_ECH:
        dissect_tag(d, "tls:has_ech");
        break;
    case EXT_ESNI:
        dissect_tag(d, "tls:has_esni");
        break;
    default:
        break;
    }
}

/* The types of the extensions in `c`, GREASE left out; each is shown to `h` when there is one. */
static struct list read_extensions(struct dissect *d, struct cursor c, struct client_hello *h) {
    struct list types = {arena_alloc(d->scratch, cursor_left(&c) / 2 + 2), 0};
    while (types.items && cursor_left(&c) >= 4) {
        uint16_t type = cursor_u16(&c);
        size_t len = cursor_u16(&c);
        struct span body = cursor_span(&c, MIN(len, cursor_left(&c)));
        types.items[types.count] = type;
        types.count += !is_grease(type);
        if (h) {
            read_client_extension(d, h, type, body);
        }
    }
    return types;
}

/* JA3: version,ciphers,extensions,groups,formats in decimal. */
static void put_ja3(struct dissect *tls, const struct client_hello *h, bool raw) {
    size_t numbers = 1 + h->ciphers.count + h->extensions.count + h->groups.count + h->formats.len;
    struct text t = text_new(tls->scratch, 6 * numbers + 16);
    text_decimal(&t, h->version);
    text_byte(&t, ',');
    text_list_decimal(&t, h->ciphers);
    text_byte(&t, ',');
    text_list_decimal(&t, h->extensions);
    text_byte(&t, ',');
    text_list_decimal(&t, h->groups);
    text_byte(&t, ',');
    struct cursor formats = cursor_over(h->formats);
    for (bool first = true; cursor_left(&formats); first = false) {
        if (!first) {
            text_byte(&t, '-');
        }
        text_decimal(&t, cursor_u8(&formats));
    }
    put_md5(tls, TLS_JA3, &t, raw);
}

static const char *ja4_version(uint16_t version) {
    switch (version) {
    case TLS13:
        return "13";
    case TLS12:
        return "12";
    case TLS11:
        return "11";
    case TLS10:
        return "10";
    case SSL3:
        return "s3";
    case 0x0002:
        return "s2";
    case DTLS10:
        return "d1";
    case DTLS12:
        return "d2";
    case DTLS13:
        return "d3";
    default:
        return "00";
    }
}

static bool is_alphanumeric(int byte) {
    return (byte >= '0' && byte <= '9') || ((byte | 0x20) >= 'a' && (byte | 0x20) <= 'z');
}

/* First and last character of the first protocol offered, or of its hexadecimal form when one of them is no letter or
 * digit. */
static void ja4_alpn(struct text *t, struct span alpn) {
    static const char digits[] = "0123456789abcdef";
    int first = span_byte(alpn, 0), last = alpn.len ? span_byte(alpn, alpn.len - 1) : -1;
    if (first < 0) {
        first = last = '0';
    } else if (!is_alphanumeric(first) || !is_alphanumeric(last)) {
        first = digits[first >> 4];
        last = digits[last & 15];
    }
    text_byte(t, (char)first);
    text_byte(t, (char)last);
}

static void ja4_count(struct text *t, size_t count) {
    count = MIN(count, (size_t)99);
    text_byte(t, (char)('0' + count / 10));
    text_byte(t, (char)('0' + count % 10));
}

/* Appends the first 12 digits of the SHA-256 of `s`, zeros when there was nothing to digest. */
static void ja4_hash(struct dissect *tls, struct text *t, struct span s, bool nothing) {
    uint8_t digest[DIGEST_MAX];
    char hex[JA4_HASH + 1] = "000000000000";
    if (!nothing && digest_memo(tls->digests, DIGEST_SHA256, s, digest)) {
        hex_write(digest, JA4_HASH / 2, hex);
    }
    text_span_add(t, span_make(hex, JA4_HASH));
}

/* The extensions sorted, without server name and ALPN, which are told in the first part. */
static struct list ja4_extensions(struct arena *scratch, struct list extensions) {
    struct list kept = {arena_alloc(scratch, 2 * extensions.count + 2), 0};
    for (size_t i = 0; kept.items && i < extensions.count; i++) {
        uint16_t type = extensions.items[i];
        kept.items[kept.count] = type;
        kept.count += type != EXT_SERVER_NAME && type != EXT_ALPN;
    }
    list_sort(kept);
    return kept;
}

/* JA4: head_ciphers_extensions; the raw form is written first, the digests are of its parts. Sorts h->ciphers. */
static void put_ja4(struct dissect *tls, struct client_hello *h, char transport, bool raw) {
    struct list extensions = ja4_extensions(tls->scratch, h->extensions);
    size_t numbers = h->ciphers.count + extensions.count + h->signatures.count;
    struct text t = text_new(tls->scratch, 5 * numbers + 32);
    if (!t.size) {
        return;
    }
    text_byte(&t, transport);
    text_span_add(&t, span_text(ja4_version(h->highest ? h->highest : h->version)));
    text_byte(&t, h->has_name ? 'd' : 'i');
    ja4_count(&t, h->ciphers.count);
    ja4_count(&t, h->extensions.count);
    ja4_alpn(&t, h->alpn);
    text_byte(&t, '_');

    size_t ciphers_from = t.len;
    list_sort(h->ciphers);
    text_list_hex(&t, h->ciphers);
    size_t ciphers_to = t.len;
    text_byte(&t, '_');
    size_t extensions_from = t.len;
    text_list_hex(&t, extensions);
    if (h->signatures.count) {
        text_byte(&t, '_');
        text_list_hex(&t, h->signatures);
    }

    char hashed[JA4_HEAD + 1 + JA4_HASH + 1 + JA4_HASH];
    struct text ja4 = {hashed, 0, sizeof(hashed)};
    struct span all = text_span(&t);
    text_span_add(&ja4, span_sub(all, 0, JA4_HEAD + 1));
    ja4_hash(tls, &ja4, span_sub(all, ciphers_from, ciphers_to - ciphers_from), h->ciphers.count == 0);
    text_byte(&ja4, '_');
    ja4_hash(tls, &ja4, span_from(all, extensions_from), extensions.count == 0);
    put_text(tls, TLS_JA4, text_span(&ja4));
    if (raw) {
        put_text(tls, TLS_JA4_RAW, all);
    }
}

bool tls_client_hello(struct dissect *d, const struct tls_settings *settings, struct span body, char transport) {
    struct dissect tls = dissect_as(d, DISSECTOR_TLS);
    struct client_hello h = {0};
    struct cursor c = cursor_over(body);
    h.version = cursor_u16(&c);
    cursor_skip(&c, 32); /* random */
    h.session_id = cursor_span(&c, cursor_u8(&c));
    if (transport == 'd') {
        cursor_skip(&c, cursor_u8(&c)); /* cookie */
    }
    struct span ciphers = cursor_span(&c, cursor_u16(&c));
    cursor_skip(&c, cursor_u8(&c)); /* compression methods */
    if (!cursor_ok(&c)) {
        return false;
    }
    h.ciphers = list_read(tls.scratch, ciphers);
    if (cursor_left(&c) >= 2) { /* SSL 3.0 has no extensions */
        size_t len = cursor_u16(&c);
        h.extensions = read_extensions(&tls, cursor_sub(&c, MIN(len, cursor_left(&c))), &h);
    }
    if (transport != 'd') {
        put_session_id(&tls, TLS_SRC_SESSION_ID, h.session_id);
        put_ja3(&tls, &h, settings && settings->ja3_strings);
    }
    put_ja4(&tls, &h, transport, settings && settings->ja4_raw);
    return true;
}

/* --- ServerHello --- */

/* The random of a HelloRetryRequest: SHA-256 of its name (RFC 8446, 4.1.3). */
static const uint8_t retry_random[32] = {0xcf, 0x21, 0xad, 0x74, 0xe5, 0x9a, 0x61, 0x11, 0xbe, 0x1d, 0x8c,
                                         0x02, 0x1e, 0x65, 0xb8, 0x91, 0xc2, 0xa2, 0x11, 0x16, 0x7a, 0xbb,
                                         0x8c, 0x5e, 0x07, 0x9e, 0x09, 0xe2, 0xc8, 0xa8, 0x33, 0x9c};

/* Looks for the version and the protocol the server chose. */
static void read_server_extensions(struct dissect *d, struct cursor c, struct tls_server_hello *ret) {
    while (cursor_left(&c) >= 4) {
        uint16_t type = cursor_u16(&c);
        struct cursor body = cursor_sub(&c, cursor_u16(&c));
        if (type == EXT_VERSIONS && cursor_left(&body) == 2) {
            ret->version = cursor_u16(&body);
        } else if (type == EXT_ALPN) {
            cursor_skip(&body, 2);
            if (span_is(cursor_span(&body, cursor_u8(&body)), "h2")) {
                dissect_protocol(d, "http2");
            }
        }
    }
}

bool tls_server_hello(struct dissect *d, const struct tls_settings *settings, struct span body,
                      struct tls_server_hello *ret) {
    struct dissect tls = dissect_as(d, DISSECTOR_TLS);
    struct cursor c = cursor_over(body);
    uint16_t version = cursor_u16(&c);
    bool is_short = version > TLS13_DRAFT && version <= TLS13_DRAFT_SHORT;
    *ret = (struct tls_server_hello){.version = version};
    ret->retry = span_equal(cursor_span(&c, sizeof(retry_random)), span_make(retry_random, sizeof(retry_random)));
    struct span session_id = is_short ? (struct span){NULL, 0} : cursor_span(&c, cursor_u8(&c));
    ret->cipher = cursor_u16(&c);
    if (!is_short) {
        cursor_skip(&c, 1); /* compression method */
    }
    if (!cursor_ok(&c)) {
        return false;
    }
    struct list extensions = {0};
    if (cursor_left(&c) >= 2) {
        size_t len = cursor_u16(&c);
        struct cursor list = cursor_sub(&c, MIN(len, cursor_left(&c)));
        extensions = read_extensions(&tls, list, NULL);
        read_server_extensions(&tls, list, ret);
    }
    put_version(&tls, ret->version);
    put_cipher(&tls, ret->cipher);
    put_session_id(&tls, TLS_DST_SESSION_ID, session_id);
    struct text t = text_new(tls.scratch, 6 * (2 + extensions.count) + 16);
    text_decimal(&t, version);
    text_byte(&t, ',');
    text_decimal(&t, ret->cipher);
    text_byte(&t, ',');
    text_list_decimal(&t, extensions);
    put_md5(&tls, TLS_JA3S, &t, settings && settings->ja3_strings);
    return true;
}
