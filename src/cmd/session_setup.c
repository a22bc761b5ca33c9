/* session_setup.c: see session_setup.h. */
#include "cmd/session_setup.h"

#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/util.h"
#include "cmd/cmd.h"
#include "record/core_fields.h"

#define WORKERS_UNASKED 8

/* What the configuration's reporters tell: most of it at once, what is only ignored in one line at the end. */
struct talk {
    bool verbose;
    unsigned ignored;
    char names[600];
};

static void report_problem(void *ctx, const char *file, const struct err *problem, bool fatal) {
    struct talk *t = ctx;
    struct err told = *problem;
    if (problem->code == CONFIG_IGNORED && !t->verbose) {
        size_t used = strlen(t->names);
        t->ignored++;
        (void)snprintf(t->names + used, sizeof(t->names) - used, "%s%.80s", used ? ", " : "", problem->hint);
        return;
    }
    if (problem->code == CONFIG_IGNORED) {
        told.hint[0] = 0;
    }
    if (!fatal) {
        (void)snprintf(told.text, sizeof(told.text), "note: %.390s", problem->text);
    }
    say_err(file, &told);
}

static void report_ignored(const struct talk *t, const char *file) {
    if (t->ignored) {
        bool cut = strlen(t->names) + 1 == sizeof(t->names);
        say("%s: %u setting%s of Arkime that ha%s no meaning here %s ignored: %s%s", file ? file : "settings",
            t->ignored, t->ignored > 1 ? "s" : "", t->ignored > 1 ? "ve" : "s", t->ignored > 1 ? "are" : "is", t->names,
            cut ? "..." : "");
    }
}

size_t session_setup_modules(struct session_setup *s, struct config_module *ret, size_t max) {
    const struct config_module own[] = {
        {"record", record_setting_table, record_setting_count, &s->record},
        {"decode", decode_setting_table, decode_setting_count, &s->decode},
        {"enrich", enrich_setting_table, enrich_setting_count, &s->enrich_settings},
        {"flow", flow_setting_table, flow_setting_count, &s->flow},
        {"store", store_setting_table, store_setting_count, &s->store},
        {"http", http_setting_table, http_setting_count, &s->http},
        {"auth", auth_setting_table, auth_setting_count, &s->auth},
        {"api", api_setting_table, api_setting_count, &s->api},
    };
    size_t n = 0;
    for (size_t i = 0; i < ARRAY_LEN(own) && n < max; i++) {
        ret[n++] = own[i];
    }
    return n + dissect_set_modules(s->dissectors, ret + n, max - n);
}

static int make_fields(struct session_setup *s, struct err *e) {
    uint16_t base;
    s->registry = registry_new();
    if (!s->registry || registry_add(s->registry, "general", core_field_table, core_field_count, &base, e) < 0) {
        return -1;
    }
    s->dissectors = dissect_set_new(s->registry, e);
    return s->dissectors ? 0 : -1;
}

static int read_sources(struct session_setup *s, const struct setup_options *o, struct talk *talk) {
    int worst = o->config ? config_read_file(s->config, o->config, report_problem, talk) : 0;
    for (size_t i = 0; i < o->overrides.count; i++) {
        struct err e = {0};
        if (config_override(s->config, o->overrides.items[i], &e) < 0) {
            report_problem(talk, "-o", &e, true);
            worst = -1;
        }
    }
    return worst;
}

/* Who this is decides which section counts, so it is known before settings are read. */
static const char *find_node(struct session_setup *s, const struct setup_options *o) {
    char host[256] = "";
    const char *name = o->node;
    if (!name || !*name) {
        name = config_value(s->config, "node");
    }
    if (!name || !*name) {
        (void)gethostname(host, sizeof(host) - 1);
        host[strcspn(host, ".")] = 0;
        name = host[0] ? host : "seine";
    }
    return config_set_node(s->config, name) < 0 ? NULL : config_strdup(s->config, name, strlen(name));
}

static int read_settings(struct session_setup *s, const struct setup_options *o, struct talk *talk) {
    struct config_module modules[SETUP_MODULES_MAX];
    size_t n = session_setup_modules(s, modules, ARRAY_LEN(modules)), count;
    int worst = read_sources(s, o, talk);
    const char *node = find_node(s, o);
    if (!node) {
        return -1;
    }
    if (config_apply(s->config, modules, n, report_problem, talk) < 0) {
        worst = -1;
    }
    s->record.node = node;
    struct err e = {0};
    if (decode_settings_check(&s->decode, &e) < 0) {
        report_problem(talk, o->config, &e, true);
        worst = -1;
    }
    e = (struct err){0};
    if (http_settings_check(&s->http, &e) < 0) {
        report_problem(talk, o->config, &e, true);
        worst = -1;
    }
    const struct config_entry *rows = config_section(s->config, "vlan-vni-collapse", &count);
    e = (struct err){0};
    if (decode_collapse_read(&s->decode, rows, count, &e) < 0) {
        report_problem(talk, o->config, &e, true);
        worst = -1;
    }
    return worst;
}

static int prepare(struct session_setup *s, const struct setup_options *o, struct talk *talk) {
    struct config_module modules[SETUP_MODULES_MAX];
    struct err e = {0};
    int code = read_settings(s, o, talk) < 0 ? EXIT_CONFIG : EXIT_DONE;
    if (dissect_set_prepare(s->dissectors, s->registry, s->config, &e) < 0) {
        report_problem(talk, o->config, &e, true);
        code = EXIT_CONFIG;
    }
    s->enrich = enrich_new(&s->enrich_settings, s->config, s->registry, report_problem, talk);
    if (!s->enrich) {
        code = EXIT_CONFIG;
    }
    config_check_sections(s->config, modules, session_setup_modules(s, modules, ARRAY_LEN(modules)), report_problem,
                          talk);
    report_ignored(talk, o->config);
    return code;
}

int session_setup_init(struct session_setup *s, const struct setup_options *options) {
    struct talk talk = {.verbose = options->verbose > 0};
    struct err e = {0};
    memset(s, 0, sizeof(*s));
    s->config = config_new();
    if (!s->config || make_fields(s, &e) < 0) {
        say("the fields cannot be set up: %s", e.text[0] ? e.text : "no memory");
        return EXIT_INTERNAL;
    }
    int code = prepare(s, options, &talk);
    if (code != EXIT_DONE) {
        return code;
    }
    if (registry_seal(s->registry, &e) < 0 || !(s->plan = document_plan_new(s->registry)) ||
        enrich_bind(s->enrich, s->registry, &e) < 0) {
        say("the fields cannot be set up: %s", e.text[0] ? e.text : "no memory");
        return EXIT_INTERNAL;
    }
    return EXIT_DONE;
}

void session_setup_done(struct session_setup *s) {
    s->enrich = enrich_free(s->enrich);
    s->plan = document_plan_free(s->plan);
    s->dissectors = dissect_set_free(s->dissectors);
    s->registry = registry_free(s->registry);
    s->config = config_free(s->config);
}

unsigned session_setup_workers(void) {
    cpu_set_t set;
    int count = sched_getaffinity(0, sizeof(set), &set) == 0 ? CPU_COUNT(&set) : 1;
    return (unsigned)MIN(MAX(count, 1), WORKERS_UNASKED);
}

struct walk_options session_setup_walk(const struct session_setup *s, const struct input_list *inputs,
                                       uint64_t workers) {
    return (struct walk_options){
        .inputs = inputs,
        .workers = workers ? (unsigned)workers : session_setup_workers(),
        .decode = &s->decode,
        .flow = &s->flow,
        .record_settings = &s->record,
        .dissectors = s->dissectors,
        .registry = s->registry,
        .enrich = s->enrich,
    };
}
