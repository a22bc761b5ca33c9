/* settings.h: settings of the API. Owner: the command. Thread: any once loaded. */
#ifndef SEINE_API_SETTINGS_H
#define SEINE_API_SETTINGS_H

#include <stdbool.h>

#include "config/setting.h"

struct api_settings {
    uint32_t max_sessions; /* maxSessionsQueried */
    uint32_t max_values;   /* maxAggSize */
    bool autocomplete;     /* valueAutoComplete */
    uint32_t query_seconds;
    bool run_crons;     /* cronQueries */
    bool reverse_names; /* reverseDns */
    bool scrub_foreign; /* scrubForeign */
    bool upload;
    struct setting_list upload_roles; /* uploadRoles */
    uint64_t upload_max;              /* uploadFileSizeLimit */
    const char *twilio_url;           /* twilioUrl */
    const char *title, *footer;
    const char *default_range; /* hours; "-1" everything */
};

extern const struct setting api_setting_table[];
extern const size_t api_setting_count;

#endif
