/* flow.c: the session table: look-up, creation, timeouts, eviction.
 *
 * Chained hash table of pointers, doubled when full; buckets, sessions and their parts are prefetched some packets
 * ahead. Sessions of one timeout class stand in a list ordered by their last packet, so expiry looks at list heads
 * only. A session also ends when its own next packet comes after its timeout, whether or not a sweep came by: so
 * results do not depend on batches or workers.
 */
#include "flow/flow.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "base/util.h"
#include "flow/session.h"
#include "record/core_fields.h"

#define NS_PER_S 1000000000ll
#define FIRST_BUCKETS (1u << 12)
#define MOST_BUCKETS (1u << 25)
/* Sessions with the same addresses in different VLANs or VNIs; saved early, nothing of them is lost. */
#define NETWORKS_MAX 1024
#define LOOK_AHEAD 6
/* Addresses, TTL, VLANs are looked at in so many packets of each side. */
#define LOWER_LAYER_PACKETS 10

const char *const flow_count_names[FLOW_COUNTS] = {
    "packets", "sessions",   "records",           "open",         "openPeak", "evicted",
    "pieces",  "outOfOrder", "reassemblyDropped", "missingBytes", "noMemory",
};

#define SECONDS(member, name_, fallback_, help_)                                                                      \
    {                                                                                                                 \
        .name = name_, .type = ST_SECONDS, .offset = SETTING(flow_settings, member), .fallback = fallback_, .min = 1, \
        .max = 604800, .help = help_                                                                                  \
    }

const struct setting flow_setting_table[] = {
    SECONDS(tcp_timeout, "tcpTimeout", "480", "Idle time after which a TCP session is saved"),
    SECONDS(udp_timeout, "udpTimeout", "60", "Idle time after which a UDP session is saved"),
    SECONDS(icmp_timeout, "icmpTimeout", "10", "Idle time after which an ICMP session is saved"),
    SECONDS(sctp_timeout, "sctpTimeout", "60", "Idle time after which an SCTP session is saved"),
    SECONDS(esp_timeout, "espTimeout", "600", "Idle time after which an ESP session is saved"),
    SECONDS(dhcp_timeout, "dhcpTimeout", "60", "Idle time after which a DHCP session is saved"),
    SECONDS(other_timeout, "otherTimeout", "600",
            "Idle time after which sessions of other protocols (ARP, OSPF, LLDP, ...) are saved"),
    SECONDS(unknown_timeout, "unknownTimeout", "60", "Idle time after which unknown or corrupt traffic is saved"),
    SECONDS(tcp_save_timeout, "tcpSaveTimeout", "480",
            "A TCP session that stays open is saved in pieces of this length"),
    SECONDS(tcp_closing_timeout, "tcpClosingTimeout", "5", "Time a closed TCP session waits for late packets"),
    {.name = "maxPackets",
     .type = ST_U32,
     .offset = SETTING(flow_settings, max_packets),
     .fallback = "10000",
     .min = 1,
     .max = 65535,
     .help = "Packets in one piece of a session; then it is saved and goes on as the next piece"},
    {.name = "maxStreams",
     .type = ST_U64,
     .offset = SETTING(flow_settings, max_streams),
     .fallback = "1500000",
     .min = 16,
     .max = 100000000,
     .help = "Open sessions of a worker; beyond it the longest idle one is saved early"},
    {.name = "maxTcpOutOfOrderPackets",
     .type = ST_U32,
     .offset = SETTING(flow_settings, max_out_of_order),
     .fallback = "256",
     .min = 1,
     .max = 65535,
     .help = "TCP segments a session holds while earlier bytes are missing; then the hole is given up"},
    {.name = "tcpReassemblyMemory",
     .type = ST_BYTES,
     .offset = SETTING(flow_settings, reassembly_memory),
     .fallback = "256M",
     .min = 1 << 16,
     .max = 1ull << 40,
     .help = "Bytes of held TCP segments of a worker; beyond it segments are dropped and counted"},
    {.name = "memory",
     .type = ST_BYTES,
     .offset = SETTING(flow_settings, memory),
     .fallback = "0",
     .help =
         "Memory for open sessions, all workers together; beyond it those idle longest are saved early. 0: half of the "
         "machine's memory"},
    {.name = "enablePacketLen",
     .type = ST_BOOL,
     .offset = SETTING(flow_settings, enable_packet_len),
     .fallback = "false",
     .help = "Write packetLen, the length of each packet, into sessions"},
    {.name = "espSavePackets",
     .type = ST_BOOL,
     .offset = SETTING(flow_settings, esp_save_packets),
     .fallback = "false",
     .help = "Keep the positions of all packets of ESP sessions, not only of the first"},
};
const size_t flow_setting_count = ARRAY_LEN(flow_setting_table);

struct flow *flow_new(const struct flow_settings *settings, const struct flow_hooks *hooks, struct pool *pool,
                      const struct registry *registry) {
    struct flow *f = calloc(1, sizeof(*f));
    if (!f) {
        return NULL;
    }
    f->buckets = calloc(FIRST_BUCKETS, sizeof(*f->buckets));
    if (!f->buckets) {
        free(f);
        return NULL;
    }
    f->mask = FIRST_BUCKETS - 1;
    f->settings = settings;
    f->hooks = *hooks;
    f->pool = pool;
    f->registry = registry;
    f->fields = registry_fields(registry);
    const uint32_t seconds[TIMEOUT_CLASSES] = {
        [TIMEOUT_TCP] = settings->tcp_timeout,         [TIMEOUT_TCP_CLOSING] = settings->tcp_closing_timeout,
        [TIMEOUT_UDP] = settings->udp_timeout,         [TIMEOUT_ICMP] = settings->icmp_timeout,
        [TIMEOUT_SCTP] = settings->sctp_timeout,       [TIMEOUT_ESP] = settings->esp_timeout,
        [TIMEOUT_DHCP] = settings->dhcp_timeout,       [TIMEOUT_OTHER] = settings->other_timeout,
        [TIMEOUT_UNKNOWN] = settings->unknown_timeout,
    };
    for (unsigned c = 0; c < TIMEOUT_CLASSES; c++) {
        f->timeout[c] = seconds[c] * NS_PER_S;
    }
    return f;
}

/* --- lists and table --- */

static void list_remove(struct flow *f, struct session *s, unsigned class) {
    *(s->older ? &s->older->newer : &f->oldest[class]) = s->newer;
    *(s->newer ? &s->newer->older : &f->newest[class]) = s->older;
}

static void list_append(struct flow *f, struct session *s, unsigned class) {
    s->newer = NULL;
    s->older = f->newest[class];
    *(s->older ? &s->older->newer : &f->oldest[class]) = s;
    f->newest[class] = s;
}

static void table_grow(struct flow *f) {
    uint32_t size = (f->mask + 1) * 2;
    struct session **buckets = size <= MOST_BUCKETS ? calloc(size, sizeof(*buckets)) : NULL;
    if (!buckets) {
        return; /* longer chains, nothing lost */
    }
    for (uint32_t i = 0; i <= f->mask; i++) {
        for (struct session *s = f->buckets[i], *next; s; s = next) {
            next = s->chain;
            s->chain = buckets[s->hash & (size - 1)];
            buckets[s->hash & (size - 1)] = s;
        }
    }
    free(f->buckets);
    f->buckets = buckets;
    f->mask = size - 1;
}

/* Same flow, but for VLAN or VNI. */
static bool same_addresses(const struct flow_key *a, const struct flow_key *b) {
    uint64_t x[4], y[4]; /* by words: no call */
    memcpy(x, a, sizeof(x));
    memcpy(y, b, sizeof(y));
    uint64_t differ = (x[0] ^ y[0]) | (x[1] ^ y[1]) | (x[2] ^ y[2]) | (x[3] ^ y[3]);
    return (differ | (a->low_port ^ b->low_port) | (a->high_port ^ b->high_port) |
            ((a->tag ^ b->tag) & ~FLOW_NETWORK_MASK)) == 0;
}

/* Each side of a flow is in one VLAN (or VNI). The sides may differ when one of them is untagged: mirror ports often
 * tag one direction only. */
static bool same_network(const struct session *s, const struct packet *p, uint32_t network) {
    unsigned side = session_side(s, p);
    if (s->packets[side]) {
        return s->network[side] == network;
    }
    return s->network[!side] == network || network == 0 || s->network[!side] == 0;
}

static struct session *table_find(const struct flow *f, const struct packet *p, const struct flow_key *key) {
    uint32_t network = key->tag & FLOW_NETWORK_MASK;
    struct session *s = f->buckets[p->hash & f->mask];
    while (s && (s->hash != p->hash || !same_addresses(&s->key, key) || !same_network(s, p, network))) {
        s = s->chain;
    }
    return s;
}

static void session_free(struct flow *f, struct session *s) {
    struct session **at = &f->buckets[s->hash & f->mask];
    while (*at != s) {
        at = &(*at)->chain;
    }
    *at = s->chain;
    list_remove(f, s, s->timeout);
    if (s->kind == FLOW_TCP) {
        tcp_free(f, s);
    } else if (s->kind == FLOW_OTHER) {
        pool_give(f->pool, s->other, sizeof(*s->other));
    }
    positions_free(f, s);
    cells_done(&s->cells);
    pool_give(f->pool, s, sizeof(*s));
    f->open--;
    f->counts[FLOW_OPEN] = f->open;
}

static void session_end(struct flow *f, struct session *s) {
    if (s->kind == FLOW_TCP) {
        tcp_finish(f, s);
    }
    session_save(f, s, true);
    session_free(f, s);
}

/* Saves the session that has been idle longest. False when there is none. */
static bool evict(struct flow *f) {
    struct session *worst = NULL;
    for (unsigned c = 0; c < TIMEOUT_CLASSES; c++) {
        struct session *s = f->oldest[c];
        if (s && (!worst || s->touched < worst->touched)) {
            worst = s;
        }
    }
    if (worst) {
        f->counts[FLOW_EVICTED]++;
        session_end(f, worst);
    }
    return worst;
}

struct flow *flow_free(struct flow *f) {
    if (f) {
        for (unsigned c = 0; c < TIMEOUT_CLASSES; c++) {
            while (f->oldest[c]) {
                session_free(f, f->oldest[c]);
            }
        }
        free(f->buckets);
        free(f->positions);
        free(f->begun);
        free(f);
    }
    return NULL;
}

/* --- a packet --- */

static enum timeout_class class_of(const struct packet *p, const struct flow_key *key) {
    switch ((enum flow_kind)p->kind) {
    case FLOW_TCP:
        return TIMEOUT_TCP;
    case FLOW_UDP:
        return TIMEOUT_UDP;
    case FLOW_ICMP:
        return TIMEOUT_ICMP;
    case FLOW_SCTP:
        return TIMEOUT_SCTP;
    case FLOW_ESP:
        return TIMEOUT_ESP;
    default:
        break;
    }
    enum flow_other other = (enum flow_other)(key->tag >> 24 & 15);
    return other == OTHER_DHCP || other == OTHER_DHCPV6 ? TIMEOUT_DHCP
           : other >= OTHER_UNKNOWN_IP                  ? TIMEOUT_UNKNOWN
                                                        : TIMEOUT_OTHER;
}

/* Addresses and ports as they stand in the packet. */
static void packet_endpoints(const struct packet *p, uint8_t ip[2][16], uint16_t port[2]) {
    memset(ip, 0, 32);
    port[0] = port[1] = 0;
    const uint8_t *h = p->data + p->ip_at;
    if (p->ip_version == 4) {
        for (unsigned side = 0; side < 2; side++) {
            ip[side][10] = ip[side][11] = 0xff;
            memcpy(ip[side] + 12, h + 12 + 4 * side, 4);
        }
    } else if (p->ip_version == 6) {
        memcpy(ip[0], h + 8, 16);
        memcpy(ip[1], h + 24, 16);
    }
    if (p->ip_version && p->ip_protocol == 17 && p->payload_at == p->transport_at + 8u &&
        p->transport_at + 4u <= p->captured && p->transport_at > p->ip_at) {
        port[0] = read_be16(p->data + p->transport_at);
        port[1] = read_be16(p->data + p->transport_at + 2);
    }
}

static bool is_dhcp(const struct session *s) {
    return s->timeout == TIMEOUT_DHCP;
}

unsigned session_side(const struct session *s, const struct packet *p) {
    if (s->kind != FLOW_OTHER) {
        return !(p->flags & PACKET_FROM_LOW) == s->src_is_low;
    }
    if (!is_dhcp(s) || !s->other) {
        return SIDE_SRC; /* protocols in which there are no two sides: everybody's packets are one session */
    }
    uint8_t ip[2][16];
    uint16_t port[2];
    packet_endpoints(p, ip, port);
    return port[0] == s->other->port[0] ? SIDE_SRC : SIDE_DST;
}

/* Near the ceiling: what is open needs the rest for its values. */
static bool memory_is_short(const struct pool *p) {
    return p->ceiling && p->in_use > p->ceiling - p->ceiling / 8;
}

/* The hash leaves VLAN and VNI out: sessions that differ in nothing else share a bucket, and numbers are free to
 * whoever sends the packets. Of too many the one idle longest is saved early. */
static void thin_networks(struct flow *f, const struct packet *p, const struct flow_key *key) {
    struct session *worst = NULL;
    unsigned count = 0;
    for (struct session *s = f->buckets[p->hash & f->mask]; s; s = s->chain) {
        if (s->hash == p->hash && same_addresses(&s->key, key)) {
            bool longer =
                !worst || s->touched < worst->touched || (s->touched == worst->touched && s->key.tag < worst->key.tag);
            worst = longer ? s : worst;
            count++;
        }
    }
    if (count >= NETWORKS_MAX) {
        f->counts[FLOW_EVICTED]++;
        session_end(f, worst);
    }
}

static struct session *session_new(struct flow *f, const struct packet *p, const struct flow_key *key) {
    if (key->tag & FLOW_NETWORK_MASK) {
        thin_networks(f, p, key);
    }
    while ((f->open >= f->settings->max_streams || memory_is_short(f->pool)) && evict(f)) {
    }
    struct session *s;
    while (!(s = pool_take(f->pool, sizeof(*s), NULL))) {
        if (!evict(f)) {
            f->counts[FLOW_NO_MEMORY]++;
            return NULL;
        }
    }
    memset(s, 0, sizeof(*s));
    s->key = *key;
    s->hash = p->hash;
    s->kind = p->kind;
    s->timeout = (uint8_t)class_of(p, key);
    s->first_time = s->last_time = p->time;
    s->save_time = p->time + f->settings->tcp_save_timeout * NS_PER_S;
    s->ethertype = p->ethertype;
    s->ip_protocol = p->ip_protocol;
    s->ip_version = p->ip_version;
    s->src_is_low = !!(p->flags & PACKET_FROM_LOW);
    cells_init(&s->cells, f->pool);
    if (s->kind == FLOW_TCP && tcp_is_syn_ack(p)) {
        s->src_is_low = !s->src_is_low; /* the SYN was not seen; its answer names the client */
    } else if (s->kind == FLOW_ICMP && p->payload_len >= 2) {
        memcpy(s->icmp, p->data + p->transport_at, 2);
    } else if (s->kind == FLOW_OTHER) {
        s->other = pool_take(f->pool, sizeof(*s->other), NULL);
        if (s->other) {
            packet_endpoints(p, s->other->ip, s->other->port);
            if (p->flags & PACKET_HAS_MAC) {
                memcpy(s->other->mac, p->data + p->mac_at + 6, 6);
            }
        }
    }
    if (f->open > f->mask / 2) { /* chains are short: what is not first in one is not fetched ahead */
        table_grow(f);
    }
    s->chain = f->buckets[s->hash & f->mask];
    f->buckets[s->hash & f->mask] = s;
    list_append(f, s, s->timeout);
    f->open++;
    f->counts[FLOW_SESSIONS]++;
    f->counts[FLOW_OPEN] = f->open;
    f->counts[FLOW_OPEN_PEAK] = MAX(f->counts[FLOW_OPEN_PEAK], f->open);
    return s;
}

static void put_u64(struct flow *f, struct session *s, enum core_field field, uint64_t value) {
    (void)cells_put_u64(&s->cells, &f->fields[field], value);
}

static void note_mac(struct flow *f, struct session *s, const struct packet *p, unsigned side) {
    const uint8_t *dst = p->data + p->mac_at, *src = dst + 6;
    const uint8_t *of_side[2] = {side == SIDE_SRC ? src : dst, side == SIDE_SRC ? dst : src};
    if (!s->has_mac) {
        s->has_mac = true;
        memcpy(s->mac[0], of_side[0], 6);
        memcpy(s->mac[1], of_side[1], 6);
        return;
    }
    for (unsigned i = 0; i < 2; i++) {
        if (memcmp(s->mac[i], of_side[i], 6) != 0) {
            (void)cells_put_mac(&s->cells, &f->fields[CORE_SRC_MAC + i], of_side[i]);
        }
    }
}

static void note_layers(struct flow *f, struct session *s, const struct layers *l) {
    for (unsigned i = 0; i < l->vlan_count; i++) {
        put_u64(f, s, CORE_VLAN, l->vlan_id[i]);
        put_u64(f, s, l->vlan_type[i] == 0x8100 ? CORE_DOT1Q : CORE_DOT1AD, l->vlan_id[i]);
    }
    for (unsigned i = 0; i < l->tunnel_count; i++) {
        s->tunnels[l->tunnels[i] / 8] |= (uint8_t)(1u << l->tunnels[i] % 8);
    }
    if (l->has_vni) {
        put_u64(f, s, CORE_VNI, l->vni);
    }
    if (l->has_outer_ip) {
        (void)cells_put_ip(&s->cells, &f->fields[CORE_SRC_OUTER_IP], l->outer_src);
        (void)cells_put_ip(&s->cells, &f->fields[CORE_DST_OUTER_IP], l->outer_dst);
    }
    if (l->has_outer_mac) {
        (void)cells_put_mac(&s->cells, &f->fields[CORE_SRC_OUTER_MAC], l->outer_src_mac);
        (void)cells_put_mac(&s->cells, &f->fields[CORE_DST_OUTER_MAC], l->outer_dst_mac);
    }
}

static void note_lower_layers(struct flow *f, struct session *s, const struct packet *p, unsigned side) {
    if (p->flags & PACKET_HAS_MAC) {
        note_mac(f, s, p, side);
    }
    if (p->ip_version) {
        bool seen = side ? s->has_ttl_dst : s->has_ttl_src;
        if (!seen) {
            s->ttl[side] = p->ttl;
            s->has_ttl_src |= !side;
            s->has_ttl_dst |= side;
        } else if (s->ttl[side] != p->ttl) {
            put_u64(f, s, CORE_SRC_TTL + side, p->ttl);
        }
        if (p->dscp) {
            put_u64(f, s, CORE_SRC_DSCP + side, p->dscp);
        }
    }
    if (p->layers) {
        note_layers(f, s, p->layers);
    }
}

static void on_datagram(struct flow *f, struct session *s, const struct packet *p, unsigned side) {
    struct span bytes = span_make(p->data + p->payload_at, p->payload_len);
    if (s->kind != FLOW_OTHER || is_dhcp(s)) {
        s->data_bytes[side] += bytes.len;
    }
    if (s->payload8_len[side] == 0 && bytes.len && s->kind == FLOW_UDP) {
        s->payload8_len[side] = (uint8_t)MIN(bytes.len, (size_t)8);
        memcpy(s->payload8[side], bytes.at, s->payload8_len[side]);
    }
    if (!s->quiet) {
        f->hooks.datagram(f->hooks.ctx, s, side, bytes, p);
    }
}

static void keep_position(struct flow *f, struct session *s, const struct packet *p) {
    if (s->kind == FLOW_ESP && !f->settings->esp_save_packets && s->packets[0] + s->packets[1] > 1) {
        session_tag(f, s, "truncated-pcap");
        return;
    }
    for (unsigned i = 0; i < p->origin_count; i++) {
        positions_add(f, s, &p->origins[i]);
    }
    positions_add(f, s, &(struct packet_origin){p->position, p->captured, p->file});
}

#define FAR_AHEAD (86400 * NS_PER_S)
#define FAR_BEHIND (3600 * NS_PER_S)

/* Time passes when packets show it, whosever they are: by how much the newest time moves on. A packet more than a day
 * ahead counts only when the next one is there as well, so that one wild time ends nothing; an hour behind, another
 * capture has begun, and time goes on from there. As `elapsed` never goes back, lists ordered by it are complete, and
 * it does not matter when a sweep looks at them. */
static void time_pass(struct flow *f, int64_t time) {
    int64_t ahead = time - f->latest;
    bool first = f->latest == 0, confirmed = f->jump && time - f->jump > -FAR_BEHIND && time - f->jump < FAR_AHEAD;
    if (first || ahead < -FAR_BEHIND) {
        f->latest = time;
    } else if (ahead > FAR_AHEAD && !confirmed) {
        f->jump = time;
        return;
    } else if (ahead > 0) {
        f->elapsed += ahead;
        f->latest = time;
    }
    f->jump = 0;
}

/* `elapsed`: before this packet. The gap it ends itself does not count: nothing shows that time passed in between. Nor
 * does time that other packets showed, when by its own time it follows closely: captures may be laid one behind the
 * other. */
static bool is_over(const struct flow *f, const struct session *s, const struct packet *p, int64_t elapsed) {
    int64_t timeout = f->timeout[s->timeout];
    return (elapsed - s->touched > timeout && p->time - s->last_time > timeout) ||
           (s->kind == FLOW_TCP && tcp_starts_over(s, p));
}

static void on_packet(struct flow *f, const struct packet *p, const struct flow_key *key, const int64_t elapsed[2]) {
    struct session *s = table_find(f, p, key);
    if (s && is_over(f, s, p, elapsed[0])) {
        session_end(f, s);
        s = NULL;
    }
    if (!s && !(s = session_new(f, p, key))) {
        return;
    }
    unsigned side = session_side(s, p), class = s->timeout;
    f->counts[FLOW_PACKETS]++;
    s->network[side] = key->tag & FLOW_NETWORK_MASK;
    s->packets[side]++;
    s->bytes[side] += p->captured;
    s->last_time = p->time;
    s->touched = elapsed[1];
    if (s->packets[side] <= LOWER_LAYER_PACKETS) {
        note_lower_layers(f, s, p, side);
    }
    keep_position(f, s, p);
    if (s->kind == FLOW_TCP) {
        (void)tcp_packet(f, s, p, side);
    } else {
        on_datagram(f, s, p, side);
    }
    if (f->newest[class] != s || s->timeout != class) {
        list_remove(f, s, class);
        list_append(f, s, s->timeout);
    }
    bool long_open = s->kind == FLOW_TCP && p->time >= s->save_time;
    if (long_open || s->cells.full || s->packets[0] + s->packets[1] >= f->settings->max_packets) {
        session_save(f, s, false);
    }
}

static void prefetch_block(const void *block, size_t lines) {
    for (size_t i = 0; i < lines; i++) {
        __builtin_prefetch((const char *)block + 64 * i);
    }
}

/* What an open session writes to for every packet. */
static void prefetch_parts(const struct session *s, const struct packet *p) {
    if (s) {
        prefetch_block(s->kind == FLOW_TCP ? s->tcp : NULL, 2);
        prefetch_block(s->positions, 1);
        prefetch_block(s->dissect, 1);
        const struct cells *c = &s->cells;
        if (p->payload_len && !s->quiet && c->base) { /* where the next value goes, and the heads */
            prefetch_block(c->base + c->used, 1);
            prefetch_block(c->base + c->cap - c->heads * sizeof(struct cell_head), 3);
        }
    }
}

static struct session *const *bucket_ahead(const struct flow *f, const struct batch *b, uint8_t at) {
    return &f->buckets[b->packets[at].hash & f->mask];
}

/* The first cells, and the heads at the block's end. */
static void prefetch_cells(const struct cells *c) {
    if (c->base) {
        size_t lines = MIN(c->used / 64u + 1, 12u), heads = c->heads * sizeof(struct cell_head) / 64 + 1;
        prefetch_block(c->base, lines);
        prefetch_block(c->base + c->cap - MIN(heads * 64, (size_t)c->cap), MIN(heads, (size_t)8));
    }
}

/* Sessions that end have not been touched for their timeout: what the next ones are made of is fetched meanwhile. */
static void prefetch_successors(const struct flow *f, const struct session *s) {
    const struct session *next = s->newer;
    if (next) {
        prefetch_cells(&next->cells);
        prefetch_block(next->positions, 1);
        prefetch_block(next->dissect, 2);
        prefetch_block(next->kind == FLOW_TCP ? (const void *)next->tcp : NULL, 2);
        prefetch_block(&f->buckets[next->hash & f->mask], 1);
        prefetch_block(next->newer, next->newer ? 4 : 0);
    }
}

static void end_oldest(struct flow *f, struct session *s) {
    prefetch_successors(f, s);
    session_end(f, s);
}

/* Saves what has timed out. Which packets a sweep falls between is counted over all packets: batches begin and end
 * elsewhere when the same capture is read in another way. */
#define SWEEP_EVERY 256u
_Static_assert(SWEEP_EVERY >= BATCH_MAX, "one sweep a batch at most");

static void sweep(struct flow *f, int64_t elapsed) {
    for (unsigned c = 0; c < TIMEOUT_CLASSES; c++) {
        while (f->oldest[c] && elapsed - f->oldest[c]->touched > f->timeout[c]) {
            end_oldest(f, f->oldest[c]);
        }
    }
}

void flow_batch(struct flow *f, const struct batch *b, uint32_t mine, uint32_t workers) {
    uint8_t order[BATCH_MAX];
    int64_t elapsed[BATCH_MAX + 1]; /* before each packet, and behind the last */
    uint32_t count = 0, sweep_at = SWEEP_EVERY - (uint32_t)(f->seen % SWEEP_EVERY);
    for (uint32_t i = 0; i < b->count; i++) {
        elapsed[i] = f->elapsed;
        time_pass(f, b->packets[i].time);
        const struct packet *p = &b->packets[i];
        /* The table uses the hash's low bits; workers are chosen by the high ones. */
        if (p->kind != FLOW_NONE && (workers == 1 || (uint64_t)p->hash * workers >> 32 == mine)) {
            order[count++] = (uint8_t)i;
        }
    }
    elapsed[b->count] = f->elapsed;
    f->seen += b->count;
    /* The first rounds only fetch: the batch's first packets would find nothing ahead of them otherwise. */
    for (uint32_t round = 0; round < count + 3 * LOOK_AHEAD; round++) {
        if (round < count) {
            __builtin_prefetch(bucket_ahead(f, b, order[round]));
        }
        if (round - LOOK_AHEAD < count) { /* wraps below 0 */
            const struct session *s = *bucket_ahead(f, b, order[round - LOOK_AHEAD]);
            prefetch_block(s, s ? 4 : 0);
        }
        if (round - 2 * LOOK_AHEAD < count) {
            uint8_t at = order[round - 2 * LOOK_AHEAD];
            prefetch_parts(*bucket_ahead(f, b, at), &b->packets[at]);
        }
        uint32_t i = round - 3 * LOOK_AHEAD;
        if (i >= count) {
            continue;
        }
        uint32_t at = order[i];
        if (at >= sweep_at) {
            sweep(f, elapsed[sweep_at]);
            sweep_at = UINT32_MAX;
        }
        on_packet(f, &b->packets[at], &b->keys[at], elapsed + at);
    }
    if (b->count >= sweep_at) {
        sweep(f, elapsed[sweep_at]);
    }
}

void flow_finish(struct flow *f) {
    for (unsigned c = 0; c < TIMEOUT_CLASSES; c++) {
        while (f->oldest[c]) {
            end_oldest(f, f->oldest[c]);
        }
    }
}

const uint64_t *flow_counts(const struct flow *f) {
    return f->counts;
}
