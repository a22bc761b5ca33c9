/* session_setup.c: see session_setup.h. */
#include "cmd/session_setup.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/util.h"
#include "cmd/cmd.h"
#include "record/core_fields.h"

#define MODULES_MAX 128

static void print_problem(void *ctx, const char *file, const struct err *problem, bool fatal) {
    (void)ctx;
    (void)fprintf(stderr, "seine: ");
    if (file && problem->line) {
        (void)fprintf(stderr, "%s:%d: ", file, problem->line);
    } else if (file) {
        (void)fprintf(stderr, "%s: ", file);
    }
    (void)fprintf(stderr, "%s%s", fatal ? "" : "note: ", problem->text);
    if (problem->hint[0]) {
        (void)fprintf(stderr, " (%s)", problem->hint);
    }
    (void)fputc('\n', stderr);
}

size_t session_setup_modules(struct session_setup *s, struct config_module *ret, size_t max) {
    const struct config_module own[] = {
        {"record", record_setting_table, record_setting_count, &s->record},
        {"decode", decode_setting_table, decode_setting_count, &s->decode},
        {"enrich", enrich_setting_table, enrich_setting_count, &s->enrich_settings},
        {"flow", flow_setting_table, flow_setting_count, &s->flow},
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

static int read_settings(struct session_setup *s, const char *path, const char *const *overrides, size_t count) {
    struct config_module modules[MODULES_MAX];
    size_t n = session_setup_modules(s, modules, ARRAY_LEN(modules));
    int worst = path ? config_read_file(s->config, path, print_problem, NULL) : 0;
    for (size_t i = 0; i < count; i++) {
        struct err e = {0};
        if (config_override(s->config, overrides[i], &e) < 0) {
            print_problem(NULL, "-o", &e, true);
            worst = -1;
        }
    }
    if (config_apply(s->config, modules, n, print_problem, NULL) < 0 || worst < 0) {
        return -1;
    }
    if (!s->record.node[0]) {
        char host[256] = "";
        (void)gethostname(host, sizeof(host) - 1);
        host[strcspn(host, ".")] = 0;
        s->record.node = config_strdup(s->config, host[0] ? host : "seine", strlen(host[0] ? host : "seine"));
    }
    return s->record.node ? 0 : -1;
}

int session_setup_init(struct session_setup *s, const char *config_path, const char *const *overrides, size_t count) {
    struct err e = {0};
    memset(s, 0, sizeof(*s));
    s->config = config_new();
    if (!s->config || make_fields(s, &e) < 0) {
        (void)fprintf(stderr, "seine: the fields cannot be set up: %s\n", e.text);
        return EXIT_INTERNAL;
    }
    if (read_settings(s, config_path, overrides, count) < 0) {
        return EXIT_CONFIG;
    }
    if (dissect_set_prepare(s->dissectors, s->registry, s->config, &e) < 0) {
        print_problem(NULL, config_path, &e, true);
        return EXIT_CONFIG;
    }
    s->enrich = enrich_new(&s->enrich_settings, s->config, s->registry, print_problem, NULL);
    if (!s->enrich) {
        return EXIT_CONFIG;
    }
    if (registry_seal(s->registry, &e) < 0 || !(s->plan = document_plan_new(s->registry)) ||
        enrich_bind(s->enrich, s->registry, &e) < 0) {
        (void)fprintf(stderr, "seine: the fields cannot be set up: %s\n", e.text);
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
