/* test_smtp.c: mail conversations through the real engine, each cut into segments of several sizes. */
#include "dissect_run.h"

#include "dissect/mime_text.h"

#define SAY(who, text)                                \
    {                                                 \
        who, {                                        \
            (const uint8_t *)(text), sizeof(text) - 1 \
        }                                             \
    }
#define SRC(text) SAY(0, text)
#define DST(text) SAY(1, text)

#define HELLO DST("220 mx.example.org ESMTP\r\n"), SRC("EHLO Client.Example.NET\r\n"), DST("250 mx.example.org\r\n")
#define ENVELOPE \
    SRC("MAIL FROM:<Joe@Example.net> SIZE=100\r\nRCPT TO:<ann@example.org>\r\n"), DST("250 fine\r\n250 fine\r\n")
#define MAIL(text) SRC("DATA\r\n"), DST("354 go\r\n"), SRC(text "\r\n.\r\n"), DST("250 queued\r\n")

static const char *const all_settings[] = {"parseSMTPHeaderAll=true",
                                           "supportSha256=true",
                                           "magicMode=basic",
                                           "smtpIpHeaders=X-Originating-IP:;X-Source",
                                           "headers-email.X-Priority=type:integer",
                                           "headers-email.x-trace=type:lotermfield;count:true",
                                           "headers-email.x-hops=type:ip;count:true",
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

#define TALK(r, said) run_every_cut(r, 25, said, ARRAY_LEN(said))

static void envelope_and_headers(void **state) {
    const struct said said[] = {
        HELLO, ENVELOPE,
        MAIL("From: \"Joe, the Writer\" <Joe@Example.net>\r\n"
             "To: ann@example.org (Ann), Bob <BOB@example.org>,\r\n\tcarl@example.org\r\n"
             "Cc: undisclosed-recipients:;\r\n"
             "Subject: Hello\r\n\tthere\r\n"
             "Message-ID: <1@example.net>\r\nMIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n"
             "X-Mailer: Pen 1.0\r\nX-Priority: 3 (Normal)\r\nX-Trace: ABC\r\nX-Hops: 192.0.2.1, 192.0.2.2\r\n"
             "X-Originating-IP: [192.000.002.009]\r\nX-Source: 2001:db8::1\r\n"
             "X-Other:  value\r\nX-Other: value\r\nX-Empty:\r\nno colon here\r\n\r\nText\r\n..dot")};
    const char *text = TALK(*state, said);
    assert_has(text, "\"protocol\":[\"smtp\"]");
    assert_has(text, "\"smtpHello\":[\"client.example.net\"],\"smtpHelloCnt\":1");
    assert_has(text, "\"src\":[\"joe@example.net\"],\"srcCnt\":1");
    assert_has(text, "\"dst\":[\"ann@example.org\",\"bob@example.org\",\"carl@example.org\"],\"dstCnt\":3");
    assert_has(text, "\"subject\":[\"Hello there\"]");
    assert_has(text, "\"id\":[\"1@example.net\"]");
    assert_has(text, "\"mimeVersion\":[\"1.0\"]");
    assert_has(text, "\"contentType\":[\"text/plain; charset=utf-8\"]");
    assert_has(text, "\"useragent\":[\"Pen 1.0\"]");
    assert_has(text, "\"header-x-priority\":[3]");
    assert_has(text, "\"header-x-trace\":[\"abc\"],\"header-x-traceCnt\":1");
    assert_has(text, "\"header-x-hops\":[\"192.0.2.1\",\"192.0.2.2\"],\"header-x-hopsCnt\":2");
    assert_has(text, "\"ip\":[\"192.0.2.9\",\"2001:db8::1\"],\"ipCnt\":2");
    assert_has(text, "\"headerField\":[\"x-other\",\"x-other\",\"x-empty\"]");
    assert_has(text, "\"headerValue\":[\"value\",\"value\",\"\"],\"headerValueCnt\":3");
    assert_has(text, "\"headerCnt\":15");
    assert_has(text, "\"tags\":[\"smtp:statuscode:250\"]");
    assert_lacks(text, "undisclosed");
}

static void received(void **state) {
    const struct said said[] = {
        HELLO,
        MAIL("Received: from a.example.net (b.example.net [192.0.2.1])\r\n\tby c.example.org (Post) with ESMTP id 1\r\n"
             "\tfor <ann@example.org>; Mon, 18 Nov 2013 00:06:52 -0800\r\n"
             "Received: from [192.0.2.002] (helo=[IPv6:2001:db8::2]) by d.example.org\r\n"
             "\t(envelope-from <joe@example.net>)\r\n"
             "Received: (from joe@localhost) by E.example.org (8.14.4/8.14.4/Submit) id x\r\n\r\n")};
    const char *text = TALK(*state, said);
    assert_has(text,
               "\"host\":[\"a.example.net\",\"c.example.org\",\"d.example.org\",\"localhost\",\"e.example.org\"]");
    assert_has(text, "\"ip\":[\"192.0.2.1\",\"192.0.2.2\",\"2001:db8::2\"],\"ipCnt\":3");
}

static void subject_without_blank(void **state) {
    const struct said said[] = {HELLO, MAIL("Subject:x\r\n\r\n")};
    const char *text = TALK(*state, said);
    assert_has(text, "\"smtp:missing-subject-space\"");
    assert_has(text, "\"subject\":[\"x\"]");
}

static void attachments(void **state) {
    const struct said said[] = {
        HELLO, MAIL("Content-Type: multipart/mixed; boundary=\"out er\"\r\n\r\npreamble\r\n--out er\r\n"
                    "Content-Type: multipart/alternative;\r\n\tboundary=inner; x=y\r\n\r\n--inner\r\n"
                    "Content-Type: text/html\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n<p>=E9</p>\r\n"
                    "--inner--\r\n\r\n--out er\r\nContent-Type: application/zip; name=x\r\n"
                    "Content-Disposition: attachment;\r\n\tfilename=\"=?iso-8859-1?q?=E4?=.zip\"\r\n"
                    "Content-Transfer-Encoding: base64\r\n\r\nUEsDBAoAAA\r\nAAACdOkUME9yni\r\n\r\n"
                    "--out er  \r\nContent-Disposition: attachment; filename*=utf-8'en'%e2%82%ac.txt\r\n"
                    "Content-Transfer-Encoding: Quoted-Printable\r\n\r\nsoft=\r\n break =3D  \r\nlast\r\n--out er--\r\n"
                    "epilogue\r\n--out er\r\nContent-Transfer-Encoding: base64\r\n\r\nAAAA")};
    const char *text = TALK(*state, said);
    assert_has(text, "\"filename\":[\"ä.zip\",\"€.txt\"],\"filenameCnt\":2");
    assert_has(text, "\"fileContentType\":[\"application/zip\"]");
    assert_has(text, "\"bodyMagic\":[\"application/zip\"]");
    /* The base64 bytes over two lines, and "soft break =\r\nlast". */
    assert_has(text,
               "\"md5\":[\"d0b1f31bfa63211c4005f34338b2e3c5\",\"4b20a7871393f2066e5b37ccb0d2721a\"],\"md5Cnt\":2");
    assert_has(text, "\"c0b3c38e2da1a81ad05e1bb477d2834e707a9f3c6bbce3a2f7b3ad5a4ad847ef\"");
    assert_has(text, "\"25b7587bff94b25ff8da6f7d2e18ad85b93655e96d284692773fb1cd4f8804a0\"");
    assert_has(text, "\"sha256Cnt\":2");
}

static void message_inside(void **state) {
    const struct said said[] = {
        HELLO, MAIL("Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Type: message/rfc822\r\n\r\n"
                    "Subject: inside\r\nContent-Type: multipart/mixed; boundary=c\r\n\r\n--c\r\n"
                    "Content-Disposition: inline; filename=\"C:\\deep \\\"x\\\".txt\"\r\n\r\nx\r\n--c--\r\n--b--")};
    const char *text = TALK(*state, said);
    assert_has(text, "\"filename\":[\"C:\\\\deep \\\"x\\\".txt\"]");
    assert_lacks(text, "inside");
}

static void chunks(void **state) {
    const struct said said[] = {
        HELLO,
        ENVELOPE,
        SRC("BDAT 20\r\nSubject: in pieces\r\n"),
        DST("250 20 octets\r\n"),
        SRC("BDAT 33\r\nX-Other: half\r\nContent-Type: mult"),
        DST("250 33 octets\r\n"),
        SRC("BDAT 89\r\nipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Transfer-Encoding: "
            "base64\r\n\r\nUEsDBAoA\r\nAAAAAA\r\n--"),
        SRC("BDAT 0\r\nBDAT 5 LAST\r\nb--\r\n"),
        DST("250 89 octets\r\n250 0\r\n250 done\r\n"),
        SRC("BDAT x\r\nBDAT 10 FIRST\r\nMAIL FROM:<second@example.net>\r\nQUIT\r\n"),
    };
    const char *text = TALK(*state, said);
    assert_has(text, "\"subject\":[\"in pieces\"]");
    assert_has(text, "\"headerValue\":[\"half\"]");
    assert_has(text, "\"contentType\":[\"multipart/mixed; boundary=b\"]");
    assert_has(text, "\"md5\":[\"42adb0e9a46b34d3b9ad1b170fc93d29\"]");
    assert_has(text, "second@example.net");
    assert_has(text, "\"smtp:bad-bdat\"");
    assert_has(text, "smtp:statuscode:250");
}

/* --- encoded words --- */

static void decoded(const char *value, const char *wanted) {
    struct pool pool;
    struct arena scratch;
    pool_init(&pool, 0);
    arena_init(&scratch, &pool, 256, 0);
    struct span text = mime_words(&scratch, span_text(value));
    char *copy = strndup((const char *)text.at, text.len);
    assert_string_equal(copy, wanted);
    free(copy);
    arena_done(&scratch);
    pool_done(&pool);
}

static void encoded_words(void **state) {
    (void)state;
    decoded("plain", "plain");
    decoded("Re: =?utf-8?Q?caf=C3=A9_=5Fx?= end", "Re: café _x end");
    decoded("=?UTF-8?B?w6k=?= =?utf-8?b?w64=?=", "éî");
    decoded("=?utf-8?Q?a?=  =?utf-8?Q?b?=", "a  b");    /* only a single blank goes */
    decoded("=?utf-8?B?w6k?==?utf-8?Q?x?=", "éx");      /* no blank at all */
    decoded("=?utf-8?Q?=E2=82?= =?utf-8?Q?=AC?=", "€"); /* cut inside a character */
    decoded("=?iso-8859-1*de?Q?=FC?=", "ü");            /* with a language */
    decoded("=?windows-1252?Q?=80?=", "€");
    decoded("=?koi8-r?B?8NLJ18XU?=", "Привет");
    decoded("=?gb2312?B?xOO6ww==?=", "你好");
    decoded("=?shift_jis?B?k/qWew==?=", "日本");
    decoded("=?iso-2022-jp?B?GyRCRnxLXBsoQg==?=", "日本");
    decoded("=?utf-8?Q?"
            "?=x",
            "x");
    decoded("caf\xe9 \x93x\x94", "café “x”"); /* neither ASCII nor UTF-8: Windows-1252 */
    decoded("caf\xc3\xa9", "café");
    /* What cannot be read stays as it was sent. */
    decoded("=?utf-8?X?abc?=", "=?utf-8?X?abc?=");
    decoded("=?utf-8?Q?abc", "=?utf-8?Q?abc");
    decoded("=?no-such-set?Q?abc?=", "=?no-such-set?Q?abc?=");
    decoded("=?../../x?Q?abc?=", "=?../../x?Q?abc?=");
    decoded("=?utf-8//TRANSLIT?Q?abc?=", "=?utf-8//TRANSLIT?Q?abc?=");
    decoded("=?utf-8?Q?=ff?=", "=?utf-8?Q?=ff?=");
    decoded("1 =? 2", "1 =? 2");
}

static void long_values_are_cut_between_characters(void **state) {
    (void)state;
    static char value[3 * 2000 + 1];
    for (size_t i = 0; i + 2 < sizeof(value); i += 3) {
        memcpy(value + i, "€", 3);
    }
    struct span text = mime_words(NULL, span_text(value));
    assert_int_equal(text.len, MIME_TEXT_MAX / 3 * 3);
}

/* --- authentication --- */

static void login(void **state) {
    const struct said said[] = {HELLO,
                                SRC("AUTH LOGIN\r\n"),
                                DST("334 VXNlcm5hbWU6\r\n"),
                                SRC("Sm9l\r\n"),
                                DST("334 UGFzc3dvcmQ6\r\n"),
                                SRC("c2VjcmV0\r\n"),
                                DST("235 in\r\n"),
                                SRC("MAIL FROM:<joe@example.net>\r\n")};
    const char *text = TALK(*state, said);
    assert_has(text, "\"user\":[\"joe\"],\"userCnt\":1");
    assert_has(text, "\"smtp:authlogin\"");
    assert_has(text, "\"src\":[\"joe@example.net\"]");
    assert_lacks(text, "secret");
    const struct said at_once[] = {HELLO, SRC("auth login Sm9l\r\n"), DST("334 UGFzc3dvcmQ6\r\n"), SRC("c2VjcmV0\r\n")};
    assert_has(TALK(*state, at_once), "\"user\":[\"joe\"],\"userCnt\":1");
    const struct said refused[] = {HELLO, SRC("AUTH LOGIN\r\n"), DST("503 no\r\n"), SRC("QUIT\r\n")};
    assert_lacks(TALK(*state, refused), "\"user\"");
}

static void plain(void **state) {
    const struct said said[] = {HELLO, SRC("AUTH PLAIN AGpvZQBzZWNyZXQ=\r\n"), DST("235 in\r\n")};
    const char *text = TALK(*state, said);
    assert_has(text, "\"user\":[\"joe\"],\"userCnt\":1");
    assert_has(text, "\"smtp:authplain\"");
    const struct said apart[] = {HELLO, SRC("AUTH PLAIN\r\n"), DST("334 \r\n"), SRC("eABqb2UAc2VjcmV0\r\n")};
    assert_has(TALK(*state, apart), "\"user\":[\"joe\"],\"userCnt\":1");
    const struct said broken[] = {HELLO, SRC("AUTH PLAIN !!\r\n"), SRC("AUTH PLAIN\r\n"), SRC("*\r\n"),
                                  SRC("QUIT\r\n")};
    assert_lacks(TALK(*state, broken), "\"user\"");
}

static void digests_and_tokens(void **state) {
    const struct said cram[] = {HELLO,
                                SRC("AUTH CRAM-MD5\r\n"),
                                DST("334 PDEyMzQ1QG14Pg==\r\n"),
                                SRC("am9lIGRvZSAwMTIzNDU2Nzg5YWJjZGVm\r\n"),
                                DST("235 in\r\n"),
                                SRC("MAIL FROM:<a@b>\r\n")};
    const char *text = TALK(*state, cram);
    assert_has(text, "\"user\":[\"joe doe\"]");
    assert_has(text, "\"src\":[\"a@b\"]");
    const struct said token[] = {HELLO, SRC("AUTH XOAUTH2 dXNlcj1qb2VAeC5vcmcBYXV0aD1CZWFyZXIgeAEB\r\n")};
    assert_has(TALK(*state, token), "\"user\":[\"joe@x.org\"]");
}

/* A message of type 3 for the user "Jörg" in UTF-16 at offset 64. */
static void ntlm(void **state) {
    const struct said said[] = {
        HELLO,
        SRC("AUTH NTLM\r\n"),
        DST("334 \r\n"),
        SRC("TlRMTVNTUAABAAAABwIAAgcABwAoAAAACAAIAC8AAAAKAGFKAAAAD1NNVFBET01TTVRQSE9TVA==\r\n"),
        DST("334 TlRMTVNTUAACAAAAAAAAADgAAAAFAgACASNFZ4mrze8=\r\n"),
        SRC("TlRMTVNTUAADAAAAAAAAAEAAAAAAAAAAQAAAAAAAAABAAAAACAAIAEAAAAAAAAAAQAAAAAAAAABAAAAAAQAAAEoA9gByAGcA\r\n"),
        DST("235 in\r\n"),
        SRC("MAIL FROM:<joe@example.net>\r\n"),
    };
    const char *text = TALK(*state, said);
    assert_has(text, "\"smtp:authntlm\"");
    assert_has(text, "\"user\":[\"jörg\"],\"userCnt\":1");
    assert_has(text, "joe@example.net");
}

/* --- what happens between the lines --- */

static void start_tls(void **state) {
    const struct said said[] = {HELLO, SRC("STARTTLS\r\n"), DST("220 go\r\n"), SRC("\x16\x03\x01\x00\x04hush"),
                                DST("\x16\x03\x01\x00\x04hush")};
    assert_has(TALK(*state, said), "\"smtp:starttls\"");
    const struct said refused[] = {HELLO, SRC("STARTTLS\r\n"), DST("454 not now\r\n"), SRC("MAIL FROM:<a@b>\r\n")};
    assert_has(TALK(*state, refused), "\"src\":[\"a@b\"]");
}

static void one_side_only(void **state) {
    const struct said client[] = {SRC(
        "EHLO me\r\nMAIL FROM:<a@b>\r\nRCPT TO: c@d\r\nDATA\r\nSubject: s\r\n\r\nx\r\n.\r\nSTARTTLS\r\n\x16\x03\x01")};
    const char *text = TALK(*state, client);
    assert_has(text, "\"src\":[\"a@b\"]");
    assert_has(text, "\"dst\":[\"c@d\"]");
    assert_has(text, "\"subject\":[\"s\"]");
    const struct said clear[] = {SRC("EHLO me\r\nSTARTTLS\r\nEHLO again\r\n")};
    assert_has(TALK(*state, clear), "\"smtpHello\":[\"me\",\"again\"]");
}

static void refused_data(void **state) {
    const struct said said[] = {HELLO, SRC("DATA\r\n"), DST("503 no mail\r\n"), SRC("MAIL FROM:<a@b>\r\nQUIT\r\n")};
    assert_has(TALK(*state, said), "\"src\":[\"a@b\"]");
    const struct said ahead[] = {HELLO, SRC("MAIL FROM:<a@b>\r\nRCPT TO:<x@y>\r\nRCPT TO:<c@d>\r\nDATA\r\n"),
                                 DST("250 a\r\n550 x\r\n250 c\r\n354 go\r\n"), SRC("Subject: s\r\n\r\n.\r\n"),
                                 DST("554-no\r\n554 never\r\n")};
    const char *text = TALK(*state, ahead);
    assert_has(text, "\"subject\":[\"s\"]");
    assert_has(text, "\"tags\":[\"smtp:statuscode:554\"]");
}

static void line_feeds_alone(void **state) {
    const struct said said[] = {HELLO, SRC("MAIL FROM:<a@b>\nDATA\nSubject: s\nX-Other: a\n b\n\nx\n.\nQUIT\n")};
    const char *text = TALK(*state, said);
    assert_has(text, "\"subject\":[\"s\"]");
    assert_has(text, "\"headerValue\":[\"a b\"]");
}

static void several_mails(void **state) {
    const struct said said[] = {HELLO,
                                MAIL("Subject: one\r\n\r\n"),
                                MAIL("Subject: two\r\n\r\n"),
                                SRC("RSET\r\nDATA\r\n"),
                                DST("250\r\n354\r\n"),
                                SRC(".\r\n"),
                                DST("451 later\r\n")};
    const char *text = TALK(*state, said);
    assert_has(text, "\"subject\":[\"one\",\"two\"],\"subjectCnt\":2");
    assert_has(text, "\"smtp:statuscode:451\"");
}

/* Lines above every ceiling: the conversation goes on behind them, however they were cut. */
static void long_lines(void **state) {
    static char stream[70000];
    size_t len = 0;
    char filler[20000];
    memset(filler, 'a', sizeof(filler));
#define ADD(text, size)                       \
    do {                                      \
        memcpy(stream + len, (text), (size)); \
        len += (size);                        \
    } while (0)
#define ADD_TEXT(text) ADD(text, sizeof(text) - 1)
    ADD_TEXT("EHLO me\r\nNOOP ");
    ADD(filler, 13000);
    ADD_TEXT("\r\nMAIL FROM:<a@b>\r\nDATA\r\nX-Long: ");
    ADD(filler, 20000);
    ADD_TEXT("\r\n continued\r\nSubject: s\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n"
             "Content-Transfer-Encoding: base64\r\n\r\n");
    ADD(filler, 12000);
    ADD_TEXT("\r\n--b--\r\n.\r\nEHLO again\r\n");
    const struct said said[] = {{0, {(const uint8_t *)stream, len}}};
    const char *text = TALK(*state, said);
    assert_has(text, "\"smtp:line-too-long\"");
    assert_has(text, "\"subject\":[\"s\"]");
    assert_has(text, "\"smtpHello\":[\"me\",\"again\"]");
    assert_has(text, "\"md5Cnt\":1");
    assert_lacks(text, "aaaaaa");
}

static void gaps(void **state) {
    struct dissect_run *r = *state;
    static const char before[] =
        "EHLO me\r\nDATA\r\nSubject: s\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n"
        "Content-Transfer-Encoding: base64\r\n\r\nUEsDBAoA\r\nUEs";
    static const char behind[] =
        "AoA\r\n--b\r\nContent-Transfer-Encoding: base64\r\n\r\nUEsDBAoA\r\n--b--\r\n.\r\nEHLO x\r\n";
    run_start(r, 25);
    run_say(r, 0, span_text(before), 0);
    dissect_stream(r->engine, &r->session, 0, span_text(behind), 100, r->session.last_time);
    const char *text = run_finish(r);
    assert_has(text, "\"md5Cnt\":1"); /* of the part that is whole */
    assert_has(text, "\"smtpHello\":[\"me\",\"x\"]");
}

static void greetings(void **state) {
    const struct said banner[] = {DST("220-first line\r\n220-second\r\n220 mx ESMTP\r\n")};
    assert_has(TALK(*state, banner), "\"protocol\":[\"smtp\"]");
    const struct said other[] = {DST("220 files FTP ready\r\n")};
    assert_lacks(TALK(*state, other), "smtp");
    const struct said behind[] = {DST("220 files ready\r\n331 not SMTP\r\n")};
    assert_lacks(TALK(*state, behind), "smtp");
    const struct said small[] = {SRC("helo me\r\n")};
    assert_has(TALK(*state, small), "\"smtpHello\":[\"me\"]");
}

/* Any byte changed in a whole conversation is survived; sanitizers look on. */
static void damage(void **state) {
    struct dissect_run *r = *state;
    static const char talk[] =
        "EHLO me\r\nAUTH NTLM TlRMTVNTUAADAAAAAAAAAEAAAAAAAAAAQAAAAAAAAABAAAAACAAIAEAAAAAAAAAAQAAAAAAAAABAAAAAAQ"
        "AAAEoA9gByAGcA\r\nMAIL FROM:<a@b>\r\nBDAT 30\r\nReceived: from [1.2.3.4] by x\rBDAT 100\r\nSubject: "
        "=?utf-8?Q?x=C3=A4?= =?koi8-r?B?8NLJ?=\r\nFrom: \"a\\\" <b>\" <c@d>, (e) f@g\r\nContent-Type: multipart/mixed;"
        " boundary=\"b\"\r\n\r\nBDAT 90 LAST\r\n--b\r\nContent-Disposition: x; filename*=utf-8''%41\r\n"
        "Content-Transfer-Encoding: base64\r\n\r\nUEsDBAoA\r\n--b--\r\n";
    for (size_t i = 0; i + 1 < sizeof(talk); i++) {
        for (unsigned value = 0; value < 256; value += 51) {
            char *copy = malloc(sizeof(talk) - 1);
            assert_non_null(copy);
            memcpy(copy, talk, sizeof(talk) - 1);
            copy[i] = (char)value;
            run_start(r, 25);
            run_say(r, 0, span_make(copy, sizeof(talk) - 1), i % 3 ? 0 : 11);
            (void)run_finish(r);
            free(copy);
        }
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(envelope_and_headers),
        cmocka_unit_test(received),
        cmocka_unit_test(subject_without_blank),
        cmocka_unit_test(attachments),
        cmocka_unit_test(message_inside),
        cmocka_unit_test(chunks),
        cmocka_unit_test(encoded_words),
        cmocka_unit_test(long_values_are_cut_between_characters),
        cmocka_unit_test(login),
        cmocka_unit_test(plain),
        cmocka_unit_test(digests_and_tokens),
        cmocka_unit_test(ntlm),
        cmocka_unit_test(start_tls),
        cmocka_unit_test(one_side_only),
        cmocka_unit_test(refused_data),
        cmocka_unit_test(line_feeds_alone),
        cmocka_unit_test(several_mails),
        cmocka_unit_test(long_lines),
        cmocka_unit_test(gaps),
        cmocka_unit_test(greetings),
        cmocka_unit_test(damage),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
