/* restore_fixed.c: see restore_fixed.h. */
#include "store/restore_fixed.h"

#include <stddef.h>

#include "base/util.h"
#include "store/row.h"

#define NUMBER(text, member) \
    { text, FIXED_NUMBER, (uint32_t)offsetof(struct record, member), (uint32_t)sizeof(((struct record *)NULL)->member) }
#define OTHER(text, how, member) \
    { text, how, (uint32_t)offsetof(struct record, member), 0 }

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
    NUMBER("srcMissingBytes", missing_bytes[SIDE_SRC]),
    NUMBER("dstMissingBytes", missing_bytes[SIDE_DST]),
    NUMBER("ipProtocol", ip_protocol),
    NUMBER("ethertype", ethertype),
    NUMBER("segmentCnt", segment),
    NUMBER("tcpflags.syn", tcp_flags[TCPF_SYN]),
    NUMBER("tcpflags.syn-ack", tcp_flags[TCPF_SYN_ACK]),
    NUMBER("tcpflags.ack", tcp_flags[TCPF_ACK]),
    NUMBER("tcpflags.psh", tcp_flags[TCPF_PSH]),
    NUMBER("tcpflags.fin", tcp_flags[TCPF_FIN]),
    NUMBER("tcpflags.rst", tcp_flags[TCPF_RST]),
    NUMBER("tcpflags.urg", tcp_flags[TCPF_URG]),
    NUMBER("tcpflags.ece", tcp_flags[TCPF_ECE]),
    NUMBER("tcpflags.cwr", tcp_flags[TCPF_CWR]),
    NUMBER("tcpflags.ae", tcp_flags[TCPF_AE]),
    NUMBER("tcpflags.srcZero", tcp_flags[TCPF_SRC_ZERO]),
    NUMBER("tcpflags.dstZero", tcp_flags[TCPF_DST_ZERO]),
    NUMBER("initRTT", initial_rtt_ms),
    NUMBER("tcpseq.src", isn[SIDE_SRC]),
    NUMBER("dstISN", isn[SIDE_DST]),
    NUMBER("srcISNCnt", src_isn_count),
    NUMBER("@timestamp", stored_ms),
    {"srcPayload8", FIXED_PAYLOAD, SIDE_SRC, 0},
    {"dstPayload8", FIXED_PAYLOAD, SIDE_DST, 0},
    {"tcpseq.dst", FIXED_LEFT, 0, 0},
    {"tcpSynValidated", FIXED_LEFT, 0, 0},
    {"tcpSynAckValidated", FIXED_LEFT, 0, 0},
    {"node", FIXED_NODE, 0, 0},
    {"fileId", FIXED_FILES, 0, 0},
    {OWN_FLAGS, FIXED_FLAGS, 0, 0},
    {OWN_ICMP, FIXED_ICMP, 0, 0},
    {OWN_POSITIONS, FIXED_POSITIONS, 0, 0},
    {OWN_GONE, FIXED_LEFT, 0, 0},
};

const struct fixed_column *fixed_find(struct span path) {
    for (size_t i = 0; i < ARRAY_LEN(columns); i++) {
        if (span_is(path, columns[i].path)) {
            return &columns[i];
        }
    }
    return NULL;
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
