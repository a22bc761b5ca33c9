/* downloads.c: packets and their contents as files: captures of sessions, one side's bytes, files sent in a session.
 *
 * What was sent by strangers is never shown by the browser: all of it comes as an attachment of no particular type.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <zlib.h>

#include "api/one.h"
#include "api/queries.h"
#include "base/digest.h"
#include "base/util.h"
#include "fetch/bodies.h"
#include "fetch/fetch.h"
#include "record/values.h"

#define EXPORT_LENGTH 1000000
#define CHUNK_POSITIONS ((size_t)1 << 20) /* sorted by time together: 16 MiB */
#define CHUNK_SESSIONS 10000
#define CHUNK_DOCUMENTS ((size_t)32 << 20) /* bytes of JSON */
#define TAGS_MAX 1000
#define PNG_WIDTH 256
#define PNG_ROWS_MAX 65536

/* --- captures --- */

struct exporting {
    struct ask *ask;
    struct file_names *files;
    struct captures *captures;
    struct packet_writer *writer;
    bool headless; /* the file header is taken off */
    size_t header_left;
    struct fetch_session sessions[CHUNK_SESSIONS];
    struct packet_position *positions;
    size_t count, position_count;
    struct items items;                /* of documents; opened for pcapng */
    struct buf documents;              /* of the sessions of the chunk */
    size_t places[CHUNK_SESSIONS + 1]; /* where each begins */
    uint64_t packets, lost;
    struct err why;
};

static int export_sink(void *ctx, const uint8_t *at, size_t n) {
    struct exporting *x = ctx;
    size_t skip = MIN(n, x->header_left);
    x->header_left -= skip;
    buf_add(reply_body(x->ask->call->reply), at + skip, n - skip);
    return reply_push(x->ask->call->reply);
}

static void chunk_clear(struct exporting *x) {
    for (size_t i = 0; i < x->count; i++) {
        free((char *)(uintptr_t)x->sessions[i].id);
        free((char *)(uintptr_t)x->sessions[i].tags);
    }
    x->count = x->position_count = 0;
    buf_clear(&x->documents);
}

static int chunk_write(struct exporting *x) {
    struct fetch_result result;
    struct err e = {0};
    struct fetch_request q = {.sessions = x->sessions,
                              .count = x->count,
                              .order = FETCH_BY_TIME,
                              .cancelled = call_cancelled,
                              .ctx = x->ask->call};
    if (x->count == 0) {
        return 0;
    }
    for (size_t i = 0; i < x->count && x->documents.len; i++) { /* they stand still from here on */
        size_t end = i + 1 < x->count ? x->places[i + 1] : x->documents.len;
        x->sessions[i].document = span_make(x->documents.data + x->places[i], end - x->places[i]);
    }
    int code = fetch_stored(x->captures, &q, x->writer, &result, &e);
    x->packets += result.packets;
    x->lost += result.lost;
    if (result.lost && !x->why.code) {
        x->why = result.why;
    }
    if (code < 0 && !x->ask->err.text[0]) {
        x->ask->err = e;
    }
    chunk_clear(x);
    return code;
}

struct tags {
    char text[TAGS_MAX];
    size_t len;
};

static bool add_tag(void *ctx, const struct field *f, const struct value *v) {
    struct tags *t = ctx;
    (void)f;
    if (t->len + v->bytes.len + 3 > sizeof(t->text)) {
        return false;
    }
    t->len += (size_t)snprintf(t->text + t->len, sizeof(t->text) - t->len, "%s%.*s", t->len ? ", " : "",
                               (int)v->bytes.len, (const char *)v->bytes.at);
    return true;
}

/* Adds a session to the chunk, in pieces when it is larger than one. */
static int chunk_add(struct exporting *x, const struct search_row *row, const struct record *r) {
    struct tags tags = {.len = 0};
    const struct field *f = registry_field(r->registry, registry_by_path(r->registry, SPAN_LITERAL("tags")));
    int code = 0;
    if (f) {
        record_values(r, f, add_tag, &tags);
    }
    for (size_t done = 0; code == 0 && (done < r->position_count || done == 0);) {
        if (x->count == CHUNK_SESSIONS || x->position_count == CHUNK_POSITIONS || x->documents.len > CHUNK_DOCUMENTS) {
            code = chunk_write(x);
        }
        x->places[x->count] = x->documents.len;
        if (x->items.fields && done == 0 && code == 0) {
            struct json j = json_over(&x->documents);
            code = items_write(&x->items, row, &j);
        }
        size_t n = MIN((size_t)r->position_count - done, CHUNK_POSITIONS - x->position_count);
        struct fetch_session *s = &x->sessions[x->count];
        *s = (struct fetch_session){strdup(r->name), strdup(tags.text), x->positions + x->position_count, n,
                                    r->first_time,   r->last_time};
        x->count++;
        if (!s->id || !s->tags) {
            return -ENOMEM;
        }
        if (n) {
            memcpy(x->positions + x->position_count, r->positions + done, n * sizeof(*x->positions));
        }
        x->position_count += n;
        done += n;
        if (n == 0) {
            break;
        }
    }
    return code;
}

static int export_rows(struct exporting *x, const struct search_row *rows, size_t count) {
    const struct field *f = registry_field(x->ask->registry, registry_by_path(x->ask->registry, SPAN_LITERAL("tags")));
    struct restorer *restorer = NULL;
    const struct record *r;
    int code = restorer_new(x->ask->snapshot, f ? &f->id : NULL, f != NULL, true, &restorer);
    for (size_t i = 0; code == 0 && i < count; i++) {
        code = restorer_read(restorer, rows[i].part, rows[i].row, &r);
        code = code < 0 ? code : chunk_add(x, &rows[i], r);
    }
    code = code < 0 ? code : chunk_write(x);
    restorer_free(restorer);
    return code;
}

static void export_headers(struct call *c, enum packet_format format) {
    bool ng = format == PACKET_FORMAT_PCAPNG;
    reply_type(c->reply, ng ? "application/x-pcapng" : "application/vnd.tcpdump.pcap");
    reply_header(c->reply, "Content-Disposition",
                 ng ? "attachment; filename=\"sessions.pcapng\"" : "attachment; filename=\"sessions.pcap\"");
}

static int export_open(struct exporting *x, enum packet_format format) {
    const struct packet_writer_options options = {.format = format};
    x->files = file_names_new(x->ask->call->api->control);
    x->captures = x->files ? captures_of(x->files) : NULL;
    x->positions = calloc(CHUNK_POSITIONS, sizeof(*x->positions));
    if (!x->captures || !x->positions) {
        return -ENOMEM;
    }
    x->header_left = x->headless ? 24 : 0;
    buf_init(&x->documents, CHUNK_DOCUMENTS * 2 + ((size_t)16 << 20));
    int code = format == PACKET_FORMAT_PCAPNG ? items_open_all(&x->items, x->ask) : 0;
    if (code < 0) {
        return code;
    }
    return packet_writer_open_sink(export_sink, x, &options, &x->writer, &x->ask->err);
}

/* What was found goes out; a capture that is gone fails only when nothing could be read. */
static int export_found(struct ask *a, enum packet_format format) {
    const struct search_row *rows;
    size_t count = 0;
    struct exporting *x = calloc(1, sizeof(*x));
    if (!x) {
        return -ENOMEM;
    }
    int code = ask_rows(a, &rows, &count);
    if (code == 0 && count == 0) {
        code = err_set(&a->err, -ENOENT, "no sessions found");
    }
    if (code == 0) {
        x->ask = a;
        x->headless = call_bool(a->call, "noHeader", false) && format == PACKET_FORMAT_PCAP;
        export_headers(a->call, format);
        code = export_open(x, format);
    }
    code = code < 0 ? code : export_rows(x, rows, count);
    if (x->writer) {
        struct err closing = {0};
        int closed = packet_writer_close(x->writer, &closing);
        code = code < 0 ? code : closed;
        if (code == 0 && x->packets == 0 && x->lost) {
            a->err = x->why;
            code = -ENOENT;
        }
    }
    ask_count(a, count);
    chunk_clear(x);
    captures_free(x->captures);
    file_names_free(x->files);
    items_close(&x->items);
    buf_done(&x->documents);
    free(x->positions);
    free(x);
    return code;
}

static void export(struct call *c, enum packet_format format, const struct ask_rules *rules) {
    struct ask a;
    int code = ask_open(&a, c, rules);
    if (code == 0) {
        code = ask_run(&a);
    }
    if (code == 0) {
        code = export_found(&a, format);
    }
    if (code == -EINVAL && a.err.hint[0]) {
        call_fail(c, 400, "%s: %s", a.err.text, a.err.hint);
    } else if (code < 0 && code != -EPIPE) {
        call_fail(c, ask_status(code), "%s", ask_why(&a, code));
    }
    ask_close(&a);
}

static const struct ask_rules many = {.ids = true, .length = EXPORT_LENGTH};

static void sessions_pcap(struct call *c) {
    export(c, PACKET_FORMAT_PCAP, &many);
}

static void sessions_pcapng(struct call *c) {
    export(c, PACKET_FORMAT_PCAPNG, &many);
}

static void session_pcap(struct call *c) {
    export(c, PACKET_FORMAT_PCAP, &(struct ask_rules){.only = c->parts[1], .length = 1, .unordered = true});
}

static void session_pcapng(struct call *c) {
    export(c, PACKET_FORMAT_PCAPNG, &(struct ask_rules){.only = c->parts[1], .length = 1, .unordered = true});
}

/* All pieces of a long session: those that name the root, and the root. */
static void session_entire(struct call *c) {
    export(c, PACKET_FORMAT_PCAP,
           &(struct ask_rules){.only = c->parts[1], .length = 1000, .unordered = true, .all_pieces = true});
}

/* --- one side --- */

struct raw {
    struct call *call;
    unsigned side;
    int code;
};

static bool raw_piece(void *ctx, const struct conversation_piece *p) {
    static const uint8_t zeros[4096];
    struct raw *r = ctx;
    struct buf *out = reply_body(r->call->reply);
    if (p->side != r->side) {
        return true;
    }
    for (uint64_t gap = p->gap <= ONE_GAP_FILLED ? p->gap : 0; gap;) {
        size_t n = (size_t)MIN(gap, (uint64_t)sizeof(zeros));
        buf_add(out, zeros, n);
        gap -= n;
    }
    buf_add_span(out, p->bytes);
    r->code = reply_push(r->call->reply);
    return r->code == 0;
}

static void attachment(struct call *c, const char *name) {
    char text[BODY_NAME_MAX + 64];
    (void)snprintf(text, sizeof(text), "attachment; filename=\"%s\"", name);
    reply_type(c->reply, "application/octet-stream");
    reply_header(c->reply, "Content-Disposition", text);
}

static unsigned asked_side(const struct call *c) {
    return strcmp(call_text(c, "type", "src"), "dst") == 0 ? 1 : 0;
}

static void session_raw(struct call *c) {
    struct one one;
    struct raw raw = {c, asked_side(c), 0};
    struct conversation_hooks hooks = {&raw, NULL, raw_piece};
    struct conversation_result result;
    if (one_open(&one, c, c->parts[1], false) == 0) {
        attachment(c, raw.side ? "dst.raw" : "src.raw");
        int code = conversation_read(one.captures, one.record, 0, &hooks, &result);
        if (code < 0 && code != -EPIPE) {
            call_fail(c, ask_status(code), "%s", ask_why(&one.ask, code));
        } else if (code == 0 && result.packets == 0 && result.lost) {
            call_fail(c, 404, "%s", result.why.text);
        }
    }
    one_close(&one);
}

/* --- pictures of bytes: a grey pixel for each (PNG, ISO/IEC 15948) --- */

static void png_chunk(struct buf *out, const char *type, struct span data) {
    uint8_t number[4];
    uint32_t length = (uint32_t)data.len, crc = (uint32_t)crc32(0, (const Bytef *)type, 4);
    crc = data.len ? (uint32_t)crc32(crc, data.at, (uInt)data.len) : crc;
    for (unsigned i = 0; i < 4; i++) {
        number[i] = (uint8_t)(length >> (24 - 8 * i));
    }
    buf_add(out, number, 4);
    buf_add(out, type, 4);
    buf_add_span(out, data);
    for (unsigned i = 0; i < 4; i++) {
        number[i] = (uint8_t)(crc >> (24 - 8 * i));
    }
    buf_add(out, number, 4);
}

static int png_write(struct span bytes, struct buf *out) {
    uint32_t rows = (uint32_t)MIN((bytes.len + PNG_WIDTH - 1) / PNG_WIDTH, (size_t)PNG_ROWS_MAX);
    rows = MAX(rows, 1u);
    uint8_t head[13] = {[2] = PNG_WIDTH >> 8,       [4] = (uint8_t)(rows >> 24), [5] = (uint8_t)(rows >> 16),
                        [6] = (uint8_t)(rows >> 8), [7] = (uint8_t)rows,         [8] = 8};
    size_t size = (size_t)rows * (PNG_WIDTH + 1);
    uLongf packed_size = compressBound(size);
    uint8_t *raw = calloc(1, size), *packed = malloc(packed_size);
    int code = raw && packed ? 0 : -ENOMEM;
    for (uint32_t r = 0; code == 0 && r < rows; r++) { /* each row begins with its filter: none */
        struct span row = span_sub(bytes, (size_t)r * PNG_WIDTH, PNG_WIDTH);
        (void)span_copy_to(row, raw + (size_t)r * (PNG_WIDTH + 1) + 1);
    }
    if (code == 0 && compress2(packed, &packed_size, raw, size, 1) != Z_OK) {
        code = -ENOMEM;
    }
    if (code == 0) {
        buf_add(out, "\x89PNG\r\n\x1a\n", 8);
        png_chunk(out, "IHDR", span_make(head, sizeof(head)));
        png_chunk(out, "IDAT", span_make(packed, packed_size));
        png_chunk(out, "IEND", (struct span){NULL, 0});
    }
    free(raw);
    free(packed);
    return code;
}

static void session_raw_png(struct call *c) {
    struct one one;
    struct sides sides;
    if (one_open(&one, c, c->parts[1], false) == 0) {
        int code = one_sides(&one, &sides);
        reply_type(c->reply, "image/png");
        code = code < 0 ? code : png_write(buf_span(&sides.bytes[asked_side(c)]), reply_body(c->reply));
        if (code < 0) {
            call_fail(c, ask_status(code), "%s", ask_why(&one.ask, code));
        }
        sides_done(&sides);
    }
    one_close(&one);
}

/* --- files --- */

/* Which file is meant: by its number, or by a digest of its bytes as sent. */
struct wanted {
    struct call *call;
    uint64_t number;
    struct span hash; /* empty: by number */
    struct digests *digests;
    bool png, found;
};

static bool hash_fits(const struct wanted *w, struct span bytes) {
    static const enum digest_kind kinds[] = {DIGEST_MD5, DIGEST_SHA256};
    for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
        uint8_t digest[DIGEST_MAX];
        char text[2 * DIGEST_MAX];
        size_t len = w->digests ? digest_once(w->digests, kinds[i], bytes, digest) : 0;
        hex_write(digest, len, text);
        if (len && span_equal_fold(w->hash, span_make(text, 2 * len))) {
            return true;
        }
    }
    return false;
}

static bool body_send(void *ctx, const struct body *b) {
    struct wanted *w = ctx;
    if (w->hash.len ? !hash_fits(w, b->bytes) : b->number != w->number) {
        return true;
    }
    w->found = true;
    struct buf plain;
    buf_init(&plain, BODY_MAX + 65536);
    (void)body_unpack(b, &plain); /* what could be unpacked is better than nothing */
    if (w->png) {
        reply_type(w->call->reply, "image/png");
        (void)png_write(buf_span(&plain), reply_body(w->call->reply));
    } else {
        char name[BODY_NAME_MAX + 16];
        (void)snprintf(name, sizeof(name), "%s", b->name[0] ? b->name : "file");
        if (w->hash.len) {
            (void)snprintf(name, sizeof(name), "%.64s.pellet", (const char *)w->hash.at);
        }
        attachment(w->call, name);
        buf_add_span(reply_body(w->call->reply), buf_span(&plain));
    }
    buf_done(&plain);
    return false;
}

static int body_find(struct one *one, struct wanted *w) {
    struct sides sides;
    int code = one_sides(one, &sides);
    if (code == 0) {
        const struct span spans[2] = {buf_span(&sides.bytes[0]), buf_span(&sides.bytes[1])};
        code = bodies_each(spans, body_send, w);
    }
    if (code == 0 && !w->found && sides.result.lost && sides.result.packets == 0) {
        one->ask.err = sides.result.why;
        code = -ENOENT;
    }
    sides_done(&sides);
    return code;
}

static void body_answer(struct call *c, struct wanted *w, const char *id) {
    struct one one;
    w->digests = w->hash.len ? digests_new() : NULL;
    if (one_open(&one, c, id, false) == 0) {
        int code = body_find(&one, w);
        if (code < 0) {
            call_fail(c, ask_status(code), "%s", ask_why(&one.ask, code));
        } else if (!w->found) {
            call_fail(c, w->hash.len ? 400 : 404, w->hash.len ? "No match" : "The session has no such file");
        }
    }
    one_close(&one);
    digests_free(w->digests);
}

static void body_by_number(struct call *c, bool png) {
    struct wanted w = {.call = c, .png = png};
    if (!span_decimal(span_text(c->parts[3]), BODIES_MAX, &w.number)) {
        call_fail(c, 400, "The number of the file is no number");
        return;
    }
    body_answer(c, &w, c->parts[1]);
}

static void session_body(struct call *c) {
    body_by_number(c, false);
}

static void session_body_png(struct call *c) {
    body_by_number(c, true);
}

static bool is_hash(const char *text) {
    size_t len = strspn(text, "0123456789abcdefABCDEF");
    return text[len] == 0 && (len == 32 || len == 64);
}

static void session_bodyhash(struct call *c) {
    struct wanted w = {.call = c, .hash = span_text(c->parts[2])};
    if (!is_hash(c->parts[2])) {
        call_fail(c, 400, "No match");
        return;
    }
    body_answer(c, &w, c->parts[1]);
}

/* The first session in whose fields the digest stands. */
static int hash_session(struct ask *a, const char *hash, char ret_id[SESSION_NAME_MAX]) {
    static const char *const names[] = {"http.md5", "http.sha256", "email.md5", "email.sha256"};
    struct buf text;
    struct search *s = NULL;
    struct search_page page = {0};
    struct restorer *restorer = NULL;
    const struct record *r;
    buf_init(&text, 4096);
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        if ((i < 2 || (a->call->who->rights & RIGHT_EMAIL)) &&
            registry_by_name(a->registry, span_text(names[i])) != FIELD_NONE) {
            buf_printf(&text, "%s%s == %s", text.len ? " || " : "", names[i], hash);
        }
    }
    int code = text.len ? ask_search(a, &(struct ask_variant){.expression = buf_span(&text)}, &s) : -ENOENT;
    code = code < 0 ? code : search_rows(s, a->order, a->order_count, 0, 1, &page);
    code = code < 0 ? code : page.count ? 0 : -ENOENT;
    code = code < 0 ? code : restorer_new(a->snapshot, NULL, 0, false, &restorer);
    code = code < 0 ? code : restorer_read(restorer, page.rows[0].part, page.rows[0].row, &r);
    if (code == 0) {
        (void)snprintf(ret_id, SESSION_NAME_MAX, "%s", r->name);
    }
    restorer_free(restorer);
    search_free(s);
    buf_done(&text);
    return code;
}

static void sessions_bodyhash(struct call *c) {
    char id[SESSION_NAME_MAX];
    struct wanted w = {.call = c, .hash = span_text(c->parts[0])};
    struct ask a;
    if (!is_hash(c->parts[0])) {
        call_fail(c, 400, "No Match Found");
        return;
    }
    int code = ask_open(&a, c, &(struct ask_rules){.ids = false});
    if (code == 0) {
        code = hash_session(&a, c->parts[0], id);
        if (code == -ENOENT) {
            code = err_set(&a.err, -EINVAL, "No Match Found");
        }
    }
    if (code < 0) {
        call_fail(c, ask_status(code), "%s", ask_why(&a, code));
    }
    ask_close(&a);
    if (code == 0) {
        body_answer(c, &w, id);
    }
}

/* --- the table --- */

static const struct parameter none[] = {{.name = NULL}};
static const struct parameter side_parameters[] = {
    {"type", PARAM_TEXT, "src", "Whose bytes: src, dst"},
    {.name = NULL},
};
static const struct parameter pcap_parameters[] = {
    {"noHeader", PARAM_BOOL, "false", "Without the file's header"},
    {.name = NULL},
};

#define EXPORT_FLAGS (API_GET | API_POST | API_SESSION_QUERY | API_HISTORY)
static const struct endpoint endpoints[] = {
    {.pattern = "/api/sessions/pcap",
     .aliases = "/api/sessions/pcap/:name /api/sessions.pcap /sessions.pcap",
     .flags = EXPORT_FLAGS,
     .rights = RIGHT_ANY | RIGHT_PCAP,
     .function = sessions_pcap,
     .parameters = none,
     .title = "Packets of sessions as pcap",
     .help =
         "One capture, packets in the order of time. 404 `no sessions found`. Packets of different link types do not "
         "go into one pcap file: 400, pcapng takes them."},
    {.pattern = "/api/sessions/pcapng",
     .aliases = "/api/sessions/pcapng/:name /api/sessions.pcapng /sessions.pcapng",
     .flags = EXPORT_FLAGS,
     .rights = RIGHT_ANY | RIGHT_PCAP,
     .function = sessions_pcapng,
     .parameters = none,
     .title = "Packets of sessions as pcapng",
     .help =
         "As pcap, with nanoseconds. Before the first packet of each session stands a block of type 0x80808080: `MOWL` "
         "and the session as JSON; the packet itself has a comment with its id and tags. Programs that do not know "
         "the block skip it."},
    {.pattern = "/api/session/:node/:id/pcap",
     .aliases = "/api/session/:node/:id.pcap",
     .flags = API_GET | API_POST | API_HISTORY,
     .rights = RIGHT_ANY | RIGHT_PCAP,
     .function = session_pcap,
     .parameters = pcap_parameters,
     .title = "Packets of a session as pcap",
     .help = "A capture."},
    {.pattern = "/api/session/:node/:id/pcapng",
     .aliases = "/api/session/:node/:id.pcapng",
     .flags = API_GET | API_POST | API_HISTORY,
     .rights = RIGHT_ANY | RIGHT_PCAP,
     .function = session_pcapng,
     .parameters = none,
     .title = "Packets of a session as pcapng",
     .help = "A capture."},
    {.pattern = "/api/session/entire/:node/:id.pcap",
     .aliases = "/api/session/entire/:node/:id",
     .flags = API_GET | API_HISTORY,
     .rights = RIGHT_ANY | RIGHT_PCAP,
     .function = session_entire,
     .parameters = none,
     .title = "Packets of all pieces of a long session",
     .help = "A capture with the pieces that have this root, at most 1,000."},
    {.pattern = "/api/session/raw/:node/:id",
     .aliases = "/:node/raw/:id",
     .flags = API_GET | API_HISTORY,
     .rights = RIGHT_ANY | RIGHT_PAYLOAD,
     .function = session_raw,
     .parameters = side_parameters,
     .title = "What one side sent",
     .help = "The bytes in order; gaps of at most 64 KiB are filled with zeros."},
    {.pattern = "/api/session/raw/:node/:id.png",
     .flags = API_GET,
     .rights = RIGHT_ANY | RIGHT_PAYLOAD,
     .function = session_raw_png,
     .parameters = side_parameters,
     .title = "What one side sent, as a picture",
     .help = "A grey pixel for each byte, 256 in a row."},
    {.pattern = "/api/session/:node/:id/body/:type/:num/:name",
     .flags = API_GET | API_HISTORY,
     .rights = RIGHT_ANY | RIGHT_PAYLOAD,
     .function = session_body,
     .parameters = none,
     .title = "A file out of a session",
     .help = "File `num` of the list that packets give with `image=true`, unpacked."},
    {.pattern = "/api/session/:node/:id/bodypng/:type/:num/:name",
     .flags = API_GET,
     .rights = RIGHT_ANY | RIGHT_PAYLOAD,
     .function = session_body_png,
     .parameters = none,
     .title = "A file out of a session, as a picture",
     .help = "A grey pixel for each byte."},
    {.pattern = "/api/session/:node/:id/bodyhash/:hash",
     .flags = API_GET | API_HISTORY,
     .rights = RIGHT_ANY | RIGHT_PAYLOAD,
     .function = session_bodyhash,
     .parameters = none,
     .title = "A file out of a session, by digest",
     .help = "The file whose MD5 or SHA-256, as it was sent, is this; 400 `No match`."},
    {.pattern = "/api/sessions/bodyhash/:hash",
     .aliases = "/bodyHash/:hash",
     .flags = API_GET | API_SESSION_QUERY | API_HISTORY,
     .rights = RIGHT_ANY | RIGHT_PAYLOAD,
     .function = sessions_bodyhash,
     .parameters = none,
     .title = "A file by digest",
     .help = "Out of the first session that has it; 400 `No Match Found`."},
};
const struct endpoint_family download_family = {"downloads", endpoints, ARRAY_LEN(endpoints)};
