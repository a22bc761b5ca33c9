/* registry_make.c: see registry_make.h. */
#include "cmd/registry_make.h"

#include <errno.h>

#include "dissect/engine.h"
#include "record/core_fields.h"

int registry_make(void *ctx, const struct field_def *fields, size_t count, struct registry **ret_registry,
                  struct err *ret_err) {
    struct registry *r = registry_new();
    struct dissect_set *dissectors = NULL;
    uint16_t id;
    (void)ctx;
    int code = r ? registry_add(r, "general", core_field_table, core_field_count, &id, ret_err)
                 : err_set(ret_err, -ENOMEM, "no memory for the fields");
    if (code == 0) {
        dissectors = dissect_set_new(r, ret_err);
        code = dissectors ? 0 : -ENOMEM;
    }
    for (size_t i = 0; i < count && code == 0; i++) {
        struct err e = {0};
        int added = registry_add_dynamic(r, "store", &fields[i], &id, &e);
        if (added == -EEXIST || added == -EINVAL) {
            continue; /* by another version of the program: its values cannot be asked for here */
        }
        code = added < 0 ? err_set(ret_err, added, "%s", e.text) : 0;
    }
    code = code < 0 ? code : registry_seal(r, ret_err);
    dissect_set_free(dissectors); /* the fields' tables are constant */
    if (code < 0) {
        registry_free(r);
        return code;
    }
    *ret_registry = r;
    return 0;
}
