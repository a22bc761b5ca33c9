/* target.c: see target.h. Parts are cut at '/' before they are decoded (RFC 3986, 2.4), so no spelling moves a border.
 */
#include "http/target.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>

#include "base/util.h"
#include "http/params.h"

static bool part_is_dots(const char *part, size_t len) {
    return len && len <= 2 && part[0] == '.' && part[len - 1] == '.';
}

/* A part that holds a '/' of its own may not climb either: the path as a whole is shown to those who look for files. */
static bool path_climbs(const char *path) {
    while (path) {
        const char *part = path + 1;
        path = strchr(part, '/');
        if (part_is_dots(part, path ? (size_t)(path - part) : strlen(part))) {
            return true;
        }
    }
    return false;
}

/* What is behind the base path, from its '/' on. */
static int base_strip(struct span *path, const char *base) {
    struct span whole = span_text(base);
    if (whole.len > 1) {
        struct span bare = span_sub(whole, 0, whole.len - 1);
        if (!span_starts(*path, bare) || (path->len > bare.len && path->at[bare.len] != '/')) {
            return -ENOENT;
        }
        *path = span_from(*path, bare.len);
    }
    return 0;
}

static int parts_decode(struct target *t, char *text, size_t len) {
    for (size_t at = 1; at <= len;) {
        char *end = memchr(text + at, '/', len - at);
        size_t stop = end ? (size_t)(end - text) : len;
        if (stop > at || end) {
            if (t->count == TARGET_PARTS) {
                return -E2BIG;
            }
            size_t n = percent_decode(text + at, stop - at, false, true);
            if (n == SPAN_NONE || memchr(text + at, 0, n) || part_is_dots(text + at, n)) {
                return -EINVAL;
            }
            text[at + n] = 0;
            t->parts[t->count++] = text + at;
        }
        at = stop + 1;
    }
    return 0;
}

int target_parse(struct span text, const char *base, struct target *ret_target) {
    struct target t = {0};
    size_t mark = span_find_byte(text, 0, '?');
    struct span path = mark == SPAN_NONE ? text : span_sub(text, 0, mark);
    t.query = mark == SPAN_NONE ? span_make("", 0) : span_from(text, mark + 1);
    if (span_byte(path, 0) != '/') {
        return -EINVAL;
    }
    int code = base_strip(&path, base);
    if (code < 0) {
        return code;
    }
    t.path = malloc(path.len + 2);
    t.memory = malloc(path.len + 2);
    if (!t.path || !t.memory) {
        target_done(&t);
        return -ENOMEM;
    }
    path = path.len ? path : SPAN_LITERAL("/");
    *span_copy_to(path, (uint8_t *)t.path) = 0;
    *span_copy_to(path, (uint8_t *)t.memory) = 0;
    code = parts_decode(&t, t.memory, path.len);
    size_t n = percent_decode(t.path, path.len, false, true);
    if (n != SPAN_NONE) {
        t.path[n] = 0;
    }
    if (code < 0 || n == SPAN_NONE || path_climbs(t.path)) {
        target_done(&t);
        return code < 0 ? code : -EINVAL;
    }
    *ret_target = t;
    return 0;
}

void target_done(struct target *t) {
    free(t->path);
    free(t->memory);
    *t = (struct target){0};
}

struct span host_name(struct span header) {
    header = span_trim(header);
    if (span_byte(header, 0) == '[') {
        size_t end = span_find_byte(header, 0, ']');
        bool good = end != SPAN_NONE && (end + 1 == header.len || header.at[end + 1] == ':');
        return good ? span_sub(header, 0, end + 1) : (struct span){0};
    }
    size_t colon = span_find_byte(header, 0, ':');
    return colon == SPAN_NONE ? header : span_sub(header, 0, colon);
}

bool host_is_loopback(struct span name) {
    char text[16];
    struct in_addr address;
    if (span_equal_fold(name, SPAN_LITERAL("localhost")) || span_is(name, "[::1]")) {
        return true;
    }
    if (name.len >= sizeof(text)) {
        return false;
    }
    *span_copy_to(name, (uint8_t *)text) = 0;
    return inet_pton(AF_INET, text, &address) == 1 && ntohl(address.s_addr) >> 24 == 127;
}

bool host_listed(struct span name, const char *const *names) {
    for (; names && *names; names++) {
        if (span_equal_fold(name, span_text(*names))) {
            return true;
        }
    }
    return false;
}
