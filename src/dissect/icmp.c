/* icmp.c: types and codes of ICMP (RFC 792) and ICMPv6 (RFC 4443). Every ICMP flow comes here, so nothing is probed;
 * the numbers are read by the engine, which needs them for the flow's key as well.
 */
#include "base/util.h"
#include "dissect/dissector.h"

enum { TYPE, CODE };

static const struct field_def fields[] = {
    [TYPE] = {.path = "icmp.type",
              .name = "icmp.type",
              .type = FT_U64,
              .title = "ICMP Type",
              .help = "ICMP type field values"},
    [CODE] = {.path = "icmp.code",
              .name = "icmp.code",
              .type = FT_U64,
              .title = "ICMP Code",
              .help = "ICMP code field values"},
};

static enum verdict icmp_datagram(struct dissect *d, struct span bytes) {
    if (bytes.len >= 2) {
        put_u64(d, TYPE, d->icmp_type);
        put_u64(d, CODE, d->icmp_code);
    }
    return VERDICT_OK;
}

const struct dissector dissector_icmp = {
    .name = "icmp",
    .title = "ICMP",
    .spec = "RFC 792, RFC 4443",
    .fields = fields,
    .field_count = ARRAY_LEN(fields),
    .datagram = icmp_datagram,
};
