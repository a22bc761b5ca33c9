/* The list of fields as clients get it: types by Arkime's names, twins, unions, both forms. */
#include "query_build.h"

#include "api/field_rows.h"
#include "base/json_scan.h"

static const struct field_row *find(const struct field_rows *rows, const char *exp) {
    for (size_t i = 0; i < rows->count; i++) {
        if (strcmp(rows->list[i].exp, exp) == 0) {
            return &rows->list[i];
        }
    }
    fail_msg("no field %s", exp);
    return NULL;
}

static void test_rows(void **state) {
    (void)state;
    struct build b;
    build_init(&b);
    struct field_rows rows;
    assert_int_equal(field_rows_make(b.registry, &rows), 0);
    static const struct {
        const char *exp, *path, *type;
    } want[] = {
        {"ip.src", "source.ip", "ip"},
        {"port.src", "source.port", "integer"},
        {"starttime", "firstPacket", "seconds"},
        {"ip.protocol", "ipProtocol", "lotermfield"},
        {"host.http", "http.host", "lotermfield"},
        {"host.http.cnt", "http.hostCnt", "integer"},
        {"host.http.tokens", "http.hostTokens", "lotextfield"},
        {"http.statuscode.cnt", "http.statuscodeCnt", "integer"},
        {"rows.cnt", "rowsCnt", "integer"},
        {"score", "score", "float"},
        {"file", "fileand", "fileand"},
        {"view", "viewand", "viewand"},
        {"country.src", "source.geo.country_iso_code", "uptermfield"},
    };
    for (size_t i = 0; i < ARRAY_LEN(want); i++) {
        const struct field_row *row = find(&rows, want[i].exp);
        assert_string_equal(row->path, want[i].path);
        assert_string_equal(row->type, want[i].type);
    }
    assert_string_equal(find(&rows, "ip.src")->port, "source.port");
    assert_string_equal(find(&rows, "host.http")->transform, "removeProtocolAndURI");
    assert_true(find(&rows, "starttime")->date);
    assert_string_equal(find(&rows, "bytes")->unit, "bytes");
    for (size_t i = 1; i < rows.count; i++) {
        assert_true(strcmp(rows.list[i - 1].exp, rows.list[i].exp) < 0); /* in order, each name once */
    }
    field_rows_done(&rows);
    build_done(&b);
}

static void test_json(void **state) {
    (void)state;
    struct build b;
    build_init(&b);
    struct field_rows rows;
    assert_int_equal(field_rows_make(b.registry, &rows), 0);
    for (int map = 0; map < 2; map++) {
        struct buf out;
        buf_init(&out, 1 << 20);
        struct json j = json_over(&out);
        if (map) {
            assert_int_equal(field_rows_write_map(&j, &rows), 0);
        } else {
            field_rows_write_array(&j, &rows);
        }
        struct json_index x;
        struct json_error error;
        json_index_init(&x, 1 << 20);
        assert_int_equal(json_index_build(&x, buf_span(&out), &error), 0);
        assert_int_equal(json_check(&x, &error), 0);
        struct json_walk walk = json_walk_over(json_root(&x));
        struct span key, last = {0};
        struct json_ref item;
        size_t count = 0;
        while (json_walk_next(&walk, &key, &item)) {
            assert_int_equal(json_kind_of(item), JSON_OBJECT);
            assert_true(!map || !span_equal(key, last));
            last = key;
            count++;
        }
        assert_true(map ? count <= rows.count : count == rows.count);
        if (map) {
            struct json_ref bytes = json_find(json_root(&x), SPAN_LITERAL("network.bytes"));
            assert_span(json_raw_of(json_find(bytes, SPAN_LITERAL("exp"))), "\"bytes\"");
            assert_span(json_raw_of(json_find(bytes, SPAN_LITERAL("fieldECS"))), "\"network.bytes\"");
        }
        json_index_done(&x);
        buf_done(&out);
    }
    field_rows_done(&rows);
    build_done(&b);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_rows), cmocka_unit_test(test_json)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
