/* duck.h: one statement given to DuckDB, whose library is loaded when it is needed and only then.
 *
 * Owner: caller. Thread: one. Failure: -ENOENT when there is no library (the hint says where to get it), -EINVAL with
 * DuckDB's own words.
 */
#ifndef SEINE_CMD_DUCK_H
#define SEINE_CMD_DUCK_H

#include "base/err.h"

/* `library`: path of libduckdb.so, or NULL: what SEINE_DUCKDB names, or where the system looks for libraries. */
int duck_run(const char *library, const char *sql, struct err *ret_err);

#endif
