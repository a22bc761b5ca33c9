/* enrich.h: what local knowledge adds to a finished session: overrides by address, countries, networks and registries
 * of addresses, makers of interfaces, intelligence, tags by file name.
 *
 * Owner: main; made at start, then read-only and shared by the workers. Thread: any. Cost: nothing where nothing is
 * configured; else a look-up per address and per value of a field whose kind has indicators. Failure: problems in files
 * the user gave are reported with file and line; the rest of the file is used.
 */
#ifndef SEINE_ENRICH_ENRICH_H
#define SEINE_ENRICH_ENRICH_H

#include "config/config.h"
#include "record/record.h"

struct enrich_settings {
    struct setting_list override_files, intel_files, filename_ops, oui_files, country_files, as_files;
    const char *intel_tag, *rir_file;
};
extern const struct setting enrich_setting_table[];
extern const size_t enrich_setting_count;

struct enrich;

/* Before the registry is sealed: registers fields, reads files. NULL after a fatal problem (reported). */
struct enrich *enrich_new(const struct enrich_settings *settings, struct config *config, struct registry *registry,
                          config_report_fn report, void *ctx);
/* After the seal: looks up the fields it writes and reads. */
int enrich_bind(struct enrich *e, const struct registry *registry, struct err *ret_err);
struct enrich *enrich_free(struct enrich *e);

/* Adds to r->cells. `file`: name of the capture file of the first packet, or NULL. */
void enrich_record(const struct enrich *e, struct record *r, const char *file);

#endif
