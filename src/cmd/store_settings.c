/* store_settings.c: see store_settings.h. */
#include "cmd/store_settings.h"

#include "base/util.h"

#define AT(member) SETTING(store_settings, member)
const struct setting store_setting_table[] = {
    {.name = "storeDurability",
     .type = ST_CHOICE,
     .offset = AT(options.durability),
     .fallback = "batch",
     .choices = "batch,each,none",
     .help = "When sessions are on disk for certain: after each flush, after each session, or when the system pleases"},
    {.name = "storeFlush",
     .type = ST_U32,
     .offset = AT(options.flush_ms),
     .fallback = "200",
     .min = 1,
     .max = 60000,
     .help = "Milliseconds after which sessions are written at the latest, and seen by others"},
    {.name = "storeSealRows",
     .type = ST_U32,
     .offset = AT(options.seal_rows),
     .fallback = "65536",
     .min = 1000,
     .max = 1 << 20,
     .help = "Sessions in the log before they become a segment"},
    {.name = "storeSealTime",
     .type = ST_SECONDS,
     .offset = AT(options.seal_seconds),
     .fallback = "60",
     .min = 1,
     .max = 86400,
     .help = "Age of the log before it becomes a segment"},
    {.name = "storeMaxAge",
     .type = ST_SECONDS,
     .offset = AT(max_age),
     .fallback = "0",
     .max = UINT32_MAX,
     .help = "How long sessions are kept, by the day of their last packet, for example 90d; 0 = for ever"},
    {.name = "storeMaxSize",
     .type = ST_BYTES,
     .offset = AT(options.retain_bytes),
     .fallback = "0",
     .max = (uint64_t)1 << 60,
     .help = "Size at which the oldest sessions are deleted; 0 = no limit"},
    {.name = "storeFreeSpace",
     .type = ST_BYTES,
     .offset = AT(options.free_bytes),
     .fallback = "0",
     .max = (uint64_t)1 << 60,
     .help = "Free space on the disk below which the oldest sessions are deleted; 0 = no limit"},
    {.name = "storeCache",
     .type = ST_BYTES,
     .offset = AT(cache),
     .fallback = "256M",
     .min = 1 << 20,
     .max = (uint64_t)1 << 40,
     .help = "Memory for unpacked dictionaries of a store that is searched"},
};
const size_t store_setting_count = ARRAY_LEN(store_setting_table);

struct store_options store_settings_options(const struct store_settings *s, const char *node) {
    struct store_options o = s->options;
    o.node = node;
    o.retain_seconds = s->max_age;
    return o;
}
