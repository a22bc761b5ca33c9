/* walk.c: threads of a run over files: see walk.h.
 *
 * In both ways every worker sees every packet's time, so that timeouts come at the same packets for any number of
 * workers.
 */
#include "pipeline/walk.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/ring.h"
#include "base/util.h"
#include "feature/community_id.h"
#include "record/core_fields.h"

#define BATCHES_IN_FLIGHT 64
#define NS_PER_HOUR 3600000000000
#define TICK_MS 100

const struct setting record_setting_table[] = {
    {.name = "node",
     .type = ST_TEXT,
     .offset = SETTING(record_settings, node),
     .fallback = "",
     .help = "Name of this node in sessions; empty: the host's name"},
    {.name = "prefix",
     .type = ST_TEXT,
     .offset = SETTING(record_settings, prefix),
     .fallback = "arkime_",
     .help = "Put before index names; an underscore is added when it has none at its end"},
    {.name = "rotateIndex",
     .type = ST_CHOICE,
     .offset = SETTING(record_settings, rotate_index),
     .fallback = "daily",
     .choices = ROTATE_CHOICES,
     .help = "How much time one session index covers"},
    {.name = "autoGenerateId",
     .type = ST_CHOICE,
     .offset = SETTING(record_settings, auto_generate_id),
     .fallback = "false",
     .choices = AUTO_ID_CHOICES,
     .help = "true: documents carry no id, the database makes one. Otherwise the id comes from the flow and its first "
             "packet, so that reading a capture again replaces its documents"},
};
const size_t record_setting_count = ARRAY_LEN(record_setting_table);

/* A batch on its way to all workers. */
struct shared_batch {
    struct batch batch;
    unsigned out; /* workers that have not given it back; the reader's */
};

struct worker {
    struct run *run;
    unsigned number;
    pthread_t thread;
    bool started;
    struct pool pool;
    struct decoder *decoder;
    struct dissect_engine *engine;
    struct flow *flow;
    struct source *source; /* of its own, or NULL when there is a reader */
    struct batch *batch;
    struct ring in, back;
    char index[96]; /* name for records of index_hour */
    int64_t index_hour;
    uint64_t cells_dropped;
    uint32_t passed; /* captures that o->passed was told of */
    int failed;
    bool done; /* under the run's lock */
};

struct run {
    const struct walk_options *o;
    struct hash_key key;
    struct worker *workers;
    unsigned count;
    struct source *reader; /* NULL when each worker has its own source */
    pthread_t reader_thread;
    bool reader_started;
    int reader_failed;
    bool stop;         /* atomic: tick asked to end */
    bool reader_ended; /* atomic: no batch follows */
    uint64_t packets;  /* atomic: of worker 0, for progress */
    struct shared_batch *batches;
    bool many_files;    /* positions need the file's number beside them */
    uint32_t announced; /* atomic: captures that o->file was told of; grows under the lock */
    pthread_mutex_t lock;
    pthread_cond_t ended; /* a worker is done */
};

/* --- records --- */

static const struct source *source_of(const struct worker *w) {
    return w->run->reader ? w->run->reader : w->source;
}

static const char *first_file(const struct worker *w, const struct record *r) {
    const struct capture_file *file = r->position_count ? source_file(source_of(w), r->positions[0].file) : NULL;
    return file ? file->name : NULL;
}

/* Tells of all captures up to `number` that nobody was told of yet. */
static void announce_files(const struct worker *w, uint32_t number) {
    struct run *run = w->run;
    if (!run->o->file || number <= __atomic_load_n(&run->announced, __ATOMIC_ACQUIRE)) {
        return;
    }
    (void)pthread_mutex_lock(&run->lock);
    for (uint32_t i = run->announced + 1; i <= number; i++) {
        run->o->file(run->o->ctx, source_file(source_of(w), i));
        __atomic_store_n(&run->announced, i, __ATOMIC_RELEASE);
    }
    (void)pthread_mutex_unlock(&run->lock);
}

static void announce_files_of(const struct worker *w, const struct record *r) {
    uint32_t last = 0;
    for (uint32_t i = 0; w->run->o->file && i < r->position_count; i++) {
        last = MAX(last, r->positions[i].file);
    }
    announce_files(w, last);
}

void record_document_id(const struct record *r, char ret_id[DOCUMENT_ID_MAX]) {
    if (r->name) {
        (void)snprintf(ret_id, DOCUMENT_ID_MAX, "%.*s", DOCUMENT_ID_MAX - 1, r->name);
        return;
    }
    const char *suffix = strrchr(r->index, '-');
    if (r->segment > 1) {
        (void)snprintf(ret_id, DOCUMENT_ID_MAX, "%.16s-%.22s-%u", suffix + 1, r->id, r->segment);
    } else {
        (void)snprintf(ret_id, DOCUMENT_ID_MAX, "%.16s-%.22s", suffix + 1, r->id);
    }
}

/* The first piece names the session; the value stays in the cells of those that follow. */
static void name_root(const struct worker *w, struct record *r) {
    const struct field *f = registry_field(w->run->o->registry, CORE_ROOT_ID);
    if (r->linked && cells_count(&r->cells, f) == 0) {
        char id[DOCUMENT_ID_MAX];
        record_document_id(r, id);
        (void)cells_put_text(&r->cells, f, span_text(id));
    }
}

static void on_record(void *ctx, struct record *r) {
    struct worker *w = ctx;
    const struct record_settings *settings = w->run->o->record_settings;
    int64_t hour = r->last_time / NS_PER_HOUR;
    if (hour != w->index_hour || !w->index[0]) { /* no index covers less than an hour */
        char suffix[32];
        index_suffix((enum rotate_index)settings->rotate_index, r->last_time, suffix, sizeof(suffix));
        size_t prefix = strlen(settings->prefix);
        const char *joint = prefix && settings->prefix[prefix - 1] != '_' ? "_" : "";
        (void)snprintf(w->index, sizeof(w->index), "%.50s%ssessions3-%s", settings->prefix, joint, suffix);
        w->index_hour = hour;
    }
    r->name_files = w->run->many_files || (r->position_count && r->positions[0].file > 1);
    r->index = w->index;
    r->node = settings->node;
    name_root(w, r);
    community_id_fill(r, dissect_engine_digests(w->engine));
    if (w->run->o->enrich) {
        enrich_record(w->run->o->enrich, r, first_file(w, r));
    }
    w->cells_dropped += r->cells.dropped;
    r->cells.dropped = 0;
    announce_files_of(w, r);
    w->run->o->record(w->run->o->ctx, w->number, r);
}

static void on_stream(void *ctx, struct session *s, unsigned side, struct span bytes, uint64_t gap, int64_t time) {
    dissect_stream(((struct worker *)ctx)->engine, s, side, bytes, gap, time);
}

static void on_stream_end(void *ctx, struct session *s, unsigned side) {
    dissect_stream_end(((struct worker *)ctx)->engine, s, side);
}

static void on_datagram(void *ctx, struct session *s, unsigned side, struct span bytes, const struct packet *p) {
    dissect_datagram(((struct worker *)ctx)->engine, s, side, bytes, p);
}

static void on_saving(void *ctx, struct session *s, bool final) {
    dissect_saving(((struct worker *)ctx)->engine, s, final);
}

/* --- workers --- */

/* How many captures lie behind this worker: read, and no session or fragment of them is open. */
static void pass_files(struct worker *w, uint32_t reading) {
    if (!w->run->o->passed || reading <= w->passed + 1) {
        return;
    }
    uint32_t passed = MIN(reading, flow_lowest_file(w->flow));
    if (passed > w->passed + 1) { /* only now, because all fragments are looked at */
        passed = MIN(passed, decoder_lowest_file(w->decoder));
    }
    if (passed > w->passed + 1) {
        w->passed = passed - 1;
        announce_files(w, reading);
        w->run->o->passed(w->run->o->ctx, w->number, w->passed);
    }
}

static void process(struct worker *w) {
    struct batch *b = w->batch;
    uint32_t reading = b->count ? b->packets[b->count - 1].file : 0;
    decoder_run(w->decoder, b);
    flow_batch(w->flow, b, w->number, w->run->count);
    pass_files(w, reading);
    if (w->number == 0) {
        __atomic_add_fetch(&w->run->packets, b->count, __ATOMIC_RELAXED);
    }
}

static int work_alone(struct worker *w) {
    int code = 0;
    do {
        code = source_next(w->source, w->batch);
        if (code < 0) {
            break;
        }
        process(w);
    } while (!w->batch->last && !__atomic_load_n(&w->run->stop, __ATOMIC_RELAXED));
    w->batch->block = block_unref(w->batch->block);
    return code;
}

static void wait_a_little(unsigned *turns) {
    if (++*turns > 64) {
        struct timespec t = {.tv_nsec = 50000};
        (void)nanosleep(&t, NULL);
    }
}

/* The batch's packets are shared with other workers: only its own copy is decoded. */
static void copy_batch(struct batch *to, const struct batch *from) {
    to->count = from->count;
    to->last = from->last;
    to->clock = from->clock;
    memcpy(to->packets, from->packets, from->count * sizeof(from->packets[0]));
}

static int work_from_reader(struct worker *w) {
    unsigned turns = 0;
    for (;;) {
        void *item;
        bool ended =
            __atomic_load_n(&w->run->reader_ended, __ATOMIC_ACQUIRE); /* before looking: nothing comes after it */
        if (ring_get(&w->in, &item, 1) == 0) {
            if (ended) {
                return 0;
            }
            wait_a_little(&turns);
            continue;
        }
        turns = 0;
        struct shared_batch *shared = item;
        copy_batch(w->batch, &shared->batch);
        process(w);
        (void)ring_put(&w->back, &item, 1); /* as large as there are batches: never full */
    }
}

static void *worker_main(void *arg) {
    struct worker *w = arg;
    w->failed = w->source ? work_alone(w) : work_from_reader(w);
    flow_finish(w->flow);
    (void)pthread_mutex_lock(&w->run->lock);
    w->done = true;
    (void)pthread_cond_signal(&w->run->ended);
    (void)pthread_mutex_unlock(&w->run->lock);
    return NULL;
}

static void collect_back(struct run *run) {
    for (unsigned i = 0; i < run->count; i++) {
        void *items[16];
        uint32_t n;
        while ((n = ring_get(&run->workers[i].back, items, ARRAY_LEN(items))) > 0) {
            for (uint32_t k = 0; k < n; k++) {
                ((struct shared_batch *)items[k])->out--;
            }
        }
    }
}

static struct shared_batch *free_batch(struct run *run) {
    unsigned turns = 0;
    for (;;) {
        for (unsigned i = 0; i < BATCHES_IN_FLIGHT; i++) {
            if (run->batches[i].out == 0) {
                return &run->batches[i];
            }
        }
        collect_back(run);
        wait_a_little(&turns);
    }
}

static void *reader_main(void *arg) {
    struct run *run = arg;
    bool last = false;
    while (!last && !__atomic_load_n(&run->stop, __ATOMIC_RELAXED)) {
        struct shared_batch *b = free_batch(run);
        run->reader_failed = source_next(run->reader, &b->batch);
        if (run->reader_failed < 0) {
            break;
        }
        last = b->batch.last;
        b->out = run->count;
        for (unsigned i = 0; i < run->count; i++) {
            void *item = b;
            (void)ring_put(&run->workers[i].in, &item, 1);
        }
    }
    __atomic_store_n(&run->reader_ended, true, __ATOMIC_RELEASE);
    unsigned turns = 0;
    for (unsigned i = 0; i < BATCHES_IN_FLIGHT; i++) {
        while (run->batches[i].out) {
            collect_back(run);
            wait_a_little(&turns);
        }
        run->batches[i].batch.block = block_unref(run->batches[i].batch.block);
    }
    return NULL;
}

/* --- the run --- */

static size_t memory_ceiling(const struct flow_settings *settings) {
    long pages = sysconf(_SC_PHYS_PAGES), size = sysconf(_SC_PAGESIZE);
    if (settings->memory || pages < 0 || size < 0) {
        return settings->memory;
    }
    return (size_t)pages / 2 * (size_t)size;
}

static int worker_init(struct worker *w, struct run *run, unsigned number, struct err *e) {
    const struct walk_options *o = run->o;
    w->run = run;
    w->number = number;
    pool_init(&w->pool, memory_ceiling(o->flow) / run->count);
    w->batch = calloc(1, sizeof(*w->batch));
    w->decoder = decoder_new(o->decode, &run->key, &w->pool);
    w->engine = dissect_engine_new(o->dissectors, o->registry, &w->pool);
    struct flow_hooks hooks = {w, on_stream, on_stream_end, on_datagram, on_saving, on_record};
    w->flow = flow_new(o->flow, &hooks, &w->pool, o->registry);
    if (!w->batch || !w->decoder || !w->engine || !w->flow) {
        return err_set(e, -ENOMEM, "no memory for worker %u", number);
    }
    if (run->reader) {
        int code = ring_init(&w->in, BATCHES_IN_FLIGHT);
        return code < 0 ? code : ring_init(&w->back, BATCHES_IN_FLIGHT);
    }
    struct source_options options = {.bpf = o->bpf,
                                     .packet_limit = o->packet_limit,
                                     .quiet = number > 0,
                                     .note = o->note,
                                     .note_ctx = o->ctx,
                                     .stop = &run->stop};
    return source_open(o->inputs, &options, &w->source, e);
}

static void worker_done(struct worker *w) {
    w->flow = flow_free(w->flow);
    w->engine = dissect_engine_free(w->engine);
    w->decoder = decoder_free(w->decoder);
    w->source = source_free(w->source);
    ring_done(&w->in);
    ring_done(&w->back);
    free(TAKE(w->batch));
    pool_done(&w->pool);
}

static int run_init(struct run *run, const struct walk_options *o, struct err *e) {
    int code = hash_key_random(&run->key);
    run->o = o;
    run->many_files = input_list_count(o->inputs) > 1;
    run->count = MIN(MAX(o->workers, 1u), (unsigned)WALK_WORKERS_MAX);
    run->workers = calloc(run->count, sizeof(*run->workers));
    if (code < 0 || !run->workers) {
        return err_set(e, code < 0 ? code : -ENOMEM, "the workers cannot be started");
    }
    if (run->count > 1 && !input_list_is_plain(o->inputs)) {
        struct source_options options = {.bpf = o->bpf,
                                         .packet_limit = o->packet_limit,
                                         .block_ceiling = 2 * BATCHES_IN_FLIGHT,
                                         .note = o->note,
                                         .note_ctx = o->ctx,
                                         .stop = &run->stop};
        run->batches = calloc(BATCHES_IN_FLIGHT, sizeof(*run->batches));
        code = run->batches ? source_open(o->inputs, &options, &run->reader, e)
                            : err_set(e, -ENOMEM, "no memory for the reader");
    }
    for (unsigned i = 0; code == 0 && i < run->count; i++) {
        code = worker_init(&run->workers[i], run, i, e);
    }
    return code;
}

static void run_done(struct run *run) {
    for (unsigned i = 0; run->workers && i < run->count; i++) {
        worker_done(&run->workers[i]);
    }
    run->reader = source_free(run->reader);
    free(run->batches);
    free(run->workers);
}

static int run_start(struct run *run, struct err *e) {
    for (unsigned i = 0; i < run->count; i++) {
        struct worker *w = &run->workers[i];
        w->started = pthread_create(&w->thread, NULL, worker_main, w) == 0;
        if (!w->started) {
            return err_set(e, -EAGAIN, "thread %u of %u cannot be started", i + 1, run->count);
        }
    }
    if (run->reader) {
        run->reader_started = pthread_create(&run->reader_thread, NULL, reader_main, run) == 0;
        if (!run->reader_started) {
            return err_set(e, -EAGAIN, "the reader thread cannot be started");
        }
    }
    return 0;
}

static bool all_done(const struct run *run) {
    for (unsigned i = 0; i < run->count; i++) {
        if (run->workers[i].started && !run->workers[i].done) {
            return false;
        }
    }
    return true;
}

/* True when all workers are done; waits for that until `wait_ms` are over. */
static bool wait_a_while(struct run *run, unsigned wait_ms) {
    struct timespec until;
    (void)clock_gettime(CLOCK_MONOTONIC, &until);
    int64_t ns = until.tv_nsec + (int64_t)wait_ms * 1000000;
    until.tv_sec += (time_t)(ns / 1000000000);
    until.tv_nsec = (long)(ns % 1000000000);
    int code = 0;
    (void)pthread_mutex_lock(&run->lock);
    while (!all_done(run) && code == 0) {
        code = pthread_cond_clockwait(&run->ended, &run->lock, CLOCK_MONOTONIC, &until);
    }
    bool done = all_done(run);
    (void)pthread_mutex_unlock(&run->lock);
    return done;
}

static void wait_for_end(struct run *run, struct walk_stats *stats) {
    const struct walk_options *o = run->o;
    const struct source *source = run->reader ? run->reader : run->workers[0].source;
    while (!wait_a_while(run, TICK_MS)) {
        uint64_t packets = __atomic_load_n(&run->packets, __ATOMIC_RELAXED);
        if (o->tick && o->tick(o->ctx, source_progress(source), packets)) {
            stats->stopped = true;
            __atomic_store_n(&run->stop, true, __ATOMIC_RELAXED);
        }
    }
}

static void add_counts(uint64_t *to, const uint64_t *from, size_t count) {
    for (size_t i = 0; i < count; i++) {
        to[i] += from[i];
    }
}

static void collect_stats(const struct run *run, struct walk_stats *stats) {
    const struct source *source = source_of(&run->workers[0]);
    source_read_stats(source, &stats->source);
    stats->file_count = stats->files_read = source_file_count(source);
    bool whole = !stats->stopped && !run->o->packet_limit;
    for (unsigned i = 0; i < run->count && !whole; i++) {
        uint32_t met = source_file_count(source_of(&run->workers[i]));
        stats->files_read = MIN(stats->files_read, met ? met - 1 : 0);
    }
    memcpy(stats->decode, decoder_counts(run->workers[0].decoder), sizeof(stats->decode));
    for (unsigned i = 0; i < run->count; i++) {
        const struct worker *w = &run->workers[i];
        add_counts(stats->flow, flow_counts(w->flow), FLOW_COUNTS);
        add_counts(stats->dissect, dissect_engine_counts(w->engine), DISSECT_COUNTS);
        stats->cells_dropped += w->cells_dropped;
        stats->pool_peak += w->pool.peak;
        stats->pool_held += w->pool.held;
        stats->pool_refused += w->pool.refused;
    }
}

int walk_run(const struct walk_options *o, struct walk_stats *ret_stats, struct err *ret_err) {
    struct run run = {.lock = PTHREAD_MUTEX_INITIALIZER, .ended = PTHREAD_COND_INITIALIZER};
    memset(ret_stats, 0, sizeof(*ret_stats));
    int code = run_init(&run, o, ret_err);
    if (code == 0) {
        code = run_start(&run, ret_err);
        if (code < 0) {
            __atomic_store_n(&run.stop, true, __ATOMIC_RELAXED);
            __atomic_store_n(&run.reader_ended, true, __ATOMIC_RELEASE);
        }
        wait_for_end(&run, ret_stats);
        if (run.reader_started) {
            (void)pthread_join(run.reader_thread, NULL);
        }
        for (unsigned i = 0; i < run.count; i++) {
            if (run.workers[i].started) {
                (void)pthread_join(run.workers[i].thread, NULL);
            }
            code = code < 0 ? code : run.workers[i].failed;
        }
        code = code < 0 ? code : run.reader_failed;
        if (code < 0 && ret_err && !ret_err->text[0]) {
            (void)err_set(ret_err, code, "reading stopped: %s", strerror(-code));
        }
        collect_stats(&run, ret_stats);
        announce_files(&run.workers[0], source_file_count(source_of(&run.workers[0])));
    }
    run_done(&run);
    return code;
}
