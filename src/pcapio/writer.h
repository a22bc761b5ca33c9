/* writer.h: packets into a pcap or pcapng file or pipe.
 *
 * Owner: caller. Thread: one. Cost: a copy into a 1 MiB buffer, a write() when it is full. Failure: -errno of the write
 * (-ENOSPC, -EPIPE when SIGPIPE is ignored, ...); it sticks, so checking packet_writer_close alone is enough.
 * Standards: draft-ietf-opsawg-pcap, draft-ietf-opsawg-pcapng.
 */
#ifndef SEINE_PCAPIO_WRITER_H
#define SEINE_PCAPIO_WRITER_H

#include "base/err.h"
#include "packet/packet.h"

enum packet_format { PACKET_FORMAT_PCAP, PACKET_FORMAT_PCAPNG };

/* pcap only; pcapng always has nanoseconds. */
enum packet_resolution {
    PACKET_RESOLUTION_AUTO, /* nanoseconds when any of the first packets (1 MiB) needs them */
    PACKET_RESOLUTION_MICRO,
    PACKET_RESOLUTION_NANO,
};

struct packet_writer_options {
    enum packet_format format;
    enum packet_resolution resolution;
    const char *application; /* who writes, for pcapng: "Seine 1.0"; NULL = "Seine" */
};

struct packet_writer;

/* Writes to `fd`, which stays the caller's. */
int packet_writer_open(int fd, const struct packet_writer_options *options, struct packet_writer **ret_writer,
                       struct err *ret_err);
/* Creates `path`, or truncates it; "-" is standard output. */
int packet_writer_open_path(const char *path, const struct packet_writer_options *options,
                            struct packet_writer **ret_writer, struct err *ret_err);

/* Hands the bytes to `sink`, which answers 0 or -errno. */
typedef int (*packet_sink_fn)(void *ctx, const uint8_t *at, size_t n);
int packet_writer_open_sink(packet_sink_fn sink, void *ctx, const struct packet_writer_options *options,
                            struct packet_writer **ret_writer, struct err *ret_err);

/* Appends a packet: data, time, captured, wire, link. `comment` (may be empty, cut at 64 KiB) goes into pcapng only.
 * -EINVAL: a pcap file holds one link type; -errno of an earlier write. */
int packet_writer_add(struct packet_writer *w, const struct packet *p, struct span comment, struct err *ret_err);

/* Appends a block of this type with `body` (at most 16 MiB), for programs that know it; others skip it. pcapng only:
 * nothing happens in pcap. */
int packet_writer_block(struct packet_writer *w, uint32_t type, struct span head, struct span body,
                        struct err *ret_err);

/* Hands what is buffered to the system, for readers at the other end of a pipe. */
int packet_writer_flush(struct packet_writer *w, struct err *ret_err);

/* Writes what is buffered (an empty file still gets its header), closes and frees. 0 only when all was written. */
int packet_writer_close(struct packet_writer *w, struct err *ret_err);

/* Packets whose time lost its nanoseconds because the file had already begun with microseconds. */
uint64_t packet_writer_rounded(const struct packet_writer *w);

#endif
