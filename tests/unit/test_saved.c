/* What users keep: rows and their ceilings, who may see and change them, names for expressions. */
#include "check.h"

#include <errno.h>

#include "api/input.h"
#include "api/saved.h"

static struct control *control;

static int setup(void **state) {
    (void)state;
    struct err e;
    return control_open(NULL, &control, &e) || saved_prepare(control, &e);
}
static int teardown(void **state) {
    (void)state;
    control = control_close(control);
    return 0;
}

static const char *const no_roles[] = {NULL};
static const char *const blue_roles[] = {"arkimeUser", "role:blue", NULL};

static struct principal user(const char *id, const char *const *roles, uint32_t rights) {
    struct principal p = {.rights = rights, .expression = "", .roles = roles};
    (void)snprintf(p.id, sizeof(p.id), "%s", id);
    return p;
}

static struct saved view(const char *name, const char *owner) {
    return (struct saved){.kind = SAVED_VIEW,
                          .name = span_text(name),
                          .owner = span_text(owner),
                          .body = SPAN_LITERAL("{\"expression\":\"ip.src == \\\"10.0.0.1\\\"\"}")};
}

static void test_rows(void **state) {
    (void)state;
    struct saved v = view("one", "ann");
    char id[SAVED_ID_SIZE];
    v.users = SPAN_LITERAL("bob\ncat");
    assert_int_equal(saved_insert(control, &v, 1000, id), 0);
    assert_int_equal(strlen(id), SAVED_ID_SIZE - 1);

    struct saved_rows rows;
    saved_rows_init(&rows);
    assert_int_equal(saved_by_id(control, SAVED_VIEW, span_text(id), &rows), 0);
    assert_int_equal(rows.count, 1);
    assert_span(rows.rows[0].name, "one");
    assert_span(rows.rows[0].owner, "ann");
    assert_span(rows.rows[0].users, "bob\ncat");
    assert_span(rows.rows[0].roles, "");
    assert_int_equal(rows.rows[0].created, 1000);

    struct saved changed = rows.rows[0];
    changed.name = SPAN_LITERAL("two");
    assert_int_equal(saved_update(control, &changed, 2000), 0);
    saved_rows_done(&rows);

    saved_rows_init(&rows);
    assert_int_equal(saved_by_name(control, SAVED_VIEW, SPAN_LITERAL("one"), &rows), -ENOENT);
    saved_rows_done(&rows);
    saved_rows_init(&rows);
    assert_int_equal(saved_by_name(control, SAVED_VIEW, SPAN_LITERAL("two"), &rows), 0);
    assert_int_equal(rows.rows[0].created, 1000);
    assert_int_equal(rows.rows[0].updated, 2000);
    saved_rows_done(&rows);

    assert_int_equal(saved_delete(control, SAVED_SHORTCUT, span_text(id)), 0); /* another kind: stays */
    saved_rows_init(&rows);
    assert_int_equal(saved_by_id(control, SAVED_VIEW, span_text(id), &rows), 0);
    saved_rows_done(&rows);
    assert_int_equal(saved_delete(control, SAVED_VIEW, span_text(id)), 0);
    saved_rows_init(&rows);
    assert_int_equal(saved_by_id(control, SAVED_VIEW, span_text(id), &rows), -ENOENT);
    saved_rows_done(&rows);
}

static void test_names_are_taken(void **state) {
    (void)state;
    char id[SAVED_ID_SIZE], other[SAVED_ID_SIZE];
    struct saved a = view("same", "ann"), b = view("same", "bob");
    assert_int_equal(saved_insert(control, &a, 1, id), 0);
    assert_int_equal(saved_insert(control, &a, 1, other), -EEXIST);
    assert_int_equal(saved_insert(control, &b, 1, other), 0); /* another owner */
    struct saved s = {.kind = SAVED_SHORTCUT, .name = SPAN_LITERAL("same"), .owner = SPAN_LITERAL("ann")};
    assert_int_equal(saved_insert(control, &s, 1, id), 0);
    s.owner = SPAN_LITERAL("bob");
    assert_int_equal(saved_insert(control, &s, 1, id), -EEXIST); /* names of shortcuts are everybody's */
}

static void test_ceiling(void **state) {
    (void)state;
    char id[SAVED_ID_SIZE], name[32];
    assert_int_equal(control_begin(control), 0);
    for (int i = 0; i < SAVED_PER_USER; i++) {
        (void)snprintf(name, sizeof(name), "view %d", i);
        struct saved v = view(name, "max");
        assert_int_equal(saved_insert(control, &v, 1, id), 0);
    }
    struct saved more = view("one more", "max"), others = view("one more", "mia");
    assert_int_equal(saved_insert(control, &more, 1, id), -EDQUOT);
    assert_int_equal(saved_insert(control, &others, 1, id), 0);
    assert_int_equal(control_end(control, false), 0);
}

static void test_lines(void **state) {
    (void)state;
    assert_true(lines_have(SPAN_LITERAL("ann\nbob"), SPAN_LITERAL("ann")));
    assert_true(lines_have(SPAN_LITERAL("ann\nbob"), SPAN_LITERAL("bob")));
    assert_false(lines_have(SPAN_LITERAL("ann\nbob"), SPAN_LITERAL("an")));
    assert_false(lines_have(SPAN_LITERAL("ann\nbob"), SPAN_LITERAL("ann\nbob")));
    assert_false(lines_have(SPAN_LITERAL(""), SPAN_LITERAL("")));
    struct buf out;
    buf_init(&out, 1000);
    struct json j = json_over(&out);
    lines_write(&j, SPAN_LITERAL("a\"\nb"));
    assert_span(buf_span(&out), "[\"a\\\"\",\"b\"]");
    buf_clear(&out);
    j = json_over(&out);
    lines_write_joined(&j, SPAN_LITERAL("a\nb\nc"));
    assert_span(buf_span(&out), "\"a,b,c\"");
    buf_done(&out);
}

static void test_rights(void **state) {
    (void)state;
    struct principal ann = user("ann", no_roles, RIGHT_ANY), bob = user("bob", no_roles, RIGHT_ANY);
    struct principal blue = user("eve", blue_roles, RIGHT_ANY), admin = user("adm", no_roles, RIGHT_ANY | RIGHT_ADMIN);
    struct saved v = view("v", "ann");
    assert_true(saved_may_use(&v, &ann) && saved_may_edit(&v, &ann));
    assert_false(saved_may_use(&v, &bob) || saved_may_edit(&v, &bob));
    assert_true(saved_may_edit(&v, &admin));
    v.users = SPAN_LITERAL("bob");
    assert_true(saved_may_use(&v, &bob));
    assert_false(saved_may_edit(&v, &bob));
    assert_false(saved_may_use(&v, &blue));
    v.roles = SPAN_LITERAL("role:red\nrole:blue");
    assert_true(saved_may_use(&v, &blue));
    assert_false(saved_may_edit(&v, &blue));
    v.roles = (struct span){0};
    v.edit_roles = SPAN_LITERAL("role:blue");
    assert_true(saved_may_use(&v, &blue) && saved_may_edit(&v, &blue));
    v.edit_users = SPAN_LITERAL("bob");
    assert_true(saved_may_edit(&v, &bob));
}

static void test_view_by_name(void **state) {
    (void)state;
    char id[SAVED_ID_SIZE], shared[SAVED_ID_SIZE];
    struct saved a = view("mine", "ann"), b = view("mine", "bob");
    b.users = SPAN_LITERAL("ann");
    b.body = SPAN_LITERAL("{\"expression\":\"port == 80\"}");
    assert_int_equal(saved_insert(control, &b, 1, shared), 0);
    struct principal ann = user("ann", no_roles, RIGHT_ANY), eve = user("eve", no_roles, RIGHT_ANY);
    struct buf out;
    buf_init(&out, 1000);
    assert_int_equal(saved_view(control, &ann, SPAN_LITERAL("mine"), &out), 0);
    assert_span(buf_span(&out), "port == 80");
    assert_int_equal(saved_insert(control, &a, 2, id), 0);
    buf_clear(&out);
    assert_int_equal(saved_view(control, &ann, SPAN_LITERAL("mine"), &out), 0); /* the own one goes first */
    assert_span(buf_span(&out), "ip.src == \"10.0.0.1\"");
    buf_clear(&out);
    assert_int_equal(saved_view(control, &ann, span_text(shared), &out), 0); /* by id */
    assert_span(buf_span(&out), "port == 80");
    buf_clear(&out);
    assert_int_equal(saved_view(control, &eve, SPAN_LITERAL("mine"), &out), -ENOENT);
    assert_int_equal(saved_view(control, &eve, span_text(shared), &out), -ENOENT);
    assert_int_equal(saved_view(control, &ann, SPAN_LITERAL("nobody's"), &out), -ENOENT);
    assert_int_equal(out.len, 0);
    buf_done(&out);
}

struct seen {
    char text[200];
    int count, answer;
};
static int shortcut_see(void *ctx, const struct query_shortcut *s) {
    struct seen *seen = ctx;
    size_t len = strlen(seen->text);
    (void)snprintf(seen->text + len, sizeof(seen->text) - len, "%.*s:%d:%.*s;", (int)s->name.len,
                   (const char *)s->name.at, (int)s->type, (int)s->values.len, (const char *)s->values.at);
    seen->count++;
    return seen->answer;
}

static void test_shortcuts(void **state) {
    (void)state;
    char id[SAVED_ID_SIZE];
    struct saved s = {.kind = SAVED_SHORTCUT,
                      .name = SPAN_LITERAL("net_a"),
                      .owner = SPAN_LITERAL("ann"),
                      .type = SPAN_LITERAL("ip"),
                      .body = SPAN_LITERAL("{\"value\":\"10.0.0.0/8\\n::1\"}")};
    assert_int_equal(saved_insert(control, &s, 1, id), 0);
    s.name = SPAN_LITERAL("net_b");
    s.owner = SPAN_LITERAL("bob");
    s.type = SPAN_LITERAL("string");
    s.body = SPAN_LITERAL("{\"value\":\"x\"}");
    assert_int_equal(saved_insert(control, &s, 1, id), 0);

    struct principal ann = user("ann", no_roles, RIGHT_ANY);
    struct principal admin = user("adm", no_roles, RIGHT_ANY | RIGHT_ADMIN);
    struct seen seen = {0};
    assert_int_equal(saved_shortcuts(control, &ann, SPAN_LITERAL("net_a"), shortcut_see, &seen), 0);
    assert_string_equal(seen.text, "net_a:0:10.0.0.0/8\n::1;");
    seen = (struct seen){0};
    assert_int_equal(saved_shortcuts(control, &ann, SPAN_LITERAL("net_*"), shortcut_see, &seen), 0);
    assert_int_equal(seen.count, 1); /* bob's is not ann's */
    seen = (struct seen){0};
    assert_int_equal(saved_shortcuts(control, &admin, SPAN_LITERAL("net_?"), shortcut_see, &seen), 0);
    assert_int_equal(seen.count, 2);
    seen = (struct seen){.answer = -E2BIG};
    assert_int_equal(saved_shortcuts(control, &admin, SPAN_LITERAL("net_?"), shortcut_see, &seen), -E2BIG);
    assert_int_equal(seen.count, 1);
    seen = (struct seen){0};
    assert_int_equal(saved_shortcuts(control, &ann, SPAN_LITERAL("none"), shortcut_see, &seen), 0);
    assert_int_equal(seen.count, 0);
}

static void test_search_fits(void **state) {
    (void)state;
    assert_true(search_fits(SPAN_LITERAL(""), SPAN_LITERAL("anything")));
    assert_true(search_fits(SPAN_LITERAL("THING"), SPAN_LITERAL("anything")));
    assert_false(search_fits(SPAN_LITERAL("thingy"), SPAN_LITERAL("anything")));
    assert_true(search_fits(SPAN_LITERAL("any*"), SPAN_LITERAL("anything")));
    assert_false(search_fits(SPAN_LITERAL("thing*"), SPAN_LITERAL("anything")));
    assert_true(search_fits(SPAN_LITERAL("*t?ing"), SPAN_LITERAL("anyThing")));
    assert_true(search_fits(SPAN_LITERAL("***"), SPAN_LITERAL("")));
    assert_false(search_fits(SPAN_LITERAL("?"), SPAN_LITERAL("")));
    char text[4001], stars[201];
    memset(text, 'a', sizeof(text) - 1);
    text[sizeof(text) - 1] = 0;
    for (size_t i = 0; i < sizeof(stars) - 1; i++) {
        stars[i] = "*a"[i % 2];
    }
    stars[sizeof(stars) - 1] = 0;
    stars[sizeof(stars) - 2] = 'b';
    assert_false(search_fits(span_text(stars), span_text(text))); /* ends soon, whatever the stars */
}

static void test_page(void **state) {
    (void)state;
    size_t from;
    struct page p = {.start = 2, .length = 3};
    assert_int_equal(page_part(&p, 10, &from), 3);
    assert_int_equal(from, 2);
    assert_int_equal(page_part(&p, 4, &from), 2);
    assert_int_equal(page_part(&p, 1, &from), 0);
    assert_int_equal(from, 1);
}

int main(void) {
#define CASE(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {
        CASE(test_rows),      CASE(test_names_are_taken), CASE(test_ceiling),
        CASE(test_lines),     CASE(test_rights),          CASE(test_view_by_name),
        CASE(test_shortcuts), CASE(test_search_fits),     CASE(test_page),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
