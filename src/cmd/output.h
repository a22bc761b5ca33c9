/* output.h: sessions to standard output, in the form a user asked for.
 *
 * Owner: the command. Thread: output_record from each worker with its own number; the rest from main. Cost: a lock per
 * 256 KiB, per session for the table. Failure: a write that fails is said once, with what to do; output_over is true
 * from then on, and output_end gives the exit code. The far end of a pipe may go away: that is no failure.
 */
#ifndef SEINE_CMD_OUTPUT_H
#define SEINE_CMD_OUTPUT_H

#include <pthread.h>

#include "cmd/session_setup.h"
#include "cmd/show.h"
#include "cmd/values.h"

enum output_format { OUTPUT_TABLE, OUTPUT_JSON, OUTPUT_ARKIME, OUTPUT_CSV, OUTPUT_NULL };
#define OUTPUT_CHOICES "table,json,arkime,csv,null"

struct output_options {
    int format; /* enum output_format */
    const struct registry *registry;
    const struct document_plan *plan;
    bool with_id; /* of arkime: the database is told the ids */
    struct show show;
    const char *fields;   /* of csv; NULL = a sensible set */
    uint64_t limit;       /* sessions; 0 = all */
    bool color, terminal; /* standard output is one */
    const char *to;       /* what standard output is, in messages; NULL: that */
};

struct output;

/* Returns 0 or an exit code after saying why. */
int output_new(const struct output_options *options, struct output **ret_output);
struct output *output_free(struct output *o);

void output_record(struct output *o, unsigned worker, const struct record *r);
/* Lets what waits go out with each worker's next session: called now and then, so that a slow pipe shows what is there.
 */
void output_nudge(struct output *o);
/* Nothing more will be written: the limit is reached, or writing failed. */
bool output_over(const struct output *o);
/* Writes what is held. Returns 0 or an exit code. */
int output_end(struct output *o);

/* --- for the formats --- */

#define OUTPUT_CEILING ((size_t)1 << 30)
#define OUTPUT_FLUSH ((size_t)256 << 10)

struct output_lane { /* one worker's */
    struct buf out, scratch;
    unsigned nudges;
} __attribute__((aligned(64)));

struct table;

struct output {
    struct output_options options;
    struct output_lane lanes[WALK_WORKERS_MAX];
    pthread_mutex_t lock; /* standard output, the table, and what follows */
    bool wrote;           /* a session is already on standard output */
    int failed;           /* atomic: errno of writing */
    unsigned nudges;      /* atomic */
    uint64_t sessions;    /* atomic: asked to be written */
    uint64_t written_at;
    struct column *columns; /* csv */
    size_t column_count;
    struct table *table;
};

/* Under the lock, or alone: all bytes to standard output. */
void output_write(struct output *o, const void *data, size_t len);

int csv_begin(struct output *o);
void csv_record(struct output *o, const struct record *r, struct output_lane *lane);

int table_begin(struct output *o);
void table_record(struct output *o, const struct record *r, struct output_lane *lane);
void table_end(struct output *o);
void table_free(struct output *o);

/* What a session was about, in a line: names asked for, requests, subjects. */
struct info;
struct info *info_new(const struct registry *registry);
struct info *info_free(struct info *i);
void info_text(const struct info *i, const struct record *r, const struct show *show, struct buf *out);

#endif
