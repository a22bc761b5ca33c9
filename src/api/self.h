/* self.h: the user that asks, as other endpoints show it. Thread: any. */
#ifndef SEINE_API_SELF_H
#define SEINE_API_SELF_H

#include "api/api.h"

/* What GET /api/user answers. 0 or -errno. */
int self_write(struct call *c, struct json *j);
/* The defaults of settings. */
void setting_defaults_write(struct json *j);
/* The user whose settings are meant: the one that asks, or, for those with usersAdmin, `userId`. False: answered. */
bool self_user(struct call *c, char ret_id[USER_ID_MAX + 1]);

/* False: answered. Only superAdmin changes one who is superAdmin. */
bool user_may_be_changed(struct call *c, const char *id);

extern const struct endpoint_family self_family, user_family, login_family, token_family, totp_family;

#endif
