/* websocket.c: WebSocket frames in both directions (RFC 6455 5), after the HTTP dissector has seen the 101.
 *
 * A frame's header and the first bytes of its payload are read at once; the rest of the payload is only counted, so a
 * frame may be of any size. A sample is the start of a text message; compressed messages (RFC 7692, RSV1) give none.
 */
#include "base/json.h"
#include "base/util.h"
#include "dissect/dissector.h"

#define SAMPLE_MAX 256
#define CONTROL_MAX 125               /* payload of a control frame */
#define FRAME_MAX ((uint64_t)1 << 30) /* nobody sends more in one frame: out of step, or a lie */

enum { OPCODE, CLOSE_CODE, CLOSE_REASON, PAYLOAD_BYTES, FRAME_COUNT, TEXT_SAMPLE, MASKED };

static const struct field_def fields[] = {
    [OPCODE] = {.path = "websocket.opcode",
                .name = "websocket.opcode",
                .type = FT_KEYWORD,
                .flags = F_COUNT,
                .title = "Opcode",
                .help = "Kinds of frames: Continuation, Text, Binary, Close, Ping, Pong"},
    [CLOSE_CODE] = {.path = "websocket.closeCode",
                    .name = "websocket.closeCode",
                    .type = FT_U64,
                    .flags = F_COUNT,
                    .title = "Close Code",
                    .help = "Status code of Close frames"},
    [CLOSE_REASON] = {.path = "websocket.closeReason",
                      .name = "websocket.closeReason",
                      .type = FT_KEYWORD,
                      .flags = F_COUNT | F_UTF8,
                      .title = "Close Reason",
                      .help = "Text of Close frames"},
    [PAYLOAD_BYTES] = {.path = "websocket.payloadBytes",
                       .name = "websocket.payloadBytes",
                       .type = FT_U64,
                       .flags = F_SINGLE | F_SUM | F_BYTES,
                       .title = "Payload Bytes",
                       .help = "Bytes of payload in all frames of both sides"},
    [FRAME_COUNT] = {.path = "websocket.frameCnt",
                     .name = "websocket.frameCnt",
                     .type = FT_U64,
                     .flags = F_SINGLE | F_SUM,
                     .title = "Frame Count",
                     .help = "Number of frames of both sides"},
    [TEXT_SAMPLE] = {.path = "websocket.textSample",
                     .name = "websocket.textSample",
                     .type = FT_KEYWORD,
                     .flags = F_COUNT | F_UTF8,
                     .title = "Text Sample",
                     .help = "First bytes of the first text messages"},
    [MASKED] = {.path = "websocket.maskedFromClient",
                .name = "websocket.maskedFromClient",
                .type = FT_U64,
                .flags = F_SINGLE | F_SUM,
                .title = "Masked Frames",
                .help = "Number of masked frames, as clients must send them"},
};

struct websocket_settings {
    uint32_t samples;
};

static const struct setting settings[] = {
    {.name = "websocketTextSampleCnt",
     .type = ST_U32,
     .offset = SETTING(websocket_settings, samples),
     .fallback = "4",
     .max = 100,
     .help = "Number of text messages whose first 256 bytes are kept; 0 keeps none"},
};

struct websocket_state {
    uint64_t left[2]; /* payload bytes of the frame being passed over */
    uint32_t samples;
};

enum opcode { CONTINUATION = 0, TEXT = 1, BINARY = 2, CLOSE = 8, PING = 9, PONG = 10 };

static const char *const opcode_names[16] = {
    [CONTINUATION] = "Continuation",
    [TEXT] = "Text",
    [BINARY] = "Binary",
    [CLOSE] = "Close",
    [PING] = "Ping",
    [PONG] = "Pong",
};

struct frame {
    uint8_t opcode;
    bool final, compressed, masked;
    struct span mask;
    uint64_t length;
    size_t header;
};

/* False when the header is not complete. */
static bool read_header(struct span bytes, struct frame *ret) {
    struct cursor c = cursor_over(bytes);
    uint8_t first = cursor_u8(&c), second = cursor_u8(&c);
    *ret = (struct frame){
        .opcode = first & 15,
        .final = first & 0x80,
        .compressed = first & 0x40,
        .masked = second & 0x80,
        .length = second & 0x7f,
    };
    if (ret->length == 126) {
        ret->length = cursor_u16(&c);
    } else if (ret->length == 127) {
        ret->length = cursor_u64(&c);
    }
    if (ret->masked) {
        ret->mask = cursor_span(&c, 4);
    }
    ret->header = bytes.len - cursor_left(&c);
    return cursor_ok(&c);
}

/* Lengths no peer may send: a sign that this is not a frame. */
static bool is_sane(struct dissect *d, const struct frame *f) {
    bool control = f->opcode & 8;
    if (f->length >> 63 || (control && (f->length > CONTROL_MAX || !f->final))) {
        dissect_tag(d, "websocket:bad-length");
        return false;
    }
    if (f->length > FRAME_MAX) {
        dissect_tag(d, "websocket:frame-too-long");
        return false;
    }
    return true;
}

static struct span unmask(struct dissect *d, const struct frame *f, struct span payload) {
    uint8_t *to = f->masked ? arena_alloc(d->scratch, payload.len) : NULL;
    if (!f->masked) {
        return payload;
    }
    for (size_t i = 0; to && i < payload.len; i++) {
        to[i] = (uint8_t)(span_byte(payload, i) ^ span_byte(f->mask, i & 3));
    }
    return span_make(to, to ? payload.len : 0);
}

/* A cut may fall into a character: its first bytes go, too. */
static struct span whole_characters(struct span text) {
    for (size_t cut = 0; cut < 4 && cut <= text.len; cut++) {
        struct span shorter = span_sub(text, 0, text.len - cut);
        if (utf8_valid(shorter)) {
            return shorter;
        }
    }
    return text;
}

static void put_frame(struct dissect *d, const struct frame *f, struct span payload) {
    const struct websocket_settings *wish = d->settings;
    struct websocket_state *state = d->state;
    const char *name = opcode_names[f->opcode];
    if (name) {
        put_const(d, OPCODE, name);
    }
    put_u64(d, FRAME_COUNT, 1);
    put_u64(d, PAYLOAD_BYTES, f->length);
    if (f->masked) {
        put_u64(d, MASKED, 1);
    }
    if (f->opcode == TEXT && !f->compressed && payload.len && state->samples < wish->samples) {
        struct span text = unmask(d, f, payload);
        state->samples++;
        put_text(d, TEXT_SAMPLE, f->length > payload.len ? whole_characters(text) : text);
    }
    if (f->opcode == CLOSE && payload.len >= 2) {
        struct span plain = unmask(d, f, payload);
        struct cursor c = cursor_over(plain);
        uint16_t code = cursor_u16(&c);
        struct span reason = cursor_rest(&c);
        put_u64(d, CLOSE_CODE, code);
        if (reason.len) {
            put_text(d, CLOSE_REASON, reason);
        }
    }
}

/* How many payload bytes are looked at. */
static size_t window_of(const struct dissect *d, const struct frame *f) {
    const struct websocket_settings *wish = d->settings;
    const struct websocket_state *state = d->state;
    bool sample = f->opcode == TEXT && !f->compressed && state->samples < wish->samples;
    return sample ? (size_t)MIN(f->length, SAMPLE_MAX) : f->opcode == CLOSE ? (size_t)f->length : 0;
}

/* The side is out of step when more is missing than the frame at hand still has. */
static bool over_gap(const struct dissect *d) {
    struct websocket_state *state = d->state;
    uint64_t *left = &state->left[d->side];
    if (d->gap == 0 || d->gap > *left) {
        return false;
    }
    *left -= d->gap;
    return true;
}

static enum verdict stream(struct dissect *d, struct span bytes) {
    struct websocket_state *state = d->state;
    uint64_t *left = &state->left[d->side];
    size_t at = 0;
    if (d->gap_before && !over_gap(d)) {
        return VERDICT_BROKEN;
    }
    d->wanted = 0;
    for (;;) {
        size_t skip = (size_t)MIN(*left, bytes.len - at);
        *left -= skip;
        at += skip;
        struct frame f;
        struct span rest = span_from(bytes, at);
        d->consumed = at;
        if (rest.len == 0) {
            return VERDICT_OK;
        }
        if (!read_header(rest, &f)) {
            return d->at_end ? VERDICT_OK : VERDICT_MORE;
        }
        if (!is_sane(d, &f)) {
            return VERDICT_BROKEN;
        }
        size_t window = window_of(d, &f);
        if (rest.len < f.header + window && !d->at_end) {
            d->wanted = f.header + window;
            return VERDICT_MORE;
        }
        put_frame(d, &f, span_sub(rest, f.header, window));
        at += f.header;
        *left = f.length;
    }
}

const struct dissector dissector_websocket = {
    .name = "websocket",
    .title = "WebSocket",
    .spec = "RFC 6455",
    .fields = fields,
    .field_count = ARRAY_LEN(fields),
    .state_size = sizeof(struct websocket_state),
    .buffer_max = 4096,
    .takes_gaps = true,
    .stream = stream,
    .settings = settings,
    .setting_count = ARRAY_LEN(settings),
    .settings_size = sizeof(struct websocket_settings),
};
