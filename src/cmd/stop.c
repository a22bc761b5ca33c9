/* stop.c: see stop.h. */
#include "cmd/stop.h"

#include <errno.h>
#include <pthread.h>
#include <stddef.h>
#include <sys/signalfd.h>
#include <unistd.h>

int stop_init(struct stop *s) {
    sigset_t wanted;
    *s = (struct stop){.fd = -1};
    (void)sigemptyset(&wanted);
    (void)sigaddset(&wanted, SIGINT);
    (void)sigaddset(&wanted, SIGTERM);
    (void)sigaddset(&wanted, SIGUSR1);
    int code = pthread_sigmask(SIG_BLOCK, &wanted, &s->before);
    if (code) {
        return -code;
    }
    s->blocked = true;
    s->fd = signalfd(-1, &wanted, SFD_NONBLOCK | SFD_CLOEXEC);
    return s->fd < 0 ? -errno : 0;
}

static void unblock(struct stop *s) {
    if (s->blocked) {
        (void)pthread_sigmask(SIG_SETMASK, &s->before, NULL);
        s->blocked = false;
    }
}

bool stop_wanted(struct stop *s, bool *ret_asked) {
    struct signalfd_siginfo info;
    while (s->fd >= 0 && s->signal == 0 && read(s->fd, &info, sizeof(info)) == (ssize_t)sizeof(info)) {
        if (info.ssi_signo == SIGUSR1) {
            *ret_asked = true;
        } else {
            __atomic_store_n(&s->signal, (int)info.ssi_signo, __ATOMIC_RELAXED);
            unblock(s);
        }
    }
    return s->signal != 0;
}

void stop_done(struct stop *s) {
    if (s->fd >= 0) {
        (void)close(s->fd);
        s->fd = -1;
    }
    unblock(s);
}
