/* record.h: a finished (or growing) session: a fixed part and cells.
 *
 *   cells: one relocatable block    [cell][cell][cell] ...... free ...... [head][head]
 *          a cell  = next (u32 offset), field (u16), len (u16, top bit: constant text by pointer), value, padded to 8
 *          a head  = field, count, first and last cell, written bytes: one per field present, sorted by field rank
 *          an object cell's value = key (u64), first and last child; children are chained by `next`, sorted by field
 *
 * Values are deduplicated when put (F_REPEAT keeps them), bounded in length and number, and written in the order they
 * came. Owner: one thread at a time; moves whole. Cost of a put: a binary search over the present fields and a walk
 * over the values of that field, of which long lists have hash tables (cells_index.h). Failure: a value that finds no
 * memory is dropped and counted in `dropped`.
 */
#ifndef SEINE_RECORD_RECORD_H
#define SEINE_RECORD_RECORD_H

#include <string.h>

#include "base/pool.h"
#include "base/span.h"
#include "field/registry.h"
#include "packet/packet.h"

#define CELL_TEXT_MAX 16384
#define CELLS_MAX_BYTES ((uint32_t)2 << 20)

struct cells {
    struct pool *pool;
    uint8_t *base; /* NULL until the first put */
    uint32_t used, cap;
    uint16_t heads;
    uint16_t full : 1; /* a field's written size passed CELLS_FIELD_SOFT: time for a mid-save */
    uint16_t late : 1; /* digests that become values are on their way (dissect/late.h) */
    uint32_t dropped;
};
#define CELLS_FIELD_SOFT 20000

struct cell {
    uint32_t next; /* offset of the next value of the same list, 0 = none */
    uint16_t field;
    uint16_t len; /* with CELL_CONST the value is a pointer to constant text of that length */
};
#define CELL_CONST 0x8000

struct cell_head {
    uint16_t field;
    uint16_t rank;
    uint32_t first, last;  /* offsets; 0 = none (offset 0 is never a cell) */
    uint32_t count : 17;   /* at most CELLS_COUNT_MAX */
    uint32_t written : 15; /* rough bytes in the document; stops at CELLS_WRITTEN_MAX */
};
#define CELLS_COUNT_MAX 0x1ffffu
#define CELLS_WRITTEN_MAX 0x7fffu
_Static_assert(sizeof(struct cell_head) == 16 && CELLS_FIELD_SOFT < CELLS_WRITTEN_MAX,
               "small, and exact where it matters");

/* A value as readers see it. */
struct value {
    enum field_type type;
    union {
        uint64_t u64; /* FT_U64, FT_TIME, FT_BOOL */
        int64_t i64;
        double number;
        struct span bytes; /* text; 16 bytes of an FT_IP; 6 of an FT_MAC */
    };
    uint32_t index; /* computed lists: which element is wanted; the reader is asked from 0 until it answers false */
    uint64_t state; /* theirs between elements; 0 at the first */
    char text[16];  /* room for short text made by a reader; `bytes` may point here */
};

/* The object an open put goes into. */
struct object {
    uint32_t at;   /* offset of the object cell; 0 = refused: puts into it are dropped */
    uint16_t root; /* field of the outermost object, whose size counts */
};

void cells_init(struct cells *c, struct pool *pool);
void cells_done(struct cells *c);
/* Room for `need` bytes of cells and heads at once, if there is a block: before many puts in a row. */
void cells_reserve(struct cells *c, size_t need);

/* --- putting values; `f` from the sealed registry. Return true when the value was new. --- */
bool cells_put_u64(struct cells *c, const struct field *f, uint64_t value);
bool cells_put_i64(struct cells *c, const struct field *f, int64_t value);
bool cells_put_double(struct cells *c, const struct field *f, double value);
bool cells_put_text(struct cells *c, const struct field *f,
                    struct span text); /* folded by type, cut at CELL_TEXT_MAX */
bool cells_put_fixed(struct cells *c, const struct field *f, struct span text); /* text is not copied: lives for ever */
static inline bool cells_put_const(struct cells *c, const struct field *f, const char *text) {
    return cells_put_fixed(c, f, span_text(text)); /* inline: the length of a literal is known when compiled */
}
bool cells_put_ip(struct cells *c, const struct field *f, const uint8_t ip[16]);
bool cells_put_mac(struct cells *c, const struct field *f, const uint8_t mac[6]);
bool cells_remove_text(struct cells *c, const struct field *f, const char *text);
bool cells_has_text(const struct cells *c, const struct field *f, struct span text);
uint32_t cells_count(const struct cells *c, const struct field *f);
uint32_t cells_written(const struct cells *c, const struct field *f); /* what `full` goes by */

/* The element of the object list `f` with this key, made if absent (key 0: always a new one). */
struct object cells_object(struct cells *c, const struct field *f, uint64_t key, bool *ret_new);
/* A nested element: a child object `f` of `parent`. */
struct object cells_child_object(struct cells *c, struct object parent, const struct field *f);
void cells_object_u64(struct cells *c, struct object o, const struct field *f, uint64_t value);
void cells_object_i64(struct cells *c, struct object o, const struct field *f, int64_t value);
void cells_object_text(struct cells *c, struct object o, const struct field *f, struct span text);
void cells_object_fixed(struct cells *c, struct object o, const struct field *f, struct span text);
static inline void cells_object_const(struct cells *c, struct object o, const struct field *f, const char *text) {
    cells_object_fixed(c, o, f, span_text(text));
}
void cells_object_ip(struct cells *c, struct object o, const struct field *f, const uint8_t ip[16]);

/* --- reading --- */
const struct cell_head *cells_heads(const struct cells *c, size_t *ret_count); /* in writing order */
const struct cell *cells_first(const struct cells *c, const struct cell_head *h);
const struct cell *cells_next(const struct cells *c, const struct cell *cell);
const struct cell *cells_object_first(const struct cells *c, const struct cell *object);
static inline struct span cell_span(const struct cell *cell) {
    if (cell->len & CELL_CONST) {
        const char *text;
        memcpy(&text, cell + 1, sizeof(text));
        return span_make(text, cell->len & (CELL_CONST - 1u));
    }
    return span_make(cell + 1, cell->len);
}
/* Inline and member by member: a structure of this size given back by value costs more than what is in it. */
static inline void cell_read(const struct cell *cell, const struct field *f, struct value *ret) {
    ret->type = f->type;
    ret->index = 0;
    ret->state = 0;
    if (f->type <= FT_BOOL) {
        memcpy(&ret->u64, cell + 1, sizeof(ret->u64));
    } else {
        ret->bytes = cell_span(cell);
    }
}
struct value cell_value(const struct cell *cell, const struct field *f);

/* Keeps only fields with F_LINKED (after a mid-save), and of those the ones that are not half full already. */
void cells_keep_linked(struct cells *c, const struct registry *r);

enum { SIDE_SRC, SIDE_DST };

enum tcp_flag_count {
    TCPF_SYN,
    TCPF_SYN_ACK,
    TCPF_ACK,
    TCPF_PSH,
    TCPF_FIN,
    TCPF_RST,
    TCPF_URG,
    TCPF_ECE,
    TCPF_CWR,
    TCPF_AE,
    TCPF_SRC_ZERO,
    TCPF_DST_ZERO,
    TCPF_COUNTS
};

/* A packet of the session: where it is. */
struct packet_position {
    uint32_t file;
    uint32_t captured;
    uint64_t position;
};

/* The session as it leaves the flow table. Sides: 0 = source, 1 = destination. */
struct record {
    char id[24];      /* 22 characters, NUL: for life, the same in every piece of a long session */
    uint32_t segment; /* 1 for the first piece */
    bool linked;      /* one of several pieces: rootId is written */
    bool last_piece;
    char root_id[48];              /* document id of the first piece */
    int64_t first_time, last_time; /* ns since 1970 */
    uint8_t ip[2][16];
    uint16_t port[2];
    bool has_ip, has_port, is_tcp;
    uint8_t ip_version, ip_protocol;
    uint16_t ethertype; /* 0 = none */
    uint64_t bytes[2], data_bytes[2];
    uint32_t packets[2];
    uint64_t missing_bytes[2]; /* acknowledged by the peer, never seen */
    uint32_t tcp_flags[TCPF_COUNTS];
    bool has_syn, has_syn_ack, syn_ack_first, has_rtt, syn_validated, syn_ack_validated;
    uint8_t kind;                 /* enum flow_kind */
    uint8_t icmp_type, icmp_code; /* of the first packet; ICMP only */
    uint32_t isn[2];
    uint32_t src_isn_count;
    uint32_t initial_rtt_ms;
    uint8_t payload8[2][8];
    uint8_t payload8_len[2];
    uint8_t ttl[2];        /* of the first packet of each side; further ones are cells */
    char community_id[32]; /* "1:..." or "" */
    const char *node;
    const char *index; /* index name for the header of a bulk message, or NULL */
    const struct packet_position *positions;
    uint32_t position_count;
    uint32_t first_file;   /* of a fresh session: the capture that its first piece began in; 0: not known */
    bool name_files;       /* write file markers into packetPos and fileId */
    bool want_lengths;     /* write packetLen */
    const char *name;      /* of a stored session: what it is known by; else NULL */
    const uint32_t *files; /* of a stored session without positions: numbers of its capture files */
    uint32_t file_count;
    uint64_t stored_ms; /* of a stored session: when it came into the store, ms since 1970; else 0 */
    struct cells cells;
    const struct registry *registry;
};

#endif
