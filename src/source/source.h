/* source.h: where packets come from.
 *
 * Owner: one thread per open source. A source fills batches with packets whose bytes live in a block (packet/block.h)
 * the batch holds a reference to. Cost: read() a block at a time, no copy of a packet but of the one that straddles two
 * blocks. Failure: never ends the run: a damaged file is read as far as it goes; what was wrong is told through `note`.
 */
#ifndef SEINE_SOURCE_SOURCE_H
#define SEINE_SOURCE_SOURCE_H

#include "base/err.h"
#include "packet/packet.h"

/* One capture file (or archive member, or standard input) as the run knows it. Number n is at index n - 1. */
struct capture_file {
    char *name;      /* path as given, or "archive!member", or "-" */
    uint32_t number; /* from 1 */
    bool compressed; /* positions are offsets of the uncompressed bytes */
    uint64_t size;   /* bytes on disk, 0 = unknown */
};

/* What a list of paths expands to; shared read-only by all sources of a run. */
struct input_list;

/* Expands files, folders (recursive, sorted by name; *.pcap *.pcapng *.cap *.dmp with .gz .zst .xz .bz2 .lz4 behind, or
 * any file whose first bytes are a capture's), globs and "-". Archive members become known while reading. A path that
 * does not exist, cannot be read, or a folder without captures is told through `note` and counted in *ret_problems. */
typedef void (*source_note_fn)(void *ctx, const char *file, uint64_t offset, const char *what);
struct input_list *input_list_new(const char *const *paths, size_t count, source_note_fn note, void *ctx,
                                  unsigned *ret_problems);
struct input_list *input_list_free(struct input_list *l);
size_t input_list_count(const struct input_list *l);
/* Sum of sizes on disk, for progress; 0 when unknown (stdin). */
uint64_t input_list_bytes(const struct input_list *l);
/* True when several sources may read the same inputs at once at little cost (plain files only). */
bool input_list_is_plain(const struct input_list *l);

struct source_stats {
    uint64_t packets, bytes; /* captured bytes handed out */
    uint64_t read_bytes;     /* from disk, for progress */
    uint64_t files;
    uint64_t truncated;  /* files that end inside a record */
    uint64_t damaged;    /* records or blocks skipped, or files given up */
    uint64_t unreadable; /* files that could not be opened or are no capture */
    uint64_t cut;        /* packets with fewer bytes captured than on the wire */
    uint64_t filtered;   /* packets the BPF filter refused */
};

struct source_options {
    const char *bpf;        /* NULL = all packets; compiled per link type */
    uint64_t packet_limit;  /* 0 = all */
    uint32_t block_ceiling; /* blocks alive at once */
    bool quiet;             /* do not call note (a second reader of the same files) */
    source_note_fn note;
    void *note_ctx;
    const bool *stop; /* atomic: once true, a pipe that is silent counts as ended; NULL = never */
};

struct source;

int source_open(const struct input_list *inputs, const struct source_options *options, struct source **ret_source,
                struct err *ret_err);
struct source *source_free(struct source *s);

/* Fills `b` (count, clock, last, block, packets' source part). Any reference the batch still holds is dropped first.
 * Returns 0 or -errno for what ends the whole run (no memory). b->last is set with or after the last packet. */
int source_next(struct source *s, struct batch *b);

/* Files met so far; stable numbers: the same for every source over the same inputs. Thread: any, while the source
 * lives. */
const struct capture_file *source_file(const struct source *s, uint32_t number);
uint32_t source_file_count(const struct source *s);
void source_read_stats(const struct source *s, struct source_stats *ret_stats);
/* How far reading is: bytes consumed of input_list_bytes. Thread: any. */
uint64_t source_progress(const struct source *s);

/* Seeks for fetch: reads single packets by (file number, position). Sorted access is one pass for compressed files.
 * Returns 0, -ENOENT for no such file, -EIO/-EBADMSG when no packet is there. Packet bytes are valid until the next
 * call. */
struct source_random;
int source_random_open(const struct input_list *inputs, struct source_random **ret, struct err *ret_err);
struct source_random *source_random_free(struct source_random *r);
/* The number of the capture called `name`, looking through the inputs as far as needed. -ENOENT: there is none. */
int source_random_find(struct source_random *r, const char *name, uint32_t *ret_file);
int source_random_read(struct source_random *r, uint32_t file, uint64_t position, struct packet *ret_packet);

#endif
