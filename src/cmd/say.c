/* say.c: sentences for people, on standard error; control characters are escaped. */
#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "cmd/cmd.h"

void say(const char *format, ...) {
    char text[2048]; /* one write: lines of several threads do not mix */
    va_list args;
    va_start(args, format);
    (void)vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    char clean[4 * sizeof(text)];
    size_t n = 0;
    for (const char *at = text; *at; at++) { /* names of files and values of captures may hold anything */
        unsigned char byte = (unsigned char)*at;
        if (byte < 0x20 || byte == 0x7f) {
            n += (size_t)snprintf(clean + n, 5, "\\x%02x", byte);
        } else {
            clean[n++] = *at;
        }
    }
    clean[n] = 0;
    (void)fprintf(stderr, "seine: %s\n", clean);
}

void say_err(const char *what, const struct err *e) {
    char place[32] = "";
    if (e->line && e->column) {
        (void)snprintf(place, sizeof(place), ":%d:%d", e->line, e->column);
    } else if (e->line) {
        (void)snprintf(place, sizeof(place), ":%d", e->line);
    }
    say("%s%s%s%s%s%s%s", what ? what : "", what ? place : "", what ? ": " : "", e->text, e->hint[0] ? " (" : "",
        e->hint, e->hint[0] ? ")" : "");
}

int stdout_end(int code) {
    bool failed = ferror(stdout) != 0;
    errno = 0;
    failed = fflush(stdout) != 0 || failed;
    if (!failed || errno == EPIPE || (code != EXIT_DONE && code != EXIT_NOTHING)) {
        return code;
    }
    int why = errno;
    say("standard output cannot be written%s%s; what was written is incomplete", why ? ": " : "",
        why ? strerror(why) : "");
    return why == 0 || why == ENOSPC || why == EDQUOT ? EXIT_FULL : EXIT_PARTIAL;
}
