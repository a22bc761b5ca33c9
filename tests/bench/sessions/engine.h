/*
 * An engine that holds the rows and answers the benchmark's questions. Answers are lines of text that must be the same
 * from every engine; what a question costs is measured around it.
 */
#pragma once

#include <stdio.h>

#include "row.h"

enum question {
    Q1,        /* last hour: count, and last packets of the newest 50 */
    Q2,        /* source network and destination port, all time: the same */
    Q2_ABSENT, /* an address nobody has */
    Q3,        /* part of a host name: the same */
    Q4_DAY,    /* the 100 commonest values of ten fields, TCP, one day */
    Q4_ALL,
    Q5_DAY, /* a day by minutes, four sums */
    Q5_ALL, /* everything by hours */
    Q6_DAY, /* the 1,000 commonest pairs of source and destination with two sums, one day */
    Q6_ALL,
    Q7,   /* one session, every column */
    Q8,   /* every source, destination and port: number, mean and deviation of intervals */
    TAG,  /* a tag to 1,000 sessions */
    DROP, /* the oldest day goes */
    QUESTIONS
};
extern const char *const question_names[QUESTIONS];

/* Text that Q3 looks for, network of Q2, fields of Q4. */
#define Q3_TEXT "shopnews"
#define Q2_NETWORK "10.0.0.0/16"
#define Q2_PORT 443
#define Q4_FIELDS 10
extern const enum column_id q4_fields[Q4_FIELDS];
#define DAY_MS INT64_C(86400000)
#define END_MS (WORLD_START_MS + WORLD_DAYS * DAY_MS)

struct engine {
    const char *name;
    /* 0, or -1 after saying why on standard error. */
    int (*load)(const char *path, const struct world *w, uint64_t rows);
    int (*open)(const char *path, uint64_t rows, void **ret);
    int (*ask)(void *engine, enum question q, FILE *answer);
    /* What is done before a question and not measured; NULL: nothing. */
    int (*prepare)(void *engine, enum question q);
    void (*close)(void *engine);
};
extern const struct engine store_engine, duckdb_engine, sqlite_engine;
