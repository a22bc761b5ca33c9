/* parquet.h: the columns of session documents in DuckDB's words, so that a file of them has the same types whatever is
 * in it. Thread: any. Failure: that of the buf.
 */
#ifndef SEINE_CMD_PARQUET_H
#define SEINE_CMD_PARQUET_H

#include "base/buf.h"
#include "store/store.h"

/* The statement that turns JSON Lines of documents, with their ids, into a Parquet file. Only fields that some session
 * of the snapshot has. Times of packets become timestamps, others stay milliseconds since 1970. */
void parquet_sql(const struct snapshot *s, const char *json_path, const char *parquet_path, struct buf *out);

#endif
