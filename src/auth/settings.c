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
     .choices = "auto,digest,basic,form,headerOnly,header,header+digest,header+basic,anonymous,basic+form,token,s2s,"
                "header-jwt,oidc,basic+oidc",
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
     .secret = true,
     .fallback = "",
     .help = "Secret that all servers of a cluster have: they ask each other in the name of users (x-arkime-auth). "
             "Without it and passwordSecret no such request is believed"},
    {.name = "passwordSecret",
     .type = ST_TEXT,
     .offset = AT(password_secret),
     .secret = true,
     .fallback = "",
     .help = "Stands in for serverSecret, as in Arkime. What is stored is sealed with the file `secret` of the store"},
    {.name = "authUserIdField",
     .type = ST_TEXT,
     .offset = AT(user_field),
     .fallback = "",
     .help = "oidc, header-jwt: claim that holds the id of the user, for example preferred_username"},
    {.name = "authDiscoverURL",
     .type = ST_TEXT,
     .offset = AT(discover_url),
     .fallback = "",
     .help = "oidc: address of the provider (its issuer), with or without /.well-known/openid-configuration"},
    {.name = "authClientId",
     .type = ST_TEXT,
     .offset = AT(client_id),
     .fallback = "",
     .help = "oidc: name of this server at the provider"},
    {.name = "authClientSecret",
     .type = ST_TEXT,
     .offset = AT(client_secret),
     .secret = true,
     .fallback = "",
     .help = "oidc: its secret there"},
    {.name = "authRedirectURIs",
     .type = ST_TEXT,
     .offset = AT(redirect_uris),
     .fallback = "",
     .help =
         "oidc: where the provider sends browsers back to, as registered there, for example "
         "https://seine.example/auth/login/callback; several are separated by commas, the one of the request's Host "
         "is taken"},
    {.name = "authOIDCScope",
     .type = ST_TEXT,
     .offset = AT(oidc_scope),
     .fallback = "openid",
     .help = "oidc: what is asked of the provider, separated by blanks; openid must be there"},
    {.name = "authJwsAlgorithm",
     .type = ST_TEXT,
     .offset = AT(oidc_algorithm),
     .fallback = "RS256",
     .help = "oidc: algorithms of ID tokens that are taken: RS, PS, ES with 256, 384, 512, separated by commas"},
    {.name = "authJwtJwksUrl",
     .type = ST_TEXT,
     .offset = AT(jwt_url),
     .fallback = "",
     .help = "header-jwt: address of the keys (JWK Set) that tokens are signed with"},
    {.name = "authJwtKeyFile",
     .type = ST_TEXT,
     .offset = AT(jwt_file),
     .fallback = "",
     .help = "header-jwt: file with the keys: a public key or certificate (PEM), or a JWK Set"},
    {.name = "authJwtSecret",
     .type = ST_TEXT,
     .offset = AT(jwt_secret),
     .secret = true,
     .fallback = "",
     .help = "header-jwt: secret of HS256, HS384, HS512, at least 32 characters"},
    {.name = "authJwtAlgorithms",
     .type = ST_TEXT,
     .offset = AT(jwt_algorithms),
     .fallback = "RS256",
     .help = "header-jwt: algorithms that are taken, separated by commas"},
    {.name = "authJwtIssuer",
     .type = ST_TEXT,
     .offset = AT(jwt_issuer),
     .fallback = "",
     .help = "header-jwt: who must have made the token (iss); needed with authJwtJwksUrl"},
    {.name = "authJwtAudience",
     .type = ST_TEXT,
     .offset = AT(jwt_audience),
     .fallback = "",
     .help = "header-jwt: for whom it must be made (aud); needed with authJwtJwksUrl"},
    {.name = "authJwtUserIdPrefix",
     .type = ST_TEXT,
     .offset = AT(jwt_prefix),
     .fallback = "",
     .help = "header-jwt: put in front of the claim to make the user's id"},
    {.name = "authJwtRequiredScopes",
     .type = ST_TEXT,
     .offset = AT(jwt_scopes),
     .fallback = "",
     .help = "header-jwt: scopes that the token must have (scope, scp), separated by commas"},
    {.name = "authJwtClockSkew",
     .type = ST_SECONDS,
     .offset = AT(jwt_skew),
     .fallback = "60",
     .max = 600,
     .help = "oidc, header-jwt: how far clocks may be apart"},
    {.name = "caTrustFile",
     .type = ST_TEXT,
     .offset = AT(ca_file),
     .fallback = "",
     .help = "Certificates (PEM) by which other servers are known, instead of the system's"},
    {.name = "authCookieSameSite",
     .type = ST_CHOICE,
     .offset = AT(same_site),
     .fallback = "auto",
     .choices = "auto,Strict,Lax,None",
     .help = "SameSite of the login's cookie. auto: Lax with oidc, where the way back comes from another site, else "
             "Strict. None needs TLS"},
    {.name = "logoutUrl",
     .type = ST_TEXT,
     .offset = AT(logout_url),
     .fallback = "",
     .help = "Where /logout leads to, for example to the provider's own"},
    {.name = "loginMessage",
     .type = ST_TEXT,
     .offset = AT(login_message),
     .fallback = "",
     .help = "Text above the login form"},
};
const size_t auth_setting_count = ARRAY_LEN(auth_setting_table);
