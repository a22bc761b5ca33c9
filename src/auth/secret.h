/* secret.h: the server's secret and what is made with it: signatures, sealed values, random words.
 *
 * Owner: caller. Thread: any. Cost: about a microsecond; secret_load reads or makes one file. Failure: -errno with
 * text.
 */
#ifndef SEINE_AUTH_SECRET_H
#define SEINE_AUTH_SECRET_H

#include "base/buf.h"
#include "base/err.h"

#define SECRET_BYTES 32
#define SIGNATURE_BYTES 32

struct secret {
    uint8_t key[SECRET_BYTES];
};

/* The file `secret` (mode 0600) in the store's folder, made with random bytes when it is not there. A file that others
 * may read is refused. `folder` NULL: a secret for this run. */
int secret_load(const char *folder, struct secret *ret_secret, struct err *ret_err);
int random_fill(void *to, size_t n);
/* `n` random bytes as URL-safe text: base64url without padding (RFC 4648), and a NUL. */
int random_word(size_t n, char *ret, size_t size);
size_t base64url_write(const uint8_t *bytes, size_t n, char *ret);
/* All of `text`, without padding and with no bits left over, of at most `size` bytes; SPAN_NONE: it is no such text. */
size_t base64url_read(struct span text, uint8_t *ret, size_t size);
/* All of `text` as hexadecimal, in either case; SPAN_NONE as above. */
size_t hex_read(struct span text, uint8_t *ret, size_t size);

/* HMAC-SHA-256 (RFC 2104) over purpose and data; the purpose keeps what one place signs from being used at another. */
void secret_sign(const struct secret *s, const char *purpose, struct span data, uint8_t ret[SIGNATURE_BYTES]);
/* AES-256-GCM with a key made for `purpose`: 12 bytes nonce, text, 16 bytes tag; `bound` is checked but not stored. */
int secret_seal(const struct secret *s, const char *purpose, struct span bound, struct span text, struct buf *out);
/* -EBADMSG: not sealed with this secret, or not for this. */
int secret_open(const struct secret *s, const char *purpose, struct span bound, struct span sealed, struct buf *out);
/* In the time of the longer one, whatever they hold. */
bool secret_equal(struct span a, struct span b);

#endif
