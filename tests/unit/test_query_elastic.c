/* test_query_elastic.c: expressions in the language of Elasticsearch: shape, nesting, case, escapes. */
#include <errno.h>
#include <stdlib.h>
#include <time.h>

#include "query/elastic.h"
#include "query_build.h"

static int each_shortcut(void *ctx, struct span name, query_shortcut_fn each, void *each_ctx) {
    static const struct query_shortcut list[] = {
        {SPAN_LITERAL("one"), SPAN_LITERAL("A1"), SHORTCUT_IP, SPAN_LITERAL("10.0.0.1")},
        {SPAN_LITERAL("onemore"), SPAN_LITERAL("A2"), SHORTCUT_IP, SPAN_LITERAL("10.0.0.2\n10.0.0.3")},
        {SPAN_LITERAL("codes"), SPAN_LITERAL("A3"), SHORTCUT_NUMBER, SPAN_LITERAL("200")},
        {SPAN_LITERAL("hosts"), SPAN_LITERAL("A4"), SHORTCUT_STRING, SPAN_LITERAL("a.example")},
    };
    int code = 0;
    (void)ctx;
    (void)name;
    for (size_t i = 0; i < ARRAY_LEN(list) && code == 0; i++) {
        code = each(each_ctx, &list[i]);
    }
    return code;
}

static int each_file(void *ctx, query_file_fn each, void *each_ctx) {
    static const struct query_file list[] = {{7, SPAN_LITERAL("/a.pcap"), SPAN_LITERAL("north")},
                                             {9, SPAN_LITERAL("/ab.pcap"), SPAN_LITERAL("south")}};
    int code = 0;
    (void)ctx;
    for (size_t i = 0; i < ARRAY_LEN(list) && code == 0; i++) {
        code = each(each_ctx, &list[i]);
    }
    return code;
}

static int find_view(void *ctx, struct span name, struct buf *ret) {
    (void)ctx;
    (void)name;
    buf_add_text(ret, "port.src == 1 && port.dst == 2");
    return 0;
}

static const struct query_names names = {NULL, each_file, find_view, each_shortcut, false};

/* The clause, or what is wrong. Single quotes stand for double ones in what is expected. */
static void expect(struct build *b, const char *text, const char *wanted) {
    struct query *q;
    struct err e = {0};
    struct buf out;
    char want[2048];
    size_t len = strlen(wanted);
    assert_true(len < sizeof(want));
    for (size_t i = 0; i <= len; i++) {
        want[i] = wanted[i] == '\'' ? '"' : wanted[i];
    }
    buf_init(&out, 1 << 20);
    if (query_parse_with(span_text(text), b->registry, &names, BUILD_NOW, &q, &e) < 0) {
        fail_msg("%s: %s", text, e.text);
    }
    int code = query_to_elastic(q, "x_lookups", &out, &e);
    query_free(q);
    if (code < 0) {
        buf_clear(&out);
        buf_add_text(&out, e.text);
    }
    if (!span_is(buf_span(&out), want)) {
        fail_msg("%s:\n  got      %.*s\n  expected %s", text, (int)out.len, (const char *)out.data, want);
    }
    buf_done(&out);
}

struct shape {
    const char *text, *clause;
};

static void expect_all(const struct shape *list, size_t count) {
    struct build b;
    build_init(&b);
    for (size_t i = 0; i < count; i++) {
        expect(&b, list[i].text, list[i].clause);
    }
    build_done(&b);
}

static void test_nesting(void **state) {
    static const struct shape list[] = {
        {"", "{'match_all':{}}"},
        {"port.src == 1 && port.dst == 2",
         "{'bool':{'filter':[{'term':{'source.port':1}},{'term':{'destination.port':2}}]}}"},
        {"port.src == 1 || port.dst == 2",
         "{'bool':{'should':[{'term':{'source.port':1}},{'term':{'destination.port':2}}]}}"},
        {"!port.src == 1", "{'bool':{'must_not':{'term':{'source.port':1}}}}"},
        {"port.src != 1", "{'bool':{'must_not':{'term':{'source.port':1}}}}"},
        {"!!port.src == 1", "{'term':{'source.port':1}}"},
        {"!(port.src != 1)", "{'term':{'source.port':1}}"},
        {"port.src == 1 && (port.src == 2 && (port.src == 3 && port.src == 4))",
         "{'bool':{'filter':[{'term':{'source.port':1}},{'term':{'source.port':2}},{'term':{'source.port':3}},"
         "{'term':{'source.port':4}}]}}"},
        {"(port.src == 1 || port.src == 2) || port.src == 3",
         "{'bool':{'should':[{'term':{'source.port':1}},{'term':{'source.port':2}},{'term':{'source.port':3}}]}}"},
        {"!(port.src == 1 || port.src == 2)",
         "{'bool':{'must_not':[{'term':{'source.port':1}},{'term':{'source.port':2}}]}}"},
        {"!(port.src == 1 && port.src == 2)",
         "{'bool':{'must_not':{'bool':{'filter':[{'term':{'source.port':1}},{'term':{'source.port':2}}]}}}}"},
        {"port.src == 1 || port.src == 2 && port.src == 3",
         "{'bool':{'should':[{'term':{'source.port':1}},{'bool':{'filter':[{'term':{'source.port':2}},"
         "{'term':{'source.port':3}}]}}]}}"},
        {"port == 5", "{'bool':{'should':[{'term':{'destination.port':5}},{'term':{'source.port':5}}]}}"},
        {"port != 5", "{'bool':{'must_not':[{'term':{'destination.port':5}},{'term':{'source.port':5}}]}}"},
        {"port == 5 && port.src == 1",
         "{'bool':{'filter':[{'bool':{'should':[{'term':{'destination.port':5}},{'term':{'source.port':5}}]}},"
         "{'term':{'source.port':1}}]}}"},
        {"host.http == EXISTS!", "{'exists':{'field':'http.host'}}"},
        {"host.http != EXISTS!", "{'bool':{'must_not':{'exists':{'field':'http.host'}}}}"},
        {"host.http.tokens == EXISTS!", "{'exists':{'field':'http.host'}}"},
        {"rows == EXISTS!", "{'exists':{'field':'rowsCnt'}}"},
        {"port == EXISTS!",
         "{'bool':{'should':[{'exists':{'field':'destination.port'}},{'exists':{'field':'source.port'}}]}}"},
        {"port != EXISTS!",
         "{'bool':{'must_not':[{'exists':{'field':'destination.port'}},{'exists':{'field':'source.port'}}]}}"},
    };
    (void)state;
    expect_all(list, ARRAY_LEN(list));
}

static void test_addresses(void **state) {
    static const struct shape list[] = {
        {"ip.src == 10.0.0.1", "{'term':{'source.ip':'10.0.0.1'}}"},
        {"ip.src == 10.0.0.1/32", "{'term':{'source.ip':'10.0.0.1'}}"},
        {"ip.src == 10.1", "{'term':{'source.ip':'10.1.0.0/16'}}"},
        {"ip.src == 10.", "{'term':{'source.ip':'10.0.0.0/8'}}"},
        {"ip.src == 2001:db8::1", "{'term':{'source.ip':'2001:db8::1'}}"},
        {"ip.src == 2001:db8", "{'term':{'source.ip':'2001:db8::/32'}}"},
        {"ip.src == ipv4", "{'term':{'source.ip':'0.0.0.0/0'}}"},
        {"ip.src == ipv6", "{'bool':{'should':[{'range':{'source.ip':{'lt':'0.0.0.0'}}},{'range':{'source.ip':{'gt':'"
                           "255.255.255.255'}}}]}}"},
        {"ip.src == 10.0.0.1-10.0.0.3", "{'range':{'source.ip':{'gte':'10.0.0.1','lte':'10.0.0.3'}}}"},
        {"ip.src < 10.0.0.1", "{'range':{'source.ip':{'lt':'10.0.0.1'}}}"},
        {"ip.src >= 10.0.0.1", "{'range':{'source.ip':{'gte':'10.0.0.1'}}}"},
        {"ip.src == 10.0.0.1:80",
         "{'bool':{'filter':[{'term':{'source.ip':'10.0.0.1'}},{'term':{'source.port':'80'}}]}}"},
        {"ip.src != 10.0.0.1:80",
         "{'bool':{'must_not':{'bool':{'filter':[{'term':{'source.ip':'10.0.0.1'}},{'term':{'source.port':'80'}}]}}}}"},
        {"ip.src == 10.0.0.1:80 && port.dst == 1",
         "{'bool':{'filter':[{'term':{'source.ip':'10.0.0.1'}},{'term':{'source.port':'80'}},"
         "{'term':{'destination.port':1}}]}}"},
        {"ip.src == :80", "{'term':{'source.port':'80'}}"},
        {"ip.src == [10.0.0.1]", "{'term':{'source.ip':'10.0.0.1'}}"},
        {"ip.src == [10.0.0.1,10.2]", "{'terms':{'source.ip':['10.0.0.1','10.2.0.0/16']}}"},
        {"ip.src != [10.0.0.1,10.2]", "{'bool':{'must_not':{'terms':{'source.ip':['10.0.0.1','10.2.0.0/16']}}}}"},
        {"ip.src == [10.0.0.1,10.0.0.2,:80,10.0.0.3]",
         "{'bool':{'should':[{'terms':{'source.ip':['10.0.0.1','10.0.0.2']}},{'term':{'source.port':'80'}},"
         "{'term':{'source.ip':'10.0.0.3'}}]}}"},
        {"ip.src == ]10.0.0.1,10.0.0.2[",
         "{'bool':{'filter':[{'term':{'source.ip':'10.0.0.1'}},{'term':{'source.ip':'10.0.0.2'}}]}}"},
        {"ip.src != ]10.0.0.1,10.0.0.2[", "{'bool':{'must_not':{'bool':{'filter':[{'term':{'source.ip':'10.0.0.1'}},{'"
                                          "term':{'source.ip':'10.0.0.2'}}]}}}}"},
        {"ip == 10.0.0.1:80",
         "{'bool':{'should':[{'bool':{'filter':[{'term':{'destination.ip':'10.0.0.1'}},"
         "{'term':{'destination.port':'80'}}]}},{'bool':{'filter':[{'term':{'source.ip':'10.0.0.1'}},"
         "{'term':{'source.port':'80'}}]}}]}}"},
    };
    (void)state;
    expect_all(list, ARRAY_LEN(list));
}

static void test_text(void **state) {
    static const struct shape list[] = {
        {"host.http == Fred", "{'term':{'http.host':'fred'}}"},
        {"http.uri == Fred", "{'term':{'http.uri':'Fred'}}"},
        {"http.uri == http://Fred/x", "{'term':{'http.uri':'Fred/x'}}"},
        {"host.http == http://Fred/x", "{'term':{'http.host':'fred'}}"},
        {"host.http == Fr?d*", "{'wildcard':{'http.host':'fr?d*'}}"},
        {"http.uri == \"a\\b*\"", "{'wildcard':{'http.uri':'a\\\\\\\\b*'}}"},
        {"http.uri == \"a\\*b*\"", "{'wildcard':{'http.uri':'a\\\\*b*'}}"},
        {"host.http == /Fr.d[A-Z]/", "{'regexp':{'http.host':'fr.d[a-z]'}}"},
        {"http.uri == /^a\\d+[\\w-]@b\\/c$/", "{'regexp':{'http.uri':'a[0-9]+[0-9A-Z_a-z-]\\\\@b\\\\/c'}}"},
        {"http.uri == /[^]a]/", "{'regexp':{'http.uri':'[^\\\\]a]'}}"},
        {"host.http == [Fred]", "{'terms':{'http.host':['fred']}}"},
        {"host.http == [/x/,fred,f*,joe]",
         "{'bool':{'should':[{'regexp':{'http.host':'x'}},{'terms':{'http.host':['fred','joe']}},"
         "{'wildcard':{'http.host':'f*'}}]}}"},
        {"host.http != [fred,f*]",
         "{'bool':{'must_not':[{'terms':{'http.host':['fred']}},{'wildcard':{'http.host':'f*'}}]}}"},
        {"host.http == ]fred,f*[",
         "{'bool':{'filter':[{'term':{'http.host':'fred'}},{'wildcard':{'http.host':'f*'}}]}}"},
        {"host.http.tokens == www.Example", "{'match_phrase':{'http.hostTokens':'www.example'}}"},
        {"host.http.tokens == [a,b]",
         "{'bool':{'should':[{'match_phrase':{'http.hostTokens':'a'}},{'match_phrase':{'http.hostTokens':'b'}}]}}"},
        {"host.http.tokens == 12", "{'term':{'http.hostTokens':12}}"},
        {"host.http.tokens == \"12\"", "{'match_phrase':{'http.hostTokens':'12'}}"},
        {"host.http.tokens == 012", "{'match_phrase':{'http.hostTokens':'012'}}"},
        {"host.http.tokens == A*", "{'wildcard':{'http.host':'a*'}}"},
        {"mac.src == 00-1A-E3-DC-2E-C0", "{'term':{'source.mac':'00:1a:e3:dc:2e:c0'}}"},
        {"payload8.src.utf8 == GET", "{'term':{'srcPayload8':'474554'}}"},
        {"payload8.src.utf8 == G?T*", "{'wildcard':{'srcPayload8':'47??54*'}}"},
        {"payload8.src.hex == 47AB", "{'term':{'srcPayload8':'47ab'}}"},
        {"country.src == us", "{'term':{'source.geo.country_iso_code':'US'}}"},
        {"id == 3@240226-Abc", "{'term':{'_id':'240226-Abc'}}"},
        {"payload8.src.utf8 == /G.T/", "a regular expression over bytes cannot be asked there"},
        {"id == 24*", "ids can be asked for only as a whole there"},
    };
    (void)state;
    expect_all(list, ARRAY_LEN(list));
}

static void test_numbers(void **state) {
    static const struct shape list[] = {
        {"host.http.cnt == 1", "{'term':{'http.hostCnt':1}}"},
        {"host.http.cnt == [1]", "{'terms':{'http.hostCnt':[1]}}"},
        {"host.http.cnt != [1,2]", "{'bool':{'must_not':{'terms':{'http.hostCnt':[1,2]}}}}"},
        {"host.http.cnt == [1,3-5,2]",
         "{'bool':{'should':[{'terms':{'http.hostCnt':[1,2]}},{'range':{'http.hostCnt':{'gte':3,'lte':5}}}]}}"},
        {"host.http.cnt == ]1,2[", "{'bool':{'filter':[{'term':{'http.hostCnt':1}},{'term':{'http.hostCnt':2}}]}}"},
        {"mac.src.cnt > 1", "{'range':{'source.mac-cnt':{'gt':1}}}"},
        {"bytes > 10k", "{'range':{'network.bytes':{'gt':10000}}}"},
        {"bytes <= -1", "{'range':{'network.bytes':{'lte':-1}}}"},
        {"bytes == 18446744073709551615", "{'term':{'network.bytes':18446744073709551615}}"},
        {"score == 0.1", "{'term':{'score':0.1}}"},
        {"score != -10.5--2", "{'bool':{'must_not':{'range':{'score':{'gte':-10.5,'lte':-2}}}}}"},
        {"duration >= 1.5", "{'range':{'length':{'gte':1500}}}"},
        {"starttime == \"2014/02/26 10:27:57\"",
         "{'range':{'firstPacket':{'gte':'2014-02-26T10:27:57+00:00','lte':'2014-02-26T10:27:57+00:00'}}}"},
        {"starttime > \"2014/02/26 10:27:57\"", "{'range':{'firstPacket':{'gt':'2014-02-26T10:27:57+00:00'}}}"},
        {"starttime < 2014-02-26T10:27:57Z", "{'range':{'firstPacket':{'lt':'2014-02-26T10:27:57+00:00'}}}"},
        {"starttime >= 2014-02-26T10:27:57.250Z", "{'range':{'firstPacket':{'gte':'2014-02-26T10:27:57.250+00:00'}}}"},
        {"starttime > 2014-02-26T10:27:57.000Z", "{'range':{'firstPacket':{'gt':'2014-02-26T10:27:57.000+00:00'}}}"},
        {"starttime == [0,1]",
         "{'bool':{'should':[{'range':{'firstPacket':{'gte':'1970-01-01T00:00:00+00:00',"
         "'lte':'1970-01-01T00:00:00+00:00'}}},{'range':{'firstPacket':{'gte':'1970-01-01T00:00:01+00:00',"
         "'lte':'1970-01-01T00:00:01+00:00'}}}]}}"},
    };
    (void)state;
    expect_all(list, ARRAY_LEN(list));
}

static void test_outside(void **state) {
    static const struct shape list[] = {
        {"ip.src == $one", "{'terms':{'source.ip':{'index':'x_lookups','id':'A1','path':'ip'}}}"},
        {"ip.src != $one",
         "{'bool':{'must_not':[{'terms':{'source.ip':{'index':'x_lookups','id':'A1','path':'ip'}}}]}}"},
        {"ip.src == $one*", "{'bool':{'should':[{'terms':{'source.ip':{'index':'x_lookups','id':'A1','path':'ip'}}},"
                            "{'terms':{'source.ip':{'index':'x_lookups','id':'A2','path':'ip'}}}]}}"},
        {"ip.src == [$one,10.0.0.9]", "{'bool':{'should':[{'term':{'source.ip':'10.0.0.9'}},"
                                      "{'terms':{'source.ip':{'index':'x_lookups','id':'A1','path':'ip'}}}]}}"},
        {"http.statuscode == $codes", "{'terms':{'http.statuscode':{'index':'x_lookups','id':'A3','path':'number'}}}"},
        {"host.http == [$hosts,joe]", "{'bool':{'should':[{'terms':{'http.host':['joe']}},"
                                      "{'terms':{'http.host':{'index':'x_lookups','id':'A4','path':'string'}}}]}}"},
        {"file == /a.pcap", "{'bool':{'filter':[{'term':{'node':'north'}},{'term':{'fileId':7}}]}}"},
        {"file == *.pcap", "{'bool':{'should':[{'bool':{'filter':[{'term':{'node':'north'}},{'term':{'fileId':7}}]}},"
                           "{'bool':{'filter':[{'term':{'node':'south'}},{'term':{'fileId':9}}]}}]}}"},
        {"file == *x*", "{'match_none':{}}"},
        {"file != *x*", "{'match_all':{}}"},
        {"view == any && bytes > 1", "{'bool':{'filter':[{'term':{'source.port':1}},{'term':{'destination.port':2}},"
                                     "{'range':{'network.bytes':{'gt':1}}}]}}"},
    };
    (void)state;
    expect_all(list, ARRAY_LEN(list));
}

static void expect_script(struct build *b, const char *text, const char *part) {
    struct query *q;
    struct err e = {0};
    struct buf out;
    buf_init(&out, 1 << 20);
    assert_int_equal(query_parse(span_text(text), b->registry, BUILD_NOW, &q, &e), 0);
    assert_int_equal(query_to_elastic(q, "", &out, &e), 0);
    if (span_find(buf_span(&out), span_text(part)) == SPAN_NONE) {
        fail_msg("%s: %.*s", text, (int)out.len, (const char *)out.data);
    }
    assert_true(
        span_starts(buf_span(&out), SPAN_LITERAL("{\"script\":{\"script\":{\"lang\":\"painless\",\"source\":\"")));
    query_free(q);
    buf_done(&out);
}

static void test_scripts(void **state) {
    struct build b;
    (void)state;
    build_init(&b);
    expect_script(&b, "bytes.src > bytes.dst",
                  "for (def xf : ['source.bytes']) if (doc.containsKey(xf)) for (def x : doc[xf]) "
                  "for (def yf : ['destination.bytes']) if (doc.containsKey(yf)) for (def y : doc[yf]) "
                  "if (x > y) return true; return false");
    expect_script(&b, "1000 < bytes", "if ((1000D) < y) return true");
    expect_script(&b, "bytes / packets > 500",
                  "return div(num(doc, 'network.bytes'), num(doc, 'network.packets')) > (500D)");
    expect_script(&b, "stoptime - starttime > 5m", "return (sec(doc, 'lastPacket')-sec(doc, 'firstPacket')) > (300D)");
    expect_script(&b, "starttime == stoptime", "x.toInstant().toEpochMilli() == y.toInstant().toEpochMilli()");
    expect_script(&b, "host.http == (host.other)", "if (x.equalsIgnoreCase(y))");
    expect_script(&b, "ip.src == ip.dst", "if (x.equals(y))");
    expect(&b, "ip.src < ip.dst", "addresses of a session cannot be compared with < or > there");
    build_done(&b);
}

/* What does not fit the buffer is said. */
static void test_bounds(void **state) {
    struct build b;
    struct query *q;
    struct err e = {0};
    struct buf out;
    (void)state;
    build_init(&b);
    buf_init(&out, 16);
    assert_int_equal(query_parse(SPAN_LITERAL("bytes > 1"), b.registry, BUILD_NOW, &q, &e), 0);
    assert_int_equal(query_to_elastic(q, "", &out, &e), -ENOMEM);
    query_free(q);
    buf_done(&out);
    build_done(&b);
}

int main(void) {
    setenv("TZ", "UTC", 1);
    tzset();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_nesting), cmocka_unit_test(test_addresses), cmocka_unit_test(test_text),
        cmocka_unit_test(test_numbers), cmocka_unit_test(test_outside),   cmocka_unit_test(test_scripts),
        cmocka_unit_test(test_bounds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
