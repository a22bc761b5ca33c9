/* index_name.c: see index_name.h. */
#include "record/index_name.h"

#include <stdio.h>
#include <time.h>

void index_suffix(enum rotate_index rotate, int64_t time, char *ret_text, size_t size) {
    static const int hours[] = {1, 2, 3, 4, 6, 8, 12};
    time_t seconds = (time_t)(time / 1000000000);
    struct tm t;
    if (!gmtime_r(&seconds, &t)) {
        t = (struct tm){.tm_year = 70, .tm_mday = 1};
    }
    int year = t.tm_year % 100;
    switch (rotate) {
    case ROTATE_WEEKLY:
        (void)snprintf(ret_text, size, "%02dw%02d", year, t.tm_yday / 7);
        break;
    case ROTATE_MONTHLY:
        (void)snprintf(ret_text, size, "%02dm%02d", year, t.tm_mon + 1);
        break;
    case ROTATE_DAILY:
        (void)snprintf(ret_text, size, "%02d%02d%02d", year, t.tm_mon + 1, t.tm_mday);
        break;
    default:
        (void)snprintf(ret_text, size, "%02d%02d%02dh%02d", year, t.tm_mon + 1, t.tm_mday,
                       t.tm_hour / hours[rotate] * hours[rotate]);
    }
}
