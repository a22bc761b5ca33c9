/* search.h: what `seine search` and `seine pcap` share: where the sessions are, and which are meant.
 *
 * Owner: the command. Thread: main.
 */
#ifndef SEINE_CMD_SEARCH_H
#define SEINE_CMD_SEARCH_H

#include <time.h>

#include "cmd/notes.h"
#include "cmd/option_rows.h"
#include "cmd/output.h"
#include "cmd/stop.h"
#include "query/outside.h"
#include "store/control.h"
#include "store/search.h"

struct search_choices {
    const char *store, *url, *user, *from, *to, *last;
};

#define SEARCH_OPTION_ROWS(type, member)                                                                           \
    STORE_OPTION_ROW(OPTION_AT(type, member.store), STORE_OPTION_HELP),                                            \
        {.name = "url",                                                                                            \
         .argument = "URL",                                                                                        \
         .kind = OPTION_TEXT,                                                                                      \
         .offset = OPTION_AT(type, member.url),                                                                    \
         .help = "ask a running server instead (default: what SEINE_URL names); a token in SEINE_TOKEN or in the " \
                 "link is sent"},                                                                                  \
        {.name = "user",                                                                                           \
         .argument = "NAME",                                                                                       \
         .kind = OPTION_TEXT,                                                                                      \
         .offset = OPTION_AT(type, member.user),                                                                   \
         .help = "with --url: log in as this user; the password is in SEINE_PASSWORD or asked for"},               \
        {.name = "from",                                                                                           \
         .argument = "TIME",                                                                                       \
         .kind = OPTION_TEXT,                                                                                      \
         .offset = OPTION_AT(type, member.from),                                                                   \
         .help = "sessions whose last packet is not before: 2024/05/29 17:58, 2024-05-29T17:58:00Z, -2h, ..."},    \
        {.name = "to",                                                                                             \
         .argument = "TIME",                                                                                       \
         .kind = OPTION_TEXT,                                                                                      \
         .offset = OPTION_AT(type, member.to),                                                                     \
         .help = "sessions whose last packet is not after"},                                                       \
    {                                                                                                              \
        .name = "last", .argument = "DURATION", .kind = OPTION_TEXT, .offset = OPTION_AT(type, member.last),       \
        .help = "the same as --from now less this: 90m, 24h, 7d"                                                   \
    }

/* The time span of the choices in ms; the whole time when none was given (false). Mistakes are said: EXIT_USAGE. */
struct search_span {
    bool bounded;
    int64_t start_ms, stop_ms;
};
int search_span_read(const struct search_choices *c, struct search_span *ret);

/* The expression: all arguments, joined by blanks. Allocated; NULL without memory. */
char *search_words(char **words, int count);

/* An open store and a question to it that has been filtered. */
struct asking {
    struct store *store;
    struct snapshot *snapshot;
    struct control *control;
    struct query *query;
    struct search *search;
    struct stop stop;
};

/* Opens, parses, filters; what fails is said and the exit code returned. asking_done is due in any case. */
int asking_run(struct asking *a, const struct search_choices *c, const char *expression);
void asking_done(struct asking *a);
/* The exit code for an error of a search. */
int asking_failed(const struct asking *a, int code);

#endif
