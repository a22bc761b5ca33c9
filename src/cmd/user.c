/* user.c: `seine user`: who may log in to the server of a store. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "auth/auth.h"
#include "auth/totp.h"
#include "auth/users.h"
#include "base/util.h"
#include "cmd/cmd.h"
#include "cmd/load.h"
#include "cmd/options.h"
#include "cmd/password.h"
#include "cmd/session_setup.h"
#include "query/query.h"
#include "store/manifest.h"

struct user_command {
    struct setup_options setup;
    const char *store, *full_name, *expression, *token_name;
    struct text_list roles;
    uint64_t days;
    bool admin;
};

#define AT(member) OPTION_AT(user_command, member)
static const struct option_def user_option_table[] = {
    STORE_OPTION_ROW(AT(store), "folder of the store whose users these are (default: what SEINE_STORE names)"),
    {.name = "role",
     .argument = "ROLE",
     .kind = OPTION_LIST,
     .offset = AT(roles),
     .help = "add: a role, for example arkimeAdmin, usersAdmin or role:MINE (default: arkimeUser, which may search)"},
    {.name = "admin",
     .kind = OPTION_FLAG,
     .offset = AT(admin),
     .help = "add: the role superAdmin, which may everything"},
    {.name = "name", .argument = "TEXT", .kind = OPTION_TEXT, .offset = AT(full_name), .help = "add: name for people"},
    {.name = "expression",
     .argument = "EXPRESSION",
     .kind = OPTION_TEXT,
     .offset = AT(expression),
     .help = "add: this user sees only sessions that fit"},
    {.name = "token-name",
     .argument = "TEXT",
     .kind = OPTION_TEXT,
     .offset = AT(token_name),
     .help = "token: what it is for"},
    {.name = "days",
     .argument = "N",
     .kind = OPTION_NUMBER,
     .offset = AT(days),
     .min = 1,
     .max = 36500,
     .help = "token: how long it is valid (default: for ever)"},
    SETUP_OPTION_ROWS(user_command, setup),
};
#undef AT

struct users {
    const struct user_command *o;
    struct session_setup setup;
    struct control *control;
    struct secret secret;
    struct user_keys keys;
};

static int failed(const struct users *u, int code, const struct err *e) {
    if (code == -EEXIST || code == -ENOENT || code == -EINVAL) {
        say_err(NULL, e);
        return EXIT_USAGE;
    }
    return store_failed(u->o->store, code, e);
}

/* Without names of views and shortcuts: users could change what they stand for. */
static int expression_check(const struct users *u) {
    const char *text = u->o->expression;
    struct query *query = NULL;
    struct err e = {0};
    if (!text || !*text) {
        return EXIT_DONE;
    }
    int code = query_parse(span_text(text), u->setup.registry, (int64_t)time(NULL) * 1000, &query, &e);
    query_free(query);
    if (code < 0) {
        say_err(NULL, &e);
    }
    return code < 0 ? EXIT_USAGE : EXIT_DONE;
}

static int add_user(struct users *u, const char *id) {
    const struct user_command *o = u->o;
    char password[PASSWORD_MAX + 2] = "";
    struct user user;
    struct err e = {0};
    bool is_role = user_is_role(id);
    int code = is_role ? EXIT_DONE : password_choose(id, password, sizeof(password));
    if (code != EXIT_DONE) {
        return code;
    }
    code = expression_check(u);
    if (code != EXIT_DONE) {
        explicit_bzero(password, sizeof(password));
        return code;
    }
    user_init(&user);
    (void)snprintf(user.id, sizeof(user.id), "%s", strlen(id) > USER_ID_MAX ? "" : id);
    (void)snprintf(user.name, sizeof(user.name), "%s", o->full_name ? o->full_name : id);
    user.enabled = true;
    user.flags[FLAG_WEB] = TRI_YES;
    user.expression = o->expression ? strdup(o->expression) : NULL;
    int added = 0;
    for (size_t i = 0; i < o->roles.count && added == 0; i++) {
        added = texts_add(&user.roles, span_text(o->roles.items[i]));
    }
    if (added == 0 && o->admin) {
        added = texts_add(&user.roles, span_text("superAdmin"));
    } else if (added == 0 && o->roles.count == 0 && !is_role) {
        added = texts_add(&user.roles, span_text("arkimeUser"));
    }
    added = added < 0 ? added : users_add(u->control, &u->keys, &user, is_role ? NULL : password, &e);
    explicit_bzero(password, sizeof(password));
    user_done(&user);
    return added < 0 ? failed(u, added, &e) : EXIT_DONE;
}

static int set_password(struct users *u, const char *id) {
    char password[PASSWORD_MAX + 2] = "";
    struct user user;
    struct err e = {0};
    if (users_get(u->control, id, &user) < 0) {
        say("there is no user %s; `seine user list` lists them", id);
        return EXIT_USAGE;
    }
    user_done(&user);
    int code = password_choose(id, password, sizeof(password));
    if (code == EXIT_DONE) {
        int set = users_set_password(u->control, &u->keys, id, password, &e);
        code = set < 0 ? failed(u, set, &e) : EXIT_DONE;
    }
    explicit_bzero(password, sizeof(password));
    return code;
}

static int remove_user(struct users *u, const char *id) {
    struct err e = {0};
    int code = users_remove(u->control, id, &e);
    return code < 0 ? failed(u, code, &e) : EXIT_DONE;
}

static int totp_off(struct users *u, const char *id) {
    struct err e = {0};
    int code = totp_remove(u->control, id);
    if (code == -ENOENT) {
        say("there is no user %s; `seine user list` lists them", id);
        return EXIT_USAGE;
    }
    return code < 0 ? failed(u, code, &e) : EXIT_DONE;
}

static bool print_user(void *ctx, const struct user *user) {
    (void)ctx;
    (void)printf("%-24s %-8s ", user->id, user->enabled ? "enabled" : "disabled");
    for (size_t i = 0; i < user->roles.count; i++) {
        (void)printf("%s%s", i ? "," : "", user->roles.items[i]);
    }
    (void)printf("%s%s\n", user->expression && *user->expression ? "  sees only: " : "",
                 user->expression ? user->expression : "");
    return true;
}

static int list_users(struct users *u, const char *id) {
    (void)id;
    int code = users_list(u->control, print_user, NULL);
    struct err e = {0};
    return code < 0 ? failed(u, code, &e) : EXIT_DONE;
}

static int make_token(struct users *u, const char *id) {
    const struct user_command *o = u->o;
    int64_t now = (int64_t)time(NULL) * 1000;
    struct token token = {.user = id,
                          .name = o->token_name ? o->token_name : "command line",
                          .rights = RIGHT_ALL,
                          .created_ms = now,
                          .expires_ms = o->days ? now + (int64_t)o->days * 86400000 : 0};
    char text[TOKEN_TEXT], token_id[TOKEN_ID];
    struct user user;
    struct err e = {0};
    if (users_get(u->control, id, &user) < 0) {
        say("there is no user %s; `seine user list` lists them", id);
        return EXIT_USAGE;
    }
    user_done(&user);
    int code = tokens_create(u->control, &token, text, token_id, &e);
    if (code < 0) {
        return failed(u, code, &e);
    }
    (void)puts(text); /* shown this once */
    explicit_bzero(text, sizeof(text));
    return EXIT_DONE;
}

static const struct action {
    const char *name;
    bool user; /* is about one */
    int (*run)(struct users *u, const char *id);
} actions[] = {
    {"add", true, add_user},          {"list", false, list_users}, {"remove", true, remove_user},
    {"password", true, set_password}, {"token", true, make_token}, {"totp-off", true, totp_off},
};
#define ACTION_NAMES "add, list, remove, password, token, totp-off"

static int with_store(const struct user_command *o, const struct action *action, const char *id) {
    struct users u = {.o = o};
    struct err e = {0};
    int code = session_setup_init(&u.setup, &o->setup);
    if (code == EXIT_DONE) {
        u.keys = (struct user_keys){&u.secret, u.setup.auth.realm};
        int opened = store_is_there(o->store, &e);
        opened = opened < 0 ? opened : control_open(o->store, &u.control, &e);
        opened = opened < 0 ? opened : users_prepare(u.control, &e);
        opened = opened < 0 ? opened : secret_load(o->store, &u.secret, &e);
        code = opened < 0 ? store_failed(o->store, opened, &e) : action->run(&u, id);
    }
    explicit_bzero(&u.secret, sizeof(u.secret));
    control_close(u.control);
    session_setup_done(&u.setup);
    return code;
}

static int run_user(int argc, char **argv) {
    struct user_command o = {0};
    const struct action *action = NULL;
    int first = 0;
    int code = options_parse(&command_user, argc, argv, &o, &first);
    if (code != OPTIONS_OK) {
        return code;
    }
    if (!o.store) {
        o.store = getenv("SEINE_STORE");
    }
    for (size_t i = 0; first < argc && i < ARRAY_LEN(actions); i++) {
        action = strcmp(argv[first], actions[i].name) == 0 ? &actions[i] : action;
    }
    if (!action) {
        return usage_error(&command_user, "name one of " ACTION_NAMES);
    }
    if (argc - first != (action->user ? 2 : 1)) {
        return usage_error(&command_user, action->user ? "%s: name one user" : "%s: takes no user", action->name);
    }
    if (!o.store || !*o.store) {
        return usage_error(&command_user, "of which store: name its folder with --store DIR");
    }
    return with_store(&o, action, action->user ? argv[first + 1] : NULL);
}

const struct command command_user = {
    .name = "user",
    .line = "who may log in to the server of a store",
    .arguments = "add|list|remove|password|token|totp-off [NAME]",
    .about = "add: a user; the password is asked for, or is the first line of standard input. token: a word for "
             "programs, which may what the user may; it is shown this once. totp-off: takes a one-time password away. "
             "Roles begin with role: and are added the "
             "same way.",
    .options = user_option_table,
    .option_count = ARRAY_LEN(user_option_table),
    .examples = {"seine user add --store ~/sessions --admin anna", "seine user list --store ~/sessions",
                 "seine user token --store ~/sessions --days 30 anna > token"},
    .run = run_user,
};
