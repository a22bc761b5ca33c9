/* session_setup.h: what every command that turns packets into sessions needs: settings, fields, protocols.
 *
 * Owner: the command's stack. Thread: main while it is made; read-only afterwards. Failure: mistakes in the
 * configuration are said, all of them, and the exit code is returned.
 */
#ifndef SEINE_CMD_SESSION_SETUP_H
#define SEINE_CMD_SESSION_SETUP_H

#include "api/settings.h"
#include "auth/auth.h"
#include "cmd/option_rows.h"
#include "cmd/store_settings.h"
#include "config/config.h"
#include "http/settings.h"
#include "pipeline/walk.h"
#include "record/document.h"

/* The part of the command line that all these commands share. */
struct setup_options {
    const char *config;
    struct text_list overrides;
    const char *node;
    unsigned verbose;
};
#define SETUP_OPTION_ROWS(type, member)                                                                     \
    {.letter = 'C',                                                                                         \
     .name = "config",                                                                                      \
     .argument = "FILE",                                                                                    \
     .kind = OPTION_TEXT,                                                                                   \
     .offset = OPTION_AT(type, member.config),                                                              \
     .help = "settings (INI, also Arkime's config.ini); `seine config --describe` lists them"},             \
        {.letter = 'o',                                                                                     \
         .argument = "KEY=VALUE",                                                                           \
         .kind = OPTION_LIST,                                                                               \
         .offset = OPTION_AT(type, member.overrides),                                                       \
         .help = "one setting, wins over the file; also SECTION.KEY=VALUE"},                                \
    {                                                                                                       \
        .name = "node", .argument = "NAME", .kind = OPTION_TEXT, .offset = OPTION_AT(type, member.node),    \
        .help = "name of this node in sessions, and its section of the settings (default: the host's name)" \
    }

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
    struct store_settings store;
    struct http_settings http;
    struct auth_settings auth;
    struct api_settings api;
};

/* Makes fields and settings, reads the configuration, prepares protocols, seals the registry. Returns 0 or an exit code
 * of cmd.h. session_setup_done is due in any case. */
int session_setup_init(struct session_setup *s, const struct setup_options *options);
void session_setup_done(struct session_setup *s);

/* The settings of all modules, for describing; at most `max`. */
#define SETUP_MODULES_MAX 128
size_t session_setup_modules(struct session_setup *s, struct config_module *ret, size_t max);

/* A walk over `inputs` with these settings; the caller adds what is its own. */
struct walk_options session_setup_walk(const struct session_setup *s, const struct input_list *inputs,
                                       uint64_t workers);
/* Workers when nobody says how many: one per processor this process may use, at most 8. */
unsigned session_setup_workers(void);

#endif
