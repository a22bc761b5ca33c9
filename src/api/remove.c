/* remove.c: what takes stored sessions away: their fields (deletions lie over the rows, control.h), their packets
 * (overwritten in the captures, fetch/scrub.h), or both.
 *
 * Decision: every capture concerned is checked before the first byte is overwritten, who asked for it stands in history
 * by then, and a session is marked or deleted only when all its packets were.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "api/history.h"
#include "api/one.h"
#include "api/queries.h"
#include "base/util.h"
#include "fetch/scrub.h"

#define REMOVE_LENGTH 1000000
#define CHUNK_POSITIONS ((size_t)1 << 20) /* looked for together: 32 MiB */

enum { REMOVE_SPI = 1, REMOVE_PCAP = 2 };

struct removing {
    struct ask ask;
    unsigned what;
    uint64_t *seqs;
    size_t count;
    const struct search_row *rows;
    struct file_names *files;
    struct captures *captures;
    const char *own; /* where captures may be changed; NULL: anywhere */
    struct capture_packet *packets;
    size_t position_count;
    struct scrub_result scrubbed;
};

static void removing_done(struct removing *x) {
    captures_free(x->captures);
    file_names_free(x->files);
    free(x->packets);
    free(x->seqs);
    ask_close(&x->ask);
}

/* --- packets --- */

typedef int (*record_fn)(struct removing *x, const struct record *r);

static int each_record(struct removing *x, record_fn each) {
    struct restorer *restorer = NULL;
    const struct record *r;
    int code = restorer_new(x->ask.snapshot, NULL, 0, true, &restorer);
    for (size_t i = 0; code == 0 && i < x->count; i++) {
        code = call_cancelled(x->ask.call) ? -ECANCELED : restorer_read(restorer, x->rows[i].part, x->rows[i].row, &r);
        code = code < 0 ? code : each(x, r);
    }
    restorer_free(restorer);
    return code;
}

static int check_record(struct removing *x, const struct record *r) {
    int code = 0;
    for (uint32_t i = 0; code == 0 && i < r->position_count; i++) {
        uint32_t file = r->positions[i].file;
        if ((i && r->positions[i - 1].file == file) || file == 0) {
            continue;
        }
        const char *name = file_names_get(x->files, file);
        if (!name) {
            return err_set(&x->ask.err, -EOPNOTSUPP, "capture %u is not known any more", (unsigned)file);
        }
        code = scrub_check(&(struct capture_known){.name = name, .size = file_names_size(x->files, file)}, x->own,
                           &x->ask.err);
    }
    return code;
}

static int scrub_chunk(struct removing *x) {
    struct scrub_result result;
    struct scrub_request request = {.captures = x->captures,
                                    .own = x->own,
                                    .packets = x->packets,
                                    .count = x->position_count,
                                    .cancelled = call_cancelled,
                                    .ctx = x->ask.call};
    int code = scrub_packets(&request, &result, &x->ask.err);
    x->scrubbed.packets += result.packets;
    x->scrubbed.bytes += result.bytes;
    x->scrubbed.why = x->scrubbed.lost ? x->scrubbed.why : result.why;
    x->scrubbed.lost += result.lost;
    x->position_count = 0;
    return code;
}

static int scrub_record(struct removing *x, const struct record *r) {
    int code = 0;
    for (uint32_t i = 0; code == 0 && i < r->position_count; i++) {
        if (x->position_count == CHUNK_POSITIONS) {
            code = scrub_chunk(x);
        }
        if (r->positions[i].file) { /* 0: it was not kept */
            x->packets[x->position_count++] = (struct capture_packet){r->positions[i], r->first_time, r->last_time};
        }
    }
    return code;
}

/* Who did it is known even if this program does not live to see the end. */
static int begin_note(struct removing *x) {
    int code = history_begin(x->ask.call);
    return code < 0 ? err_set(&x->ask.err, code == -ENOMEM ? code : -EIO,
                              "nothing was overwritten: who asked for it cannot be written down")
                    : 0;
}

static int scrub_all(struct removing *x) {
    const struct api *api = x->ask.call->api;
    x->files = file_names_new(api->control);
    x->captures = x->files ? captures_of(x->files) : NULL;
    x->packets = calloc(CHUNK_POSITIONS, sizeof(*x->packets));
    x->own = api->settings->scrub_foreign ? NULL : api->folder;
    if (!x->captures || !x->packets) {
        return -ENOMEM;
    }
    int code = each_record(x, check_record);
    code = code < 0 ? code : begin_note(x);
    code = code < 0 ? code : each_record(x, scrub_record);
    code = code < 0 ? code : scrub_chunk(x);
    if (code == 0 && x->scrubbed.lost) {
        code = err_set(&x->ask.err, -ESTALE, "%llu packets were overwritten, %llu were not found: %s",
                       (unsigned long long)x->scrubbed.packets, (unsigned long long)x->scrubbed.lost,
                       x->scrubbed.why.text);
    }
    return code;
}

/* Who did it and when, over sessions that stay. */
static int mark_all(struct removing *x) {
    const struct call *c = x->ask.call;
    char when[24];
    (void)snprintf(when, sizeof(when), "%lld", (long long)now_ms());
    struct overlay_change by = {.seqs = x->seqs,
                                .count = x->count,
                                .op = OVERLAY_SET,
                                .path = "scrubby",
                                .value = span_text(c->who->id),
                                .user = c->who->id};
    struct overlay_change at = by;
    at.path = "scrubat";
    at.value = span_text(when);
    int code = overlay_write(c->api->control, &by, &x->ask.err);
    return code < 0 ? code : overlay_write(c->api->control, &at, &x->ask.err);
}

/* --- the endpoints --- */

static int remove_found(struct removing *x) {
    const struct call *c = x->ask.call;
    size_t rows = 0;
    int code = ask_run(&x->ask);
    code = code < 0 ? code : ask_seqs(&x->ask, &x->seqs, &x->count);
    code = code < 0 ? code : ask_rows(&x->ask, &x->rows, &rows);
    if (code < 0 || x->count == 0) {
        return code;
    }
    code = x->what & REMOVE_PCAP ? scrub_all(x) : 0;
    if (code == 0 && (x->what & REMOVE_SPI)) {
        struct overlay_change change = {
            .seqs = x->seqs, .count = x->count, .op = OVERLAY_DELETE_ROW, .user = c->who->id};
        code = overlay_write(c->api->control, &change, &x->ask.err);
    } else if (code == 0) {
        code = mark_all(x);
    }
    (void)store_refresh(c->api->store);
    return code;
}

static int status_of(int code) {
    switch (code) {
    case -EPERM:
    case -EROFS:
        return 403;
    case -EOPNOTSUPP:
    case -ELOOP:
        return 400;
    case -ESTALE:
        return 409;
    default:
        return ask_status(code);
    }
}

static void remove_answer(struct removing *x, int code) {
    static const char *const words[] = {
        [REMOVE_SPI] = "SPI", [REMOVE_PCAP] = "PCAP", [REMOVE_SPI | REMOVE_PCAP] = "PCAP and SPI"};
    struct call *c = x->ask.call;
    if (code < 0) {
        call_fail(c, status_of(code), "%s", ask_why(&x->ask, code));
    } else {
        char text[96];
        (void)snprintf(text, sizeof(text), "Deletion %s data of %zu session%s complete", words[x->what], x->count,
                       x->count == 1 ? "" : "s");
        call_done(c, text);
    }
    ask_count(&x->ask, x->count);
}

static void delete_sessions(struct call *c) {
    struct removing x = {.what = (call_bool(c, "removeSpi", false) ? REMOVE_SPI : 0) |
                                 (call_bool(c, "removePcap", false) ? REMOVE_PCAP : 0)};
    if (!x.what) {
        call_fail(c, 403, "You can't delete nothing");
        return;
    }
    if (request_param(c->request, "ids").len == 0 && span_trim(request_param(c->request, "expression")).len == 0) {
        call_fail(c, 403, "Error: Missing expression. An expression is required so you don't delete everything.");
        return;
    }
    int code = ask_open(&x.ask, c, &(struct ask_rules){.ids = true, .length = REMOVE_LENGTH});
    code = code < 0 ? code : remove_found(&x);
    remove_answer(&x, code);
    removing_done(&x);
}

static void session_scrub(struct call *c) {
    static const char *const names[] = {"", "spi", "pcap", "all"};
    struct removing x = {.what = 0};
    for (unsigned i = 1; i < ARRAY_LEN(names); i++) {
        x.what = strcmp(c->parts[2], names[i]) == 0 ? i : x.what;
    }
    if (!x.what) {
        call_fail(c, 403, "Bad scrub type");
        return;
    }
    int code = ask_open(&x.ask, c, &(struct ask_rules){.only = c->parts[1], .length = 1, .unordered = true});
    if (code == 0) {
        x.ask.from = 0;
        x.ask.length = 1;
        code = remove_found(&x);
    }
    if (code == 0 && x.count == 0) {
        code = err_set(&x.ask.err, -ENOENT, "Session not found");
    }
    remove_answer(&x, code);
    removing_done(&x);
}

static const struct parameter delete_parameters[] = {
    {"removeSpi", PARAM_BOOL, "false", "Delete the sessions; without removePcap their packets stay in the captures"},
    {"removePcap", PARAM_BOOL, "false", "Overwrite their packets in the captures"},
    {.name = NULL},
};
static const struct parameter none[] = {{.name = NULL}};

static const struct endpoint endpoints[] = {
    {.pattern = "/api/delete",
     .aliases = "/delete",
     .flags = API_POST | API_SESSION_QUERY | API_HISTORY | API_TOKEN,
     .rights = RIGHT_ANY | RIGHT_REMOVE,
     .function = delete_sessions,
     .parameters = delete_parameters,
     .title = "Delete sessions, their packets, or both",
     .help =
         "Of an expression or by `ids`. Packets are overwritten where they lie, three times, and cannot be had back; "
         "sessions that stay get `scrubby` and `scrubat`. That works in plain pcap and pcapng files that this server "
         "may write, in the store's folder (the setting `scrubForeign`: in any): 400 for compressed ones and archives, "
         "403 outside the folder, with a second name (hard link) or without permission, 404 when a capture is gone, "
         "409 when it was changed since. "
         "Captures are all checked first; then a row with the status 102 goes into the history, and without it nothing "
         "is "
         "overwritten."},
    {.pattern = "/api/session/:node/:id/scrub/:what",
     .flags = API_GET | API_TOKEN | API_TOKEN_GET | API_HISTORY,
     .rights = RIGHT_ANY | RIGHT_REMOVE | RIGHT_WRITE,
     .function = session_scrub,
     .parameters = none,
     .title = "Delete a session, its packets, or both",
     .help = "`what`: `spi`, `pcap` or `all`, as /api/delete does it; 403 `Bad scrub type`."},
};
const struct endpoint_family remove_family = {"remove", endpoints, ARRAY_LEN(endpoints)};
