/*
 * The benchmark's questions as SQL that DuckDB and SQLite both have, and their answers as the lines of engine.h.
 */
#pragma once

#include "engine.h"

#define SQL_MAX 65536

/* A database that runs one statement and gives rows as text. */
struct sql {
    void *db;
    /* `each` gets `count` texts, NULL for a missing value. 0, or -1 after saying why. */
    int (*run)(void *db, const char *text, void (*each)(void *ctx, int count, const char *const *texts), void *ctx);
    bool lists; /* has lists and statistics; else lists are tables of their own: "v:<path>" (seq, value) */
};

int sql_ask(const struct sql *db, uint64_t rows, enum question q, FILE *answer);
