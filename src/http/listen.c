/* listen.c: see listen.h. */
#include "http/listen.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <openssl/crypto.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/util.h"

#define BACKLOG 512
#define PEM_MAX ((size_t)1 << 20)

union address {
    struct sockaddr any;
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;
};

static bool address_parse(const char *text, uint16_t port, union address *ret, socklen_t *ret_len) {
    char bare[64];
    size_t len = strlen(text);
    *ret = (union address){0};
    if (len == 0 || strcasecmp(text, "localhost") == 0) {
        text = "127.0.0.1";
    } else if (text[0] == '[' && text[len - 1] == ']' && len < sizeof(bare)) {
        memcpy(bare, text + 1, len - 2);
        bare[len - 2] = 0;
        text = bare;
    }
    if (inet_pton(AF_INET, text, &ret->v4.sin_addr) == 1) {
        ret->v4.sin_family = AF_INET;
        ret->v4.sin_port = htons(port);
        *ret_len = sizeof(ret->v4);
        return true;
    }
    if (inet_pton(AF_INET6, text, &ret->v6.sin6_addr) == 1) {
        ret->v6.sin6_family = AF_INET6;
        ret->v6.sin6_port = htons(port);
        *ret_len = sizeof(ret->v6);
        return true;
    }
    return false;
}

static bool address_is_loopback(const union address *a) {
    return a->any.sa_family == AF_INET ? ntohl(a->v4.sin_addr.s_addr) >> 24 == 127
                                       : IN6_IS_ADDR_LOOPBACK(&a->v6.sin6_addr) != 0;
}

bool listen_is_loopback(const char *address) {
    union address a;
    socklen_t len;
    return address_parse(address, 0, &a, &len) && address_is_loopback(&a);
}

static int listen_failed(const char *address, uint16_t port, int code, struct err *ret_err) {
    err_set(ret_err, code, "cannot listen on %s port %u: %s", address, port, strerror(-code));
    if (code == -EADDRINUSE) {
        err_hint(ret_err, "another program listens there: choose another port");
    } else if (code == -EACCES) {
        err_hint(ret_err, "ports below 1024 need rights");
    } else if (code == -EADDRNOTAVAIL) {
        err_hint(ret_err, "this machine does not have that address");
    }
    return code;
}

int listen_open(const char *address, uint16_t port, int *ret_fd, bool *ret_loopback, struct err *ret_err) {
    union address a;
    socklen_t len;
    if (!address_parse(address, port, &a, &len)) {
        err_set(ret_err, -EINVAL, "%s is no address to listen on", address);
        err_hint(ret_err, "an IPv4 or IPv6 address, for example 127.0.0.1 or ::1");
        return -EINVAL;
    }
    int fd = socket(a.any.sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    int on = 1, off = 0;
    bool good = fd >= 0 && setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) == 0;
    if (good && a.any.sa_family == AF_INET6) {
        /* "::" takes IPv4 as well. */
        (void)setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof(off));
    }
    if (!good || bind(fd, &a.any, len) < 0 || listen(fd, BACKLOG) < 0) {
        int code = -errno;
        if (fd >= 0) {
            (void)close(fd);
        }
        return listen_failed(address, port, code, ret_err);
    }
    *ret_fd = fd;
    *ret_loopback = address_is_loopback(&a);
    return 0;
}

uint16_t listen_port(int fd) {
    union address a = {0};
    socklen_t len = sizeof(a);
    if (getsockname(fd, &a.any, &len) < 0) {
        return 0;
    }
    return ntohs(a.any.sa_family == AF_INET ? a.v4.sin_port : a.v6.sin6_port);
}

static int file_read(const char *path, char **ret_text, struct err *ret_err) {
    FILE *f = fopen(path, "re");
    if (!f) {
        return err_set(ret_err, -errno, "%s: %s", path, strerror(errno));
    }
    char *text = malloc(PEM_MAX + 1);
    size_t n = text ? fread(text, 1, PEM_MAX, f) : 0;
    bool failed = ferror(f);
    (void)fclose(f);
    if (!text || failed || n == 0 || n == PEM_MAX) {
        free(text);
        return err_set(ret_err, text ? -EINVAL : -ENOMEM, "%s: cannot be read as a PEM file", path);
    }
    text[n] = 0;
    *ret_text = text;
    return 0;
}

static int pair_check(const struct pem_pair *p, const char *cert_file, const char *key_file, struct err *ret_err) {
    BIO *cert_text = BIO_new_mem_buf(p->cert, -1), *key_text = BIO_new_mem_buf(p->key, -1);
    /* The empty password keeps OpenSSL from asking for one at the terminal. */
    X509 *cert = cert_text ? PEM_read_bio_X509(cert_text, NULL, NULL, (void *)(uintptr_t) "") : NULL;
    EVP_PKEY *key = key_text ? PEM_read_bio_PrivateKey(key_text, NULL, NULL, (void *)(uintptr_t) "") : NULL;
    int code = 0;
    if (!cert) {
        code = err_set(ret_err, -EINVAL, "%s: holds no certificate in PEM form", cert_file);
    } else if (!key) {
        code = err_set(ret_err, -EINVAL, "%s: holds no private key in PEM form, or one with a password", key_file);
    } else if (X509_check_private_key(cert, key) != 1) {
        code = err_set(ret_err, -EINVAL, "%s: is not the key of the certificate in %s", key_file, cert_file);
    }
    X509_free(cert);
    EVP_PKEY_free(key);
    (void)BIO_free(cert_text);
    (void)BIO_free(key_text);
    return code;
}

int pem_read(const char *cert_file, const char *key_file, struct pem_pair *ret_pem, struct err *ret_err) {
    struct pem_pair p = {0};
    if (!key_file || !*key_file) {
        return err_set(ret_err, -EINVAL, "certFile is set and keyFile is not: TLS needs both");
    }
    int code = file_read(cert_file, &p.cert, ret_err);
    code = code < 0 ? code : file_read(key_file, &p.key, ret_err);
    code = code < 0 ? code : pair_check(&p, cert_file, key_file, ret_err);
    if (code < 0) {
        pem_done(&p);
        return code;
    }
    *ret_pem = p;
    return 0;
}

void pem_done(struct pem_pair *p) {
    free(p->cert);
    if (p->key) {
        OPENSSL_cleanse(p->key, strlen(p->key));
    }
    free(p->key);
    *p = (struct pem_pair){0};
}
