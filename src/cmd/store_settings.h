/* store_settings.h: settings of stores, for those who write and those who read them.
 *
 * Owner: struct session_setup. Thread: main fills it, read-only afterwards.
 */
#ifndef SEINE_CMD_STORE_SETTINGS_H
#define SEINE_CMD_STORE_SETTINGS_H

#include "config/setting.h"
#include "store/store.h"

struct store_settings {
    struct store_options options; /* node and retain_seconds are filled by store_settings_options */
    uint32_t max_age;
    uint64_t cache; /* bytes, of a reader */
};
struct store_options store_settings_options(const struct store_settings *s, const char *node);

extern const struct setting store_setting_table[];
extern const size_t store_setting_count;

#endif
