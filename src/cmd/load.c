/* load.c: see load.h. */
#include "cmd/load.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/util.h"
#include "cmd/notes.h"
#include "cmd/registry_make.h"
#include "cmd/tee.h"
#include "pipeline/ingest.h"
#include "record/core_fields.h"
#include "source/filter.h"

#define TICKS_A_CHECKPOINT 3 /* of 100 ms */

struct loading {
    const struct load_options *o;
    struct notes notes;
    struct progress progress;
    struct show show;
    struct ingest *ingest;
    struct ingest_choice choice;
    struct walk_stats stats;
    struct tee tee;
    char *stand_in; /* the file that standard input is kept in */
    bool stopped;   /* atomic: by the user */
    unsigned workers, ticks;
};

int store_failed(const char *what, int code, const struct err *e) {
    struct err said = *e;
    if (!said.text[0]) {
        (void)err_set(&said, code, "%s", strerror(-code));
    }
    if (!said.hint[0] && (code == -ENOSPC || code == -EDQUOT)) {
        err_hint(&said, "the disk is full: free some space");
    }
    bool named =
        what && strncmp(said.text, what, strlen(what)) == 0; /* the text begins with the folder, or a file in it */
    say_err(named ? NULL : what, &said);
    switch (code) {
    case -ENOSPC:
    case -EDQUOT:
        return EXIT_FULL;
    case -EACCES:
    case -EPERM:
    case -EROFS:
        return EXIT_PERMISSION;
    case -EWOULDBLOCK:
    case -ENOENT:
    case -ENOTDIR:
    case -EPROTO: /* a store of another version */
        return EXIT_USAGE;
    case -ENOMEM:
        return EXIT_INTERNAL;
    default:
        return EXIT_PARTIAL;
    }
}

static void say_text(void *ctx, const char *text) {
    (void)ctx;
    say("%s", text);
}

int store_end(struct store *s, int code) {
    if (!s || store_damage(s, say_text, NULL) == 0) {
        return code;
    }
    say("the answer is without what could not be read; `seine store fsck` says more");
    return code == EXIT_DONE || code == EXIT_NOTHING ? EXIT_PARTIAL : code;
}

/* --- what the walk calls --- */

static void on_record(void *ctx, unsigned worker, struct record *r) {
    struct loading *l = ctx;
    const struct text_list *tags = &l->o->choices->tags;
    for (size_t i = 0; i < tags->count; i++) {
        (void)cells_put_text(&r->cells, registry_field(r->registry, CORE_TAGS), span_text(tags->items[i]));
    }
    ingest_record(l->ingest, worker, r);
}

static void on_file(void *ctx, const struct capture_file *file) {
    ingest_file(((struct loading *)ctx)->ingest, file);
}

static void on_note(void *ctx, const char *file, uint64_t offset, const char *what) {
    struct loading *l = ctx;
    if (!__atomic_load_n(&l->stopped, __ATOMIC_RELAXED)) { /* a pipe that we leave ends in the middle: no news */
        notes_take(&l->notes, file, offset, what);
    }
}

static void on_passed(void *ctx, unsigned worker, uint32_t files) {
    ingest_passed(((struct loading *)ctx)->ingest, worker, files);
}

static bool on_tick(void *ctx, uint64_t bytes, uint64_t packets) {
    struct loading *l = ctx;
    bool asked = false, over = l->o->over(l->o->ctx, &asked);
    uint64_t sessions = ingest_sessions(l->ingest);
    progress_tick(&l->progress, bytes, packets, sessions);
    if (l->o->told) {
        l->o->told(l->o->told_ctx, bytes, packets);
    }
    if (asked) {
        progress_clear(&l->progress);
        say("so far %llu packets, %llu sessions, %llu bytes read in %.1f s", (unsigned long long)packets,
            (unsigned long long)sessions, (unsigned long long)bytes, progress_seconds(&l->progress));
    }
    if (++l->ticks % TICKS_A_CHECKPOINT == 0) {
        (void)ingest_checkpoint(l->ingest, l->workers); /* the next one, or the end, does what this one cannot */
    }
    if (over) {
        __atomic_store_n(&l->stopped, true, __ATOMIC_RELAXED);
    }
    return over || ingest_failed(l->ingest);
}

static void on_skip(void *ctx, const char *path) {
    struct loading *l = ctx;
    if (l->o->verbose) {
        say("%s: is in the store already", path);
    }
}

/* --- standard input --- */

/* A file in the store's folder, named by the time. */
static int keep_input(struct loading *l) {
    struct tm tm;
    time_t now = time(NULL);
    char folder[4096], when[32];
    (void)gmtime_r(&now, &tm);
    (void)strftime(when, sizeof(when), "%Y%m%d-%H%M%S", &tm);
    int n = snprintf(folder, sizeof(folder), "%s/captures", l->o->folder);
    if (n < 0 || n >= (int)sizeof(folder)) {
        return -ENAMETOOLONG;
    }
    if (mkdir(folder, 0700) < 0 && errno != EEXIST) {
        return -errno;
    }
    char *full = realpath(folder, NULL);
    n = full ? asprintf(&l->stand_in, "%s/stdin-%s-%d.pcap", full, when, (int)getpid()) : -1;
    free(full);
    return n < 0 ? -ENOMEM : tee_start(&l->tee, l->stand_in);
}

/* `-` among the paths: the file it comes from, or a copy that is made on the way. */
static int replace_input(struct loading *l, char **paths, int count, char **ret_owned) {
    for (int i = 0; i < count; i++) {
        if (strcmp(paths[i], "-") != 0) {
            continue;
        }
        if (*ret_owned || l->tee.started) {
            say("- is named twice: standard input can be read once");
            return EXIT_USAGE;
        }
        *ret_owned = tee_path();
        if (*ret_owned) {
            paths[i] = *ret_owned;
            continue;
        }
        int code = keep_input(l);
        if (code < 0) {
            say("standard input cannot be kept in %s/captures: %s", l->o->folder, strerror(-code));
            return code == -ENOSPC || code == -EDQUOT ? EXIT_FULL : EXIT_PERMISSION;
        }
    }
    return EXIT_DONE;
}

/* --- the run --- */

static void say_end(const struct loading *l, uint32_t incomplete, int code) {
    const struct walk_stats *s = &l->stats;
    struct buf size;
    buf_init(&size, 64);
    show_bytes(s->source.bytes, &size);
    say("%llu packets, %llu sessions, %.*s stored in %.2f s", (unsigned long long)s->source.packets,
        (unsigned long long)ingest_sessions(l->ingest), (int)size.len, (const char *)size.data,
        progress_seconds(&l->progress));
    buf_done(&size);
    if (incomplete && code >= EXIT_INTERRUPTED) {
        say("interrupted: the sessions stored so far can be searched; the same command again reads the %u capture%s "
            "that %s not read to the end",
            incomplete, incomplete == 1 ? "" : "s", incomplete == 1 ? "was" : "were");
    }
}

static int run_walk(struct loading *l, const struct input_list *inputs) {
    const struct load_options *o = l->o;
    struct walk_options walk = session_setup_walk(o->setup, inputs, o->choices->workers);
    struct err e = {0};
    uint32_t incomplete = 0;
    walk.bpf = o->choices->bpf;
    walk.record = on_record;
    walk.file = on_file;
    walk.passed = on_passed;
    walk.note = on_note;
    walk.tick = on_tick;
    walk.ctx = l;
    l->workers = MIN(MAX(walk.workers, 1u), (unsigned)WALK_WORKERS_MAX);
    int code = walk_run(&walk, &l->stats, &e);
    int kept = tee_stop(&l->tee);
    progress_clear(&l->progress);
    if (o->result) {
        *o->result = (struct load_result){l->stats.source.packets, ingest_sessions(l->ingest)};
    }
    if (code < 0) {
        say("%s", e.text[0] ? e.text : strerror(-code));
        return EXIT_INTERNAL;
    }
    if (o->told) {
        o->told(o->told_ctx, 0, 0);
    }
    e = (struct err){0};
    code = ingest_finish(l->ingest, &l->stats, &incomplete, &e);
    if (code < 0) {
        return store_failed(o->folder, code, &e);
    }
    if (kept < 0) {
        say("%s: standard input cannot be kept: %s; it was read so far", l->stand_in, strerror(-kept));
        return kept == -ENOSPC || kept == -EDQUOT ? EXIT_FULL : EXIT_PARTIAL;
    }
    code = l->stopped ? EXIT_INTERRUPTED : notes_exit(&l->notes, &l->stats.source);
    if (!o->choices->quiet) {
        say_end(l, incomplete, code);
    }
    return code;
}

static int load_inputs(struct loading *l, const struct input_list *all) {
    const struct load_options *o = l->o;
    struct ingest_options options = {.folder = o->folder,
                                     .writer = o->writer,
                                     .control = o->control,
                                     .make = registry_make,
                                     .node = o->setup->record.node,
                                     .stand_in = l->stand_in,
                                     .again = o->choices->again};
    struct ingest_skip skip = {on_skip, l};
    struct input_list *inputs = NULL;
    struct err e = {0};
    int code = ingest_choose(&options, all, &skip, &inputs, &l->choice, &e);
    if (code == 0) {
        code = ingest_new(&options, &l->ingest, &e);
    }
    if (code < 0) {
        input_list_free(inputs);
        return store_failed(o->folder, code, &e);
    }
    if (l->choice.skipped && !o->choices->quiet) {
        say("%llu capture%s in the store already and not read again (--again would)",
            (unsigned long long)l->choice.skipped, l->choice.skipped == 1 ? " is" : "s are");
    }
    if (l->choice.deleted && !o->choices->quiet) {
        say("%llu session%s of an earlier import %s deleted: %s captures are read again",
            (unsigned long long)l->choice.deleted, l->choice.deleted == 1 ? "" : "s",
            l->choice.deleted == 1 ? "was" : "were", l->choice.deleted == 1 ? "its" : "their");
    }
    code = EXIT_DONE;
    if (input_list_count(inputs)) {
        bool line = isatty(STDERR_FILENO) && !o->choices->quiet;
        progress_init(&l->progress, o->choices->progress, line, input_list_bytes(inputs));
        l->notes.progress = &l->progress;
        code = run_walk(l, inputs);
        l->notes.progress = NULL;
        progress_done(&l->progress);
    } else if (!l->choice.skipped) {
        code = l->notes.permission ? EXIT_PERMISSION : EXIT_NOTHING;
    }
    input_list_free(inputs);
    return code;
}

/* A wrong filter has to be known before anything is deleted or kept for reading with it. */
static int check_filter(const char *bpf) {
    struct filter *filter = NULL;
    struct err e = {0};
    int code = bpf && bpf[0] ? filter_new(bpf, &filter, &e) : 0;
    filter_free(filter);
    if (code < 0) {
        say_err("-f", &e);
    }
    return code == -EINVAL ? EXIT_USAGE : code < 0 ? EXIT_INTERNAL : EXIT_DONE;
}

int load_run(const struct load_options *options, char **paths, int count) {
    struct loading *l = calloc(1, sizeof(*l));
    char *owned = NULL;
    if (!l) {
        say("no memory to read with");
        return EXIT_INTERNAL;
    }
    l->o = options;
    l->show.utf8 = show_utf8();
    notes_init(&l->notes, &l->show, options->verbose);
    int code = check_filter(options->choices->bpf);
    code = code == EXIT_DONE ? replace_input(l, paths, count, &owned) : code;
    struct input_list *all = code == EXIT_DONE ? notes_inputs(&l->notes, paths, count) : NULL;
    if (all) {
        code = load_inputs(l, all);
    } else if (code == EXIT_DONE) {
        say("no memory for the list of inputs");
        code = EXIT_INTERNAL;
    }
    (void)tee_stop(&l->tee);
    input_list_free(all);
    notes_done(&l->notes);
    ingest_free(l->ingest);
    free(l->stand_in);
    free(owned);
    free(l);
    return code;
}
