/* arp.c: address resolution of IPv4 over Ethernet (RFC 826). Every ARP flow comes here, so nothing is probed.
 *
 * A request only says who asks; what is worth searching is who answered with which address, so sender addresses are
 * taken from replies alone.
 */
#include "base/util.h"
#include "dissect/dissector.h"

enum { HARDWARE_ETHERNET = 1, PROTOCOL_IPV4 = 0x0800, OPCODE_REPLY = 2 };

enum { OPCODE, MAC, OUI, IP };

static const struct field_def fields[] = {
    [OPCODE] = {.path = "arp.opcode",
                .name = "arp.opcode",
                .type = FT_U64,
                .flags = F_COUNT,
                .title = "ARP Opcode",
                .help = "1 is a request, 2 a reply"},
    [MAC] = {.path = "arp.mac",
             .name = "arp.mac",
             .type = FT_MAC,
             .flags = F_COUNT,
             .title = "ARP Sender MAC",
             .help = "Ethernet addresses that replied"},
    [OUI] = {.path = "arp.oui",
             .name = "arp.oui",
             .type = FT_KEYWORD,
             .flags = F_COUNT,
             .title = "ARP Sender OUI",
             .help = "Makers of the interfaces that replied"},
    [IP] = {.path = "arp.ip",
            .name = "arp.ip",
            .type = FT_IP,
            .flags = F_COUNT | F_GEO,
            .title = "ARP Sender IP",
            .help = "IP addresses that were resolved"},
};

static enum verdict arp_datagram(struct dissect *d, struct span bytes) {
    struct cursor c = cursor_over(bytes);
    uint16_t hardware = cursor_u16(&c), protocol = cursor_u16(&c), sizes = cursor_u16(&c), opcode = cursor_u16(&c);
    struct span mac = cursor_span(&c, 6), ip = cursor_span(&c, 4);
    if (cursor_ok(&c)) {
        put_u64(d, OPCODE, opcode);
        if (opcode == OPCODE_REPLY && hardware == HARDWARE_ETHERNET && protocol == PROTOCOL_IPV4 && sizes == 0x0604) {
            put_mac(d, MAC, mac.at);
            put_ip4(d, IP, ip.at);
        }
    }
    return VERDICT_OK;
}

const struct dissector dissector_arp = {
    .name = "arp",
    .title = "ARP",
    .spec = "RFC 826",
    .fields = fields,
    .field_count = ARRAY_LEN(fields),
    .datagram = arp_datagram,
};
