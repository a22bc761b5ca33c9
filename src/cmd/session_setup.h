/* session_setup.h: what every command that turns packets into sessions needs: settings, fields, protocols. */
#ifndef SEINE_CMD_SESSION_SETUP_H
#define SEINE_CMD_SESSION_SETUP_H

#include "config/config.h"
#include "pipeline/walk.h"
#include "record/document.h"

struct session_setup {
    struct registry *registry;
    struct dissect_set *dissectors;
    struct config *config;
    struct document_plan *plan;
    struct decode_settings decode;
    struct flow_settings flow;
    struct record_settings record;
    struct enrich_settings enrich_settings;
    struct enrich *enrich;
};

/* Makes fields and settings, reads `config_path` (NULL = none) and `overrides`, prepares protocols, seals the registry.
 * Mistakes are printed to stderr. Returns 0 or an exit code of cmd.h. */
int session_setup_init(struct session_setup *s, const char *config_path, const char *const *overrides, size_t count);
void session_setup_done(struct session_setup *s);

/* The settings of all modules, for describing; at most `max`. */
size_t session_setup_modules(struct session_setup *s, struct config_module *ret, size_t max);

#endif
