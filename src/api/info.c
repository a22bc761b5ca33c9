/* info.c: what the program has: clusters, all that a page needs at its start. */
#include <errno.h>

#include "api/kept.h"
#include "api/lists.h"
#include "api/self.h"
#include "api/shared.h"
#include "base/util.h"

static void clusters_write(struct json *j) {
    json_open(j, '{');
    json_key(j, "active");
    json_open(j, '[');
    json_close(j, ']');
    json_key(j, "inactive");
    json_open(j, '[');
    json_close(j, ']');
    json_close(j, '}');
}

static void cluster_list(struct call *c) {
    struct json j = call_json(c);
    clusters_write(&j);
}

static void remote_cluster_list(struct call *c) {
    call_fail(c, 404, "There are no remote clusters");
}

static void info_answer(struct call *c) {
    struct json j = call_json(c);
    json_open(&j, '{');
    json_key(&j, "esHealth");
    health_write(c, &j);
    json_key(&j, "views");
    int code = views_write(c, &j);
    json_key(&j, "fieldhistory");
    json_open(&j, '[');
    json_close(&j, ']');
    json_key(&j, "remoteclusters");
    json_open(&j, '{');
    json_close(&j, '}');
    json_key(&j, "clusters");
    clusters_write(&j);
    json_key(&j, "roles");
    json_open(&j, '[');
    for (const char *const *role = c->who->roles; role && *role; role++) {
        json_cstr(&j, *role);
    }
    json_close(&j, ']');
    json_key(&j, "user");
    code = code ? code : self_write(c, &j);
    json_key(&j, "userSettingDefaults");
    setting_defaults_write(&j);
    json_key(&j, "fieldsArr");
    code = code ? code : fields_write(c, &j, true);
    json_key(&j, "fieldsMap");
    code = code ? code : fields_write(c, &j, false);
    json_close(&j, '}');
    if (code) {
        call_fail(c, 500, "The start of a page could not be put together: %s", strerrordesc_np(-code));
    }
}

static const struct endpoint infos[] = {
    {"/api/appinfo", NULL, API_GET | API_TOKEN_GET, RIGHT_ANY, info_answer, NULL, "All that a page needs at its start",
     "`{esHealth,views,fieldhistory,remoteclusters,clusters,user,userSettingDefaults,roles,fieldsArr,fieldsMap}`"},
    {"/api/clusters", "/clusters", API_GET, RIGHT_ANY, cluster_list, NULL, "Clusters that are searched",
     "`{active:[],inactive:[]}`: there is one store."},
    {"/api/remoteclusters", "/remoteclusters", API_GET, RIGHT_ANY, remote_cluster_list, NULL,
     "Clusters that sessions can be sent to", "404: there are none."},
};

const struct endpoint_family info_family = {"Start of a page", infos, ARRAY_LEN(infos)};
