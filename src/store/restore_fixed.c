/* restore_fixed.c: see restore_fixed.h. */
#include "store/restore_fixed.h"

#include <stddef.h>

#include "base/util.h"
#include "store/row.h"

#define PATH(text) \
    { (const uint8_t *)(text), sizeof(text) - 1 }
#define NUMBER(text, member) \
    { PATH(text), FIXED_NUMBER, (uint32_t)offsetof(struct record, member), sizeof(((struct record *)NULL)->member) }
/* Numbers that nobody but their own field reads. */
#define ALONE(text, member)                                                                                           \
    {                                                                                                                 \
        PATH(text), FIXED_NUMBER, (uint32_t)offsetof(struct record, member), sizeof(((struct record *)NULL)->member), \
            true                                                                                                      \
    }
#define OTHER(text, how, member) \
    { PATH(text), how, (uint32_t)offsetof(struct record, member), 0 }

static const struct fixed_column columns[] = {
    OTHER("firstPacket", FIXED_TIME, first_time),
    OTHER("lastPacket", FIXED_TIME, last_time),
    OTHER("source.ip", FIXED_IP, ip[SIDE_SRC]),
    OTHER("destination.ip", FIXED_IP, ip[SIDE_DST]),
    NUMBER("source.port", port[SIDE_SRC]),
    NUMBER("destination.port", port[SIDE_DST]),
    NUMBER("source.bytes", bytes[SIDE_SRC]),
    NUMBER("destination.bytes", bytes[SIDE_DST]),
    NUMBER("source.packets", packets[SIDE_SRC]),
    NUMBER("destination.packets", packets[SIDE_DST]),
    NUMBER("client.bytes", data_bytes[SIDE_SRC]),
    NUMBER("server.bytes", data_bytes[SIDE_DST]),
    ALONE("srcMissingBytes", missing_bytes[SIDE_SRC]),
    ALONE("dstMissingBytes", missing_bytes[SIDE_DST]),
    NUMBER("ipProtocol", ip_protocol),
    ALONE("ethertype", ethertype),
    ALONE("segmentCnt", segment),
    ALONE("tcpflags.syn", tcp_flags[TCPF_SYN]),
    ALONE("tcpflags.syn-ack", tcp_flags[TCPF_SYN_ACK]),
    ALONE("tcpflags.ack", tcp_flags[TCPF_ACK]),
    ALONE("tcpflags.psh", tcp_flags[TCPF_PSH]),
    ALONE("tcpflags.fin", tcp_flags[TCPF_FIN]),
    ALONE("tcpflags.rst", tcp_flags[TCPF_RST]),
    ALONE("tcpflags.urg", tcp_flags[TCPF_URG]),
    ALONE("tcpflags.ece", tcp_flags[TCPF_ECE]),
    ALONE("tcpflags.cwr", tcp_flags[TCPF_CWR]),
    ALONE("tcpflags.ae", tcp_flags[TCPF_AE]),
    ALONE("tcpflags.srcZero", tcp_flags[TCPF_SRC_ZERO]),
    ALONE("tcpflags.dstZero", tcp_flags[TCPF_DST_ZERO]),
    ALONE("initRTT", initial_rtt_ms),
    ALONE("tcpseq.src", isn[SIDE_SRC]),
    NUMBER("dstISN", isn[SIDE_DST]),
    ALONE("srcISNCnt", src_isn_count),
    ALONE("@timestamp", stored_ms),
    {PATH("srcPayload8"), FIXED_PAYLOAD, SIDE_SRC, 0, true},
    {PATH("dstPayload8"), FIXED_PAYLOAD, SIDE_DST, 0, true},
    {PATH("tcpseq.dst"), FIXED_LEFT, 0, 0},
    {PATH("tcpSynValidated"), FIXED_LEFT, 0, 0},
    {PATH("tcpSynAckValidated"), FIXED_LEFT, 0, 0},
    {PATH("node"), FIXED_NODE, 0, 0},
    {PATH("fileId"), FIXED_FILES, 0, 0},
    {PATH(OWN_FLAGS), FIXED_FLAGS, 0, 0},
    {PATH(OWN_ICMP), FIXED_ICMP, 0, 0},
    {PATH(OWN_POSITIONS), FIXED_POSITIONS, 0, 0},
    {PATH(OWN_GONE), FIXED_LEFT, 0, 0},
    {PATH(OWN_COMMUNITY), FIXED_LEFT, 0, 0},
};

const struct fixed_column *fixed_find(struct span path) {
    for (size_t i = 0; i < ARRAY_LEN(columns); i++) {
        if (span_equal(path, columns[i].path)) {
            return &columns[i];
        }
    }
    return NULL;
}

/* What fields are computed from, besides the member of their own path (record/core_fields.c). */
static const struct {
    struct span member, field;
} served[] = {
#define SERVES(member, field) \
    { PATH(member), PATH(field) }
    SERVES("source.bytes", "network.bytes"),
    SERVES("destination.bytes", "network.bytes"),
    SERVES("source.packets", "network.packets"),
    SERVES("destination.packets", "network.packets"),
    SERVES("client.bytes", "totDataBytes"),
    SERVES("server.bytes", "totDataBytes"),
    SERVES("firstPacket", "length"),
    SERVES("firstPacket", "packetRange.gte"),
    SERVES("firstPacket", "packetRange.lte"),
    SERVES("source.ip", "network.community_id"),
    SERVES("destination.ip", "network.community_id"),
    SERVES("source.port", "network.community_id"),
    SERVES("destination.port", "network.community_id"),
    SERVES("ipProtocol", "network.community_id"),
    SERVES(OWN_ICMP, "network.community_id"),
    SERVES("dstISN", "tcpseq.dst"),
    SERVES("fileId", "packetPos"),
    SERVES(OWN_POSITIONS, "packetPos"),
    SERVES(OWN_POSITIONS, "packetLen"),
    SERVES(OWN_POSITIONS, "fileId"),
#undef SERVES
};

bool fixed_serves(const struct fixed_column *c, bool (*is_wanted)(const void *ctx, struct span path), const void *ctx) {
    if (c->how == FIXED_FLAGS || span_is(c->path, "lastPacket")) {
        return true;
    }
    for (size_t i = 0; i < ARRAY_LEN(served); i++) {
        if (span_equal(c->path, served[i].member) && is_wanted(ctx, served[i].field)) {
            return true;
        }
    }
    return false;
}

static int hex_digit(uint8_t c) {
    return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : 0;
}

static void set_payload(struct record *r, unsigned side, struct span hex) {
    uint8_t len = (uint8_t)MIN(hex.len / 2, (size_t)8);
    for (unsigned i = 0; i < len; i++) {
        r->payload8[side][i] = (uint8_t)(hex_digit(hex.at[2 * i]) << 4 | hex_digit(hex.at[2 * i + 1]));
    }
    r->payload8_len[side] = len;
}

void fixed_set(struct record *r, const struct fixed_column *c, struct span bytes, uint64_t number) {
    uint8_t *to = (uint8_t *)r + c->offset;
    if (c->how == FIXED_NUMBER) {
        memcpy(to, &number, c->size);
    } else if (c->how == FIXED_TIME) {
        /* 0 stands for times before 1970: see to_ms in record/core_fields.c */
        int64_t ns = number == 0 ? -1000000 : (int64_t)MIN(number, (uint64_t)INT64_MAX / 1000000) * 1000000;
        memcpy(to, &ns, sizeof(ns));
    } else if (c->how == FIXED_IP && bytes.len == 16) {
        memcpy(to, bytes.at, 16);
    } else if (c->how == FIXED_PAYLOAD) {
        set_payload(r, c->offset, bytes);
    }
}
