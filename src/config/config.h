/* config.h: one INI file (inih) plus -o overrides and environment, made into an immutable snapshot.
 *
 * Sections: [default], a section per node name (wins over [default]), [class:X] or [X] for its nodeClass = X, and named
 * sections that modules read as key = value lists (for example [override-ips], [headers-http-request]). Owner: main.
 * Thread: any once loaded. Failure: config_load reports every mistake through `report`, not only the first.
 */
#ifndef SEINE_CONFIG_CONFIG_H
#define SEINE_CONFIG_CONFIG_H

#include <errno.h>
#include <stdbool.h>

#include "base/err.h"
#include "base/span.h"
#include "config/setting.h"

struct config;

/* One module's wish: fill `target` by `table`. */
struct config_module {
    const char *name; /* "flow", "http": groups the reference */
    const struct setting *table;
    size_t count;
    void *target;
};

struct config_entry {
    const char *key, *value; /* trimmed */
    int line;
};

/* Code of a note about a setting of Arkime that has no meaning here; the note's hint is the setting's name. */
#define CONFIG_IGNORED (-EOPNOTSUPP)

typedef void (*config_report_fn)(void *ctx, const char *file, const struct err *problem, bool fatal);

/* Empty configuration (defaults, environment SEINE__key / ARKIME__key only). NULL without memory. */
struct config *config_new(void);
struct config *config_free(struct config *c);

/* Reads a file; relative paths inside are relative to the file's folder (config_path). Syntax mistakes are reported;
 * reading goes on. */
int config_read_file(struct config *c, const char *path, config_report_fn report, void *ctx);
/* "key=value" or "section.key=value"; wins over files. */
int config_override(struct config *c, const char *assignment, struct err *ret_err);
/* Section used before [default]. */
int config_set_node(struct config *c, const char *node);

/* Fills every module's target and reports unknown keys in [default]/node sections with the nearest name, bad values,
 * and out-of-range numbers, each with file:line. Returns 0, or -EINVAL when anything fatal was reported (targets then
 * hold defaults for the bad values). Keys Arkime knows but Seine has no use for are accepted with a non-fatal note of
 * code CONFIG_IGNORED. */
int config_apply(struct config *c, const struct config_module *modules, size_t count, config_report_fn report,
                 void *ctx);

/* Entries of a named section in file order; count 0 when absent. Entries point into the configuration. */
const struct config_entry *config_section(struct config *c, const char *section, size_t *ret_count);
/* After all modules have asked for their sections: a note about each section that nobody asked for, with the nearest
 * one that somebody did. Sections that hold settings only are those of other nodes, and fine. */
void config_check_sections(const struct config *c, const struct config_module *modules, size_t count,
                           config_report_fn report, void *ctx);
/* Every section with its entries, in file order. `claimed`: a module asked for it. */
typedef void (*config_section_fn)(void *ctx, const char *section, const struct config_entry *entries, size_t count,
                                  bool claimed);
void config_each_section(const struct config *c, config_section_fn each, void *ctx);
/* True when a module's table has the key. */
bool config_is_setting(const struct config_module *modules, size_t count, const char *key);
/* Value of a key in [default]/node sections by name, for ${key} substitution in rules; NULL when absent. */
const char *config_value(const struct config *c, const char *key);
/* `path` made absolute against the folder of the configuration file; allocated in the configuration. */
const char *config_path(struct config *c, const char *path);
/* Allocates in the configuration's memory (lives as long as it). */
char *config_strdup(struct config *c, const char *text, size_t len);

#endif
