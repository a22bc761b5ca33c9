/* index_name.h: names of the database indices that sessions go to, by the time of their last packet (UTC). */
#ifndef SEINE_RECORD_INDEX_NAME_H
#define SEINE_RECORD_INDEX_NAME_H

#include <stddef.h>
#include <stdint.h>

/* Order of the setting rotateIndex's choices. */
enum rotate_index {
    ROTATE_HOURLY,
    ROTATE_HOURLY2,
    ROTATE_HOURLY3,
    ROTATE_HOURLY4,
    ROTATE_HOURLY6,
    ROTATE_HOURLY8,
    ROTATE_HOURLY12,
    ROTATE_DAILY,
    ROTATE_WEEKLY,
    ROTATE_MONTHLY
};
#define ROTATE_CHOICES "hourly,hourly2,hourly3,hourly4,hourly6,hourly8,hourly12,daily,weekly,monthly"

/* "YYMMDD", "YYMMDDhHH", "YYwWW" or "YYmMM" of `time` (ns since 1970); at most 15 characters. */
void index_suffix(enum rotate_index rotate, int64_t time, char *ret_text, size_t size);

#endif
