/*
 * One generated session as neutral columns, so that every engine of the benchmark gets the same values: row N of a seed
 * is the same whoever asks for it, and in whatever order.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum kind { KIND_NUMBER, KIND_TIME, KIND_TEXT, KIND_IP, KIND_MAC };

#define COLUMNS(X)                                                       \
    X(FIRST, "firstPacket", KIND_TIME, false)                            \
    X(LAST, "lastPacket", KIND_TIME, false)                              \
    X(SRC_IP, "source.ip", KIND_IP, false)                               \
    X(DST_IP, "destination.ip", KIND_IP, false)                          \
    X(SRC_PORT, "source.port", KIND_NUMBER, false)                       \
    X(DST_PORT, "destination.port", KIND_NUMBER, false)                  \
    X(IP_PROTOCOL, "ipProtocol", KIND_NUMBER, false)                     \
    X(ETHERTYPE, "ethertype", KIND_NUMBER, false)                        \
    X(SRC_BYTES, "source.bytes", KIND_NUMBER, false)                     \
    X(DST_BYTES, "destination.bytes", KIND_NUMBER, false)                \
    X(SRC_PACKETS, "source.packets", KIND_NUMBER, false)                 \
    X(DST_PACKETS, "destination.packets", KIND_NUMBER, false)            \
    X(SRC_DATA, "client.bytes", KIND_NUMBER, false)                      \
    X(DST_DATA, "server.bytes", KIND_NUMBER, false)                      \
    X(FLAG_SYN, "tcpflags.syn", KIND_NUMBER, false)                      \
    X(FLAG_SYN_ACK, "tcpflags.syn-ack", KIND_NUMBER, false)              \
    X(FLAG_ACK, "tcpflags.ack", KIND_NUMBER, false)                      \
    X(FLAG_PSH, "tcpflags.psh", KIND_NUMBER, false)                      \
    X(FLAG_FIN, "tcpflags.fin", KIND_NUMBER, false)                      \
    X(FLAG_RST, "tcpflags.rst", KIND_NUMBER, false)                      \
    X(RTT, "initRTT", KIND_NUMBER, false)                                \
    X(SRC_ISN, "tcpseq.src", KIND_NUMBER, false)                         \
    X(DST_ISN, "dstISN", KIND_NUMBER, false)                             \
    X(SRC_PAYLOAD, "srcPayload8", KIND_TEXT, false)                      \
    X(DST_PAYLOAD, "dstPayload8", KIND_TEXT, false)                      \
    X(SRC_TTL, "srcTTL", KIND_NUMBER, true)                              \
    X(DST_TTL, "dstTTL", KIND_NUMBER, true)                              \
    X(PROTOCOL, "protocol", KIND_TEXT, true)                             \
    X(TAGS, "tags", KIND_TEXT, true)                                     \
    X(USER, "user", KIND_TEXT, true)                                     \
    X(SRC_MAC, "source.mac", KIND_MAC, true)                             \
    X(DST_MAC, "destination.mac", KIND_MAC, true)                        \
    X(VLAN, "network.vlan.id", KIND_NUMBER, true)                        \
    X(SRC_COUNTRY, "source.geo.country_iso_code", KIND_TEXT, false)      \
    X(DST_COUNTRY, "destination.geo.country_iso_code", KIND_TEXT, false) \
    X(SRC_CITY, "source.geo.city_name", KIND_TEXT, false)                \
    X(DST_CITY, "destination.geo.city_name", KIND_TEXT, false)           \
    X(SRC_ASN, "source.as.number", KIND_NUMBER, false)                   \
    X(DST_ASN, "destination.as.number", KIND_NUMBER, false)              \
    X(SRC_AS, "source.as.full", KIND_TEXT, false)                        \
    X(DST_AS, "destination.as.full", KIND_TEXT, false)                   \
    X(SRC_AS_NAME, "source.as.organization.name", KIND_TEXT, false)      \
    X(DST_AS_NAME, "destination.as.organization.name", KIND_TEXT, false) \
    X(SRC_RIR, "srcRIR", KIND_TEXT, false)                               \
    X(DST_RIR, "dstRIR", KIND_TEXT, false)                               \
    X(SRC_DSCP, "srcDscp", KIND_NUMBER, true)                            \
    X(ASSET, "asset", KIND_TEXT, true)                                   \
    X(DNS_QUERY, "dns.queryHost", KIND_TEXT, false)                      \
    X(DNS_HOST, "dns.host", KIND_TEXT, true)                             \
    X(DNS_TYPE, "dns.qt", KIND_TEXT, false)                              \
    X(DNS_CLASS, "dns.qc", KIND_TEXT, false)                             \
    X(DNS_OPCODE, "dns.opcode", KIND_TEXT, false)                        \
    X(DNS_STATUS, "dns.status", KIND_TEXT, false)                        \
    X(DNS_IP, "dns.ip", KIND_IP, true)                                   \
    X(HTTP_HOST, "http.host", KIND_TEXT, true)                           \
    X(HTTP_URI, "http.uri", KIND_TEXT, true)                             \
    X(HTTP_PATH, "http.path", KIND_TEXT, true)                           \
    X(HTTP_KEY, "http.key", KIND_TEXT, true)                             \
    X(HTTP_METHOD, "http.method", KIND_TEXT, true)                       \
    X(HTTP_STATUS, "http.statuscode", KIND_NUMBER, true)                 \
    X(HTTP_AGENT, "http.useragent", KIND_TEXT, true)                     \
    X(HTTP_REQUEST, "http.requestHeader", KIND_TEXT, true)               \
    X(HTTP_RESPONSE, "http.responseHeader", KIND_TEXT, true)             \
    X(HTTP_CLIENT, "http.clientVersion", KIND_TEXT, true)                \
    X(HTTP_SERVER, "http.serverVersion", KIND_TEXT, true)                \
    X(HTTP_MAGIC, "http.bodyMagic", KIND_TEXT, true)                     \
    X(HTTP_MD5, "http.md5", KIND_TEXT, true)                             \
    X(HTTP_COOKIE, "http.cookieKey", KIND_TEXT, true)                    \
    X(TLS_VERSION, "tls.version", KIND_TEXT, true)                       \
    X(TLS_CIPHER, "tls.cipher", KIND_TEXT, true)                         \
    X(TLS_JA3, "tls.ja3", KIND_TEXT, true)                               \
    X(TLS_JA3S, "tls.ja3s", KIND_TEXT, true)                             \
    X(TLS_JA4, "tls.ja4", KIND_TEXT, true)                               \
    X(TLS_SRC_SESSION, "tls.srcSessionId", KIND_TEXT, true)              \
    X(TLS_DST_SESSION, "tls.dstSessionId", KIND_TEXT, true)              \
    X(CERT_ISSUER, "cert.issuerCN", KIND_TEXT, true)                     \
    X(CERT_ORGANISATION, "cert.issuerON", KIND_TEXT, true)               \
    X(CERT_SUBJECT, "cert.subjectCN", KIND_TEXT, true)                   \
    X(CERT_SERIAL, "cert.serial", KIND_TEXT, false)                      \
    X(CERT_HASH, "cert.hash", KIND_TEXT, false)                          \
    X(CERT_ALT, "cert.alt", KIND_TEXT, true)                             \
    X(CERT_BEFORE, "cert.notBefore", KIND_TIME, false)                   \
    X(CERT_AFTER, "cert.notAfter", KIND_TIME, false)                     \
    X(CERT_DAYS, "cert.validDays", KIND_NUMBER, false)                   \
    X(QUIC_HOST, "quic.host", KIND_TEXT, true)                           \
    X(QUIC_VERSION, "quic.version", KIND_TEXT, true)                     \
    X(QUIC_AGENT, "quic.useragent", KIND_TEXT, true)                     \
    X(SMB_HOST, "smb.host", KIND_TEXT, true)                             \
    X(SMB_SHARE, "smb.share", KIND_TEXT, true)                           \
    X(SMB_FILE, "smb.filename", KIND_TEXT, true)                         \
    X(SSH_VERSION, "ssh.version", KIND_TEXT, true)                       \
    X(SSH_HASSH, "ssh.hassh", KIND_TEXT, true)                           \
    X(EMAIL_FROM, "email.src", KIND_TEXT, true)                          \
    X(EMAIL_TO, "email.dst", KIND_TEXT, true)                            \
    X(EMAIL_SUBJECT, "email.subject", KIND_TEXT, true)                   \
    X(ICMP_TYPE, "icmp.type", KIND_NUMBER, true)                         \
    X(ICMP_CODE, "icmp.code", KIND_NUMBER, true)

enum column_id {
#define X(id, path, kind, list) COLUMN_##id,
    COLUMNS(X)
#undef X
        COLUMN_COUNT
};

struct column_def {
    const char *path;
    enum kind kind;
    bool list;
};
extern const struct column_def column_defs[COLUMN_COUNT];

struct datum {
    union {
        uint64_t number; /* times: ms since 1970 */
        const char *text;
        uint8_t bytes[16]; /* address, MAC */
    };
    uint32_t len; /* of text */
};

#define RARE_KEYS 300
#define RARE_MAX 4
#define VALUES_MAX 256
#define TEXT_MAX 8192
#define PACKETS_MAX 400

struct row {
    uint64_t index;
    uint16_t first[COLUMN_COUNT], count[COLUMN_COUNT]; /* into values */
    struct datum values[VALUES_MAX];
    uint16_t value_count;
    struct {
        uint16_t key;
        const char *value;
    } rare[RARE_MAX];
    uint16_t rare_count;
    uint64_t positions[PACKETS_MAX];
    uint32_t position_count;
    char text[TEXT_MAX];
    size_t text_used;
};

static inline const struct datum *row_values(const struct row *r, enum column_id id, uint16_t *ret_count) {
    *ret_count = r->count[id];
    return &r->values[r->first[id]];
}

struct world;

/* `rows`: how many there will be: they are spread over ten days. */
struct world *world_new(uint64_t rows, uint64_t seed);
void world_free(struct world *w);
void world_row(const struct world *w, uint64_t index, struct row *ret);

#define WORLD_START_MS INT64_C(1700006400000) /* 2023-11-15 00:00:00 UTC */
#define WORLD_DAYS 10
