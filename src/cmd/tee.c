/* tee.c: see tee.h. */
#include "cmd/tee.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/util.h"
#include "store/file.h"

#define BLOCK ((size_t)1 << 18)

char *tee_path(void) {
    struct stat in, named;
    char *path = realpath("/proc/self/fd/0", NULL);
    bool same = path && fstat(STDIN_FILENO, &in) == 0 && S_ISREG(in.st_mode) && stat(path, &named) == 0 &&
                in.st_dev == named.st_dev && in.st_ino == named.st_ino && lseek(STDIN_FILENO, 0, SEEK_CUR) == 0;
    if (!same) {
        free(path);
        return NULL;
    }
    return path;
}

/* The copy comes first: whoever hears of a packet can fetch it. */
static void *copy_main(void *arg) {
    struct tee *t = arg;
    sigset_t pipe_signal;
    int code = 0;
    (void)sigemptyset(&pipe_signal);
    (void)sigaddset(&pipe_signal, SIGPIPE);
    (void)pthread_sigmask(SIG_BLOCK, &pipe_signal, NULL); /* a pipe that nobody reads any more is an answer of write */
    while (code == 0) {
        ssize_t n = read(t->from, t->block, BLOCK);
        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n <= 0) {
            break;
        }
        code = file_write(t->file, span_make(t->block, (size_t)n));
        if (code == 0 && file_write(t->to, span_make(t->block, (size_t)n)) < 0) {
            break; /* nobody reads any more */
        }
    }
    t->failed = -code;
    (void)close(t->to);
    t->to = -1;
    return NULL;
}

static void close_fd(int *fd) {
    if (*fd >= 0) {
        (void)close(*fd);
        *fd = -1;
    }
}

int tee_start(struct tee *t, const char *path) {
    int pipes[2] = {-1, -1}, code = 0;
    *t = (struct tee){.from = -1, .to = -1, .file = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600)};
    if (t->file < 0 || pipe2(pipes, O_CLOEXEC) < 0) {
        code = -errno;
        close_fd(&t->file);
        return code;
    }
    t->to = pipes[1];
    t->from = fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 3);
    if (t->from < 0 || dup2(pipes[0], STDIN_FILENO) < 0) {
        code = -errno;
    }
    close_fd(&pipes[0]);
    t->block = malloc(BLOCK);
    code = code < 0 ? code : t->block ? 0 : -ENOMEM;
    if (code == 0) {
        code = -pthread_create(&t->thread, NULL, copy_main, t);
    }
    t->started = code == 0;
    if (code < 0) {
        free(TAKE(t->block));
        close_fd(&t->from);
        close_fd(&t->to);
        close_fd(&t->file);
    }
    return code;
}

int tee_stop(struct tee *t) {
    if (!t->started) {
        return 0;
    }
    int nothing = open("/dev/null", O_RDONLY | O_CLOEXEC);
    if (nothing >= 0) {
        (void)dup2(nothing, STDIN_FILENO); /* the pipe's last reader goes: a write that waits ends */
        (void)close(nothing);
    }
    (void)pthread_cancel(t->thread); /* it may wait for ever for a silent standard input */
    (void)pthread_join(t->thread, NULL);
    t->started = false;
    free(TAKE(t->block));
    close_fd(&t->from);
    close_fd(&t->to);
    close_fd(&t->file);
    return -t->failed;
}
