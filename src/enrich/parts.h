/* parts.h: the inside of enrich, for its files. */
#ifndef SEINE_ENRICH_PARTS_H
#define SEINE_ENRICH_PARTS_H

#include "enrich/enrich.h"
#include "enrich/ipmap.h"

/* A value to put into a field of the session: from [override-ips] or filenameOps. */
struct field_op {
    uint16_t field;
    struct span value;
    struct field_op *next;
};

/* Parses "expression" and "value" into an op with the configuration's memory. 0 or -errno. */
int field_op_make(struct config *c, const struct registry *r, const char *name, struct span value,
                  struct field_op **ret);
void field_op_put(const struct field *fields, struct cells *cells, const struct field_op *op, struct span value);

/* Where problems of users' files go. */
struct reporter {
    config_report_fn fn;
    void *ctx;
};
void report_problem(const struct reporter *r, const char *file, int line, const char *text, const char *hint);

/* What is known of an address; empty: nothing. The texts live as long as what they come from, `as_full` may lie in
 * `text`. */
struct place {
    struct span country, region, city, rir, as_full, as_name;
    uint64_t as_number;
    const struct field_op *ops;
    char text[256];
};

/* --- overrides.c --- */
struct overrides;
struct overrides *overrides_new(const struct enrich_settings *s, struct config *c, const struct registry *r,
                                const struct reporter *report);
struct overrides *overrides_free(struct overrides *o);
size_t overrides_count(const struct overrides *o); /* networks */
/* Sets every member of `ret` to what the address's longest network has. False: it lies in none. */
bool overrides_find(const struct overrides *o, const uint8_t ip[16], struct place *ret);

/* --- databases.c --- */
struct databases;
struct databases *databases_new(const struct enrich_settings *s, struct config *c, const struct reporter *report);
struct databases *databases_free(struct databases *d);
/* Fills the empty members of `ret`. True when something was known. */
bool databases_find(const struct databases *d, const uint8_t ip[16], struct place *ret);

/* --- addresses.c --- */
void addresses_apply(const struct overrides *overrides, const struct databases *databases, struct record *rec,
                     const struct field *fields);

/* --- makers.c --- */
struct makers;
struct makers *makers_new(const struct enrich_settings *s, struct config *c, const struct reporter *report);
int makers_bind(struct makers *m, const struct registry *r);
struct makers *makers_free(struct makers *m);
void makers_apply(const struct makers *m, struct record *rec, const struct field *fields);

/* --- intel.c --- */
struct intel;
struct intel *intel_new(const struct enrich_settings *s, struct config *c, struct registry *r,
                        const struct reporter *report);
int intel_bind(struct intel *i, const struct registry *r);
struct intel *intel_free(struct intel *i);
void intel_apply(const struct intel *i, struct record *rec, const struct field *fields);

/* --- filename.c --- */
struct filename_ops;
struct filename_ops *filename_ops_new(const struct enrich_settings *s, struct config *c, const struct registry *r,
                                      const struct reporter *report);
struct filename_ops *filename_ops_free(struct filename_ops *f);
void filename_ops_apply(const struct filename_ops *f, struct record *rec, const struct field *fields, const char *file);

#endif
