/* search.c: `seine search`: sessions of a store or a running server that fit an expression. */
#include "cmd/search.h"
#include "cmd/load.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/util.h"
#include "cmd/cmd.h"
#include "cmd/search_url.h"

#define FORMAT_UNASKED (-1)
#define TABLE_ROWS 100
#define TOP_ROWS 20
#define PAGE_ROWS 10000
#define LINE_CEILING ((size_t)1 << 20)

struct search_command {
    struct search_choices choices;
    struct search_print print;
    const char *zone;
    bool utc, quiet;
};

#define AT(member) OPTION_AT(search_command, member)
static const struct option_def search_option_table[] = {
    SEARCH_OPTION_ROWS(search_command, choices),
    {.name = "format",
     .argument = "FORMAT",
     .kind = OPTION_CHOICE,
     .offset = AT(print.format),
     .choices = OUTPUT_CHOICES,
     .help = "table, json (a document per line), arkime, csv or null (default: table on a terminal, else json)"},
    {.name = "fields",
     .argument = "A,B,C",
     .kind = OPTION_TEXT,
     .offset = AT(print.fields),
     .help = "columns of csv, by expression name (`seine fields` lists them); implies --format csv"},
    {.name = "count", .kind = OPTION_FLAG, .offset = AT(print.count), .help = "print only how many there are"},
    {.name = "top",
     .argument = "FIELD",
     .kind = OPTION_TEXT,
     .offset = AT(print.top),
     .help = "print the values of a field with the number of sessions of each, the commonest first"},
    LIMIT_OPTION_ROW(AT(print.limit),
                     "show N at most: the newest sessions (table: 100), the commonest values (20); otherwise all"),
    UTC_OPTION_ROW(AT(utc)),
    ZONE_OPTION_ROW(AT(zone)),
    QUIET_OPTION_ROW(AT(quiet)),
};
#undef AT

/* --- rows --- */

static int print_rows(struct asking *a, const struct search_command *o, struct output *out, uint64_t *ret_shown) {
    uint16_t last = registry_by_path(snapshot_registry(a->snapshot), span_text("lastPacket"));
    struct search_order order = {.field = {registry_field(snapshot_registry(a->snapshot), last), NULL, ACCESS_VALUE},
                                 .descending = true};
    uint64_t limit = o->print.limit ? o->print.limit : UINT64_MAX;
    struct restorer *restorer = NULL;
    int code = restorer_new(a->snapshot, NULL, 0, true, &restorer);
    bool more = true;
    while (more && code == 0 && *ret_shown < limit && !output_over(out)) {
        struct search_page page = {0};
        code = search_rows(a->search, &order, 1, *ret_shown, MIN(limit - *ret_shown, (uint64_t)PAGE_ROWS), &page);
        for (size_t i = 0; i < page.count && code == 0 && !output_over(out); i++) {
            const struct record *record;
            code = restorer_read(restorer, page.rows[i].part, page.rows[i].row, &record);
            if (code == 0) {
                output_record(out, 0, record);
                ++*ret_shown;
            }
        }
        more = page.count > 0;
    }
    restorer_free(restorer);
    return code;
}

static int show_rows(struct asking *a, const struct search_command *o, const struct show *show) {
    struct output *out = NULL;
    struct document_plan *plan = document_plan_new(snapshot_registry(a->snapshot));
    const char *no_color = getenv("NO_COLOR");
    bool terminal = isatty(STDOUT_FILENO);
    struct output_options options = {.format = o->print.format,
                                     .registry = snapshot_registry(a->snapshot),
                                     .plan = plan,
                                     .with_id = true,
                                     .show = *show,
                                     .fields = o->print.fields,
                                     .terminal = terminal,
                                     .color = terminal && !(no_color && *no_color)};
    uint64_t shown = 0, all = search_count(a->search);
    int code = plan ? output_new(&options, &out) : EXIT_INTERNAL;
    if (code == EXIT_DONE) {
        int printed = print_rows(a, o, out, &shown);
        code = output_end(out);
        code = printed < 0 ? asking_failed(a, printed) : code;
    }
    if (code == EXIT_DONE && !o->quiet && o->print.format == OUTPUT_TABLE) {
        say("%llu session%s of %llu stored fit%s", (unsigned long long)all, all == 1 ? "" : "s",
            (unsigned long long)snapshot_rows(a->snapshot),
            shown < all ? "; the newest are shown (--limit N shows more)" : "");
    }
    output_free(out);
    document_plan_free(plan);
    return code;
}

/* --- groups --- */

static int find_field(const struct asking *a, const char *name, struct group_key *ret) {
    struct column column;
    struct err e = {0};
    if (column_find(snapshot_registry(a->snapshot), name, &column, &e) < 0) {
        say_err("--top", &e);
        return EXIT_USAGE;
    }
    if (column.count != 1) {
        say("--top %s: is %s; name one field", name, column.is_id ? "different for every session" : "any of several");
        return EXIT_USAGE;
    }
    *ret = (struct group_key){.kind = GROUP_FIELD, .field = {column.fields[0], NULL, ACCESS_VALUE}};
    return EXIT_DONE;
}

static void print_group(const struct show *show, const struct field *f, const struct group *g, bool csv) {
    const struct group_value *key = &g->keys[0];
    struct value v = {.type = key->type, .u64 = key->number};
    struct buf line, text;
    buf_init(&line, LINE_CEILING);
    buf_init(&text, LINE_CEILING);
    if (key->type == FT_I64) {
        v.i64 = (int64_t)key->number;
    } else if (key->type == FT_FLOAT) {
        v.number = number_to_double(key->number);
    } else if (key->type > FT_BOOL) {
        v.bytes = key->bytes;
    }
    value_text(show, f, &v, &text);
    if (csv) {
        search_csv_text(buf_span(&text), &line);
        buf_printf(&line, ",%llu\r\n", (unsigned long long)g->count);
    } else {
        buf_printf(&line, "%10llu  ", (unsigned long long)g->count);
        (void)show_text(show, buf_span(&text), 1000, &line);
        buf_add_byte(&line, '\n');
    }
    (void)fwrite(line.data, 1, line.len, stdout);
    buf_done(&line);
    buf_done(&text);
}

static int show_top(struct asking *a, const struct search_command *o, const struct show *show) {
    struct group_request request = {
        .key_count = 1, .sort = GROUP_BY_COUNT, .limit = o->print.limit ? o->print.limit : TOP_ROWS};
    struct groups *groups = NULL;
    bool csv = o->print.format == OUTPUT_CSV;
    int code = find_field(a, o->print.top, &request.keys[0]);
    if (code != EXIT_DONE) {
        return code;
    }
    code = search_groups(a->search, &request, &groups);
    if (code < 0) {
        return asking_failed(a, code);
    }
    for (size_t i = 0; i < groups->count; i++) {
        print_group(show, request.keys[0].field.field, &groups->list[i], csv);
    }
    if (!o->quiet && groups->total > groups->count) {
        say("%llu values in all (--limit N shows more)", (unsigned long long)groups->total);
    }
    code = groups->truncated ? EXIT_PARTIAL : EXIT_DONE;
    if (groups->truncated) {
        say("there were too many values to count all: rare ones may be missing");
    }
    groups_free(groups);
    return fflush(stdout) == 0 || errno == EPIPE ? code : EXIT_FULL;
}

/* --- the command --- */

static int ask_store(const struct search_command *o, const struct show *show, const char *expression) {
    struct asking a = {0};
    int code = asking_run(&a, &o->choices, expression);
    if (code == EXIT_DONE && o->print.count) {
        (void)printf("%llu\n", (unsigned long long)search_count(a.search));
    } else if (code == EXIT_DONE && o->print.top) {
        code = show_top(&a, o, show);
    } else if (code == EXIT_DONE) {
        code = show_rows(&a, o, show);
    }
    if (code == EXIT_DONE && search_count(a.search) == 0) {
        code = EXIT_NOTHING;
    }
    code = a.search ? store_end(a.store, code) : code;
    asking_done(&a);
    return code;
}

static int check_options(struct search_command *o, struct show *show) {
    if (o->print.count && o->print.top) {
        return usage_error(&command_search, "--count and --top exclude each other");
    }
    if (o->choices.store && o->choices.url) {
        return usage_error(&command_search, "--store and --url exclude each other");
    }
    if (o->print.fields && o->print.format != FORMAT_UNASKED && o->print.format != OUTPUT_CSV) {
        return usage_error(&command_search, "--fields chooses columns of --format csv");
    }
    if (!show_zone(show, o->utc, o->zone)) {
        return usage_error(&command_search, "--tz %s: there is no such time zone; an example is Europe/Zurich",
                           o->zone);
    }
    if (o->print.format == FORMAT_UNASKED) {
        o->print.format = o->print.fields ? OUTPUT_CSV : isatty(STDOUT_FILENO) ? OUTPUT_TABLE : OUTPUT_JSON;
    }
    if (o->print.format == OUTPUT_CSV && !o->zone) {
        show->utc = true; /* made for other programs */
    }
    if (o->print.format == OUTPUT_TABLE && !o->print.limit && !o->print.top) {
        o->print.limit = TABLE_ROWS;
    }
    show->utf8 = o->print.format == OUTPUT_CSV || show_utf8();
    return EXIT_DONE;
}

static int run_search(int argc, char **argv) {
    struct search_command o = {.print.format = FORMAT_UNASKED};
    struct show show = {0};
    int first = 0;
    int code = options_parse(&command_search, argc, argv, &o, &first);
    if (code != OPTIONS_OK) {
        return code;
    }
    code = check_options(&o, &show);
    char *expression = code == EXIT_DONE ? search_words(argv + first, argc - first) : NULL;
    if (!expression) {
        return code == EXIT_DONE ? EXIT_INTERNAL : code;
    }
    const char *url = o.choices.url ? o.choices.url : o.choices.store ? NULL : getenv("SEINE_URL");
    code = url && *url ? search_url(url, &o.choices, &o.print, expression) : ask_store(&o, &show, expression);
    free(expression);
    return code;
}

const struct command command_search = {
    .name = "search",
    .line = "find sessions in a store or on a running server",
    .arguments = "EXPRESSION",
    .about = "Prints the sessions that fit an expression, counts them, or lists the values of a field. Without an "
             "expression all sessions fit.",
    .options = search_option_table,
    .option_count = ARRAY_LEN(search_option_table),
    .examples = {"seine search --store ~/sessions 'host == *.example.com && bytes > 1MB'",
                 "seine search --store ~/sessions --last 24h --top host.dns 'protocols == dns'",
                 "seine search --url http://127.0.0.1:8005 --count 'ip == 10.0.0.0/8'"},
    .run = run_search,
};
