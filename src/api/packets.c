/* packets.c: a session's packets as JSON: frames in words and bytes, or what both sides sent, in order.
 *
 * An answer holds at most ANSWER_BYTES of packets' bytes; what does not fit is cut, and said to be.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "api/decoders.h"
#include "api/one.h"
#include "api/queries.h"
#include "base/digest.h"
#include "base/util.h"
#include "dissect/magic.h"
#include "fetch/bodies.h"
#include "fetch/frame_text.h"
#include "record/document.h"

#define PACKETS_DEFAULT 200
#define PACKETS_MAX 10000
#define ANSWER_BYTES ((size_t)16 << 20)
#define ITEM_BYTES ((size_t)4 << 20)

enum base { BASE_NONE, BASE_NATURAL, BASE_ASCII, BASE_UTF8, BASE_HEX };

struct showing {
    struct one one;
    struct json j;
    enum base base;
    bool lines, frames, unpack, files;
    uint64_t limit, from;
    struct decodings decodings;
    size_t left; /* bytes */
    unsigned items;
    /* streams: the item at hand */
    struct buf item;
    unsigned side;
    int64_t time;
    uint64_t gap, whole;
    bool has_item;
    int code;
};

/* --- bytes --- */

static void add_base64(struct buf *out, struct span s) {
    static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    uint8_t *to = buf_reserve(out, (s.len + 2) / 3 * 4);
    for (size_t i = 0; to && i < s.len; i += 3) {
        size_t n = MIN(s.len - i, (size_t)3);
        uint32_t bits = (uint32_t)s.at[i] << 16 | (n > 1 ? (uint32_t)s.at[i + 1] << 8 : 0) | (n > 2 ? s.at[i + 2] : 0);
        *to++ = (uint8_t)letters[bits >> 18];
        *to++ = (uint8_t)letters[bits >> 12 & 63];
        *to++ = (uint8_t)(n > 1 ? letters[bits >> 6 & 63] : '=');
        *to++ = (uint8_t)(n > 2 ? letters[bits & 63] : '=');
    }
    if (to) {
        out->len += (s.len + 2) / 3 * 4;
    }
}

static void write_data(struct json *j, struct span s) {
    json_key(j, "data");
    buf_add_byte(j->out, '"');
    add_base64(j->out, s);
    buf_add_byte(j->out, '"');
    j->comma = true;
}

static void hex_text(struct span s, bool offsets, struct buf *out) {
    for (size_t at = 0; at < s.len; at += 16) {
        char text[40];
        if (offsets) {
            buf_printf(out, "%08zx: ", at);
        }
        for (size_t i = 0; i < 16; i++) {
            size_t n = 0;
            if (at + i < s.len) {
                hex_write(s.at + at + i, 1, text);
                n = 2;
            }
            buf_add(out, n ? text : "  ", 2);
            buf_add_text(out, i % 2 ? " " : "");
        }
        for (size_t i = at; i < MIN(at + 16, s.len); i++) {
            buf_add_byte(out, s.at[i] >= 0x20 && s.at[i] < 0x7f ? s.at[i] : '.');
        }
        buf_add_byte(out, '\n');
    }
}

static void plain_text(struct span s, bool utf8, struct buf *out) {
    for (size_t i = 0; i < s.len;) {
        uint8_t c = s.at[i];
        size_t n = c >= 0xf0 ? 4 : c >= 0xe0 ? 3 : c >= 0xc0 ? 2 : 1;
        if (utf8 && n > 1 && i + n <= s.len && utf8_valid(span_sub(s, i, n))) {
            buf_add(out, s.at + i, n);
            i += n;
            continue;
        }
        bool shown = (c >= 0x20 && c < 0x7f) || c == '\n' || c == '\t';
        if (c != '\r') {
            buf_add_byte(out, shown ? c : '.');
        }
        i++;
    }
}

static void write_text(struct showing *x, struct span s) {
    struct buf text;
    if (x->base == BASE_NONE) {
        return;
    }
    buf_init(&text, s.len * 8 + 256);
    if (x->base == BASE_HEX) {
        hex_text(s, x->lines, &text);
    } else {
        plain_text(s, x->base != BASE_ASCII, &text);
    }
    json_key(&x->j, "text");
    json_text(&x->j, buf_span(&text));
    buf_done(&text);
}

static void write_time(struct json *j, int64_t ns) {
    json_key(j, "time");
    buf_printf(j->out, "%lld.%06lld", (long long)(ns / 1000000), (long long)(ns % 1000000));
    j->comma = true;
}

static void write_side(struct json *j, unsigned side) {
    json_key(j, "side");
    json_cstr(j, side ? "dst" : "src");
}

static void write_number(struct json *j, const char *key, uint64_t value) {
    json_key(j, key);
    json_u64(j, value);
}

/* --- frames --- */

static void write_layers(struct json *j, const struct frame_text *t) {
    json_key(j, "layers");
    json_open(j, '[');
    for (unsigned i = 0; i < t->count; i++) {
        json_open(j, '{');
        json_key(j, "name");
        json_cstr(j, t->layers[i].name);
        json_key(j, "text");
        json_cstr(j, t->layers[i].text);
        write_number(j, "offset", t->layers[i].offset);
        write_number(j, "length", t->layers[i].length);
        json_close(j, '}');
    }
    json_close(j, ']');
}

static bool show_frame(void *ctx, const struct conversation_frame *f) {
    struct showing *x = ctx;
    struct json *j = &x->j;
    struct frame_text t;
    const struct packet *p = f->packet;
    if (f->number <= x->from) {
        return true;
    }
    frame_describe(p, &t);
    bool whole = p->flags & PACKET_REASSEMBLED;
    struct span bytes = span_make(f->data, MIN((size_t)f->captured, x->left));
    x->left -= bytes.len;
    x->items++;
    json_open(j, '{');
    write_number(j, "n", f->number);
    write_time(j, p->time);
    write_side(j, f->side);
    write_number(j, "captured", f->captured);
    write_number(j, "wire", p->wire);
    const char *name = captures_name(x->one.captures, p->file);
    if (name && (x->one.ask.call->who->rights & RIGHT_FILES)) {
        json_key(j, "file");
        json_cstr(j, name);
        write_number(j, "position", p->position);
    }
    json_key(j, "summary");
    json_cstr(j, t.summary);
    write_layers(j, &t);
    if (t.flags[0]) {
        json_key(j, "flags");
        json_cstr(j, t.flags);
    }
    if (p->payload_len && !whole) {
        json_key(j, "payload");
        json_open(j, '{');
        write_number(j, "offset", p->payload_at);
        write_number(j, "length", p->payload_len);
        json_close(j, '}');
    }
    if (bytes.len < f->captured) {
        json_key(j, "cut");
        json_bool(j, true);
    }
    write_data(j, bytes);
    write_text(x, x->base == BASE_HEX || whole ? bytes : span_from(bytes, p->payload_len ? p->payload_at : bytes.len));
    json_close(j, '}');
    x->code = reply_push(x->one.ask.call->reply);
    return x->code == 0 && !call_cancelled(x->one.ask.call);
}

/* --- streams --- */

struct unpacking {
    struct buf *out;
    struct span all;
    bool done;
};

/* The first body of an item takes the place of its packed form. */
static bool unpack_body(void *ctx, const struct body *b) {
    struct unpacking *u = ctx;
    const uint8_t *end = u->all.at + u->all.len;
    if (b->coding != BODY_PLAIN && b->bytes.at >= u->all.at && b->bytes.at <= end) {
        buf_clear(u->out);
        buf_add(u->out, u->all.at, (size_t)(b->bytes.at - u->all.at));
        (void)body_unpack(b, u->out);
        u->done = true;
    } else if (b->coding != BODY_PLAIN) { /* it came in chunks */
        size_t head = span_find(u->all, SPAN_LITERAL("\r\n\r\n"));
        buf_clear(u->out);
        buf_add_span(u->out, span_sub(u->all, 0, head == SPAN_NONE ? 0 : head + 4));
        (void)body_unpack(b, u->out);
        u->done = true;
    }
    return false;
}

static bool item_unpack(struct showing *x) {
    struct buf out;
    struct unpacking u = {&out, buf_span(&x->item), false};
    const struct span sides[2] = {u.all, {NULL, 0}};
    buf_init(&out, BODY_MAX + 65536);
    if (bodies_each(sides, unpack_body, &u) == 0 && u.done) {
        buf_done(&x->item);
        x->item = out;
        return true;
    }
    buf_done(&out);
    return false;
}

static void item_flush(struct showing *x) {
    struct json *j = &x->j;
    if (!x->has_item) {
        return;
    }
    x->has_item = false;
    bool decoded = x->unpack && item_unpack(x);
    decoded |= decodings_apply(&x->decodings, &x->item);
    struct span bytes = span_sub(buf_span(&x->item), 0, MIN(x->left, ITEM_BYTES));
    x->left -= bytes.len;
    json_open(j, '{');
    write_number(j, "n", ++x->items);
    write_time(j, x->time);
    write_side(j, x->side);
    write_number(j, "bytes", x->whole);
    write_number(j, "gap", x->gap);
    if (decoded) {
        json_key(j, "decoded");
        json_bool(j, true);
    }
    if (bytes.len < x->item.len || x->item.overflowed) {
        json_key(j, "cut");
        json_bool(j, true);
    }
    write_data(j, bytes);
    write_text(x, bytes);
    json_close(j, '}');
    x->code = reply_push(x->one.ask.call->reply);
}

static bool show_piece(void *ctx, const struct conversation_piece *p) {
    struct showing *x = ctx;
    bool goes_on = x->has_item && !p->datagram && p->side == x->side && p->gap == 0;
    if (!goes_on) {
        item_flush(x);
        buf_clear(&x->item);
        x->has_item = true;
        x->side = p->side;
        x->time = p->time;
        x->gap = p->gap;
        x->whole = 0;
    }
    x->whole += p->bytes.len;
    if (x->item.len + p->bytes.len <= x->item.ceiling) {
        buf_add_span(&x->item, p->bytes);
    } else {
        x->item.overflowed = true;
    }
    return x->code == 0 && !call_cancelled(x->one.ask.call);
}

/* --- files --- */

static void write_digest(struct json *j, const char *key, struct digests *d, enum digest_kind kind, struct span bytes) {
    uint8_t digest[DIGEST_MAX];
    char text[2 * DIGEST_MAX];
    size_t len = digest_once(d, kind, bytes, digest);
    hex_write(digest, len, text);
    json_key(j, key);
    json_text(j, span_make(text, 2 * len));
}

struct listing {
    struct showing *x;
    struct digests *digests;
};

static void add_escaped(struct buf *out, const char *text) {
    for (; *text; text++) {
        char c = *text;
        bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || strchr("-_.~", c);
        if (plain) {
            buf_add_byte(out, (uint8_t)c);
        } else {
            buf_printf(out, "%%%02X", (unsigned)(uint8_t)c);
        }
    }
}

static bool list_file(void *ctx, const struct body *b) {
    struct listing *l = ctx;
    struct json *j = &l->x->j;
    struct buf url;
    const char *magic = magic_type(span_sub(b->bytes, 0, MAGIC_BYTES));
    json_open(j, '{');
    write_number(j, "n", b->number);
    write_side(j, b->side);
    json_key(j, "kind");
    json_cstr(j, b->kind == BODY_HTTP ? "http" : "mail");
    if (b->name[0]) {
        json_key(j, "name");
        json_cstr(j, b->name);
    }
    if (b->type[0] || magic) {
        json_key(j, "type");
        json_cstr(j, b->type[0] ? b->type : magic);
    }
    write_number(j, "bytes", b->bytes.len);
    json_key(j, "complete");
    json_bool(j, b->complete);
    if (body_coding_name(b->coding)) {
        json_key(j, "coding");
        json_cstr(j, body_coding_name(b->coding));
    }
    if (l->digests) {
        write_digest(j, "md5", l->digests, DIGEST_MD5, b->bytes);
        write_digest(j, "sha256", l->digests, DIGEST_SHA256, b->bytes);
    }
    buf_init(&url, 4096);
    buf_add_text(&url, "api/session/");
    add_escaped(&url, l->x->one.record->node);
    buf_printf(&url, "/%s/body/file/%u/", l->x->one.record->name, b->number);
    add_escaped(&url, b->name[0] ? b->name : "file");
    json_key(j, "url");
    json_text(j, buf_span(&url));
    buf_done(&url);
    json_close(j, '}');
    return !call_cancelled(l->x->one.ask.call);
}

static int write_files(struct showing *x) {
    struct sides sides;
    struct listing l = {x, digests_new()};
    json_key(&x->j, "files");
    json_open(&x->j, '[');
    int code = one_sides(&x->one, &sides);
    if (code == 0) {
        const struct span spans[2] = {buf_span(&sides.bytes[0]), buf_span(&sides.bytes[1])};
        code = bodies_each(spans, list_file, &l);
    }
    json_close(&x->j, ']');
    sides_done(&sides);
    digests_free(l.digests);
    return code;
}

/* --- the endpoint --- */

static void write_end(struct json *j, const char *key, const struct record *r, unsigned side) {
    char text[48];
    json_key(j, key);
    json_open(j, '{');
    json_key(j, "ip");
    if (r->has_ip) {
        json_text(j, span_make(text, ip_write(r->ip[side], text)));
    } else {
        json_null(j);
    }
    write_number(j, "port", r->port[side]);
    json_close(j, '}');
}

static int show_all(struct showing *x) {
    const struct record *r = x->one.record;
    struct json *j = &x->j;
    struct conversation_result result;
    struct conversation_hooks hooks = {x, x->frames ? show_frame : NULL, x->frames ? NULL : show_piece};
    json_open(j, '{');
    json_key(j, "id");
    json_cstr(j, r->name);
    json_key(j, "node");
    json_cstr(j, r->node);
    write_end(j, "src", r, 0);
    write_end(j, "dst", r, 1);
    json_key(j, "mode");
    json_cstr(j, x->frames ? "frames" : "streams");
    write_number(j, "total", r->position_count);
    json_key(j, x->frames ? "frames" : "items");
    json_open(j, '[');
    uint64_t limit = x->limit + (x->frames ? x->from : 0);
    int code = conversation_read(x->one.captures, r, limit, &hooks, &result);
    if (code == 0 && x->code == 0) {
        item_flush(x);
    }
    json_close(j, ']');
    write_number(j, "shown", result.packets > x->from || !x->frames ? result.packets - (x->frames ? x->from : 0) : 0);
    write_number(j, "lost", result.lost);
    if (result.lost) {
        json_key(j, "error");
        json_cstr(j, result.why.text);
    }
    if (code == 0 && x->code == 0 && x->files) {
        code = write_files(x);
    }
    json_close(j, '}');
    return code < 0 ? code : x->code;
}

static enum base base_read(const struct call *c) {
    static const char *const names[] = {"", "natural", "ascii", "utf8", "hex"};
    const char *text = call_text(c, "base", "");
    for (size_t i = 1; i < ARRAY_LEN(names); i++) {
        if (strcmp(text, names[i]) == 0) {
            return (enum base)i;
        }
    }
    return BASE_NONE;
}

static void packets(struct call *c) {
    struct showing x = {.base = base_read(c),
                        .lines = call_bool(c, "line", false),
                        .frames = call_bool(c, "showFrames", false),
                        .unpack = call_bool(c, "gzip", false),
                        .files = call_bool(c, "image", false),
                        .left = ANSWER_BYTES};
    struct span decode = request_param(c->request, "decode");
    uint64_t usual = x.unpack || x.files ? PACKETS_MAX : PACKETS_DEFAULT;
    if (decode.len && !decodings_read(decode, &x.decodings)) {
        call_fail(c, 400, "Invalid decode parameter");
        return;
    }
    if (!call_u64(c, "packets", usual, PACKETS_MAX, &x.limit) || !call_u64(c, "start", 0, UINT32_MAX, &x.from)) {
        return;
    }
    x.limit = MAX(x.limit, (uint64_t)1);
    buf_init(&x.item, ITEM_BYTES);
    if (one_open(&x.one, c, c->parts[1], false) == 0) {
        x.j = call_json(c);
        int code = show_all(&x);
        if (code < 0 && code != -EPIPE) {
            call_fail(c, ask_status(code), "%s", ask_why(&x.one.ask, code));
        }
    }
    buf_done(&x.item);
    one_close(&x.one);
}

static void decodings(struct call *c) {
    struct json j = call_json(c);
    decodings_write(&j);
}

/* --- the table --- */

static const struct parameter parameters[] = {
    {"showFrames", PARAM_BOOL, "false", "The packets as they are; else what both sides sent, in order"},
    {"packets", PARAM_NUMBER, "200", "Packets to read, at most 10,000; 10,000 with `gzip` or `image`"},
    {"start", PARAM_NUMBER, "0", "With showFrames: packets to leave out at the beginning"},
    {"base", PARAM_TEXT, NULL, "Also as `text`: natural, ascii, utf8, hex"},
    {"line", PARAM_BOOL, "false", "Offsets in front of hex lines"},
    {"gzip", PARAM_BOOL, "false", "Unpack bodies of HTTP"},
    {"image", PARAM_BOOL, "false", "With the list of files in the session"},
    {"decode", PARAM_JSON, NULL, "What to do to the bytes: `{\"BODY-UNBASE64\":{}}` (see /api/sessions/decodings)"},
    {.name = NULL},
};
static const struct parameter none[] = {{.name = NULL}};

static const struct endpoint endpoints[] = {
    {.pattern = "/api/session/:node/:id/packets",
     .flags = API_GET | API_HISTORY,
     .rights = RIGHT_ANY | RIGHT_PAYLOAD,
     .function = packets,
     .parameters = parameters,
     .title = "Packets of a session",
     .help =
         "`{id,node,src:{ip,port},dst,mode,total,shown,lost,error?,frames:[{n,time,side,captured,wire,file,position,"
         "summary,layers:[{name,text,offset,length}],flags?,payload?,data,text?}]}`, or `items:[{n,time,side,bytes,gap,"
         "data,text?,decoded?,cut?}]`, and with `image` `files:[{n,side,kind,name?,type?,bytes,complete,coding?,md5,"
         "sha256,url}]`. `data` is base64; `error` says why packets are missing."},
    {.pattern = "/api/sessions/decodings",
     .aliases = "/decodings",
     .flags = API_GET,
     .rights = RIGHT_ANY,
     .function = decodings,
     .parameters = none,
     .title = "Decoders",
     .help = "What `decode` of the packets takes, with the options of each."},
};
const struct endpoint_family packet_family = {"packets", endpoints, ARRAY_LEN(endpoints)};
