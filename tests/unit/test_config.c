/* test_config.c: sections and who wins, every kind of value at its borders, and that all mistakes are told at once with
 * their line and what was probably meant.
 */
#include "config/config.h"

#include <errno.h>
#include <unistd.h>

#include "check.h"

struct target {
    bool flag;
    uint32_t number, seconds, choice;
    uint64_t large, bytes;
    const char *text;
    struct setting_list list;
};

static const struct setting table[] = {
    {.name = "flag", .type = ST_BOOL, .offset = SETTING(target, flag), .fallback = "true", .help = "H"},
    {.name = "number",
     .type = ST_U32,
     .offset = SETTING(target, number),
     .fallback = "7",
     .min = 5,
     .max = 100,
     .help = "H"},
    {.name = "tcpTimeout",
     .type = ST_SECONDS,
     .offset = SETTING(target, seconds),
     .fallback = "8m",
     .min = 1,
     .max = 604800,
     .help = "H"},
    {.name = "rotate",
     .type = ST_CHOICE,
     .offset = SETTING(target, choice),
     .fallback = "daily",
     .choices = "hourly,daily,weekly",
     .help = "H"},
    {.name = "large", .type = ST_U64, .offset = SETTING(target, large), .fallback = "0", .help = "H"},
    {.name = "memory",
     .type = ST_BYTES,
     .offset = SETTING(target, bytes),
     .fallback = "256M",
     .min = 1 << 10,
     .max = 1ull << 50,
     .help = "H"},
    {.name = "prefix", .type = ST_TEXT, .offset = SETTING(target, text), .fallback = "arkime_", .help = "H"},
    {.name = "files", .type = ST_LIST, .offset = SETTING(target, list), .fallback = "", .help = "H"},
};

struct told {
    struct config *config;
    struct target target;
    char path[64];
    unsigned fatal, notes;
    char text[4000]; /* `file:line text (hint)` a line; the file's name without its folder */
};

static void on_problem(void *ctx, const char *file, const struct err *e, bool fatal) {
    struct told *t = ctx;
    size_t len = strlen(t->text);
    *(fatal ? &t->fatal : &t->notes) += 1;
    const char *name = file && strcmp(file, t->path) == 0 ? "F" : file ? file : "-";
    (void)snprintf(t->text + len, sizeof(t->text) - len, "%s:%d %s (%s)\n", name, e->line, e->text, e->hint);
}

static struct told *told_new(void) {
    struct told *t = calloc(1, sizeof(*t));
    assert_non_null(t);
    t->config = config_new();
    assert_non_null(t->config);
    return t;
}

static int read_text(struct told *t, const char *text) {
    (void)snprintf(t->path, sizeof(t->path), "/tmp/seine-config-XXXXXX");
    int fd = mkstemp(t->path);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, strlen(text)), strlen(text));
    close(fd);
    int code = config_read_file(t->config, t->path, on_problem, t);
    unlink(t->path);
    return code;
}

static int apply(struct told *t) {
    struct config_module module = {"test", table, ARRAY_LEN(table), &t->target};
    return config_apply(t->config, &module, 1, on_problem, t);
}

static void told_free(struct told *t) {
    assert_null(config_free(t->config));
    free(t);
}

static void test_defaults(void **state) {
    (void)state;
    struct told *t = told_new();
    assert_int_equal(apply(t), 0);
    assert_true(t->target.flag);
    assert_int_equal(t->target.number, 7);
    assert_int_equal(t->target.seconds, 480);
    assert_int_equal(t->target.choice, 1);
    assert_true(t->target.bytes == 256u << 20);
    assert_string_equal(t->target.text, "arkime_");
    assert_int_equal(t->target.list.count, 0);
    assert_string_equal(t->text, "");
    told_free(t);
}

static void test_sections(void **state) {
    (void)state;
    static const char file[] = "prefix = top\n" /* in front of any section: [default] */
                               "[default]\nnumber=10\nrotate = weekly\nlarge=1\nnumber=11\n"
                               "# comment = 5\n; another = 6\n"
                               "[one]\nnodeClass=special\nnumber=20\n"
                               "[class:special]\nnumber=30\nrotate=hourly\n"
                               "[other]\nnumber=40\nflag=false\n";
    struct told *t = told_new();
    assert_int_equal(read_text(t, file), 0);
    assert_int_equal(apply(t), 0);
    assert_int_equal(t->target.number, 11); /* the last one */
    assert_int_equal(t->target.choice, 2);
    assert_string_equal(t->target.text, "top");
    assert_int_equal(config_set_node(t->config, "one"), 0);
    assert_int_equal(apply(t), 0);
    assert_int_equal(t->target.number, 20);
    assert_int_equal(t->target.choice, 0); /* of the class */
    assert_int_equal(t->target.large, 1);
    assert_true(t->target.flag);
    assert_string_equal(config_value(t->config, "NUMBER"), "20");
    assert_null(config_value(t->config, "absent"));
    struct err e;
    assert_int_equal(config_override(t->config, "number=50", &e), 0);
    assert_int_equal(apply(t), 0);
    assert_int_equal(t->target.number, 50);
    assert_int_equal(config_override(t->config, "number=51", &e), 0);
    assert_int_equal(config_override(t->config, "prefix=", &e), 0);
    assert_int_equal(apply(t), 0);
    assert_int_equal(t->target.number, 51);
    assert_string_equal(t->target.text, "");
    assert_string_equal(t->text, "");
    struct config_module module = {"test", table, ARRAY_LEN(table), &t->target};
    config_check_sections(t->config, &module, 1, on_problem, t);
    assert_string_equal(t->text, ""); /* [other] is another node's */
    told_free(t);
}

/* Arkime names the section of a class without `class:`. */
static void test_bare_class(void **state) {
    (void)state;
    struct told *t = told_new();
    assert_int_equal(read_text(t, "[one]\nnodeClass=special\n[special]\nnumber=30\nnumbr=3\n"), 0);
    assert_int_equal(config_set_node(t->config, "one"), 0);
    assert_int_equal(apply(t), -EINVAL);
    assert_int_equal(t->target.number, 30);
    struct config_module module = {"test", table, ARRAY_LEN(table), &t->target};
    config_check_sections(t->config, &module, 1, on_problem, t);
    assert_string_equal(t->text, "F:5 unknown setting \"numbr\" (did you mean \"number\"?)\n");
    told_free(t);
}

static void test_environment(void **state) {
    (void)state;
    struct told *t = told_new();
    struct err e;
    assert_int_equal(read_text(t, "[default]\nnumber=10\nlarge=3\n"), 0);
    assert_int_equal(setenv("SEINE__number", "60", 1), 0);
    assert_int_equal(setenv("ARKIME__NUMBER", "61", 1), 0);
    assert_int_equal(setenv("ARKIME__large", "62", 1), 0);
    assert_int_equal(setenv("ARKIME__whatever", "1", 1), 0); /* not ours to judge */
    assert_int_equal(apply(t), 0);
    assert_int_equal(t->target.number, 60);
    assert_int_equal(t->target.large, 62);
    assert_string_equal(config_value(t->config, "number"), "60");
    assert_int_equal(config_override(t->config, "number=70", &e), 0);
    assert_int_equal(apply(t), 0);
    assert_int_equal(t->target.number, 70);
    assert_string_equal(config_value(t->config, "number"), "70");
    assert_int_equal(setenv("SEINE__large", "much", 1), 0);
    assert_int_equal(setenv("SEINE__tcpTimout", "5", 1), 0);
    assert_int_equal(apply(t), -EINVAL);
    assert_string_equal(t->text, "environment:0 unknown setting \"tcpTimout\" (did you mean \"tcpTimeout\"?)\n"
                                 "environment:0 large = much is not possible (large takes number)\n");
    assert_int_equal(t->target.large, 0); /* the default, not rubbish */
    static const char *const names[] = {"SEINE__number", "ARKIME__NUMBER",   "ARKIME__large",
                                        "SEINE__large",  "SEINE__tcpTimout", "ARKIME__whatever"};
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        unsetenv(names[i]);
    }
    told_free(t);
}

static void test_values(void **state) {
    (void)state;
    static const struct {
        const char *assignment;
        bool good;
        uint64_t value; /* of the member that it is about */
    } values[] = {
        {"flag=TRUE", true, 1},
        {"flag=no", true, 0},
        {"flag=", true, 0},
        {"flag=2", false, 1},
        {"number=5", true, 5},
        {"number=100", true, 100},
        {"number=4", false, 7},
        {"number=101", false, 7},
        {"number=-5", false, 7},
        {"number=5.0", false, 7},
        {"number=0x10", false, 7},
        {"number=", false, 7},
        {"number=5k", false, 7},
        {"number=4294967301", false, 7}, /* 2^32 + 5 */
        {"tcpTimeout=90", true, 90},
        {"tcpTimeout=90s", true, 90},
        {"tcpTimeout=2 H", true, 7200},
        {"tcpTimeout=7d", true, 604800},
        {"tcpTimeout=8d", false, 480},
        {"tcpTimeout=1w", false, 480},
        {"tcpTimeout=0", false, 480},
        {"tcpTimeout=18446744073709551615d", false, 480},
        {"memory=1024", true, 1024},
        {"memory=64K", true, 65536},
        {"memory=2 gb", true, 2ull << 30},
        {"memory=1T", true, 1ull << 40},
        {"memory=1023", false, 256u << 20},
        {"memory=1kk", false, 256u << 20},
        {"memory=99999999T", false, 256u << 20},
        {"large=18446744073709551615", true, UINT64_MAX},
        {"large=18446744073709551616", false, 0},
        {"rotate=Hourly", true, 0},
        {"rotate=weekly", true, 2},
        {"rotate=week", false, 1},
        {"rotate=", false, 1},
        {"rotate=hourly,daily", false, 1},
    };
    for (size_t i = 0; i < ARRAY_LEN(values); i++) {
        struct told *t = told_new();
        struct err e;
        assert_int_equal(config_override(t->config, values[i].assignment, &e), 0);
        int code = apply(t);
        const struct target *g = &t->target;
        char first = values[i].assignment[0];
        uint64_t got = first == 'f'   ? g->flag
                       : first == 'n' ? g->number
                       : first == 't' ? g->seconds
                       : first == 'm' ? g->bytes
                       : first == 'l' ? g->large
                                      : g->choice;
        if (code != (values[i].good ? 0 : -EINVAL) || got != values[i].value || t->fatal != !values[i].good) {
            fail_msg("%s: code %d, value %llu, told: %s", values[i].assignment, code, (unsigned long long)got, t->text);
        }
        told_free(t);
    }
}

static void test_lists(void **state) {
    (void)state;
    struct told *t = told_new();
    assert_int_equal(read_text(t, "files= /a ; /b;;c d ;\nprefix=a ; b # c\n"), 0);
    assert_int_equal(apply(t), 0);
    assert_int_equal(t->target.list.count, 3);
    assert_string_equal(t->target.list.items[0], "/a");
    assert_string_equal(t->target.list.items[1], "/b");
    assert_string_equal(t->target.list.items[2], "c d");
    assert_string_equal(t->target.text, "a ; b # c"); /* nothing behind a value is a comment */
    told_free(t);
}

/* Keys with colons, lines longer than any buffer, no line end at the end of the file, a byte order mark. */
static void test_odd_lines(void **state) {
    (void)state;
    enum { ITEMS = 30000 };
    struct told *t = told_new();
    char *text = malloc(ITEMS * 12 + 1000);
    assert_non_null(text);
    size_t len = (size_t)snprintf(text, 20,
                                  "\xef\xbb\xbf"
                                  "files =");
    for (unsigned i = 0; i < ITEMS; i++) {
        len += (size_t)snprintf(text + len, 12, " /f%05u ;", i);
    }
    (void)snprintf(text + len, 200,
                   "\n[override-ips]\n2001:db8::/32 = tag:a:b;asn:AS1 x\n10.0.0.0/8=tag:v4\r\n\n::1=tag:last");
    assert_int_equal(read_text(t, text), 0);
    free(text);
    assert_int_equal(apply(t), 0);
    assert_int_equal(t->target.list.count, ITEMS);
    assert_string_equal(t->target.list.items[0], "/f00000");
    assert_string_equal(t->target.list.items[ITEMS - 1], "/f29999");
    size_t count;
    const struct config_entry *rows = config_section(t->config, "OVERRIDE-IPS", &count);
    assert_int_equal(count, 3);
    assert_string_equal(rows[0].key, "2001:db8::/32");
    assert_string_equal(rows[0].value, "tag:a:b;asn:AS1 x");
    assert_int_equal(rows[0].line, 3);
    assert_string_equal(rows[1].value, "tag:v4");
    assert_string_equal(rows[2].key, "::1");
    assert_int_equal(rows[2].line, 6);
    assert_null(config_section(t->config, "absent", &count));
    assert_int_equal(count, 0);
    told_free(t);
}

/* Every mistake of a file in one go. */
static void test_all_mistakes(void **state) {
    (void)state;
    static const char file[] = "[default\n"               /* 1 */
                               "[default]\n"              /* 2 */
                               "tcpTimout=5\n"            /* 3 */
                               "no equals sign\n"         /* 4 */
                               "number=1000\n"            /* 5 */
                               "entirelyUnheardOf=1\n"    /* 6 */
                               "=value without a key\n"   /* 7 */
                               "elasticsearch=http://x\n" /* 8: Arkime's */
                               "rotate=never\n"           /* 9 */
                               "rules_x=1\n"              /* 10: for rules */
                               "memory=4M\n"              /* 11 */
                               "[overide-ips]\n"          /* 12 */
                               "10.0.0.1=tag:x\n"         /* 13 */
                               "[multiES]\n"              /* 14: Arkime's */
                               "x=y\n";
    struct told *t = told_new();
    size_t count;
    assert_int_equal(read_text(t, file), -EINVAL);
    assert_int_equal(apply(t), -EINVAL);
    (void)config_section(t->config, "override-ips", &count);
    struct config_module module = {"test", table, ARRAY_LEN(table), &t->target};
    config_check_sections(t->config, &module, 1, on_problem, t);
    assert_string_equal(
        t->text,
        "F:1 not a section, a comment or key = value ()\n"
        "F:4 not a section, a comment or key = value ()\n"
        "F:7 not a section, a comment or key = value ()\n"
        "F:3 unknown setting \"tcpTimout\" (did you mean \"tcpTimeout\"?)\n"
        "F:6 unknown setting \"entirelyUnheardOf\" (`seine config` lists all settings)\n"
        "F:8 \"elasticsearch\" is a setting of Arkime that has no meaning here; it is ignored (elasticsearch)\n"
        "F:5 number = 1000 is not possible (number takes number, 5 to 100)\n"
        "F:9 rotate = never is not possible (rotate takes one of hourly,daily,weekly)\n"
        "F:12 unknown section [overide-ips] is ignored (did you mean [override-ips]?)\n"
        "F:14 [multiES] is a section of Arkime that has no meaning here; it is ignored ([multiES])\n");
    assert_int_equal(t->fatal, 7);
    assert_int_equal(t->notes, 3);
    assert_true(t->target.bytes == 4u << 20); /* the rest counts */
    assert_int_equal(t->target.number, 7);
    told_free(t);
}

static void test_overrides(void **state) {
    (void)state;
    struct told *t = told_new();
    struct err e = {0};
    static const char *const wrong[] = {"", "number", "=5"};
    for (size_t i = 0; i < ARRAY_LEN(wrong); i++) {
        assert_int_equal(config_override(t->config, wrong[i], &e), -EINVAL);
        assert_string_equal(e.hint, "write -o key=value or -o section.key=value");
    }
    assert_int_equal(config_override(t->config, "override-ips.10.0.0.1=tag:x=y", &e), 0);
    assert_int_equal(config_override(t->config, "numbr=5", &e), 0);
    assert_int_equal(apply(t), -EINVAL);
    assert_string_equal(t->text, "-o:0 unknown setting \"numbr\" (did you mean \"number\"?)\n");
    size_t count;
    const struct config_entry *rows = config_section(t->config, "override-ips", &count);
    assert_int_equal(count, 1);
    assert_string_equal(rows[0].key, "10.0.0.1");
    assert_string_equal(rows[0].value, "tag:x=y");
    told_free(t);
}

static void test_files(void **state) {
    (void)state;
    struct told *t = told_new();
    assert_int_equal(config_read_file(t->config, "/nonexistent/seine.ini", on_problem, t), -ENOENT);
    assert_int_equal(t->fatal, 1);
    assert_non_null(strstr(t->text, "/nonexistent/seine.ini:0 the configuration file cannot be read: No such file"));
    assert_string_equal(config_path(t->config, "x"), "x"); /* no file, no folder */
    assert_int_equal(read_text(t, ""), 0);
    assert_string_equal(config_path(t->config, "rules/x"), "/tmp/rules/x");
    assert_string_equal(config_path(t->config, "/x"), "/x");
    assert_int_equal(config_read_file(t->config, "/tmp", on_problem, t) < 0, 1); /* a folder */
    told_free(t);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_defaults),    cmocka_unit_test(test_sections),     cmocka_unit_test(test_bare_class),
        cmocka_unit_test(test_environment), cmocka_unit_test(test_values),       cmocka_unit_test(test_lists),
        cmocka_unit_test(test_odd_lines),   cmocka_unit_test(test_all_mistakes), cmocka_unit_test(test_overrides),
        cmocka_unit_test(test_files),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
