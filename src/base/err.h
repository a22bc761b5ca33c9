/* err.h: an error a person must understand: what, where, what to do.
 *
 * Owner: caller's stack. Used for things users write (configuration, expressions, files); plain operations return
 * -errno.
 */
#ifndef SEINE_BASE_ERR_H
#define SEINE_BASE_ERR_H

#include <stddef.h>

struct err {
    int code;         /* -errno, or 0 when nothing is wrong */
    int line, column; /* 1-based; 0 = does not apply */
    char text[400];
    char hint[160]; /* what to do; may be empty */
};

/* Fills `e` (NULL is fine) and returns `code`. */
int err_set(struct err *e, int code, const char *format, ...) __attribute__((format(printf, 3, 4)));
void err_hint(struct err *e, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Number of single-letter edits between two names, letters compared without case; for "did you mean". */
size_t text_distance(const char *a, const char *b);

#endif
