/* http_sync.c: finds the next HTTP/1 message in a stream that got out of step (missing bytes, wrong lengths).
 *
 * A start line is looked for in complete lines only, anywhere in the line, since a body need not end in a line end.
 */
#include "base/util.h"
#include "dissect/http_parts.h"

#define LINE_MAX 8192 /* a longer piece without line end is given up */

/* The earliest method that ends exactly at `end`. */
static size_t method_before(struct span line, size_t end) {
    for (size_t len = MIN(end, (size_t)HTTP_METHOD_MAX); len >= 3; len--) {
        int method = http_method_at(span_from(line, end - len));
        if (method >= 0 && http_methods[method].len == len) {
            return end - len;
        }
    }
    return SPAN_NONE;
}

/* `at`: where HTTP/1. stands in the line. */
static size_t start_around(struct span line, size_t at) {
    struct http_message m = {0};
    if (http_start_line(span_from(line, at), &m)) {
        return at;
    }
    size_t end = at; /* of the target, then of the method */
    while (end && span_byte(line, end - 1) == ' ') {
        end--;
    }
    while (end && span_byte(line, end - 1) != ' ') {
        end--;
    }
    while (end && span_byte(line, end - 1) == ' ') {
        end--;
    }
    size_t start = end ? method_before(line, end) : SPAN_NONE;
    return start != SPAN_NONE && http_start_line(span_from(line, start), &m) ? start : SPAN_NONE;
}

static size_t start_in_line(struct span line) {
    for (size_t from = 0, hit; (hit = span_find(span_from(line, from), SPAN_LITERAL("HTTP/1."))) != SPAN_NONE;
         from += hit + 1) {
        size_t start = start_around(line, from + hit);
        if (start != SPAN_NONE) {
            return start;
        }
    }
    return SPAN_NONE;
}

size_t http_find_start(struct span s, bool at_end, size_t *ret_done) {
    struct span rest = s, line;
    for (size_t begin = 0; span_line(&rest, &line); begin = s.len - rest.len) {
        size_t start = start_in_line(line);
        if (start != SPAN_NONE) {
            return begin + start;
        }
    }
    *ret_done = at_end || rest.len > LINE_MAX ? s.len : s.len - rest.len;
    return SPAN_NONE;
}
