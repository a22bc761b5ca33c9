/* decoders.c: see decoders.h. */
#include "api/decoders.h"

#include <stdlib.h>

#include "base/json_scan.h"
#include "base/util.h"
#include "fetch/bodies.h"

static const struct {
    const char *name, *title;
    enum decoder_kind kind;
    const char *options; /* as JSON */
} decoders[] = {
    {"BODY-UNBASE64", "Decode base64", DECODER_BASE64, "[]"},
    {"BODY-UNXOR", "XOR with a key", DECODER_XOR,
     "[{\"key\":\"keyLength\",\"name\":\"Key Length\"},{\"key\":\"skip\",\"name\":\"Skip Bytes\"},"
     "{\"key\":\"key\",\"name\":\"Key in Hex\"}]"},
    {"BODY-UNXORBRUTEGZ", "Find the XOR that gives gzip", DECODER_XOR_GZIP, "[]"},
};

void decodings_write(struct json *j) {
    json_open(j, '{');
    for (size_t i = 0; i < ARRAY_LEN(decoders); i++) {
        json_key(j, decoders[i].name);
        json_open(j, '{');
        json_key(j, "name");
        json_cstr(j, decoders[i].name);
        json_key(j, "title");
        json_cstr(j, decoders[i].title);
        json_key(j, "fields");
        json_raw(j, span_text(decoders[i].options));
        json_close(j, '}');
    }
    json_close(j, '}');
}

/* --- reading --- */

static int hex_digit(int c) {
    return c >= '0' && c <= '9'   ? c - '0'
           : c >= 'a' && c <= 'f' ? c - 'a' + 10
           : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                  : -1;
}

static bool key_read(struct span text, struct decoding *d) {
    text = span_from(text, span_starts(text, SPAN_LITERAL("0x")) ? 2 : 0);
    if (text.len == 0 || text.len % 2 || text.len / 2 > DECODER_KEY_MAX) {
        return false;
    }
    for (size_t i = 0; i < text.len; i += 2) {
        int high = hex_digit(text.at[i]), low = hex_digit(text.at[i + 1]);
        if (high < 0 || low < 0) {
            return false;
        }
        d->key[d->key_len++] = (uint8_t)(high << 4 | low);
    }
    return true;
}

static bool option_read(struct span name, struct span value, struct decoding *d) {
    uint64_t number;
    if (value.len == 0) {
        return true;
    }
    if (span_is(name, "key")) {
        return key_read(value, d);
    }
    bool skip = span_is(name, "skip");
    if ((!skip && !span_is(name, "keyLength")) || !span_decimal(value, BODY_MAX, &number) ||
        (!skip && number > DECODER_KEY_MAX)) {
        return false;
    }
    *(skip ? &d->skip : &d->key_from_body) = (size_t)number;
    return true;
}

static bool options_read(struct json_ref options, struct buf *scratch, struct decoding *d) {
    struct json_walk w = json_walk_over(options);
    struct span name, value;
    struct json_ref ref;
    while (json_walk_next(&w, &name, &ref)) {
        buf_clear(scratch);
        value = json_raw_of(ref);
        if (json_kind_of(ref) == JSON_STRING && !json_string(ref, scratch, &value)) {
            return false;
        }
        if (!option_read(name, value, d)) {
            return false;
        }
    }
    return true;
}

static bool decoder_read(struct span name, struct json_ref options, struct buf *scratch, struct decodings *ret) {
    for (size_t i = 0; i < ARRAY_LEN(decoders) && ret->count < DECODERS_MAX; i++) {
        if (span_is(name, decoders[i].name)) {
            struct decoding *d = &ret->list[ret->count++];
            *d = (struct decoding){.kind = decoders[i].kind};
            return options_read(options, scratch, d);
        }
    }
    return false;
}

bool decodings_read(struct span json, struct decodings *ret) {
    struct json_index index;
    struct json_error error;
    struct buf scratch;
    *ret = (struct decodings){.count = 0};
    json_index_init(&index, 1u << 16);
    buf_init(&scratch, (size_t)1 << 16);
    bool good = json_index_build(&index, json, &error) == 0 && json_check(&index, &error) == 0 &&
                json_kind_of(json_root(&index)) == JSON_OBJECT;
    struct json_walk w = json_walk_over(json_root(&index));
    struct span name;
    struct json_ref options;
    while (good && json_walk_next(&w, &name, &options)) {
        good = decoder_read(name, options, &scratch, ret);
    }
    json_index_done(&index);
    buf_done(&scratch);
    return good;
}

/* --- doing --- */

static bool unbase64(struct buf *b) {
    uint32_t bits = 0;
    unsigned held = 0;
    size_t len = 0;
    for (size_t i = 0; i < b->len && b->data[i] != '='; i++) {
        uint8_t c = b->data[i];
        int value = c >= 'A' && c <= 'Z'   ? c - 'A'
                    : c >= 'a' && c <= 'z' ? c - 'a' + 26
                    : c >= '0' && c <= '9' ? c - '0' + 52
                    : c == '+' || c == '-' ? 62
                    : c == '/' || c == '_' ? 63
                                           : -1;
        if (value < 0) {
            continue;
        }
        bits = bits << 6 | (uint32_t)value;
        held += 6;
        if (held >= 8) { /* never ahead of what is read */
            held -= 8;
            b->data[len++] = (uint8_t)(bits >> held);
        }
    }
    b->len = len;
    return true;
}

static bool unxor(const struct decoding *d, struct buf *b) {
    uint8_t key[DECODER_KEY_MAX];
    size_t key_len = d->key_len, from = d->skip;
    memcpy(key, d->key, sizeof(key));
    if (d->key_from_body && key_len == 0) {
        if (b->len < d->key_from_body) {
            return false;
        }
        key_len = d->key_from_body;
        memcpy(key, b->data, key_len);
        from = MAX(from, key_len);
    }
    if (key_len == 0 || from >= b->len) {
        return false;
    }
    for (size_t i = from; i < b->len; i++) {
        b->data[i - from] = b->data[i] ^ key[(i - from) % key_len];
    }
    b->len -= from;
    return true;
}

/* A single byte that makes a gzip header appear. */
static bool unxor_gzip(struct buf *b) {
    static const uint8_t magic[3] = {0x1f, 0x8b, 0x08};
    for (size_t i = 0; i + sizeof(magic) <= MIN(b->len, (size_t)4096); i++) {
        uint8_t key = b->data[i] ^ magic[0];
        if ((b->data[i + 1] ^ key) != magic[1] || (b->data[i + 2] ^ key) != magic[2]) {
            continue;
        }
        struct buf out;
        buf_init(&out, BODY_MAX + 65536);
        for (size_t k = i; k < b->len; k++) {
            b->data[k - i] = b->data[k] ^ key;
        }
        b->len -= i;
        struct body body = {.coding = BODY_GZIP, .bytes = buf_span(b)};
        (void)body_unpack(&body, &out);
        buf_done(b);
        *b = out;
        return true;
    }
    return false;
}

bool decodings_apply(const struct decodings *d, struct buf *bytes) {
    bool changed = false;
    for (size_t i = 0; i < d->count && bytes->len; i++) {
        const struct decoding *x = &d->list[i];
        changed |= x->kind == DECODER_BASE64 ? unbase64(bytes)
                   : x->kind == DECODER_XOR  ? unxor(x, bytes)
                                             : unxor_gzip(bytes);
    }
    return changed;
}
