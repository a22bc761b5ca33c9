/* test_query_outside.c: files, views, shortcuts and rights in expressions, given by hooks. */
#include <errno.h>
#include <stdio.h>

#include "query/ast.h"
#include "query_build.h"

static const struct query_file files[] = {
    {1, SPAN_LITERAL("/data/pcap/one.pcap"), SPAN_LITERAL("a")},
    {2, SPAN_LITERAL("/data/pcap/two.pcap"), SPAN_LITERAL("a")},
    {4, SPAN_LITERAL("/data/pcap/four.pcap"), SPAN_LITERAL("b")},
};

static const struct query_shortcut shortcuts[] = {
    {SPAN_LITERAL("nets"), SPAN_LITERAL("id1"), SHORTCUT_IP, SPAN_LITERAL("172.16.0.0/12\n192.168.1.20\n")},
    {SPAN_LITERAL("net_far"), SPAN_LITERAL("id2"), SHORTCUT_IP, SPAN_LITERAL("8.8.8.8")},
    {SPAN_LITERAL("numbers"), SPAN_LITERAL("id3"), SHORTCUT_NUMBER, SPAN_LITERAL("80\n443\n8000-8100")},
    {SPAN_LITERAL("names"), SPAN_LITERAL("id4"), SHORTCUT_STRING, SPAN_LITERAL("a*b\nCDN.example.org")},
    {SPAN_LITERAL("empty"), SPAN_LITERAL("id5"), SHORTCUT_IP, SPAN_LITERAL("\n \n")},
    {SPAN_LITERAL("broken"), SPAN_LITERAL("id6"), SHORTCUT_IP, SPAN_LITERAL("10.0.0.1\nnonsense")},
};

static int each_file(void *ctx, query_file_fn each, void *each_ctx) {
    (void)ctx;
    for (size_t i = 0; i < ARRAY_LEN(files); i++) {
        int code = each(each_ctx, &files[i]);
        if (code < 0) {
            return code;
        }
    }
    return 0;
}

static int find_view(void *ctx, struct span name, struct buf *ret) {
    static const char *const views[][2] = {
        {"web", "port == [80,443]"},
        {"either", "view == web || port == 22"},
        {"endless", "view == endless"},
        {"twice", "view == web && view == web"},
        {"wrong", "port == 1 && port == zzz"},
        {"torn", "(port == 1"},
        {"all", "*"},
    };
    (void)ctx;
    for (size_t i = 0; i < ARRAY_LEN(views); i++) {
        if (span_is(name, views[i][0])) {
            buf_add_text(ret, views[i][1]);
            return 0;
        }
    }
    return span_is(name, "unreadable") ? -EIO : -ENOENT;
}

static int each_shortcut(void *ctx, struct span name, query_shortcut_fn each, void *each_ctx) {
    (void)ctx;
    (void)name;
    for (size_t i = 0; i < ARRAY_LEN(shortcuts); i++) {
        int code = each(each_ctx, &shortcuts[i]);
        if (code < 0) {
            return code;
        }
    }
    return 0;
}

static const struct query_names names = {NULL, each_file, find_view, each_shortcut, false};

/* 1 it fits, 0 it does not, or -errno. */
static int answer(struct build *b, const struct query_names *n, const char *text, struct err *e) {
    struct query *q;
    *e = (struct err){0};
    int code = query_parse_with(span_text(text), b->registry, n, BUILD_NOW, &q, e);
    code = code < 0 ? code : query_match(q, &b->record);
    query_free(q);
    return code;
}

static void test_fits(void **state) {
    static const struct {
        const char *text;
        bool fits;
    } cases[] = {
        {"file == /data/pcap/two.pcap", true},
        {"file == \"/data/pcap/two.pcap\"", true},
        {"file = */two.pcap", true},
        {"file == */t?o.pcap*", true},
        {"file == */one.pcap", false},
        {"file == /data/pcap/one.pcap || file == */four.pcap", false},
        {"file == /.*(one|two).pcap/", true},
        {"file == /two/", false},
        {"file == *nothing*", false},
        {"file != *nothing*", true},
        {"file != */two.pcap", false},
        {"!(file == *.pcap)", false},
        {"view == web", true},
        {"view == \"web\" && ip.src == 10.0.0.2", true},
        {"view != web", false},
        {"view == either && view == twice", true},
        {"view == all", true},
        {"ip.dst == $nets", true},
        {"ip == $nets", true},
        {"ip.src == $nets", false},
        {"ip.src != $nets", true},
        {"ip.dst == $net*", true},
        {"ip.dst == $net_*", false},
        {"ip.dst == [10.9.9.9, $nets]", true},
        {"ip.dst == [192.168.1.20, $net_far]", true},
        {"ip.dst == [10.9.9.9, $net_far]", false},
        {"ip.dst != [10.9.9.9, $net_far]", true},
        {"ip == $empty", false},
        {"ip != $empty", true},
        {"port.dst == $numbers", true},
        {"port == $numbe??", true},
        {"port.src == $numbers", false},
        {"host == $names", true},
        {"host.http == $names", true},
        {"http.uri == $names", false}, /* a*b is no wildcard there */
        {"http.uri == \"$names\"", false},
    };
    struct build b;
    struct err e;
    (void)state;
    build_init(&b);
    struct packet_position where = {.file = 2, .position = 24};
    b.record.positions = &where;
    b.record.position_count = 1;
    b.record.name_files = true;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        int got = answer(&b, &names, cases[i].text, &e);
        if (got != (int)cases[i].fits) {
            fail_msg("%s: %d %s", cases[i].text, got, e.text);
        }
    }
    build_done(&b);
}

static void test_errors(void **state) {
    static const struct {
        const char *text;
        int column;
        const char *words;
    } cases[] = {
        {"port == 1 || file == two.pcap", 22, "File 'two.pcap' not found"},
        {"file > two.pcap", 1, "Invalid operator 'gt' for file"},
        {"file == [a,b]", 10, "a,b - List queries not supported for file queries - a,b"},
        {"file == /a(b/", 0, "regular expression is not closed"},
        {"view == nobody", 9, "nobody - View not found for user"},
        {"view == endless", 0, "views are nested too deep"},
        {"view == wrong", 9, "in the view wrong, column 22: zzz is not a number"},
        {"view == torn", 9, "in the view torn, column 11: a ) is missing"},
        {"view == /a/", 0, "chosen by its name"},
        {"ip == $nowhere", 7, "$nowhere - Shortcut not found"},
        {"ip == $no*where", 7, "$no*where - Shortcut not found"},
        {"ip == $numbers", 7, "shortcut must be of type ip"},
        {"port == $nets", 9, "shortcut must be of type number"},
        {"host == $nets", 9, "shortcut must be of type string"},
        {"ip > $nets", 6, "Shortcuts only support == and !="},
        {"starttime == $numbers", 14, "Unsupported field type"},
        {"ip == ]$nets[", 8, "]$nets[ - AND array not supported with shortcuts"},
        {"ip == $broken", 7, "nonsense not a valid ip"},
        {"port == *", 9, "Please use 'EXISTS!' instead of a '*' in expression"},
        {"http.uri == /a/b/", 13, "Must back slash any forward slashes in regexp query - /a/b/"},
        {"port == 1 &&", 13, "Parse error on line 1:"},
    };
    struct build b;
    struct err e;
    (void)state;
    build_init(&b);
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        int got = answer(&b, &names, cases[i].text, &e);
        if (got != -EINVAL || !strstr(e.text, cases[i].words) || (cases[i].column && e.column != cases[i].column)) {
            fail_msg("%s: %d \"%s\" at %d", cases[i].text, got, e.text, e.column);
        }
    }
    assert_int_equal(answer(&b, &names, "view == unreadable", &e), -EIO);
    assert_non_null(strstr(e.text, "cannot be read"));
    assert_int_equal(answer(&b, NULL, "file == x", &e), -EINVAL);
    assert_non_null(strstr(e.hint, "store"));
    assert_int_equal(answer(&b, NULL, "ip == $nets", &e), -EINVAL);
    build_done(&b);
}

static void test_email(void **state) {
    static const struct field_def email[] = {
        BUILD_FIELD("email.subject", "email.subject", FT_KEYWORD, F_COUNT),
        BUILD_FIELD("email.host", "host.email", FT_LOWER, F_COUNT | F_TOKENS),
        BUILD_FIELD("web.host", "host.web", FT_LOWER, F_COUNT),
    };
    static const char *const denied[] = {
        "email.subject == x",     "db:email.subject == x", "email.subject == EXISTS!",
        "host.email.tokens == x", "email.subject.cnt > 1", "host.web == (email.subject)",
    };
    struct query_names few = names;
    struct build b = {0};
    struct err e;
    uint16_t core, base;
    (void)state;
    few.no_email = true;
    b.registry = registry_new();
    assert_int_equal(registry_add(b.registry, "core", core_field_table, core_field_count, &core, &e), 0);
    assert_int_equal(registry_add(b.registry, "smtp", email, ARRAY_LEN(email), &base, &e), 0);
    assert_int_equal(registry_seal(b.registry, &e), 0);
    pool_init(&b.pool, 0);
    b.record.registry = b.registry;
    cells_init(&b.record.cells, &b.pool);
    (void)cells_put_text(&b.record.cells, registry_field(b.registry, (uint16_t)(base + 1)), SPAN_LITERAL("secret"));
    (void)cells_put_text(&b.record.cells, registry_field(b.registry, (uint16_t)(base + 2)), SPAN_LITERAL("open"));
    for (size_t i = 0; i < ARRAY_LEN(denied); i++) {
        assert_int_equal(answer(&b, &names, denied[i], &e) >= 0, 1);
        assert_int_equal(answer(&b, &few, denied[i], &e), -EINVAL);
        assert_non_null(strstr(e.text, " - permission denied, ask your Arkime admin to give you access using + on "
                                       "Users tab"));
    }
    assert_int_equal(answer(&b, &names, "host == secret", &e), 1);
    assert_int_equal(answer(&b, &few, "host == secret", &e), 0);
    assert_int_equal(answer(&b, &few, "host == open", &e), 1);
    build_done(&b);
}

/* The tree remembers which shortcut and which files its items came from. */
static void test_origin(void **state) {
    struct build b;
    struct err e = {0};
    struct query *q;
    (void)state;
    build_init(&b);
    assert_int_equal(
        query_parse_with(SPAN_LITERAL("ip.dst == [1.1.1.1, $net*]"), b.registry, &names, BUILD_NOW, &q, &e), 0);
    const struct query_node *any = query_root(q);
    assert_int_equal(any->kind, QUERY_OR);
    assert_int_equal(any->list.count, 2);
    assert_null(any->list.children[0]->test.origin);
    const struct query_node *both = any->list.children[1];
    assert_int_equal(both->list.count, 2);
    assert_true(span_is(both->list.children[0]->test.origin->shortcut_id, "id1"));
    assert_string_equal(both->list.children[0]->test.origin->shortcut_path, "ip");
    assert_int_equal(both->list.children[0]->test.item_count, 2);
    query_free(q);
    assert_int_equal(query_parse_with(SPAN_LITERAL("file == *.pcap"), b.registry, &names, BUILD_NOW, &q, &e), 0);
    const struct query_node *test = query_root(q);
    assert_int_equal(test->kind, QUERY_TEST);
    assert_int_equal(test->test.item_count, 2); /* 1-2 and 4 */
    assert_int_equal(test->test.origin->file_count, 3);
    assert_true(span_is(test->test.origin->files[2].node, "b"));
    query_free(q);
    build_done(&b);
}

/* A long shortcut is cut into several tests; one of many files too. */
static int many_files(void *ctx, query_file_fn each, void *each_ctx) {
    int code = 0;
    (void)ctx;
    for (uint32_t i = 1; i <= 5000 && code == 0; i++) {
        struct query_file f = {2 * i, SPAN_LITERAL("x.pcap"), SPAN_LITERAL("n")};
        code = each(each_ctx, &f);
    }
    return code;
}

static int long_shortcut(void *ctx, struct span name, query_shortcut_fn each, void *each_ctx) {
    struct query_shortcut s = {name, SPAN_LITERAL("id"), SHORTCUT_NUMBER, *(const struct span *)ctx};
    return each(each_ctx, &s);
}

static void test_long(void **state) {
    struct build b;
    struct err e;
    struct buf values;
    (void)state;
    build_init(&b);
    buf_init(&values, 1 << 20);
    for (unsigned i = 0; i < 20000; i++) {
        buf_printf(&values, "%u\n", i + 100000);
    }
    buf_add_text(&values, "443\n");
    struct span text = buf_span(&values);
    struct query_names n = {&text, many_files, find_view, long_shortcut, false};
    assert_int_equal(answer(&b, &n, "port.dst == $x", &e), 1);
    assert_int_equal(answer(&b, &n, "port.src == $x", &e), 0);
    struct packet_position where = {.file = 10000};
    b.record.positions = &where;
    b.record.position_count = 1;
    b.record.name_files = true;
    assert_int_equal(answer(&b, &n, "file == x.pcap", &e), 1);
    where.file = 9999;
    assert_int_equal(answer(&b, &n, "file == x.pcap", &e), 0);
    struct buf many;
    buf_init(&many, 1 << 20);
    for (unsigned i = 0; i <= QUERY_LOOKUPS_MAX; i++) {
        buf_add_text(&many, i ? "||view==web" : "view==web");
    }
    buf_add_byte(&many, 0);
    assert_int_equal(answer(&b, &names, (const char *)many.data, &e), -EINVAL);
    assert_non_null(strstr(e.text, "more than"));
    buf_done(&many);
    buf_done(&values);
    build_done(&b);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_fits),   cmocka_unit_test(test_errors), cmocka_unit_test(test_email),
        cmocka_unit_test(test_origin), cmocka_unit_test(test_long),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
