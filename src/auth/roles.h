/* roles.h: what users may do, from their own flags and their roles. Roles of the system are a table; those that people
 * made are users whose id begins with "role:"; both may hold others.
 *
 * Owner: caller. Thread: any. Cost: a look at control.db for each made role. Failure: -errno.
 */
#ifndef SEINE_AUTH_ROLES_H
#define SEINE_AUTH_ROLES_H

#include "auth/auth.h"
#include "auth/users.h"

extern const char *const system_roles[]; /* NULL ends */
bool role_is_system(const char *role);
bool role_is_admin(const char *role); /* superAdmin and those that end in Admin */

/* All roles that `direct` comes to, each once. A loop ends where it began. */
int roles_expand(struct control *c, const struct texts *direct, struct texts *ret_all);
/* True when the made role `id` would come to hold itself by holding `direct`. */
bool roles_would_loop(struct control *c, const char *id, const struct texts *direct);

/* What all of it comes to. */
struct standing {
    uint32_t rights; /* of enum right */
    bool header_login;
    double time_limit; /* hours; 0 = none */
    char *expression;  /* all forced expressions, joined by && */
    struct texts roles;
};
/* -E2BIG: the forced expressions together are longer than PRINCIPAL_EXPRESSION_MAX: they are never cut. */
int standing_make(struct control *c, const struct user *u, struct standing *ret);
void standing_done(struct standing *s);

#endif
