/* listen.h: the listening socket and the certificate files, with errors that say what is wrong.
 *
 * Owner: caller. Thread: any. Failure: -errno with text and hint.
 */
#ifndef SEINE_HTTP_LISTEN_H
#define SEINE_HTTP_LISTEN_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

/* `address`: IPv4, IPv6 (also in brackets), or "localhost"; "" is 127.0.0.1. */
int listen_open(const char *address, uint16_t port, int *ret_fd, bool *ret_loopback, struct err *ret_err);
uint16_t listen_port(int fd);
/* True for 127.0.0.0/8, ::1 and localhost: nobody else's machine gets there. */
bool listen_is_loopback(const char *address);

struct pem_pair {
    char *cert, *key;
};

/* Reads both and checks that the key is the certificate's. */
int pem_read(const char *cert_file, const char *key_file, struct pem_pair *ret_pem, struct err *ret_err);
void pem_done(struct pem_pair *p);

#endif
