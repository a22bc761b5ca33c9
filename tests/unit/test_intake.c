/* test_intake.c: what becomes of a capture that came in when reading it fails. */
#include "check.h"

#include <errno.h>
#include <unistd.h>

#include "api/intake.h"

struct outcome {
    int code;
    uint64_t sessions;
    char path[256]; /* what was to be read */
};

static int import_fake(void *ctx, const struct import_request *q, struct import_result *ret, struct err *ret_err) {
    struct outcome *o = ctx;
    (void)snprintf(o->path, sizeof(o->path), "%s", q->path);
    ret->sessions = o->sessions;
    return o->code < 0 ? err_set(ret_err, o->code, "the disk is full") : 0;
}

/* Returns whether the capture is there when all is over. */
static bool take(struct outcome *o, struct err *ret_err) {
    char folder[] = "/tmp/seine-intake-XXXXXX", captures[64];
    assert_non_null(mkdtemp(folder));
    const struct api_settings settings = {.upload_max = 1000};
    struct api api = {.folder = folder, .settings = &settings, .import = import_fake, .import_ctx = o};
    struct call call = {.api = &api};
    struct intake i;
    struct import_result result;
    assert_int_equal(intake_open(&i, &call, "upload", "a.pcap"), 0);
    assert_int_equal(intake_write(&i, SPAN_LITERAL("bytes")), 0);
    assert_int_equal(intake_import(&i, SPAN_LITERAL(""), &result), o->code);
    *ret_err = i.err;
    intake_close(&i);
    bool there = access(o->path, F_OK) == 0;
    (void)unlink(o->path);
    (void)snprintf(captures, sizeof(captures), "%s/captures", folder);
    assert_int_equal(rmdir(captures), 0); /* nothing else was left behind */
    assert_int_equal(rmdir(folder), 0);
    return there;
}

static void read_to_the_end(void **state) {
    (void)state;
    struct err e;
    assert_true(take(&(struct outcome){.code = 0, .sessions = 2}, &e));
}

static void nothing_read(void **state) {
    (void)state;
    struct err e;
    assert_false(take(&(struct outcome){.code = -ENODATA}, &e));
    assert_string_equal(e.text, "the disk is full");
}

/* Sessions that are stored point into it; whoever sent it learns that sending it again would store them twice. */
static void some_read(void **state) {
    (void)state;
    struct err e;
    assert_true(take(&(struct outcome){.code = -ENOSPC, .sessions = 2}, &e));
    assert_non_null(strstr(e.text, "the disk is full; sessions of it are in the store"));
    assert_non_null(strstr(e.text, "-0-a.pcap"));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(read_to_the_end),
        cmocka_unit_test(nothing_read),
        cmocka_unit_test(some_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
