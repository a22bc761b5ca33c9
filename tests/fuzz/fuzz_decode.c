/* fuzz_decode.c: the decoder under libFuzzer: any bytes as frames of any link type.
 *
 * Input: one byte chooses the link type, one the settings (bits below), the rest is frames: two bytes length (and in
 * the upper bits how much the capture cut off), one byte seconds since the frame before, then the bytes. Each frame is
 * a block of its own, so that AddressSanitizer sees a read beyond it. After each batch what the decoder promises is
 * checked, and each frame is put into words.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/util.h"
#include "decode/decode.h"
#include "fetch/frame_text.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { FRAMES_MAX = 64, FRAME_MAX = 0x1fff };

static const uint16_t link_types[] = {1,   0,   9,   12,  50,  51,  101, 104, 105, 107,
                                      108, 113, 127, 228, 229, 239, 274, 276, 147};

static void promise(bool kept) {
    if (!kept) {
        __builtin_trap();
    }
}

/* A frame in words, whatever it is: texts end, layers begin inside it. */
static void describe_check(const struct packet *p) {
    struct frame_text t;
    frame_describe(p, &t);
    promise(t.summary[0] && memchr(t.summary, 0, sizeof(t.summary)) && t.count <= FRAME_LAYERS_MAX);
    for (unsigned i = 0; i < t.count; i++) {
        promise(t.layers[i].name && memchr(t.layers[i].text, 0, sizeof(t.layers[i].text)));
        promise(t.layers[i].offset <= p->captured);
    }
}

static void packet_check(const struct packet *p, const struct flow_key *key) {
    describe_check(p);
    if (p->kind == FLOW_NONE) {
        return;
    }
    promise(p->kind <= FLOW_OTHER && key->tag >> 28 == p->kind);
    promise((size_t)p->payload_at + p->payload_len <= p->captured);
    promise(p->transport_at <= p->payload_at);
    promise(p->ip_version == 0 || p->ip_version == 4 || p->ip_version == 6);
    promise(p->ip_version == 0 || p->ip_at + (p->ip_version == 6 ? 40u : 20u) <= p->captured);
    promise(!(p->flags & PACKET_HAS_MAC) || p->mac_at + 12u <= p->captured);
    promise(p->kind != FLOW_TCP || p->payload_at >= p->transport_at + 20);
    promise(p->kind != FLOW_UDP || p->payload_at == p->transport_at + 8);
    promise(p->kind != FLOW_SCTP || p->payload_at == p->transport_at + 12);
    promise(memcmp(key->low, key->high, 16) <= 0 || p->kind == FLOW_OTHER);
    volatile uint8_t sum = 0; /* every byte that is handed on can be read */
    for (uint32_t i = 0; i < p->captured; i++) {
        sum ^= p->data[i];
    }
    (void)sum;
    if (p->layers) {
        promise(p->layers->vlan_count <= LAYERS_VLANS && p->layers->tunnel_count <= LAYERS_TUNNELS);
        promise(p->layers->vlan_count || p->layers->tunnel_count || p->layers->has_outer_ip ||
                p->layers->has_outer_mac || p->layers->has_vni);
    }
}

static void settings_choose(struct decode_settings *settings, uint8_t bits) {
    static const char *const unknown[] = {"all", "corrupt"};
    *settings = (struct decode_settings){
        .session_id_tracking = bits % 3,
        .track_esp = bits & 4,
        .disable_fragments4 = (bits & 0x18) == 0x18,
        .disable_fragments6 = (bits & 0x18) == 0x18,
        .frags_timeout = 30,
        .max_frags = 8,
        .fragment_overlap = bits >> 5 & 1,
        .frags_memory = 64 << 10,
        .trim_ethernet_padding = bits & 0x40,
        .save_unknown = {unknown, bits & 0x80 ? 2 : 0},
    };
}

/* Cuts the next frame off the input into memory of its own. */
static bool frame_next(const uint8_t **at, const uint8_t *end, int64_t *clock, struct packet *p) {
    if (end - *at < 3) {
        return false;
    }
    uint16_t word = read_be16(*at);
    size_t len = MIN((size_t)(word & FRAME_MAX), (size_t)(end - *at - 3));
    *clock += (int64_t)(*at)[2] * 1000000000;
    uint8_t *bytes = malloc(len + !len);
    if (!bytes) {
        return false;
    }
    memcpy(bytes, *at + 3, len);
    *at += 3 + len;
    p->data = bytes;
    p->captured = (uint32_t)len;
    p->wire = (uint32_t)len + (word >> 13) * 100u;
    p->time = *clock;
    return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    if (size < 2) {
        return 0;
    }
    struct batch *b = calloc(1, sizeof(*b));
    struct decode_settings settings;
    settings_choose(&settings, data[1]);
    struct pool pool;
    pool_init(&pool, 1 << 20);
    static const struct hash_key key = {1, 2};
    struct decoder *d = b ? decoder_new(&settings, &key, &pool) : NULL;
    const uint8_t *frames[FRAMES_MAX];
    const uint8_t *at = data + 2, *end = data + size;
    for (bool more = d != NULL; more;) {
        b->count = 0;
        while (b->count < FRAMES_MAX && (more = frame_next(&at, end, &b->clock, &b->packets[b->count]))) {
            b->packets[b->count].link = link_types[data[0] % ARRAY_LEN(link_types)];
            frames[b->count] = b->packets[b->count].data;
            b->count++;
        }
        decoder_run(d, b);
        for (uint32_t i = 0; i < b->count; i++) {
            packet_check(&b->packets[i], &b->keys[i]);
            free((void *)(uintptr_t)frames[i]);
        }
    }
    decoder_free(d);
    promise(pool.in_use == 0);
    pool_done(&pool);
    free(b);
    return 0;
}
