/* walk.h: reads inputs with any number of workers and hands each session's record over.
 *
 * Plain files: each worker reads and decodes all of them and keeps the flows of its share of the hash: nothing is
 * handed between threads. Standard input and compressed files: one reader thread, batches to all workers through rings.
 * Owner: caller. Thread: walk_run blocks; `record` is called on worker threads, one at a time per worker.
 */
#ifndef SEINE_PIPELINE_WALK_H
#define SEINE_PIPELINE_WALK_H

#include "decode/decode.h"
#include "dissect/engine.h"
#include "enrich/enrich.h"
#include "flow/flow.h"
#include "record/index_name.h"
#include "source/source.h"

#define WALK_WORKERS_MAX 64

/* Order of the setting autoGenerateId's choices. */
enum auto_id { AUTO_ID_NO, AUTO_ID_ZERO, AUTO_ID_YES, AUTO_ID_ONE, AUTO_ID_CONSISTENT, AUTO_ID_SEQUENTIAL };
#define AUTO_ID_CHOICES "false,0,true,1,consistent,sequential"

struct record_settings {
    const char *node, *prefix;
    uint32_t rotate_index;     /* enum rotate_index */
    uint32_t auto_generate_id; /* enum auto_id */
};
extern const struct setting record_setting_table[];
extern const size_t record_setting_count;

struct walk_options {
    const struct input_list *inputs;
    unsigned workers;
    const char *bpf;
    uint64_t packet_limit;
    const struct decode_settings *decode;
    const struct flow_settings *flow;
    const struct record_settings *record_settings;
    const struct dissect_set *dissectors;
    const struct registry *registry;
    const struct enrich *enrich; /* NULL = none */
    /* A session is done: `worker` says whose thread this is. Adds to cells are allowed. */
    void (*record)(void *ctx, unsigned worker, struct record *r);
    /* A capture was met: called once each, in the order of their numbers, before the first record with packets of it;
     * on any worker's thread, never two at once. May be NULL. */
    void (*file)(void *ctx, const struct capture_file *file);
    /* All sessions with packets of the first `files` captures were handed over by this worker: called on its thread,
     * with numbers that grow, after `record` for all of them and `file` for these and the one being read. May be NULL.
     */
    void (*passed)(void *ctx, unsigned worker, uint32_t files);
    /* Called on the thread of walk_run about ten times a second. True ends the walk early (what was read is saved). */
    bool (*tick)(void *ctx, uint64_t bytes_read, uint64_t packets);
    source_note_fn note;
    void *ctx;
};

struct walk_stats {
    struct source_stats source;
    uint64_t decode[DECODE_COUNTS];
    uint64_t flow[FLOW_COUNTS];
    uint64_t dissect[DISSECT_COUNTS];
    uint64_t cells_dropped;
    uint64_t pool_peak, pool_held, pool_refused;
    bool stopped; /* tick ended it */
    uint32_t file_count;
    uint32_t files_read; /* the first ones, each read to its end by all workers */
};

/* Id of the record's document: `<index suffix>-<session id>`, and `-<n>` behind it for the later pieces of a session;
 * the same whenever the same packets are read again. */
#define DOCUMENT_ID_MAX 56
void record_document_id(const struct record *r, char ret_id[DOCUMENT_ID_MAX]);

/* Returns 0 or -errno (nothing could be started; no memory). */
int walk_run(const struct walk_options *o, struct walk_stats *ret_stats, struct err *ret_err);

#endif
