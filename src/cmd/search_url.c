/* search_url.c: see search_url.h. Answers are the server's documents; tables are made of them here. */
#include "cmd/search_url.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/json_scan.h"
#include "base/util.h"
#include "cmd/remote.h"
#include "cmd/show.h"

#define PAGE_ROWS ((uint64_t)2000)
#define LINE_CEILING ((size_t)1 << 20)
#define NS_PER_MS 1000000

void search_csv_text(struct span text, struct buf *out) {
    buf_add_byte(out, '"');
    if (text.len && memchr("=+-@\t\r\n", text.at[0], 7)) {
        buf_add_byte(out, '\''); /* no formula when a spreadsheet opens it */
    }
    for (size_t i = 0; i < text.len; i++) {
        if (text.at[i] == '"') {
            buf_add_byte(out, '"');
        }
        buf_add_byte(out, text.at[i]);
    }
    buf_add_byte(out, '"');
}

static void add_question(struct remote *r, const struct search_span *span, const char *expression) {
    char number[32];
    remote_param(r, "expression", *expression ? expression : NULL);
    if (!span->bounded) {
        remote_param(r, "date", "-1");
        return;
    }
    (void)snprintf(number, sizeof(number), "%lld", (long long)(span->start_ms / 1000));
    remote_param(r, "startTime", number);
    int64_t stop = span->stop_ms == INT64_MAX ? (int64_t)time(NULL) * 1000 + 86400000 : span->stop_ms;
    (void)snprintf(number, sizeof(number), "%lld", (long long)(stop / 1000));
    remote_param(r, "stopTime", number);
}

/* --- documents --- */

struct printing {
    const struct search_print *p;
    struct show show;
    struct buf scratch;
    uint64_t shown, fitting;
};

/* The first value of a member as text for people; `group` NULL: the member is at the top. */
static void add_value(struct printing *g, struct json_ref doc, const char *group, const char *key, struct buf *line) {
    struct json_ref v = json_find(group ? json_find(doc, span_text(group)) : doc, span_text(key));
    struct span none;
    if (json_kind_of(v) == JSON_ARRAY) {
        struct json_walk walk = json_walk_over(v);
        (void)json_walk_next(&walk, &none, &v);
    }
    struct span text = json_raw_of(v);
    if (json_kind_of(v) == JSON_STRING) {
        buf_clear(&g->scratch);
        (void)json_string(v, &g->scratch, &text);
    }
    (void)show_text(&g->show, text, 60, line);
}

static void add_protocols(struct printing *g, struct json_ref doc, struct buf *line) {
    struct json_walk walk = json_walk_over(json_find(doc, span_text("protocol")));
    struct json_ref v;
    struct span key, text;
    size_t width = 0;
    for (bool more = false; json_walk_next(&walk, &key, &v); more = true) {
        buf_clear(&g->scratch);
        if (json_string(v, &g->scratch, &text)) {
            buf_add_text(line, more ? "," : "");
            width += show_text(&g->show, text, 24, line) + more;
        }
    }
    buf_printf(line, "%*s  ", (int)(width < 14 ? 14 - width : 0), "");
}

static void table_line(struct printing *g, struct json_ref doc) {
    int64_t first = 0;
    struct buf line;
    buf_init(&line, LINE_CEILING);
    (void)json_number_i64(json_find(doc, span_text("firstPacket")), &first);
    show_time(&g->show, first * NS_PER_MS, TIME_DATE | TIME_CLOCK, &line);
    buf_add_text(&line, "  ");
    add_protocols(g, doc, &line);
    add_value(g, doc, "source", "ip", &line);
    buf_add_byte(&line, ':');
    add_value(g, doc, "source", "port", &line);
    buf_add_text(&line, " -> ");
    add_value(g, doc, "destination", "ip", &line);
    buf_add_byte(&line, ':');
    add_value(g, doc, "destination", "port", &line);
    buf_add_text(&line, "  ");
    add_value(g, doc, "network", "packets", &line);
    buf_add_text(&line, " packets  ");
    add_value(g, doc, NULL, "id", &line);
    (void)printf("%.*s\n", (int)line.len, (const char *)line.data);
    buf_done(&line);
}

static void print_document(struct printing *g, struct json_ref doc) {
    if (g->p->format == OUTPUT_TABLE) {
        table_line(g, doc);
    } else if (g->p->format != OUTPUT_NULL) {
        struct span text = json_raw_of(doc);
        (void)fwrite(text.at, 1, text.len, stdout);
        (void)putchar('\n');
    }
    g->shown++;
}

/* What a server says instead of an answer. */
static int say_refusal(struct json_ref answer) {
    struct buf scratch, shown;
    struct span text;
    struct show show = {.utf8 = show_utf8()};
    buf_init(&scratch, LINE_CEILING);
    buf_init(&shown, LINE_CEILING);
    bool said = json_string(json_find(answer, span_text("text")), &scratch, &text) ||
                json_string(json_find(answer, span_text("error")), &scratch, &text);
    if (said) {
        (void)show_text(&show, text, 1000, &shown);
        say("%.*s", (int)shown.len, (const char *)shown.data);
    } else {
        say("the server's answer holds no sessions: is it a Seine or Arkime server?");
    }
    buf_done(&scratch);
    buf_done(&shown);
    return said ? EXIT_USAGE : EXIT_PARTIAL;
}

/* One page of answers. `*ret_rows`: how many. */
static int take_page(struct printing *g, const struct buf *page, size_t *ret_rows) {
    struct json_index index;
    struct json_error why;
    struct json_ref doc;
    struct span key;
    json_index_init(&index, UINT32_MAX);
    if (json_index_build(&index, buf_span(page), &why) < 0 || json_check(&index, &why) < 0) {
        say("the server's answer is no JSON: is it a Seine or Arkime server?");
        json_index_done(&index);
        return EXIT_PARTIAL;
    }
    struct json_ref data = json_find(json_root(&index), span_text("data"));
    int code = EXIT_DONE;
    if (json_kind_of(data) != JSON_ARRAY) {
        code = say_refusal(json_root(&index));
    }
    (void)json_number_u64(json_find(json_root(&index), span_text("recordsFiltered")), &g->fitting);
    struct json_walk walk = json_walk_over(data);
    for (*ret_rows = 0; json_walk_next(&walk, &key, &doc); ++*ret_rows) {
        print_document(g, doc);
    }
    json_index_done(&index);
    return code;
}

static int get_documents(struct remote *r, struct printing *g, const struct search_span *span, const char *expression) {
    uint64_t limit = g->p->count ? 0 : g->p->limit ? g->p->limit : UINT64_MAX;
    int code = EXIT_DONE;
    size_t rows = 1;
    do {
        struct buf page;
        buf_init(&page, REMOTE_ANSWER_MAX);
        add_question(r, span, expression);
        remote_param_u64(r, "start", g->shown);
        remote_param_u64(r, "length", MIN(limit - g->shown, PAGE_ROWS));
        remote_param(r, "order", "lastPacket:desc");
        if (g->p->format == OUTPUT_JSON && !g->p->count) {
            remote_param(r, "fields", "*");
        }
        code = remote_get(r, "/api/sessions", &page, -1);
        code = code == EXIT_DONE ? take_page(g, &page, &rows) : code;
        buf_done(&page);
    } while (code == EXIT_DONE && rows && g->shown < limit && g->shown < g->fitting);
    return code;
}

/* `value, count` lines of the server, the commonest first. */
static int print_top(const struct search_print *p, const struct show *show, struct buf *answer) {
    uint64_t shown = 0, limit = p->limit ? p->limit : 20;
    char *at = (char *)answer->data, *end;
    for (; at && *at && shown < limit; at = end ? end + 1 : NULL, shown++) {
        struct buf line;
        end = strchr(at, '\n');
        size_t length = end ? (size_t)(end - at) : strlen(at);
        const char *comma = memrchr(at, ',', length);
        size_t value = comma ? (size_t)(comma - at) : length;
        const char *count = comma ? comma + 1 + strspn(comma + 1, " ") : "";
        int digits = (int)(comma ? at + length - count : 0);
        buf_init(&line, LINE_CEILING);
        if (p->format == OUTPUT_CSV) {
            search_csv_text(span_make(at, value), &line);
            buf_printf(&line, ",%.*s\r\n", digits, count);
        } else {
            buf_printf(&line, "%10.*s  ", digits, count);
            (void)show_text(show, span_make(at, value), 1000, &line);
            buf_add_byte(&line, '\n');
        }
        (void)fwrite(line.data, 1, line.len, stdout);
        buf_done(&line);
    }
    return shown ? EXIT_DONE : EXIT_NOTHING;
}

static int get_top(struct remote *r, const struct search_print *p, const struct search_span *span,
                   const char *expression) {
    struct show show = {.utf8 = show_utf8()};
    struct buf answer;
    buf_init(&answer, REMOTE_ANSWER_MAX);
    add_question(r, span, expression);
    remote_param(r, "exp", p->top);
    remote_param(r, "counts", "1");
    int code = remote_get(r, "/api/unique", &answer, -1);
    buf_add_byte(&answer, 0);
    if (code == EXIT_DONE) {
        code = print_top(p, &show, &answer);
    }
    buf_done(&answer);
    return code;
}

static int get_csv(struct remote *r, const struct search_print *p, const struct search_span *span,
                   const char *expression) {
    add_question(r, span, expression);
    remote_param_u64(r, "length", p->limit ? p->limit : UINT32_MAX);
    remote_param(r, "fields", p->fields);
    return remote_get(r, "/api/sessions/csv", NULL, STDOUT_FILENO);
}

int search_url(const char *url, const struct search_choices *c, const struct search_print *p, const char *expression) {
    struct printing g = {.p = p, .show = {.utf8 = show_utf8()}};
    struct search_span span;
    struct remote *r = NULL;
    buf_init(&g.scratch, LINE_CEILING);
    int code = search_span_read(c, &span);
    if (code == EXIT_DONE && p->format == OUTPUT_ARKIME) {
        say("--format arkime is there with --store only");
        code = EXIT_USAGE;
    }
    code = code == EXIT_DONE ? remote_open(url, c->user, &r) : code;
    if (code == EXIT_DONE && p->top) {
        code = get_top(r, p, &span, expression);
    } else if (code == EXIT_DONE && p->format == OUTPUT_CSV && !p->count) {
        code = get_csv(r, p, &span, expression);
    } else if (code == EXIT_DONE) {
        code = get_documents(r, &g, &span, expression);
        if (code == EXIT_DONE && p->count) {
            (void)printf("%llu\n", (unsigned long long)g.fitting);
        }
        code = code == EXIT_DONE && g.fitting == 0 ? EXIT_NOTHING : code;
    }
    remote_close(r);
    buf_done(&g.scratch);
    return code;
}

int packets_url(const char *url, const struct search_choices *c, bool pcapng, const char *expression, int fd) {
    struct search_span span;
    struct remote *r = NULL;
    int code = search_span_read(c, &span);
    code = code == EXIT_DONE ? remote_open(url, c->user, &r) : code;
    if (code == EXIT_DONE) {
        add_question(r, &span, expression);
        remote_param_u64(r, "length", UINT32_MAX);
        code = remote_get(r, pcapng ? "/api/sessions/pcapng" : "/api/sessions/pcap", NULL, fd);
    }
    remote_close(r);
    return code;
}
