/* capture_build.h: makes capture files byte by byte for tests, in either byte order, right or damaged on purpose.
 *
 * Nothing of the program is used here, so that reader and maker cannot be wrong in the same way.
 */
#ifndef SEINE_TESTS_CAPTURE_BUILD_H
#define SEINE_TESTS_CAPTURE_BUILD_H

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "source/source.h"

/* --- bytes --- */

struct bytes {
    uint8_t *at;
    size_t len, room;
    bool big; /* byte order of what is put */
};

static inline void bytes_put(struct bytes *b, const void *at, size_t n) {
    if (b->len + n > b->room) {
        b->room = (b->len + n) * 2;
        b->at = realloc(b->at, b->room);
        assert_non_null(b->at);
    }
    if (n) {
        memcpy(b->at + b->len, at, n);
    }
    b->len += n;
}

static inline void bytes_put_number(struct bytes *b, uint64_t v, size_t n) {
    for (size_t i = 0; i < n; i++) {
        uint8_t byte = (uint8_t)(v >> 8 * (b->big ? n - 1 - i : i));
        bytes_put(b, &byte, 1);
    }
}

static inline void bytes_put32(struct bytes *b, uint32_t v) {
    bytes_put_number(b, v, 4);
}

static inline void bytes_put16(struct bytes *b, uint16_t v) {
    bytes_put_number(b, v, 2);
}

static inline void bytes_set32(struct bytes *b, size_t at, uint32_t v) {
    size_t len = b->len;
    b->len = at;
    bytes_put32(b, v);
    b->len = len;
}

static inline void bytes_done(struct bytes *b) {
    free(b->at);
    *b = (struct bytes){0};
}

/* Byte `k` of the packet with number `n`: what tests expect to find again. */
static inline uint8_t pattern_byte(uint32_t n, uint32_t k) {
    return (uint8_t)(n * 31 + k * 7 + (k >> 8));
}

static inline void bytes_put_pattern(struct bytes *b, uint32_t n, uint32_t len) {
    for (uint32_t k = 0; k < len; k++) {
        uint8_t byte = pattern_byte(n, k);
        bytes_put(b, &byte, 1);
    }
}

static inline bool pattern_is(const struct packet *p, uint32_t n) {
    for (uint32_t k = 0; k < p->captured; k++) {
        if (p->data[k] != pattern_byte(n, k)) {
            return false;
        }
    }
    return true;
}

/* --- pcap --- */

static inline void pcap_head(struct bytes *b, uint32_t magic, uint32_t snaplen, uint32_t link) {
    bytes_put32(b, magic);
    bytes_put16(b, 2);
    bytes_put16(b, 4);
    bytes_put32(b, 0);
    bytes_put32(b, 0);
    bytes_put32(b, snaplen);
    bytes_put32(b, link);
}

/* Appends pattern packet `n` of `len` bytes; returns where its header stands. */
static inline size_t pcap_record(struct bytes *b, uint32_t n, uint32_t seconds, uint32_t fraction, uint32_t len) {
    size_t at = b->len;
    bytes_put32(b, seconds);
    bytes_put32(b, fraction);
    bytes_put32(b, len);
    bytes_put32(b, len);
    bytes_put_pattern(b, n, len);
    return at;
}

/* --- pcapng --- */

static inline size_t block_begin(struct bytes *b, uint32_t type) {
    size_t at = b->len;
    bytes_put32(b, type);
    bytes_put32(b, 0);
    return at;
}

static inline void block_end(struct bytes *b, size_t at) {
    while (b->len % 4) {
        bytes_put(b, "", 1);
    }
    uint32_t length = (uint32_t)(b->len + 4 - at);
    bytes_put32(b, length);
    bytes_set32(b, at + 4, length);
}

static inline void pcapng_section(struct bytes *b) {
    size_t at = block_begin(b, 0x0a0d0d0a);
    bytes_put32(b, 0x1a2b3c4d);
    bytes_put16(b, 1);
    bytes_put16(b, 0);
    bytes_put_number(b, UINT64_MAX, 8);
    block_end(b, at);
}

/* `resolution` 255: the option is left out. */
static inline void pcapng_interface(struct bytes *b, uint16_t link, uint8_t resolution, int64_t offset) {
    size_t at = block_begin(b, 1);
    bytes_put16(b, link);
    bytes_put16(b, 0);
    bytes_put32(b, 0);
    bytes_put16(b, 2); /* if_name */
    bytes_put16(b, 5);
    bytes_put(b, "eth10\0\0\0", 8);
    if (resolution != 255) {
        bytes_put16(b, 9);
        bytes_put16(b, 1);
        bytes_put(b, &resolution, 1);
        bytes_put(b, "\0\0\0", 3);
    }
    if (offset) {
        bytes_put16(b, 14);
        bytes_put16(b, 8);
        bytes_put_number(b, (uint64_t)offset, 8);
    }
    bytes_put32(b, 0);
    block_end(b, at);
}

static inline size_t pcapng_enhanced(struct bytes *b, uint32_t n, uint32_t interface, uint64_t units, uint32_t len) {
    size_t at = block_begin(b, 6);
    bytes_put32(b, interface);
    bytes_put32(b, (uint32_t)(units >> 32));
    bytes_put32(b, (uint32_t)units);
    bytes_put32(b, len);
    bytes_put32(b, len);
    bytes_put_pattern(b, n, len);
    block_end(b, at);
    return at;
}

/* --- files --- */

/* A folder for the files of one test program. */
static inline char *folder_new(void) {
    char *path = strdup("/tmp/seine-test-XXXXXX");
    assert_non_null(path);
    assert_non_null(mkdtemp(path));
    return path;
}

static inline void folder_remove(const char *path) {
    DIR *d = opendir(path);
    struct dirent *e;
    while (d && (e = readdir(d))) {
        if (strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0) {
            char inside[512];
            int len = snprintf(inside, sizeof(inside), "%s/%s", path, e->d_name);
            if (len > 0 && (size_t)len < sizeof(inside) && unlink(inside) < 0) {
                folder_remove(inside);
            }
        }
    }
    if (d) {
        closedir(d);
    }
    rmdir(path);
}

static inline void file_write(const char *path, const void *at, size_t n) {
    FILE *f = fopen(path, "wb");
    assert_non_null(f);
    assert_int_equal(fwrite(at, 1, n, f), n);
    assert_int_equal(fclose(f), 0);
}

/* --- reading all of something --- */

#define SEEN_MAX 100000

struct seen_packet {
    int64_t time;
    uint64_t position;
    uint32_t captured, wire, file;
    uint16_t interface, link;
    uint8_t flags;
    bool pattern; /* bytes are those of pattern packet `index` */
};

struct seen {
    size_t count;
    struct seen_packet *packets;
    struct source_stats stats;
    int64_t clock;
    unsigned notes;
    unsigned problems; /* of the list */
    size_t names;
    char name[32][256];
    uint64_t note_offset; /* of the last note */
    char said[4096];      /* all notes, one a line */
};

static inline void seen_note(void *ctx, const char *file, uint64_t offset, const char *what) {
    struct seen *s = ctx;
    size_t len = strlen(s->said);
    s->notes++;
    s->note_offset = offset;
    snprintf(s->said + len, sizeof(s->said) - len, "%s@%llu: %s\n", file, (unsigned long long)offset, what);
}

static inline void seen_add(struct seen *s, const struct batch *b) {
    for (uint32_t i = 0; i < b->count; i++) {
        const struct packet *p = &b->packets[i];
        assert_true(s->count < SEEN_MAX);
        s->packets[s->count] = (struct seen_packet){p->time,      p->position, p->captured, p->wire, p->file,
                                                    p->interface, p->link,     p->flags,    false};
        s->packets[s->count].pattern = pattern_is(p, (uint32_t)s->count);
        s->count++;
    }
}

/* Reads an open source to its end and frees it. */
static inline void seen_read(struct seen *s, struct source *source) {
    struct batch *b = calloc(1, sizeof(*b));
    assert_non_null(b);
    s->packets = calloc(SEEN_MAX, sizeof(*s->packets));
    assert_non_null(s->packets);
    do {
        assert_int_equal(source_next(source, b), 0);
        assert_true(b->last || b->count > 0);
        seen_add(s, b);
    } while (!b->last);
    s->clock = b->clock;
    source_read_stats(source, &s->stats);
    assert_int_equal(s->stats.packets, s->count);
    for (uint32_t n = 1; n <= source_file_count(source) && n <= 32; n++) {
        snprintf(s->name[n - 1], sizeof(s->name[0]), "%s", source_file(source, n)->name);
        assert_int_equal(source_file(source, n)->number, n);
    }
    s->names = source_file_count(source);
    block_unref(b->block);
    free(b);
    source_free(source);
}

static inline struct seen *seen_new(void) {
    struct seen *s = calloc(1, sizeof(*s));
    assert_non_null(s);
    return s;
}

static inline struct seen *seen_free(struct seen *s) {
    free(s->packets);
    free(s);
    return NULL;
}

static inline struct seen *seen_paths(const char *const *paths, size_t count, const char *bpf, uint64_t limit) {
    struct seen *s = seen_new();
    struct input_list *l = input_list_new(paths, count, seen_note, s, &s->problems);
    struct source_options options = {.bpf = bpf, .packet_limit = limit, .note = seen_note, .note_ctx = s};
    struct source *source;
    struct err err;
    assert_non_null(l);
    assert_int_equal(source_open(l, &options, &source, &err), 0);
    seen_read(s, source);
    input_list_free(l);
    return s;
}

static inline struct seen *seen_path(const char *path) {
    return seen_paths(&path, 1, NULL, 0);
}

#endif
