/* buf.c: doubling byte buffer under a ceiling. */
#include "base/buf.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/util.h"

void buf_init(struct buf *b, size_t ceiling) {
    *b = (struct buf){.ceiling = ceiling};
}

void buf_done(struct buf *b) {
    free(b->data);
    *b = (struct buf){.ceiling = b->ceiling};
}

uint8_t *buf_reserve_slow(struct buf *b, size_t n) {
    if (b->overflowed || n > b->ceiling || b->len > b->ceiling - n) {
        b->overflowed = true;
        return NULL;
    }
    if (b->cap - b->len < n || !b->data) {
        size_t cap = MAX(b->cap * 2, (size_t)256);
        cap = MIN(MAX(cap, b->len + n), b->ceiling);
        uint8_t *data = realloc(b->data, cap);
        if (!data) {
            b->overflowed = true;
            return NULL;
        }
        b->data = data;
        b->cap = cap;
    }
    return b->data + b->len;
}

void buf_add_text(struct buf *b, const char *text) {
    buf_add(b, text, strlen(text));
}

void buf_add_u64(struct buf *b, uint64_t value) {
    char digits[20];
    size_t n = sizeof(digits);
    do {
        digits[--n] = (char)('0' + value % 10);
        value /= 10;
    } while (value);
    buf_add(b, digits + n, sizeof(digits) - n);
}

void buf_printf(struct buf *b, const char *format, ...) {
    va_list list;
    va_start(list, format);
    int n = vsnprintf(NULL, 0, format, list);
    va_end(list);
    if (n < 0 || !buf_reserve(b, (size_t)n + 1)) {
        return;
    }
    va_start(list, format);
    (void)vsnprintf((char *)b->data + b->len, (size_t)n + 1, format, list);
    va_end(list);
    b->len += (size_t)n;
}
