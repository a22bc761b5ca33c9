/* set.c: the protocols of this program, their field bases, settings, and who is asked about which first bytes. */
#include "dissect/set.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/util.h"
#include "dissect/engine.h"
#include "dissect/list.h"

static bool has_hints(const struct dissector *d, unsigned from, unsigned to) {
    for (size_t i = 0; i < d->hint_count; i++) {
        if (d->hints[i].kind >= from && d->hints[i].kind <= to) {
            return true;
        }
    }
    return false;
}

/* May a stream whose first byte is `first` be this protocol's, by its hints alone? */
static bool byte_is_possible(const struct dissector *d, unsigned kind, uint8_t first) {
    for (size_t i = 0; i < d->hint_count; i++) {
        const struct hint *h = &d->hints[i];
        if (h->kind == kind && (h->offset > 0 || h->length == 0 || (uint8_t)h->bytes[0] == first)) {
            return true;
        }
    }
    return false;
}

static int add_candidate(struct candidates *c, uint8_t id) {
    if (c->count == CANDIDATES_MAX) {
        return -E2BIG;
    }
    c->ids[c->count++] = id;
    return 0;
}

static int index_bytes(struct dissect_set *set) {
    for (unsigned first = 0; first < 256; first++) {
        for (unsigned i = 0; i < set->count; i++) {
            const struct dissector *d = set->entries[i].dissector;
            bool stream =
                d->probe && d->stream && (!d->hint_count || byte_is_possible(d, HINT_TCP_BYTES, (uint8_t)first));
            bool datagram =
                d->probe && d->datagram && (!d->hint_count || byte_is_possible(d, HINT_UDP_BYTES, (uint8_t)first));
            if ((stream && add_candidate(&set->tcp_bytes[first], (uint8_t)i) < 0) ||
                (datagram && add_candidate(&set->udp_bytes[first], (uint8_t)i) < 0)) {
                return -E2BIG;
            }
        }
    }
    return 0;
}

static int index_ports(struct dissect_set *set) {
    for (unsigned i = 0; i < set->count; i++) {
        const struct dissector *d = set->entries[i].dissector;
        if (!has_hints(d, HINT_TCP_PORT, HINT_UDP_PORT)) {
            continue;
        }
        for (size_t k = 0; k < d->hint_count; k++) {
            const struct hint *h = &d->hints[k];
            if (h->kind != HINT_TCP_PORT && h->kind != HINT_UDP_PORT) {
                continue;
            }
            if (set->port_count == PORT_HINTS_MAX) {
                return -E2BIG;
            }
            set->ports[set->port_count++] = (struct port_hint){h->port, h->kind == HINT_UDP_PORT, (uint8_t)i};
            set->port_seen[h->port / 8] |= (uint8_t)(1u << h->port % 8);
        }
    }
    return 0;
}

static uint8_t id_of(const struct dissect_set *set, const char *name) {
    for (unsigned i = 0; i < set->count; i++) {
        if (strcmp(set->entries[i].dissector->name, name) == 0) {
            return (uint8_t)i;
        }
    }
    return DISSECTOR_NONE;
}

struct dissect_set *dissect_set_new(struct registry *registry, struct err *ret_err) {
    static const struct {
        enum flow_other other;
        const char *name;
    } kinds[] = {{OTHER_ARP, "arp"},   {OTHER_DHCP, "dhcp"}, {OTHER_DHCPV6, "dhcpv6"}, {OTHER_IGMP, "igmp"},
                 {OTHER_PIM, "pim"},   {OTHER_OSPF, "ospf"}, {OTHER_LLDP, "lldp"},     {OTHER_ISIS, "isis"},
                 {OTHER_ESIS, "esis"}, {OTHER_XID, "xid"}};
    struct dissect_set *set = calloc(1, sizeof(*set));
    if (!set) {
        return NULL;
    }
    set->count = DISSECTOR_COUNT;
    for (unsigned i = 0; i < set->count; i++) {
        struct set_entry *e = &set->entries[i];
        const struct dissector *d = dissector_list[i];
        e->dissector = d;
        if (registry_add(registry, d->name, d->fields, d->field_count, &e->base, ret_err) < 0) {
            return dissect_set_free(set);
        }
        e->settings = d->settings_size ? calloc(1, d->settings_size) : NULL;
        if (d->settings_size && !e->settings) {
            (void)err_set(ret_err, -ENOMEM, "no memory for the settings of %s", d->name);
            return dissect_set_free(set);
        }
    }
    for (size_t i = 0; i < ARRAY_LEN(set->by_other); i++) {
        set->by_other[i] = DISSECTOR_NONE;
    }
    for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
        set->by_other[kinds[i].other] = id_of(set, kinds[i].name);
    }
    set->icmp = id_of(set, "icmp");
    if (index_bytes(set) < 0 || index_ports(set) < 0) {
        (void)err_set(ret_err, -E2BIG, "too many protocols share a first byte or there are too many port hints");
        return dissect_set_free(set);
    }
    return set;
}

struct dissect_set *dissect_set_free(struct dissect_set *set) {
    if (set) {
        for (unsigned i = 0; i < set->count; i++) {
            struct set_entry *e = &set->entries[i];
            if (e->dissector && e->dissector->release && e->shared) {
                e->dissector->release(e->shared);
            }
            free(e->settings);
        }
        free(set);
    }
    return NULL;
}

size_t dissect_set_modules(struct dissect_set *set, struct config_module *ret, size_t max) {
    size_t n = 0;
    for (unsigned i = 0; i < set->count && n < max; i++) {
        const struct set_entry *e = &set->entries[i];
        if (e->dissector->setting_count) {
            ret[n++] = (struct config_module){e->dissector->name, e->dissector->settings, e->dissector->setting_count,
                                              e->settings};
        }
    }
    return n;
}

int dissect_set_prepare(struct dissect_set *set, struct registry *registry, struct config *config,
                        struct err *ret_err) {
    for (unsigned i = 0; i < set->count; i++) {
        struct set_entry *e = &set->entries[i];
        if (!e->dissector->prepare) {
            continue;
        }
        struct dissect_setup setup = {registry, config, e->settings, e->base};
        int code = e->dissector->prepare(&setup, &e->shared, ret_err);
        if (code < 0) {
            return code;
        }
    }
    return 0;
}

size_t dissect_set_count(const struct dissect_set *set) {
    return set->count;
}

const struct dissector *dissect_set_get(const struct dissect_set *set, size_t i) {
    return i < set->count ? set->entries[i].dissector : NULL;
}
