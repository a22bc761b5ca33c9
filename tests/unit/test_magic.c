/* test_magic.c: the table's order, and a file's first bytes for each kind of decision. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/util.h"
#include "dissect/magic.h"
#include "dissect/magic_table.h"

#define BYTES(text)                               \
    (struct span) {                               \
        (const uint8_t *)(text), sizeof(text) - 1 \
    }

static void assert_type(const char *type, const char *expected) {
    assert_non_null(type);
    assert_string_equal(type, expected);
}

static void table_is_sorted_by_first_byte(void **state) {
    (void)state;
    assert_true(magic_table_len >= 60);
    for (size_t i = 0; i < magic_table_len; i++) {
        const struct magic *m = &magic_table[i];
        assert_true(m->len > 0);
        assert_true((m->type == NULL) != (m->judge == NULL));
        for (size_t k = 0; k < m->len && m->fold; k++) {
            assert_false(m->mark[k] >= 'A' && m->mark[k] <= 'Z');
        }
        if (i) {
            assert_true((uint8_t)m->mark[0] >= (uint8_t)magic_table[i - 1].mark[0]);
        }
    }
}

/* Every entry that is its mark alone is found by it, or by an earlier entry that is a prefix of it. */
static void every_mark_is_found(void **state) {
    (void)state;
    for (size_t i = 0; i < magic_table_len; i++) {
        const struct magic *m = &magic_table[i];
        if (m->type) {
            assert_type(magic_type(span_make(m->mark, m->len)), m->type);
        }
    }
}

static void signatures(void **state) {
    (void)state;
    static const struct {
        struct span first;
        const char *type;
    } cases[] = {
        {BYTES("\x1f\x8b\x08\x00"), "application/x-gzip"},
        {BYTES("PK\x03\x04\x14\x00\x00\x00\x08\x00"), "application/zip"},
        {BYTES("GIF89a\x01\x00"), "image/gif"},
        {BYTES("\x89PNG\r\n\x1a\n\x00"), "image/png"},
        {BYTES("\xff\xd8\xff\xe0"), "image/jpeg"},
        {BYTES("%PDF-1.7\n"), "application/pdf"},
        {BYTES("<!DOCTYPE html PUBLIC"), "text/html"},
        {BYTES("<!doctype HTML>"), "text/html"},
        {BYTES("<HTML><HEAD>"), "text/html"},
        {BYTES("<?xml version=\"1.0\"?>"), "text/xml"},
        {BYTES("document.write('x')"), "text/javascript"},
        {BYTES("MZ\x90\x00"), "application/x-dosexec"},
        {BYTES("\xca\xfe\xba\xbe\x00\x00\x00\x34"), "application/x-java-applet"},
        {BYTES("\xca\xfe\xba\xbe\x00\x00\x00\x02"), "application/x-mach-binary"},
        {BYTES("\x7f"
               "ELF\x02\x01\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x03\x00"),
         "application/x-sharedlib"},
        {BYTES("\x7f"
               "ELF\x02\x02\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x02"),
         "application/x-executable"},
        {BYTES("#!/usr/bin/env python3\n"), "text/x-python"},
        {BYTES("#!/bin/sh\n# perl"), "text/x-shellscript"},
        {BYTES("RIFF\x10\x00\x00\x00WAVEfmt "), "audio/x-wav"},
        {BYTES("RIFF\x10\x00\x00\x00WEBPVP8 "), "image/webp"},
        {BYTES("\x00\x00\x00\x18"
               "ftypmp42\x00\x00\x00\x00"),
         "video/mp4"},
        {BYTES("\x00\x00\x00\x18"
               "ftypheic\x00\x00\x00\x00"),
         "image/heic"},
        {BYTES("\x1a\x45\xdf\xa3\x9f\x42\x86\x81\x01\x42\x82\x84webm"), "video/webm"},
        {BYTES("BM\x36\x00\x00\x00\x00\x00\x00\x00\x36\x00\x00\x00\x28\x00\x00\x00"), "image/x-ms-bmp"},
        {BYTES("!<arch>\ndebian-binary"), "application/x-debian-package"},
        {BYTES("]\x00\x00\x80\x00\xff\xff\xff\xff\xff\xff\xff\xff"), "application/x-lzma"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        assert_type(magic_type(cases[i].first), cases[i].type);
    }
}

static void not_every_beginning_is_a_file(void **state) {
    (void)state;
    assert_null(magic_type((struct span){0}));
    assert_null(magic_type(BYTES("BMW drivers")));
    assert_null(magic_type(BYTES("Good morning")));
    assert_null(magic_type(BYTES("RIFF\x10\x00\x00\x00XXXX")));
    assert_null(magic_type(BYTES("<heading without end")));
    assert_null(magic_type(BYTES("\n\n<!DOCTYPE html>")));
    assert_null(magic_type(BYTES("hello")));
    assert_null(magic_type(BYTES("\x00\x00\x00\x18nope")));
}

static void packages(void **state) {
    (void)state;
    static const char local[] =
        "PK\x03\x04\x14\x00\x06\x00\x08\x00\x00\x00\x21\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00"
        "\x13\x00\x00\x00[Content_Types].xml";
    uint8_t first[256] = {0};
    memcpy(first, local, sizeof(local) - 1);
    assert_type(magic_type(span_make(first, 100)), "application/zip");
    memcpy(first + 120, "PK\x03\x04", 4);
    memcpy(first + 150, "word/document.xml", 17);
    assert_type(magic_type(span_make(first, sizeof(first))),
                "application/vnd.openxmlformats-officedocument.wordprocessingml.document");
    memcpy(first + 30, "META-INF/MANIFEST.MF", 20);
    assert_type(magic_type(span_make(first, sizeof(first))), "application/java-archive");
    memcpy(first + 30, "mimetypeapplication/epub+zip", 28);
    assert_type(magic_type(span_make(first, sizeof(first))), "application/epub+zip");
}

static void transport_stream_repeats_its_mark(void **state) {
    (void)state;
    uint8_t first[512] = {0};
    first[0] = first[188] = first[376] = 'G';
    first[1] = 0x40;
    assert_type(magic_type(span_make(first, sizeof(first))), "video/mp2t");
    first[376] = 'x';
    assert_null(magic_type(span_make(first, sizeof(first))));
    assert_null(magic_type(span_make(first, 100)));
}

static void tar_is_told_far_inside(void **state) {
    (void)state;
    uint8_t first[512] = "folder/";
    memcpy(first + 257, "ustar", 5);
    assert_type(magic_type(span_make(first, sizeof(first))), "application/x-tar");
    assert_null(magic_type(span_make(first, 200)));
}

static void modes(void **state) {
    (void)state;
    struct span blanks = BYTES("\r\n\r\n <!DOCTYPE html>"), json = BYTES(" {\"a\": 1}"), text = BYTES("a=1&b=2\n");
    struct span binary = BYTES("\x01\x02\x03"), half = BYTES("na\xc3\xafve \xc3"), latin = BYTES("na\xefve ja");
    assert_null(magic_guess(blanks, MAGIC_BASIC));
    assert_null(magic_guess(BYTES("%PDF-1.7"), MAGIC_NONE));
    assert_type(magic_guess(BYTES("%PDF-1.7"), MAGIC_BASIC), "application/pdf");
    assert_type(magic_guess(blanks, MAGIC_BOTH), "text/html");
    assert_type(magic_guess(blanks, MAGIC_LIBMAGIC_NO_TEXT), "text/html");
    assert_type(magic_guess(json, MAGIC_BOTH), "application/json");
    assert_type(magic_guess(BYTES("[1,2]"), MAGIC_BOTH), "application/json");
    assert_type(magic_guess(BYTES("[see below]"), MAGIC_BOTH), "text/plain");
    assert_null(magic_guess(json, MAGIC_LIBMAGIC_NO_TEXT));
    assert_type(magic_guess(text, MAGIC_BOTH), "text/plain");
    assert_type(magic_guess(half, MAGIC_BOTH), "text/plain");
    assert_null(magic_guess(latin, MAGIC_BOTH));
    assert_null(magic_guess(binary, MAGIC_BOTH));
    assert_null(magic_guess(BYTES("  \r\n"), MAGIC_BOTH));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(table_is_sorted_by_first_byte),
        cmocka_unit_test(every_mark_is_found),
        cmocka_unit_test(signatures),
        cmocka_unit_test(not_every_beginning_is_a_file),
        cmocka_unit_test(packages),
        cmocka_unit_test(transport_stream_repeats_its_mark),
        cmocka_unit_test(tar_is_told_far_inside),
        cmocka_unit_test(modes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
