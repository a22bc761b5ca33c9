/* input.c: see source.h: paths, folders, globs and "-" become a list of files.
 *
 * Decision: a folder's files are picked by name or by their first bytes, hidden ones are left out, links to folders
 * inside a folder are not followed (no cycles). A file named on the command line is always taken: reading tells what it
 * is.
 */
#include "source/input.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/util.h"
#include "source/capture.h"

#define INPUTS_MAX ((size_t)1 << 20)
#define DEPTH_MAX 64

struct input_list {
    struct input *items;
    size_t count, room;
    uint64_t bytes;
    bool plain;
    bool short_of_memory;
};

/* The list while it is made. */
struct expansion {
    struct input_list *list;
    source_note_fn note;
    void *note_ctx;
    unsigned problems;
};

static void problem(struct expansion *x, const char *path, const char *what) {
    x->problems++;
    if (x->note) {
        x->note(x->note_ctx, path, 0, what);
    }
}

static void problem_errno(struct expansion *x, const char *path, int code) {
    char why[128] = "";
    char what[200];
    const char *text = strerror_r(code, why, sizeof(why));
    snprintf(what, sizeof(what), "cannot be read (%s): left out", text);
    problem(x, path, what);
}

static void list_add(struct expansion *x, const char *path, const struct stat *st, enum input_kind kind, bool plain) {
    struct input_list *l = x->list;
    if (l->count == INPUTS_MAX) {
        problem(x, path, "too many files in one run: left out");
        return;
    }
    if (l->count == l->room) {
        size_t room = l->room ? l->room * 2 : 16;
        struct input *items = reallocarray(l->items, room, sizeof(*items));
        if (!items) {
            l->short_of_memory = true;
            return;
        }
        l->items = items;
        l->room = room;
    }
    struct input *i = &l->items[l->count];
    *i = (struct input){.path = strdup(path), .before = l->bytes, .kind = kind, .plain = plain};
    if (!i->path) {
        l->short_of_memory = true;
        return;
    }
    if (kind == INPUT_FILE) {
        i->size = (uint64_t)st->st_size;
    }
    l->bytes += i->size;
    l->plain = l->plain && plain;
    l->count++;
}

enum look { LOOK_CAPTURE, LOOK_PACKED, LOOK_OTHER };

/* True when the first bytes are those of a compressed file or an archive. */
static bool packed_recognise(const uint8_t *head, size_t len) {
    static const struct {
        uint16_t at;
        const char *magic;
    } packed[] = {{0, "\x1f\x8b"},    {0, "\x1f\x9d"},   {0, "\x28\xb5\x2f\xfd"},
                  {0, "\xfd\x37zXZ"}, {0, "BZh"},        {0, "\x04\x22\x4d\x18"},
                  {0, "LZIP"},        {0, "PK\x03\x04"}, {0, "7z\xbc\xaf"},
                  {0, "0707"},        {0, "]"},          {257, "ustar"}};
    for (size_t i = 0; i < ARRAY_LEN(packed); i++) {
        size_t n = strlen(packed[i].magic);
        if (packed[i].at + n <= len && memcmp(head + packed[i].at, packed[i].magic, n) == 0) {
            return true;
        }
    }
    return false;
}

/* What the file begins as (enum look), or -errno. */
static int file_look(const char *path) {
    uint8_t head[512];
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        return -errno;
    }
    ssize_t got = read(fd, head, sizeof(head));
    int look = got < 0 ? -errno : LOOK_OTHER;
    close(fd);
    if (got > 0 && capture_recognise(head, (size_t)got) != CAPTURE_NONE) {
        return LOOK_CAPTURE;
    }
    return got > 0 && packed_recognise(head, (size_t)got) ? LOOK_PACKED : look;
}

static size_t cut_suffix(const char *name, size_t len, const char *const *suffixes, size_t count) {
    for (size_t i = 0; i < count; i++) {
        size_t n = strlen(suffixes[i]);
        if (len > n && strncasecmp(name + len - n, suffixes[i], n) == 0) {
            return len - n;
        }
    }
    return len;
}

static bool name_is_capture(const char *name) {
    static const char *const packed[] = {".gz", ".zst", ".xz", ".bz2", ".lz4"};
    static const char *const captures[] = {".pcap", ".pcapng", ".cap", ".dmp"};
    size_t len = cut_suffix(name, strlen(name), packed, ARRAY_LEN(packed));
    return cut_suffix(name, len, captures, ARRAY_LEN(captures)) != len;
}

static void add_from_folder(struct expansion *x, const char *path, const char *name, const struct stat *st) {
    int look = file_look(path);
    if (look == LOOK_CAPTURE || name_is_capture(name)) {
        if (look < 0) {
            problem_errno(x, path, -look);
        } else {
            list_add(x, path, st, INPUT_FILE, look != LOOK_PACKED);
        }
    }
}

static void expand_folder(struct expansion *x, const char *path, int depth);

static void expand_entry(struct expansion *x, const char *folder, const char *name, int depth) {
    size_t len = strlen(folder);
    bool slash = len && folder[len - 1] == '/';
    size_t size = len + strlen(name) + 2;
    char *path = malloc(size);
    if (!path) {
        x->list->short_of_memory = true;
        return;
    }
    snprintf(path, size, "%s%s%s", folder, slash ? "" : "/", name);
    struct stat st;
    if (stat(path, &st) == 0) {
        struct stat self;
        if (S_ISREG(st.st_mode)) {
            add_from_folder(x, path, name, &st);
        } else if (S_ISDIR(st.st_mode) && lstat(path, &self) == 0 && S_ISDIR(self.st_mode)) {
            expand_folder(x, path, depth + 1);
        }
    }
    free(path);
}

static int not_hidden(const struct dirent *entry) {
    return entry->d_name[0] != '.';
}

static int by_name(const struct dirent **a, const struct dirent **b) {
    return strcmp((*a)->d_name, (*b)->d_name);
}

static void expand_folder(struct expansion *x, const char *path, int depth) {
    if (depth > DEPTH_MAX) {
        problem(x, path, "too many folders inside each other: left out");
        return;
    }
    struct dirent **entries = NULL;
    int count = scandir(path, &entries, not_hidden, by_name);
    if (count < 0) {
        problem_errno(x, path, errno);
        return;
    }
    for (int i = 0; i < count; i++) {
        expand_entry(x, path, entries[i]->d_name, depth);
        free(entries[i]);
    }
    free(entries);
}

/* An existing path. */
static void expand_path(struct expansion *x, const char *path, const struct stat *st) {
    if (S_ISDIR(st->st_mode)) {
        size_t before = x->list->count;
        unsigned problems = x->problems;
        expand_folder(x, path, 0);
        if (x->list->count == before && x->problems == problems) {
            problem(x, path, "no captures in this folder");
        }
    } else if (S_ISREG(st->st_mode)) {
        int look = file_look(path);
        if (look < 0) {
            problem_errno(x, path, -look);
        } else {
            list_add(x, path, st, INPUT_FILE, look != LOOK_PACKED);
        }
    } else if (access(path, R_OK) < 0) {
        problem_errno(x, path, errno);
    } else {
        list_add(x, path, st, INPUT_STREAM, false);
    }
}

static void expand_glob(struct expansion *x, const char *pattern) {
    glob_t found;
    int rc = glob(pattern, 0, NULL, &found);
    if (rc == GLOB_NOMATCH) {
        problem(x, pattern, "matches no file");
        return;
    }
    if (rc != 0) {
        problem(x, pattern, rc == GLOB_NOSPACE ? "no memory to expand it" : "cannot be read: left out");
        return;
    }
    for (size_t i = 0; i < found.gl_pathc; i++) {
        struct stat st;
        if (stat(found.gl_pathv[i], &st) < 0) {
            problem_errno(x, found.gl_pathv[i], errno);
        } else {
            expand_path(x, found.gl_pathv[i], &st);
        }
    }
    globfree(&found);
}

struct input_list *input_list_new(const char *const *paths, size_t count, source_note_fn note, void *ctx,
                                  unsigned *ret_problems) {
    struct input_list *l = calloc(1, sizeof(*l));
    if (!l) {
        return NULL;
    }
    l->plain = true;
    struct expansion x = {.list = l, .note = note, .note_ctx = ctx};
    for (size_t i = 0; i < count && !l->short_of_memory; i++) {
        struct stat st;
        if (strcmp(paths[i], "-") == 0) {
            list_add(&x, "-", NULL, INPUT_STDIN, false);
        } else if (stat(paths[i], &st) == 0) {
            expand_path(&x, paths[i], &st);
        } else if (errno == ENOENT && strpbrk(paths[i], "*?[")) {
            expand_glob(&x, paths[i]);
        } else {
            problem_errno(&x, paths[i], errno);
        }
    }
    if (ret_problems) {
        *ret_problems = x.problems;
    }
    return l->short_of_memory ? input_list_free(l) : l;
}

struct input_list *input_list_free(struct input_list *l) {
    if (l) {
        for (size_t i = 0; i < l->count; i++) {
            free(l->items[i].path);
        }
        free(l->items);
        free(l);
    }
    return NULL;
}

size_t input_list_count(const struct input_list *l) {
    return l->count;
}

uint64_t input_list_bytes(const struct input_list *l) {
    return l->bytes;
}

bool input_list_is_plain(const struct input_list *l) {
    return l->plain;
}

const struct input *input_list_get(const struct input_list *l, size_t index) {
    return &l->items[index];
}
