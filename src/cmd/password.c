/* password.c: see password.h. */
#include "cmd/password.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "cmd/cmd.h"

#define LONGEST 1100

static bool read_line(FILE *from, char *ret, size_t size) {
    bool got = fgets(ret, (int)size, from) != NULL;
    ret[got ? strcspn(ret, "\r\n") : 0] = 0;
    return got;
}

static int ask(const char *prompt, const char *user, char *ret, size_t size) {
    struct termios before, silent;
    FILE *terminal = fopen("/dev/tty", "r+e");
    if (!terminal) {
        say("there is no terminal to ask for the password of %s", user);
        return EXIT_USAGE;
    }
    int fd = fileno(terminal);
    bool hidden = tcgetattr(fd, &before) == 0;
    (void)fprintf(terminal, "%s of %s: ", prompt, user);
    (void)fflush(terminal);
    if (hidden) {
        silent = before;
        silent.c_lflag &= ~(tcflag_t)ECHO;
        (void)tcsetattr(fd, TCSAFLUSH, &silent);
    }
    (void)read_line(terminal, ret, size);
    if (hidden) {
        (void)tcsetattr(fd, TCSAFLUSH, &before);
    }
    (void)fputc('\n', terminal);
    (void)fclose(terminal);
    return EXIT_DONE;
}

int password_ask(const char *user, char *ret, size_t size) {
    return ask("password", user, ret, size);
}

int password_choose(const char *user, char *ret, size_t size) {
    char again[LONGEST];
    if (!isatty(STDIN_FILENO)) {
        if (!read_line(stdin, ret, size)) {
            say("the password of %s is the first line of standard input, which is empty", user);
            return EXIT_USAGE;
        }
        return EXIT_DONE;
    }
    int code = ask("new password", user, ret, size);
    code = code == EXIT_DONE ? ask("once more: password", user, again, sizeof(again)) : code;
    if (code == EXIT_DONE && strcmp(ret, again) != 0) {
        say("the two differ");
        code = EXIT_USAGE;
    }
    explicit_bzero(again, sizeof(again));
    return code;
}
