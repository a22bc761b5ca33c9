/* export_wanted.c: see export.h. */
#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/span.h"
#include "base/util.h"
#include "cmd/export.h"

#define ID_LEN 22

static bool is_id(struct span text) {
    static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    for (size_t i = 0; i < text.len; i++) {
        if (!memchr(letters, text.at[i], sizeof(letters) - 1)) {
            return false;
        }
    }
    return text.len == ID_LEN;
}

int wanted_id_parse(const char *text, struct wanted_id *ret, struct err *ret_err) {
    struct span whole = span_text(text), id = whole;
    uint64_t piece = 0;
    if (whole.len > ID_LEN) { /* the suffix in front holds no hyphen, the id may */
        size_t hyphen = span_find_byte(whole, 0, '-');
        id = hyphen == SPAN_NONE ? whole : span_sub(whole, hyphen + 1, ID_LEN);
        struct span rest = hyphen == SPAN_NONE ? id : span_from(whole, hyphen + 1 + ID_LEN);
        if (rest.len && (rest.at[0] != '-' || !span_decimal(span_from(rest, 1), UINT32_MAX, &piece))) {
            id.len = 0;
        }
    }
    if (!is_id(id)) {
        (void)err_set(ret_err, -EINVAL, "\"%s\" is no session id", text);
        err_hint(ret_err, "`seine read --format json` shows ids, for example 140529-tQoVRgbZeEArEaFjFbMTxA");
        return -EINVAL;
    }
    memcpy(ret->id, id.at, ID_LEN);
    ret->id[ID_LEN] = 0;
    ret->piece = (uint32_t)piece;
    return 0;
}

/* One end of a flow. */
static bool parse_end(struct span text, uint8_t ret_ip[16], uint16_t *ret_port, bool *ret_any) {
    char address[64];
    struct span port = {NULL, 0};
    size_t colon = span_find_byte(text, 0, ':');
    if (text.len && text.at[0] == '[') {
        size_t close = span_find_byte(text, 0, ']');
        if (close == SPAN_NONE || (close + 1 < text.len && text.at[close + 1] != ':')) {
            return false;
        }
        port = span_from(text, close + 2);
        text = span_sub(text, 1, close - 1);
    } else if (colon != SPAN_NONE && span_find_byte(text, colon + 1, ':') == SPAN_NONE) {
        port = span_from(text, colon + 1);
        text.len = colon;
    }
    uint64_t number = 0;
    *ret_any = port.len == 0 || span_is(port, "*");
    if ((!*ret_any && !span_decimal(port, UINT16_MAX, &number)) || text.len >= sizeof(address)) {
        return false;
    }
    *ret_port = (uint16_t)number;
    memcpy(address, text.at, text.len);
    address[text.len] = 0;
    if (inet_pton(AF_INET6, address, ret_ip) == 1) {
        return true;
    }
    memset(ret_ip, 0, 10);
    memset(ret_ip + 10, 0xff, 2);
    return inet_pton(AF_INET, address, ret_ip + 12) == 1;
}

static bool parse_protocol(struct span text, uint8_t *ret) {
    static const struct {
        const char *name;
        uint8_t number;
    } known[] = {{"tcp", 6}, {"udp", 17}, {"icmp", 1}, {"icmp6", 58}, {"sctp", 132}, {"esp", 50}};
    uint64_t number;
    for (size_t i = 0; i < ARRAY_LEN(known); i++) {
        if (span_equal_fold(text, span_text(known[i].name))) {
            *ret = known[i].number;
            return true;
        }
    }
    bool ok = span_decimal(text, UINT8_MAX, &number);
    *ret = ok ? (uint8_t)number : 0;
    return ok;
}

int wanted_flow_parse(const char *text, struct wanted_flow *ret, struct err *ret_err) {
    struct span whole = span_text(text);
    size_t slash = span_find_byte(whole, 0, '/'), hyphen = span_find_byte(whole, 0, '-');
    *ret = (struct wanted_flow){.protocol = 0};
    bool ok = hyphen != SPAN_NONE && (slash == SPAN_NONE || slash > hyphen);
    if (ok && slash != SPAN_NONE) {
        ok = parse_protocol(span_from(whole, slash + 1), &ret->protocol);
        whole.len = slash;
    }
    ok = ok && parse_end(span_sub(whole, 0, hyphen), ret->ip[0], &ret->port[0], &ret->any_port[0]) &&
         parse_end(span_from(whole, hyphen + 1), ret->ip[1], &ret->port[1], &ret->any_port[1]);
    if (!ok) {
        (void)err_set(ret_err, -EINVAL, "\"%s\" is no connection", text);
        err_hint(ret_err, "write 10.0.0.1:52000-192.0.2.7:443/tcp or [2001:db8::1]:52000-[2001:db8::2]:443; ports and "
                          "protocol may be left out");
        return -EINVAL;
    }
    return 0;
}

bool wanted_id_fits(const struct wanted_id *w, const struct record *r) {
    return strcmp(w->id, r->id) == 0 && (w->piece == 0 || w->piece == r->segment);
}

static bool fits_one_way(const struct wanted_flow *w, const struct record *r, unsigned first) {
    for (unsigned end = 0; end < 2; end++) {
        unsigned side = end ^ first;
        if (memcmp(w->ip[end], r->ip[side], 16) != 0 || (!w->any_port[end] && w->port[end] != r->port[side])) {
            return false;
        }
    }
    return true;
}

bool wanted_flow_fits(const struct wanted_flow *w, const struct record *r) {
    if (!r->has_ip || (w->protocol && w->protocol != r->ip_protocol)) {
        return false;
    }
    return fits_one_way(w, r, 0) || fits_one_way(w, r, 1);
}
