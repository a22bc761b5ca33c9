/* settings.h: settings of the server, of what it sends along and of whom it listens to.
 *
 * Owner: the command. Thread: any once loaded. Failure: http_settings_check says what a table cannot.
 */
#ifndef SEINE_HTTP_SETTINGS_H
#define SEINE_HTTP_SETTINGS_H

#include <stdbool.h>

#include "base/err.h"
#include "config/setting.h"

enum iframe { IFRAME_DENY, IFRAME_SAMEORIGIN, IFRAME_ALLOW };

struct http_settings {
    const char *view_host;
    uint32_t view_port;
    const char *cert_file, *key_file;
    const char *base_path; /* "" or "/x/"; http_settings_check makes "/" to "" */
    struct setting_list hosts;
    const char *trust_proxy;
    bool hsts;
    uint32_t iframe; /* enum iframe */
    uint32_t connections, per_address, idle_seconds;
};

extern const struct setting http_setting_table[];
extern const size_t http_setting_count;

int http_settings_check(struct http_settings *s, struct err *ret_err);

#endif
