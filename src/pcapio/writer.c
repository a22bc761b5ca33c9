/* writer.c: see writer.h.
 *
 * Decision: files are written in this machine's byte order, as the standards intend. Records wait in one buffer; a pcap
 * file's resolution is settled when that is first full (or at the end), so that captures with microseconds give the
 * files every old tool reads, and those with nanoseconds lose nothing.
 */
#include "pcapio/writer.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/util.h"

#define BUFFER_SIZE ((size_t)1 << 20)
#define PCAP_HEADER 24u
#define PCAP_RECORD 16u
#define SNAPLEN 262144u
#define COMMENT_MAX 65535u
#define INTERFACES_MAX 256u
#define BLOCK_MAX ((size_t)16 << 20)

struct packet_writer {
    int fd;
    bool own_fd;
    packet_sink_fn sink; /* in place of `fd` */
    void *sink_ctx;
    int failed; /* -errno of the first write that failed */
    char *name;
    enum packet_format format;
    enum packet_resolution resolution;
    char application[64];
    bool begun;     /* the file's header is in the buffer or behind us */
    bool settled;   /* pcap: resolution is decided */
    bool sub_micro; /* pcap: a buffered packet needs nanoseconds */
    uint64_t rounded;
    uint32_t longest; /* packet so far, for the header's snaplen while it is still in the buffer */
    uint16_t links[INTERFACES_MAX];
    uint32_t link_count;
    size_t len;
    uint8_t *buffer;
};

static int fail(struct packet_writer *w, int code, struct err *ret_err) {
    char why[128] = "";
    if (!w->failed) {
        w->failed = code;
    }
    const char *text = strerror_r(-code, why, sizeof(why));
    err_set(ret_err, code, "%s: cannot be written: %s", w->name, text);
    if (code == -ENOSPC) {
        err_hint(ret_err, "the disk is full: free some space or write to another disk");
    }
    return code;
}

static int write_all(struct packet_writer *w, const uint8_t *at, size_t n, struct err *ret_err) {
    if (w->sink) {
        int rc = n ? w->sink(w->sink_ctx, at, n) : 0;
        return rc < 0 ? fail(w, rc, ret_err) : 0;
    }
    while (n) {
        ssize_t done = write(w->fd, at, n);
        if (done < 0 && errno == EINTR) {
            continue;
        }
        if (done <= 0) {
            return fail(w, done < 0 ? -errno : -EIO, ret_err);
        }
        at += done;
        n -= (size_t)done;
    }
    return 0;
}

/* Decides between microseconds and nanoseconds and makes the buffered records say so. They hold nanoseconds until then.
 */
static void pcap_settle(struct packet_writer *w) {
    w->settled = true;
    bool nano = w->resolution == PACKET_RESOLUTION_NANO || (w->resolution == PACKET_RESOLUTION_AUTO && w->sub_micro);
    w->resolution = nano ? PACKET_RESOLUTION_NANO : PACKET_RESOLUTION_MICRO;
    uint32_t magic = nano ? 0xa1b23c4d : 0xa1b2c3d4;
    uint32_t snaplen = MAX(SNAPLEN, w->longest);
    memcpy(w->buffer, &magic, sizeof(magic));
    memcpy(w->buffer + 16, &snaplen, sizeof(snaplen));
    size_t at = PCAP_HEADER;
    while (!nano && at < w->len) {
        uint32_t fraction;
        uint32_t captured;
        memcpy(&fraction, w->buffer + at + 4, sizeof(fraction));
        memcpy(&captured, w->buffer + at + 8, sizeof(captured));
        w->rounded += fraction % 1000 != 0;
        fraction /= 1000;
        memcpy(w->buffer + at + 4, &fraction, sizeof(fraction));
        at += PCAP_RECORD + captured;
    }
}

int packet_writer_flush(struct packet_writer *w, struct err *ret_err) {
    if (w->failed) {
        return fail(w, w->failed, ret_err);
    }
    if (w->begun && w->format == PACKET_FORMAT_PCAP && !w->settled) {
        pcap_settle(w);
    }
    int rc = write_all(w, w->buffer, w->len, ret_err);
    w->len = 0;
    return rc;
}

static void put(struct packet_writer *w, const void *at, size_t n) {
    memcpy(w->buffer + w->len, at, n);
    w->len += n;
}

static void put16(struct packet_writer *w, uint16_t v) {
    put(w, &v, sizeof(v));
}

static void put32(struct packet_writer *w, uint32_t v) {
    put(w, &v, sizeof(v));
}

static size_t padded(size_t n) {
    return (n + 3) & ~(size_t)3;
}

static void put_option(struct packet_writer *w, uint16_t code, const void *value, size_t n) {
    static const uint8_t zeros[4];
    put16(w, code);
    put16(w, (uint16_t)n);
    put(w, value, n);
    put(w, zeros, padded(n) - n);
}

static void section_put(struct packet_writer *w) {
    size_t text = strlen(w->application);
    uint32_t length = (uint32_t)(28 + 4 + padded(text) + 4);
    put32(w, 0x0a0d0d0a);
    put32(w, length);
    put32(w, 0x1a2b3c4d);
    put16(w, 1);
    put16(w, 0);
    put32(w, UINT32_MAX); /* section length: not known */
    put32(w, UINT32_MAX);
    put_option(w, 4, w->application, text);
    put32(w, 0); /* end of options */
    put32(w, length);
}

static void interface_put(struct packet_writer *w, uint16_t link) {
    const uint8_t nano = 9;
    const uint32_t length = 20 + 8 + 4;
    put32(w, 1);
    put32(w, length);
    put16(w, link);
    put16(w, 0);
    put32(w, 0); /* no limit on the length of packets */
    put_option(w, 9, &nano, 1);
    put32(w, 0);
    put32(w, length);
}

static void pcap_begin(struct packet_writer *w, uint16_t link) {
    put32(w, 0xa1b2c3d4); /* settled later */
    put16(w, 2);
    put16(w, 4);
    put32(w, 0);
    put32(w, 0);
    put32(w, SNAPLEN); /* settled later */
    put32(w, link);
}

/* Makes room for a record of `n` bytes; one that never fits leaves an empty buffer. */
static int room(struct packet_writer *w, size_t n, struct err *ret_err) {
    if (BUFFER_SIZE - w->len >= n) {
        return 0;
    }
    return packet_writer_flush(w, ret_err);
}

static int link_refused(struct packet_writer *w, uint16_t link, struct err *ret_err) {
    w->failed = -EINVAL;
    err_set(ret_err, -EINVAL, "%s: packets of link types %u and %u cannot be in one pcap file", w->name,
            (unsigned)w->links[0], (unsigned)link);
    err_hint(ret_err, "write pcapng instead");
    return -EINVAL;
}

static int pcap_add(struct packet_writer *w, const struct packet *p, struct err *ret_err) {
    if (!w->begun) {
        w->begun = true;
        w->links[0] = p->link;
        pcap_begin(w, p->link);
    } else if (w->links[0] != p->link) {
        return link_refused(w, p->link, ret_err);
    }
    int64_t time = MAX(p->time, (int64_t)0);
    uint32_t fraction = (uint32_t)(time % 1000000000);
    w->longest = MAX(w->longest, p->captured);
    w->sub_micro |= fraction % 1000 != 0;
    int rc = room(w, PCAP_RECORD + (size_t)p->captured, ret_err);
    if (rc < 0) {
        return rc;
    }
    if (w->settled && w->resolution == PACKET_RESOLUTION_MICRO) {
        w->rounded += fraction % 1000 != 0;
        fraction /= 1000;
    }
    put32(w, (uint32_t)MIN(time / 1000000000, (int64_t)UINT32_MAX));
    put32(w, fraction);
    put32(w, p->captured);
    put32(w, p->wire);
    return 0;
}

/* Index of the interface for a link type, described when it is new; -errno. */
static int interface_for(struct packet_writer *w, uint16_t link, struct err *ret_err) {
    for (uint32_t i = 0; i < w->link_count; i++) {
        if (w->links[i] == link) {
            return (int)i;
        }
    }
    if (w->link_count == INTERFACES_MAX) {
        w->failed = -E2BIG;
        return err_set(ret_err, -E2BIG, "%s: more than %u link types in one file", w->name, INTERFACES_MAX);
    }
    int rc = room(w, 32, ret_err);
    if (rc < 0) {
        return rc;
    }
    interface_put(w, link);
    w->links[w->link_count] = link;
    return (int)w->link_count++;
}

static int pcapng_add(struct packet_writer *w, const struct packet *p, size_t options, struct err *ret_err) {
    if (!w->begun) {
        w->begun = true;
        section_put(w);
    }
    int interface = interface_for(w, p->link, ret_err);
    if (interface < 0) {
        return interface;
    }
    size_t length = 28 + padded(p->captured) + options + 4;
    int rc = room(w, length, ret_err);
    if (rc < 0) {
        return rc;
    }
    uint64_t time = (uint64_t)MAX(p->time, (int64_t)0);
    put32(w, 6);
    put32(w, (uint32_t)length);
    put32(w, (uint32_t)interface);
    put32(w, (uint32_t)(time >> 32));
    put32(w, (uint32_t)time);
    put32(w, p->captured);
    put32(w, p->wire);
    return 0;
}

/* The bytes of a packet: into the buffer, or past it when they do not fit. */
static int data_put(struct packet_writer *w, const struct packet *p, struct err *ret_err) {
    if (p->captured <= BUFFER_SIZE - w->len) {
        if (p->captured) {
            put(w, p->data, p->captured);
        }
        return 0;
    }
    /* only a record longer than the buffer comes here: it stands alone behind what was written */
    int rc = write_all(w, w->buffer, w->len, ret_err);
    w->len = 0;
    return rc < 0 ? rc : write_all(w, p->data, p->captured, ret_err);
}

int packet_writer_add(struct packet_writer *w, const struct packet *p, struct span comment, struct err *ret_err) {
    static const uint8_t zeros[4];
    if (w->failed) {
        return fail(w, w->failed, ret_err);
    }
    if (w->format == PACKET_FORMAT_PCAP) {
        int rc = pcap_add(w, p, ret_err);
        return rc < 0 ? rc : data_put(w, p, ret_err);
    }
    size_t text = MIN(comment.len, (size_t)COMMENT_MAX);
    size_t options = text ? 4 + padded(text) + 4 : 0;
    int rc = pcapng_add(w, p, options, ret_err);
    if (rc == 0) {
        rc = data_put(w, p, ret_err);
    }
    if (rc == 0 && BUFFER_SIZE - w->len < 4 + options + 4) {
        rc = packet_writer_flush(w, ret_err);
    }
    if (rc < 0) {
        return rc;
    }
    put(w, zeros, padded(p->captured) - p->captured);
    if (text) {
        put_option(w, 1, comment.at, text);
        put32(w, 0);
    }
    put32(w, (uint32_t)(28 + padded(p->captured) + options + 4));
    return 0;
}

int packet_writer_block(struct packet_writer *w, uint32_t type, struct span head, struct span body,
                        struct err *ret_err) {
    static const uint8_t zeros[4];
    size_t len = head.len + body.len, length = 8 + padded(len) + 4;
    if (w->failed) {
        return fail(w, w->failed, ret_err);
    }
    if (w->format == PACKET_FORMAT_PCAP || len > BLOCK_MAX) {
        return 0;
    }
    if (!w->begun) {
        w->begun = true;
        section_put(w);
    }
    int rc = room(w, 8 + head.len, ret_err);
    if (rc < 0) {
        return rc;
    }
    put32(w, type);
    put32(w, (uint32_t)length);
    put(w, head.at, head.len);
    for (size_t at = 0; rc == 0 && at < body.len;) {
        size_t n = MIN(body.len - at, BUFFER_SIZE / 2);
        rc = room(w, n, ret_err);
        if (rc == 0) {
            put(w, body.at + at, n);
        }
        at += n;
    }
    rc = rc < 0 ? rc : room(w, 8, ret_err);
    if (rc == 0) {
        put(w, zeros, padded(len) - len);
        put32(w, (uint32_t)length);
    }
    return rc;
}

static int writer_new(int fd, bool own_fd, const char *name, const struct packet_writer_options *options,
                      struct packet_writer **ret_writer) {
    struct packet_writer *w = calloc(1, sizeof(*w));
    if (w) {
        w->buffer = malloc(BUFFER_SIZE);
        w->name = strdup(name);
    }
    if (!w || !w->buffer || !w->name) {
        if (w) {
            free(w->buffer);
            free(w->name);
            free(w);
        }
        return -ENOMEM;
    }
    w->fd = fd;
    w->own_fd = own_fd;
    w->format = options->format;
    w->resolution = options->resolution;
    snprintf(w->application, sizeof(w->application), "%s", options->application ? options->application : "Seine");
    *ret_writer = w;
    return 0;
}

int packet_writer_open(int fd, const struct packet_writer_options *options, struct packet_writer **ret_writer,
                       struct err *ret_err) {
    int rc = writer_new(fd, false, "output", options, ret_writer);
    return rc < 0 ? err_set(ret_err, rc, "no memory to write packets with") : 0;
}

int packet_writer_open_sink(packet_sink_fn sink, void *ctx, const struct packet_writer_options *options,
                            struct packet_writer **ret_writer, struct err *ret_err) {
    int rc = packet_writer_open(-1, options, ret_writer, ret_err);
    if (rc == 0) {
        (*ret_writer)->sink = sink;
        (*ret_writer)->sink_ctx = ctx;
    }
    return rc;
}

int packet_writer_open_path(const char *path, const struct packet_writer_options *options,
                            struct packet_writer **ret_writer, struct err *ret_err) {
    bool standard = strcmp(path, "-") == 0;
    int fd = standard ? STDOUT_FILENO : open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    if (fd < 0) {
        int code = -errno;
        char why[128] = "";
        return err_set(ret_err, code, "%s: cannot be created: %s", path, strerror_r(-code, why, sizeof(why)));
    }
    int rc = writer_new(fd, !standard, standard ? "standard output" : path, options, ret_writer);
    if (rc < 0) {
        if (!standard) {
            close(fd);
        }
        return err_set(ret_err, rc, "no memory to write packets with");
    }
    return 0;
}

int packet_writer_close(struct packet_writer *w, struct err *ret_err) {
    if (!w) {
        return 0;
    }
    int rc = w->failed;
    if (rc == 0 && !w->begun) {
        w->begun = true;
        if (w->format == PACKET_FORMAT_PCAP) {
            pcap_begin(w, 1);
        } else {
            section_put(w);
        }
    }
    if (rc == 0) {
        rc = packet_writer_flush(w, ret_err);
    } else if (ret_err && ret_err->code == 0) {
        fail(w, rc, ret_err);
    }
    if (w->own_fd && close(w->fd) < 0 && rc == 0) {
        rc = fail(w, -errno, ret_err);
    }
    free(w->buffer);
    free(w->name);
    free(w);
    return rc;
}

uint64_t packet_writer_rounded(const struct packet_writer *w) {
    return w->rounded;
}
