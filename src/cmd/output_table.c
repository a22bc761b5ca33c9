/* output_table.c: sessions as lines for people, in order of their first packet.
 *
 * Rows are held until the end so that they can be sorted and aligned; when too many wait, those held are printed and a
 * new lot begins, which is said once.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/util.h"
#include "cmd/output.h"
#include "record/core_fields.h"
#include "record/document.h"

#define ROWS_MAX 250000
#define TEXT_MAX ((size_t)64 << 20)
#define ROW_TEXT_MAX 8192 /* bytes of one row's texts, generously */
#define PROTOCOLS_WIDTH 24
#define ADDRESS_WIDTH 54
#define INFO_WIDTH 300
#define INFO_LEAST 24
#define PROTOCOLS_MAX 16

enum text_column { TEXT_PROTOCOLS, TEXT_SOURCE, TEXT_DESTINATION, TEXT_INFO, TEXT_COLUMNS };

struct row {
    int64_t start, length;
    uint64_t bytes, order;
    uint32_t packets, at;
    uint16_t len[TEXT_COLUMNS], width[TEXT_COLUMNS];
};

struct table {
    struct row *rows;
    size_t count, room;
    struct buf text, line;
    uint64_t order, printed;
    struct info *info;
    bool said;
    bool one_day; /* of the lot being printed */
    size_t time_width, width[TEXT_COLUMNS];
    size_t number_width[3]; /* length, packets, bytes */
};

int table_begin(struct output *o) {
    struct table *t = calloc(1, sizeof(*t));
    o->table = t;
    if (!t || !(t->info = info_new(o->options.registry))) {
        say("no memory for the table");
        return EXIT_INTERNAL;
    }
    buf_init(&t->text, TEXT_MAX + ROW_TEXT_MAX);
    buf_init(&t->line, OUTPUT_CEILING);
    return 0;
}

void table_free(struct output *o) {
    struct table *t = o->table;
    if (t) {
        info_free(t->info);
        buf_done(&t->text);
        buf_done(&t->line);
        free(t->rows);
        free(t);
        o->table = NULL;
    }
}

/* --- a session's texts --- */

struct protocols {
    struct span names[PROTOCOLS_MAX];
    size_t count;
};

static bool take_protocol(void *ctx, const struct field *f, const struct value *v) {
    struct protocols *p = ctx;
    (void)f;
    p->names[p->count++] = v->bytes;
    return p->count < PROTOCOLS_MAX;
}

static bool is_transport(struct span name) {
    static const char *const transports[] = {"tcp", "udp", "icmp", "sctp", "esp"};
    for (size_t i = 0; i < ARRAY_LEN(transports); i++) {
        if (span_is(name, transports[i])) {
            return true;
        }
    }
    return false;
}

/* From the lower layer to the upper ones. */
static void protocols_text(const struct record *r, struct buf *out) {
    struct protocols p = {.count = 0};
    record_values(r, registry_field(r->registry, CORE_PROTOCOL), take_protocol, &p);
    for (unsigned upper = 0; upper < 2; upper++) {
        for (size_t i = 0; i < p.count; i++) {
            if (is_transport(p.names[i]) != upper) {
                buf_add_span(out, p.names[i]);
                buf_add_byte(out, ' ');
            }
        }
    }
    out->len -= out->len > 0;
}

static bool take_first(void *ctx, const struct field *f, const struct value *v) {
    (void)f;
    *(struct value *)ctx = *v;
    return false;
}

static void address_text(const struct record *r, unsigned side, struct buf *out) {
    char text[64];
    if (!r->has_ip) {
        struct value mac = {.bytes = {NULL, 0}};
        record_values(r, registry_field(r->registry, side ? CORE_DST_MAC : CORE_SRC_MAC), take_first, &mac);
        if (mac.bytes.len == 6) {
            buf_add(out, text, mac_write(mac.bytes.at, text));
        } else {
            buf_add_byte(out, '-');
        }
        return;
    }
    size_t len = ip_write(r->ip[side], text);
    bool port = r->has_port && (r->port[0] || r->port[1] || r->kind == FLOW_TCP || r->kind == FLOW_UDP);
    bool bracket = port && memchr(text, ':', len);
    if (bracket) {
        buf_add_byte(out, '[');
    }
    buf_add(out, text, len);
    buf_add_text(out, bracket ? "]" : "");
    if (port) {
        buf_printf(out, ":%u", r->port[side]);
    }
}

static void missing_text(const struct record *r, struct buf *out) {
    uint64_t missing = r->missing_bytes[0] + r->missing_bytes[1];
    if (missing) {
        buf_add_text(out, "(");
        show_bytes(missing, out);
        buf_add_text(out, " missing) ");
    }
}

/* --- rows --- */

static bool table_full(const struct table *t) {
    return t->count == ROWS_MAX || t->text.len > TEXT_MAX;
}

static struct row *add_row(struct table *t) {
    if (t->count == t->room) {
        size_t room = t->room ? t->room * 2 : 1024;
        struct row *rows = reallocarray(t->rows, room, sizeof(*rows));
        if (!rows) {
            return NULL;
        }
        t->rows = rows;
        t->room = room;
    }
    return &t->rows[t->count];
}

static void print_lot(struct output *o);

static void hold_row(struct output *o, const struct record *r, const struct buf *texts, const struct row *lengths) {
    struct table *t = o->table;
    if (table_full(t)) {
        if (!t->said) {
            say("more than %zu sessions: they are printed in lots, each in order of time", t->count);
            t->said = true;
        }
        print_lot(o);
    }
    struct row *row = add_row(t);
    if (!row) {
        __atomic_store_n(&o->failed, ENOMEM, __ATOMIC_RELAXED);
        return;
    }
    *row = *lengths;
    row->start = r->first_time;
    row->length = r->last_time - r->first_time;
    row->packets = r->packets[0] + r->packets[1];
    row->bytes = r->bytes[0] + r->bytes[1];
    row->order = t->order++;
    row->at = (uint32_t)t->text.len;
    buf_add_span(&t->text, buf_span(texts));
    t->count += !t->text.overflowed;
}

void table_record(struct output *o, const struct record *r, struct output_lane *lane) {
    static const size_t widest[TEXT_COLUMNS] = {PROTOCOLS_WIDTH, ADDRESS_WIDTH, ADDRESS_WIDTH, INFO_WIDTH};
    struct row row = {0};
    struct buf *raw = &lane->scratch, *clean = &lane->out;
    buf_clear(clean);
    for (unsigned i = 0; i < TEXT_COLUMNS; i++) {
        buf_clear(raw);
        if (i == TEXT_PROTOCOLS) {
            protocols_text(r, raw);
        } else if (i == TEXT_INFO) {
            missing_text(r, raw);
            info_text(o->table->info, r, &o->options.show, raw);
        } else {
            address_text(r, i == TEXT_DESTINATION, raw);
        }
        size_t before = clean->len;
        row.width[i] = (uint16_t)show_text(&o->options.show, buf_span(raw), widest[i], clean);
        row.len[i] = (uint16_t)(clean->len - before);
    }
    (void)pthread_mutex_lock(&o->lock);
    hold_row(o, r, clean, &row);
    (void)pthread_mutex_unlock(&o->lock);
    buf_clear(clean);
}

/* --- printing --- */

/* What came first with several workers is chance: equal times are told apart by what is shown. */
static int by_start(const void *a, const void *b, void *ctx) {
    const struct row *x = a;
    const struct row *y = b;
    const struct table *t = ctx;
    if (x->start != y->start) {
        return x->start < y->start ? -1 : 1;
    }
    size_t x_len = 0, y_len = 0;
    for (unsigned c = 0; c < TEXT_COLUMNS; c++) {
        x_len += x->len[c];
        y_len += y->len[c];
    }
    int order = memcmp(t->text.data + x->at, t->text.data + y->at, MIN(x_len, y_len));
    return order ? order : x->order < y->order ? -1 : x->order > y->order;
}

static void pad(struct buf *line, size_t used, size_t width) {
    for (; used < width; used++) {
        buf_add_byte(line, ' ');
    }
}

/* What `fill` wrote, right-aligned. */
static void add_right(struct buf *line, const struct buf *text, size_t width) {
    pad(line, text->len, width);
    buf_add_span(line, buf_span(text));
    buf_add_text(line, "  ");
}

static void add_start(const struct output *o, const struct row *row, struct buf *out) {
    unsigned parts = o->table->one_day ? TIME_CLOCK : TIME_DATE | TIME_CLOCK | TIME_OFFSET;
    show_time(&o->options.show, row->start, parts, out);
}

static void measure_lot(struct output *o, struct buf *number) {
    struct table *t = o->table;
    t->one_day = true;
    for (size_t i = 1; i < t->count && t->one_day; i++) {
        t->one_day = show_day(&o->options.show, t->rows[i].start) == show_day(&o->options.show, t->rows[0].start);
    }
    t->time_width = strlen(t->one_day ? "2014-05-29 +02:00" : "START");
    for (unsigned i = 0; i < ARRAY_LEN(t->number_width); i++) {
        t->number_width[i] = MAX(t->number_width[i], (size_t)5);
    }
    for (size_t i = 0; i < t->count; i++) {
        const struct row *row = &t->rows[i];
        buf_clear(number);
        add_start(o, row, number);
        t->time_width = MAX(t->time_width, number->len);
        for (unsigned c = 0; c < TEXT_COLUMNS; c++) {
            t->width[c] = MAX(t->width[c], (size_t)row->width[c]);
        }
        buf_clear(number);
        show_duration(row->length, number);
        t->number_width[0] = MAX(t->number_width[0], number->len);
        buf_clear(number);
        buf_add_u64(number, row->packets);
        t->number_width[1] = MAX(t->number_width[1], number->len);
    }
    t->width[TEXT_PROTOCOLS] = MAX(t->width[TEXT_PROTOCOLS], strlen("PROTOCOLS"));
    t->width[TEXT_SOURCE] = MAX(t->width[TEXT_SOURCE], strlen("SOURCE"));
    t->width[TEXT_DESTINATION] = MAX(t->width[TEXT_DESTINATION], strlen("DESTINATION"));
}

static const char *arrow(const struct output *o) {
    return o->options.show.utf8 ? " \xe2\x86\x92 " : " > ";
}
#define ARROW_WIDTH 3

static void add_number_head(struct table *t, const char *title, size_t width) {
    pad(&t->line, strlen(title), width);
    buf_add_text(&t->line, title);
    buf_add_text(&t->line, "  ");
}

static void print_head(struct output *o) {
    struct table *t = o->table;
    struct buf *line = &t->line;
    if (o->options.color) {
        buf_add_text(line, "\033[1m");
    }
    size_t from = line->len;
    if (t->one_day) {
        show_time(&o->options.show, t->rows[0].start, TIME_DATE, line);
        buf_add_byte(line, ' ');
        show_time(&o->options.show, t->rows[0].start, TIME_OFFSET, line);
    } else {
        buf_add_text(line, "START");
    }
    pad(line, line->len - from, t->time_width);
    buf_add_text(line, "  ");
    add_number_head(t, "TIME", t->number_width[0]);
    buf_add_text(line, "PROTOCOLS");
    pad(line, strlen("PROTOCOLS"), t->width[TEXT_PROTOCOLS] + 2);
    buf_add_text(line, "SOURCE");
    pad(line, strlen("SOURCE"), t->width[TEXT_SOURCE] + ARROW_WIDTH);
    buf_add_text(line, "DESTINATION");
    pad(line, strlen("DESTINATION"), t->width[TEXT_DESTINATION] + 2);
    add_number_head(t, "PKTS", t->number_width[1]);
    add_number_head(t, "BYTES", t->number_width[2]);
    buf_add_text(line, "INFO");
    buf_add_text(line, o->options.color ? "\033[0m\n" : "\n");
}

static size_t info_room(const struct output *o, size_t fixed) {
    struct winsize window;
    if (!o->options.terminal || ioctl(STDOUT_FILENO, TIOCGWINSZ, &window) < 0 || window.ws_col == 0) {
        return INFO_WIDTH;
    }
    return fixed + INFO_LEAST > window.ws_col ? INFO_LEAST : window.ws_col - fixed;
}

static void print_row(struct output *o, const struct row *row, size_t info_width, struct buf *number) {
    struct table *t = o->table;
    struct buf *line = &t->line;
    const uint8_t *texts = t->text.data + row->at;
    buf_clear(number);
    add_start(o, row, number);
    buf_add_span(line, buf_span(number));
    pad(line, number->len, t->time_width);
    buf_add_text(line, "  ");
    buf_clear(number);
    show_duration(row->length, number);
    add_right(line, number, t->number_width[0]);
    for (unsigned c = 0; c < TEXT_INFO; c++) {
        buf_add(line, texts, row->len[c]);
        texts += row->len[c];
        pad(line, row->width[c], t->width[c]);
        buf_add_text(line, c == TEXT_SOURCE ? arrow(o) : "  ");
    }
    buf_clear(number);
    buf_add_u64(number, row->packets);
    add_right(line, number, t->number_width[1]);
    buf_clear(number);
    show_short(row->bytes, number);
    add_right(line, number, t->number_width[2]);
    (void)show_text(&o->options.show, span_make(texts, row->len[TEXT_INFO]), info_width, line);
    while (line->len && line->data[line->len - 1] == ' ') {
        line->len--;
    }
    buf_add_byte(line, '\n');
}

static void print_lot(struct output *o) {
    struct table *t = o->table;
    struct buf number;
    buf_init(&number, ROW_TEXT_MAX);
    if (t->count) {
        qsort_r(t->rows, t->count, sizeof(*t->rows), by_start, t);
    }
    if (o->options.limit) {
        t->count = (size_t)MIN((uint64_t)t->count, o->options.limit - t->printed);
    }
    measure_lot(o, &number);
    size_t fixed = t->time_width + ARROW_WIDTH + 12;
    for (unsigned i = 0; i < TEXT_INFO; i++) {
        fixed += t->width[i] + (i < ARRAY_LEN(t->number_width) ? t->number_width[i] : 0);
    }
    size_t info_width = info_room(o, fixed);
    if (t->count) {
        print_head(o);
    }
    for (size_t i = 0; i < t->count; i++) {
        print_row(o, &t->rows[i], info_width, &number);
        t->printed++;
        if (t->line.len >= OUTPUT_FLUSH) {
            output_write(o, t->line.data, t->line.len);
            buf_clear(&t->line);
        }
    }
    output_write(o, t->line.data, t->line.len);
    buf_clear(&t->line);
    buf_clear(&t->text);
    t->count = 0;
    buf_done(&number);
}

void table_end(struct output *o) {
    print_lot(o);
}
