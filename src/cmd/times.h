/* times.h: points in time on the command line: dates, and relative ones, as in expressions.
 *
 * Owner: none. Thread: any.
 */
#ifndef SEINE_CMD_TIMES_H
#define SEINE_CMD_TIMES_H

#include <stdint.h>

/* The milliseconds that `text` covers; what is no time is said, with the option's name: EXIT_USAGE. */
int times_read(const char *option, const char *text, int64_t now, int64_t *ret_low, int64_t *ret_high);

#endif
