/* settings.c: see settings.h. Names are Arkime's where Arkime has the setting. */
#include "api/settings.h"

#include "base/util.h"

#define AT(member) SETTING(api_settings, member)
const struct setting api_setting_table[] = {
    {.name = "maxSessionsQueried",
     .type = ST_U32,
     .offset = AT(max_sessions),
     .fallback = "2000000",
     .min = 1,
     .max = 1000000000,
     .help = "Most sessions that one request lists"},
    {.name = "maxAggSize",
     .type = ST_U32,
     .offset = AT(max_values),
     .fallback = "10000",
     .min = 1,
     .max = 10000000,
     .help = "Most values that one request counts and gives back"},
    {.name = "valueAutoComplete",
     .type = ST_BOOL,
     .offset = AT(autocomplete),
     .fallback = "true",
     .help = "Offer values while an expression is typed"},
    {.name = "queryTimeout",
     .type = ST_SECONDS,
     .offset = AT(query_seconds),
     .fallback = "5m",
     .max = 86400,
     .help = "A query that takes longer is ended; 0 is no limit"},
    {.name = "titleTemplate",
     .type = ST_TEXT,
     .offset = AT(title),
     .fallback = "_cluster_ - _page_ _-view_ _-expression_",
     .help = "Title of pages"},
    {.name = "footerTemplate", .type = ST_TEXT, .offset = AT(footer), .fallback = "", .help = "Text below pages"},
    {.name = "defaultTimeRange",
     .type = ST_TEXT,
     .offset = AT(default_range),
     .fallback = "1",
     .help = "Hours that pages show at first; -1 is everything"},
};
const size_t api_setting_count = ARRAY_LEN(api_setting_table);
