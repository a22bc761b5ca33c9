/*
 * Who is who in an office: LDAP (RFC 4511) and Kerberos 5 (RFC 4120) over UDP and TCP, in BER.
 */
#include "recipes.h"
#include "tcp.h"

#include <stdio.h>
#include <string.h>

static void ldap_bind(struct buffer *b, struct maker *m, const char *dn) {
    size_t message = ber_open(b, 0x30);
    ber_integer(b, 2, 1);
    size_t bind = ber_open(b, 0x60);
    ber_integer(b, 2, 3);
    ber_text(b, 4, dn);
    ber_text(b, 0x80, world_word(m->client));
    ber_close(b, bind);
    ber_close(b, message);
}

/* A result of this kind: code 0 and no texts. */
static void ldap_result(struct buffer *b, uint32_t id, unsigned kind) {
    size_t message = ber_open(b, 0x30);
    ber_integer(b, 2, id);
    size_t result = ber_open(b, kind);
    ber_integer(b, 0x0a, 0);
    ber_text(b, 4, "");
    ber_text(b, 4, "");
    ber_close(b, result);
    ber_close(b, message);
}

static void ldap_search(struct buffer *b, uint32_t id, const char *name) {
    size_t message = ber_open(b, 0x30);
    ber_integer(b, 2, id);
    size_t search = ber_open(b, 0x63);
    ber_text(b, 4, "dc=corp,dc=example,dc=com");
    ber_integer(b, 0x0a, 2);
    ber_integer(b, 0x0a, 0);
    ber_integer(b, 2, 100);
    ber_integer(b, 2, 30);
    ber_bytes(b, 1, "\0", 1);
    size_t filter = ber_open(b, 0xa3);
    ber_text(b, 4, "sAMAccountName");
    ber_text(b, 4, name);
    ber_close(b, filter);
    size_t attributes = ber_open(b, 0x30);
    ber_text(b, 4, "mail");
    ber_text(b, 4, "memberOf");
    ber_close(b, attributes);
    ber_close(b, search);
    ber_close(b, message);
}

static void ldap_entry(struct buffer *b, struct maker *m, uint32_t id, const char *name) {
    char text[3 * WORLD_NAME];
    size_t message = ber_open(b, 0x30);
    ber_integer(b, 2, id);
    size_t entry = ber_open(b, 0x64);
    snprintf(text, sizeof text, "cn=%s,ou=%s,dc=corp,dc=example,dc=com", name, world_word(m->client));
    ber_text(b, 4, text);
    size_t list = ber_open(b, 0x30);
    for (int i = 0; i < 2; i++) {
        size_t attribute = ber_open(b, 0x30);
        ber_text(b, 4, i == 0 ? "mail" : "memberOf");
        size_t values = ber_open(b, 0x31);
        if (i == 0) {
            snprintf(text, sizeof text, "%s@corp.example.com", name);
        } else {
            snprintf(text, sizeof text, "cn=%s,ou=groups,dc=corp,dc=example,dc=com", world_word(m->client + id));
        }
        ber_text(b, 4, text);
        ber_close(b, values);
        ber_close(b, attribute);
    }
    ber_close(b, list);
    ber_close(b, entry);
    ber_close(b, message);
}

void make_ldap(struct maker *m) {
    char user[WORLD_NAME];
    char dn[2 * WORLD_NAME];
    maker_connect(m, WHERE_OFFICE);
    world_user(m->client, user);
    snprintf(dn, sizeof dn, "cn=%s,ou=users,dc=corp,dc=example,dc=com", user);
    struct tcp t = tcp_open(m, 389);
    struct buffer *b = &m->message;
    ldap_bind(b, m, dn);
    tcp_say(&t, 0);
    ldap_result(b, 1, 0x61);
    tcp_say(&t, 1);
    unsigned count = random_skewed(&m->rng, 1, 12);
    for (uint32_t id = 2; id < 2 + count; id++) {
        world_user(random_u32(&m->rng), user);
        ldap_search(b, id, user);
        tcp_say(&t, 0);
        ldap_entry(b, m, id, user);
        ldap_result(b, id, 0x65);
        tcp_say(&t, 1);
        maker_wait(m, 500, 600000);
    }
    buffer_put(b, "\x30\x05\x02\x01\x63\x42\x00", 7); /* unbind */
    tcp_say(&t, 0);
    tcp_close(&t, 0);
}

#define REALM "CORP.EXAMPLE.COM"

/* [tag] PrincipalName with one or two parts. */
static void krb_name(struct buffer *b, unsigned tag, uint32_t type, const char *first, const char *second) {
    size_t outer = ber_open(b, tag);
    size_t name = ber_open(b, 0x30);
    size_t kind = ber_open(b, 0xa0);
    ber_integer(b, 2, type);
    ber_close(b, kind);
    size_t parts = ber_open(b, 0xa1);
    size_t list = ber_open(b, 0x30);
    ber_text(b, 0x1b, first);
    if (second != NULL) {
        ber_text(b, 0x1b, second);
    }
    ber_close(b, list);
    ber_close(b, parts);
    ber_close(b, name);
    ber_close(b, outer);
}

/* [tag] of one primitive. */
static void krb_wrap(struct buffer *b, unsigned tag, unsigned inner, const void *bytes, size_t n) {
    size_t outer = ber_open(b, tag);
    ber_bytes(b, inner, bytes, n);
    ber_close(b, outer);
}

static void krb_number(struct buffer *b, unsigned tag, uint32_t v) {
    size_t outer = ber_open(b, tag);
    ber_integer(b, 2, v);
    ber_close(b, outer);
}

/* [tag] EncryptedData, AES-256. */
static void krb_encrypted(struct buffer *b, struct maker *m, unsigned tag, unsigned length) {
    uint8_t noise[512];
    random_fill(&m->rng, noise, sizeof noise);
    size_t outer = ber_open(b, tag);
    size_t data = ber_open(b, 0x30);
    krb_number(b, 0xa0, 18);
    krb_wrap(b, 0xa2, 4, noise, length);
    ber_close(b, data);
    ber_close(b, outer);
}

static void krb_ticket(struct buffer *b, struct maker *m, unsigned tag, const char *service, const char *host) {
    size_t outer = ber_open(b, tag);
    size_t ticket = ber_open(b, 0x61);
    size_t sequence = ber_open(b, 0x30);
    krb_number(b, 0xa0, 5);
    krb_wrap(b, 0xa1, 0x1b, REALM, strlen(REALM));
    krb_name(b, 0xa2, 2, service, host);
    krb_encrypted(b, m, 0xa3, random_between(&m->rng, 200, 480));
    ber_close(b, sequence);
    ber_close(b, ticket);
    ber_close(b, outer);
}

/* PA-DATA with an AP-REQ: what proves who asks, in a TGS-REQ. */
static void krb_proof(struct buffer *b, struct maker *m) {
    size_t outer = ber_open(b, 0xa3);
    size_t list = ber_open(b, 0x30);
    size_t item = ber_open(b, 0x30);
    krb_number(b, 0xa1, 1);
    size_t value = ber_open(b, 0xa2);
    size_t octets = ber_open(b, 4);
    size_t request = ber_open(b, 0x6e);
    size_t sequence = ber_open(b, 0x30);
    krb_number(b, 0xa0, 5);
    krb_number(b, 0xa1, 14);
    krb_wrap(b, 0xa2, 3, "\0\0\0\0\0", 5);
    krb_ticket(b, m, 0xa3, "krbtgt", REALM);
    krb_encrypted(b, m, 0xa4, 90);
    ber_close(b, sequence);
    ber_close(b, request);
    ber_close(b, octets);
    ber_close(b, value);
    ber_close(b, item);
    ber_close(b, list);
    ber_close(b, outer);
}

/* AS-REQ (10) or TGS-REQ (12). */
static void krb_request(struct buffer *b, struct maker *m, uint32_t type, const char *user, const char *host) {
    size_t message = ber_open(b, 0x60 + type);
    size_t sequence = ber_open(b, 0x30);
    krb_number(b, 0xa1, 5);
    krb_number(b, 0xa2, type);
    if (type == 12) {
        krb_proof(b, m);
    }
    size_t outer = ber_open(b, 0xa4);
    size_t body = ber_open(b, 0x30);
    krb_wrap(b, 0xa0, 3, "\0\x40\x81\0\x10", 5);
    if (type == 10) {
        krb_name(b, 0xa1, 1, user, NULL);
    }
    krb_wrap(b, 0xa2, 0x1b, REALM, strlen(REALM));
    krb_name(b, 0xa3, 2, type == 10 ? "krbtgt" : "cifs", type == 10 ? REALM : host);
    krb_wrap(b, 0xa5, 0x18, "20370913024805Z", 15);
    krb_number(b, 0xa7, random_u32(&m->rng) >> 1);
    krb_wrap(b, 0xa8, 0x30, "\2\1\x12\2\1\x11\2\1\x17", 9);
    ber_close(b, body);
    ber_close(b, outer);
    ber_close(b, sequence);
    ber_close(b, message);
}

/* AS-REP (11) or TGS-REP (13). */
static void krb_reply(struct buffer *b, struct maker *m, uint32_t type, const char *user, const char *host) {
    size_t message = ber_open(b, 0x60 + type);
    size_t sequence = ber_open(b, 0x30);
    krb_number(b, 0xa0, 5);
    krb_number(b, 0xa1, type);
    krb_wrap(b, 0xa3, 0x1b, REALM, strlen(REALM));
    krb_name(b, 0xa4, 1, user, NULL);
    krb_ticket(b, m, 0xa5, type == 11 ? "krbtgt" : "cifs", type == 11 ? REALM : host);
    krb_encrypted(b, m, 0xa6, 250);
    ber_close(b, sequence);
    ber_close(b, message);
}

static void krb_error(struct buffer *b) {
    size_t message = ber_open(b, 0x7e);
    size_t sequence = ber_open(b, 0x30);
    krb_number(b, 0xa0, 5);
    krb_number(b, 0xa1, 30);
    krb_wrap(b, 0xa4, 0x18, "20231114221400Z", 15);
    krb_number(b, 0xa5, 1234);
    krb_number(b, 0xa6, 25); /* pre-authentication required */
    krb_wrap(b, 0xa9, 0x1b, REALM, strlen(REALM));
    krb_name(b, 0xaa, 2, "krbtgt", REALM);
    ber_close(b, sequence);
    ber_close(b, message);
}

void make_kerberos_udp(struct maker *m) {
    char user[WORLD_NAME];
    maker_connect(m, WHERE_OFFICE);
    world_user(m->client, user);
    struct udp u = udp_open(m, 0, 88);
    krb_request(&m->message, m, 10, user, NULL);
    udp_send(&u, 0);
    if (random_chance(&m->rng, 400)) {
        krb_error(&m->message);
    } else {
        krb_reply(&m->message, m, 11, user, NULL);
    }
    udp_send(&u, 1);
}

void make_kerberos_tcp(struct maker *m) {
    char user[WORLD_NAME];
    char host[WORLD_NAME];
    maker_connect(m, WHERE_OFFICE);
    world_user(m->client, user);
    world_machine(m->server, host);
    struct tcp t = tcp_open(m, 88);
    for (int side = 0; side < 2; side++) {
        size_t mark = buffer_open(&m->message, 4);
        if (side == 0) {
            krb_request(&m->message, m, 12, user, host);
        } else {
            krb_reply(&m->message, m, 13, user, host);
        }
        buffer_close(&m->message, mark, 4);
        tcp_say(&t, side);
    }
    tcp_close(&t, 0);
}
