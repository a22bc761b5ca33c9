/* dns_codes.c: the names of DNS numbers. Types and codes are written as Arkime writes them (NSAPPTR, NOTIMPL), and
 * where it has none as IANA's registry does.
 */
#include "dissect/dns_codes.h"

#include <stddef.h>

#include "base/util.h"

static const char *const types[] = {
    [1] = "A",       [2] = "NS",      [3] = "MD",          [4] = "MF",         [5] = "CNAME",     [6] = "SOA",
    [7] = "MB",      [8] = "MG",      [9] = "MR",          [10] = "NULL",      [11] = "WKS",      [12] = "PTR",
    [13] = "HINFO",  [14] = "MINFO",  [15] = "MX",         [16] = "TXT",       [17] = "RP",       [18] = "AFSDB",
    [19] = "X25",    [20] = "ISDN",   [21] = "RT",         [22] = "NSAP",      [23] = "NSAPPTR",  [24] = "SIG",
    [25] = "KEY",    [26] = "PX",     [27] = "GPOS",       [28] = "AAAA",      [29] = "LOC",      [30] = "NXT",
    [31] = "EID",    [32] = "NIMLOC", [33] = "SRV",        [34] = "ATMA",      [35] = "NAPTR",    [36] = "KX",
    [37] = "CERT",   [38] = "A6",     [39] = "DNAME",      [40] = "SINK",      [41] = "OPT",      [42] = "APL",
    [43] = "DS",     [44] = "SSHFP",  [45] = "IPSECKEY",   [46] = "RRSIG",     [47] = "NSEC",     [48] = "DNSKEY",
    [49] = "DHCID",  [50] = "NSEC3",  [51] = "NSEC3PARAM", [52] = "TLSA",      [53] = "SMIMEA",   [55] = "HIP",
    [56] = "NINFO",  [57] = "RKEY",   [58] = "TALINK",     [59] = "CDS",       [60] = "CDNSKEY",  [61] = "OPENPGPKEY",
    [62] = "CSYNC",  [63] = "ZONEMD", [64] = "SVCB",       [65] = "HTTPS",     [66] = "DSYNC",    [99] = "SPF",
    [100] = "UINFO", [101] = "UID",   [102] = "GID",       [103] = "UNSPEC",   [104] = "NID",     [105] = "L32",
    [106] = "L64",   [107] = "LP",    [108] = "EUI48",     [109] = "EUI64",    [249] = "TKEY",    [250] = "TSIG",
    [251] = "IXFR",  [252] = "AXFR",  [253] = "MAILB",     [254] = "MAILA",    [255] = "ANY",     [256] = "URI",
    [257] = "CAA",   [258] = "AVC",   [259] = "DOA",       [260] = "AMTRELAY", [261] = "RESINFO",
};

static const char *const classes[] = {[1] = "IN", [2] = "CS", [3] = "CH", [4] = "HS", [254] = "NONE", [255] = "ANY"};

static const char *const opcodes[] = {"QUERY", "IQUERY", "STATUS", "3", "NOTIFY", "UPDATE"};

static const char *const statuses[] = {
    "NOERROR",     "FORMERR", "SERVFAIL", "NXDOMAIN",  "NOTIMPL", "REFUSED", "YXDOMAIN", "YXRRSET",
    "NXRRSET",     "NOTAUTH", "NOTZONE",  "DSOTYPENI", "12",      "13",      "14",       "15",
    "BADSIG_VERS", "BADKEY",  "BADTIME",  "BADMODE",   "BADNAME", "BADALG",  "BADTRUNC", "BADCOOKIE",
};

const char *const dns_flag_names[DNS_FLAGS] = {"AA", "TC", "RD", "RA", "Z", "AD", "CD"};

const char *dns_type_name(uint16_t type) {
    return type < ARRAY_LEN(types) ? types[type] : NULL;
}

const char *dns_class_name(uint16_t code) {
    return code < ARRAY_LEN(classes) ? classes[code] : NULL;
}

const char *dns_opcode_name(uint8_t opcode) {
    return opcode < ARRAY_LEN(opcodes) ? opcodes[opcode] : NULL;
}

const char *dns_status_name(uint16_t rcode) {
    return rcode < ARRAY_LEN(statuses) ? statuses[rcode] : NULL;
}
