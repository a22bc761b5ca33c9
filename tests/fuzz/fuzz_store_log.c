/* fuzz_store_log.c: any bytes as a log: frames, what is found behind damage, and their rows into columns. The schema
 * has a field of each type. In the fuzzer's build checksums hold always.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "store/builder.h"
#include "store/log.h"
#include "store/part_open.h"
#include "store/positions.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define FIELDS 24u
#define ROWS_MOST 100000u

static struct schema_field fields[FIELDS];
static struct schema_field *by_id[FIELDS];

static void make_schema(struct schema *s) {
    static const char *const paths[FIELDS] = {"a", "b", "c", "d", "e", "f", "g", "h", "i", "j", "k", "l",
                                              "m", "n", "o", "p", "q", "r", "s", "t", "u", "v", "w", OWN_POSITIONS};
    for (uint32_t i = 0; i < FIELDS; i++) {
        fields[i] = (struct schema_field){.id = i, .type = (enum field_type)(i % FT_UNION), .path = paths[i]};
        by_id[i] = &fields[i];
    }
    fields[FIELDS - 1].type = FT_KEYWORD;
    *s = (struct schema){.fields = by_id, .count = FIELDS, .cap = FIELDS};
}

static void read_frames(struct log_reader *r, struct builder *b) {
    struct log_frame f;
    int found;
    while ((found = log_next(r, &f)) != 0 && b->rows < ROWS_MOST) {
        if (found < 0) {
            if (!log_resync(r)) {
                break;
            }
            continue;
        }
        (void)builder_add(b, f.raw, f.rows <= ROWS_MOST ? f.rows : ROWS_MOST);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct schema schema;
    struct builder b;
    struct cache cache;
    struct part *p = NULL;
    struct packet_position *list = NULL;
    uint32_t count = 0;
    if (positions_read(span_make(data, size), &list, &count) == 0) {
        free(list);
    }
    make_schema(&schema);
    struct log_reader r = {.fd = memfd_create("log", MFD_CLOEXEC), .at = LOG_HEAD};
    if (r.fd < 0 || write(r.fd, data, size) != (ssize_t)size || builder_init(&b, &schema) != 0) {
        (void)close(r.fd);
        return 0;
    }
    buf_init(&r.packed, (size_t)16 << 20);
    buf_init(&r.raw, (size_t)16 << 20);
    builder_clear(&b, 0);
    read_frames(&r, &b);
    if (cache_init(&cache, (size_t)1 << 20) == 0) {
        if (b.rows && builder_part(&b, "tail", &cache, NULL, &p) == 0) {
            (void)part_unref(p);
        }
        cache_done(&cache);
    }
    builder_done(&b);
    log_reader_done(&r);
    return 0;
}
