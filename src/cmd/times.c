/* times.c: see times.h. */
#include "cmd/times.h"

#include "cmd/cmd.h"
#include "query/item.h"

int times_read(const char *option, const char *text, int64_t now, int64_t *ret_low, int64_t *ret_high) {
    if (!time_parse(span_text(text), now, ret_low, ret_high)) {
        say("%s %s: is no time; examples are 2024/05/29, 2024-05-29T17:58:00Z, 1401378000 and -2h", option, text);
        return EXIT_USAGE;
    }
    return EXIT_DONE;
}
