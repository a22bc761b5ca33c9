/* decode.c: the decoder: settings, counters, and the loop over a batch.
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
};

#define AT(member) SETTING(decode_settings, member)
const struct setting decode_setting_table[] = {
    {.name = "sessionIdTracking",
     .type = ST_CHOICE,
     .offset = AT(session_id_tracking),
     .fallback = "none",
     .choices = "none,vlan,vni",
     .help = "Flows with the same addresses and ports are kept apart by VLAN (the outermost) or by VNI"},
    {.name = "trackESP",
     .type = ST_BOOL,
     .offset = AT(track_esp),
     .fallback = "false",
     .help = "ESP packets make sessions, one per pair of addresses"},
    {.name = "disableIp4Defrag",
     .type = ST_BOOL,
     .offset = AT(disable_fragments4),
     .fallback = "false",
     .help = "IPv4 fragments are not put together; only the first of each datagram is looked at"},
    {.name = "disableIp6Defrag",
     .type = ST_BOOL,
     .offset = AT(disable_fragments6),
     .fallback = "false",
     .help = "IPv6 fragments are not put together; only the first of each datagram is looked at"},
    {.name = "fragsTimeout",
     .type = ST_SECONDS,
     .offset = AT(frags_timeout),
     .fallback = "480",
     .min = 1,
     .max = 86400,
     .help = "An incomplete datagram is given up this long after its first fragment (packet time)"},
    {.name = "maxFrags",
     .type = ST_U32,
     .offset = AT(max_frags),
     .fallback = "10000",
     .min = 1,
     .max = 10000000,
     .help = "Incomplete datagrams held at once; beyond that the oldest is given up"},
    {.name = "fragsMemory",
     .type = ST_BYTES,
     .offset = AT(frags_memory),
     .fallback = "32M",
     .min = 256 << 10,
     .max = (uint64_t)64 << 30,
     .help = "Bytes of held fragments; beyond that the oldest datagram is given up"},
    {.name = "fragmentOverlap",
     .type = ST_CHOICE,
     .offset = AT(fragment_overlap),
     .fallback = "first",
     .choices = "first,last",
     .help = "Where fragments overlap, which copy of a byte counts: the one that came first or the one that came last"},
    {.name = "trimEthernetPadding",
     .type = ST_BOOL,
     .offset = AT(trim_ethernet_padding),
     .fallback = "false",
     .help = "Bytes behind the IP packet of an Ethernet frame are not counted"},
    {.name = "saveUnknownPackets",
     .type = ST_LIST,
     .offset = AT(save_unknown),
     .fallback = "",
     .help = "Packets of protocols unknown to the decoder that become sessions all the same: all, ip:all, ether:all, "
             "ip:<number or name>, ether:<number or name>, corrupt; with a leading - taken out again"},
    {.name = "disableParsers",
     .type = ST_LIST,
     .offset = AT(disable_parsers),
     .fallback = "arp.so",
     .help = "Protocols that make no sessions of their own, for example arp.so"},
};
#undef AT
const size_t decode_setting_count = ARRAY_LEN(decode_setting_table);

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

int decode_settings_check(const struct decode_settings *settings, struct err *ret_err) {
    struct unknown_rules rules;
    return unknown_rules_parse(settings, &rules, ret_err);
}

static void frame_count(struct decode_state *s, enum decoded how) {
    static const uint8_t counters[] = {
        [DECODED_UNKNOWN_LINK] = DECODE_UNKNOWN_LINK, [DECODED_UNKNOWN_ETHER] = DECODE_UNKNOWN_ETHER,
        [DECODED_UNKNOWN_IP] = DECODE_UNKNOWN_IP,     [DECODED_CORRUPT] = DECODE_CORRUPT_ETHER,
        [DECODED_TOO_DEEP] = DECODE_TOO_DEEP,
    };
    if (how == DECODED_FLOW || how == DECODED_HELD) {
        return;
    }
    unsigned counter = counters[how];
    if (how == DECODED_CORRUPT && s->p->ip_version) {
        counter = DECODE_CORRUPT_IP;
    }
    s->d->counts[counter]++;
}

static void frame_decode(struct decode_state *s) {
    struct packet *p = s->p;
    p->hash = 0;
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
    }
    if (how != DECODED_FLOW) {
        p->kind = FLOW_NONE;
    }
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
            b->packets[i].hash = (uint32_t)siphash13(&d->key, &b->keys[i], sizeof(b->keys[i]));
        }
    }
    d->counts[DECODE_PACKETS] += b->count;
    d->counts[DECODE_BYTES] += bytes;
}

const uint64_t *decoder_counts(const struct decoder *d) {
    return d->counts;
}
