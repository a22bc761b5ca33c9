/* store_crash.c: a writer that is killed at random, a reader beside it, and the proof that nothing confirmed was lost.
 *
 *     store-crash kill FOLDER KILLS SEED     writers in a row, each killed; one reader all the time; then counts as
 * text store-crash write FOLDER FIRST ROWS    appends sessions from number FIRST on; says what is confirmed, a number a
 * line store-crash verify FOLDER              reads all sessions; says from which number to which
 *
 * A session's values follow from its number, so that every one can be checked wherever it comes from. Ends with 0 when
 * all held, 1 when not (with what on standard error).
 */
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/hash.h"
#include "record/core_fields.h"
#include "store/store.h"

#define RETAIN_BYTES ((uint64_t)150 << 10)

static int make_registry(void *ctx, const struct field_def *fields, size_t count, struct registry **ret,
                         struct err *ret_err) {
    (void)ctx;
    uint16_t id;
    struct registry *r = registry_new();
    int code = r ? registry_add(r, "core", core_field_table, core_field_count, &id, ret_err) : -ENOMEM;
    for (size_t i = 0; i < count && code >= 0; i++) {
        code = registry_add_dynamic(r, "test", &fields[i], &id, ret_err);
    }
    code = code < 0 ? code : registry_seal(r, ret_err);
    *ret = r;
    return code;
}

static int failed(const char *format, uint64_t a, uint64_t b) {
    char text[200];
    (void)snprintf(text, sizeof(text), format, a, b);
    (void)fprintf(stderr, "store-crash: %s\n", text);
    return 1;
}

static uint64_t number_of(uint64_t seq, unsigned which) {
    return hash_bytes(&seq, sizeof(seq), which);
}

static void text_of(uint64_t seq, char text[64]) {
    (void)snprintf(text, 64, "user-%" PRIu64 "-%" PRIx64, seq, number_of(seq, 1) >> 40);
}

/* --- writing --- */

static void fill(uint64_t seq, struct record *r, const struct registry *registry, struct pool *pool,
                 struct packet_position *positions) {
    char text[64];
    *r = (struct record){.registry = registry, .node = "crash", .segment = 1, .has_ip = true, .has_port = true};
    cells_init(&r->cells, pool);
    r->ip_version = 4;
    r->kind = FLOW_UDP;
    r->ip_protocol = 17;
    r->last_time = (INT64_C(1700000000000) + (int64_t)seq) * 1000000;
    r->first_time = r->last_time;
    r->port[0] = (uint16_t)seq;
    r->port[1] = (uint16_t)(number_of(seq, 2) % 50);
    r->bytes[0] = number_of(seq, 3) % 100000;
    r->packets[0] = 1;
    memset(r->ip[0] + 10, 0xff, 2);
    memset(r->ip[1] + 10, 0xff, 2);
    r->ip[0][15] = (uint8_t)number_of(seq, 4);
    const struct field *fields = registry_fields(registry);
    text_of(seq, text);
    (void)cells_put_text(&r->cells, &fields[CORE_USER], span_text(text));
    (void)cells_put_text(&r->cells, &fields[CORE_PROTOCOL], span_text("udp"));
    positions[0] = (struct packet_position){.file = 1, .captured = 60, .position = 24 + seq * 76};
    r->positions = positions;
    r->position_count = 1;
}

static struct store_writer *open_writer(const char *folder, struct registry *registry, bool retain) {
    struct store_options options = {.node = "crash", .flush_ms = 3, .seal_rows = 400, .seal_seconds = 1};
    options.retain_bytes = retain ? RETAIN_BYTES : 0;
    struct store_writer *w = NULL;
    struct err e = {0};
    if (store_writer_open(folder, true, &options, registry, &w, &e) != 0) {
        (void)fprintf(stderr, "store-crash: %s\n", e.text);
    }
    return w;
}

/* What the library of faults says when it is loaded (store_faults.c). */
static uint64_t faults_delivered(void) {
    unsigned long long (*delivered)(void) = (unsigned long long (*)(void))dlsym(RTLD_DEFAULT, "store_faults_delivered");
    return delivered ? delivered() : 0;
}

static uint64_t faults_closing(void) {
    void (*closing)(void) = (void (*)(void))dlsym(RTLD_DEFAULT, "store_faults_closing");
    uint64_t before = faults_delivered();
    if (closing) {
        closing();
    }
    return before;
}

/* Appends until killed, or `rows`; after each flush the number of the next session goes to `acks`. Errors are waited
 * out: they are counted, and the sessions tried again. */
static int write_sessions(const char *folder, uint64_t first, uint64_t rows, int acks) {
    struct registry *registry = NULL;
    struct pool pool;
    struct err e = {0};
    uint64_t errors = 0;
    pool_init(&pool, 0);
    struct store_writer *w = make_registry(NULL, NULL, 0, &registry, &e) == 0
                                 ? open_writer(folder, registry, number_of(first, 9) % 2 == 0)
                                 : NULL;
    if (!w) {
        return 1;
    }
    for (uint64_t seq = first; seq < first + rows;) {
        struct record r;
        struct packet_position positions[1];
        uint64_t got = seq;
        fill(seq, &r, registry, &pool, positions);
        int code = store_append(w, &r, &got);
        cells_done(&r.cells);
        if (code == 0 && got != seq) {
            return failed("session %" PRIu64 " got number %" PRIu64, seq, got);
        }
        seq += code == 0;
        errors += code != 0;
        bool flush = code == 0 && (number_of(seq, 5) % 200 == 0 || seq == first + rows);
        while (flush && store_flush(w) != 0) {
            errors++;
        }
        if (flush && write(acks, &seq, sizeof(seq)) != (ssize_t)sizeof(seq)) {
            return 1;
        }
        if (flush && number_of(seq, 6) % 40 == 0 && store_compact(w, &e) != 0) {
            errors++;
        }
    }
    uint64_t before = faults_closing();
    int code = store_writer_close(w, &e);
    (void)registry_free(registry);
    pool_done(&pool);
    uint64_t after = faults_delivered();
    (void)fprintf(stderr, "errors %" PRIu64 ", faults %" PRIu64 ", %" PRIu64 " of them while it closed\n", errors,
                  after, after - before);
    if (code && !e.text[0]) {
        return failed("close failed without a word: %" PRIu64 " %" PRIu64, (uint64_t)-code, 0);
    }
    return code ? failed("close failed: %" PRIu64 " %" PRIu64, (uint64_t)-code, 0) : 0;
}

/* --- reading --- */

static bool session_holds(const struct record *r, uint64_t seq) {
    char text[64];
    text_of(seq, text);
    const struct field *user = registry_field(r->registry, CORE_USER);
    return r->port[0] == (uint16_t)seq && r->bytes[0] == number_of(seq, 3) % 100000 &&
           r->ip[0][15] == (uint8_t)number_of(seq, 4) && cells_has_text(&r->cells, user, span_text(text)) &&
           r->position_count == 1 && r->positions[0].position == 24 + seq * 76;
}

/* Every part follows the one before, and the sessions from `from` on are what was appended. */
static int check_snapshot(const struct snapshot *s, uint64_t from, uint64_t *ret_low, uint64_t *ret_high) {
    struct restorer *r = NULL;
    int bad = restorer_new(s, NULL, 0, true, &r);
    *ret_low = *ret_high = 0;
    for (size_t i = 0; i < snapshot_parts(s) && bad == 0; i++) {
        const struct part_info *p = part_info(snapshot_part(s, i));
        if (i && p->seq_low != *ret_high) {
            bad = failed("part begins at %" PRIu64 ", not %" PRIu64, p->seq_low, *ret_high);
        }
        *ret_low = i ? *ret_low : p->seq_low;
        *ret_high = p->seq_low + p->rows;
        for (uint32_t row = 0; row < p->rows && bad == 0; row++) {
            const struct record *record = NULL;
            uint64_t seq = p->seq_low + row;
            if (seq < from) {
                continue;
            }
            if (restorer_read(r, i, row, &record) != 0 || !session_holds(record, seq)) {
                bad = failed("session %" PRIu64 " is not what was appended (part %" PRIu64 ")", seq, i);
            }
        }
    }
    (void)restorer_free(r);
    return bad;
}

static void say_damage(void *ctx, const char *text) {
    (void)ctx;
    (void)fprintf(stderr, "store-crash: damage: %s\n", text);
}

static int verify(const char *folder, uint64_t from, uint64_t *ret_low, uint64_t *ret_high) {
    struct store *store = NULL;
    struct err e = {0};
    if (store_open(folder, make_registry, NULL, 0, &store, &e) != 0) {
        (void)fprintf(stderr, "store-crash: %s\n", e.text);
        return 1;
    }
    struct snapshot *s = store_snapshot(store);
    int bad = check_snapshot(s, from, ret_low, ret_high);
    if (store_damage(store, say_damage, NULL)) {
        bad = failed("the reader found damage: %" PRIu64 " %" PRIu64, store_damage(store, NULL, NULL), 0);
    }
    (void)snapshot_unref(s);
    (void)store_close(store);
    return bad;
}

/* The reader beside the writers: what it sees is whole and never less than before. Ends when `stop` is closed. */
static int watch(const char *folder, int stop) {
    struct store *store = NULL;
    struct err e = {0};
    uint64_t seen_low = 0, seen_high = 0, looks = 0;
    while (store_open(folder, make_registry, NULL, 0, &store, &e) != 0) { /* until the first writer made it */
        struct pollfd p = {.fd = stop, .events = POLLIN};
        if (poll(&p, 1, 5) != 0) {
            return failed("no store to watch: %" PRIu64 " %" PRIu64, 0, 0);
        }
    }
    int bad = 0;
    struct pollfd p = {.fd = stop, .events = POLLIN};
    while (bad == 0 && poll(&p, 1, 2) == 0) {
        uint64_t low, high;
        (void)store_refresh(store);
        struct snapshot *s = store_snapshot(store);
        bad = check_snapshot(s, seen_high > 300 ? seen_high - 300 : 0, &low, &high);
        if (bad == 0 && snapshot_parts(s) && (high < seen_high || low < seen_low)) {
            bad = failed("sessions went away: up to %" PRIu64 " were there, now up to %" PRIu64, seen_high, high);
        }
        seen_high = high > seen_high ? high : seen_high;
        seen_low = low > seen_low ? low : seen_low;
        looks++;
        (void)snapshot_unref(s);
    }
    (void)fprintf(stderr, "looks %" PRIu64 "\n", looks);
    (void)store_close(store);
    return bad;
}

/* --- killing --- */

static void pause_us(uint64_t us) {
    struct timespec t = {.tv_sec = (time_t)(us / 1000000), .tv_nsec = (long)(us % 1000000) * 1000};
    (void)nanosleep(&t, NULL);
}

static unsigned half_written(const char *folder) {
    char path[512];
    unsigned count = 0;
    (void)snprintf(path, sizeof(path), "%.400s/seg", folder);
    DIR *d = opendir(path);
    for (struct dirent *e; d && (e = readdir(d));) {
        count += strstr(e->d_name, ".tmp") != NULL;
    }
    if (d) {
        (void)closedir(d);
    }
    return count;
}

/* One writer, killed after a while. Gives back the number behind the last confirmed session. */
static int one_kill(const char *folder, uint64_t first, uint64_t us, uint64_t *ret_confirmed) {
    int acks[2];
    if (pipe2(acks, O_CLOEXEC) != 0) {
        return 1;
    }
    pid_t child = fork();
    if (child == 0) {
        (void)close(acks[0]);
        _exit(write_sessions(folder, first, UINT64_MAX / 2, acks[1]));
    }
    (void)close(acks[1]);
    pause_us(us);
    (void)kill(child, SIGKILL);
    int status = 0;
    (void)waitpid(child, &status, 0);
    uint64_t seq;
    while (read(acks[0], &seq, sizeof(seq)) == (ssize_t)sizeof(seq)) {
        *ret_confirmed = seq;
    }
    (void)close(acks[0]);
    return WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL
               ? 0
               : failed("the writer ended by itself (%" PRIu64 ", %" PRIu64 ")", (uint64_t)status, first);
}

static bool is_made(const char *folder) {
    char path[512];
    (void)snprintf(path, sizeof(path), "%.400s/MANIFEST", folder);
    return access(path, F_OK) == 0;
}

static int kill_writers(const char *folder, unsigned kills, uint64_t seed) {
    int stop[2], bad = 0;
    uint64_t next = 0, low = 0, high = 0, recovered = 0;
    unsigned mid_segment = 0, mid_work = 0;
    if (pipe2(stop, O_CLOEXEC) != 0) {
        return 1;
    }
    pid_t reader = fork();
    if (reader == 0) {
        (void)close(stop[1]);
        _exit(watch(folder, stop[0]));
    }
    (void)close(stop[0]);
    for (unsigned i = 0; i < kills && bad == 0; i++) {
        uint64_t confirmed = next, before = low, us = number_of(seed, 100 + i) % 160000;
        bad = one_kill(folder, next, us, &confirmed);
        unsigned half = half_written(folder);
        mid_segment += half != 0;
        mid_work += confirmed > next;
        bool made = confirmed || is_made(folder); /* the first writers may be killed before they made the store */
        bad = bad || !made ? bad : verify(folder, next, &low, &high);
        if (bad == 0 && high < confirmed) {
            bad = failed("confirmed up to %" PRIu64 ", there up to %" PRIu64, confirmed, high);
        } else if (bad == 0 && low < before) {
            bad = failed("sessions came back: from %" PRIu64 " on, before from %" PRIu64, low, before);
        }
        recovered += high > confirmed ? high - confirmed : 0;
        next = high;
    }
    bad = bad ? bad : verify(folder, 0, &low, &high);
    (void)close(stop[1]);
    int status = 0;
    (void)waitpid(reader, &status, 0);
    bad = bad ? bad : WIFEXITED(status) && WEXITSTATUS(status) == 0 ? 0 : 1;
    (void)printf("kills %u sessions %" PRIu64 " from %" PRIu64
                 " while-writing %u mid-segment %u unconfirmed-kept %" PRIu64 "\n",
                 kills, high, low, mid_work, mid_segment, recovered);
    return bad;
}

static uint64_t number_argument(const char *text) {
    uint64_t n = 0;
    return span_decimal(span_text(text), UINT64_MAX / 4, &n) ? n : 0;
}

int main(int argc, char **argv) {
    if (argc == 5 && strcmp(argv[1], "kill") == 0) {
        return kill_writers(argv[2], (unsigned)number_argument(argv[3]), number_argument(argv[4]));
    }
    if (argc == 5 && strcmp(argv[1], "write") == 0) {
        return write_sessions(argv[2], number_argument(argv[3]), number_argument(argv[4]), STDOUT_FILENO);
    }
    if (argc == 3 && strcmp(argv[1], "verify") == 0) {
        uint64_t low = 0, high = 0;
        int bad = verify(argv[2], 0, &low, &high);
        (void)printf("from %" PRIu64 " to %" PRIu64 "\n", low, high);
        return bad;
    }
    (void)fprintf(stderr, "store-crash kill FOLDER KILLS SEED | write FOLDER FIRST ROWS | verify FOLDER\n");
    return 2;
}
