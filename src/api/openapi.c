/* openapi.c: the tables of endpoints as OpenAPI 3.1 and as a page of the manual. */
#include <stdio.h>
#include <strings.h>

#include "api/shared.h"
#include "base/util.h"

static const struct {
    uint32_t flag;
    const char *name, *upper;
} methods[] = {
    {API_GET, "get", "GET"}, {API_POST, "post", "POST"}, {API_PUT, "put", "PUT"}, {API_DELETE, "delete", "DELETE"}};

static const char *const flag_texts[] = {"webEnabled",    "emailSearch",   "removeEnabled", "packetSearch",
                                         "not hideStats", "not hideFiles", "not hidePcap",  "not disablePcapDownload",
                                         "usersAdmin",    "arkimeAdmin",   "superAdmin",    "arkimeUser"};

/* The parameters that all queries of sessions share. */
static const struct parameter query_parameters[] = {
    {"date", PARAM_NUMBER, "1", "Hours back; -1 is everything"},
    {"startTime", PARAM_TIME, NULL, "Begin: seconds since 1970, or a date"},
    {"stopTime", PARAM_TIME, NULL, "End: seconds since 1970, or a date"},
    {"bounding", PARAM_TEXT, "last", "Which time must lie between: first, last, both, either, database"},
    {"strictly", PARAM_BOOL, "false", "The same as bounding=both"},
    {"interval", PARAM_TEXT, "auto", "Buckets of the timeline: second, minute, hour, day, week"},
    {"spanning", PARAM_BOOL, "false", "A session counts in every bucket it overlaps"},
    {"expression", PARAM_TEXT, NULL, "What to look for (guide/expressions.md)"},
    {"view", PARAM_TEXT, NULL, "Id or name of a saved view, which must match too"},
    {"order", PARAM_TEXT, "firstPacket:asc", "field:asc or field:desc, separated by commas"},
    {"start", PARAM_NUMBER, "0", "Where the page begins"},
    {"length", PARAM_NUMBER, "100", "Rows of the page"},
    {"fields", PARAM_LIST, NULL, "Fields wanted"},
    {"facets", PARAM_BOOL, "false", "With timeline"},
    {"map", PARAM_BOOL, "false", "With counts of countries"},
    {"flatten", PARAM_BOOL, "false", "Dotted keys in place of nested objects"},
    {"segments", PARAM_TEXT, "no", "Other pieces of long sessions: no, time, all"},
    {"ids", PARAM_LIST, NULL, "These sessions in place of a query"},
    {"cancelId", PARAM_TEXT, NULL, "A name by which the query can be ended"},
};

/* "/api/x/:id.pcap" is "/api/x/{id}.pcap" there. */
static void path_write(struct buf *out, const char *pattern) {
    bool name = false;
    for (const char *at = pattern; *at; at++) {
        if (name && (*at == '/' || *at == '.')) {
            buf_add_byte(out, '}');
            name = false;
        }
        if (*at == ':') {
            buf_add_byte(out, '{');
            name = true;
        } else {
            buf_add_byte(out, (uint8_t)*at);
        }
    }
    if (name) {
        buf_add_byte(out, '}');
    }
}

static void text_member(struct json *j, const char *key, const char *text) {
    json_key(j, key);
    json_cstr(j, text ? text : "");
}

static void schema_write(struct json *j, enum parameter_type type, const char *fallback) {
    static const char *const names[] = {"string", "number", "boolean", "string", "string", "object"};
    json_key(j, "schema");
    json_open(j, '{');
    text_member(j, "type", names[type]);
    if (fallback) {
        text_member(j, "x-default", fallback);
    }
    json_close(j, '}');
}

static void parameter_write(struct json *j, const struct parameter *p) {
    json_open(j, '{');
    text_member(j, "name", p->name);
    text_member(j, "in", "query");
    text_member(j, "description", p->help);
    schema_write(j, p->type, p->fallback);
    json_close(j, '}');
}

static void path_parameters_write(struct json *j, const char *pattern) {
    for (const char *at = strchr(pattern, ':'); at; at = strchr(at, ':')) {
        size_t len = strcspn(++at, "/.");
        json_open(j, '{');
        json_key(j, "name");
        json_text(j, span_make(at, len));
        text_member(j, "in", "path");
        json_key(j, "required");
        json_bool(j, true);
        schema_write(j, PARAM_TEXT, NULL);
        json_close(j, '}');
    }
}

static void rights_write(struct json *j, uint32_t rights) {
    json_open(j, '[');
    for (size_t i = 0; i < ARRAY_LEN(flag_texts); i++) {
        if (rights & 1u << i) {
            json_cstr(j, flag_texts[i]);
        }
    }
    json_close(j, ']');
}

static void responses_write(struct json *j, const struct endpoint *e) {
    json_key(j, "responses");
    json_open(j, '{');
    json_key(j, "200");
    json_open(j, '{');
    text_member(j, "description", e->help);
    json_close(j, '}');
    if (!(e->flags & API_OPEN)) {
        json_key(j, "401");
        json_open(j, '{');
        text_member(j, "description", "Nobody known");
        json_close(j, '}');
        json_key(j, "403");
        json_open(j, '{');
        text_member(j, "description", "Not allowed: `{success:false, text}`");
        json_close(j, '}');
    }
    json_close(j, '}');
}

static void operation_write(struct json *j, const struct endpoint *e, const char *family, const char *pattern,
                            const char *method) {
    json_key(j, method);
    json_open(j, '{');
    text_member(j, "summary", e->title);
    json_key(j, "tags");
    json_open(j, '[');
    json_cstr(j, family);
    json_close(j, ']');
    json_key(j, "x-rights");
    rights_write(j, e->rights);
    json_key(j, "x-csrf-token");
    json_bool(j, (e->flags & API_TOKEN_GET) || ((e->flags & API_TOKEN) && strcmp(method, "get") != 0));
    if (e->flags & API_OPEN) {
        json_key(j, "security");
        json_open(j, '[');
        json_close(j, ']');
    }
    json_key(j, "parameters");
    json_open(j, '[');
    path_parameters_write(j, pattern);
    for (const struct parameter *p = e->parameters; p && p->name; p++) {
        parameter_write(j, p);
    }
    for (size_t i = 0; (e->flags & API_SESSION_QUERY) && i < ARRAY_LEN(query_parameters); i++) {
        parameter_write(j, &query_parameters[i]);
    }
    json_close(j, ']');
    responses_write(j, e);
    json_close(j, '}');
}

/* A path may stand in several entries of the tables (one per method): all of them are written with the first. */
static bool pattern_came_before(const struct endpoint *wanted) {
    for (const struct endpoint_family *const *family = api_families; *family; family++) {
        for (size_t i = 0; i < (*family)->count; i++) {
            const struct endpoint *e = &(*family)->list[i];
            if (e == wanted) {
                return false;
            }
            if (strcmp(e->pattern, wanted->pattern) == 0) {
                return true;
            }
        }
    }
    return false;
}

static void pattern_operations(struct json *j, const char *pattern) {
    for (const struct endpoint_family *const *family = api_families; *family; family++) {
        for (size_t i = 0; i < (*family)->count; i++) {
            const struct endpoint *e = &(*family)->list[i];
            for (size_t m = 0; m < ARRAY_LEN(methods) && strcmp(e->pattern, pattern) == 0; m++) {
                if (e->flags & methods[m].flag) {
                    operation_write(j, e, (*family)->name, pattern, methods[m].name);
                }
            }
        }
    }
}

static void paths_write(struct json *j) {
    struct buf path;
    buf_init(&path, 1024);
    for (const struct endpoint_family *const *family = api_families; *family; family++) {
        for (size_t i = 0; i < (*family)->count; i++) {
            const struct endpoint *e = &(*family)->list[i];
            if (pattern_came_before(e)) {
                continue;
            }
            buf_clear(&path);
            path_write(&path, e->pattern);
            buf_add_byte(&path, 0);
            json_key(j, (const char *)path.data);
            json_open(j, '{');
            pattern_operations(j, e->pattern);
            json_close(j, '}');
        }
    }
    buf_done(&path);
}

static void scheme_write(struct json *j, const char *name, const char *scheme) {
    json_key(j, name);
    json_open(j, '{');
    text_member(j, "type", "http");
    text_member(j, "scheme", scheme);
    json_close(j, '}');
}

void openapi_write(struct buf *out) {
    struct json j = json_over(out);
    json_open(&j, '{');
    text_member(&j, "openapi", "3.1.0");
    json_key(&j, "info");
    json_open(&j, '{');
    text_member(&j, "title", "Seine");
    text_member(&j, "description", "Sessions of network traffic: searched, counted, and their packets back.");
    text_member(&j, "version", "1");
    json_close(&j, '}');
    json_key(&j, "components");
    json_open(&j, '{');
    json_key(&j, "securitySchemes");
    json_open(&j, '{');
    scheme_write(&j, "digest", "digest");
    scheme_write(&j, "basic", "basic");
    scheme_write(&j, "token", "bearer");
    json_close(&j, '}');
    json_close(&j, '}');
    json_key(&j, "security");
    json_open(&j, '[');
    for (size_t i = 0; i < 3; i++) {
        static const char *const names[] = {"digest", "basic", "token"};
        json_open(&j, '{');
        json_key(&j, names[i]);
        json_open(&j, '[');
        json_close(&j, ']');
        json_close(&j, '}');
    }
    json_close(&j, ']');
    json_key(&j, "paths");
    json_open(&j, '{');
    paths_write(&j);
    json_close(&j, '}');
    json_close(&j, '}');
}

/* --- the manual --- */

static void parameters_markdown(struct buf *out, const struct parameter *p, size_t count) {
    static const char *const types[] = {"text", "number", "true/false", "list", "time", "JSON"};
    buf_add_text(out, "| parameter | type | default | |\n|---|---|---|---|\n");
    for (size_t i = 0; i < count && p[i].name; i++) {
        buf_printf(out, "| `%s` | %s | %s | %s |\n", p[i].name, types[p[i].type], p[i].fallback ? p[i].fallback : "",
                   p[i].help);
    }
    buf_add_text(out, "\n");
}

static void needs_markdown(struct buf *out, const struct endpoint *e) {
    const char *separator = "Needs ";
    for (size_t i = 0; i < ARRAY_LEN(flag_texts); i++) {
        if (e->rights & 1u << i && 1u << i != RIGHT_ANY) {
            buf_printf(out, "%s%s", separator, flag_texts[i]);
            separator = ", ";
        }
    }
    if (e->flags & (API_TOKEN | API_TOKEN_GET)) {
        buf_printf(out, "%sthe CSRF header", separator);
        separator = ", ";
    } else if (e->flags & API_TOKEN_BROWSER) {
        buf_printf(out, "%sthe CSRF header when a Cookie or Referer comes along", separator);
        separator = ", ";
    }
    if (strcmp(separator, ", ") == 0) {
        buf_add_text(out, ". ");
    }
    if (e->flags & API_OPEN) {
        buf_add_text(out, "Open to everybody. ");
    }
    if (e->flags & API_HISTORY) {
        buf_add_text(out, "Written to history. ");
    }
    if (e->flags & API_ERROR_200) {
        buf_add_text(out, "Errors have status 200 as well. ");
    }
}

static void endpoint_markdown(struct buf *out, const struct endpoint *e) {
    buf_add_text(out, "### ");
    const char *separator = "";
    for (size_t i = 0; i < ARRAY_LEN(methods); i++) {
        if (e->flags & methods[i].flag) {
            buf_printf(out, "%s%s", separator, methods[i].upper);
            separator = ", ";
        }
    }
    buf_printf(out, " `%s`\n\n%s. ", e->pattern, e->title);
    needs_markdown(out, e);
    if (e->aliases) {
        buf_printf(out, "Also at `%s`. ", e->aliases);
    }
    while (out->len && out->data[out->len - 1] == ' ') {
        out->len--;
    }
    buf_printf(out, "\n\n%s\n\n", e->help ? e->help : "");
    if (e->flags & API_SESSION_QUERY) {
        buf_add_text(out, "Takes the parameters of queries.\n\n");
    }
    if (e->parameters && e->parameters->name) {
        parameters_markdown(out, e->parameters, SIZE_MAX);
    }
}

void endpoints_markdown(struct buf *out) {
    buf_add_text(
        out,
        "# HTTP API\n\nPrinted by `seine help --api` from the tables the program itself uses; `seine help --openapi` "
        "and\n"
        "`/api/openapi.json` give the same to programs. Reading endpoints that take POST accept their parameters as "
        "JSON or\n"
        "as a form as well. Errors are `{\"success\":false,\"text\":\"...\"}`. Who may ask what, and the CSRF header:\n"
        "[Who may come in](../guide/access.md).\n\n## Parameters of queries\n\n");
    parameters_markdown(out, query_parameters, ARRAY_LEN(query_parameters));
    for (const struct endpoint_family *const *family = api_families; *family; family++) {
        buf_printf(out, "## %s\n\n", (*family)->name);
        for (size_t i = 0; i < (*family)->count; i++) {
            endpoint_markdown(out, &(*family)->list[i]);
        }
    }
    while (out->len > 1 && out->data[out->len - 1] == '\n' && out->data[out->len - 2] == '\n') {
        out->len--;
    }
}
