/* search.c: the life of a search: what it is asked, filtering every part, when it ends early. */
#include <errno.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "query/fit.h"
#include "record/values.h"
#include "store/search_own.h"

#define ASK_MS 10
#define COND_MEMORY ((size_t)512 << 20)
#define PROCESSORS_MAX 8

static uint64_t now_ms(void) {
    struct timespec t;
    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

int search_check(struct search *s) {
    int stopped = atomic_load_explicit(&s->stopped, memory_order_relaxed);
    if (stopped < 0) {
        return stopped;
    }
    uint64_t now = now_ms(), ask = atomic_load_explicit(&s->ask, memory_order_relaxed);
    if (s->end_at && now >= s->end_at) {
        atomic_store(&s->stopped, -ETIMEDOUT);
        return -ETIMEDOUT;
    }
    /* One thread asks, the others go on. */
    if (s->o.cancelled && now >= ask && atomic_compare_exchange_strong(&s->ask, &ask, now + ASK_MS) &&
        s->o.cancelled(s->o.ctx)) {
        atomic_store(&s->stopped, -ECANCELED);
        return -ECANCELED;
    }
    return 0;
}

bool search_claim(struct search *s, uint64_t bytes) {
    if (atomic_fetch_add_explicit(&s->memory, bytes, memory_order_relaxed) + bytes <= s->o.memory) {
        return true;
    }
    search_release(s, bytes);
    return false;
}

void search_release(struct search *s, uint64_t bytes) {
    (void)atomic_fetch_sub_explicit(&s->memory, bytes, memory_order_relaxed);
}

int search_new(const struct search_options *options, struct search **ret_search, struct err *ret_err) {
    struct search *s = calloc(1, sizeof(*s));
    *ret_search = NULL;
    if (!s) {
        return err_set(ret_err, -ENOMEM, "no memory for the search");
    }
    s->o = *options;
    s->o.snapshot = snapshot_ref(options->snapshot);
    s->registry = snapshot_registry(s->o.snapshot);
    s->part_count = snapshot_parts(s->o.snapshot);
    s->o.memory = s->o.memory ? s->o.memory : SEARCH_MEMORY;
    s->own_threads = s->o.threads == 0;
    if (s->own_threads) {
        long processors = sysconf(_SC_NPROCESSORS_ONLN);
        s->o.threads = processors < 1 ? 1 : (unsigned)MIN(processors, PROCESSORS_MAX);
    }
    s->o.threads = MIN(s->o.threads, (unsigned)SEARCH_THREADS_MAX);
    s->end_at = s->o.deadline_ms ? now_ms() + s->o.deadline_ms : 0;
    s->parts = calloc(s->part_count + 1, sizeof(*s->parts));
    s->conds.ceiling = COND_MEMORY;
    int code = s->parts ? search_prepare(s) : -ENOMEM;
    if (code < 0) {
        search_free(s);
        return err_set(ret_err, code, "%s",
                       code == -ENOMEM ? "no memory for the search: the expression is too big"
                                       : "the registry has no times to search by");
    }
    *ret_search = s;
    return 0;
}

struct search *search_free(struct search *s) {
    if (s) {
        for (size_t i = 0; s->parts && i < s->part_count; i++) {
            free(s->parts[i].bits);
        }
        free(s->parts);
        free(s->seqs);
        free(s->wanted);
        free(s->rows);
        blocks_done(&s->conds);
        s->o.snapshot = snapshot_unref(s->o.snapshot);
        free(s);
    }
    return NULL;
}

/* --- matching one record --- */

static bool first_number(void *ctx, const struct field *f, const struct value *v) {
    (void)f;
    *(uint64_t *)ctx = v->u64;
    return false;
}

/* The conditions made here, without a node: times and chosen sessions. The latter do not change by a patch. */
static bool bounds_match(const struct cond *c, const struct record *r) {
    for (size_t i = 0; i < c->count; i++) {
        const struct cond *one = c->children[i];
        uint64_t number = 0;
        if (one->node || (one->kind != COND_TEST && one->kind != COND_NONE)) {
            continue;
        }
        record_values(r, one->field.field, first_number, &number);
        if (one->kind == COND_NONE || !item_set_number(one->set, number)) {
            return false;
        }
    }
    return true;
}

bool search_matches(const struct search *s, const struct record *r) {
    for (size_t i = 0; i < SEARCH_QUERIES_MAX && s->o.queries[i]; i++) {
        if (!query_match(s->o.queries[i], r)) {
            return false;
        }
    }
    return bounds_match(s->cond, r);
}

/* --- filtering --- */

static bool cond_is_patched(const struct cond *c, const struct patch *p) {
    for (size_t i = 0; i < c->count; i++) {
        if (cond_is_patched(c->children[i], p)) {
            return true;
        }
    }
    return c->kind == COND_COMPARE || c->kind == COND_RESTORE || (c->field.field && patch_changes(p, &c->field));
}

static bool is_chosen(const struct search *s, uint64_t seq) {
    size_t low = 0, high = s->o.seq_count;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (s->seqs[middle] < seq) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return !s->o.seqs || (low < s->o.seq_count && s->seqs[low] == seq);
}

/* Deleted rows match nothing; rows with other values are asked again. */
static int apply_patch(struct worker *w, size_t part, const struct patch *p, uint64_t *bits) {
    struct search *s = w->s;
    size_t count;
    bool asked = cond_is_patched(s->cond, p);
    const uint32_t *rows = patch_rows(p, &count);
    uint64_t seq_low = part_info(snapshot_part(s->o.snapshot, part))->seq_low;
    for (size_t i = 0; i < count; i++) {
        const struct record *r;
        bool gone = patch_row_gone(p, rows[i]);
        if (!gone && !asked) {
            continue;
        }
        map_unset(bits, rows[i]);
        if (gone || !is_chosen(s, seq_low + rows[i])) {
            continue;
        }
        int code = worker_restore(w, part, rows[i], &r);
        if (code < 0) {
            return code;
        }
        if (search_matches(s, r)) {
            map_set(bits, rows[i]);
        }
    }
    return 0;
}

/* Whether the part's times lie in the bounds at all. */
static bool is_in_time(const struct search *s, const struct part_info *info) {
    uint64_t start = s->o.start_ms < 0 ? 0 : (uint64_t)s->o.start_ms;
    uint64_t stop = s->o.stop_ms < 0 ? 0 : (uint64_t)s->o.stop_ms;
    switch (s->o.bounding) {
    case BOUND_FIRST:
        return info->first_max >= start && info->first_min <= stop;
    case BOUND_BOTH:
        return info->first_max >= start && info->last_min <= stop;
    case BOUND_EITHER:
        return info->first_min <= stop && info->last_max >= start;
    case BOUND_DATABASE:
        return true;
    default:
        return info->last_max >= start && info->last_min <= stop;
    }
}

static int filter_blocks(struct worker *w, const struct part_info *info, struct plan *plan, uint64_t *bits) {
    uint64_t *mask = worker_map(w);
    int code = mask ? 0 : -ENOMEM;
    for (uint32_t block = 0; code == 0 && block < info->blocks; block++) {
        code = search_check(w->s);
        if (code == 0) {
            map_fill(mask, block_rows(info, block));
            code = plan_filter(w, plan, block, mask, bits + (size_t)block * PART_WORDS);
            (void)atomic_fetch_add_explicit(&w->s->done, block_rows(info, block), memory_order_relaxed);
        }
    }
    if (mask) {
        worker_unmap(w);
    }
    return code;
}

static int filter_part(struct worker *w, void *ctx, size_t i) {
    struct search *s = w->s;
    struct search_part *part = &s->parts[i];
    const struct part_info *info = part_info(snapshot_part(s->o.snapshot, i));
    const struct patch *patch = snapshot_patch(s->o.snapshot, i);
    (void)ctx;
    int code = 0;
    struct plan *plan = plan_bind(w, i, s->cond, &code);
    if (!plan) {
        return code;
    }
    if (plan->kind == PLAN_NONE && !patch) {
        (void)atomic_fetch_add_explicit(&s->done, info->rows, memory_order_relaxed);
        return search_check(s);
    }
    size_t words = (size_t)info->blocks * PART_WORDS;
    uint64_t *bits = calloc(words + 1, sizeof(*bits));
    code = bits ? filter_blocks(w, info, plan, bits) : -ENOMEM;
    if (code == 0 && patch) {
        code = apply_patch(w, i, patch, bits);
    }
    for (size_t k = 0; code == 0 && k < words; k++) {
        part->count += (uint64_t)__builtin_popcountll(bits[k]);
    }
    if (code == 0 && part->count) {
        part->bits = TAKE(bits);
    }
    free(bits);
    return code;
}

int search_run(struct search *s) {
    size_t count = 0;
    size_t *order = malloc((s->part_count + 1) * sizeof(*order));
    if (!order) {
        return -ENOMEM;
    }
    for (size_t i = 0; i < s->part_count; i++) {
        const struct part_info *info = part_info(snapshot_part(s->o.snapshot, i));
        if (!s->o.bounded || is_in_time(s, info)) {
            order[count++] = i;
            (void)atomic_fetch_add(&s->total, info->rows);
        }
    }
    struct part_job job = {
        .fn = filter_part, .order = order, .count = count, .wanted = s->wanted, .wanted_count = s->wanted_count};
    int code = search_run_parts(s, &job, NULL);
    free(order);
    s->count = 0;
    for (size_t i = 0; code == 0 && i < s->part_count; i++) {
        s->count += s->parts[i].count;
    }
    return code;
}

uint64_t search_count(const struct search *s) {
    return s->count;
}

uint64_t search_damaged(const struct search *s) {
    return atomic_load_explicit(&s->damaged, memory_order_relaxed);
}

void search_each_damaged(const struct search *s, void (*each)(void *ctx, const char *name), void *ctx) {
    for (size_t i = 0; i < s->part_count; i++) {
        if (s->parts[i].damaged) {
            each(ctx, part_info(snapshot_part(s->o.snapshot, i))->name);
        }
    }
}

void search_progress(const struct search *s, uint64_t *ret_done, uint64_t *ret_total) {
    *ret_done = atomic_load_explicit(&s->done, memory_order_relaxed);
    *ret_total = atomic_load_explicit(&s->total, memory_order_relaxed);
}
