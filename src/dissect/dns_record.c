/* dns_record.c: text forms of SVCB and HTTPS (RFC 9460), CAA (RFC 8659), RRSIG, NSEC and DS (RFC 4034) records.
 *
 * The forms are Arkime's: the type's name, then the values in order, numbers in decimal (times of RRSIG too). A line is
 * cut at LINE_LIMIT bytes, which only a made-up type bitmap or list of hints reaches.
 */
#include "dissect/dns_record.h"

#include "base/digest.h"
#include "base/util.h"
#include "dissect/dns_codes.h"
#include "record/document.h"

enum { LINE_LIMIT = 2048 };
enum { SVCB_ALPN = 1, SVCB_PORT = 3, SVCB_IPV4_HINT = 4, SVCB_IPV6_HINT = 6 };

struct line {
    char text[LINE_LIMIT];
    size_t len;
};

static void line_byte(struct line *l, char byte) {
    if (l->len < LINE_LIMIT) {
        l->text[l->len++] = byte;
    }
}

static void line_span(struct line *l, struct span s) {
    for (struct cursor c = cursor_over(s); cursor_left(&c);) {
        line_byte(l, (char)cursor_u8(&c));
    }
}

static void line_text(struct line *l, const char *text) {
    line_span(l, span_text(text));
}

static void line_number(struct line *l, uint32_t number) {
    char digits[10];
    size_t len = 0;
    do {
        digits[len++] = (char)('0' + number % 10);
        number /= 10;
    } while (number);
    while (len) {
        line_byte(l, digits[--len]);
    }
}

static void line_spaced_number(struct line *l, uint32_t number) {
    line_byte(l, ' ');
    line_number(l, number);
}

static void line_type(struct line *l, uint16_t type) {
    const char *name = dns_type_name(type);
    if (name) {
        line_text(l, name);
    } else {
        line_text(l, "TYPE");
        line_number(l, type);
    }
}

static void line_ip(struct line *l, struct span ip) {
    uint8_t full[16] = {[10] = 0xff, [11] = 0xff};
    char text[48];
    struct cursor c = cursor_over(ip);
    for (size_t i = sizeof(full) - ip.len; i < sizeof(full); i++) {
        full[i] = cursor_u8(&c);
    }
    line_span(l, span_make(text, ip_write(full, text)));
}

static bool line_name(struct line *l, struct dns_message *m, struct cursor *c) {
    struct dns_name name;
    if (dns_name_read(m, c, 0, &name) != NAME_FINE) {
        return false;
    }
    line_span(l, name.text);
    return true;
}

/* --- SVCB and HTTPS --- */

static void hints_text(struct line *l, const char *key, struct cursor value, size_t size) {
    line_text(l, key);
    for (bool first = true; cursor_left(&value) >= size; first = false) {
        if (!first) {
            line_byte(l, ',');
        }
        line_ip(l, cursor_span(&value, size));
    }
}

static void alpn_text(struct line *l, struct cursor value) {
    line_text(l, " alpn=");
    for (bool first = true; cursor_left(&value) > 1; first = false) {
        struct span id = cursor_span(&value, cursor_u8(&value));
        if (!first && id.len) {
            line_byte(l, ',');
        }
        line_span(l, id);
    }
}

static bool svcb_text(struct line *l, struct dns_message *m, struct cursor *c) {
    line_number(l, cursor_u16(c));
    line_byte(l, ' ');
    if (cursor_peek(c, 0) == 0) {
        line_byte(l, '.');
        cursor_skip(c, 1);
    } else if (!line_name(l, m, c)) {
        return false;
    }
    while (cursor_left(c) > 4) {
        uint16_t key = cursor_u16(c), len = cursor_u16(c);
        if (len > cursor_left(c)) {
            break;
        }
        struct cursor value = cursor_sub(c, len);
        if (key == SVCB_ALPN && len > 1) {
            alpn_text(l, value);
        } else if (key == SVCB_PORT && len == 2) {
            line_text(l, " port=");
            line_number(l, cursor_u16(&value));
        } else if (key == SVCB_IPV4_HINT && len >= 4) {
            hints_text(l, " ipv4hint=", value, 4);
        } else if (key == SVCB_IPV6_HINT && len >= 16) {
            hints_text(l, " ipv6hint=", value, 16);
        }
    }
    return true;
}

/* --- the others --- */

static bool caa_text(struct line *l, struct cursor *c) {
    if (cursor_left(c) <= 3) {
        return false;
    }
    line_number(l, cursor_u8(c));
    struct span tag = cursor_span(c, cursor_u8(c));
    line_byte(l, ' ');
    line_span(l, tag);
    line_byte(l, ' ');
    line_span(l, cursor_rest(c));
    return cursor_ok(c);
}

static bool rrsig_text(struct line *l, struct dns_message *m, struct cursor *c) {
    line_type(l, cursor_u16(c));
    line_spaced_number(l, cursor_u8(c));  /* algorithm */
    line_spaced_number(l, cursor_u8(c));  /* labels */
    line_spaced_number(l, cursor_u32(c)); /* original TTL */
    line_spaced_number(l, cursor_u32(c)); /* expiration */
    line_spaced_number(l, cursor_u32(c)); /* inception */
    line_spaced_number(l, cursor_u16(c)); /* key tag */
    line_byte(l, ' ');
    /* Arkime's documents have no record that the root has signed. */
    return cursor_ok(c) && cursor_peek(c, 0) != 0 && line_name(l, m, c);
}

static void bitmap_text(struct line *l, unsigned window, struct cursor bits, bool *first) {
    for (unsigned base = window * 256; cursor_left(&bits); base += 8) {
        uint8_t byte = cursor_u8(&bits);
        for (unsigned bit = 0; bit < 8; bit++) {
            if (byte & 0x80 >> bit) {
                if (!*first) {
                    line_byte(l, ' ');
                }
                *first = false;
                line_type(l, (uint16_t)(base + bit));
            }
        }
    }
}

static bool nsec_text(struct line *l, struct dns_message *m, struct cursor *c) {
    if (!line_name(l, m, c)) {
        return false;
    }
    line_byte(l, ' ');
    for (bool first = true; cursor_left(c) >= 2;) {
        uint8_t window = cursor_u8(c), len = cursor_u8(c);
        if (len > cursor_left(c) || len > 32) {
            break;
        }
        bitmap_text(l, window, cursor_sub(c, len), &first);
    }
    return true;
}

static bool ds_text(struct line *l, struct cursor *c) {
    if (cursor_left(c) < 5) {
        return false;
    }
    line_number(l, cursor_u16(c));
    line_spaced_number(l, cursor_u8(c));
    line_spaced_number(l, cursor_u8(c));
    line_byte(l, ' ');
    while (cursor_left(c)) {
        static const char digits[] = "0123456789ABCDEF";
        uint8_t byte = cursor_u8(c);
        line_byte(l, digits[byte >> 4]);
        line_byte(l, digits[byte & 15]);
    }
    return true;
}

bool dns_record_text(struct dns_message *m, uint16_t type, struct cursor data, struct span *ret_text) {
    struct line l;
    l.len = 0;
    line_type(&l, type);
    line_byte(&l, ' ');
    bool fine = false;
    switch (type) {
    case DNS_SVCB:
    case DNS_HTTPS:
        fine = svcb_text(&l, m, &data);
        break;
    case DNS_CAA:
        fine = caa_text(&l, &data);
        break;
    case DNS_RRSIG:
        fine = rrsig_text(&l, m, &data);
        break;
    case DNS_NSEC:
        fine = nsec_text(&l, m, &data);
        break;
    case DNS_DS:
        fine = ds_text(&l, &data);
        break;
    default:
        break;
    }
    if (fine) {
        *ret_text = arena_copy(m->scratch, span_make(l.text, l.len));
    }
    return fine;
}

struct span dns_number_text(struct arena *scratch, const char *word, uint16_t number) {
    struct line l;
    l.len = 0;
    line_text(&l, word);
    line_number(&l, number);
    return arena_copy(scratch, span_make(l.text, l.len));
}
