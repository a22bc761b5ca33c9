/* test_digest_runs.c: digests of what comes in pieces, with and without lanes, against those that OpenSSL makes of the
 * whole: all lengths around block ends, many texts at once cut at random, order, dropped ones, ceilings. */
#include "base/digest_runs.h"

#include <openssl/evp.h>

#include "check.h"

#define TEXTS 300
#define TEXT_MAX 40000

/* What was told: one digest for each tag, and the order of the tags. */
struct told {
    uint8_t digest[TEXTS][DIGEST_MAX];
    size_t len[TEXTS];
    uint32_t order[TEXTS];
    uint32_t count;
};

struct bench {
    struct digests *digests;
    struct digest_runs *runs;
    struct told told;
};

static const uint8_t context;

static void on_ready(const void *ctx, void *owner, uint32_t tag, const uint8_t *digest, size_t len) {
    struct told *told = owner;
    assert_ptr_equal(ctx, &context);
    assert_true(tag < TEXTS && told->count < TEXTS);
    assert_int_equal(told->len[tag], 0);
    memcpy(told->digest[tag], digest, len);
    told->len[tag] = len;
    told->order[told->count++] = tag;
}

static void bench_open(struct bench *b, bool lanes) {
    *b = (struct bench){.digests = digests_new()};
    assert_non_null(b->digests);
    b->runs = digest_runs_new(b->digests, lanes, on_ready, &context);
    assert_non_null(b->runs);
}

static void bench_close(struct bench *b) {
    assert_null(digest_runs_free(b->runs));
    assert_null(digests_free(b->digests));
}

static void check_told(const struct told *told, uint32_t tag, enum digest_kind kind, struct span text) {
    uint8_t want[EVP_MAX_MD_SIZE];
    unsigned len = 0;
    assert_int_equal(EVP_Digest(text.at, text.len, want, &len, kind == DIGEST_MD5 ? EVP_md5() : EVP_sha256(), NULL), 1);
    assert_int_equal(told->len[tag], len);
    assert_memory_equal(told->digest[tag], want, len);
}

/* Each length alone, and all of them side by side, in one piece and byte by byte. */
static void test_lengths(void **state) {
    bool lanes = *(bool *)*state;
    uint8_t text[TEXTS];
    struct dice dice = {1};
    dice_fill(&dice, text, sizeof(text));
    for (unsigned alone = 0; alone < 2; alone++) {
        struct bench b;
        bench_open(&b, lanes);
        for (uint32_t len = 0; len < TEXTS; len++) {
            struct digest_run *run = digest_begin(b.runs, DIGEST_MD5);
            assert_non_null(run);
            for (size_t at = 0; at < len; at += len % 2 ? 1 : len) {
                digest_add(b.runs, run, span_make(text + at, len % 2 ? 1 : len));
            }
            digest_end(b.runs, run, &b.told, len);
            if (alone) {
                digest_runs_settle(b.runs);
                assert_int_equal(b.told.count, len + 1);
            }
        }
        digest_runs_settle(b.runs);
        for (uint32_t len = 0; len < TEXTS; len++) {
            check_told(&b.told, len, DIGEST_MD5, span_make(text, len));
            assert_int_equal(b.told.order[len], len);
        }
        bench_close(&b);
    }
}

/* One round of texts that take turns at random. Some are dropped in the middle, some are SHA-256, some whole. */
static void interleave(struct bench *b, const uint8_t *bytes, struct dice *dice, uint32_t at_once, size_t longest) {
    struct {
        struct digest_run *run;
        const uint8_t *at;
        size_t len, done;
        uint32_t tag;
        enum digest_kind kind;
    } open[64] = {0}, ended[TEXTS];
    uint32_t begun = 0, ended_count = 0, left = 0;
    assert_true(at_once <= ARRAY_LEN(open));
    while (begun < TEXTS || left) {
        uint32_t i = (uint32_t)dice_below(dice, at_once);
        if (!open[i].run && begun < TEXTS) {
            open[i].kind = !dice_one_in(dice, 8) ? DIGEST_MD5 : DIGEST_SHA256;
            open[i].len = dice_below(dice, longest);
            open[i].at = bytes + dice_below(dice, TEXT_MAX - open[i].len);
            open[i].done = 0;
            open[i].tag = begun++;
            if (dice_one_in(dice, 10)) {
                digest_whole(b->runs, open[i].kind, span_make(open[i].at, open[i].len), &b->told, open[i].tag);
                ended[ended_count++] = open[i];
                continue;
            }
            open[i].run = digest_begin(b->runs, open[i].kind);
            assert_non_null(open[i].run);
            left++;
        } else if (open[i].run && open[i].done == open[i].len) {
            digest_end(b->runs, open[i].run, &b->told, open[i].tag);
            open[i].run = NULL;
            ended[ended_count++] = open[i];
            left--;
        } else if (open[i].run && dice_one_in(dice, 100)) {
            digest_drop(b->runs, open[i].run);
            open[i].run = NULL;
            left--;
        } else if (open[i].run) {
            size_t most = dice_below(dice, 3000), n = MIN(open[i].len - open[i].done, most);
            uint8_t *copy = malloc(n + 1); /* gone when the call is over */
            assert_non_null(copy);
            memcpy(copy, open[i].at + open[i].done, n);
            digest_add(b->runs, open[i].run, span_make(copy, n));
            free(copy);
            open[i].done += n;
        }
    }
    digest_runs_settle(b->runs);
    assert_int_equal(b->told.count, ended_count);
    for (uint32_t i = 0; i < ended_count; i++) {
        assert_int_equal(b->told.order[i], ended[i].tag);
        check_told(&b->told, ended[i].tag, ended[i].kind, span_make(ended[i].at, ended[i].len));
    }
}

static void test_interleaved(void **state) {
    bool lanes = *(bool *)*state;
    uint8_t *bytes = malloc(TEXT_MAX);
    struct dice dice = {7};
    assert_non_null(bytes);
    dice_fill(&dice, bytes, TEXT_MAX);
    static const uint32_t at_once[] = {1, 2, 3, 15, 16, 17, 64};
    for (size_t i = 0; i < ARRAY_LEN(at_once); i++) {
        struct bench b;
        bench_open(&b, lanes);
        interleave(&b, bytes, &dice, at_once[i], i % 2 ? 300 : TEXT_MAX);
        memset(&b.told, 0, sizeof(b.told)); /* runs are used again */
        interleave(&b, bytes, &dice, at_once[i], 5000);
        bench_close(&b);
    }
    free(bytes);
}

/* More in one call than there is room for, beside other texts. */
static void test_large(void **state) {
    bool lanes = *(bool *)*state;
    const size_t len = 3000001;
    uint8_t *bytes = malloc(len);
    struct dice dice = {3};
    struct bench b;
    assert_non_null(bytes);
    dice_fill(&dice, bytes, len);
    bench_open(&b, lanes);
    struct digest_run *one = digest_begin(b.runs, DIGEST_MD5), *other = digest_begin(b.runs, DIGEST_MD5);
    struct digest_run *third = digest_begin(b.runs, DIGEST_MD5);
    digest_add(b.runs, other, span_make(bytes, 100));
    digest_add(b.runs, third, span_make(bytes, 1000));
    digest_add(b.runs, one, span_make(bytes, len));
    digest_add(b.runs, other, span_make(bytes + 100, len - 100));
    digest_end(b.runs, other, &b.told, 1);
    digest_end(b.runs, third, &b.told, 2);
    digest_end(b.runs, one, &b.told, 0);
    digest_runs_settle(b.runs);
    check_told(&b.told, 0, DIGEST_MD5, span_make(bytes, len));
    check_told(&b.told, 1, DIGEST_MD5, span_make(bytes, len));
    check_told(&b.told, 2, DIGEST_MD5, span_make(bytes, 1000));
    bench_close(&b);
    free(bytes);
}

/* The list of ended runs is as long as it says: the next one makes room, and those left are freed untold. */
static void test_late(void **state) {
    bool lanes = *(bool *)*state;
    struct bench b;
    bench_open(&b, lanes);
    for (uint32_t i = 0; i < DIGEST_LATE_MAX - 1; i++) {
        digest_whole(b.runs, DIGEST_MD5, span_text("abc"), &b.told, i);
    }
    assert_int_equal(b.told.count, 0);
    digest_whole(b.runs, DIGEST_MD5, span_text("abc"), &b.told, DIGEST_LATE_MAX - 1);
    assert_int_equal(b.told.count, DIGEST_LATE_MAX);
    digest_whole(b.runs, DIGEST_SHA256, span_text("abc"), &b.told, DIGEST_LATE_MAX);
    assert_int_equal(b.told.count, DIGEST_LATE_MAX);
    bench_close(&b);
    assert_int_equal(b.told.count, DIGEST_LATE_MAX);
}

static void test_ceiling(void **state) {
    bool lanes = *(bool *)*state;
    struct bench b;
    bench_open(&b, lanes);
    struct digest_run **runs = calloc(DIGEST_RUNS_MAX, sizeof(struct digest_run *));
    assert_non_null(runs);
    for (size_t i = 0; i < DIGEST_RUNS_MAX; i++) {
        runs[i] = digest_begin(b.runs, i % 2 ? DIGEST_SHA256 : DIGEST_MD5);
        assert_non_null(runs[i]);
    }
    assert_null(digest_begin(b.runs, DIGEST_SHA256));
    digest_whole(b.runs, DIGEST_MD5, span_text("abc"), &b.told, 0); /* takes nobody's place */
    digest_end(b.runs, runs[7], &b.told, 1);
    runs[7] = digest_begin(b.runs, DIGEST_MD5); /* also while its digest has not been told */
    assert_non_null(runs[7]);
    assert_null(digest_begin(b.runs, DIGEST_MD5));
    for (size_t i = 0; i < DIGEST_RUNS_MAX; i++) {
        digest_drop(b.runs, runs[i]);
    }
    digest_runs_settle(b.runs);
    assert_int_equal(b.told.count, 2);
    check_told(&b.told, 0, DIGEST_MD5, span_text("abc"));
    check_told(&b.told, 1, DIGEST_SHA256, (struct span){0});
    free(runs);
    bench_close(&b);
}

int main(void) {
    static bool with = true, without = false;
#define BOTH(test)                                    \
    {#test " with lanes", test, NULL, NULL, &with}, { \
#test " without", test, NULL, NULL, &without  \
    }
    const struct CMUnitTest tests[] = {
        BOTH(test_lengths), BOTH(test_interleaved), BOTH(test_large), BOTH(test_late), BOTH(test_ceiling),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
