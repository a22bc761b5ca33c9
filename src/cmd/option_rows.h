/* option_rows.h: rows of the command line that several commands have, so that an option is the same everywhere.
 *
 * `at` is where the value goes (OPTION_AT). Rows that mean something of their own in a command take its help.
 */
#ifndef SEINE_CMD_OPTION_ROWS_H
#define SEINE_CMD_OPTION_ROWS_H

#include "cmd/options.h"
#include "cmd/progress.h"
#include "pipeline/walk.h"

#define STORE_OPTION_ROW(at, text) \
    { .name = "store", .argument = "DIR", .kind = OPTION_TEXT, .offset = (at), .help = (text) }
#define STORE_OPTION_HELP "folder of the store (default: what SEINE_STORE names)"

#define BPF_OPTION_ROW(at, text) \
    { .letter = 'f', .argument = "BPF", .kind = OPTION_TEXT, .offset = (at), .help = (text) }
#define BPF_OPTION_HELP "only packets that pass this capture filter, as in tcpdump"

#define TAG_OPTION_ROW(at)                                                     \
    {                                                                          \
        .name = "tag", .argument = "TAG", .kind = OPTION_LIST, .offset = (at), \
        .help = "add a tag to every session; can be given several times"       \
    }

#define WORKERS_OPTION_ROW(at, text)                                                                                  \
    {                                                                                                                 \
        .name = "workers", .argument = "N", .kind = OPTION_NUMBER, .offset = (at), .min = 1, .max = WALK_WORKERS_MAX, \
        .help = (text)                                                                                                \
    }
#define WORKERS_OPTION_HELP "threads that make sessions (default: one per processor, at most 8)"

#define LIMIT_OPTION_ROW(at, text)                                                                           \
    {                                                                                                        \
        .name = "limit", .argument = "N", .kind = OPTION_NUMBER, .offset = (at), .min = 1, .max = INT64_MAX, \
        .help = (text)                                                                                       \
    }

#define UTC_OPTION_ROW(at) \
    { .name = "utc", .kind = OPTION_FLAG, .offset = (at), .help = "times of the table in UTC, not in the local zone" }
#define ZONE_OPTION_ROW(at)                                                      \
    {                                                                            \
        .name = "tz", .argument = "ZONE", .kind = OPTION_TEXT, .offset = (at),   \
        .help = "times of table and csv in this zone, for example Europe/Zurich" \
    }

/* Where packets are written, and how. */
#define PACKETS_OPTION_ROWS(out_at, format_at, format_text)                                   \
    {.letter = 'w',                                                                           \
     .argument = "OUT",                                                                       \
     .kind = OPTION_TEXT,                                                                     \
     .offset = (out_at),                                                                      \
     .help = "file to write; - for standard output (the default when that is no terminal)"},  \
    {                                                                                         \
        .name = "format", .argument = "FORMAT", .kind = OPTION_CHOICE, .offset = (format_at), \
        .choices = "pcap,pcapng", .help = (format_text)                                       \
    }

#define QUIET_OPTION_ROW(at) \
    { .letter = 'q', .name = "quiet", .kind = OPTION_FLAG, .offset = (at), .help = "say only what went wrong" }
#define VERBOSE_OPTION_ROW(at, text) \
    { .letter = 'v', .name = "verbose", .kind = OPTION_COUNT, .offset = (at), .help = (text) }
#define PROGRESS_OPTION_ROW(at)                                                                                    \
    {                                                                                                              \
        .name = "progress", .argument = "HOW", .kind = OPTION_CHOICE, .offset = (at), .choices = PROGRESS_CHOICES, \
        .help = "auto (a line on a terminal), none, or json (lines on standard error)"                             \
    }

#endif
