/* settings.c: the decoder's settings: their table, the collapse list of VLANs and VNIs, and what the table cannot
 * check.
 *
 * Names are Arkime's where Arkime has the setting.
 */
#include <errno.h>

#include "decode/state.h"

#define AT(member) SETTING(decode_settings, member)
const struct setting decode_setting_table[] = {
    {.name = "sessionIdTracking",
     .type = ST_CHOICE,
     .offset = AT(session_id_tracking),
     .fallback = "none",
     .choices = "none,vlan,vni",
     .help = "Flows with the same addresses and ports are kept apart by VLAN (the outermost) or by VNI"},
    {.name = "trackESP",
     .type = ST_BOOL,
     .offset = AT(track_esp),
     .fallback = "false",
     .help = "ESP packets make sessions, one per pair of addresses"},
    {.name = "disableIp4Defrag",
     .type = ST_BOOL,
     .offset = AT(disable_fragments4),
     .fallback = "false",
     .help = "IPv4 fragments are not put together; only the first of each datagram is looked at"},
    {.name = "disableIp6Defrag",
     .type = ST_BOOL,
     .offset = AT(disable_fragments6),
     .fallback = "false",
     .help = "IPv6 fragments are not put together; only the first of each datagram is looked at"},
    {.name = "fragsTimeout",
     .type = ST_SECONDS,
     .offset = AT(frags_timeout),
     .fallback = "480",
     .min = 1,
     .max = 86400,
     .help = "An incomplete datagram is given up this long after its first fragment (packet time)"},
    {.name = "maxFrags",
     .type = ST_U32,
     .offset = AT(max_frags),
     .fallback = "10000",
     .min = 1,
     .max = 10000000,
     .help = "Incomplete datagrams held at once; beyond that the oldest is given up"},
    {.name = "fragsMemory",
     .type = ST_BYTES,
     .offset = AT(frags_memory),
     .fallback = "32M",
     .min = 256 << 10,
     .max = (uint64_t)64 << 30,
     .help = "Bytes of held fragments; beyond that the oldest datagram is given up"},
    {.name = "fragmentOverlap",
     .type = ST_CHOICE,
     .offset = AT(fragment_overlap),
     .fallback = "first",
     .choices = "first,last",
     .help = "Where fragments overlap, which copy of a byte counts: the one that came first or the one that came last"},
    {.name = "trimEthernetPadding",
     .type = ST_BOOL,
     .offset = AT(trim_ethernet_padding),
     .fallback = "false",
     .help = "Bytes behind the IP packet of an Ethernet frame are not counted"},
    {.name = "saveUnknownPackets",
     .type = ST_LIST,
     .offset = AT(save_unknown),
     .fallback = "",
     .help = "Packets of protocols unknown to the decoder that become sessions all the same: all, ip:all, ether:all, "
             "ip:<number or name>, ether:<number or name>, corrupt; with a leading - taken out again"},
    {.name = "disableParsers",
     .type = ST_LIST,
     .offset = AT(disable_parsers),
     .fallback = "arp.so",
     .help = "Protocols that make no sessions of their own, for example arp.so"},
};
#undef AT
const size_t decode_setting_count = ARRAY_LEN(decode_setting_table);

int decode_settings_check(const struct decode_settings *settings, struct err *ret_err) {
    struct unknown_rules rules;
    return unknown_rules_parse(settings, &rules, ret_err);
}

static bool collapse_add(struct decode_settings *settings, uint32_t from, uint32_t to) {
    if (settings->collapse_count == DECODE_COLLAPSE_MAX) {
        return false;
    }
    uint32_t at = settings->collapse_count++;
    while (at > 0 && settings->collapse[at - 1].from > from) {
        settings->collapse[at] = settings->collapse[at - 1];
        at--;
    }
    settings->collapse[at] = (struct decode_collapse){from, to};
    return true;
}

/* Cuts the next word off a list separated by semicolons or commas. */
static struct span list_word(struct span *rest) {
    size_t end = 0;
    while (end < rest->len && rest->at[end] != ';' && rest->at[end] != ',') {
        end++;
    }
    struct span word = span_trim(span_sub(*rest, 0, end));
    *rest = span_from(*rest, end + 1);
    return word;
}

int decode_collapse_read(struct decode_settings *settings, const struct config_entry *entries, size_t count,
                         struct err *ret_err) {
    enum { NUMBER_MAX = 0xffffff };
    for (size_t i = 0; i < count; i++) {
        uint64_t to, from;
        bool good = span_decimal(span_text(entries[i].key), NUMBER_MAX, &to);
        struct span rest = span_text(entries[i].value);
        while (good && rest.len) {
            struct span word = list_word(&rest);
            good = word.len == 0 || span_decimal(word, NUMBER_MAX, &from);
            if (good && word.len && !collapse_add(settings, (uint32_t)from, (uint32_t)to)) {
                return err_set(ret_err, -E2BIG, "vlan-vni-collapse: more than %d numbers", DECODE_COLLAPSE_MAX);
            }
        }
        if (!good) {
            err_set(ret_err, -EINVAL, "vlan-vni-collapse: \"%s=%s\" is no list of VLANs", entries[i].key,
                    entries[i].value);
            err_hint(ret_err, "write TARGET=NUMBER;NUMBER, each at most %d", NUMBER_MAX);
            return -EINVAL;
        }
    }
    return 0;
}

uint32_t collapse_find(const struct decode_settings *settings, uint32_t number) {
    uint32_t low = 0, high = settings->collapse_count;
    while (low < high) {
        uint32_t middle = (low + high) / 2;
        if (settings->collapse[middle].from == number) {
            return settings->collapse[middle].to;
        }
        if (settings->collapse[middle].from < number) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return number;
}
