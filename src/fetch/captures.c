/* captures.c: see captures.h.
 *
 * Decision: each capture is opened as an input list of its own, so that what reads it is exactly what read it when its
 * packets were numbered; a member of an archive is found in there by its name. One that
 * shrank is not what it was.
 */
#include "fetch/captures.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/util.h"
#include "source/source.h"

#define OPEN_MAX_CAPTURES 8
#define DISORDER_NS \
    ((int64_t)60 * 1000000000) /* packets of a session may be so far before its first or behind its last */

struct open_capture {
    uint32_t file;   /* 0 = free */
    uint32_t number; /* of the capture within its input */
    uint64_t used;   /* turn of the last use */
    int failed;      /* -errno: what opening it gave */
    bool touched;    /* changed since it was read: grown, copied, scrubbed, or another one by now */
    struct err why;
    struct input_list *inputs;
    struct source_random *reader;
};

struct captures {
    capture_find_fn find;
    void *ctx;
    uint64_t turn;
    struct open_capture open[OPEN_MAX_CAPTURES];
};

struct captures *captures_new(capture_find_fn find, void *ctx) {
    struct captures *c = calloc(1, sizeof(*c));
    if (c) {
        c->find = find;
        c->ctx = ctx;
    }
    return c;
}

static void capture_close(struct open_capture *o) {
    source_random_free(o->reader);
    input_list_free(o->inputs);
    *o = (struct open_capture){0};
}

struct captures *captures_free(struct captures *c) {
    for (size_t i = 0; c && i < OPEN_MAX_CAPTURES; i++) {
        capture_close(&c->open[i]);
    }
    free(c);
    return NULL;
}

const char *captures_name(struct captures *c, uint32_t file) {
    struct capture_known known;
    return c->find(c->ctx, file, &known) == 0 ? known.name : NULL;
}

/* The file on disk behind `name`: all of it, or what stands before a `!`. */
static int path_find(const char *name, struct stat *st, char **ret_path) {
    char *path = strdup(name);
    if (!path) {
        return -ENOMEM;
    }
    if (stat(path, st) == 0) {
        *ret_path = path;
        return 0;
    }
    int code = -errno;
    for (char *mark = strrchr(path, '!'); mark; mark = strrchr(path, '!')) {
        *mark = 0;
        if (stat(path, st) == 0) {
            *ret_path = path;
            return 0;
        }
    }
    free(path);
    return code;
}

static int changed(const char *name, struct err *ret_err) {
    return err_set(ret_err, -ESTALE, "%s was changed since it was read: its packets cannot be found any more",
                   name ? name : "the capture");
}

/* One that grew may still be written to. */
static int check_same(const struct capture_known *known, const struct stat *st, struct err *ret_err) {
    return (uint64_t)st->st_size < known->size ? changed(known->name, ret_err) : 0;
}

static bool is_touched(const struct capture_known *known, const struct stat *st) {
    bool larger = known->size && (uint64_t)st->st_size != known->size;
    return larger || (known->modified && st->st_mtime != known->modified);
}

/* What lies at the position may be of another capture that has a packet in the same place. */
static bool is_wanted(const struct open_capture *o, const struct capture_packet *want, const struct packet *p) {
    if (p->captured > want->at.captured) { /* less: it completed a datagram of fragments, whose size counts for it */
        return false;
    }
    bool known = o->touched && (want->first || want->last);
    return !known || (p->time >= want->first - DISORDER_NS && p->time <= want->last + DISORDER_NS);
}

static int capture_open(struct open_capture *o, const struct capture_known *known) {
    struct stat st;
    char *path = NULL;
    char text[128] = "";
    int code = path_find(known->name, &st, &path);
    if (code < 0) {
        return err_set(&o->why, code == -ENOMEM ? code : -ENOENT, "%s cannot be opened: %s", known->name,
                       strerror_r(-code, text, sizeof(text)));
    }
    code = check_same(known, &st, &o->why);
    o->touched = is_touched(known, &st);
    if (code == 0) {
        unsigned problems;
        o->inputs = input_list_new((const char *const[]){path}, 1, NULL, NULL, &problems);
        code = o->inputs ? source_random_open(o->inputs, &o->reader, &o->why) : -ENOMEM;
    }
    bool whole = code == 0 && strcmp(path, known->name) == 0;
    free(path);
    if (code == 0) {
        o->number = 1;
        code = whole ? 0 : source_random_find(o->reader, known->name, &o->number);
    }
    if (code < 0 && !o->why.text[0]) {
        (void)err_set(&o->why, code, "%s cannot be read: %s", known->name, strerror_r(-code, text, sizeof(text)));
    }
    return code;
}

static struct open_capture *capture_get(struct captures *c, uint32_t file) {
    struct open_capture *oldest = &c->open[0];
    for (size_t i = 0; i < OPEN_MAX_CAPTURES; i++) {
        struct open_capture *o = &c->open[i];
        if (o->file == file) {
            o->used = ++c->turn;
            return o;
        }
        oldest = o->used < oldest->used ? o : oldest;
    }
    struct capture_known known = {0};
    capture_close(oldest);
    oldest->file = file;
    oldest->used = ++c->turn;
    oldest->failed = c->find(c->ctx, file, &known);
    if (oldest->failed < 0) {
        (void)err_set(&oldest->why, oldest->failed, "capture %u is not known any more", (unsigned)file);
    } else {
        oldest->failed = capture_open(oldest, &known);
    }
    return oldest;
}

int captures_read(struct captures *c, const struct capture_packet *want, struct packet *ret_packet,
                  struct err *ret_err) {
    uint32_t file = want->at.file;
    uint64_t position = want->at.position;
    if (file == 0) {
        return err_set(ret_err, -ENOENT, "the session's packets were not kept");
    }
    struct open_capture *o = capture_get(c, file);
    if (o->failed < 0) {
        if (ret_err) {
            *ret_err = o->why;
        }
        return o->failed;
    }
    int code = source_random_read(o->reader, o->number, position, ret_packet);
    if (code < 0 && code != -ENOMEM) {
        const char *name = captures_name(c, file);
        return err_set(ret_err, code, "%s has no packet at %llu", name ? name : "the capture",
                       (unsigned long long)position);
    }
    if (code == 0 && !is_wanted(o, want, ret_packet)) {
        return changed(captures_name(c, file), ret_err);
    }
    ret_packet->file = file;
    return code;
}
