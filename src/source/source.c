/* source.c: see source.h: from a list of inputs to batches of packets.
 *
 * Decision: only what was recognised as a capture gets a number, in the order of reading, members of archives included;
 * so every source over the same inputs gives the same numbers without agreeing with another.
 */
#include "source/source_impl.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "source/inflate.h"

#define BLOCKS_DEFAULT 8
#define BLOCKS_LEAST 3 /* one being read, one being filled from it, one on its way */

static void note(struct source *s, const char *name, uint64_t offset, const char *what) {
    if (s->run.note) {
        s->run.note(s->run.note_ctx, name, offset, what);
    }
}

static void unreadable(struct source *s, const char *name, const char *what, const char *why) {
    char text[320];
    s->run.stats.unreadable++;
    snprintf(text, sizeof(text), "%s%s%s%s", what, why[0] ? " (" : "", why, why[0] ? ")" : "");
    note(s, name, 0, text);
}

static void unreadable_errno(struct source *s, const char *name, const char *what, int code) {
    char why[128] = "";
    unreadable(s, name, what, strerror_r(code, why, sizeof(why)));
}

static int source_new(const struct source_options *options, struct source **ret_source, struct err *ret_err) {
    struct source *s = calloc(1, sizeof(*s));
    if (!s) {
        return err_set(ret_err, -ENOMEM, "no memory to read with");
    }
    uint32_t ceiling = options->block_ceiling ? options->block_ceiling : BLOCKS_DEFAULT;
    s->pool = block_pool_new(MAX(ceiling, (uint32_t)BLOCKS_LEAST));
    int rc = s->pool ? 0 : err_set(ret_err, -ENOMEM, "no memory to read with");
    if (rc == 0 && options->bpf && options->bpf[0]) {
        rc = filter_new(options->bpf, &s->run.filter, ret_err);
    }
    if (rc < 0) {
        source_free(s);
        return rc;
    }
    s->window.pool = s->pool;
    s->run.clock = s->run.leap = INT64_MIN;
    s->run.left = options->packet_limit ? options->packet_limit : UINT64_MAX;
    s->run.note = options->quiet ? NULL : options->note;
    s->run.note_ctx = options->note_ctx;
    s->stop = options->stop;
    s->capture.run = &s->run;
    *ret_source = s;
    return 0;
}

int source_open(const struct input_list *inputs, const struct source_options *options, struct source **ret_source,
                struct err *ret_err) {
    int rc = source_new(options, ret_source, ret_err);
    if (rc == 0) {
        (*ret_source)->inputs = inputs;
    }
    return rc;
}

static void capture_close(struct source *s) {
    if (s->open) {
        capture_done(&s->capture);
        s->open = false;
    }
    s->stream = stream_close(s->stream);
    s->inner = packed_close(s->inner);
}

struct source *source_free(struct source *s) {
    if (s) {
        capture_close(s);
        packed_close(s->packed);
        window_done(&s->window);
        block_pool_free(s->pool);
        filter_free(s->run.filter);
        places_done(&s->places);
        free(s);
    }
    return NULL;
}

/* s->stream begins a capture. 1: it is open, 0: it cannot be used (said), -errno. */
static int capture_open(struct source *s, const char *name, bool compressed, uint64_t size) {
    if (s->number == PLACES_MAX) {
        unreadable(s, name, "too many captures in one run: left out", "");
        capture_close(s);
        return 0;
    }
    window_start(&s->window, s->stream);
    s->capture.name = name;
    s->capture.number = s->number + 1;
    int rc = capture_start(&s->capture, &s->window);
    if (rc < 0) {
        capture_done(&s->capture);
        capture_close(s);
        return rc == -ENOMEM ? rc : 0;
    }
    s->open = true;
    if (s->number == places_count(&s->places)) {
        struct place place = {.file = {.name = (char *)name, .compressed = compressed, .size = size},
                              .input = s->next_input ? s->next_input - 1 : 0,
                              .within = s->within};
        rc = places_add(&s->places, &place);
        if (rc < 0) {
            return rc;
        }
        s->run.stats.files++;
    }
    s->number++;
    s->within++;
    s->capture.name = places_get(&s->places, s->number)->file.name;
    return 1;
}

struct look {
    bool empty;
    bool unpacked; /* s->stream was gzip or zstd and is now what it holds */
    char why[120]; /* reading failed */
};

/* What s->stream begins with, gzip and zstd unpacked. 1: a capture, 0: something else, -errno of reading. */
static int capture_look(struct source *s, struct look *ret_look) {
    const uint8_t *head;
    *ret_look = (struct look){0};
    for (;;) {
        ssize_t got = stream_peek(s->stream, 12, &head);
        if (got < 0) {
            memcpy(ret_look->why, s->stream->why, sizeof(ret_look->why));
            return (int)got;
        }
        ret_look->empty = got == 0;
        if (ret_look->unpacked || !inflate_recognise(head, (size_t)got)) {
            return capture_recognise(head, (size_t)got) != CAPTURE_NONE;
        }
        int rc = inflate_open(TAKE(s->stream), &s->stream);
        if (rc < 0) {
            return rc;
        }
        ret_look->unpacked = true;
    }
}

static void not_a_capture(struct source *s, const char *name, int rc, const struct look *look) {
    if (look->why[0]) {
        unreadable(s, name, "is packed but damaged: left out", look->why);
    } else if (rc < 0 && rc != -ENOENT) {
        unreadable_errno(s, name, "cannot be read: left out", -rc);
    } else if (look->unpacked) {
        unreadable(s, name, "holds no capture: left out", "");
    } else if (look->empty) {
        unreadable(s, name, "is empty: left out", "");
    } else {
        unreadable(s, name, "is no capture (neither pcap nor pcapng, nor one packed): left out", "");
    }
}

/* An input that is open as s->stream: a capture, or something packed. */
static int input_begin(struct source *s, const struct input *input) {
    struct look look;
    int rc = capture_look(s, &look);
    if (rc == 1) {
        return capture_open(s, input->path, look.unpacked, input->size);
    }
    if (rc == 0) {
        rc = look.empty ? -ENOENT : packed_open(TAKE(s->stream), true, &s->packed, look.why);
    }
    if (rc < 0 && rc != -ENOMEM) {
        not_a_capture(s, input->path, rc, &look);
        capture_close(s);
        rc = 0;
    }
    return rc;
}

/* Opens the next input. 1: a capture is open; 0: none, or s->packed has members to look at. */
static int input_next(struct source *s) {
    const struct input *input = input_list_get(s->inputs, s->next_input++);
    s->within = 0;
    __atomic_store_n(&s->read_bytes, input->before, __ATOMIC_RELAXED);
    int fd =
        input->kind == INPUT_STDIN ? fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 3) : open(input->path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        unreadable_errno(s, input->path, "cannot be opened: left out", errno);
        return 0;
    }
    int rc = stream_open_fd(fd, &s->read_bytes, &s->stream);
    if (rc < 0) {
        return rc;
    }
    s->stream->stop = s->stop;
    return input_begin(s, input);
}

static const char *archive_name(const struct source *s) {
    return s->inputs ? input_list_get(s->inputs, s->next_input - 1)->path : "-";
}

/* The archive has no more members. */
static void archive_finish(struct source *s, int rc, const char *why) {
    if (rc == -EBADMSG) {
        s->run.stats.damaged++;
        char text[200];
        snprintf(text, sizeof(text), "archive is damaged (%s): its captures up to here are used", why);
        note(s, archive_name(s), 0, text);
    } else if (s->within == 0) {
        bool single = packed_kind(s->packed) == PACKED_SINGLE;
        unreadable(s, archive_name(s), single ? "holds no capture: left out" : "archive without captures: left out",
                   "");
    }
    s->packed = packed_close(s->packed);
}

/* A member that may be a compressed capture itself. 1 when s->stream now begins a capture. */
static int member_unpack(struct source *s) {
    const char *name;
    struct look look;
    /* the member's stream belongs to s->inner from here on */
    int rc = packed_open(TAKE(s->stream), false, &s->inner, look.why);
    if (rc == 0) {
        rc = packed_next(s->inner, &s->stream, &name, look.why);
    }
    if (rc == 0) {
        rc = capture_look(s, &look);
    }
    return rc == -ENOMEM ? rc : rc > 0;
}

/* The member at hand as s->stream. 1: a capture is open, 0: it was none. */
static int member_begin(struct source *s, const char *name, bool single) {
    struct look look;
    uint64_t size = single && s->inputs ? input_list_get(s->inputs, s->next_input - 1)->size : 0;
    int rc = capture_look(s, &look);
    if (rc < 0 && rc != -ENOMEM) {
        unreadable(s, name, "cannot be unpacked: left out", look.why);
    } else if (rc == 0 && !single && !look.empty && !look.unpacked) {
        rc = member_unpack(s);
    }
    if (rc > 0) {
        return capture_open(s, name, true, size);
    }
    capture_close(s);
    return rc == -ENOMEM ? rc : 0;
}

/* Opens the next member of s->packed. 1: a capture is open; 0: it was none, or there is no more (s->packed is NULL). */
static int member_next(struct source *s) {
    const char *name;
    char why[120];
    int rc = packed_next(s->packed, &s->stream, &name, why);
    if (rc == -ENOMEM) {
        return rc;
    }
    if (rc < 0) {
        archive_finish(s, rc, why);
        return 0;
    }
    if (!name) {
        return member_begin(s, archive_name(s), true);
    }
    size_t size = strlen(archive_name(s)) + strlen(name) + 2;
    char *full = malloc(size);
    if (!full) {
        return -ENOMEM;
    }
    snprintf(full, size, "%s!%s", archive_name(s), name);
    rc = member_begin(s, full, false);
    free(full);
    return rc;
}

int source_advance(struct source *s) {
    capture_close(s);
    for (;;) {
        int rc = 0;
        if (s->packed) {
            rc = member_next(s);
        } else if (s->inputs && s->next_input < input_list_count(s->inputs)) {
            rc = input_next(s);
        } else {
            return 0;
        }
        if (rc != 0) {
            return rc;
        }
    }
}

int source_go_to(struct source *s, uint32_t number) {
    /* the nearest capture already met; staying in its archive is cheaper than opening that again */
    uint32_t near = MIN(number, places_count(&s->places));
    if (near) {
        const struct place *place = places_get(&s->places, near);
        bool ahead = s->number && s->number < number && places_get(&s->places, s->number)->input == place->input;
        if (!ahead) {
            capture_close(s);
            s->packed = packed_close(s->packed);
            s->next_input = place->input;
            s->number = near - place->within - 1;
        }
    }
    while (number) {
        int rc = source_advance(s);
        if (rc < 0) {
            return rc;
        }
        if (rc == 0) {
            break;
        }
        if (s->number == number) {
            return 0;
        }
    }
    return -ENOENT;
}

int source_open_stream(struct stream *stream, const struct source_options *options, struct source **ret_source,
                       struct err *ret_err) {
    static const struct input memory = {.path = (char *)"memory", .kind = INPUT_STREAM};
    struct source *s = NULL;
    int rc = source_new(options, &s, ret_err);
    if (rc < 0) {
        stream_close(stream);
        return rc;
    }
    s->stream = stream;
    rc = input_begin(s, &memory);
    if (rc < 0) {
        source_free(s);
        return err_set(ret_err, rc, "no memory to read with");
    }
    *ret_source = s;
    return 0;
}

int source_open_bytes(const void *data, size_t size, const struct source_options *options, struct source **ret_source,
                      struct err *ret_err) {
    struct stream *stream;
    int rc = stream_open_bytes(data, size, &stream);
    if (rc < 0) {
        return err_set(ret_err, rc, "no memory to read with");
    }
    return source_open_stream(stream, options, ret_source, ret_err);
}

int source_next_here(struct source *s, struct batch *b) {
    b->block = block_unref(b->block);
    b->count = 0;
    b->last = false;
    while (s->open && b->count == 0 && s->run.left) {
        enum fill filled = capture_fill(&s->capture, &s->window, b);
        int rc = s->run.short_of_memory ? -ENOMEM : 0;
        if (filled == FILL_END) {
            capture_close(s);
        } else if (filled == FILL_NEED && b->count == 0 && rc == 0) {
            rc = window_need(&s->window, s->capture.need);
        }
        if (rc < 0) {
            b->count = 0;
            return rc;
        }
    }
    if (b->count) {
        b->block = block_ref(s->window.block);
    }
    b->clock = s->run.clock != INT64_MIN ? s->run.clock : s->run.leap != INT64_MIN ? s->run.leap : 0;
    return 0;
}

int source_next(struct source *s, struct batch *b) {
    for (;;) {
        int rc = source_next_here(s, b);
        if (rc < 0 || b->count) {
            return rc;
        }
        if (s->run.left == 0) {
            b->last = true;
            return 0;
        }
        rc = source_advance(s);
        if (rc < 0) {
            return rc;
        }
        if (rc == 0) {
            b->last = true;
            return 0;
        }
    }
}

const struct capture_file *source_file(const struct source *s, uint32_t number) {
    const struct place *place = places_get(&s->places, number);
    return place ? &place->file : NULL;
}

uint32_t source_file_count(const struct source *s) {
    return places_count(&s->places);
}

void source_read_stats(const struct source *s, struct source_stats *ret_stats) {
    *ret_stats = s->run.stats;
    ret_stats->read_bytes = source_progress(s);
}

uint64_t source_progress(const struct source *s) {
    return __atomic_load_n(&s->read_bytes, __ATOMIC_RELAXED);
}
