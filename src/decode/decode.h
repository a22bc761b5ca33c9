/* decode.h: bytes to layers: finds the innermost IP flow of a frame, its key and its hash.
 *
 * Owner: one per worker or source thread. Thread: one. Cost: 20 to 40 ns a packet. Failure: a frame that makes no sense
 * gets kind FLOW_NONE (or a corrupt/unknown session kind where `saveUnknownPackets` asks for it) and a counter.
 */
#ifndef SEINE_DECODE_DECODE_H
#define SEINE_DECODE_DECODE_H

#include "base/err.h"
#include "base/hash.h"
#include "base/pool.h"
#include "config/config.h"
#include "config/setting.h"
#include "packet/packet.h"

enum decode_count {
    DECODE_PACKETS,
    DECODE_BYTES,
    DECODE_UNKNOWN_LINK,
    DECODE_UNKNOWN_ETHER,
    DECODE_UNKNOWN_IP,
    DECODE_CORRUPT_ETHER,
    DECODE_CORRUPT_IP,
    DECODE_TOO_DEEP,    /* more layers than the limit */
    DECODE_FRAGMENTS,   /* pieces seen */
    DECODE_REASSEMBLED, /* datagrams put together */
    DECODE_FRAGMENT_TIMEOUT,
    DECODE_FRAGMENT_DROPPED, /* over a ceiling, inconsistent, or overlapping against the policy */
    DECODE_FRAGMENT_OVERLAP,
    DECODE_FRAGMENT_PIECES, /* frames that were a piece of a datagram and nothing more: no session of their own */
    DECODE_IGNORED,         /* left out by the settings: ESP without trackESP */
    DECODE_UNKNOWN_SAVED,   /* of the unknown and corrupt: those that got a session (saveUnknownPackets) */
    DECODE_COUNTS,
};
extern const char *const decode_count_names[DECODE_COUNTS];

/* VLAN or VNI `from` counts as `to` where flows are told apart by it. */
#define DECODE_COLLAPSE_MAX 256
struct decode_collapse {
    uint32_t from, to;
};

struct decode_settings {
    uint32_t session_id_tracking; /* none, vlan, vni */
    bool track_esp;
    bool disable_fragments4, disable_fragments6;
    uint32_t frags_timeout, max_frags, fragment_overlap; /* overlap policy: first, last */
    uint64_t frags_memory;
    bool trim_ethernet_padding;
    struct setting_list save_unknown;    /* all, ip:all, ether:all, ip:<n>, ether:<n>, corrupt, -x */
    struct setting_list disable_parsers; /* "arp.so" or "arp": ARP makes no sessions */
    /* filled by decode_collapse_read, sorted by `from` */
    struct decode_collapse collapse[DECODE_COLLAPSE_MAX];
    uint32_t collapse_count;
};
extern const struct setting decode_setting_table[];
extern const size_t decode_setting_count;

/* What the tables cannot check: the words of saveUnknownPackets. 0, or -EINVAL with the word at fault in `ret_err`. */
int decode_settings_check(const struct decode_settings *settings, struct err *ret_err);

/* The section [vlan-vni-collapse]: entries `target=number;number;...`. 0, or -EINVAL with the entry at fault in
 * `ret_err`. */
int decode_collapse_read(struct decode_settings *settings, const struct config_entry *entries, size_t count,
                         struct err *ret_err);

struct decoder;

/* `key`: the run's secret; all decoders of a run must have the same. Settings are borrowed and must outlive it. */
struct decoder *decoder_new(const struct decode_settings *settings, const struct hash_key *key, struct pool *pool);
struct decoder *decoder_free(struct decoder *d);

/* Fills the decoder's part of every packet in the batch, its key and (where needed) its layers. Reassembled datagrams
 * replace the packet that completed them: data, captured and payload_* then describe the whole datagram; earlier
 * fragments get kind FLOW_NONE. Their bytes stay valid until the next call. */
void decoder_run(struct decoder *d, struct batch *b);

/* The lowest number of a capture that a fragment which still waits is from, or UINT32_MAX. Cost: a look at all. */
uint32_t decoder_lowest_file(const struct decoder *d);
const uint64_t *decoder_counts(const struct decoder *d); /* DECODE_COUNTS of them */

#endif
