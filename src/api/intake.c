/* intake.c: see intake.h. */
#include "api/intake.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "api/ask.h"
#include "api/counters.h"
#include "base/util.h"

#define SPACE_LEFT ((uint64_t)64 << 20) /* bytes of the disk that uploads leave free */
#define SPACE_EVERY ((uint64_t)16 << 20)

/* The last part of a name, of characters that are the same everywhere. */
static void name_clean(const char *name, char ret[INTAKE_NAME_MAX]) {
    size_t n = 0;
    for (const char *at = name; *at; at++) {
        n = *at == '/' || *at == '\\' ? 0 : n;
        bool plain = (*at >= 'a' && *at <= 'z') || (*at >= 'A' && *at <= 'Z') || (*at >= '0' && *at <= '9') ||
                     *at == '.' || *at == '-' || *at == '_';
        if (n < INTAKE_NAME_MAX - 1 && *at != '/' && *at != '\\') {
            ret[n++] = plain ? *at : '_';
        }
    }
    ret[n] = 0;
}

/* The file's name, of those that nobody has yet: it is created with it, or gets it when it is there without one. */
static int name_take(struct intake *i) {
    char own[32];
    int done = -1;
    (void)snprintf(own, sizeof(own), "/proc/self/fd/%d", i->fd);
    for (unsigned turn = 0; done < 0 && turn < 1000; turn++) {
        if (asprintf(&i->path, "%s-%u-%s", i->stem, turn, i->name) < 0) {
            i->path = NULL;
            return -ENOMEM;
        }
        if (i->fd >= 0) {
            done = linkat(AT_FDCWD, own, AT_FDCWD, i->path, AT_SYMLINK_FOLLOW);
        } else {
            done = i->fd = open(i->path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
        }
        int code = -errno;
        if (done < 0) {
            free(TAKE(i->path)); /* not ours */
        }
        if (done < 0 && code != -EEXIST) {
            return code;
        }
    }
    return done < 0 ? -EEXIST : 0;
}

/* Without a name it goes when this program does, whatever ends it. */
static int file_make(struct intake *i, const char *folder) {
    i->fd = access("/proc/self/fd", X_OK) == 0 ? open(folder, O_TMPFILE | O_WRONLY | O_CLOEXEC, 0600) : -1;
    return i->fd >= 0 ? 0 : name_take(i); /* not every file system has such files */
}

static int refuse(struct intake *i, int code) {
    char text[128];
    return err_set(&i->err, code, "the capture cannot be kept: %s", strerror_r(-code, text, sizeof(text)));
}

int intake_open(struct intake *i, struct call *c, const char *kind, const char *name) {
    char when[32], folder[4096], text[128];
    struct tm tm;
    time_t now = time(NULL);
    *i = (struct intake){.call = c, .fd = -1, .limit = c->api->settings->upload_max};
    name_clean(name, i->name);
    if (!i->name[0]) {
        (void)snprintf(i->name, sizeof(i->name), "capture");
    }
    (void)gmtime_r(&now, &tm);
    (void)strftime(when, sizeof(when), "%Y%m%d-%H%M%S", &tm);
    int n = snprintf(folder, sizeof(folder), "%s/captures", c->api->folder);
    if (n < 0 || n >= (int)sizeof(folder)) {
        return err_set(&i->err, -ENAMETOOLONG, "the path of the store is too long");
    }
    if (mkdir(folder, 0700) < 0 && errno != EEXIST) {
        return err_set(&i->err, -errno, "there is no folder for captures: %s", strerror_r(errno, text, sizeof(text)));
    }
    char *full = realpath(folder, NULL);
    int code = full ? 0 : -errno;
    if (code == 0 && asprintf(&i->stem, "%s/%s-%s", full, kind, when) < 0) {
        i->stem = NULL;
        code = -ENOMEM;
    }
    code = code < 0 ? code : file_make(i, full);
    free(full);
    return code < 0 ? refuse(i, code) : 0;
}

int intake_write(struct intake *i, struct span bytes) {
    char text[128];
    if (i->bytes + bytes.len > i->limit) {
        return err_set(&i->err, -EFBIG, "the capture is larger than %llu bytes (uploadFileSizeLimit)",
                       (unsigned long long)i->limit);
    }
    if (i->bytes / SPACE_EVERY != (i->bytes + bytes.len) / SPACE_EVERY || i->bytes == 0) {
        struct machine m;
        machine_read(i->call->api->folder, &m);
        if (m.free_bytes < SPACE_LEFT + bytes.len) {
            return err_set(&i->err, -ENOSPC, "the disk of the store is full");
        }
    }
    for (size_t at = 0; at < bytes.len;) {
        ssize_t n = write(i->fd, bytes.at + at, bytes.len - at);
        if (n < 0 && errno != EINTR) {
            return err_set(&i->err, -errno, "the capture cannot be kept: %s", strerror_r(errno, text, sizeof(text)));
        }
        at += n > 0 ? (size_t)n : 0;
    }
    i->bytes += bytes.len;
    return 0;
}

int intake_import(struct intake *i, struct span tags, struct import_result *ret) {
    const struct api *api = i->call->api;
    *ret = (struct import_result){0};
    if (i->bytes == 0) {
        return err_set(&i->err, -ENODATA, "the capture is empty");
    }
    int code = i->path ? 0 : name_take(i);
    if (code < 0) {
        return refuse(i, code);
    }
    int fd = i->fd;
    i->fd = -1;
    bool kept = fsync(fd) == 0; /* with its name */
    kept = close(fd) == 0 && kept;
    if (!kept) {
        return err_set(&i->err, -EIO, "the capture cannot be kept");
    }
    code = api->import(api->import_ctx, &(struct import_request){i->path, tags}, ret, &i->err);
    if (code < 0 && ret->sessions) {
        const struct err why = i->err;
        (void)err_set(&i->err, code,
                      "%.300s; sessions of it are in the store: it is kept as %s, which `seine import` reads again",
                      why.text, strrchr(i->path, '/') + 1);
    }
    if (code == 0 || ret->sessions) {
        if (api->store) {
            (void)store_refresh(api->store);
        }
        free(TAKE(i->path)); /* it stays: packets of sessions are in there */
    }
    return code;
}

void intake_close(struct intake *i) {
    if (i->fd >= 0) {
        (void)close(i->fd);
    }
    if (i->path) {
        (void)unlink(i->path);
    }
    free(i->path);
    free(i->stem);
    *i = (struct intake){.fd = -1};
}

int intake_status(int code) {
    switch (code) {
    case -EFBIG:
        return 413;
    case -EBUSY:
        return 409;
    case -ENODATA:
    case -EINVAL:
        return 400;
    case -ENOSPC:
    case -EDQUOT:
        return 507;
    default:
        return ask_status(code);
    }
}

bool tags_are_good(struct span tags) {
    for (size_t i = 0; i < tags.len; i++) {
        uint8_t b = tags.at[i];
        if (!((b | 32) >= 'a' && (b | 32) <= 'z') && !(b >= '0' && b <= '9') && !strchr("-_:,", b)) {
            return false;
        }
    }
    return true;
}
