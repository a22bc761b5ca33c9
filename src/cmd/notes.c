/* notes.c: see notes.h. */
#include "cmd/notes.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cmd/cmd.h"

#define NOTES_SAID 40
#define OUT_CEILING ((size_t)1 << 16)

void notes_init(struct notes *n, const struct show *show, bool all) {
    *n = (struct notes){.show = *show, .all = all};
    (void)pthread_mutex_init(&n->lock, NULL);
}

void notes_done(struct notes *n) {
    if (n->kept_back) {
        say("%u more problems were not said; -v says all", n->kept_back);
    }
    (void)pthread_mutex_destroy(&n->lock);
}

void notes_take(void *notes, const char *file, uint64_t offset, const char *what) {
    struct notes *n = notes;
    struct buf line;
    (void)pthread_mutex_lock(&n->lock);
    bool quiet = !n->all && n->count >= NOTES_SAID;
    n->kept_back += quiet;
    n->count++;
    if (!quiet) {
        if (n->progress) {
            progress_clear(n->progress);
        }
        buf_init(&line, OUT_CEILING);
        const char *name = n->spool && strcmp(file, n->spool) == 0 ? "-" : file;
        (void)show_text(&n->show, span_text(name), 1000, &line); /* members of archives are named by strangers */
        if (offset) {
            buf_printf(&line, ": at byte %llu", (unsigned long long)offset);
        }
        buf_add_text(&line, ": ");
        (void)show_text(&n->show, span_text(what), 1000, &line);
        say("%.*s", (int)line.len, (const char *)line.data);
        buf_done(&line);
    }
    (void)pthread_mutex_unlock(&n->lock);
}

struct input_list *notes_inputs(struct notes *n, char **paths, int count) {
    for (int i = 0; i < count; i++) {
        n->permission |= strcmp(paths[i], "-") != 0 && access(paths[i], R_OK) < 0 && errno == EACCES;
    }
    return input_list_new((const char *const *)paths, (size_t)count, notes_take, n, &n->problems);
}

int notes_exit(const struct notes *n, const struct source_stats *stats) {
    if (stats->files == 0) {
        return n->permission ? EXIT_PERMISSION : EXIT_NOTHING;
    }
    bool whole = n->problems == 0 && stats->unreadable == 0 && stats->truncated == 0 && stats->damaged == 0;
    return whole ? EXIT_DONE : EXIT_PARTIAL;
}
