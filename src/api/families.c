/* families.c: all families of endpoints. A new family is a line here and a table in a file of its own. */
#include "api/api.h"
#include "api/lists.h"
#include "api/queries.h"
#include "api/saved.h"
#include "api/self.h"

extern const struct endpoint_family meta_family;

const struct endpoint_family *const api_families[] = {
    &session_family,    &build_query_family, &spi_family,      &hierarchy_family, &unique_family,  &summary_family,
    &connection_family, &beacon_family,      &overview_family, &live_family,      &explain_family, &detail_family,
    &packet_family,     &download_family,    &change_family,   &remove_family,    &view_family,    &shortcut_family,
    &shareable_family,  &notifier_family,    &cron_family,     &history_family,   &field_family,   &file_family,
    &action_family,     &info_family,        &upload_family,   &stats_family,     &store_family,   &meta_family,
    &self_family,       &user_family,        &token_family,    &login_family,     &totp_family,    NULL,
};
