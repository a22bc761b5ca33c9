/* roles.c: see roles.h. */
#include "auth/roles.h"

#include <errno.h>
#include <stdlib.h>

#include "base/util.h"

const char *const system_roles[] = {"superAdmin",     "usersAdmin", "arkimeAdmin", "arkimeUser",   "parliamentAdmin",
                                    "parliamentUser", "wiseAdmin",  "wiseUser",    "cont3xtAdmin", "cont3xtUser",
                                    "dbAdmin",        "mcpUser",    NULL};

static const struct {
    const char *role, *holds;
} held[] = {{"arkimeAdmin", "arkimeUser"},
            {"parliamentAdmin", "parliamentUser"},
            {"wiseAdmin", "wiseUser"},
            {"cont3xtAdmin", "cont3xtUser"}};

bool role_is_system(const char *role) {
    for (const char *const *one = system_roles; *one; one++) {
        if (strcmp(*one, role) == 0) {
            return true;
        }
    }
    return false;
}

bool role_is_admin(const char *role) {
    return role_is_system(role) && span_ends(span_text(role), SPAN_LITERAL("Admin"));
}

static int role_add(struct texts *all, const char *role) {
    return texts_hold(all, role) ? 0 : texts_add(all, span_text(role));
}

static int system_role_open(struct texts *all, const char *role) {
    int code = 0;
    for (const char *const *one = system_roles; strcmp(role, "superAdmin") == 0 && code == 0 && *one; one++) {
        code = role_add(all, *one);
    }
    for (size_t i = 0; i < ARRAY_LEN(held) && code == 0; i++) {
        if (strcmp(role, held[i].role) == 0) {
            code = role_add(all, held[i].holds);
        }
    }
    return code;
}

static int made_role_open(struct control *c, struct texts *all, const char *role) {
    struct user u;
    int code = users_get(c, role, &u);
    if (code < 0) {
        return code == -ENOENT ? 0 : code;
    }
    for (size_t i = 0; u.enabled && code == 0 && i < u.roles.count; i++) {
        code = role_add(all, u.roles.items[i]);
    }
    user_done(&u);
    return code;
}

int roles_expand(struct control *c, const struct texts *direct, struct texts *ret_all) {
    struct texts all = {0};
    int code = 0;
    for (size_t i = 0; i < direct->count && code == 0; i++) {
        code = role_add(&all, direct->items[i]);
    }
    /* The list grows while it is walked; what is in it already is not added again. */
    for (size_t i = 0; i < all.count && code == 0; i++) {
        char *role = strdup(all.items[i]);
        code = !role ? -ENOMEM : user_is_role(role) ? made_role_open(c, &all, role) : system_role_open(&all, role);
        free(role);
    }
    if (code < 0) {
        texts_done(&all);
        return code;
    }
    *ret_all = all;
    return 0;
}

bool roles_would_loop(struct control *c, const char *id, const struct texts *direct) {
    struct texts all;
    /* What cannot be looked at is treated as a loop: nothing is saved then. */
    if (roles_expand(c, direct, &all) < 0) {
        return true;
    }
    bool loop = texts_hold(&all, id);
    texts_done(&all);
    return loop;
}

/* --- standing --- */

struct sum {
    struct standing *standing;
    struct buf expression;
    bool flags[USER_FLAGS];
};

static void expression_add(struct sum *s, const char *expression) {
    if (!expression || !*expression) {
        return;
    }
    buf_add_text(&s->expression, s->expression.len ? " && (" : "(");
    buf_add_text(&s->expression, expression);
    buf_add_byte(&s->expression, ')');
}

static void limit_add(struct sum *s, int64_t hours) {
    double *limit = &s->standing->time_limit;
    if (hours > 0 && (*limit == 0 || (double)hours < *limit)) {
        *limit = (double)hours;
    }
}

/* Flags come from the roles a user has itself; expressions and limits from all. */
static int role_sum(struct control *c, struct sum *s, const char *role, bool direct) {
    struct user u;
    int code = user_is_role(role) ? users_get(c, role, &u) : -ENOENT;
    if (code < 0) {
        return code == -ENOENT ? 0 : code;
    }
    if (u.enabled) {
        for (size_t i = 0; direct && i < USER_FLAGS; i++) {
            s->flags[i] = s->flags[i] || u.flags[i] == TRI_YES;
        }
        expression_add(s, u.expression);
        limit_add(s, u.time_limit);
    }
    user_done(&u);
    return 0;
}

static uint32_t rights_of(const bool flags[USER_FLAGS], const struct texts *roles) {
    static const struct {
        enum user_flag flag;
        bool when;
        uint32_t right;
    } by_flag[] = {{FLAG_WEB, true, RIGHT_WEB},
                   {FLAG_EMAIL, true, RIGHT_EMAIL},
                   {FLAG_REMOVE, true, RIGHT_REMOVE},
                   {FLAG_HUNT, true, RIGHT_HUNT},
                   {FLAG_HIDE_STATS, false, RIGHT_STATS},
                   {FLAG_HIDE_FILES, false, RIGHT_FILES},
                   {FLAG_HIDE_PCAP, false, RIGHT_PAYLOAD},
                   {FLAG_NO_PCAP, false, RIGHT_PCAP}};
    static const struct {
        const char *role;
        uint32_t right;
    } by_role[] = {{"usersAdmin", RIGHT_USERS},
                   {"arkimeAdmin", RIGHT_ADMIN},
                   {"superAdmin", RIGHT_SUPER},
                   {"arkimeUser", RIGHT_ANY}};
    uint32_t rights = RIGHT_WRITE;
    for (size_t i = 0; i < ARRAY_LEN(by_flag); i++) {
        rights |= flags[by_flag[i].flag] == by_flag[i].when ? by_flag[i].right : 0;
    }
    for (size_t i = 0; i < ARRAY_LEN(by_role); i++) {
        rights |= texts_hold(roles, by_role[i].role) ? by_role[i].right : 0;
    }
    return rights;
}

int standing_make(struct control *c, const struct user *u, struct standing *ret) {
    struct standing made = {0};
    struct sum s = {.standing = &made};
    buf_init(&s.expression, PRINCIPAL_EXPRESSION_MAX);
    int code = roles_expand(c, &u->roles, &made.roles);
    expression_add(&s, u->expression);
    limit_add(&s, u->time_limit);
    for (size_t i = 0; code == 0 && i < made.roles.count; i++) {
        code = role_sum(c, &s, made.roles.items[i], texts_hold(&u->roles, made.roles.items[i]));
    }
    for (size_t i = 0; i < USER_FLAGS; i++) {
        s.flags[i] = u->flags[i] == TRI_UNSET ? s.flags[i] : u->flags[i] == TRI_YES;
    }
    made.rights = rights_of(s.flags, &made.roles);
    made.header_login = s.flags[FLAG_HEADER];
    buf_add_byte(&s.expression, 0);
    if (code == 0 && s.expression.overflowed) {
        code = -E2BIG;
    }
    made.expression = (char *)s.expression.data;
    if (code < 0) {
        standing_done(&made);
        return code;
    }
    *ret = made;
    return 0;
}

void standing_done(struct standing *s) {
    free(s->expression);
    texts_done(&s->roles);
    *s = (struct standing){0};
}
