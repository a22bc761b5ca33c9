/*
 * SMB 2 (MS-SMB2) with NTLM (MS-NLMP): negotiate, log in, connect to a share, read files, leave.
 */
#include "recipes.h"
#include "tcp.h"

#include <stdio.h>
#include <string.h>

enum { NEGOTIATE = 0, SESSION_SETUP = 1, LOGOFF = 2, TREE_CONNECT = 3, CREATE = 5, CLOSE = 6, READ = 8 };

#define MORE_PROCESSING 0xc0000016u
#define FILETIME 0x01da17485ef80000u /* 2023-11-14 */

struct smb {
    struct tcp tcp;
    struct maker *maker;
    uint64_t message;
    uint64_t session;
    uint32_t tree;
    uint64_t file;
};

/* NetBIOS length and the header of 64 bytes; returns the mark for smb_send. */
static size_t smb_open(struct smb *s, unsigned command, int side, uint32_t status) {
    struct buffer *b = &s->maker->message;
    buffer_u8(b, 0);
    size_t mark = buffer_open(b, 3);
    buffer_put(b, "\xfeSMB\x40\0\1\0", 8);
    buffer_le32(b, status);
    buffer_le16(b, command);
    buffer_le16(b, 31);
    buffer_le32(b, (uint32_t)side);
    buffer_le32(b, 0);
    buffer_le64(b, s->message);
    buffer_le32(b, 0xfeff);
    buffer_le32(b, s->tree);
    buffer_le64(b, s->session);
    buffer_zero(b, 16);
    return mark;
}

static void smb_send(struct smb *s, size_t mark, int side) {
    buffer_close(&s->maker->message, mark, 3);
    tcp_say(&s->tcp, side);
    s->message += (uint64_t)side;
}

static void negotiate(struct smb *s) {
    struct buffer *b = &s->maker->message;
    size_t mark = smb_open(s, NEGOTIATE, 0, 0);
    buffer_put(b, "\x24\0\4\0\1\0\0\0\x7f\0\0\0", 12);
    buffer_random(b, &s->maker->rng, 16);
    buffer_zero(b, 8);
    buffer_put(b, "\x02\x02\x10\x02\x00\x03\x02\x03", 8);
    smb_send(s, mark, 0);
    mark = smb_open(s, NEGOTIATE, 1, 0);
    buffer_put(b, "\x41\0\1\0\x02\x03\0\0", 8);
    buffer_random(b, &s->maker->rng, 16);
    buffer_le32(b, 0x2f);
    for (int i = 0; i < 3; i++) {
        buffer_le32(b, 0x800000);
    }
    buffer_le64(b, FILETIME);
    buffer_le64(b, 0);
    buffer_put(b, "\x80\0\0\0\0\0\0\0", 8); /* no token */
    smb_send(s, mark, 1);
}

/* A field of an NTLM message: length twice, offset. */
static void put_ntlm_field(struct buffer *b, size_t length, size_t offset) {
    buffer_le16(b, (unsigned)length);
    buffer_le16(b, (unsigned)length);
    buffer_le32(b, (uint32_t)offset);
}

static void put_ntlm_authenticate(struct buffer *b, struct maker *m) {
    char user[WORLD_NAME];
    char machine[WORLD_NAME];
    world_user(m->client, user);
    world_machine(m->client, machine);
    size_t domain = 8;
    size_t users = 2 * strlen(user);
    size_t machines = 2 * strlen(machine);
    size_t at = 64;
    buffer_put(b, "NTLMSSP\0\3\0\0\0", 12);
    put_ntlm_field(b, 24, at + domain + users + machines);
    put_ntlm_field(b, 24, at + domain + users + machines + 24);
    put_ntlm_field(b, domain, at);
    put_ntlm_field(b, users, at + domain);
    put_ntlm_field(b, machines, at + domain + users);
    put_ntlm_field(b, 0, at + domain + users + machines + 48);
    buffer_le32(b, 0x00088205);
    buffer_utf16(b, "CORP");
    buffer_utf16(b, user);
    buffer_utf16(b, machine);
    buffer_random(b, &m->rng, 48);
}

static void put_ntlm(struct buffer *b, struct maker *m, unsigned step) {
    if (step == 1) {
        buffer_put(b, "NTLMSSP\0\1\0\0\0\5\x82\x08\0", 16);
        buffer_zero(b, 16);
    } else if (step == 2) {
        buffer_put(b, "NTLMSSP\0\2\0\0\0", 12);
        put_ntlm_field(b, 8, 48);
        buffer_le32(b, 0x00018205);
        buffer_random(b, &m->rng, 8);
        buffer_zero(b, 8);
        put_ntlm_field(b, 0, 56);
        buffer_utf16(b, "CORP");
    } else {
        put_ntlm_authenticate(b, m);
    }
}

static void session_setup(struct smb *s, unsigned step) {
    struct buffer *b = &s->maker->message;
    struct buffer *token = &s->maker->scratch;
    buffer_clear(token);
    put_ntlm(token, s->maker, step);
    size_t mark = smb_open(s, SESSION_SETUP, 0, 0);
    buffer_put(b, "\x19\0\0\1\1\0\0\0\0\0\0\0\x58\0", 14);
    buffer_le16(b, (unsigned)token->length);
    buffer_le64(b, 0);
    buffer_put(b, token->bytes, token->length);
    smb_send(s, mark, 0);
    buffer_clear(token);
    if (step == 1) {
        s->session = random_u64(&s->maker->rng) >> 16;
        put_ntlm(token, s->maker, 2);
    }
    mark = smb_open(s, SESSION_SETUP, 1, step == 1 ? MORE_PROCESSING : 0);
    buffer_put(b, "\x09\0\0\0\x48\0", 6);
    buffer_le16(b, (unsigned)token->length);
    buffer_put(b, token->bytes, token->length);
    smb_send(s, mark, 1);
}

static void tree_connect(struct smb *s) {
    struct buffer *b = &s->maker->message;
    char path[2 * WORLD_NAME];
    snprintf(path, sizeof path, "\\\\FS%02u\\%s", s->maker->server % 40, world_word(s->maker->server * 3));
    size_t mark = smb_open(s, TREE_CONNECT, 0, 0);
    buffer_put(b, "\x09\0\0\0\x48\0", 6);
    buffer_le16(b, (unsigned)(2 * strlen(path)));
    buffer_utf16(b, path);
    smb_send(s, mark, 0);
    s->tree = 1 + s->maker->server;
    mark = smb_open(s, TREE_CONNECT, 1, 0);
    buffer_put(b, "\x10\0\1\0\0\0\0\0\0\0\0\0\xff\x01\x1f\0", 16);
    smb_send(s, mark, 1);
}

static void put_times(struct buffer *b) {
    for (unsigned i = 0; i < 4; i++) {
        buffer_le64(b, FILETIME + i);
    }
}

static void file_create(struct smb *s) {
    struct buffer *b = &s->maker->message;
    struct random *r = &s->maker->rng;
    static const char *const extensions[5] = {"docx", "xlsx", "pdf", "txt", "exe"};
    char name[2 * WORLD_NAME];
    snprintf(name, sizeof name, "%s\\%s-%u.%s", world_word(random_u64(r)), world_word(random_u64(r)),
             random_below(r, 1000), extensions[random_below(r, 5)]);
    size_t mark = smb_open(s, CREATE, 0, 0);
    buffer_put(b, "\x39\0\0\0\2\0\0\0", 8);
    buffer_zero(b, 16);
    buffer_le32(b, 0x00120089);
    buffer_le32(b, 0);
    buffer_le32(b, 7);
    buffer_le32(b, 1);
    buffer_le32(b, 0x60);
    buffer_le16(b, 120);
    buffer_le16(b, (unsigned)(2 * strlen(name)));
    buffer_zero(b, 8);
    buffer_utf16(b, name);
    smb_send(s, mark, 0);
    s->file = random_u64(r);
    mark = smb_open(s, CREATE, 1, 0);
    buffer_put(b, "\x59\0\0\0\1\0\0\0", 8);
    put_times(b);
    buffer_le64(b, 8192);
    buffer_le64(b, 5000);
    buffer_le32(b, 0x20);
    buffer_le32(b, 0);
    buffer_le64(b, s->file);
    buffer_le64(b, s->file);
    buffer_zero(b, 8);
    smb_send(s, mark, 1);
}

static void file_read(struct smb *s) {
    struct buffer *b = &s->maker->message;
    unsigned length = random_skewed(&s->maker->rng, 60, 3000);
    size_t mark = smb_open(s, READ, 0, 0);
    buffer_put(b, "\x31\0\x50\0", 4);
    buffer_le32(b, 65536);
    buffer_le64(b, 0);
    buffer_le64(b, s->file);
    buffer_le64(b, s->file);
    buffer_zero(b, 17);
    smb_send(s, mark, 0);
    mark = smb_open(s, READ, 1, 0);
    buffer_put(b, "\x11\0\x50\0", 4);
    buffer_le32(b, length);
    buffer_zero(b, 8);
    buffer_random(b, &s->maker->rng, length);
    smb_send(s, mark, 1);
}

static void file_close(struct smb *s) {
    struct buffer *b = &s->maker->message;
    size_t mark = smb_open(s, CLOSE, 0, 0);
    buffer_put(b, "\x18\0\0\0\0\0\0\0", 8);
    buffer_le64(b, s->file);
    buffer_le64(b, s->file);
    smb_send(s, mark, 0);
    mark = smb_open(s, CLOSE, 1, 0);
    buffer_put(b, "\x3c\0\0\0\0\0\0\0", 8);
    put_times(b);
    buffer_zero(b, 20);
    smb_send(s, mark, 1);
}

void make_smb(struct maker *m) {
    maker_connect(m, WHERE_OFFICE);
    struct smb s = {.tcp = tcp_open(m, 445), .maker = m};
    negotiate(&s);
    session_setup(&s, 1);
    session_setup(&s, 3);
    tree_connect(&s);
    unsigned count = random_skewed(&m->rng, 0, 7);
    for (unsigned i = 0; i < count; i++) {
        file_create(&s);
        file_read(&s);
        file_close(&s);
        maker_wait(m, 1000, 900000);
    }
    for (int side = 0; side < 2; side++) {
        size_t mark = smb_open(&s, LOGOFF, side, 0);
        buffer_put(&m->message, "\4\0\0\0", 4);
        smb_send(&s, mark, side);
    }
    tcp_close(&s.tcp, 0);
}
