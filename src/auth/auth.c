/* auth.c: see auth.h. */
#include "auth/auth.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/util.h"
#include "http/listen.h"

struct auth {
    struct auth_settings settings;
    enum auth_mode mode;
    struct secret secret;
};

static const char *const all_roles[] = {"superAdmin", "usersAdmin", "arkimeAdmin", "arkimeUser", NULL};

int auth_new(const struct auth_options *options, struct auth **ret_auth, struct err *ret_err) {
    enum auth_mode mode = (enum auth_mode)options->settings->mode;
    mode = mode == AUTH_AUTO ? AUTH_ANONYMOUS : mode;
    if (mode != AUTH_ANONYMOUS) {
        return err_set(ret_err, -EOPNOTSUPP, "authMode: this one is not supported");
    }
    struct auth *a = calloc(1, sizeof(*a));
    if (!a) {
        return err_set(ret_err, -ENOMEM, "no memory");
    }
    a->settings = *options->settings;
    a->mode = mode;
    a->secret = *options->secret;
    *ret_auth = a;
    return 0;
}

struct auth *auth_free(struct auth *a) {
    free(a);
    return NULL;
}

enum auth_mode auth_mode(const struct auth *a) {
    return a->mode;
}

const struct secret *auth_secret(const struct auth *a) {
    return &a->secret;
}

int auth_may_listen(const struct auth *a, const char *address, struct err *ret_err) {
    if (a->mode != AUTH_ANONYMOUS || listen_is_loopback(address)) {
        return 0;
    }
    err_set(ret_err, -EPERM, "not listening on %s: everybody who reaches it would be somebody with all rights",
            address);
    err_hint(ret_err, "add a user first: seine user add NAME");
    return -EPERM;
}

bool auth_check(struct auth *a, const struct request *q, struct reply *r, struct principal **ret) {
    struct principal *p = calloc(1, sizeof(*p));
    (void)a;
    if (!p) {
        reply_status(r, 503);
        return false;
    }
    (void)snprintf(p->id, sizeof(p->id), "anonymous");
    (void)snprintf(p->name, sizeof(p->name), "anonymous");
    p->rights = RIGHT_ALL;
    p->expression = "";
    p->roles = all_roles;
    p->by_browser = request_header(q, "Cookie") || request_header(q, "Referer");
    *ret = p;
    return true;
}

void auth_release(struct auth *a, struct principal *p) {
    (void)a;
    free(p);
}

bool principal_has_role(const struct principal *p, const char *role) {
    for (const char *const *one = p->roles; *one; one++) {
        if (strcmp(*one, role) == 0) {
            return true;
        }
    }
    return false;
}

bool auth_user_exists(struct auth *a, const char *id) {
    (void)a;
    return strcmp(id, "anonymous") == 0;
}
