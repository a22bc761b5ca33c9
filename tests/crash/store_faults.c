/* store_faults.c: loaded before the program (LD_PRELOAD): makes calls on files of a store fail, as a full or broken
 * disk does.
 *
 *     FAULTS=CALL:ERROR:FROM:COUNT   calls number FROM to FROM + COUNT - 1 of CALL fail; CALL: write, pwrite,
 * fdatasync, rename, fsync, ftruncate; ERROR: ENOSPC or EIO. `write` then writes half and fails next. With
 * FAULTS_AT=close calls count from store_faults_closing on. With FAULTS_WHILE=PATH only while that file is there. The
 * program asks store_faults_delivered how many calls failed.
 */
#include <dlfcn.h>
#include <errno.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <unistd.h>

static atomic_ullong calls, delivered;
static atomic_bool closing;

/* Whether this call of `name` fails; with errno then. */
static bool fails(const char *name) {
    const char *plan = getenv("FAULTS");
    size_t len = strlen(name);
    if (!plan || strncmp(plan, name, len) != 0 || plan[len] != ':') {
        return false;
    }
    const char *error = plan + len + 1, *from = strchr(error, ':');
    char *end;
    if (!from) {
        return false;
    }
    unsigned long long first = strtoull(from + 1, &end, 10), count = *end == ':' ? strtoull(end + 1, NULL, 10) : 1;
    const char *at = getenv("FAULTS_AT");
    if (at && strcmp(at, "close") == 0 && !closing) {
        return false;
    }
    const char *file = getenv("FAULTS_WHILE");
    if (file && access(file, F_OK) != 0) {
        return false;
    }
    unsigned long long call = atomic_fetch_add(&calls, 1);
    bool now = call >= first && call - first < count;
    errno = strncmp(error, "ENOSPC", 6) == 0 ? ENOSPC : EIO;
    atomic_fetch_add(&delivered, now);
    return now;
}

#define NEXT(name) ((typeof(&name))dlsym(RTLD_NEXT, #name))
#define SHOWN __attribute__((visibility("default")))

SHOWN unsigned long long store_faults_delivered(void);
SHOWN unsigned long long store_faults_delivered(void) {
    return delivered;
}

SHOWN void store_faults_closing(void);
SHOWN void store_faults_closing(void) {
    closing = true;
}

SHOWN ssize_t write(int fd, const void *at, size_t len) {
    if (len > 8 && fails("write")) {
        int error = errno;
        (void)!NEXT(write)(fd, at, len / 2);
        errno = error;
        return -1;
    }
    return NEXT(write)(fd, at, len);
}

SHOWN ssize_t pwrite(int fd, const void *at, size_t len, off_t offset) {
    return fails("pwrite") ? -1 : NEXT(pwrite)(fd, at, len, offset);
}

SHOWN int fdatasync(int fd) {
    return fails("fdatasync") ? -1 : NEXT(fdatasync)(fd);
}

SHOWN int fsync(int fd) {
    return fails("fsync") ? -1 : NEXT(fsync)(fd);
}

SHOWN int rename(const char *from, const char *to) {
    return fails("rename") ? -1 : NEXT(rename)(from, to);
}

SHOWN int ftruncate(int fd, off_t len) {
    return fails("ftruncate") ? -1 : NEXT(ftruncate)(fd, len);
}
