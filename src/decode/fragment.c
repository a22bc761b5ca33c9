/* fragment.c: IPv4 and IPv6 datagrams put together from their fragments.
 *
 * RFC 791 §3.2, RFC 8200 §4.5; overlaps as RFC 5722 and the target-based papers discuss them: which copy of a byte
 * counts is a setting, because hosts differ. A datagram in the making is a chain: a sorted list of pieces that never
 * overlap, so a chain holds no more bytes than were received and is whole when the sum of its pieces is its length.
 * Chains are keyed by addresses, id, (IPv4) protocol, VLANs and VNI, in a table hashed with the run's secret. Oldest
 * chains go first when a ceiling is met: chains, bytes, pieces of one chain. Time is packet time.
 */
#include <stdlib.h>

#include "decode/state.h"

enum {
    DATAGRAM_MAX = 65535,
    PIECES_MAX = 512, /* of one chain: 64 KiB in pieces of 128 bytes */
    BUCKETS_MAX = 65536,
};

enum { OVERLAP_FIRST, OVERLAP_LAST };

struct piece {
    struct piece *next;
    size_t size;         /* as the pool gave it */
    uint32_t start, end; /* of the datagram's payload */
    uint32_t skip;       /* bytes in front that a later copy replaced */
    uint8_t bytes[];
};

struct chain_key {
    uint8_t src[16], dst[16];
    uint32_t id, vlans, vni;
    uint8_t version, protocol, pad[2];
};

/* Where the pieces that came so far are, so that a session can give them back. */
struct origins {
    size_t size; /* as the pool gave it */
    uint16_t count;
    struct packet_origin list[];
};

struct chain {
    struct chain *hash_next;
    struct chain *older, *newer;
    struct piece *pieces;
    struct origins *origins;
    uint8_t *header; /* of the fragment with offset 0; NULL until it came */
    size_t header_size, size;
    int64_t time; /* of the first piece */
    struct chain_key key;
    uint32_t header_len, next_at;
    uint32_t total; /* payload length, 0 until the last fragment came */
    uint32_t reach; /* end of the furthest piece */
    uint32_t have;  /* bytes in pieces */
    uint32_t piece_count, received;
    uint8_t protocol;
};

struct output {
    struct output *next;
    struct origins *origins;
    size_t size;
    uint8_t bytes[];
};

struct fragments {
    struct decoder *d;
    struct chain **buckets;
    uint32_t mask, count;
    size_t memory;
    struct chain *oldest, *newest;
    struct output *outputs;
};

struct fragments *fragments_new(struct decoder *d) {
    struct fragments *f = calloc(1, sizeof(*f));
    if (!f) {
        return NULL;
    }
    f->d = d;
    uint32_t buckets = 256;
    while (buckets < d->settings->max_frags && buckets < BUCKETS_MAX) {
        buckets *= 2;
    }
    f->mask = buckets - 1;
    return f;
}

uint32_t fragments_lowest_file(const struct fragments *f) {
    uint32_t low = UINT32_MAX;
    for (const struct chain *c = f->oldest; c; c = c->newer) {
        for (uint16_t i = 0; c->origins && i < c->origins->count; i++) {
            low = MIN(low, c->origins->list[i].file);
        }
    }
    return low;
}

static void *memory_take(struct fragments *f, size_t size, size_t *ret_size) {
    void *block = pool_take(f->d->pool, size, ret_size);
    if (block) {
        f->memory += *ret_size;
    }
    return block;
}

static void memory_give(struct fragments *f, void *block, size_t size) {
    if (block) {
        f->memory -= size;
        pool_give(f->d->pool, block, size);
    }
}

static struct chain **chain_bucket(struct fragments *f, const struct chain_key *key) {
    return &f->buckets[siphash13(&f->d->key, key, sizeof(*key)) & f->mask];
}

static void origins_free(struct fragments *f, struct origins *o) {
    memory_give(f, o, o ? o->size : 0);
}

static void chain_remove(struct fragments *f, struct chain *ch) {
    struct chain **link = chain_bucket(f, &ch->key);
    while (*link != ch) {
        link = &(*link)->hash_next;
    }
    *link = ch->hash_next;
    *(ch->older ? &ch->older->newer : &f->oldest) = ch->newer;
    *(ch->newer ? &ch->newer->older : &f->newest) = ch->older;
    f->count--;
    for (struct piece *p = ch->pieces; p;) {
        struct piece *next = p->next;
        memory_give(f, p, p->size);
        p = next;
    }
    origins_free(f, ch->origins);
    memory_give(f, ch->header, ch->header_size);
    memory_give(f, ch, ch->size);
}

static void chain_drop(struct fragments *f, struct chain *ch) {
    f->d->counts[DECODE_FRAGMENT_DROPPED] += ch->received;
    chain_remove(f, ch);
}

static void outputs_free(struct fragments *f) {
    while (f->outputs) {
        struct output *out = f->outputs;
        f->outputs = out->next;
        origins_free(f, out->origins);
        memory_give(f, out, out->size);
    }
}

struct fragments *fragments_free(struct fragments *f) {
    if (f) {
        while (f->oldest) {
            chain_remove(f, f->oldest);
        }
        outputs_free(f);
        free(f->buckets);
        free(f);
    }
    return NULL;
}

static void chains_expire(struct fragments *f, int64_t now) {
    int64_t timeout = (int64_t)f->d->settings->frags_timeout * 1000000000;
    while (f->oldest && now > f->oldest->time && now - f->oldest->time > timeout) {
        f->d->counts[DECODE_FRAGMENT_TIMEOUT]++;
        chain_remove(f, f->oldest);
    }
}

void fragments_recycle(struct fragments *f, int64_t now) {
    outputs_free(f);
    chains_expire(f, now);
}

static struct chain_key chain_key_of(const struct decode_state *s, const struct fragment *piece) {
    struct chain_key key = {.id = piece->id, .version = piece->version};
    if (piece->version == 6) {
        memcpy(key.src, piece->header + 8, 16);
        memcpy(key.dst, piece->header + 24, 16);
    } else {
        key.protocol = piece->protocol; /* IPv6: only the first fragment's is right (RFC 8200 §4.5) */
        memcpy(key.src, piece->header + 12, 4);
        memcpy(key.dst, piece->header + 16, 4);
    }
    const struct layers *l = s->p->layers;
    if (l) {
        key.vni = l->has_vni ? l->vni : 0;
        for (unsigned i = 0; i < l->vlan_count && i < 2; i++) {
            key.vlans = key.vlans << 16 | l->vlan_id[i];
        }
    }
    return key;
}

static struct chain *chain_find(struct fragments *f, const struct chain_key *key) {
    for (struct chain *ch = *chain_bucket(f, key); ch; ch = ch->hash_next) {
        if (memcmp(&ch->key, key, sizeof(*key)) == 0) {
            return ch;
        }
    }
    return NULL;
}

/* Makes room for `more` bytes, and for what the pool's size classes may add to them, by giving up old chains, but never
 * `keep`. */
static bool memory_reserve(struct fragments *f, size_t more, const struct chain *keep) {
    more = MAX(more + more / 2, (size_t)64);
    while (f->memory + more > f->d->settings->frags_memory) {
        struct chain *victim = f->oldest;
        if (victim && victim == keep) {
            victim = victim->newer;
        }
        if (!victim) {
            return false;
        }
        chain_drop(f, victim);
    }
    return true;
}

static struct chain *chain_new(struct fragments *f, const struct chain_key *key, int64_t time) {
    while (f->count >= f->d->settings->max_frags && f->oldest) {
        chain_drop(f, f->oldest);
    }
    size_t size;
    struct chain *ch = memory_reserve(f, sizeof(*ch), NULL) ? memory_take(f, sizeof(*ch), &size) : NULL;
    if (!ch) {
        return NULL;
    }
    struct chain **bucket = chain_bucket(f, key);
    *ch = (struct chain){.hash_next = *bucket, .older = f->newest, .size = size, .time = time, .key = *key};
    *bucket = ch;
    *(f->newest ? &f->newest->newer : &f->oldest) = ch;
    f->newest = ch;
    f->count++;
    return ch;
}

/* --- pieces of a chain --- */

static bool piece_insert(struct fragments *f, struct chain *ch, struct piece **link, uint32_t start, uint32_t end,
                         const uint8_t *bytes) {
    size_t size = sizeof(struct piece) + (end - start);
    if (ch->piece_count >= PIECES_MAX || !memory_reserve(f, size, ch)) {
        return false;
    }
    struct piece *p = memory_take(f, size, &size);
    if (!p) {
        return false;
    }
    p->next = *link;
    p->size = size;
    p->start = start;
    p->end = end;
    p->skip = 0;
    memcpy(p->bytes, bytes, end - start);
    *link = p;
    ch->piece_count++;
    ch->have += end - start;
    return true;
}

/* The first copy of a byte stays: only the gaps are filled. */
static bool chain_fill(struct fragments *f, struct chain *ch, uint32_t start, uint32_t end, const uint8_t *bytes) {
    struct piece **link = &ch->pieces;
    uint32_t at = start;
    while (at < end) {
        struct piece *p = *link;
        if (p && p->end <= at) {
            link = &p->next;
            continue;
        }
        if (p && p->start <= at) {
            at = p->end;
            link = &p->next;
            continue;
        }
        uint32_t stop = p && p->start < end ? p->start : end;
        if (!piece_insert(f, ch, link, at, stop, bytes + (at - start))) {
            return false;
        }
        link = &(*link)->next;
        at = stop;
    }
    return true;
}

/* The last copy of a byte counts: what is there gives way. */
static bool chain_replace(struct fragments *f, struct chain *ch, uint32_t start, uint32_t end, const uint8_t *bytes) {
    struct piece **link = &ch->pieces;
    while (*link && (*link)->start < end) {
        struct piece *p = *link;
        if (p->end <= start) {
            link = &p->next;
        } else if (p->start < start && p->end > end) {
            memcpy(p->bytes + p->skip + (start - p->start), bytes, end - start);
            return true;
        } else if (p->start < start) {
            ch->have -= p->end - start;
            p->end = start;
            link = &p->next;
        } else if (p->end > end) {
            ch->have -= end - p->start;
            p->skip += end - p->start;
            p->start = end;
        } else {
            ch->have -= p->end - p->start;
            ch->piece_count--;
            *link = p->next;
            memory_give(f, p, p->size);
        }
    }
    return piece_insert(f, ch, link, start, end, bytes);
}

enum meeting { MEETS_NOTHING, MEETS_DUPLICATE, MEETS_OTHER };

static enum meeting chain_meets(const struct chain *ch, uint32_t start, uint32_t end, const uint8_t *bytes) {
    for (const struct piece *p = ch->pieces; p && p->start < end; p = p->next) {
        if (p->end > start) {
            bool same = p->start == start && p->end == end && memcmp(p->bytes + p->skip, bytes, end - start) == 0;
            return same ? MEETS_DUPLICATE : MEETS_OTHER;
        }
    }
    return MEETS_NOTHING;
}

static bool chain_add(struct fragments *f, struct chain *ch, const struct fragment *piece) {
    uint32_t start = piece->offset, end = start + piece->len;
    switch (chain_meets(ch, start, end, piece->bytes)) {
    case MEETS_DUPLICATE:
        return true;
    case MEETS_OTHER:
        f->d->counts[DECODE_FRAGMENT_OVERLAP]++;
        break;
    case MEETS_NOTHING:
        break;
    }
    ch->reach = MAX(ch->reach, end);
    return f->d->settings->fragment_overlap == OVERLAP_LAST ? chain_replace(f, ch, start, end, piece->bytes)
                                                            : chain_fill(f, ch, start, end, piece->bytes);
}

static bool chain_header(struct fragments *f, struct chain *ch, const struct fragment *piece) {
    if (piece->offset != 0 || ch->header) {
        return true;
    }
    ch->header = memory_reserve(f, piece->header_len, ch) ? memory_take(f, piece->header_len, &ch->header_size) : NULL;
    if (!ch->header) {
        return false;
    }
    memcpy(ch->header, piece->header, piece->header_len);
    ch->header_len = piece->header_len;
    ch->next_at = piece->next_at;
    ch->protocol = piece->protocol;
    return true;
}

/* A piece that does not fit what is known of its datagram. */
static bool piece_lies(const struct chain *ch, const struct fragment *piece) {
    uint32_t end = piece->offset + piece->len;
    if (piece->more) {
        return ch->total && end > ch->total;
    }
    return ch->total ? end != ch->total : ch->reach > end;
}

/* --- the whole --- */

static void header_mend(const struct chain *ch, uint8_t *ip) {
    uint32_t length = ch->header_len + ch->total;
    if (ch->key.version == 6) {
        length -= 40;
        ip[4] = (uint8_t)(length >> 8);
        ip[5] = (uint8_t)length;
        ip[ch->next_at] = ch->protocol;
    } else {
        ip[2] = (uint8_t)(length >> 8);
        ip[3] = (uint8_t)length;
        ip[6] &= 0xc0;
        ip[7] = 0;
    }
}

/* The completing frame's bytes up to its IP header, the first fragment's IP header, and all payload. */
static bool chain_assemble(struct fragments *f, struct chain *ch, struct decode_state *s, const uint8_t *ip) {
    struct packet *p = s->p;
    size_t before = (size_t)(ip - p->data), whole = before + ch->header_len + ch->total;
    size_t size = sizeof(struct output) + whole;
    if (ch->header_len + ch->total > DATAGRAM_MAX || !memory_reserve(f, size, ch)) {
        return false;
    }
    struct output *out = memory_take(f, size, &size);
    if (!out) {
        return false;
    }
    out->size = size;
    out->next = f->outputs;
    f->outputs = out;
    memcpy(out->bytes, p->data, before);
    memcpy(out->bytes + before, ch->header, ch->header_len);
    uint8_t *payload = out->bytes + before + ch->header_len;
    for (const struct piece *piece = ch->pieces; piece; piece = piece->next) {
        memcpy(payload + piece->start, piece->bytes + piece->skip, piece->end - piece->start);
    }
    header_mend(ch, out->bytes + before);
    out->origins = TAKE(ch->origins);
    p->origins = out->origins ? out->origins->list : NULL;
    p->origin_count = out->origins ? out->origins->count : 0;
    p->data = out->bytes;
    p->captured = p->wire = (uint32_t)whole;
    p->flags = (uint8_t)((p->flags | PACKET_REASSEMBLED) & ~PACKET_CUT);
    s->cut = false;
    return true;
}

/* Remembers where this piece is. Without memory the datagram is put together all the same. */
static void origin_add(struct fragments *f, struct chain *ch, const struct packet *p) {
    struct origins *o = ch->origins;
    size_t count = o ? o->count : 0, need = sizeof(*o) + (count + 1) * sizeof(o->list[0]), size;
    if (!o || o->size < need) {
        struct origins *bigger = memory_reserve(f, 2 * need, ch) ? memory_take(f, 2 * need, &size) : NULL;
        if (!bigger) {
            return;
        }
        bigger->size = size;
        bigger->count = (uint16_t)count;
        if (o) {
            memcpy(bigger->list, o->list, count * sizeof(o->list[0]));
        }
        origins_free(f, o);
        ch->origins = o = bigger;
    }
    o->list[o->count++] = (struct packet_origin){p->position, p->captured, p->file};
}

static bool piece_sane(const struct fragment *piece) {
    return piece->len > 0 && piece->offset + piece->len <= DATAGRAM_MAX && !(piece->more && piece->len % 8 != 0);
}

bool fragments_add(struct decode_state *s, const struct fragment *piece) {
    struct fragments *f = s->d->fragments;
    uint64_t *counts = s->d->counts;
    counts[DECODE_FRAGMENTS]++;
    if (!f->buckets) {
        f->buckets = calloc((size_t)f->mask + 1, sizeof(*f->buckets));
    }
    if (!f->buckets || !piece_sane(piece)) {
        counts[DECODE_FRAGMENT_DROPPED]++;
        return false;
    }
    chains_expire(f, s->p->time);
    struct chain_key key = chain_key_of(s, piece);
    struct chain *ch = chain_find(f, &key);
    if (!ch) {
        ch = chain_new(f, &key, s->p->time);
    }
    if (!ch || piece_lies(ch, piece)) {
        counts[DECODE_FRAGMENT_DROPPED]++;
        return false;
    }
    ch->received++;
    if (!piece->more) {
        ch->total = piece->offset + piece->len;
    }
    if (!chain_header(f, ch, piece) || !chain_add(f, ch, piece)) {
        chain_drop(f, ch);
        return false;
    }
    if (!ch->header || !ch->total || ch->have != ch->total) {
        origin_add(f, ch, s->p);
        return false;
    }
    if (!chain_assemble(f, ch, s, piece->header)) {
        chain_drop(f, ch);
        return false;
    }
    counts[DECODE_REASSEMBLED]++;
    chain_remove(f, ch);
    return true;
}
