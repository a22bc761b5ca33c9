/* decode.c: the decoder: counters, and the loop over a batch.
 *
 * The way in is always the link type's layer function; what it finds (state.h, enum decoded) is made into a session's
 * key, a counter, or both. Ethernet with plain IPv4 or IPv6 and TCP or UDP takes the same way as everything else: its
 * functions are short enough for that, and one way in means one way to be wrong.
 */
#include "decode/decode.h"

#include <stdlib.h>

#include "decode/state.h"

const char *const decode_count_names[DECODE_COUNTS] = {
    [DECODE_PACKETS] = "packets",
    [DECODE_BYTES] = "bytes",
    [DECODE_UNKNOWN_LINK] = "unknownLink",
    [DECODE_UNKNOWN_ETHER] = "unknownEther",
    [DECODE_UNKNOWN_IP] = "unknownIp",
    [DECODE_CORRUPT_ETHER] = "corruptEther",
    [DECODE_CORRUPT_IP] = "corruptIp",
    [DECODE_TOO_DEEP] = "tooDeep",
    [DECODE_FRAGMENTS] = "fragments",
    [DECODE_REASSEMBLED] = "reassembled",
    [DECODE_FRAGMENT_TIMEOUT] = "fragmentTimeout",
    [DECODE_FRAGMENT_DROPPED] = "fragmentDropped",
    [DECODE_FRAGMENT_OVERLAP] = "fragmentOverlap",
    [DECODE_FRAGMENT_PIECES] = "fragmentPieces",
    [DECODE_IGNORED] = "ignored",
    [DECODE_UNKNOWN_SAVED] = "unknownSaved",
};

struct decoder *decoder_new(const struct decode_settings *settings, const struct hash_key *key, struct pool *pool) {
    struct decoder *d = calloc(1, sizeof(*d));
    if (!d) {
        return NULL;
    }
    d->settings = settings;
    d->key = *key;
    d->pool = pool;
    d->disabled = disabled_parse(settings);
    (void)unknown_rules_parse(settings, &d->unknown, NULL);
    d->fragments = fragments_new(d);
    return d->fragments ? d : decoder_free(d);
}

struct decoder *decoder_free(struct decoder *d) {
    if (d) {
        fragments_free(d->fragments);
        free(d);
    }
    return NULL;
}

static void frame_count(struct decode_state *s, enum decoded how) {
    static const uint8_t counters[] = {
        [DECODED_UNKNOWN_LINK] = DECODE_UNKNOWN_LINK, [DECODED_UNKNOWN_ETHER] = DECODE_UNKNOWN_ETHER,
        [DECODED_UNKNOWN_IP] = DECODE_UNKNOWN_IP,     [DECODED_CORRUPT] = DECODE_CORRUPT_ETHER,
        [DECODED_TOO_DEEP] = DECODE_TOO_DEEP,         [DECODED_HELD] = DECODE_FRAGMENT_PIECES,
        [DECODED_IGNORED] = DECODE_IGNORED,
    };
    unsigned counter = counters[how];
    if (how == DECODED_CORRUPT && s->p->ip_version) {
        counter = DECODE_CORRUPT_IP;
    }
    s->d->counts[counter]++;
}

static void frame_decode(struct decode_state *s) {
    struct packet *p = s->p;
    p->hash = 0;
    p->origin_count = 0;
    p->payload_len = 0;
    p->mac_at = p->ip_at = p->transport_at = p->payload_at = 0;
    p->ethertype = 0;
    p->kind = FLOW_NONE;
    p->ip_version = p->ip_protocol = p->ttl = p->dscp = 0;
    s->cut = p->captured < p->wire;
    p->flags = s->cut ? PACKET_CUT : 0;
    p->layers = NULL;
    s->number = s->ip_claimed = 0;
    s->depth = 0;

    struct cursor c = {p->data, p->data + p->captured, false};
    enum decoded how = decode_link(s, &c);
    if (UNLIKELY(how != DECODED_FLOW)) {
        frame_count(s, how);
        how = unknown_session(s, how);
        s->d->counts[DECODE_UNKNOWN_SAVED] += how == DECODED_FLOW;
    }
    if (how != DECODED_FLOW) {
        p->kind = FLOW_NONE;
    }
}

/* Without the VLAN or VNI: both directions of a flow must come to one worker when only one of them is tagged. */
static uint32_t key_hash(const struct decoder *d, const struct flow_key *key) {
    const uint64_t mapped = 0xffff0000u; /* the low half of an IPv4 address's second word */
    uint64_t words[sizeof(*key) / 8];
    memcpy(words, key, sizeof(words));
    words[4] &= ~((uint64_t)FLOW_NETWORK_MASK << 32);
    if ((words[0] | words[2]) == 0 && (uint32_t)words[1] == mapped && (uint32_t)words[3] == mapped) {
        uint64_t short_words[2] = {words[1] >> 32 | (words[3] >> 32) << 32, words[4]};
        return (uint32_t)siphash13(&d->key, short_words, sizeof(short_words));
    }
    return (uint32_t)siphash13(&d->key, words, sizeof(words));
}

void decoder_run(struct decoder *d, struct batch *b) {
    fragments_recycle(d->fragments, b->clock);
    struct decode_state s = {.d = d};
    uint64_t bytes = 0;
    for (uint32_t i = 0; i < b->count; i++) {
        s.p = &b->packets[i];
        s.key = &b->keys[i];
        s.layers = &b->layers[i];
        bytes += s.p->captured;
        if (i + 4 < b->count) {
            __builtin_prefetch(b->packets[i + 4].data);
        }
        frame_decode(&s);
    }
    /* All hashes in one go: they do not depend on one another, so the processor works on several at once. */
    for (uint32_t i = 0; i < b->count; i++) {
        if (b->packets[i].kind != FLOW_NONE) {
            b->packets[i].hash = key_hash(d, &b->keys[i]);
        }
    }
    d->counts[DECODE_PACKETS] += b->count;
    d->counts[DECODE_BYTES] += bytes;
}

uint32_t decoder_lowest_file(const struct decoder *d) {
    return fragments_lowest_file(d->fragments);
}

const uint64_t *decoder_counts(const struct decoder *d) {
    return d->counts;
}
