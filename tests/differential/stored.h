/* stored.h: the made sessions in a store: some in segments, some in the log, some changed afterwards. */
#ifndef SEINE_TESTS_STORED_H
#define SEINE_TESTS_STORED_H

#include "made.h"
#include "store/store.h"

struct stored {
    struct store_writer *writer;
    struct store *store;
    struct snapshot *snapshot;
    uint64_t *seqs; /* of each record */
};

/* Writes them into `folder` and opens it. Some tags are changed in the store, and in `m` as well. */
void stored_open(struct stored *s, struct made *m, const char *folder);
void stored_close(struct stored *s);

/* How many sessions the expression finds: by the store's columns, and by matching each restored record. */
uint64_t stored_count(const struct stored *s, struct span text);
uint64_t stored_count_restored(const struct stored *s, struct span text);
/* Every id finds its session and no other. */
void stored_check_ids(const struct stored *s, const struct made *m);

_Noreturn void end_with(const char *what, const struct err *e);

#endif
