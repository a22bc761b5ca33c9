/* actions.c: menu entries on values and on labels of fields, as a table; and the name of an address.
 *
 * An entry names the fields or the category it belongs to; %TEXT%, %URIEncodedText%, %HOST% and so on in its URL are
 * replaced by the page.
 */
#include <arpa/inet.h>
#include <netdb.h>
#include <stdio.h>

#include "api/input.h"
#include "api/lists.h"
#include "api/shared.h"
#include "base/util.h"

struct action {
    const char *key, *name, *category, *fields, *url, *type;
    bool names; /* asks the resolver: only when that is allowed */
};

static const struct action value_actions[] = {
    {"httpAuthorizationDecode", "Decode", NULL, "http.authorization", NULL, "httpAuthorizationDecode", false},
    {"reverseDNS", "Get Reverse DNS", "ip", NULL, "api/reversedns?ip=%TEXT%", "fetch", true},
    {"bodyHashMd5", "Download File", "md5", NULL, "api/sessions/bodyhash/%TEXT%?expression=%EXPRESSION%&%DATE%", NULL,
     false},
    {"bodyHashSha256", "Download File", "sha256", NULL, "api/sessions/bodyhash/%TEXT%?expression=%EXPRESSION%&%DATE%",
     NULL, false},
};

static void member_write(struct json *j, const char *key, const char *text) {
    if (text) {
        json_key(j, key);
        json_cstr(j, text);
    }
}

static void value_action_list(struct call *c) {
    struct json j = call_json(c);
    json_open(&j, '{');
    for (size_t i = 0; i < ARRAY_LEN(value_actions); i++) {
        const struct action *a = &value_actions[i];
        if (a->names && !c->api->settings->reverse_names) {
            continue;
        }
        json_key(&j, a->key);
        json_open(&j, '{');
        member_write(&j, "name", a->name);
        member_write(&j, "category", a->category);
        member_write(&j, "fields", a->fields);
        member_write(&j, "url", a->url);
        member_write(&j, "actionType", a->type);
        json_close(&j, '}');
    }
    json_close(&j, '}');
}

static void field_action_list(struct call *c) {
    struct json j = call_json(c);
    json_open(&j, '{');
    json_close(&j, '}');
}

/* --- names of addresses --- */

static void name_look_up(struct call *c) {
    const char *text = request_param_text(c->request, "ip");
    struct sockaddr_in6 six = {.sin6_family = AF_INET6};
    struct sockaddr_in four = {.sin_family = AF_INET};
    bool is_four = text && inet_pton(AF_INET, text, &four.sin_addr) == 1;
    if (!text || (!is_four && inet_pton(AF_INET6, text, &six.sin6_addr) != 1)) {
        call_fail(c, 400, "Missing ip, or it is no address");
        return;
    }
    if (!c->api->settings->reverse_names) {
        call_fail(c, 403, "Names of addresses are not looked up: the setting reverseDns allows it");
        return;
    }
    char name[NI_MAXHOST];
    const struct sockaddr *address = is_four ? (const void *)&four : (const void *)&six;
    int code = getnameinfo(address, is_four ? sizeof(four) : sizeof(six), name, sizeof(name), NULL, 0, NI_NAMEREQD);
    reply_type(c->reply, "text/plain; charset=utf-8");
    buf_add_text(reply_body(c->reply), code ? "reverse error" : name);
}

static const struct parameter name_parameters[] = {
    {"ip", PARAM_TEXT, NULL, "an address"},
    {0},
};

static const struct endpoint actions[] = {
    {"/api/valueactions", "/molochRightClick", API_GET, RIGHT_ANY, value_action_list, NULL, "Menu entries on values",
     "An object by name: `{name,category,fields,url,actionType}`; pages replace `%TEXT%`, `%URIEncodedText%`, "
     "`%HOST%`, "
     "`%DATE%` in the URL. `httpAuthorizationDecode` is done by the page itself."},
    {"/api/fieldactions", NULL, API_GET, RIGHT_ANY, field_action_list, NULL, "Menu entries on labels of fields",
     "An object by name; empty: there are none built in."},
    {"/api/reversedns", "/reverseDNS.txt", API_GET, RIGHT_ANY, name_look_up, name_parameters, "Name of an address",
     "Text: what the system's resolver says, or `reverse error`. 403 unless the setting `reverseDns` allows it, since "
     "it "
     "shows the address to others."},
};

const struct endpoint_family action_family = {"Menus of values", actions, ARRAY_LEN(actions)};
