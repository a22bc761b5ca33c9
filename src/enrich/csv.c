/* csv.c: fields are cut and unquoted in place. */
#include "enrich/csv.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int read_whole(int fd, struct csv *c) {
    struct stat st;
    if (fstat(fd, &st) < 0) {
        return -errno;
    }
    if (!S_ISREG(st.st_mode)) {
        return -EINVAL;
    }
    if ((uint64_t)st.st_size > CSV_FILE_MAX) {
        return -EFBIG;
    }
    size_t size = (size_t)st.st_size, len = 0;
    c->text = malloc(size + 1);
    if (!c->text) {
        return -ENOMEM;
    }
    for (ssize_t n; len < size && (n = read(fd, c->text + len, size - len)) != 0; len += (size_t)n) {
        if (n < 0) {
            return -errno;
        }
    }
    c->text[len] = 0;
    c->at = c->text;
    c->end = c->text + len;
    c->line = 1;
    return 0;
}

int csv_open(struct csv *c, const char *path) {
    *c = (struct csv){0};
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        return -errno;
    }
    int code = read_whole(fd, c);
    (void)close(fd);
    if (code < 0) {
        csv_close(c);
    }
    return code;
}

void csv_close(struct csv *c) {
    free(c->text);
    *c = (struct csv){0};
}

/* All up to the next quote, which is returned; in one go, as most of a registry of addresses is quoted. */
static char *copy_quoted(struct csv *c, char *from, char **to) {
    char *stop = memchr(from, '"', (size_t)(c->end - from));
    stop = stop ? stop : c->end;
    for (char *at = from; (at = memchr(at, '\n', (size_t)(stop - at))); at++) {
        c->line++;
    }
    memmove(*to, from, (size_t)(stop - from));
    *to += stop - from;
    return stop;
}

/* Where the field's text goes on behind its first quote; *to is where its unquoted text ends. */
static char *unquote(struct csv *c, char *from, char **to) {
    bool quoted = false;
    for (; from < c->end && (quoted || (*from != ',' && *from != '\n')); from++) {
        if (quoted && *from != '"') {
            from = copy_quoted(c, from, to) - 1;
        } else if (*from != '"') {
            *(*to)++ = *from;
        } else if (quoted && from + 1 < c->end && from[1] == '"') {
            *(*to)++ = *from++;
        } else {
            quoted = !quoted;
        }
    }
    return from;
}

/* Over the rest of the record, when no quote is in it. */
static bool rest_skip(struct csv *c) {
    char *stop = memchr(c->at, '\n', (size_t)(c->end - c->at));
    stop = stop ? stop : c->end;
    if (memchr(c->at, '"', (size_t)(stop - c->at))) {
        return false;
    }
    c->line++;
    c->at = stop < c->end ? stop + 1 : c->end;
    return true;
}

int csv_next(struct csv *c, char **ret, int max) {
    int n = 0;
    if (c->at >= c->end) {
        return -1;
    }
    c->number = c->line;
    for (bool last = false; !last;) {
        char *field = c->at, *stop = field;
        while (*stop != ',' && *stop != '"' && *stop != '\n' && stop < c->end) {
            stop++;
        }
        char *to = stop;
        stop = *stop == '"' ? unquote(c, stop, &to) : stop;
        last = stop >= c->end || *stop != ',';
        c->line += stop < c->end && *stop == '\n';
        c->at = stop < c->end ? stop + 1 : c->end;
        if (last && to > field && to[-1] == '\r') {
            to--;
        }
        *to = 0;
        if (n < max) {
            ret[n++] = field;
        }
        last = last || (n == max && rest_skip(c));
    }
    return n;
}
