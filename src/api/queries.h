/* queries.h: the families of endpoints about sessions and their packets, for families.c. */
#ifndef SEINE_API_QUERIES_H
#define SEINE_API_QUERIES_H

#include "api/api.h"

extern const struct endpoint_family session_family, build_query_family, spi_family, hierarchy_family, unique_family,
    summary_family, connection_family, beacon_family, overview_family, live_family, explain_family, detail_family,
    packet_family, download_family, change_family, remove_family;

#endif
