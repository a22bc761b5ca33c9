/*
 * Remote access: SSH (RFC 4253, 5656, 8731) with complete key exchange messages, and RDP (MS-RDPBCGR) up to TLS.
 */
#include "recipes.h"
#include "tls.h"

#include <string.h>

static const char *const ssh_clients[6] = {"SSH-2.0-OpenSSH_9.2p1 Debian-2+deb12u1",
                                           "SSH-2.0-OpenSSH_for_Windows_8.6",
                                           "SSH-2.0-PuTTY_Release_0.78",
                                           "SSH-2.0-libssh2_1.10.0",
                                           "SSH-2.0-Go",
                                           "SSH-2.0-paramiko_3.3.1"};
static const char *const ssh_servers[4] = {"SSH-2.0-OpenSSH_9.2p1 Debian-2+deb12u1", "SSH-2.0-OpenSSH_8.4p1",
                                           "SSH-2.0-dropbear_2022.83", "SSH-2.0-Cisco-1.25"};

/* Cipher lists of different makes, so that fingerprints differ. */
static const char *const kex_lists[3] = {
    "sntrup761x25519-sha512@openssh.com,curve25519-sha256,curve25519-sha256@libssh.org,ecdh-sha2-nistp256,"
    "ecdh-sha2-nistp384,diffie-hellman-group-exchange-sha256,diffie-hellman-group16-sha512,ext-info-c",
    "curve25519-sha256,ecdh-sha2-nistp256,diffie-hellman-group14-sha256",
    "curve25519-sha256@libssh.org,ecdh-sha2-nistp521,ecdh-sha2-nistp256,diffie-hellman-group14-sha1"};
static const char *const key_lists[3] = {"ssh-ed25519,ecdsa-sha2-nistp256,rsa-sha2-512,rsa-sha2-256", "ssh-ed25519",
                                         "rsa-sha2-512,ssh-rsa,ssh-ed25519"};
static const char *const cipher_lists[3] = {
    "chacha20-poly1305@openssh.com,aes128-ctr,aes192-ctr,aes256-ctr,aes128-gcm@openssh.com,aes256-gcm@openssh.com",
    "aes128-gcm@openssh.com,chacha20-poly1305@openssh.com,aes128-ctr", "aes256-ctr,aes256-cbc,aes128-ctr,3des-cbc"};
static const char *const mac_lists[3] = {
    "umac-64-etm@openssh.com,umac-128-etm@openssh.com,hmac-sha2-256-etm@openssh.com",
    "hmac-sha2-256-etm@openssh.com,hmac-sha2-256,hmac-sha1", "hmac-sha2-256"};

static void put_string(struct buffer *b, const char *text) {
    size_t mark = buffer_open(b, 4);
    buffer_text(b, text);
    buffer_close(b, mark, 4);
}

/* The binary packet of RFC 4253 §6; ssh_close pads it to a multiple of eight. */
static size_t packet_open(struct buffer *b) {
    size_t mark = buffer_open(b, 4);
    buffer_u8(b, 0);
    return mark;
}

static void packet_close(struct buffer *b, size_t mark) {
    size_t padding = 8 - (b->length - mark) % 8;
    padding = padding < 4 ? padding + 8 : padding;
    buffer_zero(b, padding);
    buffer_close(b, mark, 4);
    if (!b->failed) {
        b->bytes[mark + 4] = (uint8_t)padding;
    }
}

static void put_key_init(struct buffer *b, struct maker *m, uint32_t make) {
    size_t packet = packet_open(b);
    buffer_u8(b, 20);
    buffer_random(b, &m->rng, 16);
    put_string(b, kex_lists[make % 3]);
    put_string(b, key_lists[make % 3]);
    for (unsigned i = 0; i < 2; i++) {
        put_string(b, cipher_lists[make % 3]);
    }
    for (unsigned i = 0; i < 2; i++) {
        put_string(b, mac_lists[make % 3]);
    }
    for (unsigned i = 0; i < 2; i++) {
        put_string(b, make % 3 == 0 ? "none,zlib@openssh.com,zlib" : "none");
    }
    buffer_zero(b, 13); /* no languages, no guess, reserved */
    packet_close(b, packet);
}

static void put_new_keys(struct buffer *b) {
    size_t packet = packet_open(b);
    buffer_u8(b, 21);
    packet_close(b, packet);
}

static void put_exchange_reply(struct buffer *b, struct maker *m) {
    size_t packet = packet_open(b);
    buffer_u8(b, 31);
    size_t key = buffer_open(b, 4);
    put_string(b, "ssh-ed25519");
    buffer_be32(b, 32);
    for (uint64_t i = 0; i < 4; i++) { /* a server always shows the same key */
        buffer_be64(b, world_mix(m->world, 10 + i, m->server));
    }
    buffer_close(b, key, 4);
    buffer_be32(b, 32);
    buffer_random(b, &m->rng, 32);
    size_t signature = buffer_open(b, 4);
    put_string(b, "ssh-ed25519");
    buffer_be32(b, 64);
    buffer_random(b, &m->rng, 64);
    buffer_close(b, signature, 4);
    packet_close(b, packet);
}

void make_ssh(struct maker *m) {
    maker_connect(m, random_chance(&m->rng, 700) ? WHERE_OFFICE : WHERE_INTERNET);
    struct tcp t = tcp_open(m, m->server % 9 == 0 ? 2222 : 22);
    struct buffer *b = &m->message;
    buffer_format(b, "%s\r\n", ssh_clients[m->client % 6]);
    tcp_say(&t, 0);
    buffer_format(b, "%s\r\n", ssh_servers[m->server % 4]);
    tcp_say(&t, 1);
    put_key_init(b, m, m->client);
    tcp_say(&t, 0);
    put_key_init(b, m, m->server);
    tcp_say(&t, 1);
    size_t packet = packet_open(b);
    buffer_u8(b, 30);
    buffer_be32(b, 32);
    buffer_random(b, &m->rng, 32);
    packet_close(b, packet);
    tcp_say(&t, 0);
    put_exchange_reply(b, m);
    put_new_keys(b);
    tcp_say(&t, 1);
    put_new_keys(b);
    tcp_say(&t, 0);
    unsigned count = random_skewed(&m->rng, 6, 80);
    for (unsigned i = 0; i < count; i++) {
        unsigned length = 16 * random_skewed(&m->rng, 1, 24);
        buffer_be32(b, length); /* in the clear with GCM and encrypt-then-MAC */
        buffer_random(b, &m->rng, length + 16);
        tcp_say(&t, (int)(i & 1));
        maker_wait(m, 1000, 900000);
    }
    tcp_close(&t, 0);
}

void make_rdp(struct maker *m) {
    char user[WORLD_NAME];
    char machine[WORLD_NAME];
    maker_connect(m, WHERE_OFFICE);
    world_user(m->client, user);
    world_machine(m->server, machine);
    struct tcp t = tcp_open(m, 3389);
    struct buffer *b = &m->message;
    buffer_u8(b, 3);
    buffer_u8(b, 0);
    buffer_be16(b, (unsigned)(4 + 7 + 17 + strlen(user) + 2 + 8));
    buffer_u8(b, (unsigned)(6 + 17 + strlen(user) + 2 + 8));
    buffer_put(b, "\xe0\0\0\0\0\0", 6);
    buffer_format(b, "Cookie: mstshash=%s\r\n", user);
    buffer_put(b, "\1\0\x08\0\3\0\0\0", 8);
    tcp_say(&t, 0);
    buffer_put(b, "\3\0\0\x13\x0e\xd0\0\0\x12\x34\0\2\x1f\x08\0\2\0\0\0", 19);
    tcp_say(&t, 1);
    tls_handshake(m, &t, machine, false, false);
    unsigned count = random_skewed(&m->rng, 6, 60);
    for (unsigned i = 0; i < count; i++) {
        tls_put_data(b, m, random_skewed(&m->rng, 40, i & 1 ? 2600 : 200));
        tcp_say(&t, (int)(i & 1));
        maker_wait(m, 3000, 200000);
    }
    tcp_close(&t, 0);
}
