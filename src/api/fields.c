/* fields.c: the list of fields, as an array or by document path. */
#include <errno.h>

#include "api/field_rows.h"
#include "api/kept.h"
#include "api/lists.h"
#include "api/shared.h"
#include "base/util.h"

int fields_write(struct call *c, struct json *j, bool array) {
    struct snapshot *snapshot = store_snapshot(c->api->store);
    struct field_rows rows;
    int code = field_rows_make(snapshot_registry(snapshot), &rows);
    if (code == 0) {
        if (array) {
            field_rows_write_array(j, &rows);
        } else {
            code = field_rows_write_map(j, &rows);
        }
        field_rows_done(&rows);
    }
    (void)snapshot_unref(snapshot);
    return code;
}

static void field_list(struct call *c) {
    struct json j = call_json(c);
    if (fields_write(c, &j, input_flag(c, "array")) < 0) {
        call_fail(c, 500, "No memory for the list of fields");
    }
}

static const struct parameter parameters[] = {
    {"array", PARAM_BOOL, "false", "an array in the order of names, instead of an object by document path"},
    {0},
};

static const struct endpoint fields[] = {
    {"/api/fields", "/fields", API_GET, RIGHT_ANY, field_list, parameters, "Fields of sessions",
     "An object by document path (`dbField`), or an array: "
     "`{exp,dbField,dbField2,fieldECS,friendlyName,group,help,type,"
     "type2,category,aliases,portField,transform,requiredRight,noFacet}` as Arkime has them, and `members` (names a "
     "union "
     "stands for), `unit` (`bytes`, `seconds`, `ms`, `port`), `list` (a session may have several values), `sortable`. "
     "In "
     "the object a path with several names has the first one."},
};

const struct endpoint_family field_family = {"Fields", fields, ARRAY_LEN(fields)};
