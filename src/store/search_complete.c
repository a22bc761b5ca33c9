/* search_complete.c: values that begin with what somebody has typed, from the dictionaries of the parts that match. */
#include <errno.h>
#include <stdio.h>

#include "record/document.h"
#include "store/search_keys.h"

#define CHECK_EVERY 1024
#define TEXT_MAX 64

struct completing {
    struct search *s;
    const struct query_field *field;
    struct span prefix;
    size_t limit, given;
    bool (*each)(void *ctx, struct span text);
    void *ctx;
    struct words seen;
    uint32_t tried;
    int code;
};

/* A stored value as people write it. */
static struct span shown(const struct completing *c, struct span value, char room[TEXT_MAX]) {
    enum field_type type = (enum field_type)c->field->field->type;
    if (type == FT_IP) {
        return span_make(room, value.len == 16 ? ip_write(value.at, room) : 0);
    }
    if (type == FT_MAC) {
        return span_make(room, value.len == 6 ? mac_write(value.at, room) : 0);
    }
    if (type <= FT_BOOL) {
        uint64_t number = number_from_bytes(value);
        int len = type == FT_FLOAT ? snprintf(room, TEXT_MAX, "%.15g", number_to_double(number))
                  : type == FT_I64 ? snprintf(room, TEXT_MAX, "%lld", (long long)number_to_i64(number))
                                   : snprintf(room, TEXT_MAX, "%llu", (unsigned long long)number);
        return span_make(room, len > 0 ? (size_t)len : 0);
    }
    return value;
}

/* False: enough was given, or something went wrong. */
static bool offer(struct completing *c, struct span value) {
    char room[TEXT_MAX];
    struct span text = shown(c, value, room);
    if (++c->tried % CHECK_EVERY == 0) {
        c->code = search_check(c->s);
    }
    if (c->code < 0 || !span_starts_fold(text, c->prefix)) {
        return c->code == 0;
    }
    bool fresh;
    if (words_add_new(&c->seen, text, &fresh) == WORD_REFUSED) {
        c->code = -E2BIG;
    } else if (fresh) {
        c->given++;
        return c->each(c->ctx, text) && c->given < c->limit;
    }
    return c->code == 0;
}

static bool on_raw(void *ctx, uint32_t row, struct span value) {
    (void)row;
    return offer(ctx, value);
}

/* Text in one case stands together in the dictionary when it begins alike. */
static bool is_folded(const struct completing *c) {
    return c->field->field->type == FT_LOWER || c->field->field->type == FT_UPPER;
}

static bool complete_dictionary(struct completing *c, const struct column *column) {
    struct use use;
    uint8_t folded[256];
    uint32_t at = 0;
    bool more = true, equal, narrow = is_folded(c) && c->prefix.len <= sizeof(folded);
    use_init(&use);
    if (narrow) {
        uint8_t first = c->field->field->type == FT_LOWER ? 'A' : 'a';
        for (size_t i = 0; i < c->prefix.len; i++) {
            uint8_t letter = c->prefix.at[i];
            folded[i] = letter >= first && letter < first + 26 ? letter ^ 0x20 : letter;
        }
        c->code = MIN(column_lower(column, &use, span_make(folded, c->prefix.len), &at, &equal), 0);
    }
    for (; c->code == 0 && more && at < column_info(column)->values; at++) {
        struct span value;
        c->code = MIN(column_value(column, &use, at, &value), 0);
        if (c->code == 0 && narrow && !span_starts(value, span_make(folded, c->prefix.len))) {
            break;
        }
        more = c->code == 0 && offer(c, value);
    }
    use_done(&use);
    return more && c->code == 0;
}

/* Without a dictionary the values of matching rows are read. */
static bool complete_rows(struct completing *c, const struct column *column, size_t i, uint32_t blocks) {
    for (uint32_t block = 0; c->code == 0 && c->given < c->limit && block < blocks; block++) {
        const uint64_t *mask = c->s->parts[i].bits + (size_t)block * PART_WORDS;
        if (map_any(mask)) {
            int code = column_raw(column, block, mask, on_raw, c);
            c->code = c->code < 0 ? c->code : MIN(code, 0);
        }
    }
    return c->code == 0 && c->given < c->limit;
}

static bool complete_part(struct completing *c, size_t i) {
    const struct part *part = snapshot_part(c->s->o.snapshot, i);
    const struct column *column = part_find(part, span_text(c->field->field->def->path));
    if (!column || column_info(column)->type != c->field->field->type) {
        return true;
    }
    switch (column_info(column)->kind) {
    case COLUMN_CODE:
    case COLUMN_LIST:
        return complete_dictionary(c, column);
    case COLUMN_RAW:
        return complete_rows(c, column, i, part_info(part)->blocks);
    default:
        return true; /* measures are not typed by heart */
    }
}

int search_complete(struct search *s, const struct query_field *field, struct span prefix, size_t limit,
                    bool (*each)(void *ctx, struct span text), void *ctx) {
    struct completing c = {.s = s, .field = field, .prefix = prefix, .limit = limit, .each = each, .ctx = ctx};
    if (!field->field || limit == 0) {
        return 0;
    }
    c.code = words_init(&c.seen, s, 0);
    for (size_t i = s->part_count; c.code == 0 && i-- > 0;) {
        if (s->parts[i].count && !complete_part(&c, i)) {
            break;
        }
    }
    words_done(&c.seen);
    return c.code;
}
