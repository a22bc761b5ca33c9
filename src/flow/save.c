/* save.c: a session becomes a record: fixed part copied, last cells put, positions unpacked. */
#include <stdlib.h>
#include <string.h>

#include "base/util.h"
#include "flow/session.h"
#include "record/core_fields.h"

static const char *const kind_names[] = {
    [FLOW_NONE] = NULL,   [FLOW_TCP] = "tcp", [FLOW_UDP] = "udp",  [FLOW_ICMP] = "icmp",
    [FLOW_SCTP] = "sctp", [FLOW_ESP] = "esp", [FLOW_OTHER] = NULL,
};

static const char *const other_names[OTHER_KINDS] = {
    [OTHER_ARP] = "arp",
    [OTHER_DHCP] = "udp",
    [OTHER_DHCPV6] = "udp",
    [OTHER_IGMP] = "igmp",
    [OTHER_PIM] = "pim",
    [OTHER_OSPF] = "ospf",
    [OTHER_LLDP] = "lldp",
    [OTHER_ISIS] = "isis",
    [OTHER_ESIS] = "esis",
    [OTHER_XID] = "xid",
    [OTHER_UNKNOWN_IP] = "unknown-ip",
    [OTHER_UNKNOWN_ETHER] = "unknown-ether",
    [OTHER_CORRUPT_IP] = "corrupt-ip",
    [OTHER_CORRUPT_ETHER] = "corrupt-ether",
};

static enum flow_other other_of(const struct session *s) {
    return (enum flow_other)(s->key.tag >> 24 & 15);
}

static void put_core(struct flow *f, struct session *s, enum core_field field, const char *text) {
    (void)cells_put_const(&s->cells, &f->fields[field], text);
}

void session_tag(struct flow *f, struct session *s, const char *tag) {
    put_core(f, s, CORE_TAGS, tag);
}

static void put_lower_layers(struct flow *f, struct session *s) {
    const char *name = s->kind == FLOW_OTHER ? other_names[other_of(s)] : kind_names[s->kind];
    if (name) {
        put_core(f, s, CORE_PROTOCOL, name);
    }
    uint16_t tunnels = (uint16_t)(s->tunnels[0] | s->tunnels[1] << 8);
    for (unsigned t = 0; t < TUNNEL_KINDS; t++) {
        if ((tunnels & 1u << t) && tunnel_name((enum tunnel)t)) {
            put_core(f, s, CORE_PROTOCOL, tunnel_name((enum tunnel)t));
        }
    }
    if (s->has_mac) {
        (void)cells_put_mac(&s->cells, &f->fields[CORE_SRC_MAC], s->mac[SIDE_SRC]);
        (void)cells_put_mac(&s->cells, &f->fields[CORE_DST_MAC], s->mac[SIDE_DST]);
    }
    if (s->has_ttl_src) {
        (void)cells_put_u64(&s->cells, &f->fields[CORE_SRC_TTL], s->ttl[SIDE_SRC]);
    }
    if (s->has_ttl_dst) {
        (void)cells_put_u64(&s->cells, &f->fields[CORE_DST_TTL], s->ttl[SIDE_DST]);
    }
}

/* --- positions: difference (zigzag) and length of each packet; a file change is a length of 0 followed by the file ---
 */

static uint8_t *write_groups(uint8_t *to, uint64_t value) {
    for (; value >= 0x80; value >>= 7) {
        *to++ = (uint8_t)(value | 0x80);
    }
    *to++ = (uint8_t)value;
    return to;
}

static const uint8_t *read_groups(const uint8_t *at, uint64_t *ret_value) {
    uint64_t value = 0;
    unsigned shift = 0;
    for (; *at & 0x80; shift += 7) {
        value |= (uint64_t)(*at++ & 0x7f) << shift;
    }
    *ret_value = value | (uint64_t)*at << shift;
    return at + 1;
}

#define POSITIONS_FIRST (64 - sizeof(struct positions))

/* A session began in this capture; one of fragments may begin in an earlier one than the packet at hand. */
static void count_begun(struct flow *f, uint32_t file) {
    if (file > f->begun_room && f->begun_low != UINT32_MAX) {
        uint32_t room = MAX(file, f->begun_room * 2);
        uint32_t *more = reallocarray(f->begun, room, sizeof(*more));
        if (!more) {
            f->begun_low = UINT32_MAX;
            return;
        }
        memset(more + f->begun_room, 0, (room - f->begun_room) * sizeof(*more));
        f->begun = more;
        f->begun_room = room;
    }
    if (file && f->begun_low != UINT32_MAX) {
        f->begun[file - 1]++;
        f->begun_low = MIN(f->begun_low, file - 1);
    }
}

void positions_free(struct flow *f, struct session *s) {
    if (s->positions) {
        uint32_t file = s->positions->first_file;
        if (file && file <= f->begun_room) {
            f->begun[file - 1]--;
        }
        pool_give(f->pool, s->positions, s->positions->cap + sizeof(*s->positions));
        s->positions = NULL;
    }
}

uint32_t flow_lowest_file(struct flow *f) {
    if (f->begun_low == UINT32_MAX) {
        return 0;
    }
    while (f->begun_low < f->begun_room && f->begun[f->begun_low] == 0) {
        f->begun_low++;
    }
    return f->begun_low < f->begun_room ? f->begun_low + 1 : UINT32_MAX;
}

static bool positions_room(struct flow *f, struct session *s, const struct packet_origin *first, size_t need) {
    struct positions *p = s->positions;
    if (p && p->cap - p->used >= need) {
        return true;
    }
    size_t cap, old = p ? p->cap + sizeof(*p) : 0, want = p ? old + old / 2 + need : POSITIONS_FIRST + sizeof(*p);
    struct positions *bigger = pool_grow(f->pool, p, old, p ? sizeof(*p) + p->used : 0, want, &cap);
    if (!bigger) {
        return false;
    }
    if (!p) {
        *bigger = (struct positions){.first_position = first->position, .first_file = first->file};
        count_begun(f, first->file);
    }
    bigger->cap = (uint32_t)(cap - sizeof(*p));
    s->positions = bigger;
    return true;
}

void positions_add(struct flow *f, struct session *s, const struct packet_origin *where) {
    uint8_t bytes[32], *to = bytes;
    const struct positions *before = s->positions;
    uint64_t last = before ? before->last_position : 0;
    if (where->file != (before ? before->last_file : 0)) {
        to = write_groups(to, 0);
        to = write_groups(to, where->file);
        last = 0;
    }
    int64_t step = (int64_t)(where->position - last);
    to = write_groups(to, (uint64_t)where->captured + 1);
    to = write_groups(to, (uint64_t)step << 1 ^ (uint64_t)(step >> 63));
    if (!positions_room(f, s, where, (size_t)(to - bytes))) {
        f->counts[FLOW_NO_MEMORY]++;
        return;
    }
    struct positions *list = s->positions;
    memcpy(list->bytes + list->used, bytes, (size_t)(to - bytes));
    list->used += (uint32_t)(to - bytes);
    list->last_position = where->position;
    list->last_file = where->file;
}

static size_t positions_unpack(struct flow *f, const struct positions *list) {
    size_t count = list->used / 2; /* no position takes less */
    if (count > f->position_room) {
        struct packet_position *bigger = reallocarray(f->positions, count, sizeof(*bigger));
        if (!bigger) {
            f->counts[FLOW_NO_MEMORY]++;
            return 0;
        }
        f->positions = bigger;
        f->position_room = count;
    }
    const uint8_t *at = list->bytes, *end = at + list->used;
    uint64_t position = 0, file = 0, captured, step;
    size_t n = 0;
    while (at < end && n < count) {
        at = read_groups(at, &captured);
        at = read_groups(at, &step);
        if (captured == 0) {
            file = step;
            position = 0;
            continue;
        }
        position += step >> 1 ^ (0 - (step & 1));
        f->positions[n++] = (struct packet_position){(uint32_t)file, (uint32_t)captured - 1, position};
    }
    return n;
}

/* --- ids --- */

/* 22 characters that depend on what the session is (flow, first time and place), so that a second reading gives the
 * same id. */
static void make_id(const struct session *s, char ret_id[24]) {
    struct {
        struct flow_key key;
        int64_t first_time;
        uint64_t first_position;
        uint64_t protocol;
    } facts = {s->key, s->first_time, s->positions ? s->positions->first_position : 0, s->ip_protocol};
    uint64_t digest[2] = {hash_bytes(&facts, sizeof(facts), 1), hash_bytes(&facts, sizeof(facts), 2)};
    static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    for (unsigned i = 0; i < 22; i++) {
        unsigned bit = i * 6, shift = bit % 64;
        uint64_t six = digest[bit / 64] >> shift;
        if (shift > 58 && bit / 64 == 0) {
            six |= digest[1] << (64 - shift);
        }
        ret_id[i] = letters[six & 63];
    }
    ret_id[22] = 0;
}

void session_endpoints(const struct session *s, uint8_t ret_ip[2][16], uint16_t ret_port[2]) {
    if (s->kind == FLOW_OTHER) {
        if (s->other) {
            memcpy(ret_ip, s->other->ip, sizeof(s->other->ip));
            memcpy(ret_port, s->other->port, sizeof(s->other->port));
        } else {
            memset(ret_ip, 0, 32);
            memset(ret_port, 0, 4);
        }
        return;
    }
    unsigned low = s->src_is_low ? SIDE_SRC : SIDE_DST;
    memcpy(ret_ip[low], s->key.low, 16);
    memcpy(ret_ip[!low], s->key.high, 16);
    ret_port[low] = s->key.low_port;
    ret_port[!low] = s->key.high_port;
}

static void copy_tcp(struct record *r, const struct session *s) {
    const struct tcp_state *t = s->tcp;
    r->is_tcp = s->kind == FLOW_TCP;
    if (!r->is_tcp || !t) {
        return;
    }
    for (unsigned i = 0; i < TCPF_COUNTS; i++) {
        r->tcp_flags[i] = t->flags[i];
    }
    r->has_syn = t->has_syn && t->flags[TCPF_SYN];
    r->has_syn_ack = t->has_syn_ack && t->flags[TCPF_SYN_ACK];
    r->syn_ack_first = t->syn_ack_first;
    r->has_rtt = t->has_rtt && r->has_syn;
    r->initial_rtt_ms = t->rtt_ms;
    r->syn_validated = t->syn_validated;
    r->syn_ack_validated = t->syn_ack_validated;
    r->src_isn_count = r->has_syn ? t->src_isn_count : 0;
    for (unsigned side = 0; side < 2; side++) {
        r->isn[side] = t->side[side].isn;
        r->missing_bytes[side] = t->side[side].missing;
    }
}

static void copy_fixed(struct record *r, const struct session *s) {
    r->segment = s->segment + 1;
    r->first_time = s->first_time;
    r->last_time = s->last_time;
    r->ip_version = s->ip_version;
    r->ip_protocol = s->ip_protocol;
    r->ethertype = s->ethertype;
    r->has_ip = s->ip_version != 0;
    r->has_port = s->ip_version != 0;
    session_endpoints(s, r->ip, r->port);
    for (unsigned side = 0; side < 2; side++) {
        r->bytes[side] = s->bytes[side];
        r->data_bytes[side] = s->data_bytes[side];
        r->packets[side] = s->packets[side];
        r->payload8_len[side] = s->payload8_len[side];
        memcpy(r->payload8[side], s->payload8[side], 8);
    }
    r->icmp_type = s->icmp[0];
    r->icmp_code = s->icmp[1];
    r->kind = s->kind;
    copy_tcp(r, s);
    make_id(s, r->id);
}

/* The next piece counts from zero; what the connection is stays. */
static void start_next_piece(struct flow *f, struct session *s) {
    s->segment++;
    memset(s->bytes, 0, sizeof(s->bytes));
    memset(s->data_bytes, 0, sizeof(s->data_bytes));
    memset(s->packets, 0, sizeof(s->packets));
    s->has_ttl_src = s->has_ttl_dst = false;
    if (s->kind == FLOW_TCP && s->tcp) {
        memset(s->tcp->flags, 0, sizeof(s->tcp->flags));
        s->tcp->side[0].missing = s->tcp->side[1].missing = 0;
        s->tcp->has_rtt = true; /* measured once */
    }
    if (s->positions) {
        s->positions->used = 0;
        s->positions->last_file = 0;
        s->positions->last_position = 0;
    }
    cells_keep_linked(&s->cells, f->registry);
    s->cells.full = 0;
    s->save_time = s->last_time + (int64_t)f->settings->tcp_save_timeout * 1000000000;
    f->counts[FLOW_PIECES]++;
}

/* What the end of a session usually adds, and the enrichment of its record: one growth, into a block that the session
 * saved before has just given back. */
#define LAST_CELLS 1024

void session_save(struct flow *f, struct session *s, bool final) {
    cells_reserve(&s->cells, LAST_CELLS);
    f->hooks.saving(f->hooks.ctx, s, final);
    put_lower_layers(f, s);
    struct record r;
    size_t size = sizeof(r);
    __asm__("" : "+r"(size)); /* an unknown size: the library clears faster than what gcc puts in its place */
    memset(&r, 0, size);
    r.registry = f->registry;
    copy_fixed(&r, s);
    r.linked = !final || s->segment > 0;
    r.last_piece = final;
    r.want_lengths = f->settings->enable_packet_len;
    if (s->positions) {
        r.position_count = (uint32_t)positions_unpack(f, s->positions);
        r.positions = f->positions;
        r.first_file = s->positions->first_file;
    }
    r.cells = s->cells;
    f->hooks.record(f->hooks.ctx, &r);
    s->cells = r.cells;
    f->counts[FLOW_RECORDS]++;
    if (!final) {
        start_next_piece(f, s);
    }
}
