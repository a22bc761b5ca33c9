/*
 * See sql.h.
 */
#include "sql.h"

#include <stdlib.h>
#include <string.h>

const char *const question_names[QUESTIONS] = {
    "Q1 newest hour", "Q2 network and port", "Q2 absent address", "Q3 part of a name", "Q4 top, a day",
    "Q4 top, all",    "Q5 timeline, a day",  "Q5 timeline, all",  "Q6 pairs, a day",   "Q6 pairs, all",
    "Q7 one session", "Q8 beacons",          "tag 1,000",         "drop a day",
};

const enum column_id q4_fields[Q4_FIELDS] = {
    COLUMN_SRC_IP,   COLUMN_DST_IP, COLUMN_DST_PORT,  COLUMN_DST_COUNTRY, COLUMN_DST_AS,
    COLUMN_PROTOCOL, COLUMN_TAGS,   COLUMN_HTTP_HOST, COLUMN_HTTP_AGENT,  COLUMN_TLS_JA3,
};

/* --- answers --- */

struct lines {
    FILE *answer;
    unsigned keys; /* leading columns that are addresses in hexadecimal digits */
};

static unsigned hex_byte(const char *at) {
    char digits[3] = {at[0], at[1], 0};
    return (unsigned)strtoul(digits, NULL, 16);
}

static void print_text(const char *text, bool address, FILE *out) {
    if (address && text && strlen(text) == 32) {
        (void)fprintf(out, "%u.%u.%u.%u", hex_byte(text + 24), hex_byte(text + 26), hex_byte(text + 28),
                      hex_byte(text + 30));
    } else {
        (void)fputs(text ? text : "-", out);
    }
}

static void print_line(void *ctx, int count, const char *const *texts) {
    const struct lines *l = ctx;
    for (int i = 0; i < count; i++) {
        (void)fputs(i ? " " : "", l->answer);
        print_text(texts[i], (unsigned)i < l->keys, l->answer);
    }
    (void)fputc('\n', l->answer);
}

static void print_count(void *ctx, int count, const char *const *texts) {
    (void)count;
    (void)fprintf(((struct lines *)ctx)->answer, "count %s\n", texts[0]);
}

/* --- questions --- */

static int rows_of(const struct sql *db, const char *where, FILE *answer) {
    char text[SQL_MAX];
    struct lines l = {answer, 0};
    (void)snprintf(text, sizeof(text), "SELECT count(*) FROM sessions WHERE %s", where);
    int code = db->run(db->db, text, print_count, &l);
    (void)snprintf(text, sizeof(text),
                   "SELECT \"lastPacket\" FROM sessions WHERE %s ORDER BY \"lastPacket\" DESC LIMIT 50", where);
    return code < 0 ? code : db->run(db->db, text, print_line, &l);
}

static const char *blob(const struct sql *db, const char *hex, char *ret, size_t size) {
    if (!db->lists) {
        (void)snprintf(ret, size, "x'%s'", hex);
        return ret;
    }
    size_t used = (size_t)snprintf(ret, size, "'");
    for (; *hex; hex += 2) {
        used += (size_t)snprintf(ret + used, size - used, "\\x%.2s", hex);
    }
    (void)snprintf(ret + used, size - used, "'::BLOB");
    return ret;
}

static int network(const struct sql *db, bool absent, FILE *answer) {
    char low[200], high[200], where[1000];
    if (absent) {
        (void)snprintf(where, sizeof(where), "\"source.ip\" = %s",
                       blob(db, "00000000000000000000ffffcb00714d", low, sizeof(low)));
    } else {
        (void)snprintf(where, sizeof(where), "\"source.ip\" BETWEEN %s AND %s AND \"destination.port\" = %d",
                       blob(db, "00000000000000000000ffff0a000000", low, sizeof(low)),
                       blob(db, "00000000000000000000ffff0a00ffff", high, sizeof(high)), Q2_PORT);
    }
    return rows_of(db, where, answer);
}

static int name_part(const struct sql *db, FILE *answer) {
    return rows_of(db,
                   db->lists ? "array_to_string(\"http.host\", chr(1)) LIKE '%" Q3_TEXT "%' OR "
                               "array_to_string(\"dns.host\", chr(1)) LIKE '%" Q3_TEXT "%'"
                             : "seq IN (SELECT seq FROM \"v:http.host\" WHERE value LIKE '%" Q3_TEXT "%' UNION "
                               "SELECT seq FROM \"v:dns.host\" WHERE value LIKE '%" Q3_TEXT "%')",
                   answer);
}

struct top {
    FILE *answer;
    bool address;
    char first[1024];
};

static void take_top(void *ctx, int count, const char *const *texts) {
    struct top *t = ctx;
    (void)count;
    if (!t->first[0]) {
        (void)snprintf(t->first, sizeof(t->first), "%s", texts[0] ? texts[0] : "-");
    }
    (void)fprintf(t->answer, "%s\n", texts[1]);
}

static int top_values(const struct sql *db, int64_t start, FILE *answer) {
    int code = 0;
    for (size_t i = 0; i < Q4_FIELDS && code == 0; i++) {
        const struct column_def *c = &column_defs[q4_fields[i]];
        struct top t = {.answer = answer, .address = c->kind == KIND_IP};
        char text[SQL_MAX], values[2000];
        const char *shown = t.address ? "lower(hex(v))" : "v";
        if (!c->list) {
            (void)snprintf(values, sizeof(values),
                           "SELECT \"%s\" v FROM sessions WHERE \"ipProtocol\" = 6 AND \"lastPacket\" >= %lld AND "
                           "\"%s\" IS NOT NULL",
                           c->path, (long long)start, c->path);
        } else if (db->lists) {
            (void)snprintf(values, sizeof(values),
                           "SELECT unnest(list_distinct(\"%s\")) v FROM sessions WHERE \"ipProtocol\" = 6 AND "
                           "\"lastPacket\" >= %lld",
                           c->path, (long long)start);
        } else {
            (void)snprintf(values, sizeof(values),
                           "SELECT l.value v FROM sessions s JOIN \"v:%s\" l ON l.seq = s.seq WHERE s.\"ipProtocol\" = "
                           "6 AND s.\"lastPacket\" >= %lld",
                           c->path, (long long)start);
        }
        (void)snprintf(text, sizeof(text),
                       "SELECT %s, n FROM (SELECT v, count(*) n FROM (%s) x GROUP BY v ORDER BY n DESC LIMIT 100) y "
                       "ORDER BY n DESC",
                       shown, values);
        (void)fprintf(answer, "%s\n", c->path);
        code = db->run(db->db, text, take_top, &t);
        if (t.first[0]) {
            print_text(t.first, t.address, answer);
            (void)fputc('\n', answer);
        }
    }
    return code;
}

static int timeline(const struct sql *db, int64_t start, int64_t interval, FILE *answer) {
    char text[SQL_MAX];
    struct lines l = {answer, 0};
    (void)snprintf(text, sizeof(text),
                   "SELECT \"lastPacket\" - \"lastPacket\" %% %lld b, count(*), sum(\"source.bytes\"), "
                   "sum(\"destination.bytes\"), sum(\"source.packets\"), sum(\"destination.packets\") FROM sessions "
                   "WHERE \"lastPacket\" >= %lld GROUP BY b ORDER BY b",
                   (long long)interval, (long long)start);
    return db->run(db->db, text, print_line, &l);
}

struct pairs {
    FILE *answer;
    unsigned count;
    char lines[1001][200];
    uint64_t counts[1001];
};

static void take_pair(void *ctx, int count, const char *const *texts) {
    struct pairs *p = ctx;
    FILE *line;
    if (p->count == 0) {
        (void)fprintf(p->answer, "pairs %s\n", texts[count - 1]);
    }
    if (p->count < 1000 && (line = fmemopen(p->lines[p->count], sizeof(p->lines[0]), "w"))) {
        p->counts[p->count] = strtoull(texts[2], NULL, 10);
        print_text(texts[0], true, line);
        (void)fputc(' ', line);
        print_text(texts[1], true, line);
        (void)fprintf(line, " %s %s", texts[3], texts[4]);
        (void)fclose(line);
        p->count++;
    }
}

static int pairs(const struct sql *db, int64_t start, FILE *answer) {
    char text[SQL_MAX];
    struct pairs *p = calloc(1, sizeof(*p));
    if (!p) {
        return -1;
    }
    p->answer = answer;
    (void)snprintf(
        text, sizeof(text),
        "SELECT lower(hex(a)), lower(hex(b)), n, sb, db, total FROM (SELECT \"source.ip\" a, "
        "\"destination.ip\" b, count(*) n, sum(\"source.bytes\") sb, sum(\"destination.bytes\") db, count(*) "
        "OVER () total FROM sessions WHERE \"lastPacket\" >= %lld GROUP BY a, b ORDER BY n DESC LIMIT 1000) "
        "x ORDER BY n DESC",
        (long long)start);
    int code = db->run(db->db, text, take_pair, p);
    uint64_t edge = p->count > 100 ? p->counts[100] : 0;
    for (unsigned i = 0; i < p->count; i++) {
        /* pairs as frequent as that at place 101 may come in any order */
        (void)fprintf(answer, "%llu%s%s\n", (unsigned long long)p->counts[i], p->counts[i] > edge ? " " : "",
                      p->counts[i] > edge ? p->lines[i] : "");
    }
    free(p);
    return code;
}

static void take_one(void *ctx, int count, const char *const *texts) {
    struct lines *l = ctx;
    (void)count;
    (void)fprintf(l->answer, "%s %s %s\n", texts[1 + COLUMN_LAST], texts[1 + COLUMN_SRC_BYTES],
                  texts[1 + COLUMN_DST_BYTES]);
}

static int one(const struct sql *db, uint64_t rows, FILE *answer) {
    char text[SQL_MAX];
    struct lines l = {answer, 0};
    (void)snprintf(text, sizeof(text), "SELECT * FROM sessions WHERE seq = %llu", (unsigned long long)(rows / 3));
    return db->run(db->db, text, take_one, &l);
}

static void take_beacons(void *ctx, int count, const char *const *texts) {
    struct lines *l = ctx;
    (void)count;
    (void)fprintf(l->answer, "keys %s jitter %.3f\n", texts[0], texts[1] ? strtod(texts[1], NULL) : 0);
}

static int beacons(const struct sql *db, FILE *answer) {
    char text[SQL_MAX];
    struct lines l = {answer, 0};
    const char *deviation = db->lists ? "stddev_pop(d)" : "sqrt(max(avg(d * d) - avg(d) * avg(d), 0))";
    (void)snprintf(
        text, sizeof(text),
        "SELECT count(*), sum(CASE WHEN mean > 0 THEN sd / mean ELSE 0 END) FROM (SELECT %s sd, avg(d) mean "
        "FROM (SELECT a, b, p, 1.0 * (t - lag(t) OVER (PARTITION BY a, b, p ORDER BY t)) d FROM (SELECT "
        "\"source.ip\" a, \"destination.ip\" b, coalesce(\"destination.port\", 0) p, CAST(\"firstPacket\" AS BIGINT) t "
        "FROM sessions) z) x WHERE d IS NOT NULL GROUP BY a, b, p "
        "HAVING count(*) >= 3) y",
        deviation);
    return db->run(db->db, text, take_beacons, &l);
}

static int tag(const struct sql *db, uint64_t rows, FILE *answer) {
    char text[SQL_MAX], *at = text, *end = text + sizeof(text);
    const char *set = db->lists ? "UPDATE sessions SET tags = list_append(tags, 'benchmark') WHERE seq IN ("
                                : "INSERT INTO \"v:tags\" SELECT seq, 'benchmark' FROM sessions WHERE seq IN (";
    at += snprintf(at, (size_t)(end - at), "%s", set);
    for (unsigned i = 0; i < 1000; i++) {
        at += snprintf(at, (size_t)(end - at), "%s%llu", i ? "," : "", (unsigned long long)(rows / 1000 * i));
    }
    (void)snprintf(at, (size_t)(end - at), ")");
    (void)fprintf(answer, "tagged 1000\n");
    return db->run(db->db, text, NULL, NULL);
}

static int drop(const struct sql *db, FILE *answer) {
    char text[200];
    (void)snprintf(text, sizeof(text), "DELETE FROM sessions WHERE \"lastPacket\" < %lld",
                   (long long)(WORLD_START_MS + DAY_MS));
    (void)fprintf(answer, "dropped\n");
    return db->run(db->db, text, NULL, NULL);
}

int sql_ask(const struct sql *db, uint64_t rows, enum question q, FILE *answer) {
    char where[100];
    switch (q) {
    case Q1:
        (void)snprintf(where, sizeof(where), "\"lastPacket\" >= %lld", (long long)(END_MS - 3600000));
        return rows_of(db, where, answer);
    case Q2:
    case Q2_ABSENT:
        return network(db, q == Q2_ABSENT, answer);
    case Q3:
        return name_part(db, answer);
    case Q4_DAY:
    case Q4_ALL:
        return top_values(db, q == Q4_DAY ? END_MS - DAY_MS : 0, answer);
    case Q5_DAY:
        return timeline(db, END_MS - DAY_MS, 60000, answer);
    case Q5_ALL:
        return timeline(db, 0, 3600000, answer);
    case Q6_DAY:
    case Q6_ALL:
        return pairs(db, q == Q6_DAY ? END_MS - DAY_MS : 0, answer);
    case Q7:
        return one(db, rows, answer);
    case Q8:
        return beacons(db, answer);
    case TAG:
        return tag(db, rows, answer);
    case DROP:
        return drop(db, answer);
    default:
        return -1;
    }
}
