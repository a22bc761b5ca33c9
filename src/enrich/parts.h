/* parts.h: the inside of enrich, for its files. */
#ifndef SEINE_ENRICH_PARTS_H
#define SEINE_ENRICH_PARTS_H

#include "enrich/enrich.h"
#include "enrich/ipmap.h"

/* Where values of a field go instead when `matched` is the field that brought them. */
struct field_remap {
    uint16_t matched, to;
    struct field_remap *next;
};

/* A value to put into a field of the session: from [override-ips], filenameOps or a tagger file. */
struct field_op {
    uint16_t field;
    struct span value;
    const struct field_remap *remap;
    struct field_op *next;
};

/* By its name in expressions, or by its path; FIELD_NONE when there is none. Works before the registry is sealed. */
uint16_t field_find(const struct registry *r, const char *name);
/* Values can be put: it is stored, and no object nor inside one. */
bool field_writable(const struct registry *r, uint16_t id);
/* Where values of a name go: looked up once for many values, because it goes through all fields. */
struct field_target {
    uint16_t field;
    const struct field_remap *remap;
};
/* 0, or -ENOENT: there is no such field, or values cannot be put into it. */
int field_target_find(struct config *c, const struct registry *r, const char *name, struct field_target *ret);
/* An op with the configuration's memory. 0 or -errno. */
int field_op_to(struct config *c, const struct field_target *to, struct span value, struct field_op **ret);
/* Both for one value. */
int field_op_make(struct config *c, const struct registry *r, const char *name, struct span value,
                  struct field_op **ret);
/* `matched`: the field whose value the op belongs to, or FIELD_NONE. */
void field_op_put(const struct field *fields, struct cells *cells, const struct field_op *op, struct span value,
                  uint16_t matched);

/* Calls `each` for every value of the record whose field has bits in `wanted` (by field id), in objects too. No cell
 * may be put meanwhile. */
typedef void (*wanted_fn)(void *ctx, const struct field *f, struct span bytes);
void values_each(const struct record *rec, const struct field *fields, const uint8_t *wanted, wanted_fn each,
                 void *ctx);

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

/* --- custom.c --- */
#define FIELD_SHORTCUTS 20
/* Adds the field `name` by its definition, unless it is there. `ret_shortcut` (may be NULL): its number in the file, or
 * -1. 0 or -errno. */
int custom_field_add(struct config *c, struct registry *r, const char *name, const char *definition, int *ret_shortcut,
                     struct err *ret_err);
void custom_fields_read(struct config *c, struct registry *r, const struct reporter *report);
/* Remaps of a field, NULL when it has none. */
struct field_remap *custom_remap_read(struct config *c, const struct registry *r, uint16_t field);
/* Reports those that name no field. */
void custom_remaps_check(struct config *c, const struct registry *r, const struct reporter *report);

/* --- tagger.c --- */
struct tagger;
struct tagger *tagger_new(struct config *c, struct registry *r, const struct reporter *report);
int tagger_bind(struct tagger *t, const struct registry *r);
struct tagger *tagger_free(struct tagger *t);
void tagger_apply(const struct tagger *t, const uint16_t ends[2], struct record *rec, const struct field *fields);

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
/* `ends`: the fields of the addresses of both ends. */
void addresses_apply(const struct overrides *overrides, const struct databases *databases, const uint16_t ends[2],
                     struct record *rec, const struct field *fields);

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
