/* test_http.c: HTTP/1 conversations through the real engine, each cut into segments of several sizes. */
#include "dissect_run.h"

#include "dissect/http_parts.h"

#define SRC(text)                                     \
    {                                                 \
        0, {                                          \
            (const uint8_t *)(text), sizeof(text) - 1 \
        }                                             \
    }
#define DST(text)                                     \
    {                                                 \
        1, {                                          \
            (const uint8_t *)(text), sizeof(text) - 1 \
        }                                             \
    }
#define OK_EMPTY "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"

static const char *const all_settings[] = {"parseQSValue=true",
                                           "parseCookieValue=true",
                                           "parseHTTPHeaderRequestAll=true",
                                           "parseHTTPHeaderResponseAll=true",
                                           "supportSha256=true",
                                           "maxReqBody=2000",
                                           "magicMode=basic",
                                           "headers-http-request.Referer=type:string;count:true",
                                           "headers-http-request.x-number=type:integer",
                                           "headers-http-response.location=type:string",
                                           NULL};

static int set_up(void **state) {
    struct dissect_run *r = malloc(sizeof(*r));
    assert_non_null(r);
    run_init(r, all_settings);
    *state = r;
    return 0;
}

static int tear_down(void **state) {
    run_done(*state);
    free(*state);
    return 0;
}

#define TALK(r, said) run_every_cut(r, 80, said, ARRAY_LEN(said))

static void request_and_response(void **state) {
    const struct said said[] = {
        SRC("GET /a/b?x=1&y=%41b&empty=&last HTTP/1.1\r\nHost: WWW.Example.org:8080\r\nUser-Agent: Probe/1\r\n"
            "Referer: http://r/\r\nX-Number: 42\r\nCookie: k=v; n=; odd\r\nAccept:  a,\tb \r\n\r\n"),
        DST("HTTP/1.1 302 Found\r\nLocation: /c\r\nContent-Length: 2\r\n\r\nhi"),
    };
    const char *text = TALK(*state, said);
    assert_has(text, "\"host\":[\"www.example.org\",\"www.example.org:8080\"]");
    assert_has(text, "\"uri\":[\"www.example.org:8080/a/b?x=1&y=%41b&empty=&last\"]");
    assert_has(text, "\"path\":[\"/a/b\"]");
    assert_has(text, "\"key\":[\"x\",\"y\",\"empty\",\"last\"]");
    assert_has(text, "\"value\":[\"1\",\"Ab\"]");
    assert_has(text, "\"method\":[\"GET\"]");
    assert_has(text, "\"method-GET\":1");
    assert_has(text, "\"clientVersion\":[\"1.1\"]");
    assert_has(text, "\"serverVersion\":[\"1.1\"]");
    assert_has(text, "\"statuscode\":[302]");
    assert_has(text, "\"useragent\":[\"Probe/1\"]");
    assert_has(text, "\"request-referer\":[\"http://r/\"]");
    assert_has(text, "\"request-refererCnt\":1");
    assert_has(text, "\"request-x-number\":[42]");
    assert_has(text, "\"response-location\":[\"/c\"]");
    assert_has(text, "\"cookieKey\":[\"k\",\"n\"]");
    assert_has(text, "\"cookieValue\":[\"v\"]");
    assert_has(text, "\"requestHeader\":[\"host\",\"user-agent\",\"referer\",\"x-number\",\"cookie\",\"accept\"]");
    assert_has(text, "\"requestHeaderField\":[\"cookie\",\"accept\"]");
    assert_has(text, "\"responseHeaderField\":[\"content-length\"]");
    assert_has(text, "\"a,\\tb\"");
    assert_has(text, "\"md5\":[\"49f68a5c8493ec2c0bf489821c21fc3b\"]");
    assert_has(text, "\"sha256\":[\"8f434346648f6b96df89dda901c5176b10a6d83961dd3c1ac88b59b2dc327aa4\"]");
    assert_has(text, "\"http\"");
}

static void pipelined_with_every_kind_of_body(void **state) {
    const struct said said[] = {
        SRC("POST /1 HTTP/1.1\r\nHost: h\r\nContent-Length: 8\r\n\r\npass=abcHEAD /2 HTTP/1.1\r\nHost: h\r\n\r\n"
            "\r\nPUT /3 HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: gzip, chunked\r\n\r\n"
            "3;ext=1\r\nabc\r\n0A\r\n0123456789\r\n0\r\nTrailer: x\r\n\r\nGET /4 HTTP/1.0\nHost: h\n\n"),
        DST("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 204 No Content\r\nContent-Length: 5\r\n\r\n"
            "HTTP/1.1 200 OK\r\nContent-Length: 999\r\n\r\nHTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
            "5\r\nhello\r\n0\r\n\r\nHTTP/1.1 200\r\n\r\nuntil the end"),
    };
    const char *text = TALK(*state, said);
    assert_has(text, "\"path\":[\"/1\",\"/2\",\"/3\",\"/4\"]");
    assert_has(text, "\"method-HEAD\":1");
    assert_has(text, "\"method-PUT\":1");
    assert_has(text, "\"clientVersion\":[\"1.1\",\"1.0\"]");
    assert_has(text, "\"statuscode\":[100,204,200]");
    assert_has(text, "\"http:password\"");
    assert_has(text, "\"requestBody\":[\"pass=abc\",\"abc0123456789\"]");
    assert_has(text, "\"md5Cnt\":4");
    assert_has(text, "5d41402abc4b2a76b9719d911017c592"); /* hello */
    assert_has(text, "1c511066b8a3397a96a305e9d77b7710"); /* abc0123456789 */
}

static void large_bodies_in_pieces(void **state) {
    static const char head[] = "HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n";
    struct buf b;
    buf_init(&b, 1 << 20);
    buf_add(&b, head, sizeof(head) - 1);
    buf_add(&b, "GIF89a", 6);
    for (unsigned i = 6; i < 100000; i++) {
        buf_add_byte(&b, (uint8_t)(i * 7));
    }
    buf_add_text(&b, "HTTP/1.1 404 No\r\nContent-Length: 0\r\n\r\n");
    const struct said said[] = {SRC("GET / HTTP/1.1\r\nHost: h\r\n\r\nGET /x HTTP/1.1\r\nHost: h\r\n\r\n"),
                                {1, buf_span(&b)}};
    const char *text = TALK(*state, said);
    assert_has(text, "\"bodyMagic\":[\"image/gif\"]");
    assert_has(text, "\"md5Cnt\":1");
    assert_has(text, "\"statuscode\":[200,404]");
    buf_done(&b);
}

static void chunked_type_over_many_chunks(void **state) {
    const struct said said[] = {
        SRC("GET / HTTP/1.1\r\nHost: h\r\n\r\n"),
        DST("HTTP/1.1 200 OK\r\nTransfer-Encoding: "
            "chunked\r\n\r\n1\r\n<\r\n2\r\nht\r\n3\r\nml>\r\n1\r\nx\r\n0\r\n\r\n"),
    };
    const char *text = TALK(*state, said);
    assert_has(text, "\"bodyMagic\":[\"text/html\"]");
    assert_has(text, "\"md5\":[\"7c9a13dd5316776ab82992892d61b5cf\"]");
}

static void only_a_response_counts_as_the_source(void **state) {
    const struct said said[] = {SRC("HTTP/1.0 403 Forbidden\r\nContent-Type: text/html\r\n\r\n<html>no</html>")};
    const char *text = TALK(*state, said);
    assert_has(text, "\"requestHeader\":[\"content-type\"]");
    assert_has(text, "\"requestBody\":[\"<html>no</html>\"]");
    assert_has(text, "\"serverVersion\":[\"1.0\"]");
    assert_lacks(text, "responseHeader");
    assert_lacks(text, "clientVersion");
}

/* Without FIN nothing says that the body is complete, but the session's end does. */
static void body_to_end_without_close(void **state) {
    struct dissect_run *r = *state;
    const struct said request = SRC("GET / HTTP/1.0\r\nHost: h\r\n\r\n"), response = DST("HTTP/1.0 200 OK\r\n\r\nok");
    run_start(r, 80);
    run_say(r, 0, request.bytes, 0);
    run_say(r, 1, response.bytes, 0);
    dissect_saving(r->engine, &r->session, true);
    const char *text = run_finish(r);
    assert_has(text, "\"md5\":[\"444bcb3a3fcf8389296c49467f27e1d6\"]");
}

static void targets(void **state) {
    const struct said absolute[] = {
        SRC("GET http://Proxy.example/p?q=1 HTTP/1.1\r\nHost: proxy.example\r\n\r\n"
            "OPTIONS * HTTP/1.1\r\nHost: h\r\n\r\nGET /a b HTTP/1.1\r\nHost: [2001:db8::1]:81\r\n\r\n"),
        DST(OK_EMPTY),
    };
    const char *text = TALK(*state, absolute);
    assert_has(text, "\"proxy.example/p?q=1\"");
    assert_has(text, "\"h;*\"");
    assert_has(text, "\"[2001:db8::1]:81/a b\"");
    assert_has(text, "\"host\":[\"proxy.example\",\"h\",\"[2001:db8::1]\",\"[2001:db8::1]:81\"]");
    assert_has(text, "\"path\":[\"/p\",\"/a b\"]");
    const struct said bare[] = {SRC("GET /old\r\n"), DST("HTTP/1.0 200 OK\r\n\r\n")};
    text = TALK(*state, bare);
    assert_has(text, "\"clientVersion\":[\"0.9\"]");
    assert_has(text, "\"uri\":[\"/old\"]");
    const struct said control[] = {SRC("GET /\x01x HTTP/1.0\r\n\r\n")};
    assert_has(TALK(*state, control), "http:control-char");
}

static void long_uri_is_cut(void **state) {
    struct buf b;
    buf_init(&b, 1 << 20);
    buf_add_text(&b, "GET /");
    for (unsigned i = 0; i < 6000; i++) {
        buf_add_byte(&b, 'a');
    }
    buf_add_text(&b, " HTTP/1.1\r\nHost: h\r\n\r\n");
    const struct said said[] = {{0, buf_span(&b)}};
    const char *text = TALK(*state, said);
    assert_has(text, "http:url-truncated");
    const char *uri = strstr(text, "\"uri\":[\"h/aaa");
    assert_non_null(uri);
    assert_int_equal(strcspn(uri + 8, "\""), 4096);
    buf_done(&b);
}

static void credentials_and_forwarding(void **state) {
    const struct said said[] = {
        SRC("GET / HTTP/1.1\r\nHost: h\r\nAuthorization: Basic dXNlcjpwYXNz\r\nX-Forwarded-For: 192.0.2.1, 2001:db8::7,"
            " unknown\r\n\r\nGET / HTTP/1.1\r\nHost: h\r\nAuthorization: Digest username=\"Mufasa\", realm=\"x\"\r\n"
            "Proxy-Authorization: Bearer abc\r\nX-Forwarded-For: 198.51.100.4:99\r\n\r\n"),
        DST(OK_EMPTY OK_EMPTY),
    };
    const char *text = TALK(*state, said);
    assert_has(text, "\"authType\":[\"basic\",\"digest\",\"bearer\"]");
    assert_has(text, "\"user\":[\"user\",\"Mufasa\"]");
    assert_has(text, "192.0.2.1");
    assert_has(text, "198.51.100.4");
    assert_has(text, "2001:db8::7");
    assert_has(text, "http:bad-xff");
    assert_lacks(text, "\"x-forwarded-for\",\"x-forwarded-for\"");
}

static void folded_and_broken_lines(void **state) {
    const struct said said[] = {
        SRC("GET / HTTP/1.1\r\nHost: h\r\nX-Folded: one\r\n  two\r\n\tthree\r\nno colon here\r\nbad name: x\r\n: y\r\n"
            "Spaced : z\r\n\r\nGET /next HTTP/1.1\r\nHost: h\r\n\r\n"),
    };
    const char *text = TALK(*state, said);
    assert_has(text, "\"one two three\"");
    assert_has(text, "\"requestHeader\":[\"host\",\"x-folded\",\"spaced\"]");
    assert_has(text, "\"/next\"");
}

static void services_known_by_their_path(void **state) {
    const struct said said[] = {
        SRC("POST /wsman HTTP/1.1\r\nHost: h\r\n\r\nGET /CertSrv/mscep/?operation=GetCACert HTTP/1.1\r\nHost: h\r\n\r\n"
            "GET /certsrv/ HTTP/1.1\r\nHost: h\r\n\r\nPOST /ADPolicyProvider_CEP_Kerberos/service.svc/CEP HTTP/1.1\r\n"
            "Host: h\r\n\r\nPOST /CA_CES_Kerberos/service.svc/CES HTTP/1.1\r\nHost: h\r\n\r\n"),
    };
    const char *text = TALK(*state, said);
    assert_has(text, "\"winrm\"");
    assert_has(text, "\"adcs-ndes\"");
    assert_has(text, "\"adcs-web\"");
    assert_has(text, "\"adcs-cep\"");
    assert_has(text, "\"adcs-ces\"");
    const struct said other[] = {
        SRC("GET /wsmanx HTTP/1.1\r\nHost: h\r\n\r\nGET /certsrvx HTTP/1.1\r\nHost: h\r\n\r\n")};
    text = TALK(*state, other);
    assert_lacks(text, "winrm");
    assert_lacks(text, "adcs");
}

/* A tunnel's bytes are another protocol's: here HTTP again, which only shows when it is classified anew. */
static void connect_hands_over(void **state) {
    const struct said said[] = {
        SRC("CONNECT b.example:443 HTTP/1.1\r\nHost: b.example:443\r\n\r\n"),
        DST("HTTP/1.0 200 Connection established\r\n\r\n"),
        SRC("GET /inside HTTP/1.1\r\nHost: inner\r\n\r\n"),
        DST(OK_EMPTY),
    };
    const char *text = TALK(*state, said);
    assert_has(text, "\"uri\":[\"b.example:443\",\"inner/inside\"]");
    assert_has(text, "\"method-CONNECT\":1");
    assert_has(text, "\"path\":[\"/inside\"]");
}

static void early_tunnel_bytes_wait_for_the_answer(void **state) {
    const struct said taken[] = {
        SRC("CONNECT b:1 HTTP/1.1\r\nHost: b:1\r\n\r\nGET /inside HTTP/1.1\r\nHost: inner\r\n\r\n"),
        DST("HTTP/1.1 200 OK\r\n\r\n" OK_EMPTY),
    };
    assert_has(TALK(*state, taken), "\"inner/inside\"");
    const struct said refused[] = {
        SRC("CONNECT b:1 HTTP/1.1\r\nHost: b:1\r\n\r\nGET /outside HTTP/1.1\r\nHost: outer\r\n\r\n"),
        DST("HTTP/1.1 407 No\r\nContent-Length: 1\r\n\r\nx" OK_EMPTY),
    };
    const char *text = TALK(*state, refused);
    assert_has(text, "\"outer/outside\"");
    assert_has(text, "\"statuscode\":[407,200]");
}

static void upgrades(void **state) {
    const struct said said[] = {
        SRC("GET /chat HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n"),
        DST("HTTP/1.1 101 Switching\r\nUpgrade: WebSocket\r\n\r\n\x81\x05hello"),
        SRC("\x81\x82\x01\x02\x03\x04ik"),
    };
    const char *text = TALK(*state, said);
    assert_has(text, "\"websocket\":{");
    assert_has(text, "\"textSample\":[\"hello\",\"hi\"]");
    const struct said ignored[] = {
        SRC("GET /a HTTP/1.1\r\nHost: h\r\nUpgrade: websocket\r\n\r\nGET /b HTTP/1.1\r\nHost: h\r\n\r\n"),
        DST(OK_EMPTY "HTTP/1.1 404 No\r\nContent-Length: 0\r\n\r\n"),
    };
    text = TALK(*state, ignored);
    assert_has(text, "\"/b\"");
    assert_has(text, "\"statuscode\":[200,404]");
    const struct said prior[] = {SRC("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")};
    text = TALK(*state, prior);
    assert_has(text, "\"http2\"");
    assert_has(text, "\"clientVersion\":[\"2.0\"]");
}

static void gaps(void **state) {
    struct dissect_run *r = *state;
    const struct said request = SRC("GET / HTTP/1.1\r\nHost: h\r\n\r\nGET /2 HTTP/1.1\r\nHost: h\r\n\r\n");
    const struct said first = DST("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n0123");
    const struct said known = DST("89HTTP/1.1 404 No\r\nContent-Length: 2\r\n\r\nno");
    const struct said lost = DST("garbage\nmore HTTP/1.1 500 Oops\r\nContent-Length: 2\r\n\r\nno");
    run_start(r, 80);
    run_say(r, 0, request.bytes, 0);
    run_say(r, 1, first.bytes, 0);
    dissect_stream(r->engine, &r->session, 1, known.bytes, 4, r->session.last_time);
    dissect_stream(r->engine, &r->session, 1, lost.bytes, 5000, r->session.last_time);
    const char *text = run_finish(r);
    assert_has(text, "\"statuscode\":[200,404,500]");
    assert_has(text, "\"md5\":[\"7fa3b767c460b54a2be4d49030b349c7\"]");
    assert_has(text, "\"md5Cnt\":1");
}

/* The first packet of the server is missing: its next response is found all the same. */
static void gap_at_the_beginning(void **state) {
    struct dissect_run *r = *state;
    const struct said request = SRC("GET / HTTP/1.1\r\nHost: h\r\n\r\n");
    const struct said rest = DST("tail of a body HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
    run_start(r, 80);
    run_say(r, 0, request.bytes, 0);
    dissect_stream(r->engine, &r->session, 1, rest.bytes, 1460, r->session.last_time);
    assert_has(run_finish(r), "\"statuscode\":[200]");
}

static void wrong_length_is_survived(void **state) {
    const struct said said[] = {
        SRC("POST /1 HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\n\r\nlongerGET /2 HTTP/1.1\r\nHost: h\r\n\r\n"),
        DST("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nbody\r\nHTTP/1.1 201 Yes\r\nContent-Length: "
            "0\r\n\r\n"),
    };
    const char *text = TALK(*state, said);
    assert_has(text, "\"/2\"");
    assert_has(text, "\"statuscode\":[200,201]");
}

static void what_is_not_http(void **state) {
    const struct said no[] = {SRC("GETTING started\r\n"), DST("HTTQ/1.1\r\n")};
    assert_lacks(TALK(*state, no), "\"http\"");
    const struct said sip[] = {SRC("OPTIONS sip:a@b SIP/2.0\r\n\r\n")};
    assert_lacks(TALK(*state, sip), "\"http\"");
    const struct said half[] = {SRC("GET\r\n")};
    const char *text = TALK(*state, half);
    assert_has(text, "\"http\"");
    assert_lacks(text, "\"method\"");
}

/* The head is cut off by the end of the session: what is there is said. */
static void unfinished_head(void **state) {
    const struct said said[] = {SRC("GET /cut HTTP/1.1\r\nHost: h\r\nCookie: half")};
    const char *text = TALK(*state, said);
    assert_has(text, "\"uri\":[\"h/cut\"]");
    assert_lacks(text, "cookie");
}

static void beginnings(void **state) {
    (void)state;
    static const struct {
        const char *text;
        enum match match;
    } cases[] = {
        {"G", MATCH_MORE},          {"GET", MATCH_MORE},       {"GET ", MATCH_MORE},   {"GET /", MATCH_YES},
        {"GETS", MATCH_NO},         {"get /", MATCH_NO},       {"HTTP", MATCH_MORE},   {"HTTP/", MATCH_YES},
        {"HTTPS ", MATCH_NO},       {"M-SEA", MATCH_MORE},     {"PRI *", MATCH_YES},   {"OPTIONS ", MATCH_MORE},
        {"OPTIONS r", MATCH_MORE},  {"OPTIONS rx", MATCH_YES}, {"X", MATCH_NO},        {"OPTIONS rtsp://", MATCH_NO},
        {"UNSUBSCRIBED", MATCH_NO}, {"", MATCH_MORE},          {"\x16\x03", MATCH_NO},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        enum match match = http_begins(span_text(cases[i].text));
        if (match != cases[i].match) {
            fail_msg("%s: %d instead of %d", cases[i].text, match, cases[i].match);
        }
    }
}

static void default_settings_keep_less(void **state) {
    (void)state;
    struct dissect_run r;
    run_init(&r, NULL);
    const struct said said[] = {
        SRC("POST /p?k=v HTTP/1.1\r\nHost: h\r\nCookie: a=b\r\nContent-Length: 3\r\n\r\n{}\n"),
        DST("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi"),
    };
    const char *text = run_every_cut(&r, 80, said, ARRAY_LEN(said));
    assert_has(text, "\"key\":[\"k\"]");
    assert_lacks(text, "\"value\"");
    assert_lacks(text, "cookieValue");
    assert_lacks(text, "HeaderField");
    assert_lacks(text, "sha256");
    assert_has(text, "\"bodyMagic\":[\"application/json\",\"text/plain\"]");
    run_done(&r);
}

/* Digests are ready later, but a session is full at the very body that fills it, and one that came before adds nothing
 * to that. */
static void digests_fill_a_session(void **state) {
    (void)state;
    struct dissect_run r;
    run_init(&r, NULL);
    run_start(&r, 80);
    const unsigned needed = CELLS_FIELD_SOFT / (32 + 3) + 1; /* 32 digits, quotes and a comma for each */
    for (unsigned i = 0; i < 2 * needed; i++) {
        char text[80];
        int len = snprintf(text, sizeof(text), "HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\n%08u", i / 2);
        run_say(&r, 1, span_make(text, (size_t)len), i % 3 ? 0 : 50);
        assert_int_equal(r.session.cells.full, i >= 2 * needed - 2);
    }
    const char *text = run_finish(&r);
    assert_has(text, "\"md5\":[\"dd4b21e9ef71e1291183a46b913ae6f2\",\"ced165163e51e06e01dc44c35fea3eaf\"");
    char count[32];
    (void)snprintf(count, sizeof(count), "\"md5Cnt\":%u,", needed);
    assert_has(text, count);
    run_done(&r);
}

/* A line of the section that makes no sense names itself. */
static void header_section_mistakes(void **state) {
    (void)state;
    struct registry *registry = registry_new();
    struct config *config = config_new();
    struct header_table *table = header_table_new();
    static const struct header_family family = {"headers-http-request", "http.request-", "http.request.",
                                                "Request Header ", "http"};
    struct dissect_setup setup = {.registry = registry, .config = config};
    struct err problem = {0};
    assert_int_equal(config_override(config, "headers-http-request.a=type:strange", &problem), 0);
    assert_int_not_equal(header_table_configure(table, 0, &family, &setup, &problem), 0);
    assert_non_null(strstr(problem.text, "type:strange"));
    header_table_free(table);
    config_free(config);
    registry_free(registry);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(request_and_response),
        cmocka_unit_test(pipelined_with_every_kind_of_body),
        cmocka_unit_test(large_bodies_in_pieces),
        cmocka_unit_test(chunked_type_over_many_chunks),
        cmocka_unit_test(only_a_response_counts_as_the_source),
        cmocka_unit_test(body_to_end_without_close),
        cmocka_unit_test(targets),
        cmocka_unit_test(long_uri_is_cut),
        cmocka_unit_test(credentials_and_forwarding),
        cmocka_unit_test(folded_and_broken_lines),
        cmocka_unit_test(services_known_by_their_path),
        cmocka_unit_test(connect_hands_over),
        cmocka_unit_test(early_tunnel_bytes_wait_for_the_answer),
        cmocka_unit_test(upgrades),
        cmocka_unit_test(gaps),
        cmocka_unit_test(gap_at_the_beginning),
        cmocka_unit_test(wrong_length_is_survived),
        cmocka_unit_test(what_is_not_http),
        cmocka_unit_test(unfinished_head),
        cmocka_unit_test(beginnings),
        cmocka_unit_test(default_settings_keep_less),
        cmocka_unit_test(digests_fill_a_session),
        cmocka_unit_test(header_section_mistakes),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
