/* settings.h: settings as text: for the reference, the sample file, the values in force.
 *
 * Owner: caller. Thread: main.
 */
#ifndef SEINE_CMD_SETTINGS_H
#define SEINE_CMD_SETTINGS_H

#include "base/buf.h"
#include "cmd/session_setup.h"

/* One setting as users see it: modules may share one by name. */
struct shown_setting {
    const struct setting *setting;
    const struct config_module *module;
    char modules[80]; /* "http, smtp" */
};

struct setting_table {
    struct config_module modules[SETUP_MODULES_MAX];
    size_t module_count;
    struct shown_setting *shown;
    size_t count;
};

/* All settings, grouped by module, each name once. */
int setting_table_init(struct setting_table *t, struct session_setup *s);
void setting_table_done(struct setting_table *t);
const struct shown_setting *setting_table_find(const struct setting_table *t, const char *name);

/* The value in force, as it would be written in the file. */
void setting_value_text(const struct setting *s, const void *target, struct buf *out);
/* True when the value in force is the default. */
bool setting_is_default(struct config *c, const struct setting *s, const void *target);
/* Could `text` be its value? 0, or -errno with the reason. */
int setting_try(struct config *c, const struct setting *s, const char *text, struct err *ret_err);

#endif
