/* ntp.c: the Network Time Protocol (RFC 5905), the shortest complete dissector: table, probe, parse.
 *
 * The reference is text for a clock itself (stratum 0 and 1) and otherwise the upstream server: its IPv4 address or
 * four bytes of a digest, which cannot be told apart, so it is shown in hexadecimal.
 */
#include "base/util.h"
#include "dissect/dissector.h"

enum { PORT = 123, HEADER = 48, STRATUM_LAST = 16 };

enum { VERSION, MODE, STRATUM, REFERENCE };

static const struct field_def fields[] = {
    [VERSION] = {.path = "ntp.version",
                 .name = "ntp.version",
                 .type = FT_U64,
                 .flags = F_COUNT,
                 .title = "Version",
                 .help = "Protocol version"},
    [MODE] = {.path = "ntp.mode",
              .name = "ntp.mode",
              .type = FT_KEYWORD,
              .flags = F_COUNT,
              .title = "Mode",
              .help = "What the sender is: client, server, broadcast, ..."},
    [STRATUM] = {.path = "ntp.stratum",
                 .name = "ntp.stratum",
                 .type = FT_KEYWORD,
                 .flags = F_COUNT,
                 .title = "Stratum",
                 .help = "How near the sender is to a clock: primary, secondary, ..."},
    [REFERENCE] = {.path = "ntp.refId",
                   .name = "ntp.ref-id",
                   .type = FT_KEYWORD,
                   .flags = F_COUNT,
                   .title = "Reference ID",
                   .help = "The clock, or the server, that the sender follows"},
};

static const char *const modes[] = {"reserved", "symmetric-active", "symmetric-passive", "client",
                                    "server",   "broadcast",        "control",           "private"};

static const char *const strata[] = {"unspecified", "primary", [2 ... 15] = "secondary", "unsynchronized"};

static enum match ntp_probe(struct span first, const struct dissect *d) {
    (void)d;
    int flags = span_byte(first, 0), version = flags >> 3 & 7;
    bool known = version >= 1 && version <= 4 && (flags & 7) && span_byte(first, 1) <= STRATUM_LAST;
    return known && first.len >= HEADER ? MATCH_YES : MATCH_NO;
}

static void put_reference(struct dissect *d, uint8_t stratum, struct span reference) {
    char hex[8];
    struct span name = reference;
    while (name.len && (span_byte(name, name.len - 1) == 0 || span_byte(name, name.len - 1) == ' ')) {
        name.len--;
    }
    bool text = stratum <= 1;
    for (size_t i = 0; i < name.len; i++) {
        text = text && span_byte(name, i) >= ' ' && span_byte(name, i) <= '~';
    }
    if (!text) {
        hex_write(reference.at, reference.len, hex);
        name = span_make(hex, sizeof(hex));
    }
    if (name.len) {
        put_text(d, REFERENCE, name);
    }
}

static enum verdict ntp_datagram(struct dissect *d, struct span bytes) {
    struct cursor c = cursor_over(bytes);
    uint8_t flags = cursor_u8(&c), stratum = cursor_u8(&c);
    cursor_skip(&c, 10); /* poll, precision, root delay, root dispersion */
    struct span reference = cursor_span(&c, 4);
    if (bytes.len < HEADER) {
        return VERDICT_OK;
    }
    put_u64(d, VERSION, flags >> 3 & 7);
    put_const(d, MODE, modes[flags & 7]);
    if (stratum <= STRATUM_LAST) {
        put_const(d, STRATUM, strata[stratum]);
    }
    if (stratum < STRATUM_LAST) {
        put_reference(d, stratum, reference);
    }
    return VERDICT_OK;
}

static const struct hint hints[] = {{.kind = HINT_UDP_PORT, .port = PORT}};

const struct dissector dissector_ntp = {
    .name = "ntp",
    .title = "NTP",
    .spec = "RFC 5905",
    .fields = fields,
    .field_count = ARRAY_LEN(fields),
    .hints = hints,
    .hint_count = ARRAY_LEN(hints),
    .probe = ntp_probe,
    .datagram = ntp_datagram,
};
