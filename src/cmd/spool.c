/* spool.c: see spool.h. */
#include "cmd/spool.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/util.h"
#include "cmd/cmd.h"
#include "store/file.h"

#define COPY_SIZE ((size_t)1 << 20)

/* Not every file system makes files without a name. */
static int open_unnamed(const char *folder) {
    int fd = open(folder, O_TMPFILE | O_RDWR | O_CLOEXEC | O_EXCL, 0600);
    if (fd >= 0) {
        return fd;
    }
    char name[4096];
    int n = snprintf(name, sizeof(name), "%s/seine-XXXXXX", folder);
    if (n < 0 || n >= (int)sizeof(name)) {
        return -1;
    }
    fd = mkostemp(name, O_CLOEXEC);
    if (fd >= 0) {
        (void)unlink(name);
    }
    return fd;
}

int spool_open(struct spool *s, int in_memory) {
    const char *folders[] = {getenv("TMPDIR"), "/var/tmp", "/tmp"};
    s->fd = in_memory ? memfd_create("seine", MFD_CLOEXEC) : -1;
    for (size_t i = 0; i < ARRAY_LEN(folders) && s->fd < 0 && !in_memory; i++) {
        s->fd = folders[i] && *folders[i] ? open_unnamed(folders[i]) : -1;
    }
    if (s->fd < 0) {
        say("no temporary file can be made: %s%s", strerror(errno),
            in_memory ? "" : "; set TMPDIR to a folder with room");
        return EXIT_FULL;
    }
    (void)snprintf(s->path, sizeof(s->path), "/proc/self/fd/%d", s->fd);
    return EXIT_DONE;
}

int spool_fill(struct spool *s, int fd, uint64_t ceiling) {
    char *block = malloc(COPY_SIZE);
    uint64_t total = 0;
    int code = block ? 0 : -ENOMEM;
    while (code == 0) {
        ssize_t n = read(fd, block, COPY_SIZE);
        if (n == 0) {
            break;
        }
        if (n < 0) {
            code = errno == EINTR ? 0 : -errno;
            continue;
        }
        total += (uint64_t)n;
        code = total > ceiling ? -EFBIG : file_write(s->fd, span_make(block, (size_t)n));
    }
    free(block);
    if (code == -EFBIG) {
        say("more than %llu MiB do not fit here", (unsigned long long)(ceiling >> 20));
        return EXIT_FULL;
    }
    if (code < 0) {
        say("the input cannot be kept: %s", strerror(-code));
        return code == -ENOSPC || code == -EDQUOT ? EXIT_FULL : EXIT_PARTIAL;
    }
    return EXIT_DONE;
}

void spool_close(struct spool *s) {
    if (s->fd > 0) {
        (void)close(s->fd);
        s->fd = -1;
    }
}
