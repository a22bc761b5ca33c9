/* store_export.h: all sessions of a store into one file.
 *
 * Owner: the command. Thread: main. Failure: said; the exit code returned.
 */
#ifndef SEINE_CMD_STORE_EXPORT_H
#define SEINE_CMD_STORE_EXPORT_H

#define STORE_EXPORT_CHOICES "jsonl,csv,parquet"
enum store_export_format { STORE_EXPORT_JSONL, STORE_EXPORT_CSV, STORE_EXPORT_PARQUET };

struct store_export {
    const char *store;
    int format;         /* enum store_export_format */
    const char *out;    /* NULL: standard output; Parquet needs a file */
    const char *fields; /* of CSV; NULL = a sensible set */
};

int store_export_run(const struct store_export *e);

#endif
