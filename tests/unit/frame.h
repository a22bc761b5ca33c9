/* frame.h: frames for the decoder's tests, built from the inside out: each layer is put in front of what is there, so
 * lengths are known when they are written. Owner: the test. Failure: a frame that outgrows its buffer fails the test.
 */
#ifndef SEINE_TESTS_FRAME_H
#define SEINE_TESTS_FRAME_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/util.h"
#include "decode/decode.h"

struct frame {
    uint8_t space[70000];
    size_t at; /* first byte */
};

static inline void frame_clear(struct frame *f) {
    f->at = sizeof(f->space);
}

static inline uint8_t *frame_bytes(struct frame *f) {
    return f->space + f->at;
}

static inline size_t frame_len(const struct frame *f) {
    return sizeof(f->space) - f->at;
}

static inline uint8_t *frame_space(struct frame *f, size_t len) {
    assert_true(f->at >= len);
    f->at -= len;
    memset(f->space + f->at, 0, len);
    return f->space + f->at;
}

static inline void frame_put(struct frame *f, const void *bytes, size_t len) {
    memcpy(frame_space(f, len), bytes, len);
}

#define FRAME_PUT(f, ...)                     \
    do {                                      \
        const uint8_t put_[] = {__VA_ARGS__}; \
        frame_put(f, put_, sizeof(put_));     \
    } while (0)

static inline void write16(uint8_t *at, unsigned value) {
    at[0] = (uint8_t)(value >> 8);
    at[1] = (uint8_t)value;
}

static inline void write32(uint8_t *at, uint32_t value) {
    write16(at, value >> 16);
    write16(at + 2, value & 0xffff);
}

static inline void frame_ether(struct frame *f, unsigned type) {
    uint8_t *p = frame_space(f, 14);
    memcpy(p, "\x02\x00\x00\x00\x00\xdd\x02\x00\x00\x00\x00\x55", 12);
    write16(p + 12, type);
}

/* A tag whose own type is what stands before it. */
static inline void frame_tag(struct frame *f, unsigned id, unsigned type) {
    uint8_t *p = frame_space(f, 4);
    write16(p, id);
    write16(p + 2, type);
}

static inline void frame_ip4(struct frame *f, uint32_t src, uint32_t dst, uint8_t protocol) {
    size_t len = frame_len(f) + 20;
    uint8_t *p = frame_space(f, 20);
    p[0] = 0x45;
    p[1] = 0x28; /* DSCP 10 */
    write16(p + 2, (unsigned)len);
    p[8] = 61;
    p[9] = protocol;
    write32(p + 12, src);
    write32(p + 16, dst);
}

static inline void frame_ip6(struct frame *f, uint8_t src, uint8_t dst, uint8_t next) {
    size_t len = frame_len(f);
    uint8_t *p = frame_space(f, 40);
    p[0] = 0x62;
    p[1] = 0x80; /* DSCP 10 */
    write16(p + 4, (unsigned)len);
    p[6] = next;
    p[7] = 62;
    p[8] = p[24] = 0xfd;
    p[23] = src;
    p[39] = dst;
}

static inline void frame_udp(struct frame *f, unsigned src, unsigned dst) {
    size_t len = frame_len(f) + 8;
    uint8_t *p = frame_space(f, 8);
    write16(p, src);
    write16(p + 2, dst);
    write16(p + 4, (unsigned)len);
}

static inline void frame_tcp(struct frame *f, unsigned src, unsigned dst) {
    uint8_t *p = frame_space(f, 20);
    write16(p, src);
    write16(p + 2, dst);
    p[12] = 0x50;
    p[13] = 0x18;
}

/* A decoder with settings a test may change, and a batch of its own. */
struct rig {
    struct decode_settings settings;
    struct pool pool;
    struct decoder *decoder;
    struct batch batch;
};

static inline struct rig *rig_new(void) {
    struct rig *r = calloc(1, sizeof(*r));
    assert_non_null(r);
    r->settings.frags_timeout = 60;
    r->settings.max_frags = 100;
    r->settings.frags_memory = 4 << 20;
    pool_init(&r->pool, 0);
    return r;
}

static inline void rig_start(struct rig *r) {
    static const struct hash_key key = {0x0123456789abcdefu, 0xfedcba9876543210u};
    r->decoder = decoder_new(&r->settings, &key, &r->pool);
    assert_non_null(r->decoder);
}

static inline void rig_free(struct rig *r) {
    decoder_free(r->decoder);
    assert_int_equal(r->pool.in_use, 0);
    pool_done(&r->pool);
    free(r);
}

/* Decodes one frame that was `wire` bytes long; its packet, key and layers are the batch's first. */
static inline struct packet *rig_run_cut(struct rig *r, uint16_t link, const uint8_t *bytes, size_t len, size_t wire,
                                         int64_t seconds) {
    struct packet *p = &r->batch.packets[0];
    memset(p, 0xa5, sizeof(*p)); /* what the decoder fills must not depend on what was there */
    p->data = bytes;
    p->captured = (uint32_t)len;
    p->wire = (uint32_t)wire;
    p->time = seconds * 1000000000;
    p->link = link;
    r->batch.count = 1;
    r->batch.clock = p->time;
    decoder_run(r->decoder, &r->batch);
    return p;
}

static inline struct packet *rig_run(struct rig *r, uint16_t link, struct frame *f) {
    return rig_run_cut(r, link, frame_bytes(f), frame_len(f), frame_len(f), 1000);
}

static inline uint64_t rig_count(const struct rig *r, enum decode_count which) {
    return decoder_counts(r->decoder)[which];
}

#endif
