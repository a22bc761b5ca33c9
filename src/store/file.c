/* file.c: see file.h. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/util.h"
#include "store/file.h"

int file_path(const char *folder, const char *name, char *ret) {
    int len = snprintf(ret, FILE_PATH_MAX, "%s/%s", folder, name);
    return len < 0 || len >= FILE_PATH_MAX ? -ENAMETOOLONG : 0;
}

void fd_close(int *fd) {
    if (*fd >= 0) {
        (void)close(*fd);
        *fd = -1;
    }
}

int file_write(int fd, struct span bytes) {
    while (bytes.len) {
        ssize_t n = write(fd, bytes.at, bytes.len);
        if (n < 0 && errno != EINTR) {
            return -errno;
        }
        bytes = span_from(bytes, n > 0 ? (size_t)n : 0);
    }
    return 0;
}

ssize_t file_read_at(int fd, void *to, size_t len, uint64_t at) {
    size_t done = 0;
    while (done < len) {
        ssize_t n = pread(fd, (uint8_t *)to + done, len - done, (off_t)(at + done));
        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n < 0) {
            return -errno;
        }
        if (n == 0) {
            break;
        }
        done += (size_t)n;
    }
    return (ssize_t)done;
}

int file_read_all(const char *path, struct buf *out) {
    _cleanup_(fd_close) int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        return -errno;
    }
    for (uint64_t at = 0;;) {
        uint8_t *to = buf_reserve(out, 65536);
        if (!to) {
            return -EFBIG;
        }
        ssize_t n = file_read_at(fd, to, 65536, at);
        if (n < 0) {
            return (int)n;
        }
        out->len += (size_t)n;
        at += (uint64_t)n;
        if (n < 65536) {
            return 0;
        }
    }
}

int folder_sync(const char *folder) {
    _cleanup_(fd_close) int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) {
        return -errno;
    }
    return fsync(fd) == 0 ? 0 : -errno;
}

static int write_whole(const char *path, struct span bytes) {
    _cleanup_(fd_close) int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0640);
    if (fd < 0) {
        return -errno;
    }
    int r = file_write(fd, bytes);
    return r == 0 && fdatasync(fd) != 0 ? -errno : r;
}

int file_replace(const char *folder, const char *name, struct span bytes, bool *ret_replaced) {
    bool replaced = false;
    char path[FILE_PATH_MAX], temporary[FILE_PATH_MAX];
    int r = file_path(folder, name, path);
    if (ret_replaced) {
        *ret_replaced = false;
    }
    if (r || snprintf(temporary, sizeof(temporary), "%s/%s.tmp", folder, name) >= (int)sizeof(temporary)) {
        return -ENAMETOOLONG;
    }
    r = write_whole(temporary, bytes);
    if (r == 0) {
        r = rename(temporary, path) == 0 ? 0 : -errno;
        replaced = r == 0 || access(temporary, F_OK) != 0; /* an error does not say that it was not done */
    }
    if (ret_replaced) {
        *ret_replaced = replaced;
    }
    if (r) {
        (void)unlink(temporary);
        return r;
    }
    return folder_sync(folder);
}
