/* segment_read.c: opens segments: the directory at the end of the file, checked, as columns and blocks in memory. */
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/util.h"
#include "store/bits.h"
#include "store/crc32c.h"
#include "store/file.h"
#include "store/part_open.h"
#include "store/restore_fixed.h"

void damage_add(struct damage *d, const char *format, ...) {
    if (!d) {
        return;
    }
    va_list args;
    va_start(args, format);
    pthread_mutex_lock(&d->lock);
    (void)vsnprintf(d->texts[d->count % DAMAGE_TEXTS], sizeof(d->texts[0]), format, args);
    d->count++;
    pthread_mutex_unlock(&d->lock);
    va_end(args);
}

static struct extent read_extent(struct cursor *c) {
    struct extent e = {.at = cursor_varint(c)};
    uint64_t len = cursor_varint(c);
    e.len = (uint32_t)MIN(len, (uint64_t)UINT32_MAX);
    e.crc = cursor_u32le(c);
    return e;
}

static bool extent_fits(const struct part *p, const struct extent *e) {
    return e->at <= p->size && e->len <= p->size - e->at;
}

#ifndef MADV_POPULATE_READ
#define MADV_POPULATE_READ 22
#endif

/* Brings the pages in, all at once; what the disk cannot give is an error here and a signal later. False: it cannot. */
static bool pages_come(const struct part *p, const struct extent *e) {
    if (p->memory || e->len == 0) {
        return true;
    }
    uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE), start = (uintptr_t)p->base + e->at;
    uintptr_t first = start & ~(page - 1), len = start + e->len - first;
    int r;
    do {
        r = madvise((void *)first, len, MADV_POPULATE_READ);
    } while (r != 0 && (errno == EINTR || errno == EAGAIN));
    return r == 0 || (errno != EFAULT && errno != EHWPOISON && errno != EIO); /* older kernels do not know how */
}

int part_extent(const struct part *p, const struct extent *e, atomic_uchar *checked, const char *what,
                struct span *ret) {
    *ret = span_make(p->base + e->at, e->len); /* inside the file: compared when the directory was read */
    /* Of a part that lost pages each extent is looked at every time: those that are left can be read. */
    if (checked && atomic_load_explicit(checked, memory_order_relaxed) &&
        !atomic_load_explicit(&p->broken, memory_order_relaxed)) {
        return 0;
    }
    if (!pages_come(p, e)) {
        damage_add(p->damage, "%s: %s at byte %llu cannot be read from the disk", p->name, what,
                   (unsigned long long)e->at);
        return -EBADMSG;
    }
    if (!crc32c_holds(e->crc, ret->at, ret->len)) {
        damage_add(p->damage, "%s: %s at byte %llu is damaged", p->name, what, (unsigned long long)e->at);
        return -EBADMSG;
    }
    if (checked) {
        atomic_store_explicit(checked, 1, memory_order_relaxed);
    }
    return 0;
}

bool part_whole(const struct part *part) {
    struct part *p = (struct part *)(uintptr_t)part;
    if (p->memory) {
        return true;
    }
    if (!atomic_load_explicit(&p->broken, memory_order_relaxed)) {
        /* Without its last page, or with zeros there: also what was cut off inside of a page gives no signal. */
        if (memcmp(p->base + p->size - SEGMENT_FOOTER, p->footer, SEGMENT_FOOTER) == 0) {
            return true;
        }
        if (!atomic_exchange(&p->broken, true)) {
            damage_add(p->damage, "%s: cannot be read any more: its file was changed, or the disk lost a part of it",
                       p->name);
        }
    }
    return false;
}

/* --- directory --- */

static int read_block(struct part *p, struct column *col, struct cursor *c, uint32_t size, struct column_block *b) {
    b->form = cursor_u8(c);
    if (b->form == FORM_NONE) {
        return cursor_ok(c) ? 0 : -EBADMSG;
    }
    if (b->form > FORM_LIST) {
        return -EBADMSG;
    }
    b->count = size;
    if (b->form != FORM_ALL) {
        uint64_t count = cursor_varint(c);
        b->presence = read_extent(c);
        size_t want = b->form == FORM_LIST ? (size_t)count * 2 : (size + 7) / 8;
        if (count == 0 || count > size || b->presence.len != want || !extent_fits(p, &b->presence)) {
            return -EBADMSG;
        }
        b->count = (uint32_t)count;
    }
    b->data = read_extent(c);
    if (col->info.kind != COLUMN_RAW) {
        b->min = cursor_varint(c);
        b->max = cursor_varint(c);
    }
    return cursor_ok(c) && extent_fits(p, &b->data) ? 0 : -EBADMSG;
}

static int read_dictionary_place(struct part *p, struct column *col, struct cursor *c) {
    uint64_t blocks = cursor_varint(c);
    col->index = read_extent(c);
    uint32_t step = column_step(col);
    if (!cursor_ok(c) || !extent_fits(p, &col->index) || blocks != (col->info.values + (uint64_t)step - 1) / step) {
        return -EBADMSG;
    }
    col->dictionary_blocks = (uint32_t)blocks;
    col->pieces = calloc(blocks ? blocks : 1, sizeof(struct unpacked *));
    if (!col->pieces) {
        return -ENOMEM;
    }
    if (col->info.kind == COLUMN_LIST) {
        col->list_codes = cursor_varint(c);
        col->lengths = read_extent(c);
        col->codes = read_extent(c);
        if (!extent_fits(p, &col->lengths) || !extent_fits(p, &col->codes) || col->list_codes > UINT32_MAX) {
            return -EBADMSG;
        }
    }
    return cursor_ok(c) ? 0 : -EBADMSG;
}

static int read_path(struct column *col, struct cursor *c) {
    uint64_t len = cursor_varint(c);
    struct span path = cursor_span(c, len <= 4096 ? (size_t)len : SIZE_MAX);
    if (!cursor_ok(c) || path.len == 0 || memchr(path.at, 0, path.len)) {
        return -EBADMSG;
    }
    col->fixed = fixed_find(path);
    col->info.path = span_dup(path);
    return col->info.path ? 0 : -ENOMEM;
}

static int read_head(struct column *col, struct cursor *c) {
    col->id = (uint32_t)cursor_varint(c);
    int r = read_path(col, c);
    if (r) {
        return r;
    }
    uint8_t type = cursor_u8(c), kind = cursor_u8(c);
    col->info.type = (enum field_type)type;
    col->info.kind = (enum column_kind)kind;
    col->multi = cursor_u8(c);
    col->info.present = cursor_varint(c);
    uint64_t values = cursor_varint(c), lists = cursor_varint(c);
    col->info.min = cursor_u64le(c);
    col->info.max = cursor_u64le(c);
    bool number = type <= FT_BOOL;
    if (!cursor_ok(c) || type >= FT_UNION || kind > COLUMN_RAW || values >= CODE_NONE || lists >= CODE_NONE ||
        (kind == COLUMN_NUMBER && !number) || (kind == COLUMN_RAW && number)) {
        return -EBADMSG;
    }
    col->info.values = (uint32_t)values;
    col->info.lists = (uint32_t)lists;
    return 0;
}

static int read_column(struct part *p, struct column *col, struct span record) {
    struct cursor c = cursor_over(record);
    col->part = p;
    (void)cursor_u8(&c); /* the encoding, looked at by the caller */
    int r = read_head(col, &c);
    if (r) {
        return r;
    }
    if (col->info.kind == COLUMN_CODE || col->info.kind == COLUMN_LIST) {
        r = read_dictionary_place(p, col, &c);
    } else if (col->info.kind == COLUMN_RAW) {
        col->pieces = calloc((size_t)p->info.blocks * (PART_BLOCK / RAW_RUN), sizeof(struct unpacked *));
        r = col->pieces ? 0 : -ENOMEM;
    }
    col->blocks = calloc(MAX(p->info.blocks, 1u), sizeof(*col->blocks));
    r = r || col->blocks ? r : -ENOMEM;
    for (uint32_t b = 0; r == 0 && b < p->info.blocks; b++) {
        r = read_block(p, col, &c, MIN(PART_BLOCK, p->info.rows - b * PART_BLOCK), &col->blocks[b]);
    }
    return r;
}

static int by_path(const void *a, const void *b) {
    return strcmp(((const struct column *)a)->info.path, ((const struct column *)b)->info.path);
}

static int read_columns(struct part *p, struct cursor *c, uint64_t count) {
    p->columns = calloc(MAX(count, (uint64_t)1), sizeof(*p->columns));
    if (!p->columns) {
        return -ENOMEM;
    }
    for (uint64_t i = 0; i < count; i++) {
        uint64_t len = cursor_varint(c);
        struct span record = cursor_span(c, len <= UINT32_MAX ? (size_t)len : SIZE_MAX);
        if (!cursor_ok(c) || record.len == 0) {
            return -EBADMSG;
        }
        if (record.at[0] != ENCODING_1) {
            p->skipped++;
            continue;
        }
        int r = read_column(p, &p->columns[p->count++], record);
        if (r) {
            return r;
        }
    }
    qsort(p->columns, p->count, sizeof(*p->columns), by_path);
    for (uint32_t i = 1; i < p->count; i++) {
        if (strcmp(p->columns[i - 1].info.path, p->columns[i].info.path) == 0) {
            return -EBADMSG;
        }
    }
    return 0;
}

static int read_directory(struct part *p, struct span directory) {
    struct cursor c = cursor_over(directory);
    p->info.seq_low = cursor_u64le(&c);
    p->info.first_min = cursor_u64le(&c);
    p->info.first_max = cursor_u64le(&c);
    p->info.last_min = cursor_u64le(&c);
    p->info.last_max = cursor_u64le(&c);
    uint64_t rows = cursor_varint(&c), sides = cursor_varint(&c);
    if (!cursor_ok(&c) || rows > SEGMENT_ROWS_MAX || sides > 64) {
        return -EBADMSG;
    }
    p->info.rows = (uint32_t)rows;
    p->info.blocks = (p->info.rows + PART_BLOCK - 1) / PART_BLOCK;
    p->sides = (uint32_t)sides;
    for (uint64_t i = 0; i < sides; i++) { /* files beside this one, made by later versions: a kind and a name */
        uint64_t len = cursor_varint(&c);
        cursor_skip(&c, len <= 4096 ? (size_t)len : SIZE_MAX);
    }
    uint64_t columns = cursor_varint(&c);
    return cursor_ok(&c) && columns <= SEGMENT_COLUMNS_MAX ? read_columns(p, &c, columns) : -EBADMSG;
}

static int open_segment(struct part *p) {
    static const char magic[8] = SEGMENT_MAGIC;
    const uint8_t *footer = p->base + p->size - SEGMENT_FOOTER;
    struct cursor c = {p->base, p->base, false};
    if (p->size >= SEGMENT_FOOTER + 12 && memcmp(footer + 24, magic, 8) == 0 && memcmp(p->base, magic, 8) == 0) {
        c = cursor_over(span_make(footer, SEGMENT_FOOTER));
    }
    struct extent e = {.at = cursor_u64le(&c)};
    e.len = cursor_u32le(&c);
    e.crc = cursor_u32le(&c);
    uint32_t version = cursor_u32le(&c), own = cursor_u32le(&c);
    if (!cursor_ok(&c) || !crc32c_holds(own, footer, 20) || !extent_fits(p, &e)) {
        damage_add(p->damage, "%s: has no valid end: it is no segment, or was cut off", p->name);
        return -EBADMSG;
    }
    if (version != SEGMENT_VERSION) {
        damage_add(p->damage, "%s: format version %u is not known to this program", p->name, version);
        return -EPROTO;
    }
    struct span directory;
    memcpy(p->footer, footer, sizeof(p->footer));
    int r = part_extent(p, &e, NULL, "the directory", &directory);
    r = r ? r : read_directory(p, directory);
    if (r == -EBADMSG) {
        damage_add(p->damage, "%s: its directory makes no sense", p->name);
    }
    return r;
}

/* --- parts --- */

static struct part *part_new(const char *name, struct cache *cache, struct damage *damage) {
    struct part *p = calloc(1, sizeof(*p));
    if (p) {
        (void)snprintf(p->name, sizeof(p->name), "%s", name);
        p->info.name = p->name;
        p->cache = cache;
        p->damage = damage;
        pthread_mutex_init(&p->lock, NULL);
        atomic_init(&p->refs, 1);
    }
    return p;
}

int part_from_memory(struct span bytes, const char *name, struct cache *cache, struct damage *damage,
                     struct part **ret_part) {
    struct part *p = part_new(name, cache, damage);
    if (!p) {
        free((void *)(uintptr_t)bytes.at);
        return -ENOMEM;
    }
    p->memory = (void *)(uintptr_t)bytes.at;
    p->base = bytes.at;
    p->size = bytes.len;
    p->info.tail = true;
    int r = open_segment(p);
    if (r) {
        (void)part_unref(p);
        return r;
    }
    *ret_part = p;
    return 0;
}

int part_from_file(const char *path, const char *name, struct cache *cache, struct damage *damage,
                   struct part **ret_part) {
    _cleanup_(fd_close) int fd = open(path, O_RDONLY | O_CLOEXEC);
    struct stat st;
    if (fd < 0 || fstat(fd, &st) != 0) {
        return -errno;
    }
    struct part *p = part_new(name, cache, damage);
    if (!p) {
        return -ENOMEM;
    }
    p->size = (size_t)st.st_size;
    void *map = p->size ? mmap(NULL, p->size, PROT_READ, MAP_SHARED, fd, 0) : MAP_FAILED;
    int r = -EBADMSG;
    if (map != MAP_FAILED) {
        p->base = map;
        r = open_segment(p);
    } else {
        r = p->size ? -errno : -EBADMSG;
        damage_add(damage, "%s: %s", name, p->size ? "cannot be mapped" : "is empty");
    }
    if (r) {
        (void)part_unref(p);
        return r;
    }
    *ret_part = p;
    return 0;
}

struct part *part_ref(struct part *p) {
    atomic_fetch_add(&p->refs, 1);
    return p;
}

static void column_done(struct column *c) {
    struct part *p = c->part;
    uint32_t pieces = c->info.kind == COLUMN_RAW ? p->info.blocks * (PART_BLOCK / RAW_RUN) : c->dictionary_blocks;
    for (uint32_t i = 0; c->pieces && i < pieces; i++) {
        cache_forget(p->cache, &c->pieces[i]);
    }
    if (c->lists) {
        cache_forget(p->cache, &c->lists);
    }
    for (uint32_t b = 0; c->blocks && b < p->info.blocks; b++) {
        free(c->blocks[b].ranks);
    }
    free((void *)(uintptr_t)c->info.path);
    free(c->pieces);
    free(c->dictionary);
    free(c->blocks);
}

struct part *part_unref(struct part *p) {
    if (!p || atomic_fetch_sub(&p->refs, 1) != 1) {
        return NULL;
    }
    for (uint32_t i = 0; i < p->count; i++) {
        column_done(&p->columns[i]);
    }
    free(p->columns);
    if (p->memory) {
        free(p->memory);
    } else if (p->base) {
        (void)munmap((void *)(uintptr_t)p->base, p->size);
    }
    pthread_mutex_destroy(&p->lock);
    free(p);
    return NULL;
}

void part_rest(const struct part *p) {
    if (!p->memory) {
        (void)madvise((void *)(uintptr_t)p->base, p->size, MADV_DONTNEED);
    }
}

int column_open_dictionary(const struct column *col) {
    struct column *c = (struct column *)(uintptr_t)col; /* filled once, under the part's lock */
    struct part *p = c->part;
    if (__atomic_load_n(&c->dictionary, __ATOMIC_ACQUIRE)) {
        return 0;
    }
    struct span index;
    int r = part_extent(p, &c->index, NULL, "the index of a dictionary", &index);
    struct dictionary_block *made = r ? NULL : calloc(MAX(c->dictionary_blocks, 1u), sizeof(*made));
    if (!made) {
        return r ? r : -ENOMEM;
    }
    struct cursor at = cursor_over(index);
    for (uint32_t i = 0; i < c->dictionary_blocks; i++) {
        made[i].extent = read_extent(&at);
        uint64_t size = cursor_varint(&at), len = cursor_varint(&at);
        made[i].size = (uint32_t)MIN(size, (uint64_t)UINT32_MAX);
        made[i].first = cursor_span(&at, len <= UINT32_MAX ? (size_t)len : SIZE_MAX);
        if (!cursor_ok(&at) || !extent_fits(p, &made[i].extent)) {
            free(made);
            damage_add(p->damage, "%s: the index of the dictionary of %s makes no sense", p->name, c->info.path);
            return -EBADMSG;
        }
    }
    pthread_mutex_lock(&p->lock);
    if (!c->dictionary) {
        __atomic_store_n(&c->dictionary, TAKE(made), __ATOMIC_RELEASE);
    }
    pthread_mutex_unlock(&p->lock);
    free(made);
    return 0;
}
