/* say.c: sentences for people, on standard error. */
#include <stdarg.h>
#include <stdio.h>

#include "cmd/cmd.h"

void say(const char *format, ...) {
    char text[2048]; /* one write: lines of several threads do not mix */
    va_list args;
    va_start(args, format);
    (void)vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    (void)fprintf(stderr, "seine: %s\n", text);
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
