/*
 * bench-measure: runs a command and writes what it cost, as the kernel counted it: wall clock, user and system time,
 * peak resident memory. It exists because the peak that a parent sees includes the parent's own size from before exec:
 * a Python script would add its own to every small tool.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define EXIT_USAGE 64
#define EXIT_CANNOT_RUN 127

static double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static double seconds(struct timeval t) {
    return (double)t.tv_sec + (double)t.tv_usec / 1e6;
}

/* Waits for the child to end. True when it had to be killed because its time was over. */
static bool wait_or_kill(pid_t child, double limit_s) {
    int fd = pidfd_open(child, 0);
    double end = now() + limit_s;
    for (;;) {
        double left = end - now();
        struct pollfd p = {.fd = fd, .events = POLLIN};
        int n = fd < 0 || left <= 0 ? 0 : poll(&p, 1, (int)(left * 1000) + 1);
        if (n > 0) {
            close(fd);
            return false;
        }
        if (n == 0 || errno != EINTR) {
            break;
        }
    }
    kill(-child, SIGKILL); /* its group: some tools have children of their own */
    if (fd >= 0) {
        close(fd);
    }
    return true;
}

int main(int argc, char **argv) {
    char *end = NULL;
    double limit_s = argc > 3 ? strtod(argv[2], &end) : 0;
    if (end == NULL || *end != '\0' || !(limit_s > 0 && limit_s < 1e6)) {
        fputs("Usage: bench-measure RESULT-FILE SECONDS COMMAND [ARGUMENT...]\n"
              "Writes one line: wall user system (seconds) peak (KiB) exit-code signal timed-out\n",
              stderr);
        return EXIT_USAGE;
    }
    int out = open(argv[1], O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    if (out < 0) {
        fprintf(stderr, "bench-measure: %s: %s\n", argv[1], strerror(errno));
        return EXIT_USAGE;
    }
    double start = now();
    pid_t child = fork();
    if (child == 0) {
        setpgid(0, 0);
        execvp(argv[3], argv + 3);
        fprintf(stderr, "bench-measure: %s: %s\n", argv[3], strerror(errno));
        _exit(EXIT_CANNOT_RUN);
    }
    if (child < 0) {
        fprintf(stderr, "bench-measure: cannot start a process: %s\n", strerror(errno));
        return EXIT_CANNOT_RUN;
    }
    setpgid(child, child);
    bool timed_out = wait_or_kill(child, limit_s);
    int status = 0;
    struct rusage usage = {0};
    while (wait4(child, &status, 0, &usage) < 0 && errno == EINTR) {
    }
    dprintf(out, "%.4f %.4f %.4f %ld %d %d %d\n", now() - start, seconds(usage.ru_utime), seconds(usage.ru_stime),
            usage.ru_maxrss, WIFEXITED(status) ? WEXITSTATUS(status) : -1, WIFSIGNALED(status) ? WTERMSIG(status) : 0,
            timed_out);
    close(out);
    return 0;
}
