/* test_dns.c: DNS messages built by hand, through the real engine, over UDP and over TCP cut into segments. */
#include "datagram_run.h"

enum { A = 1, NS = 2, CNAME = 5, SOA = 6, MX = 15, TXT = 16, AAAA = 28, OPT = 41, DS = 43, RRSIG = 46, NSEC = 47 };
enum { SVCB = 64, HTTPS = 65, CAA = 257, IN = 1 };
enum { RESPONSE = 0x8180 };

/* A message being built. */
struct message {
    uint8_t bytes[65536];
    size_t len;
};

static void u8(struct message *m, unsigned v) {
    m->bytes[m->len++] = (uint8_t)v;
}

static void u16(struct message *m, unsigned v) {
    u8(m, v >> 8);
    u8(m, v & 0xff);
}

static void u32(struct message *m, uint32_t v) {
    u16(m, v >> 16);
    u16(m, v & 0xffff);
}

static void raw(struct message *m, const char *text, size_t len) {
    memcpy(m->bytes + m->len, text, len);
    m->len += len;
}

/* "www.example.org"; "" is the root. */
static void name(struct message *m, const char *text) {
    while (*text) {
        size_t len = strcspn(text, ".");
        u8(m, (unsigned)len);
        raw(m, text, len);
        text += len + (text[len] == '.');
    }
    u8(m, 0);
}

static void pointer(struct message *m, unsigned offset) {
    u16(m, 0xc000 | offset);
}

static void header(struct message *m, unsigned id, unsigned flags, unsigned questions, unsigned answers) {
    m->len = 0;
    u16(m, id);
    u16(m, flags);
    u16(m, questions);
    u16(m, answers);
    u16(m, 0);
    u16(m, 0);
}

static void question(struct message *m, const char *text, unsigned type) {
    name(m, text);
    u16(m, type);
    u16(m, IN);
}

static void query(struct message *m, unsigned id, const char *text, unsigned type) {
    header(m, id, 0x0100, 1, 0);
    question(m, text, type);
}

/* The part of a record behind its name; returns where its length stands. */
static size_t record(struct message *m, unsigned type, unsigned code, uint32_t ttl) {
    u16(m, type);
    u16(m, code);
    u32(m, ttl);
    u16(m, 0);
    return m->len - 2;
}

static void record_end(struct message *m, size_t at) {
    size_t len = m->len - at - 2;
    m->bytes[at] = (uint8_t)(len >> 8);
    m->bytes[at + 1] = (uint8_t)len;
}

static void address(struct message *m, unsigned name_at, uint32_t ip) {
    pointer(m, name_at);
    size_t at = record(m, A, IN, 60);
    u32(m, ip);
    record_end(m, at);
}

static struct span whole(const struct message *m) {
    return span_make(m->bytes, m->len);
}

static const char *const all_settings[] = {"parseDNSRecordAll=true", NULL};

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

/* One response to port 53, as a document. */
static const char *response(struct dissect_run *r, const struct message *m) {
    datagram_start(r, FLOW_UDP, 40000, 53);
    datagram_say(r, 1, whole(m));
    return run_finish(r);
}

static void query_and_response(void **state) {
    struct dissect_run *r = *state;
    struct message m;
    query(&m, 7, "WWW.Example.ORG", A);
    datagram_start(r, FLOW_UDP, 40000, 53);
    datagram_say(r, 0, whole(&m));
    header(&m, 7, RESPONSE, 1, 3);
    question(&m, "www.EXAMPLE.org", A);
    pointer(&m, 12);
    size_t at = record(&m, CNAME, IN, 300);
    name(&m, "web.example.net");
    record_end(&m, at);
    pointer(&m, (unsigned)at + 2);
    at = record(&m, A, IN, 30);
    u32(&m, 0xc0000201);
    record_end(&m, at);
    name(&m, "other.example.net");
    at = record(&m, A, IN, 30);
    u32(&m, 0xc0000202);
    record_end(&m, at);
    datagram_say(r, 1, whole(&m));
    const char *text = run_finish(r);
    assert_has(text, "\"dnsCnt\":1");
    assert_has(text, "\"opcode\":\"QUERY\"");
    assert_has(text, "\"queryHost\":\"www.example.org\"");
    assert_has(text, "\"qc\":\"IN\"");
    assert_has(text, "\"qt\":\"A\"");
    assert_has(text, "\"host\":[\"www.example.org\",\"web.example.net\"],\"hostCnt\":2");
    assert_has(text, "\"ip\":[\"192.0.2.1\"],\"ipCnt\":1");
    assert_has(text, "\"headerFlags\":[\"RD\",\"RA\"]");
    assert_has(text, "\"status\":\"NOERROR\"");
    assert_has(text, "\"answersCnt\":3");
    assert_has(text, "{\"name\":\"www.example.org\",\"class\":\"IN\",\"type\":\"CNAME\",\"ttl\":300,"
                     "\"cname\":\"web.example.net\"}");
    assert_has(text, "{\"name\":\"web.example.net\",\"class\":\"IN\",\"type\":\"A\",\"ttl\":30,\"ip\":\"192.0.2.1\"}");
    assert_has(text, "\"ip\":\"192.0.2.2\"");
    assert_has(text, "\"protocol\":[\"dns\"]");
}

static void servers_and_their_addresses(void **state) {
    struct message m;
    header(&m, 7, RESPONSE, 1, 4);
    question(&m, "example.org", MX);
    pointer(&m, 12);
    size_t mail = record(&m, MX, IN, 60);
    u16(&m, 10);
    name(&m, "mail.example.org");
    record_end(&m, mail);
    pointer(&m, 12);
    size_t ns = record(&m, NS, IN, 60);
    name(&m, "ns.example.org");
    record_end(&m, ns);
    address(&m, (unsigned)mail + 4, 0xc0000219);
    address(&m, (unsigned)ns + 2, 0xc0000235);
    const char *text = response(*state, &m);
    assert_has(text, "\"host\":[\"example.org\"],\"hostCnt\":1");
    assert_has(text, "\"nameserverHost\":[\"ns.example.org\"],\"nameserverHostCnt\":1");
    assert_has(text, "\"mailserverHost\":[\"mail.example.org\"],\"mailserverHostCnt\":1");
    assert_has(text, "\"nameserverIp\":[\"192.0.2.53\"]");
    assert_has(text, "\"mailserverIp\":[\"192.0.2.25\"]");
    assert_has(text, "\"mx\":\"mail.example.org\",\"priority\":10");
    assert_has(text, "\"nameserver\":\"ns.example.org\"");
    assert_lacks(text, "\"ip\":[");
}

static void text_forms(void **state) {
    struct message m;
    header(&m, 7, RESPONSE, 1, 8);
    question(&m, "x.org", HTTPS);
    pointer(&m, 12);
    size_t at = record(&m, HTTPS, IN, 60);
    u16(&m, 1);
    u8(&m, 0);
    raw(&m, "\0\1\0\6\2h3\2h2\0\3\0\2\1\xbb\0\4\0\4\xc0\0\2\1", 24);
    raw(&m, "\0\6\0\20\x20\1\xd\xb8\0\0\0\0\0\0\0\0\0\0\0\1", 20);
    record_end(&m, at);
    pointer(&m, 12);
    at = record(&m, SVCB, IN, 60);
    u16(&m, 0);
    name(&m, "svc.x.org");
    record_end(&m, at);
    pointer(&m, 12);
    at = record(&m, CAA, IN, 60);
    raw(&m, "\x80\5issueca.org", 13);
    record_end(&m, at);
    pointer(&m, 12);
    at = record(&m, RRSIG, IN, 60);
    u16(&m, A);
    raw(&m, "\x0d\2", 2);
    u32(&m, 3600);
    u32(&m, 1737849600);
    u32(&m, 1735257600);
    u16(&m, 12345);
    name(&m, "x.org");
    raw(&m, "signature", 9);
    record_end(&m, at);
    pointer(&m, 12);
    at = record(&m, NSEC, IN, 60);
    name(&m, "y.org");
    raw(&m, "\0\2\x60\x01\1\1\x40\xff\1\x80", 10); /* A NS MX; CAA; window 255: TYPE65280 */
    record_end(&m, at);
    pointer(&m, 12);
    at = record(&m, DS, IN, 60);
    raw(&m, "\xd4\x31\x0d\2\xab\xcd", 6);
    record_end(&m, at);
    pointer(&m, 12);
    at = record(&m, TXT, IN, 60);
    raw(&m, "\3one\0\3two\3one", 13);
    record_end(&m, at);
    pointer(&m, 12);
    at = record(&m, 65400, IN, 60);
    record_end(&m, at);
    const char *text = response(*state, &m);
    assert_has(text, "\"https\":\"HTTPS 1 . alpn=h3,h2 port=443 ipv4hint=192.0.2.1 ipv6hint=2001:db8::1\"");
    assert_has(text, "\"https\":\"SVCB 0 svc.x.org\"");
    assert_has(text, "\"caa\":\"CAA 128 issue ca.org\"");
    assert_has(text, "\"rrsig\":\"RRSIG A 13 2 3600 1737849600 1735257600 12345 x.org\"");
    assert_has(text, "\"nsec\":\"NSEC y.org A NS MX CAA TYPE65280\"");
    assert_has(text, "\"ds\":\"DS 54321 13 2 ABCD\"");
    assert_has(text, "\"txt\":[\"one\",\"two\",\"one\"]");
    assert_has(text, "\"type\":\"TYPE65400\"");
    assert_has(text, "\"answersCnt\":8");
}

static void records_that_lie_are_left_out(void **state) {
    struct message m;
    header(&m, 7, RESPONSE, 1, 4);
    question(&m, "x.org", A);
    pointer(&m, 12);
    size_t at = record(&m, A, IN, 60);
    u8(&m, 1); /* one byte of address */
    record_end(&m, at);
    pointer(&m, 12);
    at = record(&m, TXT, IN, 60);
    raw(&m, "\x09short", 6);
    record_end(&m, at);
    address(&m, 12, 0xc0000201);
    pointer(&m, 12);
    at = record(&m, A, IN, 60);
    u32(&m, 1);
    record_end(&m, at);
    m.len -= 2; /* the last one is cut */
    const char *text = response(*state, &m);
    assert_has(text, "\"answersCnt\":1");
    assert_has(text, "\"status\":\"NOERROR\"");
    assert_has(text, "\"ip\":[\"192.0.2.1\"]");
}

static void pointers_in_circles(void **state) {
    struct message m;
    header(&m, 7, 0x0100, 1, 0);
    pointer(&m, 12);
    u16(&m, A);
    u16(&m, IN);
    u16(&m, 0);
    const char *text = response(*state, &m);
    assert_has(text, "\"dns:bad-pointer-loop\"");
    assert_lacks(text, "\"dnsCnt\"");
}

static void names_that_are_too_long(void **state) {
    struct message m;
    header(&m, 7, 0x0100, 1, 0);
    for (unsigned i = 0; i < 5; i++) {
        u8(&m, 63);
        for (unsigned k = 0; k < 63; k++) {
            u8(&m, 'a');
        }
    }
    question(&m, "", A);
    assert_has(response(*state, &m), "\"bad-hostname\"");
}

static void international_names(void **state) {
    struct message m;
    header(&m, 7, RESPONSE, 1, 1);
    question(&m, "www.XN--mnchen-3ya.de", A);
    address(&m, 12, 0xc0000201);
    const char *text = response(*state, &m);
    assert_has(text, "\"queryHost\":\"www.münchen.de\"");
    assert_has(text, "\"host\":[\"www.münchen.de\"]");
    assert_has(text, "\"puny\":[\"www.xn--mnchen-3ya.de\"],\"punyCnt\":1");
    assert_has(text, "\"ip\":[\"192.0.2.1\"]");
    query(&m, 7, "xn--999999b.de", A);
    text = response(*state, &m);
    assert_has(text, "\"bad-punycode\"");
    assert_has(text, "\"queryHost\":\"xn--999999b.de\"");
}

static void bytes_that_are_no_text(void **state) {
    struct message m;
    header(&m, 7, 0x0100, 1, 0);
    raw(&m, "\4\x81\1\x7fz\3\xc3\xa4y\0", 10);
    u16(&m, A);
    u16(&m, IN);
    assert_has(response(*state, &m), "\"queryHost\":\"m-^a^a^?z.äy\"");
}

static void root_and_status(void **state) {
    struct message m;
    header(&m, 7, 0x8583, 1, 0);
    question(&m, "", NS);
    const char *text = response(*state, &m);
    assert_has(text, "\"queryHost\":\"<root>\"");
    assert_has(text, "\"status\":\"NXDOMAIN\"");
    assert_has(text, "\"answersCnt\":0");
    assert_has(text, "\"headerFlags\":[\"AA\",\"RD\",\"RA\"]");
    assert_lacks(text, "\"host\"");
    assert_lacks(text, "\"answers\"");
    header(&m, 7, 0x8180, 1, 1);
    question(&m, "", NS);
    name(&m, "");
    size_t at = record(&m, OPT, 1232, 0x01000000); /* extended rcode 1: with 0 below it BADVERS */
    record_end(&m, at);
    text = response(*state, &m);
    assert_has(text, "\"status\":\"BADSIG_VERS\"");
    assert_has(text, "\"answersCnt\":0");
}

static void what_is_no_query(void **state) {
    struct message m;
    query(&m, 7, "x.org", A);
    m.bytes[5] = 2;
    assert_has(response(*state, &m), "\"dns:qdcount-not-1\"");
    query(&m, 7, "x.org", A);
    m.bytes[2] = 6 << 3; /* no such opcode */
    assert_lacks(response(*state, &m), "dns");
    query(&m, 7, "x.org", A);
    m.len = 16;
    assert_lacks(response(*state, &m), "dns");
}

static void queries_are_told_apart(void **state) {
    struct dissect_run *r = *state;
    struct message m;
    datagram_start(r, FLOW_UDP, 40000, 53);
    for (unsigned round = 0; round < 2; round++) { /* the second time they are known */
        query(&m, 1, "x.org", A);
        datagram_say(r, 0, whole(&m));
        query(&m, 2, "x.org", A);
        datagram_say(r, 0, whole(&m));
        query(&m, 1, "x.org", AAAA);
        datagram_say(r, 0, whole(&m));
        query(&m, 1, "y.org", A);
        datagram_say(r, 0, whole(&m));
    }
    assert_has(run_finish(r), "\"dnsCnt\":4");
}

static void responses_add_up(void **state) {
    struct dissect_run *r = *state;
    struct message m;
    header(&m, 7, RESPONSE, 1, 1);
    question(&m, "x.org", A);
    address(&m, 12, 0xc0000201);
    datagram_start(r, FLOW_UDP, 40000, 53);
    datagram_say(r, 1, whole(&m));
    datagram_say(r, 1, whole(&m));
    const char *text = run_finish(r);
    assert_has(text, "\"answersCnt\":2");
    assert_has(text, "\"ip\":[\"192.0.2.1\"],\"ipCnt\":1");
}

static void multicast(void **state) {
    struct dissect_run *r = *state;
    struct message m;
    header(&m, 0, 0x8400, 0, 1);
    name(&m, "printer.local");
    size_t at = record(&m, A, 0x8000 | IN, 120); /* cache flush */
    u32(&m, 0xc0000201);
    record_end(&m, at);
    datagram_start(r, FLOW_UDP, 5353, 5353);
    datagram_say(r, 0, whole(&m));
    header(&m, 0, 0, 2, 0);
    name(&m, "printer.local");
    u16(&m, A);
    u16(&m, 0x8000 | IN); /* unicast answer wanted */
    question(&m, "second.local", A);
    datagram_say(r, 0, whole(&m));
    const char *text = run_finish(r);
    assert_has(text, "\"protocol\":[\"mdns\"]");
    assert_has(text, "\"dnsCnt\":2");
    assert_has(text, "\"queryHost\":\"<root>\"");
    assert_has(text, "\"name\":\"printer.local\",\"class\":\"IN\"");
    assert_has(text, "\"queryHost\":\"printer.local\",\"qc\":\"IN\"");
    assert_lacks(text, "qdcount");
}

static void link_local(void **state) {
    struct dissect_run *r = *state;
    struct message m;
    query(&m, 9, "pc", A);
    datagram_start(r, FLOW_UDP, 40000, 5355);
    datagram_say(r, 0, whole(&m));
    assert_has(run_finish(r), "\"protocol\":[\"llmnr\"]");
    datagram_start(r, FLOW_UDP, 5353, 53); /* port 53 wins */
    datagram_say(r, 0, whole(&m));
    assert_has(run_finish(r), "\"protocol\":[\"dns\"]");
}

/* Appends a message with its length, as TCP has it. */
static void frame(struct message *stream, const struct message *m) {
    u16(stream, (unsigned)m->len);
    raw(stream, (const char *)m->bytes, m->len);
}

static void several_over_tcp(void **state) {
    struct message m, out = {.len = 0}, in = {.len = 0};
    query(&m, 1, "x.org", A);
    frame(&out, &m);
    query(&m, 2, "y.org", A);
    frame(&out, &m);
    header(&m, 2, RESPONSE, 1, 1);
    question(&m, "y.org", A);
    address(&m, 12, 0xc0000202);
    frame(&in, &m);
    header(&m, 1, RESPONSE, 1, 1);
    question(&m, "x.org", A);
    address(&m, 12, 0xc0000201);
    frame(&in, &m);
    const struct said said[] = {{0, whole(&out)}, {1, whole(&in)}};
    const char *text = run_every_cut(*state, 53, said, ARRAY_LEN(said));
    assert_has(text, "\"protocol\":[\"dns\"]");
    assert_has(text, "\"dnsCnt\":2");
    assert_has(text, "\"ip\":[\"192.0.2.1\"]");
    assert_has(text, "\"ip\":[\"192.0.2.2\"]");
}

static void long_messages_are_read_in_part(void **state) {
    struct message m, out = {.len = 0}, in = {.len = 0};
    query(&m, 1, "x.org", A);
    frame(&out, &m);
    header(&m, 1, RESPONSE, 1, 600);
    question(&m, "x.org", A);
    for (unsigned i = 0; i < 600; i++) {
        address(&m, 12, 0xc0000000 + i);
    }
    frame(&in, &m);
    header(&m, 2, RESPONSE, 1, 0);
    question(&m, "z.org", A);
    frame(&in, &m);
    const struct said said[] = {{0, whole(&out)}, {1, whole(&in)}};
    const char *text = run_every_cut(*state, 53, said, ARRAY_LEN(said));
    assert_has(text, "\"dns:tcp-message-too-long\"");
    assert_has(text, "\"queryHost\":\"z.org\"");
    assert_has(text, "\"192.0.1.253\""); /* what stands in the first 8 KiB */
    assert_lacks(text, "\"192.0.1.254\"");
}

static void answers_can_be_left_out(void **state) {
    (void)state;
    static const char *const settings[] = {"dnsOutputAnswers=false", NULL};
    struct dissect_run r;
    struct message m;
    run_init(&r, settings);
    header(&m, 7, RESPONSE, 1, 3);
    question(&m, "x.org", MX);
    pointer(&m, 12);
    size_t at = record(&m, MX, IN, 60);
    u16(&m, 10);
    name(&m, "mail.x.org");
    record_end(&m, at);
    address(&m, (unsigned)at + 4, 0xc0000219);
    pointer(&m, 12);
    at = record(&m, NS, IN, 60);
    name(&m, "ns.x.org");
    record_end(&m, at);
    const char *text = response(&r, &m);
    assert_has(text, "\"host\":[\"x.org\",\"mail.x.org\"]"); /* without parseDNSRecordAll mail servers are hosts */
    assert_has(text, "\"ip\":[\"192.0.2.25\"]");
    assert_lacks(text, "nameserver");
    assert_lacks(text, "answers");
    assert_lacks(text, "mailserver");
    run_done(&r);
}

/* In memory of its own size, with byte `at` changed, so that a sanitizer sees each overrun. */
static void say_exact(struct dissect_run *r, struct span s, size_t at, uint8_t value) {
    uint8_t *copy = malloc(s.len + 1);
    assert_non_null(copy);
    memcpy(copy, s.at, s.len);
    if (at < s.len) {
        copy[at] = value;
    }
    uint8_t *exact = realloc(copy, s.len ? s.len : 1);
    assert_non_null(exact);
    datagram_say(r, 1, span_make(exact, s.len));
    free(exact);
}

/* Any bytes, and any damage to a proper message, are survived; sanitizers look on. */
static void damage(void **state) {
    struct dissect_run *r = *state;
    struct message m;
    header(&m, 7, RESPONSE, 1, 3);
    question(&m, "www.xn--mnchen-3ya.de", HTTPS);
    pointer(&m, 12);
    size_t at = record(&m, HTTPS, IN, 60);
    raw(&m, "\0\1\0\0\1\0\3\2h3\0\4\0\4\xc0\0\2\1", 18);
    record_end(&m, at);
    address(&m, 16, 0xc0000201);
    pointer(&m, 12);
    at = record(&m, NSEC, IN, 60);
    pointer(&m, 16);
    raw(&m, "\0\1\x60", 3);
    record_end(&m, at);
    datagram_start(r, FLOW_UDP, 40000, 53);
    for (size_t i = 0; i < m.len; i++) {
        for (unsigned value = 0; value < 256; value += i < 12 ? 5 : 17) {
            say_exact(r, whole(&m), i, (uint8_t)value);
        }
        say_exact(r, span_sub(whole(&m), 0, i), i, 0);
    }
    (void)run_finish(r);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(query_and_response),
        cmocka_unit_test(servers_and_their_addresses),
        cmocka_unit_test(text_forms),
        cmocka_unit_test(records_that_lie_are_left_out),
        cmocka_unit_test(pointers_in_circles),
        cmocka_unit_test(names_that_are_too_long),
        cmocka_unit_test(international_names),
        cmocka_unit_test(bytes_that_are_no_text),
        cmocka_unit_test(root_and_status),
        cmocka_unit_test(what_is_no_query),
        cmocka_unit_test(queries_are_told_apart),
        cmocka_unit_test(responses_add_up),
        cmocka_unit_test(multicast),
        cmocka_unit_test(link_local),
        cmocka_unit_test(several_over_tcp),
        cmocka_unit_test(long_messages_are_read_in_part),
        cmocka_unit_test(answers_can_be_left_out),
        cmocka_unit_test(damage),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
