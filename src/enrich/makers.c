/* makers.c: makers of network interfaces by the first bytes of their Ethernet addresses, beside every address of a
 * session.
 *
 * Files are IEEE's registries as comma-separated values (oui.csv, mam.csv, oui36.csv: registry, assignment in
 * hexadecimal digits, organization; Debian's package ieee-data) or Wireshark's `manuf` (prefix with an optional length
 * in bits, short name, long name; separated by tabs). The longest prefix wins.
 */
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/util.h"
#include "enrich/csv.h"
#include "enrich/parts.h"
#include "record/values.h"

/* The field of addresses and the field of their makers. */
static const struct {
    const char *mac, *maker;
} pairs[] = {
    {"source.mac", "srcOui"},       {"destination.mac", "dstOui"}, {"srcOuterMac", "srcOuterOui"},
    {"dstOuterMac", "dstOuterOui"}, {"dhcp.mac", "dhcp.oui"},      {"arp.mac", "arp.oui"},
};

#define PREFIX_MIN 8
#define PREFIX_MAX 48
#define NAME_MAX_BYTES 255
#define MAKERS_MAX 4000000

struct maker {
    uint64_t prefix; /* left-aligned in 48 bits, the length above them; 0 = a free slot */
    uint32_t name;   /* offset into names */
};

struct makers {
    struct maker *slots;
    size_t mask, count;
    struct buf names;   /* each ended by NUL */
    uint64_t lengths;   /* bit n: some prefix has n bits */
    uint16_t *maker_of; /* by id of a field of addresses: the field of makers, or FIELD_NONE */
    size_t fields;
};

static uint64_t prefix_key(uint64_t mac, unsigned bits) {
    return (mac & ~(((uint64_t)1 << (PREFIX_MAX - bits)) - 1)) | (uint64_t)bits << PREFIX_MAX;
}

static size_t slot_of(const struct makers *m, uint64_t prefix) {
    /* Registries are nobody's to choose keys in: a multiplication spreads them. */
    size_t i = (size_t)(prefix * 0x9e3779b97f4a7c15 >> 24) & m->mask;
    while (m->slots[i].prefix && m->slots[i].prefix != prefix) {
        i = (i + 1) & m->mask;
    }
    return i;
}

static int grow(struct makers *m) {
    struct makers bigger = {.mask = m->mask ? m->mask * 4 + 3 : 1023};
    bigger.slots = calloc(bigger.mask + 1, sizeof(*bigger.slots));
    if (!bigger.slots) {
        return -ENOMEM;
    }
    for (size_t i = 0; m->slots && i <= m->mask; i++) {
        if (m->slots[i].prefix) {
            bigger.slots[slot_of(&bigger, m->slots[i].prefix)] = m->slots[i];
        }
    }
    free(m->slots);
    m->slots = bigger.slots;
    m->mask = bigger.mask;
    return 0;
}

/* The first name of a prefix stays. */
static int add(struct makers *m, uint64_t mac, unsigned bits, const char *name) {
    size_t len = strcspn(name, "\r");
    len = MIN(len, (size_t)NAME_MAX_BYTES);
    if (m->count >= MAKERS_MAX || ((m->count + 1) * 4 > m->mask * 3 && grow(m) < 0)) {
        return -ENOMEM;
    }
    struct maker *slot = &m->slots[slot_of(m, prefix_key(mac, bits))];
    if (slot->prefix) {
        return 0;
    }
    *slot = (struct maker){prefix_key(mac, bits), (uint32_t)m->names.len};
    buf_add(&m->names, name, len);
    buf_add_byte(&m->names, 0);
    m->lengths |= (uint64_t)1 << bits;
    m->count++;
    return m->names.overflowed ? -ENOMEM : 0;
}

/* "001BC5000", "00:1B:C5", "00-1B-C5:00:00:00/36". How many bits, 0 when it is none. */
static unsigned parse_prefix(const char *text, uint64_t *ret_mac) {
    unsigned digits = 0;
    *ret_mac = 0;
    for (; *text && *text != '/'; text++) {
        unsigned number = (unsigned)*text - '0', letter = ((unsigned)*text | 0x20) - 'a';
        unsigned digit = number < 10 ? number : letter + 10;
        if (number < 10 || letter < 6) {
            if (++digits > PREFIX_MAX / 4) {
                return 0;
            }
            *ret_mac |= (uint64_t)digit << (PREFIX_MAX - 4 * digits);
        } else if (!strchr(":-.", *text)) {
            return 0;
        }
    }
    uint64_t bits = 4 * digits;
    if (*text && !span_decimal(span_text(text + 1), PREFIX_MAX, &bits)) {
        return 0;
    }
    return bits >= PREFIX_MIN ? (unsigned)bits : 0;
}

struct parse {
    struct makers *makers;
    const struct reporter *report;
    const char *file;
};

static void read_row(const struct parse *p, const char *prefix, const char *name, int line) {
    uint64_t mac;
    unsigned bits = parse_prefix(prefix, &mac);
    char text[200];
    if (bits && *name) {
        if (add(p->makers, mac, bits, name) < 0) {
            report_problem(p->report, p->file, line, "no memory for more makers", NULL);
        }
        return;
    }
    (void)snprintf(text, sizeof(text), "\"%.60s\" is no prefix with a name; the line is left out", prefix);
    report_problem(p->report, p->file, line, text, NULL);
}

static void read_ieee(const struct parse *p, struct csv *csv) {
    char *field[3];
    (void)csv_next(csv, field, ARRAY_LEN(field));
    for (int n; (n = csv_next(csv, field, ARRAY_LEN(field))) >= 0;) {
        read_row(p, n > 1 ? field[1] : "", n > 2 ? field[2] : "", csv->number);
    }
}

static void read_manuf(const struct parse *p, char *text) {
    for (int number = 1; text; number++) {
        char *rest = strsep(&text, "\n"), *prefix = strsep(&rest, "\t");
        const char *brief = rest ? strsep(&rest, "\t") : "";
        const char *name = rest ? strsep(&rest, "\t") : brief;
        prefix[strcspn(prefix, " \r")] = 0;
        if (*prefix && *prefix != '#') {
            read_row(p, prefix, *name ? name : brief, number);
        }
    }
}

/* `asked`: the user named it. */
static void read_file(struct parse *p, const char *path, bool asked) {
    struct csv csv;
    p->file = path;
    if (csv_open(&csv, path) < 0) {
        if (asked) {
            report_problem(p->report, path, 0, "the file cannot be read", "check ouiFile");
        }
    } else if (strncmp(csv.text, "Registry,", 9) == 0) {
        read_ieee(p, &csv);
    } else {
        read_manuf(p, csv.text);
    }
    csv_close(&csv);
}

struct makers *makers_new(const struct enrich_settings *s, struct config *c, const struct reporter *report) {
    struct makers *m = calloc(1, sizeof(*m));
    if (!m) {
        return NULL;
    }
    buf_init(&m->names, (size_t)1 << 30);
    struct parse p = {.makers = m, .report = report};
    bool asked = config_value(c, "ouiFile") != NULL;
    for (size_t i = 0; i < s->oui_files.count; i++) {
        read_file(&p, config_path(c, s->oui_files.items[i]), asked);
    }
    return m;
}

int makers_bind(struct makers *m, const struct registry *r) {
    m->maker_of = calloc(registry_count(r) + 1, sizeof(*m->maker_of));
    if (!m->maker_of) {
        return -ENOMEM;
    }
    for (size_t id = 0; id < registry_count(r); id++) {
        m->maker_of[id] = FIELD_NONE;
    }
    for (size_t i = 0; i < ARRAY_LEN(pairs); i++) {
        uint16_t mac = registry_by_path(r, span_text(pairs[i].mac));
        if (mac != FIELD_NONE) {
            m->maker_of[mac] = registry_by_path(r, span_text(pairs[i].maker));
        }
    }
    return 0;
}

struct makers *makers_free(struct makers *m) {
    if (m) {
        buf_done(&m->names);
        free(m->slots);
        free(m->maker_of);
        free(m);
    }
    return NULL;
}

static const char *look_up(const struct makers *m, const uint8_t mac[6]) {
    uint64_t number = (uint64_t)read_be32(mac) << 16 | read_be16(mac + 4);
    for (uint64_t left = m->lengths, bit; left; left &= ~bit) { /* longest first */
        unsigned bits = 63 - (unsigned)__builtin_clzll(left);
        bit = (uint64_t)1 << bits;
        const struct maker *slot = &m->slots[slot_of(m, prefix_key(number, bits))];
        if (slot->prefix) {
            return (const char *)m->names.data + slot->name;
        }
    }
    return NULL;
}

#define ADDRESSES_MAX 64

/* The names are collected first: putting them moves the cells. */
static void apply_field(const struct makers *m, struct record *rec, const struct field *fields,
                        const struct cell *first) {
    const struct field *mac = &fields[first->field], *maker = &fields[m->maker_of[first->field]];
    const char *names[ADDRESSES_MAX];
    size_t n = 0;
    for (const struct cell *cell = first; cell && n < ADDRESSES_MAX; cell = cells_next(&rec->cells, cell)) {
        const char *name = look_up(m, cell_value(cell, mac).bytes.at);
        if (name) {
            names[n++] = name;
        }
    }
    for (size_t i = 0; i < n; i++) {
        (void)cells_put_const(&rec->cells, maker, names[i]);
    }
}

void makers_apply(const struct makers *m, struct record *rec, const struct field *fields) {
    uint16_t found[ARRAY_LEN(pairs)];
    size_t n = 0, count;
    if (m->count == 0) {
        return;
    }
    const struct cell_head *heads = cells_heads(&rec->cells, &count);
    for (size_t i = 0; i < count && n < ARRAY_LEN(found); i++) {
        if (m->maker_of[heads[i].field] != FIELD_NONE) {
            found[n++] = heads[i].field;
        }
    }
    for (size_t i = 0; i < n; i++) {
        apply_field(m, rec, fields, cells_first(&rec->cells, record_head(rec, &fields[found[i]])));
    }
}
