/* random.c: see source.h: single packets by (file, position), for fetch.
 *
 * Decision: a plain pcap file is read at the place itself. Everything else (pcapng, whose packets mean nothing without
 * the interfaces described before them, compressed files, archive members) is read from its beginning by the same
 * reader as the first time, forwards as long as positions grow: so damage is skipped in the same way and positions mean
 * the same.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "source/source_impl.h"

#define AHEAD ((size_t)32 << 10)

struct source_random {
    const struct input_list *inputs;
    struct source *source;
    struct batch batch; /* of the capture at hand */
    uint32_t at;        /* next packet of the batch to look at */
    bool ended;         /* the capture at hand has no more packets */
    /* direct reading of a plain pcap file */
    int fd;
    uint32_t fd_file; /* number the descriptor belongs to, 0 = none */
    struct pcap_state pcap;
    uint8_t *bytes;
    size_t room, len;
    uint64_t bytes_at; /* position of bytes[0] */
};

int source_random_open(const struct input_list *inputs, struct source_random **ret, struct err *ret_err) {
    struct source_options options = {.quiet = true};
    struct source_random *r = calloc(1, sizeof(*r));
    if (!r) {
        return err_set(ret_err, -ENOMEM, "no memory to read packets with");
    }
    r->inputs = inputs;
    r->fd = -1;
    int rc = source_open(inputs, &options, &r->source, ret_err);
    if (rc < 0) {
        free(r);
        return rc;
    }
    *ret = r;
    return 0;
}

static void direct_close(struct source_random *r) {
    if (r->fd >= 0) {
        close(r->fd);
    }
    r->fd = -1;
    r->fd_file = 0;
    r->len = 0;
}

struct source_random *source_random_free(struct source_random *r) {
    if (r) {
        direct_close(r);
        block_unref(r->batch.block);
        source_free(r->source);
        free(r->bytes);
        free(r);
    }
    return NULL;
}

/* Makes bytes [position, position + n) available, or as many as there are. */
static int direct_need(struct source_random *r, uint64_t position, size_t n, const uint8_t **ret_at, size_t *ret_len) {
    if (position < r->bytes_at || position + n > r->bytes_at + r->len) {
        size_t want = MAX(n, AHEAD);
        if (want > r->room) {
            uint8_t *more = realloc(r->bytes, want);
            if (!more) {
                return -ENOMEM;
            }
            r->bytes = more;
            r->room = want;
        }
        r->bytes_at = position;
        r->len = 0;
        while (r->len < want) {
            ssize_t got = pread(r->fd, r->bytes + r->len, want - r->len, (off_t)(position + r->len));
            if (got < 0 && errno == EINTR) {
                continue;
            }
            if (got < 0) {
                return -errno;
            }
            if (got == 0) {
                break;
            }
            r->len += (size_t)got;
        }
    }
    size_t there = (size_t)(position - r->bytes_at);
    *ret_at = r->bytes + there;
    *ret_len = MIN(n, r->len - there);
    return 0;
}

static int direct_read(struct source_random *r, uint64_t position, struct packet *ret_packet) {
    const uint8_t *at;
    size_t len;
    if (position > INT64_MAX - (uint64_t)CAPTURE_CEILING * 2) {
        return -EBADMSG;
    }
    int rc = direct_need(r, position, r->pcap.header, &at, &len);
    if (rc < 0) {
        return rc;
    }
    uint32_t captured;
    if (len < r->pcap.header || !pcap_header_read(&r->pcap, at, ret_packet)) {
        return -EBADMSG;
    }
    captured = ret_packet->captured;
    rc = direct_need(r, position, r->pcap.header + (size_t)captured, &at, &len);
    if (rc < 0) {
        return rc;
    }
    if (len <= r->pcap.header && captured) {
        return -EBADMSG;
    }
    ret_packet->data = at + r->pcap.header;
    ret_packet->captured = (uint32_t)(len - r->pcap.header);
    ret_packet->flags = ret_packet->captured < ret_packet->wire ? PACKET_CUT : 0;
    ret_packet->position = position;
    return 0;
}

/* Opens capture `file` in whichever way suits it. */
static int file_open(struct source_random *r, uint32_t file) {
    struct source *s = r->source;
    direct_close(r);
    r->batch.block = block_unref(r->batch.block);
    r->batch.count = r->at = 0;
    r->ended = false;
    int rc = source_go_to(s, file);
    if (rc < 0) {
        return rc;
    }
    const struct place *place = places_get(&s->places, file);
    if (place->file.compressed || s->capture.format != CAPTURE_PCAP) {
        return 0;
    }
    const struct input *input = input_list_get(r->inputs, place->input);
    if (input->kind != INPUT_FILE) {
        return -ESPIPE;
    }
    r->fd = open(input->path, O_RDONLY | O_CLOEXEC);
    if (r->fd < 0) {
        return -errno;
    }
    r->fd_file = file;
    r->pcap = s->capture.pcap;
    return 0;
}

/* Reads on in the capture at hand until `position` comes. */
static int forward_read(struct source_random *r, uint32_t file, uint64_t position, struct packet *ret_packet) {
    for (;;) {
        for (; r->at < r->batch.count; r->at++) {
            const struct packet *p = &r->batch.packets[r->at];
            if (p->file != file || p->position > position) {
                return -EBADMSG;
            }
            if (p->position == position) {
                *ret_packet = *p;
                return 0;
            }
        }
        if (r->ended) {
            return -EBADMSG;
        }
        int rc = source_next_here(r->source, &r->batch);
        r->at = 0;
        if (rc < 0) {
            return rc;
        }
        r->ended = r->batch.count == 0;
    }
}

/* True when the reader stands before `position` of `file`, so that it need only go on. */
static bool ahead(const struct source_random *r, uint32_t file, uint64_t position) {
    if (r->source->number != file || r->fd_file) {
        return false;
    }
    if (r->at < r->batch.count) {
        return r->batch.packets[r->at].position <= position;
    }
    return !r->ended && (r->batch.count == 0 || r->batch.packets[r->batch.count - 1].position < position);
}

int source_random_find(struct source_random *r, const char *name, uint32_t *ret_file) {
    for (uint32_t number = 1;; number++) {
        const struct place *place = places_get(&r->source->places, number);
        if (!place) {
            int rc = source_go_to(r->source, number);
            if (rc < 0) {
                return rc;
            }
            place = places_get(&r->source->places, number);
            direct_close(r); /* the capture at hand is another one */
            r->batch.block = block_unref(r->batch.block);
            r->batch.count = r->at = 0;
            r->ended = false;
        }
        if (strcmp(place->file.name, name) == 0) {
            *ret_file = number;
            return 0;
        }
    }
}

int source_random_read(struct source_random *r, uint32_t file, uint64_t position, struct packet *ret_packet) {
    if (file == 0) {
        return -ENOENT;
    }
    bool direct = r->fd_file == file;
    if (!direct && !ahead(r, file, position)) {
        int rc = file_open(r, file);
        if (rc < 0) {
            return rc;
        }
        direct = r->fd_file == file;
    }
    if (!direct) {
        return forward_read(r, file, position, ret_packet);
    }
    *ret_packet = (struct packet){.file = file, .link = r->pcap.link};
    return direct_read(r, position, ret_packet);
}
