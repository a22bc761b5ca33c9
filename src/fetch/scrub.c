/* scrub.c: see scrub.h.
 *
 * Decision: a capture is opened once, without following a link, and everything is asked of and written to that
 * descriptor: what was checked is what is changed.
 */
#include "fetch/scrub.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/util.h"
#include "source/capture.h"

#define BLOCK ((size_t)64 << 10)
#define PASSES 3
#define BLOCK_SIMPLE 3u /* of pcapng: 12 bytes before the packet; the other kinds have 28 */

static const char last_pass[] = "Scrubbed by Seine. ";

/* --- the capture --- */

struct opened {
    int fd;
    enum capture_format format;
    unsigned header; /* of a record: pcap only */
};

static int refuse(struct err *e, int code, const char *name, const char *why) {
    return err_set(e, code, "%s cannot be scrubbed: %s", name, why);
}

/* What is open lies below `folder`: it is asked of the descriptor, since the name may lead elsewhere by now. */
static bool is_below(int fd, const char *folder) {
    char name[32];
    (void)snprintf(name, sizeof(name), "/proc/self/fd/%d", fd);
    char *real = realpath(name, NULL), *top = realpath(folder, NULL);
    size_t n = top ? strlen(top) : 0;
    bool below = real && top && strncmp(real, top, n) == 0 && real[n] == '/';
    free(real);
    free(top);
    return below;
}

static bool is_in_archive(const char *name) {
    struct stat st;
    char *path = strdup(name);
    bool found = false;
    for (char *mark = path ? strrchr(path, '!') : NULL; mark && !found; mark = strrchr(path, '!')) {
        *mark = 0;
        found = stat(path, &st) == 0;
    }
    free(path);
    return found;
}

static int head_read(struct opened *o, const char *name, struct err *e) {
    uint8_t head[24];
    ssize_t n = pread(o->fd, head, sizeof(head), 0);
    o->format = n == (ssize_t)sizeof(head) ? capture_recognise(head, sizeof(head)) : CAPTURE_NONE;
    uint32_t magic;
    if (o->format == CAPTURE_NONE) {
        return refuse(e, -EOPNOTSUPP, name, "it is compressed, or no capture: only plain pcap and pcapng files can be");
    }
    memcpy(&magic, head + (o->format == CAPTURE_PCAPNG ? 8 : 0), sizeof(magic));
    o->header = magic == 0xa1b2cd34 || __builtin_bswap32(magic) == 0xa1b2cd34 ? 24 : 16;
    return 0;
}

static int capture_open(const struct capture_known *known, const char *own, struct opened *o, struct err *e) {
    struct stat st;
    char text[128];
    *o = (struct opened){.fd = open(known->name, O_RDWR | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC)};
    if (o->fd < 0) {
        int code = -errno;
        if ((code == -ENOENT || code == -ENOTDIR) && is_in_archive(known->name)) {
            return refuse(e, -EOPNOTSUPP, known->name, "it is in an archive");
        }
        return refuse(e, code, known->name,
                      code == -ELOOP ? "it is a symbolic link" : strerror_r(-code, text, sizeof(text)));
    }
    int code = 0;
    if (fstat(o->fd, &st) < 0) {
        code = refuse(e, -errno, known->name, strerror_r(errno, text, sizeof(text)));
    } else if (!S_ISREG(st.st_mode)) {
        code = refuse(e, -EOPNOTSUPP, known->name, "it is no regular file");
    } else if ((uint64_t)st.st_size < known->size) {
        code = refuse(e, -ESTALE, known->name, "it was changed since it was read");
    } else if (own && !is_below(o->fd, own)) {
        code = refuse(e, -EPERM, known->name,
                      "it lies outside the store's folder (the setting scrubForeign=true lets it be changed)");
    } else if (own && st.st_nlink > 1) {
        code = refuse(e, -EPERM, known->name,
                      "it has a second name, which may lie outside the store's folder (the setting scrubForeign=true "
                      "lets it be changed)");
    } else {
        code = head_read(o, known->name, e);
    }
    if (code < 0) {
        (void)close(o->fd);
        o->fd = -1;
    }
    return code;
}

int scrub_check(const struct capture_known *known, const char *own, struct err *ret_err) {
    struct opened o;
    int code = capture_open(known, own, &o, ret_err);
    if (code == 0) {
        (void)close(o.fd);
    }
    return code;
}

/* --- its packets --- */

struct extent {
    uint64_t at;
    uint32_t length;
};

/* Where the bytes of the packet at `position` begin. */
static uint64_t bytes_at(const struct opened *o, uint64_t position) {
    uint8_t head[4];
    uint32_t type = 0;
    if (o->format == CAPTURE_PCAP) {
        return position + o->header;
    }
    if (pread(o->fd, head, sizeof(head), (off_t)position) == (ssize_t)sizeof(head)) {
        memcpy(&type, head, sizeof(type));
    }
    return position + (type == BLOCK_SIMPLE || __builtin_bswap32(type) == BLOCK_SIMPLE ? 12 : 28);
}

/* What stands there is what reading gave. */
static bool is_packet(const struct opened *o, const struct extent *x, const uint8_t *data, uint8_t *block) {
    for (uint32_t done = 0; done < x->length;) {
        size_t n = MIN((size_t)(x->length - done), BLOCK);
        if (pread(o->fd, block, n, (off_t)(x->at + done)) != (ssize_t)n || memcmp(block, data + done, n) != 0) {
            return false;
        }
        done += (uint32_t)n;
    }
    return true;
}

static void pass_fill(unsigned pass, uint8_t *block) {
    if (pass < PASSES - 1) {
        memset(block, (int)pass, BLOCK);
        return;
    }
    for (size_t i = 0; i < BLOCK; i++) {
        block[i] = (uint8_t)last_pass[i % (sizeof(last_pass) - 1)];
    }
}

static int write_whole(int fd, const uint8_t *at, size_t n, uint64_t position) {
    while (n) {
        ssize_t did = pwrite(fd, at, n, (off_t)position);
        if (did < 0 && errno != EINTR) {
            return -errno;
        }
        size_t part = did > 0 ? (size_t)did : 0;
        at += part;
        n -= part;
        position += part;
    }
    return 0;
}

static int pass_write(const struct opened *o, const struct extent *list, size_t count, const uint8_t *block) {
    int code = 0;
    for (size_t i = 0; code == 0 && i < count; i++) {
        for (uint32_t done = 0; code == 0 && done < list[i].length;) {
            size_t n = MIN((size_t)(list[i].length - done), BLOCK);
            code = write_whole(o->fd, block, n, list[i].at + done);
            done += (uint32_t)n;
        }
    }
    return code < 0 ? code : fdatasync(o->fd) < 0 ? -errno : 0;
}

struct scrub {
    const struct scrub_request *request;
    struct scrub_result *result;
    struct extent *list;
    size_t count;
    uint8_t *block;
    struct err *err;
};

static int find_packets(struct scrub *x, const struct opened *o, const struct capture_packet *list, size_t count) {
    for (size_t i = 0; i < count; i++) {
        struct packet p;
        struct err e = {0};
        if (i && list[i].at.position == list[i - 1].at.position) {
            continue; /* of several sessions */
        }
        int code = captures_read(x->request->captures, &list[i], &p, &e);
        if (code == -ENOMEM) {
            return code;
        }
        struct extent extent = {code == 0 ? bytes_at(o, list[i].at.position) : 0, code == 0 ? p.captured : 0};
        if (code == 0 && !is_packet(o, &extent, p.data, x->block)) {
            const char *name = captures_name(x->request->captures, list[i].at.file);
            code = err_set(&e, -ESTALE, "%s has no packet at %llu", name ? name : "the capture",
                           (unsigned long long)list[i].at.position);
        }
        if (code < 0) {
            x->result->why = x->result->lost++ ? x->result->why : e;
            continue;
        }
        x->list[x->count++] = extent;
        x->result->bytes += extent.length;
    }
    return 0;
}

static int scrub_capture(struct scrub *x, const struct capture_packet *list, size_t count) {
    const char *name = captures_name(x->request->captures, list[0].at.file);
    struct opened o;
    if (!name) {
        return err_set(x->err, -ENOENT, "capture %u is not known any more", (unsigned)list[0].at.file);
    }
    int code = capture_open(&(struct capture_known){.name = name}, x->request->own, &o, x->err);
    if (code < 0) {
        return code;
    }
    x->count = 0;
    code = find_packets(x, &o, list, count);
    for (unsigned pass = 0; code == 0 && pass < PASSES; pass++) {
        pass_fill(pass, x->block);
        code = pass_write(&o, x->list, x->count, x->block);
    }
    if (code == 0 && fsync(o.fd) < 0) {
        code = -errno;
    }
    if (close(o.fd) < 0 && code == 0) {
        code = -errno;
    }
    if (code == 0) {
        x->result->packets += x->count;
    } else {
        char text[128];
        (void)err_set(x->err, code, "%s was not scrubbed to the end: %s", name, strerror_r(-code, text, sizeof(text)));
    }
    return code;
}

static int by_place(const void *a, const void *b) {
    const struct capture_packet *m = a, *n = b;
    const struct packet_position *x = &m->at, *y = &n->at;
    if (x->file != y->file) {
        return x->file < y->file ? -1 : 1;
    }
    return (x->position > y->position) - (x->position < y->position);
}

int scrub_packets(const struct scrub_request *request, struct scrub_result *ret_result, struct err *ret_err) {
    *ret_result = (struct scrub_result){0};
    struct capture_packet *list = request->packets;
    struct scrub x = {.request = request,
                      .result = ret_result,
                      .list = calloc(MAX(request->count, (size_t)1), sizeof(*x.list)),
                      .block = malloc(BLOCK),
                      .err = ret_err};
    int code = x.list && x.block ? 0 : -ENOMEM;
    if (request->count) {
        qsort(list, request->count, sizeof(*list), by_place);
    }
    for (size_t i = 0; code == 0 && i < request->count;) {
        size_t n = 1;
        while (i + n < request->count && list[i + n].at.file == list[i].at.file) {
            n++;
        }
        code = request->cancelled && request->cancelled(request->ctx) ? -ECANCELED : scrub_capture(&x, list + i, n);
        i += n;
    }
    free(x.list);
    free(x.block);
    return code;
}
