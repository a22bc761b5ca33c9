/* test_punycode.c: the samples of RFC 3492 7.1 and text that is no Punycode. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "base/util.h"
#include "dissect/dns_punycode.h"

static void decodes_to(const char *label, const char *wanted) {
    char text[PUNYCODE_UTF8_MAX + 1];
    size_t len;
    assert_true(punycode_decode(span_text(label), text, &len));
    assert_true(len <= PUNYCODE_UTF8_MAX);
    text[len] = '\0';
    assert_string_equal(text, wanted);
}

static void samples_of_the_rfc(void **state) {
    (void)state;
    decodes_to("egbpdaj6bu4bxfgehfvwxn", "ليهمابتكلموشعربي؟");
    decodes_to("ihqwcrb4cv8a8dqg056pqjye", "他们为什么不说中文");
    decodes_to("ihqwctvzc91f659drss3x8bo0yb", "他們爲什麽不說中文");
    decodes_to("Proprostnemluvesky-uyb24dma41a", "Pročprostěnemluvíčesky");
    decodes_to("4dbcagdahymbxekheh6e0a7fei0b", "למההםפשוטלאמדבריםעברית");
    decodes_to("i1baa7eci9glrd9b2ae1bj0hfcgg6iyaf8o0a1dig0cd", "यहलोगहिन्दीक्योंनहींबोलसकतेहैं");
    decodes_to("n8jok5ay5dzabd5bym9f0cm5685rrjetr6pdxa", "なぜみんな日本語を話してくれないのか");
    decodes_to("b1abfaaepdrnnbgefbadotcwatmq2g4l", "почемужеонинеговорятпорусски");
    decodes_to("PorqunopuedensimplementehablarenEspaol-fmd56a", "PorquénopuedensimplementehablarenEspañol");
    decodes_to("TisaohkhngthchnitingVit-kjcr8268qyxafd2f1b9g", "TạisaohọkhôngthểchỉnóitiếngViệt");
    decodes_to("3B-ww4c5e180e575a65lsy2b", "3年B組金八先生");
    decodes_to("-with-SUPER-MONKEYS-pc58ag80a8qai00g7n9n", "安室奈美恵-with-SUPER-MONKEYS");
    decodes_to("Hello-Another-Way--fc4qua05auwb3674vfr0b", "Hello-Another-Way-それぞれの場所");
    decodes_to("2-u9tlzr9756bt3uc0v", "ひとつ屋根の下2");
    decodes_to("MajiKoi5-783gue6qz075azm5e", "MajiでKoiする5秒前");
    decodes_to("de-jg4avhby1noc0d", "パフィーdeルンバ");
    decodes_to("d9juau41awczczp", "そのスピードで");
}

static void letters_of_every_length(void **state) {
    (void)state;
    decodes_to("mnchen-3ya", "münchen");
    decodes_to("aa", "\xc2\x80\xc2\x80");   /* U+0080 twice: the shortest steps */
    decodes_to("ls8h", "\xf0\x9f\x92\xa9"); /* U+1F4A9 */
    decodes_to("abc-", "abc");
}

static void refused(void **state) {
    (void)state;
    static const char *const bad[] = {
        "",                                                                 /* nothing */
        "a_b",                                                              /* no digit */
        "abc-!",                                                            /* no digit behind the hyphen */
        "999999999999",                                                     /* above 32 bits */
        "999999b",                                                          /* above U+10FFFF */
        "b",                                                                /* the number is not over */
        "\xc3\xbc-kva",                                                     /* not ASCII */
        "ib9b",                                                             /* a surrogate */
        "0123456789012345678901234567890123456789012345678901234567890123", /* longer than a label */
    };
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        char text[PUNYCODE_UTF8_MAX];
        size_t len = 77;
        if (punycode_decode(span_text(bad[i]), text, &len)) {
            fail_msg("taken for Punycode: %s", bad[i]);
        }
        assert_int_equal(len, 77);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(samples_of_the_rfc),
        cmocka_unit_test(letters_of_every_length),
        cmocka_unit_test(refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
