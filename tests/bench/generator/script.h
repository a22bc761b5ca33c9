/*
 * Small protocols as tables: a conversation is a list of lines, each said by one side. A line is text or bytes in which
 * % starts a value that differs from flow to flow:
 *   %u user       %h host of the server    %d its domain    %m the client's machine    %w a word    %t some words
 *   %n number below 10,000                 %N the same with five digits                %x eight hexadecimal digits
 *   %a the client's IPv4 address           %1 %2 %4 %8 that many random bytes          %z sixteen of them
 *   %i %I two and four bytes that stay the same within the flow                        %% a percent sign
 */
#pragma once

#include "maker.h"

struct line {
    int side; /* 0 the client, 1 the server */
    uint16_t length;
    const char *text;
};

#define C(text) \
    { 0, sizeof(text) - 1, text }
#define S(text) \
    { 1, sizeof(text) - 1, text }

struct script {
    uint8_t transport; /* PROTOCOL_TCP or PROTOCOL_UDP */
    enum where where;
    uint16_t port;
    uint16_t client_port; /* 0 for an ephemeral one */
    uint8_t repeat_from;  /* lines [repeat_from, repeat_to) are said several times */
    uint8_t repeat_to;
    uint8_t repeat_max; /* up to this many times */
    uint8_t line_count;
    struct line lines[14];
};

void script_play(struct maker *m, const struct script *s);

/* scripts_text.c: protocols of lines of text */
extern const struct script script_ftp, script_irc, script_telnet, script_redis, script_memcached, script_finger,
    script_whois, script_gopher, script_nntp, script_rtsp, script_xmpp, script_ident, script_beanstalk, script_git,
    script_rsync, script_vnc, script_stomp, script_nats, script_statsd, script_syslog_tcp;

/* scripts_binary.c: protocols of bytes */
extern const struct script script_mqtt, script_modbus, script_tftp, script_radius, script_socks4, script_socks5,
    script_stun, script_bittorrent, script_dht, script_bgp, script_diameter, script_s7, script_bacnet, script_enip,
    script_coap, script_l2tp, script_isakmp, script_openvpn, script_wireguard, script_rip, script_hsrp, script_ipmi,
    script_rpc, script_mongo, script_oracle, script_steam, script_quake, script_bfd, script_ldp, script_iec104,
    script_amqp, script_kafka, script_tacacs, script_ajp, script_x11, script_netflow, script_cassandra,
    script_minecraft, script_dnp3;
