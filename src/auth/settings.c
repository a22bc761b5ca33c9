/* settings.c: settings of authentication. Names are Arkime's where Arkime has the setting. */
#include "auth/auth.h"

#include <errno.h>

#include "base/util.h"

const char *const right_names[] = {"web",  "email", "remove", "hunt",  "stats", "files", "payload",
                                   "pcap", "users", "admin",  "super", "read",  "write", NULL};

static int right_find(struct span word) {
    for (int i = 0; right_names[i]; i++) {
        if (span_is(word, right_names[i])) {
            return i;
        }
    }
    return -1;
}

int rights_parse(struct span text, uint32_t *ret_rights, struct err *ret_err) {
    uint32_t rights = RIGHT_ANY;
    for (size_t at = 0; at < text.len;) {
        size_t end = span_find_byte(text, at, ',');
        end = end == SPAN_NONE ? text.len : end;
        struct span word = span_trim(span_sub(text, at, end - at));
        int bit = right_find(word);
        if (bit < 0) {
            err_set(ret_err, -EINVAL, "%.*s is no right of a token", (int)MIN(word.len, (size_t)60), word.at);
            err_hint(ret_err,
                     "read, write, pcap, payload, files, stats, email, remove, hunt, web, users, admin, super");
            return -EINVAL;
        }
        rights |= 1u << bit;
        at = end + 1;
    }
    *ret_rights = rights;
    return 0;
}

#define AT(member) SETTING(auth_settings, member)
const struct setting auth_setting_table[] = {
    {.name = "authMode",
     .type = ST_CHOICE,
     .offset = AT(mode),
     .fallback = "auto",
     /* In the order of enum auth_mode. */
     .choices = "auto,digest,basic,form,headerOnly,header,header+digest,header+basic,anonymous,basic+form,token,s2s",
     .help = "How users show who they are. auto: digest when there are users, else anonymous, which only works on a "
             "loopback address"},
    {.name = "httpRealm",
     .type = ST_TEXT,
     .offset = AT(realm),
     .fallback = "Moloch",
     .help = "Realm of passwords. A change makes every password that was set before useless"},
    {.name = "userNameHeader",
     .type = ST_TEXT,
     .offset = AT(user_header),
     .fallback = "",
     .help = "Header in which a proxy says who the user is. Trusted only from userAuthIps"},
    {.name = "requiredAuthHeader",
     .type = ST_TEXT,
     .offset = AT(required_header),
     .fallback = "",
     .help = "Header that must be there as well, with one of requiredAuthHeaderVal"},
    {.name = "requiredAuthHeaderVal",
     .type = ST_TEXT,
     .offset = AT(required_value),
     .fallback = "",
     .help = "Values of requiredAuthHeader that let a user in, separated by commas"},
    {.name = "userAuthIps",
     .type = ST_LIST,
     .offset = AT(user_ips),
     .fallback = "",
     .help = "Addresses and networks whose requests are answered; with userNameHeader, when empty, only loopback"},
    {.name = "authBasicWithoutTls",
     .type = ST_BOOL,
     .offset = AT(basic_plain),
     .fallback = "false",
     .help = "Take passwords (Basic, forms) over connections without TLS: everybody on the way can read them"},
    {.name = "authCookieSecure",
     .type = ST_BOOL,
     .offset = AT(cookie_secure),
     .fallback = "false",
     .help = "Mark cookies as for TLS only, when a proxy in front does TLS"},
    {.name = "serverSecret",
     .type = ST_TEXT,
     .offset = AT(server_secret),
     .fallback = "",
     .help = "Secret that all servers of a cluster have: they ask each other in the name of users (x-arkime-auth). "
             "Without it and passwordSecret no such request is believed"},
    {.name = "passwordSecret",
     .type = ST_TEXT,
     .offset = AT(password_secret),
     .fallback = "",
     .help = "Stands in for serverSecret, as in Arkime. What is stored is sealed with the file `secret` of the store"},
    {.name = "loginMessage",
     .type = ST_TEXT,
     .offset = AT(login_message),
     .fallback = "",
     .help = "Text above the login form"},
};
const size_t auth_setting_count = ARRAY_LEN(auth_setting_table);
