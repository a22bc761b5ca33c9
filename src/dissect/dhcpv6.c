/* dhcpv6.c: DHCP for IPv6 (RFC 8415). Its values go into the fields of DHCP. Flows are keyed by the transaction id, and
 * every such flow comes here; the hints say which packets the decoder looks at. Of a relayed message the type is given
 * beside that of its envelopes.
 */
#include "base/util.h"
#include "dissect/dhcp_fields.h"
#include "dissect/dissector.h"
#include "dissect/list.h"

enum { RELAY_FORWARD = 12, RELAY_REPLY = 13, RELAY_HEADER = 33, RELAYS_MAX = 32 };
enum { OPTION_RELAY_MESSAGE = 9, OPTION_VENDOR_CLASS = 16 };

static const char *const types[] = {
    NULL,
    "SOLICIT",
    "ADVERTISE",
    "REQUEST",
    "CONFIRM",
    "RENEW",
    "REBIND",
    "REPLY",
    "RELEASE",
    "DECLINE",
    "RECONFIGURE",
    "INFORMATION_REQUEST",
    "RELAY_FORW",
    "RELAY_REPL",
    "LEASEQUERY",
    "LEASEQUERY_REPLY",
    "LEASEQUERY_DONE",
    "LEASEQUERY_DATA",
    "LEASEQUERY_NO_DATA",
    "LEASEQUERY_STATUS",
    "LEASEQUERY_RECONF",
    "LEASEQUERY_RECONF_REPLY",
};

static void put_transaction(struct dissect *dhcp, uint32_t id) {
    char hex[6];
    uint8_t bytes[3] = {(uint8_t)(id >> 16), (uint8_t)(id >> 8), (uint8_t)id};
    hex_write(bytes, sizeof(bytes), hex);
    struct span text = span_make(hex, sizeof(hex));
    while (text.len > 1 && span_byte(text, 0) == '0') {
        text = span_from(text, 1);
    }
    put_text(dhcp, DHCP_ID, text);
}

/* Enterprise number, then strings with a length of two bytes (RFC 8415 21.16). */
static void put_vendor_class(struct dissect *dhcp, struct cursor value) {
    cursor_skip(&value, 4);
    while (cursor_left(&value) >= 2) {
        struct span text = cursor_span(&value, cursor_u16(&value));
        if (text.len) {
            put_text(dhcp, DHCP_CLASS_ID, text);
        }
    }
}

static enum verdict dhcpv6_datagram(struct dissect *d, struct span bytes) {
    struct dissect dhcp = dissect_as(d, DISSECTOR_DHCP);
    dissect_protocol(d, "udp");
    for (unsigned depth = 0; depth < RELAYS_MAX && bytes.len >= 4; depth++) {
        struct cursor c = cursor_over(bytes);
        uint8_t type = cursor_u8(&c);
        if (type == 0 || type >= ARRAY_LEN(types)) {
            break;
        }
        put_const(&dhcp, DHCP_TYPE, types[type]);
        if (type == RELAY_FORWARD || type == RELAY_REPLY) {
            cursor_skip(&c, RELAY_HEADER);
        } else {
            put_transaction(&dhcp, cursor_u24(&c));
        }
        bytes = (struct span){0};
        while (cursor_left(&c) >= 4) {
            uint16_t option = cursor_u16(&c);
            struct cursor value = cursor_sub(&c, cursor_u16(&c));
            if (option == OPTION_VENDOR_CLASS) {
                put_vendor_class(&dhcp, value);
            } else if (option == OPTION_RELAY_MESSAGE) {
                bytes = cursor_rest(&value);
            }
        }
    }
    return VERDICT_OK;
}

static const struct hint hints[] = {{.kind = HINT_UDP_PORT, .port = 546}, {.kind = HINT_UDP_PORT, .port = 547}};

const struct dissector dissector_dhcpv6 = {
    .name = "dhcpv6",
    .title = "DHCPv6",
    .spec = "RFC 8415",
    .hints = hints,
    .hint_count = ARRAY_LEN(hints),
    .datagram = dhcpv6_datagram,
};
