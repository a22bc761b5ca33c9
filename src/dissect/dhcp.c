/* dhcp.c: DHCP for IPv4 (RFC 2131, options RFC 2132, client name RFC 4702). Flows are keyed by the client's Ethernet
 * address, not by addresses and ports, and every such flow comes here; the hints say which packets the decoder looks
 * at.
 */
#include "base/util.h"
#include "dissect/dhcp_fields.h"
#include "dissect/dissector.h"
#include "dissect/dns_name.h"

enum { HEADER = 236, MESSAGE_MIN = 241, MAGIC_COOKIE = 0x63825363, HARDWARE_ETHERNET = 1, FQDN_LABELS = 0x04 };
enum {
    OPTION_PAD = 0,
    OPTION_HOST_NAME = 12,
    OPTION_REQUESTED_IP = 50,
    OPTION_MESSAGE_TYPE = 53,
    OPTION_VENDOR_CLASS = 60,
    OPTION_CLIENT_ID = 61,
    OPTION_CLIENT_FQDN = 81,
    OPTION_END = 255,
};

static const struct field_def fields[] = {
    [DHCP_TYPE] = {.path = "dhcp.type",
                   .name = "dhcp.type",
                   .type = FT_UPPER,
                   .flags = F_COUNT,
                   .title = "DHCP Type",
                   .help = "DHCP message types"},
    [DHCP_HOST] = {.path = "dhcp.host",
                   .name = "dhcp.host",
                   .type = FT_LOWER,
                   .flags = F_COUNT | F_TOKENS,
                   .title = "DHCP Host",
                   .help = "Names that clients give themselves",
                   .category = "host",
                   .aliases = "host.dhcp"},
    [DHCP_MAC] = {.path = "dhcp.mac",
                  .name = "dhcp.mac",
                  .type = FT_MAC,
                  .flags = F_COUNT,
                  .title = "DHCP Client MAC",
                  .help = "Ethernet addresses of clients"},
    [DHCP_OUI] = {.path = "dhcp.oui",
                  .name = "dhcp.oui",
                  .type = FT_KEYWORD,
                  .flags = F_COUNT,
                  .title = "DHCP Client OUI",
                  .help = "Makers of the clients' interfaces"},
    [DHCP_ID] = {.path = "dhcp.id",
                 .name = "dhcp.id",
                 .type = FT_LOWER,
                 .flags = F_COUNT,
                 .title = "DHCP Transaction id",
                 .help = "Transaction ids, in hexadecimal"},
    [DHCP_CLASS_ID] = {.path = "dhcp.classId",
                       .name = "dhcp.classId",
                       .type = FT_KEYWORD,
                       .flags = F_COUNT,
                       .title = "DHCP Vendor Class",
                       .help = "What clients say they are"},
    [DHCP_REQUEST_IP] = {.path = "dhcp.requestIp",
                         .name = "dhcp.requestIp",
                         .type = FT_IP,
                         .flags = F_COUNT | F_GEO,
                         .title = "DHCP Request IP",
                         .help = "Addresses that clients ask for"},
};

static const char *const types[] = {
    NULL,           "DISCOVER",    "OFFER",          "REQUEST",        "DECLINE",          "ACK",
    "NAK",          "RELEASE",     "INFORM",         "FORCERENEW",     "LEASEQUERY",       "LEASEUNASSIGNED",
    "LEASEUNKNOWN", "LEASEACTIVE", "BULKLEASEQUERY", "LEASEQUERYDONE", "ACTIVELEASEQUERY", "LEASEQUERYSTATUS",
    "TLS",
};

/* A transaction id as Arkime shows it: hexadecimal without leading zeros. */
static void put_transaction(struct dissect *d, uint32_t id) {
    char hex[8];
    uint8_t bytes[4] = {(uint8_t)(id >> 24), (uint8_t)(id >> 16), (uint8_t)(id >> 8), (uint8_t)id};
    hex_write(bytes, sizeof(bytes), hex);
    struct span text = span_make(hex, sizeof(hex));
    while (text.len > 1 && span_byte(text, 0) == '0') {
        text = span_from(text, 1);
    }
    put_text(d, DHCP_ID, text);
}

/* NULs at the end are no part of a text (RFC 2132 2). */
static void put_name(struct dissect *d, unsigned field, struct cursor value) {
    struct span text = cursor_rest(&value);
    while (text.len && span_byte(text, text.len - 1) == 0) {
        text.len--;
    }
    if (text.len) {
        put_text(d, field, text);
    }
}

/* Flags, two result codes of no meaning, and the name: as text, or as labels like in DNS (RFC 4702 2.1). */
static void put_fqdn(struct dissect *d, struct cursor value) {
    uint8_t flags = cursor_u8(&value);
    cursor_skip(&value, 2);
    struct dns_message m = {.bytes = cursor_rest(&value), .scratch = d->scratch};
    struct cursor labels = cursor_over(m.bytes);
    struct dns_name name;
    if (!(flags & FQDN_LABELS)) {
        put_name(d, DHCP_HOST, labels);
    } else if (dns_name_read(&m, &labels, 0, &name) == NAME_FINE && !name.root) {
        put_text(d, DHCP_HOST, name.text);
    }
}

static void put_option(struct dissect *d, uint8_t option, struct cursor value) {
    size_t len = cursor_left(&value);
    uint8_t first = (uint8_t)cursor_peek(&value, 0);
    switch (option) {
    case OPTION_HOST_NAME:
        put_name(d, DHCP_HOST, value);
        break;
    case OPTION_REQUESTED_IP:
        if (len == 4) {
            put_ip4(d, DHCP_REQUEST_IP, cursor_span(&value, 4).at);
        }
        break;
    case OPTION_MESSAGE_TYPE:
        if (len == 1 && first > 0 && first < ARRAY_LEN(types)) {
            put_const(d, DHCP_TYPE, types[first]);
        }
        break;
    case OPTION_VENDOR_CLASS:
        put_name(d, DHCP_CLASS_ID, value);
        break;
    case OPTION_CLIENT_ID:
        if (len == 7 && first == HARDWARE_ETHERNET) {
            cursor_skip(&value, 1);
            put_mac(d, DHCP_MAC, cursor_span(&value, 6).at);
        }
        break;
    case OPTION_CLIENT_FQDN:
        put_fqdn(d, value);
        break;
    default:
        break;
    }
}

static enum verdict dhcp_datagram(struct dissect *d, struct span bytes) {
    struct cursor c = cursor_over(bytes);
    uint16_t operation_and_hardware = cursor_u16(&c);
    cursor_skip(&c, 2);
    uint32_t transaction = cursor_u32(&c);
    cursor_skip(&c, 20);
    struct span mac = cursor_span(&c, 6);
    cursor_skip(&c, HEADER - 34);
    if (bytes.len < MESSAGE_MIN || cursor_u32(&c) != MAGIC_COOKIE) {
        return VERDICT_OK;
    }
    dissect_protocol(d, "udp");
    if ((operation_and_hardware & 0xff) == HARDWARE_ETHERNET) {
        put_mac(d, DHCP_MAC, mac.at);
    }
    put_transaction(d, transaction);
    while (cursor_left(&c)) {
        uint8_t option = cursor_u8(&c);
        if (option == OPTION_PAD) {
            continue;
        }
        struct cursor value = cursor_sub(&c, option == OPTION_END ? 0 : cursor_u8(&c));
        if (option == OPTION_END || !cursor_ok(&value) || cursor_left(&value) == 0) {
            break;
        }
        put_option(d, option, value);
    }
    return VERDICT_OK;
}

static const struct hint hints[] = {{.kind = HINT_UDP_PORT, .port = 67}, {.kind = HINT_UDP_PORT, .port = 68}};

const struct dissector dissector_dhcp = {
    .name = "dhcp",
    .title = "DHCP",
    .spec = "RFC 2131",
    .fields = fields,
    .field_count = ARRAY_LEN(fields),
    .hints = hints,
    .hint_count = ARRAY_LEN(hints),
    .datagram = dhcp_datagram,
};
