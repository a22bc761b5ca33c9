/* show.h: numbers, times and text of strangers, for people's eyes.
 *
 * Captured text can hold anything: what would move a terminal's cursor, colour it or turn its writing around is
 * escaped.
 */
#ifndef SEINE_CMD_SHOW_H
#define SEINE_CMD_SHOW_H

#include <stdint.h>

#include "base/buf.h"

/* How times are written and what the terminal can show. */
struct show {
    bool utc;  /* else the zone of the process (TZ) */
    bool utf8; /* characters beyond ASCII may be used */
};

/* Command line's --utc and --tz. False when there is no such zone. */
bool show_zone(struct show *s, bool utc, const char *zone);
bool show_utf8(void); /* what the locale says */

enum time_part {
    TIME_DATE = 1,   /* 2014-05-29 */
    TIME_CLOCK = 2,  /* 17:58:08.595 */
    TIME_OFFSET = 4, /* Z or +02:00; UTC without a clock */
    TIME_ISO = 8,    /* T between date and clock */
};
/* `time`: ns since 1970; `parts`: enum time_part added up. */
void show_time(const struct show *s, int64_t time, unsigned parts, struct buf *out);
/* Days since 1970 and the offset in seconds where `time` is in: equal for times of one day. */
int64_t show_day(const struct show *s, int64_t time);
/* "12 ms", "3.4 s", "2m05s", "3h10m", "2d04h" of ns. */
void show_duration(int64_t ns, struct buf *out);
/* At most 5 characters: "9999", "12.3k", "4.5M". */
void show_short(uint64_t number, struct buf *out);
/* "730 bytes", "1.2 kB", "3.4 GB" */
void show_bytes(uint64_t bytes, struct buf *out);

/* Appends `text` with everything dangerous escaped, at most `columns` wide (an ellipsis stands for the rest). Returns
 * the columns used. */
size_t show_text(const struct show *s, struct span text, size_t columns, struct buf *out);

#endif
