/* password.h: passwords from people: from the terminal, where they are not shown, or a line of standard input.
 *
 * Owner: the caller wipes it. Thread: main. Failure: said; the exit code returned.
 */
#ifndef SEINE_CMD_PASSWORD_H
#define SEINE_CMD_PASSWORD_H

#include <stddef.h>

/* Asks at the terminal, also when standard input is something else. */
int password_ask(const char *user, char *ret, size_t size);
/* A new one: twice at the terminal when standard input is one, else its first line. */
int password_choose(const char *user, char *ret, size_t size);

#endif
