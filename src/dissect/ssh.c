/* ssh.c: SSH up to where it is encrypted, and the shape of what follows.
 *
 * RFC 4253 (transport), 4419 (group exchange), 5656 (elliptic curves); HASSH by Reardon (2018). Packets are read from
 * the version line to NEWKEYS; host keys are taken from every kind of key exchange, by what they look like, for the
 * same message number means different things in different exchanges. Encrypted bytes are counted in turns (what one
 * side sends until the other one answers): unlike sizes of segments these do not depend on how TCP cut the stream.
 */
#include "base/util.h"
#include "dissect/dissector.h"

enum { VERSION, KEY, HASSH, HASSH_SERVER };

static const struct field_def fields[] = {
    [VERSION] = {"ssh.version", "ssh.ver", FT_LOWER, F_COUNT, "Version", "Version line of either side"},
    [KEY] = {"ssh.key", "ssh.key", FT_KEYWORD, F_COUNT, "Key", "Host key the server showed, in base64"},
    [HASSH] = {"ssh.hassh", "ssh.hassh", FT_LOWER, F_COUNT, "HASSH", "HASSH: fingerprint of the client"},
    [HASSH_SERVER] = {"ssh.hasshServer", "ssh.hasshServer", FT_LOWER, F_COUNT, "HASSH Server",
                      "HASSH: fingerprint of the server"},
};

enum message {
    KEXINIT = 20,
    NEWKEYS = 21,
    KEX_FIRST = 30, /* numbers 30 to 49 belong to the key exchange in use */
    KEX_LAST = 33,
};

enum {
    LINE_MAX = 1024,    /* RFC 4253, 4.2: a version line has at most 255 */
    LINES_MAX = 64,     /* before the server's version line */
    PACKET_MAX = 60000, /* RFC 4253, 6.1: 35000 must be taken */
    KEY_MAX = 8192,     /* as base64 it must fit into a cell */
    KEXINIT_LISTS = 10,
    PORT = 22,
    /* Typing: so many turns of one size, no longer than such a packet can be; turns that are looked at. */
    TYPING_TURNS = 8,
    TYPING_MAX = 160,
    NESTED_MORE = 32, /* bytes that typing through SSH in SSH is longer than the shortest packet, at least */
    TURNS_MAX = 400,
    ENCRYPTED_MAX = 256 << 10, /* that much before anyone typed: nobody will */
};

#define WAIT_MAX (INT64_C(60) * 1000000000) /* ns */

struct ssh_side {
    bool has_version, encrypted;
    uint8_t lines;
    int64_t waited; /* ns before its turns of the current run */
};

struct ssh_state {
    struct ssh_side side[2];
    int64_t time;       /* of the last encrypted bytes */
    uint32_t turn;      /* bytes of the current turn */
    uint32_t last;      /* of the turn before */
    uint32_t shortest;  /* of all turns; 0 = none yet */
    uint32_t encrypted; /* bytes of all */
    uint16_t turns;
    uint8_t run;     /* turns of one size, up to the last one */
    uint8_t speaker; /* side of the current turn */
    bool protocol1;  /* one of the peers speaks only SSH 1: its packets are not read */
    bool told;       /* the turns were judged, or are not worth it */
};

static enum match ssh_probe(struct span first, const struct dissect *d) {
    (void)d;
    struct span head = SPAN_LITERAL("SSH-");
    if (first.len < head.len) {
        return span_starts(head, first) ? MATCH_MORE : MATCH_NO;
    }
    return span_starts(first, head) ? MATCH_YES : MATCH_NO;
}

/* Mostly the client is who opened the connection; when the opening was not seen the port tells better. */
static bool is_client(const struct dissect *d) {
    bool swapped = d->flow->port[0] == PORT && d->flow->port[1] != PORT;
    return (d->side == 0) != swapped;
}

static struct span base64_of(struct dissect *d, struct span s) {
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    size_t len = (s.len + 2) / 3 * 4;
    char *text = arena_alloc(d->scratch, len + 1), *to = text;
    if (!text) {
        return (struct span){0};
    }
    for (size_t i = 0; i < s.len; i += 3) {
        int second = span_byte(s, i + 1), third = span_byte(s, i + 2);
        unsigned bits = (unsigned)span_byte(s, i) << 16 | (unsigned)MAX(second, 0) << 8 | (unsigned)MAX(third, 0);
        *to++ = digits[bits >> 18];
        *to++ = digits[bits >> 12 & 63];
        *to++ = second < 0 ? '=' : digits[bits >> 6 & 63];
        *to++ = third < 0 ? '=' : digits[bits & 63];
    }
    return span_make(text, len);
}

/* HASSH: MD5 of the lists of key exchanges, ciphers, MACs and compressions this side offers for what it sends. */
static void read_kexinit(struct dissect *d, struct cursor c) {
    struct span lists[KEXINIT_LISTS];
    cursor_skip(&c, 16); /* cookie */
    for (size_t i = 0; i < KEXINIT_LISTS; i++) {
        lists[i] = cursor_span(&c, cursor_u32(&c));
    }
    if (!cursor_ok(&c)) {
        return;
    }
    size_t server = is_client(d) ? 0 : 1;
    const struct span parts[] = {lists[0], lists[2 + server], lists[4 + server], lists[6 + server]};
    size_t len = 3;
    for (size_t i = 0; i < ARRAY_LEN(parts); i++) {
        len += parts[i].len;
    }
    uint8_t *text = arena_alloc(d->scratch, len), *to = text;
    if (!text) {
        return;
    }
    for (size_t i = 0; i < ARRAY_LEN(parts); i++) {
        if (i) {
            *to++ = ';';
        }
        to = span_copy_to(parts[i], to);
    }
    uint8_t digest[DIGEST_MAX];
    char hex[2 * DIGEST_MAX];
    size_t n = digest_memo(d->digests, DIGEST_MD5, span_make(text, len), digest);
    if (n) {
        hex_write(digest, n, hex);
        put_text(d, server ? HASSH_SERVER : HASSH, span_make(hex, 2 * n));
    }
}

/* A public key begins with the name of its algorithm (RFC 4253, 6.6); primes and points do not. */
static bool is_public_key(struct span key) {
    struct cursor c = cursor_over(key);
    struct cursor name = cursor_sub(&c, cursor_u32(&c));
    size_t len = cursor_left(&name);
    if (!cursor_ok(&name) || len < 4 || len > 64 || cursor_left(&c) == 0 || key.len > KEY_MAX) {
        return false;
    }
    while (cursor_left(&name)) {
        uint8_t byte = cursor_u8(&name);
        if (byte <= ' ' || byte >= 0x7f) {
            return false;
        }
    }
    return true;
}

static void read_packet(struct dissect *d, struct ssh_side *side, struct span body) {
    struct cursor c = cursor_over(body);
    size_t padding = cursor_u8(&c);
    struct cursor payload = cursor_sub(&c, cursor_left(&c) - MIN(padding, cursor_left(&c)));
    uint8_t type = cursor_u8(&payload);
    if (type == KEXINIT) {
        read_kexinit(d, payload);
    } else if (type == NEWKEYS) {
        side->encrypted = true;
    } else if (type >= KEX_FIRST && type <= KEX_LAST && !is_client(d)) {
        struct span key = cursor_span(&payload, cursor_u32(&payload));
        if (cursor_ok(&payload) && is_public_key(key)) {
            put_text(d, KEY, base64_of(d, key));
        }
    }
}

/* A line at the beginning. Returns the bytes used, 0 when more are needed. */
static size_t line_step(struct dissect *d, struct ssh_side *side, struct span in) {
    struct ssh_state *st = d->state;
    size_t end = span_find_byte(in, 0, '\n');
    if (end == SPAN_NONE && in.len < LINE_MAX) {
        d->wanted = in.len + 1;
        return 0;
    }
    if (end == SPAN_NONE || end >= LINE_MAX || side->lines >= LINES_MAX) {
        side->encrypted = true; /* not SSH, or its beginning was missed */
        return in.len;
    }
    struct span line = span_sub(in, 0, end);
    if (span_byte(line, line.len - 1) == '\r') {
        line.len--;
    }
    if (span_starts(line, SPAN_LITERAL("SSH-"))) {
        put_text(d, VERSION, line);
        side->has_version = true;
        st->protocol1 |= !span_starts(line, SPAN_LITERAL("SSH-2")) && !span_starts(line, SPAN_LITERAL("SSH-1.99"));
    } else {
        side->lines++;
    }
    return end + 1;
}

/* A packet before NEWKEYS. Returns the bytes used, 0 when more are needed. */
static size_t packet_step(struct dissect *d, struct ssh_side *side, struct span in) {
    struct cursor c = cursor_over(in);
    d->wanted = 4;
    if (in.len < d->wanted) {
        return 0;
    }
    uint32_t len = cursor_u32(&c);
    if (len < 2 || len > PACKET_MAX) {
        side->encrypted = true;
        return in.len;
    }
    d->wanted = 4 + len;
    if (in.len < d->wanted) {
        return 0;
    }
    read_packet(d, side, cursor_span(&c, len));
    return 4 + len;
}

/* Side of the client: mostly the source; see is_client. */
static unsigned client_side(const struct dissect *d) {
    return is_client(d) ? d->side : !d->side;
}

/* Someone types: keys and their echoes make one turn of the same size each. Through SSH a key adds at most one block of
 * the cipher to the shortest packet there is; through SSH within SSH it adds a whole inner packet. The typist is the
 * one who lets the other wait: sitting at the server's end of a nested session, it is a shell that the client handed
 * out. */
static void judge_typing(struct dissect *d, struct ssh_state *st) {
    unsigned client = client_side(d);
    st->told = true;
    if (st->last >= st->shortest + NESTED_MORE && st->side[!client].waited > st->side[client].waited) {
        dissect_tag(d, "ssh-reverse-shell");
    }
}

/* The current turn is over: the other side speaks. */
static void turn_end(struct dissect *d, struct ssh_state *st) {
    if (st->shortest == 0 || st->turn < st->shortest) {
        st->shortest = st->turn;
    }
    if (st->turn != st->last || st->turn > TYPING_MAX) {
        st->run = 0;
        st->side[0].waited = st->side[1].waited = 0;
    }
    st->last = st->turn;
    st->turn = 0;
    if (++st->run >= TYPING_TURNS) {
        judge_typing(d, st);
    } else if (++st->turns >= TURNS_MAX) {
        st->told = true;
    }
}

static void count_encrypted(struct dissect *d, struct ssh_state *st, size_t bytes) {
    if (bytes == 0 || st->told) {
        return;
    }
    if (st->turn && st->speaker != d->side) {
        turn_end(d, st);
        /* Bounded: a capture's clock may jump. */
        st->side[d->side].waited += MIN(MAX(d->time - st->time, INT64_C(0)), WAIT_MAX);
    }
    st->speaker = d->side;
    st->time = d->time;
    st->turn += (uint32_t)MIN(bytes, (size_t)ENCRYPTED_MAX);
    st->encrypted += (uint32_t)MIN(bytes, (size_t)ENCRYPTED_MAX);
    st->told |= st->encrypted > ENCRYPTED_MAX;
}

static bool is_finished(const struct ssh_state *st) {
    if (st->protocol1) {
        return st->side[0].has_version && st->side[1].has_version;
    }
    /* Once the turns are told, a side still in the clear was never seen or broke off. */
    return st->told && (st->encrypted > ENCRYPTED_MAX || (st->side[0].encrypted && st->side[1].encrypted));
}

static enum verdict ssh_stream(struct dissect *d, struct span bytes) {
    struct ssh_state *st = d->state;
    struct ssh_side *side = &st->side[d->side];
    if (d->gap_before) {
        side->encrypted = true; /* where the next packet begins is lost */
    }
    size_t at = 0;
    while (at < bytes.len && !side->encrypted) {
        struct span in = span_from(bytes, at);
        if (side->has_version && st->protocol1) {
            return VERDICT_DONE;
        }
        size_t used = side->has_version ? packet_step(d, side, in) : line_step(d, side, in);
        if (used == 0) {
            d->consumed = at;
            return VERDICT_MORE;
        }
        at += used;
    }
    count_encrypted(d, st, bytes.len - at);
    return is_finished(st) ? VERDICT_DONE : VERDICT_OK;
}

static const struct hint hints[] = {{HINT_TCP_BYTES, 0, 0, "SSH-", 4}};

const struct dissector dissector_ssh = {
    .name = "ssh",
    .title = "SSH",
    .spec = "RFC 4253",
    .fields = fields,
    .field_count = ARRAY_LEN(fields),
    .hints = hints,
    .hint_count = ARRAY_LEN(hints),
    .state_size = sizeof(struct ssh_state),
    .takes_gaps = true,
    .probe = ssh_probe,
    .stream = ssh_stream,
};
