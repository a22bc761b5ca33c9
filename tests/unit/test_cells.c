/* test_cells.c: values of a record: what is equal, what is kept, in which order, under which ceilings; a random round
 * beside a plain model of the same rules.
 */
#include "check.h"
#include "record/record.h"

enum {
    LIST,
    REPEAT,
    ONE,
    FIRST,
    SUM,
    NUMBER,
    LOWER,
    UPPER,
    NUMBERS,
    FLOATS,
    IPS,
    MACS,
    LINKED,
    OBJ,
    NAME,
    TTL,
    TAGS,
    BYTES,
    INNER,
    DEEP,
    PORTS
};

static const struct field_def defs[] = {
    [LIST] = {.path = "list", .type = FT_KEYWORD, .title = "T", .help = "H"},
    [REPEAT] = {.path = "repeat", .type = FT_KEYWORD, .flags = F_REPEAT, .title = "T", .help = "H"},
    [ONE] = {.path = "one", .type = FT_KEYWORD, .flags = F_SINGLE, .title = "T", .help = "H"},
    [FIRST] = {.path = "first", .type = FT_KEYWORD, .flags = F_SINGLE | F_FIRST, .title = "T", .help = "H"},
    [SUM] = {.path = "sum", .type = FT_U64, .flags = F_SINGLE | F_SUM, .title = "T", .help = "H"},
    [NUMBER] = {.path = "number", .type = FT_U64, .flags = F_SINGLE, .title = "T", .help = "H"},
    [LOWER] = {.path = "lower", .type = FT_LOWER, .title = "T", .help = "H"},
    [UPPER] = {.path = "upper", .type = FT_UPPER, .title = "T", .help = "H"},
    [NUMBERS] = {.path = "numbers", .type = FT_U64, .title = "T", .help = "H"},
    [FLOATS] = {.path = "floats", .type = FT_FLOAT, .title = "T", .help = "H"},
    [IPS] = {.path = "ips", .type = FT_IP, .title = "T", .help = "H"},
    [MACS] = {.path = "macs", .type = FT_MAC, .title = "T", .help = "H"},
    [LINKED] = {.path = "linked", .type = FT_LOWER, .flags = F_LINKED, .title = "T", .help = "H"},
    [OBJ] = {.path = "obj", .type = FT_OBJECT, .title = "T", .help = "H"},
    [NAME] = {.path = "obj.name", .type = FT_KEYWORD, .flags = F_SINGLE, .title = "T", .help = "H"},
    [TTL] = {.path = "obj.ttl", .type = FT_U64, .flags = F_SINGLE | F_FIRST, .title = "T", .help = "H"},
    [TAGS] = {.path = "obj.tags", .type = FT_KEYWORD, .title = "T", .help = "H"},
    [BYTES] = {.path = "obj.bytes", .type = FT_U64, .flags = F_SINGLE | F_SUM, .title = "T", .help = "H"},
    [INNER] = {.path = "obj.inner", .type = FT_OBJECT, .title = "T", .help = "H"},
    [PORTS] = {.path = "obj.ports", .type = FT_U64, .title = "T", .help = "H"},
    [DEEP] = {.path = "obj.inner.deep", .type = FT_U64, .flags = F_REPEAT, .title = "T", .help = "H"},
};

struct rig {
    struct registry *registry;
    const struct field *f;
    struct pool pool;
    struct cells cells;
};

static int set_up(void **state) {
    struct rig *r = calloc(1, sizeof(*r));
    struct err e = {0};
    uint16_t base;
    assert_non_null(r);
    r->registry = registry_new();
    assert_int_equal(registry_add(r->registry, "test", defs, ARRAY_LEN(defs), &base, &e), 0);
    assert_int_equal(registry_seal(r->registry, &e), 0);
    r->f = registry_fields(r->registry);
    pool_init(&r->pool, 0);
    cells_init(&r->cells, &r->pool);
    *state = r;
    return 0;
}

static int tear_down(void **state) {
    struct rig *r = *state;
    cells_done(&r->cells);
    assert_int_equal(r->pool.in_use, 0);
    pool_done(&r->pool);
    registry_free(r->registry);
    free(r);
    return 0;
}

static const struct cell_head *head_of(const struct cells *c, const struct field *f) {
    size_t count;
    const struct cell_head *heads = cells_heads(c, &count);
    for (size_t i = 0; i < count; i++) {
        if (heads[i].field == f->id) {
            return &heads[i];
        }
    }
    return NULL;
}

/* The texts of a list joined by `|`. */
static const char *texts(const struct cells *c, const struct field *f, char *to, size_t size) {
    const struct cell_head *h = head_of(c, f);
    size_t len = 0;
    for (const struct cell *cell = h ? cells_first(c, h) : NULL; cell; cell = cells_next(c, cell)) {
        struct value v = cell_value(cell, f);
        len += (size_t)snprintf(to + len, size - len, "%s%.*s", len ? "|" : "", (int)v.bytes.len,
                                (const char *)v.bytes.at);
        assert_true(len < size);
    }
    to[len] = 0;
    return to;
}

#define assert_texts(r, field, wanted)                                                         \
    do {                                                                                       \
        char text_[1000];                                                                      \
        assert_string_equal(texts(&(r)->cells, &(r)->f[field], text_, sizeof(text_)), wanted); \
    } while (0)

static bool put(struct rig *r, unsigned field, const char *text) {
    return cells_put_text(&r->cells, &r->f[field], span_text(text));
}

static void test_empty(void **state) {
    struct rig *r = *state;
    size_t count = 7;
    assert_null(cells_heads(&r->cells, &count));
    assert_int_equal(count, 0);
    assert_int_equal(cells_count(&r->cells, &r->f[LIST]), 0);
    assert_false(cells_has_text(&r->cells, &r->f[LIST], SPAN_LITERAL("a")));
    assert_false(cells_remove_text(&r->cells, &r->f[LIST], "a"));
    cells_keep_linked(&r->cells, r->registry);
    assert_int_equal(r->pool.in_use, 0); /* nothing until the first put */
}

static void test_lists(void **state) {
    struct rig *r = *state;
    assert_true(put(r, LIST, "b"));
    assert_true(put(r, LIST, "a"));
    assert_false(put(r, LIST, "b"));
    assert_true(put(r, LIST, ""));
    assert_false(put(r, LIST, ""));
    assert_true(put(r, LIST, "B"));
    assert_texts(r, LIST, "b|a||B"); /* in the order they came */
    assert_int_equal(cells_count(&r->cells, &r->f[LIST]), 4);
    assert_true(put(r, REPEAT, "x"));
    assert_true(put(r, REPEAT, "x"));
    assert_true(put(r, REPEAT, "y"));
    assert_true(put(r, REPEAT, "x"));
    assert_texts(r, REPEAT, "x|x|y|x");
    assert_true(cells_put_text(&r->cells, &r->f[LIST], (struct span){0}) == false);
}

static void test_singles(void **state) {
    struct rig *r = *state;
    assert_true(put(r, ONE, "a"));
    assert_false(put(r, ONE, "a"));
    assert_true(put(r, ONE, "b"));
    assert_true(cells_put_const(&r->cells, &r->f[ONE], "constant"));
    assert_false(put(r, ONE, "constant"));
    assert_texts(r, ONE, "constant");
    assert_true(put(r, ONE, "c"));
    assert_true(put(r, ONE, "something longer"));
    assert_texts(r, ONE, "something longer");
    assert_int_equal(cells_count(&r->cells, &r->f[ONE]), 1);
    assert_true(put(r, FIRST, "a"));
    assert_false(put(r, FIRST, "b"));
    assert_texts(r, FIRST, "a");
    for (uint64_t i = 1; i <= 100; i++) {
        assert_true(cells_put_u64(&r->cells, &r->f[SUM], i));
    }
    assert_int_equal(cells_count(&r->cells, &r->f[SUM]), 1);
    assert_true(cell_value(cells_first(&r->cells, head_of(&r->cells, &r->f[SUM])), &r->f[SUM]).u64 == 5050);
}

/* A value that changes for ever takes no memory for ever: at worst the record is told to be full. */
static void test_single_stays_small(void **state) {
    struct rig *r = *state;
    char text[64];
    unsigned full = 0;
    struct object o = cells_object(&r->cells, &r->f[OBJ], 1, NULL);
    for (unsigned i = 0; i < 200000; i++) {
        (void)snprintf(text, sizeof(text), "%0*u", 1 + (int)(i % 40), i % 9);
        assert_true(put(r, ONE, text));
        assert_true(cells_put_u64(&r->cells, &r->f[NUMBER], i));
        cells_object_text(&r->cells, o, &r->f[NAME], span_text(text));
        if (r->cells.full) {
            full++;
            assert_texts(r, ONE, text);
            assert_int_equal(r->cells.dropped, 0);
            assert_true(r->pool.in_use < 4 * CELLS_FIELD_SOFT);
            cells_keep_linked(&r->cells, r->registry);
            r->cells.full = 0;
            o = cells_object(&r->cells, &r->f[OBJ], 1, NULL);
        }
    }
    assert_in_range(full, 10, 100);
}

/* Linked values go on into the next piece, but a list that is full does not: it would fill each further piece, too. */
static void test_full_linked_list_begins_anew(void **state) {
    struct rig *r = *state;
    unsigned pieces = 0;
    assert_true(put(r, LINKED, "few"));
    cells_keep_linked(&r->cells, r->registry);
    assert_true(cells_has_text(&r->cells, &r->f[LINKED], SPAN_LITERAL("few")));
    for (unsigned i = 0; i < 50000; i++) {
        char text[32];
        (void)snprintf(text, sizeof(text), "value %u", i);
        assert_true(put(r, LINKED, text));
        if (r->cells.full) {
            cells_keep_linked(&r->cells, r->registry);
            r->cells.full = 0;
            pieces++;
        }
    }
    assert_in_range(pieces, 20, 80);
}

static void test_const_and_copied(void **state) {
    struct rig *r = *state;
    assert_true(cells_put_const(&r->cells, &r->f[LIST], "tag"));
    assert_false(put(r, LIST, "tag"));
    assert_true(put(r, LIST, "other"));
    assert_false(cells_put_const(&r->cells, &r->f[LIST], "other"));
    assert_true(put(r, LIST, "tag2"));
    assert_texts(r, LIST, "tag|other|tag2");
    assert_true(cells_has_text(&r->cells, &r->f[LIST], SPAN_LITERAL("tag")));
    assert_false(cells_has_text(&r->cells, &r->f[LIST], SPAN_LITERAL("ta")));
}

static void test_folding(void **state) {
    struct rig *r = *state;
    assert_true(put(r, LOWER, "AbC[@Z\xc4"));
    assert_false(put(r, LOWER, "aBc[@z\xc4"));
    assert_texts(r, LOWER, "abc[@z\xc4");
    assert_true(put(r, UPPER, "abc{`z\xe4"));
    assert_false(put(r, UPPER, "ABC{`Z\xe4"));
    assert_texts(r, UPPER, "ABC{`Z\xe4");
}

static void test_types(void **state) {
    struct rig *r = *state;
    static const uint8_t ip[16] = {[10] = 0xff, [11] = 0xff, 10, 0, 0, 1}, mac[6] = {2, 0, 0, 0, 0, 1};
    assert_true(cells_put_u64(&r->cells, &r->f[NUMBERS], UINT64_MAX));
    assert_false(cells_put_u64(&r->cells, &r->f[NUMBERS], UINT64_MAX));
    assert_true(cells_put_i64(&r->cells, &r->f[NUMBERS], -5));
    assert_true(cells_put_double(&r->cells, &r->f[FLOATS], 0.5));
    assert_false(cells_put_double(&r->cells, &r->f[FLOATS], 0.5));
    assert_true(cells_put_ip(&r->cells, &r->f[IPS], ip));
    assert_false(cells_put_ip(&r->cells, &r->f[IPS], ip));
    assert_true(cells_put_mac(&r->cells, &r->f[MACS], mac));
    assert_false(cells_put_mac(&r->cells, &r->f[MACS], mac));
    const struct cell *c = cells_first(&r->cells, head_of(&r->cells, &r->f[NUMBERS]));
    assert_true(cell_value(c, &r->f[NUMBERS]).u64 == UINT64_MAX);
    assert_true(cell_value(cells_next(&r->cells, c), &r->f[NUMBERS]).i64 == -5);
    assert_true(cell_value(cells_first(&r->cells, head_of(&r->cells, &r->f[FLOATS])), &r->f[FLOATS]).number == 0.5);
    struct value v = cell_value(cells_first(&r->cells, head_of(&r->cells, &r->f[IPS])), &r->f[IPS]);
    assert_int_equal(v.bytes.len, 16);
    assert_memory_equal(v.bytes.at, ip, 16);
    assert_int_equal(cell_value(cells_first(&r->cells, head_of(&r->cells, &r->f[MACS])), &r->f[MACS]).bytes.len, 6);
}

static void test_remove(void **state) {
    struct rig *r = *state;
    put(r, LIST, "a");
    cells_put_const(&r->cells, &r->f[LIST], "b");
    put(r, LIST, "c");
    put(r, NUMBERS - 1, "other field");
    assert_false(cells_remove_text(&r->cells, &r->f[LIST], "x"));
    assert_true(cells_remove_text(&r->cells, &r->f[LIST], "b"));
    assert_texts(r, LIST, "a|c");
    assert_true(cells_remove_text(&r->cells, &r->f[LIST], "c"));
    assert_true(put(r, LIST, "d")); /* the end of the list is right */
    assert_texts(r, LIST, "a|d");
    assert_true(cells_remove_text(&r->cells, &r->f[LIST], "a"));
    assert_true(cells_remove_text(&r->cells, &r->f[LIST], "d"));
    assert_null(head_of(&r->cells, &r->f[LIST]));
    assert_int_equal(cells_count(&r->cells, &r->f[LIST]), 0);
    assert_texts(r, NUMBERS - 1, "OTHER FIELD");
    assert_true(put(r, LIST, "e"));
    assert_texts(r, LIST, "e");
}

static void test_heads_in_writing_order(void **state) {
    struct rig *r = *state;
    put(r, UPPER, "a");
    cells_put_u64(&r->cells, &r->f[NUMBERS], 1);
    put(r, FIRST, "a");
    put(r, LIST, "a");
    (void)cells_object(&r->cells, &r->f[OBJ], 0, NULL);
    size_t count;
    const struct cell_head *heads = cells_heads(&r->cells, &count);
    assert_int_equal(count, 5);
    for (size_t i = 1; i < count; i++) {
        assert_true(heads[i - 1].rank < heads[i].rank);
    }
}

/* --- objects --- */

/* An object's members as text: `name=value,` in their order, inner objects in braces. */
static void show(const struct rig *r, const struct cell *object, char *to, size_t size) {
    for (const struct cell *c = cells_object_first(&r->cells, object); c; c = cells_next(&r->cells, c)) {
        const struct field *f = &r->f[c->field];
        struct value v = cell_value(c, f);
        size_t len = strlen(to);
        if (f->type == FT_OBJECT) {
            (void)snprintf(to + len, size - len, "{");
            show(r, c, to, size);
            len = strlen(to);
            (void)snprintf(to + len, size - len, "}");
        } else if (f->type == FT_U64) {
            (void)snprintf(to + len, size - len, "%s=%llu,", f->def->path, (unsigned long long)v.u64);
        } else {
            (void)snprintf(to + len, size - len, "%s=%.*s,", f->def->path, (int)v.bytes.len, (const char *)v.bytes.at);
        }
    }
}

static void test_objects(void **state) {
    struct rig *r = *state;
    bool is_new = false;
    struct object a = cells_object(&r->cells, &r->f[OBJ], 11, &is_new);
    assert_true(is_new);
    cells_object_text(&r->cells, a, &r->f[TAGS], SPAN_LITERAL("t2"));
    cells_object_u64(&r->cells, a, &r->f[TTL], 60);
    struct object b = cells_object(&r->cells, &r->f[OBJ], 12, &is_new);
    assert_true(is_new);
    cells_object_text(&r->cells, b, &r->f[NAME], SPAN_LITERAL("second"));
    struct object again = cells_object(&r->cells, &r->f[OBJ], 11, &is_new);
    assert_false(is_new);
    assert_int_equal(again.at, a.at);
    assert_int_equal(again.root, r->f[OBJ].id);
    cells_object_const(&r->cells, again, &r->f[TAGS], "t1");
    cells_object_text(&r->cells, again, &r->f[TAGS], SPAN_LITERAL("t1")); /* equal to the constant */
    cells_object_text(&r->cells, again, &r->f[TAGS], SPAN_LITERAL("t2"));
    cells_object_text(&r->cells, again, &r->f[NAME], SPAN_LITERAL("old"));
    cells_object_text(&r->cells, again, &r->f[NAME], SPAN_LITERAL("a new and longer name"));
    cells_object_u64(&r->cells, again, &r->f[TTL], 70); /* the first one stays */
    cells_object_u64(&r->cells, again, &r->f[BYTES], 5);
    cells_object_u64(&r->cells, again, &r->f[BYTES], 6);
    struct object inner = cells_child_object(&r->cells, a, &r->f[INNER]);
    assert_int_equal(inner.root, r->f[OBJ].id);
    cells_object_u64(&r->cells, inner, &r->f[DEEP], 1);
    cells_object_u64(&r->cells, inner, &r->f[DEEP], 1);
    inner = cells_child_object(&r->cells, a, &r->f[INNER]);
    cells_object_u64(&r->cells, inner, &r->f[DEEP], 2);
    (void)cells_object(&r->cells, &r->f[OBJ], 0, &is_new); /* key 0: always a new one */
    assert_true(is_new);
    (void)cells_object(&r->cells, &r->f[OBJ], 0, &is_new);
    assert_true(is_new);
    assert_int_equal(cells_count(&r->cells, &r->f[OBJ]), 4);
    char text[500] = "";
    const struct cell *c = cells_first(&r->cells, head_of(&r->cells, &r->f[OBJ]));
    show(r, c, text, sizeof(text));
    assert_string_equal(text, "obj.name=a new and longer name,obj.ttl=60,obj.tags=t2,obj.tags=t1,obj.bytes=11,"
                              "{obj.inner.deep=1,obj.inner.deep=1,}{obj.inner.deep=2,}");
    text[0] = 0;
    show(r, cells_next(&r->cells, c), text, sizeof(text));
    assert_string_equal(text, "obj.name=second,");
}

/* Offsets of objects stay right when the block moves. */
static void test_relocation(void **state) {
    struct rig *r = *state;
    struct object o[50];
    char text[4000];
    for (unsigned i = 0; i < ARRAY_LEN(o); i++) {
        o[i] = cells_object(&r->cells, &r->f[OBJ], i + 1, NULL);
        assert_true(o[i].at);
    }
    for (unsigned round = 0; round < 20; round++) {
        for (unsigned i = 0; i < ARRAY_LEN(o); i++) {
            (void)snprintf(text, sizeof(text), "%u-%u", i, round);
            cells_object_text(&r->cells, o[i], &r->f[TAGS], span_text(text));
            assert_true(put(r, LIST, text));
        }
    }
    const struct cell *c = cells_first(&r->cells, head_of(&r->cells, &r->f[OBJ]));
    for (unsigned i = 0; i < ARRAY_LEN(o); i++, c = cells_next(&r->cells, c)) {
        assert_non_null(c);
        char wanted[4000] = "";
        for (unsigned round = 0; round < 20; round++) {
            size_t len = strlen(wanted);
            (void)snprintf(wanted + len, sizeof(wanted) - len, "obj.tags=%u-%u,", i, round);
        }
        text[0] = 0;
        show(r, c, text, sizeof(text));
        assert_string_equal(text, wanted);
    }
    assert_null(c);
    assert_int_equal(cells_count(&r->cells, &r->f[LIST]), 1000);
}

/* --- limits --- */

/* The first value decides how large the first block is: every length must leave room for its head. */
static void test_first_value(void **state) {
    struct rig *r = *state;
    char text[2000];
    memset(text, 'x', sizeof(text));
    for (size_t len = 0; len < sizeof(text); len++) {
        assert_true(cells_put_text(&r->cells, &r->f[LIST], span_make(text, len)));
        const struct cell_head *h = head_of(&r->cells, &r->f[LIST]);
        assert_non_null(h);
        struct value v = cell_value(cells_first(&r->cells, h), &r->f[LIST]);
        assert_int_equal(v.bytes.len, len);
        assert_true(v.bytes.at + len <= (const uint8_t *)h);
        cells_done(&r->cells);
    }
}

static void test_long_text(void **state) {
    struct rig *r = *state;
    char *text = malloc(CELL_TEXT_MAX + 100);
    assert_non_null(text);
    memset(text, 'x', CELL_TEXT_MAX + 100);
    assert_true(cells_put_text(&r->cells, &r->f[LIST], span_make(text, CELL_TEXT_MAX + 100)));
    struct value v = cell_value(cells_first(&r->cells, head_of(&r->cells, &r->f[LIST])), &r->f[LIST]);
    assert_int_equal(v.bytes.len, CELL_TEXT_MAX);
    assert_false(cells_put_text(&r->cells, &r->f[LIST], span_make(text, CELL_TEXT_MAX)));
    assert_int_equal(r->cells.full, 0);
    text[0] = 'y';
    assert_true(cells_put_text(&r->cells, &r->f[LIST], span_make(text, CELL_TEXT_MAX)));
    assert_int_equal(r->cells.full, 1); /* more than CELLS_FIELD_SOFT in one field */
    free(text);
}

static void test_full_by_object(void **state) {
    struct rig *r = *state;
    struct object o = cells_object(&r->cells, &r->f[OBJ], 1, NULL);
    struct object inner = cells_child_object(&r->cells, o, &r->f[INNER]);
    for (unsigned i = 0; !r->cells.full; i++) {
        assert_true(i < CELLS_FIELD_SOFT);
        cells_object_u64(&r->cells, inner, &r->f[DEEP], i);
    }
}

static void test_ceiling(void **state) {
    struct rig *r = *state;
    char text[1000];
    memset(text, 'x', sizeof(text));
    unsigned kept = 0;
    for (unsigned i = 0; i < 4000; i++) {
        memcpy(text, &i, sizeof(i));
        kept += cells_put_text(&r->cells, &r->f[REPEAT], span_make(text, sizeof(text)));
    }
    assert_true(kept > 1500 && kept < 2200); /* 2 MiB */
    assert_int_equal(r->cells.dropped, 4000 - kept);
    assert_int_equal(cells_count(&r->cells, &r->f[REPEAT]), kept);
    assert_true(r->pool.in_use <= CELLS_MAX_BYTES);
    assert_false(cells_put_text(&r->cells, &r->f[LIST], span_make(text, sizeof(text))));
    assert_int_equal(cells_object(&r->cells, &r->f[OBJ], 5, NULL).at ? 1 : 0, 1); /* a little still fits */
}

static void test_no_memory(void **state) {
    struct rig *r = *state;
    r->pool.ceiling = 300;
    char text[400];
    memset(text, 'x', sizeof(text));
    assert_true(put(r, LIST, "small"));
    assert_false(cells_put_text(&r->cells, &r->f[LIST], span_make(text, sizeof(text))));
    assert_int_equal(r->cells.dropped, 1);
    assert_texts(r, LIST, "small"); /* what was there stays */
    unsigned i = 0;
    struct object o;
    while ((o = cells_object(&r->cells, &r->f[OBJ], ++i, NULL)).at) {
        assert_true(i < 100);
    }
    assert_int_equal(r->cells.dropped, 2);
    /* Everything put into a refused object is dropped without harm. */
    cells_object_text(&r->cells, o, &r->f[NAME], SPAN_LITERAL("n"));
    cells_object_u64(&r->cells, o, &r->f[BYTES], 1);
    cells_object_const(&r->cells, o, &r->f[NAME], "n");
    assert_int_equal(cells_child_object(&r->cells, o, &r->f[INNER]).at, 0);
    cells_keep_linked(&r->cells, r->registry);
    assert_int_equal(r->cells.dropped, 2);
    r->pool.ceiling = 0;
}

static void test_keep_linked(void **state) {
    struct rig *r = *state;
    put(r, LIST, "gone");
    put(r, LINKED, "Kept");
    cells_put_const(&r->cells, &r->f[LINKED], "constant");
    struct object o = cells_object(&r->cells, &r->f[OBJ], 1, NULL);
    cells_object_text(&r->cells, o, &r->f[NAME], SPAN_LITERAL("gone"));
    r->cells.dropped = 3;
    cells_keep_linked(&r->cells, r->registry);
    size_t count;
    (void)cells_heads(&r->cells, &count);
    assert_int_equal(count, 1);
    assert_texts(r, LINKED, "kept|constant");
    assert_int_equal(r->cells.dropped, 3);
    assert_true(put(r, LIST, "gone"));
    /* Without memory for the copy the values are lost, and that is counted. */
    r->pool.ceiling = 1;
    cells_keep_linked(&r->cells, r->registry);
    assert_int_equal(r->cells.dropped, 5);
    r->pool.ceiling = 0;
    assert_true(put(r, LIST, "usable"));
}

/* --- beside a model --- */

#define MODEL_VALUES 64

struct model {
    char values[REPEAT + 4][MODEL_VALUES][24];
    unsigned count[REPEAT + 4];
};

static void model_put(struct model *m, unsigned field, const char *text) {
    unsigned *n = &m->count[field];
    uint32_t flags = defs[field].flags;
    for (unsigned i = 0; i < *n && !(flags & (F_REPEAT | F_SINGLE)); i++) {
        if (strcmp(m->values[field][i], text) == 0) {
            return;
        }
    }
    if (flags & F_SINGLE) {
        *n = *n && (flags & F_FIRST) ? *n : 0;
    }
    if (*n == 0 || !(flags & F_SINGLE)) {
        (void)snprintf(m->values[field][(*n)++], sizeof(m->values[0][0]), "%s", text);
    }
}

static void test_random(void **state) {
    struct rig *r = *state;
    static const char *const constants[] = {"a", "bb", "ccc", "a value of 23 letters..", ""};
    struct dice d = {99};
    for (unsigned round = 0; round < 400; round++) {
        struct model *m = calloc(1, sizeof(*m));
        assert_non_null(m);
        unsigned puts = (unsigned)dice_below(&d, MODEL_VALUES);
        for (unsigned i = 0; i < puts; i++) {
            unsigned field = (unsigned)dice_below(&d, FIRST + 1);
            const char *text = constants[dice_below(&d, ARRAY_LEN(constants))];
            char copy[24];
            (void)snprintf(copy, sizeof(copy), "%s", text);
            if (dice_one_in(&d, 3)) {
                cells_put_const(&r->cells, &r->f[field], text);
            } else {
                cells_put_text(&r->cells, &r->f[field], span_text(copy));
            }
            model_put(m, field, text);
        }
        for (unsigned field = 0; field <= FIRST; field++) {
            char wanted[MODEL_VALUES * 25] = "", got[MODEL_VALUES * 25];
            for (unsigned i = 0; i < m->count[field]; i++) {
                size_t len = strlen(wanted);
                (void)snprintf(wanted + len, sizeof(wanted) - len, "%s%s", len ? "|" : "", m->values[field][i]);
            }
            assert_string_equal(texts(&r->cells, &r->f[field], got, sizeof(got)), wanted);
            assert_int_equal(cells_count(&r->cells, &r->f[field]), m->count[field]);
        }
        free(m);
        cells_done(&r->cells);
    }
}

/* --- long lists --- */

#define LONG_VALUES 400
#define LONG_RECORDS 3
enum { LONG_TEXT, LONG_FOLDED, LONG_NUMBER, LONG_CONST, LONG_CHILD, LONG_SECOND, LONG_LISTS };

/* What a list holds, in order. */
struct long_list {
    uint32_t values[LONG_VALUES], count;
    bool there[LONG_VALUES];
};

static const char *long_text(uint32_t value, char *text, size_t size) {
    (void)snprintf(text, size, "value %u%s", value, value % 3 ? "" : ", and more of it");
    return text;
}

static bool long_put(struct cells *c, const struct rig *r, struct object o, unsigned list, uint32_t value) {
    static char constants[LONG_VALUES][40];
    char text[40];
    struct span s = span_text(long_text(value, text, sizeof(text)));
    switch (list) {
    case LONG_TEXT:
        return cells_put_text(c, &r->f[LIST], s);
    case LONG_FOLDED:
        text[0] = value % 2 ? 'V' : 'v';
        return cells_put_text(c, &r->f[LOWER], s);
    case LONG_NUMBER:
        return cells_put_u64(c, &r->f[NUMBERS], value);
    case LONG_CONST:
        return cells_put_const(c, &r->f[LINKED], long_text(value, constants[value], sizeof(constants[value])));
    case LONG_CHILD:
        cells_object_text(c, o, &r->f[TAGS], s);
        return true;
    default:
        cells_object_u64(c, o, &r->f[PORTS], value);
        return true;
    }
}

static void long_check(const struct cells *c, const struct rig *r, struct object o, unsigned list,
                       const struct long_list *want) {
    static const uint16_t fields[] = {LIST, LOWER, NUMBERS, LINKED, TAGS, PORTS};
    const struct cell *cell = NULL;
    size_t heads;
    const struct cell_head *h = cells_heads(c, &heads);
    for (size_t i = 0; i < heads; i++) {
        cell = h[i].field == (list >= LONG_CHILD ? OBJ : fields[list]) ? cells_first(c, &h[i]) : cell;
    }
    if (list >= LONG_CHILD) {
        assert_int_not_equal(o.at, 0);
        cell = cells_object_first(c, cell);
    }
    uint32_t count = 0;
    for (; cell; cell = cells_next(c, cell)) {
        if (cell->field != fields[list]) {
            continue;
        }
        char text[40];
        assert_true(count < want->count);
        if (list == LONG_NUMBER || list == LONG_SECOND) {
            assert_int_equal(cell_value(cell, &r->f[fields[list]]).u64, want->values[count]);
        } else {
            assert_span(cell_span(cell), long_text(want->values[count], text, sizeof(text)));
        }
        count++;
    }
    assert_int_equal(count, want->count);
}

static void long_remove(struct cells *c, const struct rig *r, struct long_list *l, uint32_t value) {
    char text[40];
    assert_int_equal(cells_remove_text(c, &r->f[LIST], long_text(value, text, sizeof(text))), l->there[value]);
    for (uint32_t i = 0, to = 0, count = l->count; i < count; i++) {
        l->values[to] = l->values[i];
        to += l->values[i] != value;
        l->count = to;
    }
    l->there[value] = false;
}

/* Lists of hundreds of values of several records that take turns, or are put in a row: nothing doubled, nothing lost,
 * in the order it came. */
static void test_long_lists(void **state) {
    struct rig *r = *state;
    struct dice d = {5};
    for (unsigned round = 0; round < 8; round++) {
        struct long_list(*lists)[LONG_LISTS] = calloc(LONG_RECORDS, sizeof(*lists));
        struct cells records[LONG_RECORDS];
        struct object objects[LONG_RECORDS];
        assert_non_null(lists);
        for (unsigned i = 0; i < LONG_RECORDS; i++) {
            cells_init(&records[i], &r->pool);
            objects[i] = cells_object(&records[i], &r->f[OBJ], 7, NULL);
        }
        unsigned record = 0, list = 0;
        for (unsigned i = 0; i < 15000; i++) {
            if (round % 2 || dice_one_in(&d, 300)) {
                record = (unsigned)dice_below(&d, LONG_RECORDS);
                list = (unsigned)dice_below(&d, LONG_LISTS);
            }
            uint32_t value = (uint32_t)dice_below(&d, LONG_VALUES);
            struct long_list *l = &lists[record][list];
            if (list == LONG_TEXT && dice_one_in(&d, 50)) {
                long_remove(&records[record], r, l, value);
                continue;
            }
            bool new = long_put(&records[record], r, objects[record], list, value);
            assert_true(list >= LONG_CHILD || new == !l->there[value]);
            if (!l->there[value]) {
                l->there[value] = true;
                l->values[l->count++] = value;
            }
        }
        for (unsigned i = 0; i < LONG_RECORDS * LONG_LISTS; i++) {
            long_check(&records[i / LONG_LISTS], r, objects[i / LONG_LISTS], i % LONG_LISTS,
                       &lists[i / LONG_LISTS][i % LONG_LISTS]);
        }
        for (unsigned i = 0; i < LONG_RECORDS; i++) {
            cells_done(&records[i]);
        }
        free(lists);
    }
}

#define CELLS_TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void) {
    const struct CMUnitTest tests[] = {
        CELLS_TEST(test_empty),
        CELLS_TEST(test_lists),
        CELLS_TEST(test_singles),
        CELLS_TEST(test_single_stays_small),
        CELLS_TEST(test_full_linked_list_begins_anew),
        CELLS_TEST(test_const_and_copied),
        CELLS_TEST(test_folding),
        CELLS_TEST(test_types),
        CELLS_TEST(test_remove),
        CELLS_TEST(test_heads_in_writing_order),
        CELLS_TEST(test_objects),
        CELLS_TEST(test_relocation),
        CELLS_TEST(test_first_value),
        CELLS_TEST(test_long_text),
        CELLS_TEST(test_full_by_object),
        CELLS_TEST(test_ceiling),
        CELLS_TEST(test_no_memory),
        CELLS_TEST(test_keep_linked),
        CELLS_TEST(test_random),
        CELLS_TEST(test_long_lists),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
