/* dissector.h: a protocol = one file with one const struct dissector.
 *
 * Contract for parsers: bytes are borrowed; `scratch` is reset after each call; state is zeroed memory of `state_size`
 * from the session's arena with nothing to free in it (`end` gives back digest runs and the like); a parser never
 * blocks, logs, allocates by malloc, looks at the clock, or reads configuration other than its own settings.
 * A stream parser gets the bytes of both sides in the order the peers saw them, each byte once, however the segments
 * were cut: it must give the same fields for any segmentation. Bytes held for VERDICT_MORE come again with more behind
 * them; when the side or the session ends (also without FIN) they come a last time, with at_end set, before
 * `end(final)`; a gap drops them; after VERDICT_HANDOVER those of both sides go to the next protocol.
 */
#ifndef SEINE_DISSECT_DISSECTOR_H
#define SEINE_DISSECT_DISSECTOR_H

#include "base/arena.h"
#include "base/cursor.h"
#include "base/digest_runs.h"
#include "base/span.h"
#include "config/config.h"
#include "field/field.h"
#include "record/core_fields.h"
#include "record/record.h"

enum match {
    MATCH_NO,
    MATCH_YES,
    MATCH_MORE, /* cannot tell yet: ask again with more bytes. At PROBE_MAX bytes or the stream's end it counts as NO */
};
#define PROBE_MAX 1024

enum verdict {
    VERDICT_OK,   /* all bytes of this call are used */
    VERDICT_MORE, /* d->consumed bytes are used (default 0); call again with the rest and at least d->wanted in all (0:
                     one more) */
    VERDICT_DONE, /* enough seen: detach; the protocol stays */
    VERDICT_HANDOVER, /* d->consumed bytes are used; what follows, in both directions, is another protocol: classify it
                         anew; detach */
    VERDICT_NOT_MINE, /* detach, take the protocol's name back */
    VERDICT_BROKEN,   /* detach, keep what was put; the session goes on being counted */
};

/* What must hold before the probe is asked. A dissector without hints is asked for every new stream/datagram flow. */
struct hint {
    enum { HINT_NONE, HINT_TCP_PORT, HINT_UDP_PORT, HINT_TCP_BYTES, HINT_UDP_BYTES } kind;
    uint16_t port;     /* HINT_*_PORT: either side has it */
    uint16_t offset;   /* HINT_*_BYTES: where `bytes` must stand */
    const char *bytes; /* what stands there; at offset 0 its first byte decides whether the probe is asked */
    uint8_t length;
};

struct dissect;
struct dissect_setup;

struct dissector {
    const char *name;  /* protocol value, file name, test folder: "ntp" */
    const char *title; /* "NTP" */
    const char *spec;  /* "RFC 5905" */
    const struct field_def *fields;
    size_t field_count;
    const struct hint *hints;
    size_t hint_count;
    size_t state_size;
    size_t buffer_max; /* ceiling of bytes held per side for VERDICT_MORE; 0 = 64 KiB */
    bool takes_gaps;   /* stream is called with gap_before after missing bytes; without it a gap ends the dissection */
    bool silent;       /* the name is not put into `protocol` when attached: the parser does it by dissect_protocol */

    /* Pure: looks at the first bytes of one side of a flow (`side`: 0 = source speaks). */
    enum match (*probe)(struct span first, const struct dissect *d);
    enum verdict (*datagram)(struct dissect *d, struct span bytes);
    enum verdict (*stream)(struct dissect *d, struct span bytes);
    /* The session ends or is saved in pieces (`final` false): give partial results. May be NULL. */
    void (*end)(struct dissect *d, bool final);

    const struct setting *settings;
    size_t setting_count;
    size_t settings_size;
    /* Once at start: registers dynamic fields, builds read-only tables; returned pointer comes back in d->shared. */
    int (*prepare)(struct dissect_setup *setup, void **ret_shared, struct err *ret_err);
    void (*release)(void *shared);
};

/* Facts about the session a parser may read. */
struct dissect_flow {
    uint8_t ip[2][16]; /* source, destination */
    uint16_t port[2];
    uint8_t ip_protocol;
    uint8_t ip_version;
    int64_t first_time; /* ns: first packet of the session */
};

/* One call's context. Members above the line are the parser's to use. */
struct dissect {
    uint16_t base;   /* id of this dissector's field 0 */
    uint8_t side;    /* who sent these bytes: 0 = source, 1 = destination */
    bool at_end;     /* stream: the side is closed; no more bytes will come */
    bool gap_before; /* stream: bytes are missing before these */
    void *state;
    const void *settings;  /* this dissector's struct */
    const void *shared;    /* what prepare returned */
    struct arena *scratch; /* reset after this call */
    struct digests *digests;
    struct digest_runs *runs; /* digests in progress; given back by dissect_digest or digest_drop */
    const struct dissect_flow *flow;
    int64_t time;                 /* ns: packet that brought these bytes */
    size_t consumed, wanted;      /* for VERDICT_MORE and VERDICT_HANDOVER */
    uint64_t gap;                 /* stream, with gap_before: bytes missing behind what was used, with the held ones */
    uint8_t icmp_type, icmp_code; /* datagrams of ICMP only */
    /* ---- the framework's ---- */
    struct cells *cells;
    const struct field *fields; /* the registry's array */
    struct dissect_session *session;
    const struct dissect_engine *engine;
};

/* Setup phase. */
struct dissect_setup {
    struct registry *registry;
    struct config *config;
    const void *settings; /* this dissector's, filled */
    uint16_t base;
};

/* --- putting fields: `field` is the local enum index --- */
static inline bool put_u64(struct dissect *d, unsigned field, uint64_t value) {
    return cells_put_u64(d->cells, &d->fields[d->base + field], value);
}
static inline bool put_i64(struct dissect *d, unsigned field, int64_t value) {
    return cells_put_i64(d->cells, &d->fields[d->base + field], value);
}
static inline bool put_text(struct dissect *d, unsigned field, struct span text) {
    return cells_put_text(d->cells, &d->fields[d->base + field], text);
}
static inline bool put_const(struct dissect *d, unsigned field, const char *text) {
    return cells_put_const(d->cells, &d->fields[d->base + field], text);
}
static inline bool put_ip(struct dissect *d, unsigned field, const uint8_t ip[16]) {
    return cells_put_ip(d->cells, &d->fields[d->base + field], ip);
}
bool put_ip4(struct dissect *d, unsigned field, const uint8_t ip[4]);
static inline bool put_mac(struct dissect *d, unsigned field, const uint8_t mac[6]) {
    return cells_put_mac(d->cells, &d->fields[d->base + field], mac);
}
/* Element of an object list by key (0 = always new), and its members. */
static inline struct object put_object(struct dissect *d, unsigned field, uint64_t key, bool *ret_new) {
    return cells_object(d->cells, &d->fields[d->base + field], key, ret_new);
}
static inline struct object object_child(struct dissect *d, struct object o, unsigned field) {
    return cells_child_object(d->cells, o, &d->fields[d->base + field]);
}
static inline void object_u64(struct dissect *d, struct object o, unsigned field, uint64_t value) {
    cells_object_u64(d->cells, o, &d->fields[d->base + field], value);
}
static inline void object_i64(struct dissect *d, struct object o, unsigned field, int64_t value) {
    cells_object_i64(d->cells, o, &d->fields[d->base + field], value);
}
static inline void object_text(struct dissect *d, struct object o, unsigned field, struct span text) {
    cells_object_text(d->cells, o, &d->fields[d->base + field], text);
}
static inline void object_const(struct dissect *d, struct object o, unsigned field, const char *text) {
    cells_object_const(d->cells, o, &d->fields[d->base + field], text);
}
static inline void object_ip(struct dissect *d, struct object o, unsigned field, const uint8_t ip[16]) {
    cells_object_ip(d->cells, o, &d->fields[d->base + field], ip);
}
void object_ip4(struct dissect *d, struct object o, unsigned field, const uint8_t ip[4]);
/* A field given by its registry id (dynamic fields made by `prepare`). */
static inline bool put_text_id(struct dissect *d, uint16_t id, struct span text) {
    return cells_put_text(d->cells, &d->fields[id], text);
}
static inline bool put_u64_id(struct dissect *d, uint16_t id, uint64_t value) {
    return cells_put_u64(d->cells, &d->fields[id], value);
}

/* Ends a run, or makes a digest at once: in hexadecimal it becomes a value of `field` before anybody reads them. */
void dissect_digest(struct dissect *d, unsigned field, struct digest_run *run);
void dissect_digest_whole(struct dissect *d, unsigned field, enum digest_kind kind, struct span bytes);

/* Document-level values. */
void dissect_tag(struct dissect *d, const char *tag); /* constant text */
void dissect_tag_text(struct dissect *d, struct span tag);
void dissect_protocol(struct dissect *d, const char *name); /* constant text */
void dissect_user(struct dissect *d, struct span user);
bool dissect_has_protocol(const struct dissect *d, const char *name);
/* Before VERDICT_HANDOVER: this dissector gets what follows, unasked (its probe is not called, its name is put). */
void dissect_next(struct dissect *d, unsigned dissector_id);

/* Another protocol's fields: the same context with that table's base (state and settings are not switched). Ids:
 * dissect/list.h */
struct dissect dissect_as(const struct dissect *d, unsigned dissector_id);

#endif
