/* test_conversation.c: sessions' packets out of a store's captures: both sides in order, frames in words, and captures
 * that are gone or changed.
 */
#include <fcntl.h>
#include <sys/stat.h>

#include "capture_build.h"

#include "base/buf.h"
#include "base/util.h"
#include "fetch/conversation.h"
#include "fetch/fetch.h"
#include "fetch/frame_text.h"
#include "frame.h"
#include "record/core_fields.h"

enum { FIN = 1, SYN = 2, PSH = 8, ACK = 16 };

struct world {
    char *folder;
    char path[300];
    struct bytes file;
    struct packet_position positions[64];
    struct record record;
    struct registry *registry;
    struct capture_known known;
    struct buf heard[2];
    char story[400];
    char summaries[64][480];
    unsigned frames;
};

static int find(void *ctx, uint32_t number, struct capture_known *ret) {
    struct world *w = ctx;
    if (number != 7) {
        return -ENOENT;
    }
    *ret = w->known;
    return 0;
}

static void add_tcp(struct world *w, unsigned side, uint32_t seq, uint32_t ack, uint8_t flags, const char *data) {
    uint8_t p[54 + 600] = {[12] = 8, [14] = 0x45, [22] = 64, [23] = 6, [46] = 0x50};
    size_t len = strlen(data);
    memcpy(p, side ? "\2\0\0\0\0\1\2\0\0\0\0\2" : "\2\0\0\0\0\2\2\0\0\0\0\1", 12);
    write16(p + 16, (unsigned)(40 + len));
    write32(p + 26, side ? 0x0a000002 : 0x0a000001);
    write32(p + 30, side ? 0x0a000001 : 0x0a000002);
    write16(p + 34, side ? 80 : 40000);
    write16(p + 36, side ? 40000 : 80);
    write32(p + 38, seq);
    write32(p + 42, ack);
    p[47] = flags;
    write16(p + 48, 1000);
    memcpy(p + 54, data, len);
    uint32_t n = w->record.position_count++;
    w->positions[n] = (struct packet_position){7, (uint32_t)(54 + len), w->file.len};
    bytes_put32(&w->file, 1500000000 + n);
    bytes_put32(&w->file, n);
    bytes_put32(&w->file, (uint32_t)(54 + len));
    bytes_put32(&w->file, (uint32_t)(54 + len));
    bytes_put(&w->file, p, 54 + len);
}

static int setup(void **state) {
    struct world *w = calloc(1, sizeof(*w));
    struct err e = {0};
    uint16_t base;
    assert_non_null(w);
    w->folder = folder_new();
    snprintf(w->path, sizeof(w->path), "%s/a.pcap", w->folder);
    w->registry = registry_new();
    assert_int_equal(registry_add(w->registry, "core", core_field_table, core_field_count, &base, &e), 0);
    assert_int_equal(registry_seal(w->registry, &e), 0);
    w->record = (struct record){.registry = w->registry, .positions = w->positions, .port = {40000, 80}};
    w->record.ip[0][10] = w->record.ip[0][11] = w->record.ip[1][10] = w->record.ip[1][11] = 0xff;
    write32(w->record.ip[0] + 12, 0x0a000001);
    write32(w->record.ip[1] + 12, 0x0a000002);
    pcap_head(&w->file, 0xa1b2c3d4, 65535, 1);
    add_tcp(w, 0, 1000, 0, SYN, "");
    add_tcp(w, 1, 5000, 1001, SYN | ACK, "");
    add_tcp(w, 0, 1001, 5001, ACK, "");
    add_tcp(w, 0, 1001, 5001, ACK | PSH, "hello ");
    add_tcp(w, 0, 1013, 5001, ACK | PSH, "!"); /* ahead of the one before it */
    add_tcp(w, 0, 1007, 5001, ACK | PSH, "world,");
    add_tcp(w, 1, 5001, 1014, ACK | PSH, "yes");
    add_tcp(w, 1, 5001, 1014, ACK | PSH, "yes"); /* sent twice */
    add_tcp(w, 0, 1014, 5004, ACK | FIN, "");
    w->record.first_time = INT64_C(1500000000000000000);
    w->record.last_time = w->record.first_time + INT64_C(8000008000);
    file_write(w->path, w->file.at, w->file.len);
    w->known = (struct capture_known){w->path, w->file.len, 0};
    buf_init(&w->heard[0], 1 << 20);
    buf_init(&w->heard[1], 1 << 20);
    *state = w;
    return 0;
}

static int teardown(void **state) {
    struct world *w = *state;
    folder_remove(w->folder);
    free(w->folder);
    bytes_done(&w->file);
    buf_done(&w->heard[0]);
    buf_done(&w->heard[1]);
    registry_free(w->registry);
    free(w);
    return 0;
}

static bool on_piece(void *ctx, const struct conversation_piece *p) {
    struct world *w = ctx;
    buf_add_span(&w->heard[p->side], p->bytes);
    size_t len = strlen(w->story);
    snprintf(w->story + len, sizeof(w->story) - len, "%u:%.*s ", p->side, (int)p->bytes.len, (const char *)p->bytes.at);
    return true;
}

static bool on_frame(void *ctx, const struct conversation_frame *f) {
    struct world *w = ctx;
    struct frame_text t;
    frame_describe(f->packet, &t);
    assert_int_equal(f->number, w->frames + 1);
    assert_true(t.count >= 3);
    memcpy(w->summaries[w->frames++], t.summary, sizeof(t.summary));
    return w->frames < 5;
}

static struct conversation_result run(struct world *w, bool frames) {
    struct conversation_hooks hooks = {w, frames ? on_frame : NULL, frames ? NULL : on_piece};
    struct conversation_result result;
    struct captures *c = captures_new(find, w);
    assert_int_equal(conversation_read(c, &w->record, 0, &hooks, &result), 0);
    captures_free(c);
    return result;
}

static void both_sides_in_order(void **state) {
    struct world *w = *state;
    struct conversation_result r = run(w, false);
    assert_string_equal(w->story, "0:hello  0:world, 0:! 1:yes ");
    assert_int_equal(r.packets, 9);
    assert_int_equal(r.lost, 0);
}

/* The stored session's source decides what side 0 is, not who spoke first here. */
static void sides_follow_the_session(void **state) {
    struct world *w = *state;
    uint8_t ip[16];
    memcpy(ip, w->record.ip[0], 16);
    memcpy(w->record.ip[0], w->record.ip[1], 16);
    memcpy(w->record.ip[1], ip, 16);
    w->record.port[0] = 80;
    w->record.port[1] = 40000;
    (void)run(w, false);
    assert_string_equal(w->story, "1:hello  1:world, 1:! 0:yes ");
}

static void frames_in_words(void **state) {
    struct world *w = *state;
    struct conversation_result r = run(w, true);
    assert_true(r.ended);
    assert_int_equal(w->frames, 5);
    assert_string_equal(w->summaries[0], "10.0.0.1.40000 > 10.0.0.2.80: Flags [S], seq 1000, win 1000, length 0");
    assert_string_equal(w->summaries[3],
                        "10.0.0.1.40000 > 10.0.0.2.80: Flags [P.], seq 1001:1007, ack 5001, win 1000, length 6");
}

static void set_modified(const char *path, time_t when) {
    const struct timespec times[2] = {{.tv_sec = when}, {.tv_sec = when}};
    assert_int_equal(utimensat(AT_FDCWD, path, times, 0), 0);
}

static void captures_gone_and_changed(void **state) {
    struct world *w = *state;
    w->known.size += 1;
    struct conversation_result r = run(w, false);
    assert_int_equal(r.lost, 9);
    assert_int_equal(r.why.code, -ESTALE);
    assert_non_null(strstr(r.why.text, w->path));
    w->known.size -= 1;
    w->positions[2].position += 3;
    r = run(w, false);
    assert_int_equal(r.packets + r.lost, 9);
    w->positions[2].position -= 3;
    /* Another capture in its place, as large, with a packet wherever this one had one: by length ... */
    w->positions[3].captured -= 1;
    r = run(w, false);
    assert_int_equal(r.lost, 1);
    assert_int_equal(r.why.code, -ESTALE);
    assert_non_null(strstr(r.why.text, w->path));
    w->positions[3].captured += 1;
    /* ... or, when the file was changed since, by time; a packet of a wild time in one that was not is the session's.
     */
    struct stat st;
    assert_int_equal(stat(w->path, &st), 0);
    w->known.modified = st.st_mtime;
    write32(w->file.at + w->positions[4].position, 1500000000 + 86400);
    file_write(w->path, w->file.at, w->file.len);
    set_modified(w->path, st.st_mtime);
    assert_int_equal(run(w, false).lost, 0);
    set_modified(w->path, st.st_mtime + 2);
    r = run(w, false);
    assert_int_equal(r.lost, 1);
    assert_int_equal(r.packets, 8);
    assert_int_equal(r.why.code, -ESTALE);
    assert_int_equal(unlink(w->path), 0);
    r = run(w, false);
    assert_int_equal(r.lost, 9);
    assert_int_equal(r.why.code, -ENOENT);
    w->positions[0].file = 8;
    r = run(w, false);
    assert_int_equal(r.why.code, -ENOENT);
    assert_non_null(strstr(r.why.text, "capture 8"));
}

struct sunk {
    size_t bytes, calls, most;
};

static int sink(void *ctx, const uint8_t *at, size_t n) {
    struct sunk *s = ctx;
    (void)at;
    s->bytes += n;
    s->calls++;
    return s->bytes > s->most ? -EPIPE : 0;
}

static void stored_sessions_to_a_sink(void **state) {
    struct world *w = *state;
    struct fetch_session session = {"x", "", w->positions, w->record.position_count};
    struct fetch_request q = {.sessions = &session, .count = 1};
    struct packet_writer_options options = {.format = PACKET_FORMAT_PCAP};
    for (int narrow = 0; narrow < 2; narrow++) {
        struct sunk sunk = {.most = narrow ? 1 : SIZE_MAX};
        struct packet_writer *out;
        struct fetch_result result;
        struct captures *c = captures_new(find, w);
        assert_int_equal(packet_writer_open_sink(sink, &sunk, &options, &out, NULL), 0);
        assert_int_equal(fetch_stored(c, &q, out, &result, NULL), 0);
        assert_int_equal(packet_writer_close(out, NULL), narrow ? -EPIPE : 0);
        assert_int_equal(sunk.bytes, w->file.len);
        assert_int_equal(result.complete, 1);
        captures_free(c);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(both_sides_in_order, setup, teardown),
        cmocka_unit_test_setup_teardown(sides_follow_the_session, setup, teardown),
        cmocka_unit_test_setup_teardown(frames_in_words, setup, teardown),
        cmocka_unit_test_setup_teardown(captures_gone_and_changed, setup, teardown),
        cmocka_unit_test_setup_teardown(stored_sessions_to_a_sink, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
