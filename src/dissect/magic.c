/* magic.c: file signatures, from the formats' own specifications and the registry of media types.
 *
 * One table sorted by first byte (a test holds it to that): a binary search finds the few entries a file can be. An
 * entry that needs more than a prefix names a judge, which sees all first bytes and may refuse.
 */
#include "dissect/magic.h"

#include "base/cursor.h"
#include "base/json.h"
#include "base/util.h"
#include "dissect/magic_table.h"

#define MARK(text) (text), sizeof(text) - 1

static bool has(struct span s, size_t at, const char *text) {
    return span_starts(span_from(s, at), span_text(text));
}

static const char *judge_boxes(struct span s) {
    static const struct {
        const char *brand, *type;
    } brands[] = {
        {"qt  ", "video/quicktime"}, {"M4A ", "audio/mp4"},  {"M4V ", "video/x-m4v"}, {"heic", "image/heic"},
        {"mif1", "image/heif"},      {"avif", "image/avif"}, {"3gp", "video/3gpp"},   {"jp2 ", "image/jp2"},
    };
    if (!has(s, 4, "ftyp")) {
        return has(s, 4, "moov") || has(s, 4, "mdat") ? "video/quicktime" : has(s, 4, "jP  ") ? "image/jp2" : NULL;
    }
    for (size_t i = 0; i < ARRAY_LEN(brands); i++) {
        if (has(s, 8, brands[i].brand)) {
            return brands[i].type;
        }
    }
    return "video/mp4";
}

static const char *judge_matroska(struct span s) {
    return span_find(span_sub(s, 0, 64), SPAN_LITERAL("webm")) != SPAN_NONE ? "video/webm" : "video/x-matroska";
}

static const char *judge_archive(struct span s) {
    return has(s, 8, "debian") ? "application/x-debian-package" : "application/x-archive";
}

static const char *judge_script(struct span s) {
    struct span line = span_sub(s, 0, span_find_byte(s, 0, '\n'));
    return span_find(line, SPAN_LITERAL("python")) != SPAN_NONE ? "text/x-python"
           : span_find(line, SPAN_LITERAL("perl")) != SPAN_NONE ? "text/x-perl"
           : span_find(line, SPAN_LITERAL("php")) != SPAN_NONE  ? "text/x-php"
           : span_find(line, SPAN_LITERAL("ruby")) != SPAN_NONE ? "text/x-ruby"
                                                                : "text/x-shellscript";
}

/* The size of the second header tells a bitmap from a text that begins with BM. */
static const char *judge_bitmap(struct span s) {
    struct cursor c = cursor_over(span_from(s, 14));
    uint32_t size = cursor_u32le(&c);
    return size == 12 || (size >= 16 && size <= 124) ? "image/x-ms-bmp" : NULL;
}

/* Packets of 188 bytes, each beginning with G: as many as there are, two at least unless it is all there is. */
static const char *judge_transport_stream(struct span s) {
    struct cursor c = cursor_over(span_from(s, 1));
    uint16_t head = cursor_u16(&c);
    bool clean = cursor_ok(&c) && !(head & 0x8000); /* transport error */
    for (size_t at = 188; clean && at < s.len; at += 188) {
        clean = span_byte(s, at) == 'G';
    }
    return clean && s.len >= 188 ? "video/mp2t" : NULL;
}

static const char *judge_riff(struct span s) {
    return has(s, 8, "WAVE")   ? "audio/x-wav"
           : has(s, 8, "AVI ") ? "video/x-msvideo"
           : has(s, 8, "WEBP") ? "image/webp"
                               : NULL;
}

static const char *judge_iff(struct span s) {
    return has(s, 8, "AIFF") || has(s, 8, "AIFC") ? "audio/x-aiff" : NULL;
}

/* Office files and packages are told by the name of a member; the first local headers are within reach. */
static const char *judge_zip(struct span s) {
    if (has(s, 30, "mimetype")) {
        return has(s, 38, "application/epub+zip")                      ? "application/epub+zip"
               : has(s, 38, "application/vnd.oasis.opendocument.text") ? "application/vnd.oasis.opendocument.text"
               : has(s, 38, "application/vnd.oasis.opendocument.spreadsheet")
                   ? "application/vnd.oasis.opendocument.spreadsheet"
               : has(s, 38, "application/vnd.oasis.opendocument.presentation")
                   ? "application/vnd.oasis.opendocument.presentation"
                   : "application/zip";
    }
    if (has(s, 30, "META-INF/")) {
        return "application/java-archive";
    }
    if (has(s, 30, "AndroidManifest.xml")) {
        return "application/vnd.android.package-archive";
    }
    bool package = has(s, 30, "[Content_Types].xml") || has(s, 30, "_rels/.rels");
    for (size_t at = has(s, 30, "word/") || has(s, 30, "xl/") || has(s, 30, "ppt/") ? 30
                     : package                                                      ? 49
                                                                                    : SPAN_NONE;
         at < s.len; at++) {
        if (has(s, at, "word/")) {
            return "application/vnd.openxmlformats-officedocument.wordprocessingml.document";
        }
        if (has(s, at, "xl/")) {
            return "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet";
        }
        if (has(s, at, "ppt/")) {
            return "application/vnd.openxmlformats-officedocument.presentationml.presentation";
        }
    }
    return "application/zip";
}

static const char *judge_elf(struct span s) {
    static const char *const kinds[] = {"application/x-object", "application/x-executable", "application/x-sharedlib",
                                        "application/x-coredump"};
    bool big = span_byte(s, 5) == 2;
    struct cursor c = cursor_over(span_from(s, 16));
    unsigned kind = big ? cursor_u16(&c) : cursor_u16le(&c);
    return kind >= 1 && kind <= ARRAY_LEN(kinds) ? kinds[kind - 1] : "application/octet-stream";
}

/* Java and universal Mach-O share the mark; a Java version is above 44, a count of architectures is not. */
static const char *judge_cafebabe(struct span s) {
    struct cursor c = cursor_over(span_from(s, 4));
    uint32_t word = cursor_u32(&c);
    return word < 40 ? "application/x-mach-binary" : "application/x-java-applet";
}

static const char *judge_lzma(struct span s) {
    struct cursor c = cursor_over(span_from(s, 5));
    uint64_t size = cursor_u64le(&c);
    return cursor_ok(&c) && (size == UINT64_MAX || size >> 40 == 0) ? "application/x-lzma" : NULL;
}

/* `<b` begins many texts; the whole name of an element that documents begin with is HTML. */
static const char *judge_html(struct span s) {
    static const char *const names[] = {"html", "head", "body", "title", "script", "iframe", "table", "h1"};
    size_t end = 1;
    while (span_byte(s, end) > ' ' && span_byte(s, end) != '>' && span_byte(s, end) != '/') {
        end++;
    }
    for (size_t i = 0; end < s.len && i < ARRAY_LEN(names); i++) {
        if (span_equal_fold(span_sub(s, 1, end - 1), span_text(names[i]))) {
            return "text/html";
        }
    }
    return NULL;
}

const struct magic magic_table[] = {
    {MARK("\x00\x00\x01\x00"), false, "image/x-icon", NULL},
    {MARK("\x00\x00\x01\xb3"), false, "video/mpeg", NULL},
    {MARK("\x00\x00\x01\xba"), false, "video/mpeg", NULL},
    {MARK("\x00\x01\x00\x00\x00"), false, "application/x-font-ttf", NULL},
    {MARK("\x00"
          "asm\x01"),
     false, "application/wasm", NULL},
    {MARK("\x00\x00"), false, NULL, judge_boxes},
    {MARK("\x04\x22\x4d\x18"), false, "application/x-lz4", NULL},
    {MARK("\x0a\x0d\x0d\x0a"), false, "application/x-pcapng", NULL},
    {MARK("\x1a\x45\xdf\xa3"), false, NULL, judge_matroska},
    {MARK("\x1f\x8b"), false, "application/x-gzip", NULL},
    {MARK("\x1f\x9d"), false, "application/x-compress", NULL},
    {MARK("!<arch>\n"), false, NULL, judge_archive},
    {MARK("#!"), false, NULL, judge_script},
    {MARK("#EXTM3U"), false, "audio/x-mpegurl", NULL},
    {MARK("%!PS-"), false, "application/postscript", NULL},
    {MARK("%PDF-"), false, "application/pdf", NULL},
    {MARK("(\xb5/\xfd"), false, "application/zstd", NULL},
    {MARK("(function"), false, "text/javascript", NULL},
    {MARK(".snd"), false, "audio/basic", NULL},
    {MARK("0&\xb2u\x8e\x66\xcf\x11"), false, "video/x-ms-asf", NULL},
    {MARK("7z\xbc\xaf\x27\x1c"), false, "application/x-7z-compressed", NULL},
    {MARK("8BPS"), false, "image/vnd.adobe.photoshop", NULL},
    {MARK("<!doctype html"), true, "text/html", NULL},
    {MARK("<?php"), true, "text/x-php", NULL},
    {MARK("<?xml"), true, "text/xml", NULL},
    {MARK("<svg"), true, "image/svg+xml", NULL},
    {MARK("<"), false, NULL, judge_html},
    {MARK("@echo off"), true, "text/x-msdos-batch", NULL},
    {MARK("AC10"), false, "image/vnd.dwg", NULL},
    {MARK("AT&TFORM"), false, "image/vnd.djvu", NULL},
    {MARK("BM"), false, NULL, judge_bitmap},
    {MARK("BZh"), false, "application/x-bzip2", NULL},
    {MARK("CWS"), false, "application/x-shockwave-flash", NULL},
    {MARK("Cr24"), false, "application/x-chrome-extension", NULL},
    {MARK("FLV\x01"), false, "video/x-flv", NULL},
    {MARK("FORM"), false, NULL, judge_iff},
    {MARK("FWS"), false, "application/x-shockwave-flash", NULL},
    {MARK("GIF8"), false, "image/gif", NULL},
    {MARK("G"), false, NULL, judge_transport_stream},
    {MARK("ID3"), false, "audio/mpeg", NULL},
    {MARK("II*\x00"), false, "image/tiff", NULL},
    {MARK("ISc("), false, "application/vnd.ms-cab-compressed", NULL},
    {MARK("ITSF"), false, "application/vnd.ms-htmlhelp", NULL},
    {MARK("L\x00\x00\x00\x01\x14\x02\x00"), false, "application/x-ms-shortcut", NULL},
    {MARK("LZIP"), false, "application/x-lzip", NULL},
    {MARK("MM\x00*"), false, "image/tiff", NULL},
    {MARK("MSCF\x00\x00\x00\x00"), false, "application/vnd.ms-cab-compressed", NULL},
    {MARK("MThd"), false, "audio/midi", NULL},
    {MARK("MZ"), false, "application/x-dosexec", NULL},
    {MARK("OTTO"), false, "application/vnd.ms-opentype", NULL},
    {MARK("Obj\x01"), false, "application/avro", NULL},
    {MARK("OggS"), false, "application/ogg", NULL},
    {MARK("PAR1"), false, "application/vnd.apache.parquet", NULL},
    {MARK("PK\x03\x04"), false, NULL, judge_zip},
    {MARK("PK\x05\x06"), false, "application/zip", NULL},
    {MARK("RIFF"), false, NULL, judge_riff},
    {MARK("Rar!\x1a\x07"), false, "application/x-rar", NULL},
    {MARK("SIMPLE  ="), false, "image/fits", NULL},
    {MARK("SQLite format 3\x00"), false, "application/x-sqlite3", NULL},
    {MARK("ZWS"), false, "application/x-shockwave-flash", NULL},
    {MARK("]\x00\x00"), false, NULL, judge_lzma},
    {MARK("`\xea"), false, "application/x-arj", NULL},
    {MARK("d8:announce"), false, "application/x-bittorrent", NULL},
    {MARK("document.write"), false, "text/javascript", NULL},
    {MARK("fLaC"), false, "audio/x-flac", NULL},
    {MARK("function "), false, "text/javascript", NULL},
    {MARK("function("), false, "text/javascript", NULL},
    {MARK("icns"), false, "image/x-icns", NULL},
    {MARK("var "), false, "text/javascript", NULL},
    {MARK("wOF2"), false, "application/font-woff2", NULL},
    {MARK("wOFF"), false, "application/font-woff", NULL},
    {MARK("x\x01"), false, "application/zlib", NULL},
    {MARK("x\x9c"), false, "application/zlib", NULL},
    {MARK("x\xda"), false, "application/zlib", NULL},
    {MARK("{\\rtf"), false, "text/rtf", NULL},
    {MARK("\x7f"
          "ELF"),
     false, NULL, judge_elf},
    {MARK("\x89PNG\r\n\x1a\n"), false, "image/png", NULL},
    {MARK("\x8aMNG\r\n\x1a\n"), false, "video/x-mng", NULL},
    {MARK("\xa1\xb2\xc3\xd4"), false, "application/vnd.tcpdump.pcap", NULL},
    {MARK("\xca\xfe\xba\xbe"), false, NULL, judge_cafebabe},
    {MARK("\xce\xfa\xed\xfe"), false, "application/x-mach-binary", NULL},
    {MARK("\xcf\xfa\xed\xfe"), false, "application/x-mach-binary", NULL},
    {MARK("\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"), false, "application/CDFV2", NULL},
    {MARK("\xd4\xc3\xb2\xa1"), false, "application/vnd.tcpdump.pcap", NULL},
    {MARK("\xed\xab\xee\xdb"), false, "application/x-rpm", NULL},
    {MARK("\xfd"
          "7zXZ\x00"),
     false, "application/x-xz", NULL},
    {MARK("\xfe\xed\xfa\xce"), false, "application/x-mach-binary", NULL},
    {MARK("\xfe\xed\xfa\xcf"), false, "application/x-mach-binary", NULL},
    {MARK("\xff\xd8\xff"), false, "image/jpeg", NULL},
    {MARK("\xff\xf1"), false, "audio/x-hx-aac-adts", NULL},
    {MARK("\xff\xf2"), false, "audio/mpeg", NULL},
    {MARK("\xff\xf3"), false, "audio/mpeg", NULL},
    {MARK("\xff\xf9"), false, "audio/x-hx-aac-adts", NULL},
    {MARK("\xff\xfa"), false, "audio/mpeg", NULL},
    {MARK("\xff\xfb"), false, "audio/mpeg", NULL},
};
const size_t magic_table_len = ARRAY_LEN(magic_table);

/* First entry whose mark does not begin with a lower byte. */
static size_t first_entry(uint8_t byte) {
    size_t low = 0, high = ARRAY_LEN(magic_table);
    while (low < high) {
        size_t mid = (low + high) / 2;
        if ((uint8_t)magic_table[mid].mark[0] < byte) {
            low = mid + 1;
        } else {
            high = mid;
        }
    }
    return low;
}

const char *magic_type(struct span first) {
    if (first.len == 0) {
        return NULL;
    }
    uint8_t byte = (uint8_t)span_byte(first, 0);
    for (size_t i = first_entry(byte); i < ARRAY_LEN(magic_table) && (uint8_t)magic_table[i].mark[0] == byte; i++) {
        const struct magic *m = &magic_table[i];
        struct span mark = span_make(m->mark, m->len);
        if (m->fold ? span_starts_fold(first, mark) : span_starts(first, mark)) {
            const char *type = m->judge ? m->judge(first) : m->type;
            if (type) {
                return type;
            }
        }
    }
    return has(first, 257, "ustar") ? "application/x-tar" : NULL;
}

static struct span behind_blanks(struct span s) {
    size_t i = span_starts(s, SPAN_LITERAL("\xef\xbb\xbf")) ? 3 : 0;
    while (i < s.len && (span_byte(s, i) == ' ' || (span_byte(s, i) >= '\t' && span_byte(s, i) <= '\r'))) {
        i++;
    }
    return span_from(s, i);
}

/* The bytes may stop within a character: up to three of them are forgiven. */
static bool is_text(struct span s) {
    for (size_t i = 0; i < s.len; i++) {
        int c = span_byte(s, i);
        if (c == 0x7f || (c < ' ' && c != 0x1b && (c < '\t' || c > '\r'))) {
            return false;
        }
    }
    for (size_t cut = 0; cut < 4 && cut <= s.len; cut++) {
        if (utf8_valid(span_sub(s, 0, s.len - cut))) {
            return true;
        }
    }
    return false;
}

static bool is_json(struct span s) {
    int open = span_byte(s, 0);
    if (open != '{' && open != '[') {
        return false;
    }
    int next = span_byte(behind_blanks(span_from(s, 1)), 0);
    return next == '"' || next == (open == '{' ? '}' : ']') ||
           (open == '[' && (next == '{' || next == '[' || next == '-' || (next >= '0' && next <= '9')));
}

const char *magic_guess(struct span first, enum magic_mode mode) {
    if (mode == MAGIC_NONE) {
        return NULL;
    }
    const char *type = magic_type(first);
    if (type || mode == MAGIC_BASIC) {
        return type;
    }
    struct span text = behind_blanks(first);
    type = text.len < first.len && span_byte(text, 0) == '<' ? magic_type(text) : NULL;
    if (type || mode == MAGIC_LIBMAGIC_NO_TEXT || text.len == 0 || !is_text(first)) {
        return type;
    }
    return is_json(text) ? "application/json" : "text/plain";
}
