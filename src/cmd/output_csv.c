/* output_csv.c: sessions as comma-separated values (RFC 4180), a column per field.
 *
 * Captured text must not become a formula when a spreadsheet opens the file: cells of text that begin like one get an
 * apostrophe in front. Times are ISO 8601.
 */
#include <stdlib.h>
#include <string.h>

#include "base/util.h"
#include "cmd/output.h"

#define COLUMNS_MAX 512

static const char default_fields[] =
    "id,starttime,stoptime,protocols,ip.src,port.src,ip.dst,port.dst,packets.src,packets.dst,"
    "bytes.src,bytes.dst,databytes.src,databytes.dst,missing.src,missing.dst,"
    "communityId,host.dns,host.http,http.uri,tags";

static void add_quoted(struct buf *out, struct span text, bool is_text) {
    bool formula = is_text && text.len && memchr("=+-@\t\r\n", text.at[0], 7);
    bool quote = formula;
    for (size_t i = 0; i < text.len && !quote; i++) {
        uint8_t c = text.at[i];
        quote = c == '"' || c == ',' || c == '\n' || c == '\r' || c == '\'' || c == ' ' || c == ';';
    }
    if (!quote) {
        buf_add_span(out, text);
        return;
    }
    buf_add_byte(out, '"');
    if (formula) {
        buf_add_byte(out, '\'');
    }
    for (size_t i = 0; i < text.len; i++) {
        if (text.at[i] == '"') {
            buf_add_byte(out, '"');
        }
        buf_add_byte(out, text.at[i]);
    }
    buf_add_byte(out, '"');
}

static int add_columns(struct output *o, char *names) {
    struct err e = {0};
    for (char *at = names, *rest; at; at = rest) {
        rest = strchr(at, ',');
        if (rest) {
            *rest++ = 0;
        }
        at += strspn(at, " ");
        if (o->column_count == COLUMNS_MAX) {
            return usage_error(&command_read, "--fields: %d columns at most", COLUMNS_MAX);
        }
        if (column_find(o->options.registry, at, &o->columns[o->column_count++], &e) < 0) {
            say_err("--fields", &e);
            return EXIT_USAGE;
        }
    }
    return 0;
}

int csv_begin(struct output *o) {
    o->columns = calloc(COLUMNS_MAX, sizeof(*o->columns));
    char *names = strdup(o->options.fields ? o->options.fields : default_fields);
    int code = o->columns && names ? add_columns(o, names) : EXIT_INTERNAL;
    free(names);
    if (code == 0) {
        struct buf *out = &o->lanes[0].out;
        for (size_t i = 0; i < o->column_count; i++) {
            add_quoted(out, span_text(o->columns[i].name), true);
            buf_add_text(out, i + 1 < o->column_count ? "," : "\r\n");
        }
        output_write(o, out->data, out->len);
        buf_clear(out);
    }
    return code;
}

void csv_record(struct output *o, const struct record *r, struct output_lane *lane) {
    for (size_t i = 0; i < o->column_count; i++) {
        buf_clear(&lane->scratch);
        column_text(&o->options.show, &o->columns[i], r, &lane->scratch);
        add_quoted(&lane->out, buf_span(&lane->scratch), o->columns[i].is_text);
        buf_add_text(&lane->out, i + 1 < o->column_count ? "," : "\r\n");
    }
}
