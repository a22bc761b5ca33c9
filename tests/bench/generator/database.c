/*
 * Databases: MySQL (client/server protocol 4.1), PostgreSQL (protocol 3.0) and SQL Server (MS-TDS 7.4), each from
 * log-in through a few queries to the end.
 */
#include "recipes.h"
#include "tcp.h"

#include <stdio.h>
#include <string.h>

static void put_query(struct buffer *b, struct random *r) {
    char text[256];
    const char *words[3];
    for (int i = 0; i < 3; i++) {
        words[i] = world_word(random_u64(r));
    }
    uint32_t form = random_below(r, 4);
    uint32_t n = random_below(r, 100000);
    switch (form) {
    case 0:
        snprintf(text, sizeof text, "SELECT id, %s FROM %s WHERE %s = %u ORDER BY id LIMIT 20", words[0], words[1],
                 words[2], n);
        break;
    case 1:
        snprintf(text, sizeof text, "UPDATE %s SET %s = 'x' WHERE %s = %u", words[0], words[1], words[2], n);
        break;
    case 2:
        snprintf(text, sizeof text, "INSERT INTO %s (%s, %s) VALUES (1, %u)", words[0], words[1], words[2], n);
        break;
    default:
        snprintf(text, sizeof text, "SELECT COUNT(*) FROM %s JOIN %s USING (%s) WHERE n > %u", words[0], words[1],
                 words[2], n);
        break;
    }
    buffer_text(b, text);
}

/* MySQL: three bytes of length, low first, and a sequence number. */
static size_t mysql_open(struct buffer *b, unsigned sequence) {
    size_t mark = b->length;
    buffer_zero(b, 3);
    buffer_u8(b, sequence);
    return mark;
}

static void mysql_close(struct buffer *b, size_t mark) {
    size_t n = b->length - mark - 4;
    for (int i = 0; !b->failed && i < 3; i++) {
        b->bytes[mark + (size_t)i] = (uint8_t)(n >> 8 * i);
    }
}

static void mysql_text(struct buffer *b, const char *text) {
    buffer_u8(b, (unsigned)strlen(text));
    buffer_text(b, text);
}

static void mysql_greeting(struct buffer *b, struct maker *m) {
    size_t mark = mysql_open(b, 0);
    buffer_u8(b, 10);
    buffer_text(b, m->server % 2 ? "8.0.34" : "5.5.5-10.11.4-MariaDB-1~deb12u1");
    buffer_u8(b, 0);
    buffer_le32(b, 1000 + m->client);
    for (int i = 0; i < 8; i++) {
        buffer_u8(b, 'a' + random_below(&m->rng, 26));
    }
    buffer_put(b, "\0\xfe\xf7\x2d\2\0\x0f\x80\x15\0\0\0\0\0\0\0\0\0\0", 19);
    for (int i = 0; i < 12; i++) {
        buffer_u8(b, 'a' + random_below(&m->rng, 26));
    }
    buffer_u8(b, 0);
    buffer_put(b, "mysql_native_password", 22);
    mysql_close(b, mark);
}

static void mysql_login(struct buffer *b, struct maker *m, const char *user) {
    size_t mark = mysql_open(b, 1);
    buffer_le32(b, 0x000fa68d);
    buffer_le32(b, 1u << 24);
    buffer_u8(b, 45);
    buffer_zero(b, 23);
    buffer_put(b, user, strlen(user) + 1);
    buffer_u8(b, 20);
    buffer_random(b, &m->rng, 20);
    const char *database = world_word(m->server);
    buffer_put(b, database, strlen(database) + 1);
    buffer_put(b, "mysql_native_password", 22);
    mysql_close(b, mark);
}

static void mysql_ok(struct buffer *b, unsigned sequence) {
    size_t mark = mysql_open(b, sequence);
    buffer_put(b, "\0\1\0\2\0\0\0", 7);
    mysql_close(b, mark);
}

static void mysql_rows(struct buffer *b, struct maker *m) {
    unsigned sequence = 1;
    size_t mark = mysql_open(b, sequence++);
    buffer_u8(b, 1);
    mysql_close(b, mark);
    mark = mysql_open(b, sequence++);
    mysql_text(b, "def");
    mysql_text(b, "shop");
    for (int i = 0; i < 4; i++) {
        mysql_text(b, world_word(m->server + (unsigned)i / 2));
    }
    buffer_put(b, "\x0c\x21\0\x50\0\0\0\xfd\0\0\0\0\0", 13);
    mysql_close(b, mark);
    mark = mysql_open(b, sequence++);
    buffer_put(b, "\xfe\0\0\x22\0", 5);
    mysql_close(b, mark);
    unsigned rows = random_skewed(&m->rng, 1, 20);
    for (unsigned i = 0; i < rows; i++) {
        mark = mysql_open(b, sequence++);
        mysql_text(b, world_word(random_u64(&m->rng)));
        mysql_close(b, mark);
    }
    mark = mysql_open(b, sequence);
    buffer_put(b, "\xfe\0\0\x22\0", 5);
    mysql_close(b, mark);
}

void make_mysql(struct maker *m) {
    char user[WORLD_NAME];
    maker_connect(m, WHERE_OFFICE);
    world_user(m->client % 7, user);
    struct tcp t = tcp_open(m, 3306);
    struct buffer *b = &m->message;
    mysql_greeting(b, m);
    tcp_say(&t, 1);
    mysql_login(b, m, user);
    tcp_say(&t, 0);
    mysql_ok(b, 2);
    tcp_say(&t, 1);
    unsigned count = random_skewed(&m->rng, 1, 18);
    for (unsigned i = 0; i < count; i++) {
        size_t mark = mysql_open(b, 0);
        buffer_u8(b, 3);
        put_query(b, &m->rng);
        bool select = !b->failed && b->bytes[5] == 'S';
        mysql_close(b, mark);
        tcp_say(&t, 0);
        if (select) {
            mysql_rows(b, m);
        } else {
            mysql_ok(b, 1);
        }
        tcp_say(&t, 1);
        maker_wait(m, 300, 500000);
    }
    buffer_put(b, "\1\0\0\0\1", 5);
    tcp_say(&t, 0);
    tcp_close(&t, 0);
}

static size_t postgres_open(struct buffer *b, unsigned type) {
    buffer_u8(b, type);
    return buffer_open(b, 4);
}

/* The length counts itself. */
static void postgres_close(struct buffer *b, size_t mark) {
    buffer_close(b, mark, 4);
    if (!b->failed) {
        size_t n = b->length - mark;
        b->bytes[mark + 2] = (uint8_t)(n >> 8);
        b->bytes[mark + 3] = (uint8_t)n;
    }
}

static void postgres_text(struct buffer *b, const char *text) {
    buffer_put(b, text, strlen(text) + 1);
}

static void postgres_log_in(struct maker *m, struct tcp *t) {
    char user[WORLD_NAME];
    struct buffer *b = &m->message;
    world_user(m->client % 7, user);
    size_t mark = buffer_open(b, 4);
    buffer_be32(b, 196608);
    postgres_text(b, "user");
    postgres_text(b, user);
    postgres_text(b, "database");
    postgres_text(b, world_word(m->server));
    buffer_u8(b, 0);
    postgres_close(b, mark);
    tcp_say(t, 0);
    buffer_put(b, "R\0\0\0\x0c\0\0\0\5", 9);
    buffer_random(b, &m->rng, 4);
    tcp_say(t, 1);
    mark = postgres_open(b, 'p');
    buffer_text(b, "md5");
    buffer_format(b, "%08x%08x%08x%08x", random_u32(&m->rng), random_u32(&m->rng), random_u32(&m->rng),
                  random_u32(&m->rng));
    buffer_u8(b, 0);
    postgres_close(b, mark);
    tcp_say(t, 0);
    buffer_put(b, "R\0\0\0\x08\0\0\0\0", 9);
    static const char *const parameters[3][2] = {
        {"server_version", "15.5 (Debian 15.5-0+deb12u1)"}, {"client_encoding", "UTF8"}, {"TimeZone", "Europe/Berlin"}};
    for (int i = 0; i < 3; i++) {
        mark = postgres_open(b, 'S');
        postgres_text(b, parameters[i][0]);
        postgres_text(b, parameters[i][1]);
        postgres_close(b, mark);
    }
    buffer_put(b, "Z\0\0\0\5I", 6);
    tcp_say(t, 1);
}

static void postgres_rows(struct buffer *b, struct maker *m) {
    size_t mark = postgres_open(b, 'T');
    buffer_be16(b, 1);
    postgres_text(b, world_word(m->server));
    buffer_put(b, "\0\0\x40\1\0\1\0\0\0\x19\xff\xff\xff\xff\xff\xff\0\0", 18);
    postgres_close(b, mark);
    unsigned rows = random_skewed(&m->rng, 1, 20);
    for (unsigned i = 0; i < rows; i++) {
        const char *value = world_word(random_u64(&m->rng));
        mark = postgres_open(b, 'D');
        buffer_be16(b, 1);
        buffer_be32(b, (uint32_t)strlen(value));
        buffer_text(b, value);
        postgres_close(b, mark);
    }
    mark = postgres_open(b, 'C');
    buffer_format(b, "SELECT %u", rows);
    buffer_u8(b, 0);
    postgres_close(b, mark);
    buffer_put(b, "Z\0\0\0\5I", 6);
}

void make_postgres(struct maker *m) {
    maker_connect(m, WHERE_OFFICE);
    struct tcp t = tcp_open(m, 5432);
    struct buffer *b = &m->message;
    postgres_log_in(m, &t);
    unsigned count = random_skewed(&m->rng, 1, 18);
    for (unsigned i = 0; i < count; i++) {
        size_t mark = postgres_open(b, 'Q');
        put_query(b, &m->rng);
        buffer_u8(b, 0);
        postgres_close(b, mark);
        tcp_say(&t, 0);
        postgres_rows(b, m);
        tcp_say(&t, 1);
        maker_wait(m, 300, 500000);
    }
    buffer_put(b, "X\0\0\0\4", 5);
    tcp_say(&t, 0);
    tcp_close(&t, 0);
}

/* A TDS packet: type, status "last", length with the header's eight bytes. */
static size_t tds_open(struct buffer *b, unsigned type) {
    buffer_u8(b, type);
    buffer_u8(b, 1);
    return buffer_open(b, 2);
}

static void tds_close(struct buffer *b, size_t mark) {
    if (!b->failed) {
        put_be16(b->bytes + mark, (unsigned)(b->length - mark + 2));
    }
}

static void tds_prelogin(struct buffer *b, unsigned type) {
    size_t mark = tds_open(b, type);
    buffer_put(b, "\0\0\1\0", 4);
    buffer_put(b, "\0\0\x10\0\6\1\0\x16\0\1\2\0\x17\0\1\xff", 16);
    buffer_put(b, "\x0f\0\x10\x5b\0\0\2\0", 8);
    tds_close(b, mark);
}

static void tds_login(struct buffer *b, struct maker *m) {
    char user[WORLD_NAME];
    char machine[WORLD_NAME];
    world_user(m->client % 7, user);
    world_machine(m->client, machine);
    const char *texts[9] = {machine, user, "secret", "reporting", "sql01", "", "ODBC", "", "sales"};
    size_t mark = tds_open(b, 16);
    buffer_put(b, "\0\0\1\0", 4);
    size_t start = b->length;
    buffer_le32(b, 0);
    buffer_le32(b, 0x74000004);
    buffer_le32(b, 4096);
    buffer_le32(b, 7);
    buffer_le32(b, 4711);
    buffer_le32(b, 0);
    buffer_put(b, "\xe0\3\0\0\0\0\0\0\x09\4\0\0", 12);
    unsigned offset = 94;
    for (int i = 0; i < 9; i++) {
        buffer_le16(b, offset);
        buffer_le16(b, (unsigned)strlen(texts[i]));
        offset += 2 * (unsigned)strlen(texts[i]);
    }
    buffer_put(b, "\0\x1b\x21\0\0\1", 6);
    for (int i = 0; i < 3; i++) { /* SSPI, file, new password: none */
        buffer_le16(b, offset);
        buffer_le16(b, 0);
    }
    buffer_le32(b, 0);
    for (int i = 0; i < 9; i++) {
        buffer_utf16(b, texts[i]);
    }
    if (!b->failed) {
        size_t n = b->length - start;
        b->bytes[start] = (uint8_t)n;
        b->bytes[start + 1] = (uint8_t)(n >> 8);
    }
    tds_close(b, mark);
}

/* A DONE token. */
static void tds_done(struct buffer *b, uint32_t rows) {
    size_t mark = tds_open(b, 4);
    buffer_put(b, "\0\0\1\0\xfd\x10\0\xc1\0", 9);
    buffer_le32(b, rows);
    buffer_le32(b, 0);
    tds_close(b, mark);
}

void make_tds(struct maker *m) {
    maker_connect(m, WHERE_OFFICE);
    struct tcp t = tcp_open(m, 1433);
    struct buffer *b = &m->message;
    tds_prelogin(b, 18);
    tcp_say(&t, 0);
    tds_prelogin(b, 4);
    tcp_say(&t, 1);
    tds_login(b, m);
    tcp_say(&t, 0);
    tds_done(b, 0);
    tcp_say(&t, 1);
    unsigned count = random_skewed(&m->rng, 1, 18);
    for (unsigned i = 0; i < count; i++) {
        struct buffer *text = &m->scratch;
        buffer_clear(text);
        put_query(text, &m->rng);
        buffer_u8(text, 0);
        size_t mark = tds_open(b, 1);
        buffer_put(b, "\0\0\1\0\x16\0\0\0\x12\0\0\0\2\0\0\0\0\0\0\0\0\0\1\0\0\0", 26);
        if (!text->failed) {
            buffer_utf16(b, (const char *)text->bytes);
        }
        tds_close(b, mark);
        tcp_say(&t, 0);
        tds_done(b, random_below(&m->rng, 100));
        tcp_say(&t, 1);
        maker_wait(m, 300, 500000);
    }
    tcp_close(&t, 0);
}
