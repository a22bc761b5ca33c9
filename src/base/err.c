/* err.c: error texts and name distance. */
#include "base/err.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "base/util.h"

int err_set(struct err *e, int code, const char *format, ...) {
    if (e) {
        *e = (struct err){.code = code, .line = e->line, .column = e->column};
        va_list list;
        va_start(list, format);
        (void)vsnprintf(e->text, sizeof(e->text), format, list);
        va_end(list);
    }
    return code;
}

void err_hint(struct err *e, const char *format, ...) {
    if (e) {
        va_list list;
        va_start(list, format);
        (void)vsnprintf(e->hint, sizeof(e->hint), format, list);
        va_end(list);
    }
}

static char lower(char c) {
    return c >= 'A' && c <= 'Z' ? (char)(c | 0x20) : c;
}

size_t text_distance(const char *a, const char *b) {
    enum { LONGEST = 63 };
    size_t la = strnlen(a, LONGEST), lb = strnlen(b, LONGEST);
    size_t row[LONGEST + 1];
    for (size_t j = 0; j <= lb; j++) {
        row[j] = j;
    }
    for (size_t i = 1; i <= la; i++) {
        size_t diagonal = row[0];
        row[0] = i;
        for (size_t j = 1; j <= lb; j++) {
            size_t above = row[j];
            size_t change = diagonal + (lower(a[i - 1]) != lower(b[j - 1]));
            row[j] = MIN(change, MIN(above, row[j - 1]) + 1);
            diagonal = above;
        }
    }
    return row[lb];
}
