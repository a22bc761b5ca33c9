/* store_run.h: stores in a temporary folder and sessions made by dice, for the store's unit tests.
 *
 * The registry is that of the program (core fields and all dissectors). Sessions are random but plausible: every type,
 * lists, repeated values, nested objects; the same dice give the same sessions.
 */
#ifndef SEINE_TESTS_STORE_RUN_H
#define SEINE_TESTS_STORE_RUN_H

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "check.h"
#include "config/config.h"
#include "dissect/engine.h"
#include "feature/community_id.h"
#include "record/core_fields.h"
#include "record/document.h"
#include "store/store.h"

#define STORE_RUN_START INT64_C(1700000000000) /* ms: when the first session ends */

struct store_run {
    char folder[64];
    struct registry *registry;
    struct dissect_set *set;
    struct document_plan *plan;
    struct digests *digests;
    struct pool pool;
    struct dice dice;
    uint64_t made;
};

/* A registry_make_fn; the sets stay for the whole test program. */
static inline int store_run_registry(void *ctx, const struct field_def *fields, size_t count,
                                     struct registry **ret_registry, struct err *ret_err) {
    (void)ctx;
    uint16_t base;
    struct registry *r = registry_new();
    assert_non_null(r);
    int code = registry_add(r, "core", core_field_table, core_field_count, &base, ret_err);
    struct dissect_set *set = code < 0 ? NULL : dissect_set_new(r, ret_err);
    for (size_t i = 0; set && i < count && code >= 0; i++) {
        code = registry_add_dynamic(r, "test", &fields[i], &base, ret_err);
    }
    code = set ? code : -EINVAL;
    code = code < 0 ? code : registry_seal(r, ret_err);
    dissect_set_free(set);
    if (code < 0) {
        registry_free(r);
        return code;
    }
    *ret_registry = r;
    return 0;
}

static inline void store_run_init(struct store_run *s, uint64_t seed) {
    *s = (struct store_run){.folder = "/tmp/seine-store-XXXXXX", .dice = {seed}};
    assert_non_null(mkdtemp(s->folder));
    struct err e = {0};
    assert_int_equal(store_run_registry(NULL, NULL, 0, &s->registry, &e), 0);
    s->plan = document_plan_new(s->registry);
    s->digests = digests_new();
    assert_non_null(s->plan);
    assert_non_null(s->digests);
    pool_init(&s->pool, 0);
}

static inline void store_run_remove(const char *path) {
    DIR *d = opendir(path);
    for (struct dirent *e; d && (e = readdir(d));) {
        char inner[600];
        if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0) {
            continue;
        }
        (void)snprintf(inner, sizeof(inner), "%.200s/%.255s", path, e->d_name);
        if (unlink(inner) != 0) {
            store_run_remove(inner);
        }
    }
    if (d) {
        closedir(d);
    }
    (void)rmdir(path);
}

static inline void store_run_done(struct store_run *s) {
    store_run_remove(s->folder);
    document_plan_free(s->plan);
    digests_free(s->digests);
    registry_free(s->registry);
    pool_done(&s->pool);
}

static inline struct span store_run_text(struct dice *d, char *room, size_t size) {
    static const char *const words[] = {"alpha",        "Beta", "gamma",    "DELTA", "eps",
                                        "zeta.example", "eta",  "\xff\xfe", ""};
    int len;
    if (dice_one_in(d, 3)) {
        len = snprintf(room, size, "%s-%08x", words[dice_below(d, ARRAY_LEN(words))], (unsigned)dice_u64(d));
    } else {
        len = snprintf(room, size, "%s", words[dice_below(d, ARRAY_LEN(words))]);
    }
    return span_make(room, (size_t)len);
}

static inline void store_run_ip(struct dice *d, uint8_t ip[16]) {
    if (dice_one_in(d, 5)) {
        dice_fill(d, ip, 16);
        return;
    }
    memset(ip, 0, 10);
    memset(ip + 10, 0xff, 2);
    ip[12] = 10;
    ip[13] = 0;
    ip[14] = (uint8_t)dice_below(d, 4);
    ip[15] = (uint8_t)dice_below(d, 256);
}

static inline void store_run_put(struct dice *d, struct cells *c, const struct field *f) {
    char room[64];
    uint8_t bytes[16];
    switch ((enum field_type)f->type) {
    case FT_U64:
    case FT_TIME:
        cells_put_u64(c, f, dice_one_in(d, 20) ? dice_u64(d) : dice_below(d, 1000));
        break;
    case FT_BOOL:
        cells_put_u64(c, f, dice_below(d, 2));
        break;
    case FT_I64:
        cells_put_i64(c, f, (int64_t)dice_below(d, 100) - 50);
        break;
    case FT_FLOAT:
        cells_put_double(c, f, ((double)dice_below(d, 1000) - 500) / 8);
        break;
    case FT_IP:
        store_run_ip(d, bytes);
        cells_put_ip(c, f, bytes);
        break;
    case FT_MAC:
        dice_fill(d, bytes, 6);
        cells_put_mac(c, f, bytes);
        break;
    default:
        cells_put_text(c, f, store_run_text(d, room, sizeof(room)));
    }
}

static inline void store_run_member(struct dice *d, struct cells *c, struct object o, const struct field *f) {
    char room[64];
    uint8_t bytes[16];
    switch ((enum field_type)f->type) {
    case FT_IP:
        store_run_ip(d, bytes);
        cells_object_ip(c, o, f, bytes);
        break;
    case FT_U64:
    case FT_TIME:
    case FT_BOOL:
        cells_object_u64(c, o, f, f->type == FT_BOOL ? dice_below(d, 2) : dice_below(d, 5000));
        break;
    case FT_I64:
        cells_object_i64(c, o, f, -(int64_t)dice_below(d, 5));
        break;
    default:
        cells_object_text(c, o, f, store_run_text(d, room, sizeof(room)));
    }
}

static inline void store_run_element(struct store_run *s, struct cells *c, struct object o, uint16_t parent,
                                     unsigned depth) {
    const struct field *fields = registry_fields(s->registry);
    for (size_t i = 0; i < registry_count(s->registry); i++) {
        const struct field *f = &fields[i];
        if (f->parent != parent || (f->flags & F_VIRTUAL) || f->type == FT_FLOAT || f->type == FT_MAC ||
            dice_one_in(&s->dice, 3)) {
            continue;
        }
        for (size_t n = f->flags & F_SINGLE ? 1 : 1 + dice_below(&s->dice, 3); n > 0; n--) {
            if (f->type != FT_OBJECT) {
                store_run_member(&s->dice, c, o, f);
            } else if (depth < 3) {
                store_run_element(s, c, cells_child_object(c, o, f), f->id, depth + 1);
            }
        }
    }
}

static inline void store_run_tcp(struct dice *d, struct record *r) {
    for (unsigned i = 0; i < TCPF_COUNTS; i++) {
        r->tcp_flags[i] = (uint32_t)dice_below(d, 5);
    }
    r->has_syn = dice_one_in(d, 2);
    r->has_syn_ack = dice_one_in(d, 2);
    r->syn_ack_first = r->has_syn_ack && dice_one_in(d, 4);
    r->syn_validated = r->has_syn && r->has_syn_ack;
    r->isn[0] = r->has_syn ? (uint32_t)dice_u64(d) : 0;
    r->isn[1] = r->has_syn_ack ? (uint32_t)dice_u64(d) : 0;
    r->has_rtt = dice_one_in(d, 2);
    r->initial_rtt_ms = r->has_rtt ? (uint32_t)dice_below(d, 200) : 0;
    r->src_isn_count = dice_one_in(d, 30) ? 2 : 0;
}

static inline void store_run_cells(struct store_run *s, struct record *r) {
    struct dice *d = &s->dice;
    cells_init(&r->cells, &s->pool);
    const struct field *fields = registry_fields(s->registry);
    for (size_t i = 0; i < registry_count(s->registry); i++) {
        const struct field *f = &fields[i];
        bool plain = f->parent == FIELD_NONE && f->type != FT_UNION && !(f->flags & (F_COMPUTED | F_VIRTUAL));
        if (!plain || f->id == CORE_ROOT_ID || !dice_one_in(d, 12)) {
            continue;
        }
        for (size_t n = 1 + (dice_one_in(d, 3) ? dice_below(d, 5) : 0); n > 0; n--) {
            if (f->type == FT_OBJECT) {
                store_run_element(s, &r->cells, cells_object(&r->cells, f, 0, NULL), f->id, 0);
            } else {
                store_run_put(d, &r->cells, f);
            }
        }
    }
}

/* Fills `r`; `positions` has room for 16. cells_done(&r->cells) afterwards. */
static inline void store_run_record(struct store_run *s, struct record *r, struct packet_position *positions) {
    struct dice *d = &s->dice;
    *r = (struct record){.registry = s->registry, .node = "unit", .segment = 1, .last_piece = true};
    (void)snprintf(r->id, sizeof(r->id), "%022llu", (unsigned long long)s->made);
    r->last_time = (STORE_RUN_START + (int64_t)s->made++ * 10) * 1000000;
    r->first_time = r->last_time - (int64_t)dice_below(d, 100000) * 1000000;
    r->kind = dice_one_in(d, 2) ? FLOW_TCP : dice_one_in(d, 2) ? FLOW_UDP : FLOW_ICMP;
    r->is_tcp = r->kind == FLOW_TCP;
    r->ip_protocol = r->is_tcp ? 6 : r->kind == FLOW_UDP ? 17 : 1;
    r->has_ip = !dice_one_in(d, 20);
    r->has_port = r->has_ip && r->kind != FLOW_ICMP;
    r->ip_version = 4;
    r->icmp_type = r->kind == FLOW_ICMP ? 8 : 0;
    r->ethertype = 0x800;
    for (unsigned side = 0; side < 2; side++) {
        if (r->has_ip) {
            store_run_ip(d, r->ip[side]);
        }
        r->port[side] = r->has_port ? (uint16_t)(dice_one_in(d, 2) ? 443 : dice_below(d, 65536)) : 0;
        r->packets[side] = (uint32_t)dice_below(d, 100);
        r->bytes[side] = dice_below(d, 100000);
        r->data_bytes[side] = r->bytes[side] / 2;
        r->missing_bytes[side] = dice_one_in(d, 10) ? dice_below(d, 1000) : 0;
        r->payload8_len[side] = (uint8_t)dice_below(d, 9);
        dice_fill(d, r->payload8[side], r->payload8_len[side]);
    }
    if (r->is_tcp) {
        store_run_tcp(d, r);
    }
    store_run_cells(s, r);
    r->name_files = true;
    r->positions = positions;
    r->position_count = (uint32_t)dice_below(d, 16);
    for (uint32_t i = 0; i < r->position_count; i++) {
        positions[i].file = 1 + (uint32_t)(s->made / 500) + (dice_one_in(d, 9) ? 1 : 0);
        positions[i].position = s->made * 1000 + i * 100 + dice_below(d, 50);
        positions[i].captured = (uint32_t)dice_below(d, 1514);
    }
    community_id_fill(r, s->digests);
}

static inline struct store_writer *store_run_writer(struct store_run *s, const struct store_options *options) {
    struct store_options standard = {.node = "unit"};
    struct store_writer *w = NULL;
    struct err e = {0};
    if (store_writer_open(s->folder, true, options ? options : &standard, s->registry, &w, &e) != 0) {
        fail_msg("%s", e.text);
    }
    return w;
}

static inline struct store *store_run_open(struct store_run *s) {
    struct store *store = NULL;
    struct err e = {0};
    if (store_open(s->folder, store_run_registry, NULL, 0, &store, &e) != 0) {
        fail_msg("%s", e.text);
    }
    return store;
}

/* Appends `n` sessions made by the dice. */
static inline void store_run_append(struct store_run *s, struct store_writer *w, size_t n) {
    for (size_t i = 0; i < n; i++) {
        struct record r;
        struct packet_position positions[16];
        store_run_record(s, &r, positions);
        uint64_t seq = 0;
        assert_int_equal(store_append(w, &r, &seq), 0);
        assert_int_equal(seq, s->made - 1);
        cells_done(&r.cells);
    }
}

/* Compares the stored sessions with what the same dice make again; `skip`: every so many-th only is read. */
static inline void store_run_compare(struct store_run *s, struct store *store, uint64_t seed, size_t n, size_t skip) {
    assert_int_equal(store_refresh(store), 0);
    struct snapshot *snapshot = store_snapshot(store);
    struct restorer *restorer = NULL;
    assert_int_equal(restorer_new(snapshot, NULL, 0, true, &restorer), 0);
    struct document_plan *plan = document_plan_new(snapshot_registry(snapshot));
    assert_non_null(plan);
    s->dice = (struct dice){seed};
    s->made = 0;
    struct buf want, got;
    buf_init(&want, (size_t)16 << 20);
    buf_init(&got, (size_t)16 << 20);
    for (size_t i = 0; i < n; i++) {
        struct record r;
        struct packet_position positions[16];
        const struct record *back = NULL;
        size_t part;
        uint32_t row;
        store_run_record(s, &r, positions);
        if (i % skip == 0) {
            assert_true(snapshot_find(snapshot, i, &part, &row));
            assert_int_equal(restorer_read(restorer, part, row, &back), 0);
            assert_true(back->stored_ms > 0);
            r.stored_ms = back->stored_ms;
            buf_clear(&want);
            buf_clear(&got);
            document_write(s->plan, &r, 0, &want);
            document_write(plan, back, 0, &got);
            buf_add_byte(&want, 0);
            buf_add_byte(&got, 0);
            assert_string_equal((const char *)got.data, (const char *)want.data);
        }
        cells_done(&r.cells);
    }
    buf_done(&want);
    buf_done(&got);
    document_plan_free(plan);
    restorer_free(restorer);
    snapshot_unref(snapshot);
}

#endif
