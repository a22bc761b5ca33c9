/* settings.c: see settings.h. Names are Arkime's where Arkime has the setting. */
#include "http/settings.h"

#include <errno.h>
#include <string.h>

#include "base/util.h"
#include "http/network.h"

#define AT(member) SETTING(http_settings, member)
const struct setting http_setting_table[] = {
    {.name = "viewHost",
     .type = ST_TEXT,
     .offset = AT(view_host),
     .fallback = "127.0.0.1",
     .help = "Address that `seine serve` listens on. Anything but a loopback address needs a user"},
    {.name = "viewPort",
     .type = ST_U32,
     .offset = AT(view_port),
     .fallback = "8005",
     .max = 65535,
     .help = "Port that `seine serve` listens on; 0 takes a free one"},
    {.name = "certFile",
     .type = ST_TEXT,
     .offset = AT(cert_file),
     .fallback = "",
     .help = "Certificate in PEM form, with those that signed it behind it. With keyFile: the server speaks TLS"},
    {.name = "keyFile",
     .type = ST_TEXT,
     .offset = AT(key_file),
     .fallback = "",
     .help = "Private key of certFile, PEM"},
    {.name = "webBasePath",
     .type = ST_TEXT,
     .offset = AT(base_path),
     .fallback = "/",
     .help = "Path under which a proxy shows this server, for example /seine/"},
    {.name = "hostNames",
     .type = ST_LIST,
     .offset = AT(hosts),
     .fallback = "",
     .help = "Further names that a server on a loopback address answers to, for proxies that keep the Host header"},
    {.name = "authTrustProxy",
     .type = ST_TEXT,
     .offset = AT(trust_proxy),
     .fallback = "false",
     .help =
         "Proxies that are believed about who sent a request (X-Forwarded-For, X-Forwarded-Proto): false, true (one), "
         "a number of them in a row, or their addresses and networks, separated by commas, also loopback. Failed "
         "logins are then counted by client"},
    {.name = "hstsHeader",
     .type = ST_BOOL,
     .offset = AT(hsts),
     .fallback = "false",
     .help = "Tell browsers to use TLS only (Strict-Transport-Security)"},
    {.name = "iframe",
     .type = ST_CHOICE,
     .offset = AT(iframe),
     .fallback = "deny",
     .choices = "deny,sameorigin,allow",
     .help = "Who may show the pages in a frame"},
    {.name = "maxConnections",
     .type = ST_U32,
     .offset = AT(connections),
     .fallback = "256",
     .min = 1,
     .max = 10000,
     .help = "Connections at once; each has a thread"},
    {.name = "maxConnectionsPerAddress",
     .type = ST_U32,
     .offset = AT(per_address),
     .fallback = "128",
     .max = 10000,
     .help = "Connections at once from one address; 0 is no limit. Not on a loopback address, where proxies are"},
    {.name = "idleTimeout",
     .type = ST_SECONDS,
     .offset = AT(idle_seconds),
     .fallback = "120",
     .min = 4,
     .max = 86400,
     .help = "A connection without traffic is closed after this time; the head of a request must come within a quarter "
             "of it"},
};
const size_t http_setting_count = ARRAY_LEN(http_setting_table);

int http_settings_check(struct http_settings *s, struct err *ret_err) {
    size_t len = strlen(s->base_path);
    if (len && (s->base_path[0] != '/' || s->base_path[len - 1] != '/')) {
        err_set(ret_err, -EINVAL, "webBasePath: %s does not begin and end with '/'", s->base_path);
        return -EINVAL;
    }
    if (len == 1) {
        s->base_path = "";
    }
    struct trusted trusted;
    if (trusted_parse(s->trust_proxy, &trusted) < 0) {
        return err_set(ret_err, -EINVAL, "authTrustProxy: %s is none of false, true, a number, addresses and networks",
                       s->trust_proxy);
    }
    if ((*s->cert_file != 0) != (*s->key_file != 0)) {
        return err_set(ret_err, -EINVAL, "%s is set and %s is not: TLS needs both",
                       *s->cert_file ? "certFile" : "keyFile", *s->cert_file ? "keyFile" : "certFile");
    }
    return 0;
}
