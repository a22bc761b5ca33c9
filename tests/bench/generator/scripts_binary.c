/*
 * Conversations in bytes: one table for each protocol, played by script.c. Escapes are octal, three digits each,
 * because a hexadecimal one would swallow letters behind it.
 */
#include "script.h"

/* MQTT 3.1.1: connect, subscribe, publish */
const struct script script_mqtt = {
    .transport = PROTOCOL_TCP,
    .where = WHERE_OFFICE,
    .port = 1883,
    .repeat_from = 4,
    .repeat_to = 5,
    .repeat_max = 16,
    .line_count = 8,
    .lines =
        {
            C("\020\026\000\004MQTT\004\002\000\074\000\012dev-%N1"),
            S("\040\002\000\000"),
            C("\202\013\000\001\000\006a/b/cd\000"),
            S("\220\003\000\001\000"),
            C("\060\022\000\010sensor/t%x"),
            C("\300\000"),
            S("\320\000"),
            C("\340\000"),
        },
};

/* Modbus/TCP: read holding registers */
const struct script script_modbus = {
    .transport = PROTOCOL_TCP,
    .where = WHERE_OFFICE,
    .port = 502,
    .repeat_from = 0,
    .repeat_to = 4,
    .repeat_max = 14,
    .line_count = 4,
    .lines =
        {
            C("%i\000\000\000\006\001\003\000\020\000\004"),
            S("%i\000\000\000\013\001\003\010%8"),
            C("%i\000\000\000\006\001\006\000\021\000\377"),
            S("%i\000\000\000\006\001\006\000\021\000\377"),
        },
};

/* RFC 1350 */
const struct script script_tftp = {
    .transport = PROTOCOL_UDP,
    .where = WHERE_OFFICE,
    .port = 69,
    .line_count = 1,
    .lines =
        {
            C("\000\001%w-%w.cfg\000octet\000"),
        },
};

/* RFC 2865: access request and accept */
const struct script script_radius = {
    .transport = PROTOCOL_UDP,
    .where = WHERE_OFFICE,
    .port = 1812,
    .repeat_from = 0,
    .repeat_to = 2,
    .repeat_max = 3,
    .line_count = 2,
    .lines =
        {
            C("\001\007\000\063%z\001\007guest\002\022%z\004\006\012\001\000\001"),
            S("\002\007\000\024%z"),
        },
};

/* SOCKS 4 */
const struct script script_socks4 = {
    .transport = PROTOCOL_TCP,
    .where = WHERE_INTERNET,
    .port = 1080,
    .line_count = 4,
    .lines =
        {
            C("\004\001\000\120\300\000\002\007%u\000"),
            S("\000\132\000\000\000\000\000\000"),
            C("GET / HTTP/1.0\r\n\r\n"),
            S("HTTP/1.0 204 No Content\r\n\r\n"),
        },
};

/* RFC 1928 */
const struct script script_socks5 = {
    .transport = PROTOCOL_TCP,
    .where = WHERE_INTERNET,
    .port = 1080,
    .line_count = 6,
    .lines =
        {
            C("\005\001\000"),
            S("\005\000"),
            C("\005\001\000\003\013example.com\000\120"),
            S("\005\000\000\001\012\001\000\001\037\220"),
            C("GET / HTTP/1.1\r\nHost: example.com\r\n\r\n"),
            S("HTTP/1.1 204 No Content\r\n\r\n"),
        },
};

/* RFC 8489: binding */
const struct script script_stun = {
    .transport = PROTOCOL_UDP,
    .where = WHERE_INTERNET,
    .port = 3478,
    .repeat_from = 0,
    .repeat_to = 2,
    .repeat_max = 4,
    .line_count = 2,
    .lines =
        {
            C("\000\001\000\000\041\022\244\102%I%I%I"),
            S("\001\001\000\014\041\022\244\102%I%I%I\000\040\000\010\000\001%2%4"),
        },
};

/* BEP 3: handshake, then pieces */
const struct script script_bittorrent = {
    .transport = PROTOCOL_TCP,
    .where = WHERE_INTERNET,
    .port = 6881,
    .repeat_from = 2,
    .repeat_to = 4,
    .repeat_max = 10,
    .line_count = 4,
    .lines =
        {
            C("\023BitTorrent protocol\000\000\000\000\000\020\000\005%z%4-TR4040-%4%8"),
            S("\023BitTorrent protocol\000\000\000\000\000\020\000\005%z%4-qB4610-%4%8"),
            C("\000\000\000\015\006\000\000%2\000\000\000\000\000\000\100\000"),
            S("\000\000\000\111\007\000\000%2\000\000\000\000%z%z%z%z"),
        },
};

/* BEP 5: bencoded queries */
const struct script script_dht = {
    .transport = PROTOCOL_UDP,
    .where = WHERE_INTERNET,
    .port = 6881,
    .client_port = 6881,
    .repeat_from = 0,
    .repeat_to = 2,
    .repeat_max = 6,
    .line_count = 2,
    .lines =
        {
            C("d1:ad2:id20:%z%4e1:q4:ping1:t2:aa1:y1:qe"),
            S("d1:rd2:id20:%z%4e1:t2:aa1:y1:re"),
        },
};

/* RFC 4271: open, keepalives */
const struct script script_bgp = {
    .transport = PROTOCOL_TCP,
    .where = WHERE_OFFICE,
    .port = 179,
    .repeat_from = 2,
    .repeat_to = 4,
    .repeat_max = 8,
    .line_count = 4,
    .lines =
        {
            C("\377\377\377\377\377\377\377\377\377\377\377\377\377\377\377\377\000\035\001\004\375\350\000\264\012\001"
              "\000\001\000"),
            S("\377\377\377\377\377\377\377\377\377\377\377\377\377\377\377\377\000\035\001\004\375\351\000\264\012\001"
              "\000\002\000"),
            C("\377\377\377\377\377\377\377\377\377\377\377\377\377\377\377\377\000\023\004"),
            S("\377\377\377\377\377\377\377\377\377\377\377\377\377\377\377\377\000\023\004"),
        },
};

/* RFC 6733: device watchdog */
const struct script script_diameter = {
    .transport = PROTOCOL_TCP,
    .where = WHERE_OFFICE,
    .port = 3868,
    .repeat_from = 0,
    .repeat_to = 2,
    .repeat_max = 6,
    .line_count = 2,
    .lines =
        {
            C("\001\000\000\044\200\000\001\030\000\000\000\000%I%I\000\000\001\010\100\000\000\020host.abc"),
            S("\001\000\000\040\000\000\001\030\000\000\000\000%I%I\000\000\001\014\100\000\000\014\000\000\007\321"),
        },
};

/* S7comm over TPKT and COTP */
const struct script script_s7 = {
    .transport = PROTOCOL_TCP,
    .where = WHERE_OFFICE,
    .port = 102,
    .repeat_from = 2,
    .repeat_to = 4,
    .repeat_max = 10,
    .line_count = 4,
    .lines =
        {
            C("\003\000\000\026\021\340\000\000\000\001\000\300\001\012\301\002\001\000\302\002\001\002"),
            S("\003\000\000\026\021\320\000\001\000\001\000\300\001\012\301\002\001\000\302\002\001\002"),
            C("\003\000\000\037\002\360\200\062\001\000\000%"
              "2\000\016\000\000\004\001\022\012\020\002\000\004\000\001\204\000\000\000"),
            S("\003\000\000\035\002\360\200\062\003\000\000%2\000\002\000\010\000\000\004\001\377\004\000\040%4"),
        },
};

/* BACnet/IP: who is, I am */
const struct script script_bacnet = {
    .transport = PROTOCOL_UDP,
    .where = WHERE_OFFICE,
    .port = 47808,
    .client_port = 47808,
    .repeat_from = 0,
    .repeat_to = 2,
    .repeat_max = 5,
    .line_count = 2,
    .lines =
        {
            C("\201\012\000\010\001\000\020\010"),
            S("\201\012\000\024\001\000\020\000\304\002\000\000\001\042\001\340\221\003\041\017"),
        },
};

/* EtherNet/IP: list identity, register session */
const struct script script_enip = {
    .transport = PROTOCOL_TCP,
    .where = WHERE_OFFICE,
    .port = 44818,
    .repeat_from = 0,
    .repeat_to = 2,
    .repeat_max = 4,
    .line_count = 2,
    .lines =
        {
            C("\143\000\000\000\000\000\000\000\000\000\000\000%8\000\000\000\000"),
            S("\143\000\002\000\000\000\000\000\000\000\000\000%8\000\000\000\000\000\000"),
        },
};

/* RFC 7252 */
const struct script script_coap = {
    .transport = PROTOCOL_UDP,
    .where = WHERE_OFFICE,
    .port = 5683,
    .repeat_from = 0,
    .repeat_to = 2,
    .repeat_max = 8,
    .line_count = 2,
    .lines =
        {
            C("\100\001%2\267sensors\004temp"),
            S("\140\105%2\301\000\37721.5 C"),
        },
};

/* RFC 2661: start control connection */
const struct script script_l2tp = {
    .transport = PROTOCOL_UDP,
    .where = WHERE_INTERNET,
    .port = 1701,
    .client_port = 1701,
    .line_count = 2,
    .lines =
        {
            C("\310\002\000\024\000\000\000\000\000\000\000\000\200\010\000\000\000\000\000\001"),
            S("\310\002\000\024\000\001\000\000\000\000\000\001\200\010\000\000\000\000\000\002"),
        },
};

/* IKEv2, RFC 7296: SA init without payloads */
const struct script script_isakmp = {
    .transport = PROTOCOL_UDP,
    .where = WHERE_INTERNET,
    .port = 500,
    .client_port = 500,
    .repeat_from = 0,
    .repeat_to = 2,
    .repeat_max = 3,
    .line_count = 2,
    .lines =
        {
            C("%8\000\000\000\000\000\000\000\000\050\040\042\010\000\000\000\000\000\000\000\060\000\000\000\024%z"),
            S("%8%8\050\040\042\040\000\000\000\000\000\000\000\060\000\000\000\024%z"),
        },
};

/* OpenVPN: hard resets, then data */
const struct script script_openvpn = {
    .transport = PROTOCOL_UDP,
    .where = WHERE_INTERNET,
    .port = 1194,
    .repeat_from = 2,
    .repeat_to = 4,
    .repeat_max = 12,
    .line_count = 4,
    .lines =
        {
            C("\070%8\000\000\000\000\000"),
            S("\100%8\000\000\000\000\000"),
            C("\060%z%z%z%z%8"),
            S("\060%z%z%z%z%z%4"),
        },
};

/* WireGuard: handshake and transport */
const struct script script_wireguard = {
    .transport = PROTOCOL_UDP,
    .where = WHERE_INTERNET,
    .port = 51820,
    .repeat_from = 2,
    .repeat_to = 4,
    .repeat_max = 12,
    .line_count = 4,
    .lines =
        {
            C("\001\000\000\000%4%z%z%z%z%z%z%z%z%4%8"),
            S("\002\000\000\000%4%4%z%z%z%z%z"),
            C("\004\000\000\000%4\000\000\000\000\000\000\000\000%z%z"),
            S("\004\000\000\000%4\001\000\000\000\000\000\000\000%z%z%z"),
        },
};

/* RFC 2453 */
const struct script script_rip = {
    .transport = PROTOCOL_UDP,
    .where = WHERE_OFFICE,
    .port = 520,
    .client_port = 520,
    .repeat_from = 0,
    .repeat_to = 1,
    .repeat_max = 6,
    .line_count = 1,
    .lines =
        {
            C("\002\002\000\000\000\002\000\000\012%1\000\000\377\377\000\000\000\000\000\000\000\000\000\001"),
        },
};

/* RFC 2281 */
const struct script script_hsrp = {
    .transport = PROTOCOL_UDP,
    .where = WHERE_OFFICE,
    .port = 1985,
    .client_port = 1985,
    .repeat_from = 0,
    .repeat_to = 1,
    .repeat_max = 8,
    .line_count = 1,
    .lines =
        {
            C("\000\000\020\003\012\170\001\000cisco\000\000\000\012\001\000\376"),
        },
};

/* RMCP ping and pong */
const struct script script_ipmi = {
    .transport = PROTOCOL_UDP,
    .where = WHERE_OFFICE,
    .port = 623,
    .repeat_from = 0,
    .repeat_to = 2,
    .repeat_max = 4,
    .line_count = 2,
    .lines =
        {
            C("\006\000\377\006\000\000\021\276\200\001\000\000"),
            S("\006\000\377\006\000\000\021\276\100\001\000\020\000\000\021\276\000\000\000\000\201\000\000\000\000\000"
              "\000\000"),
        },
};

/* ONC RPC, RFC 5531: portmap getport */
const struct script script_rpc = {
    .transport = PROTOCOL_UDP,
    .where = WHERE_OFFICE,
    .port = 111,
    .repeat_from = 0,
    .repeat_to = 2,
    .repeat_max = 3,
    .line_count = 2,
    .lines =
        {
            C("%I\000\000\000\000\000\000\000\002\000\001\206\240\000\000\000\002\000\000\000\003\000\000\000\000\000"
              "\000\000\000\000\000\000\000\000\000\000\000\000\001\206\243\000\000\000\003\000\000\000\021\000\000\000"
              "\000"),
            S("%I\000\000\000\001\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\010\001"),
        },
};

/* MongoDB OP_MSG with an empty command */
const struct script script_mongo = {
    .transport = PROTOCOL_TCP,
    .where = WHERE_OFFICE,
    .port = 27017,
    .repeat_from = 0,
    .repeat_to = 2,
    .repeat_max = 10,
    .line_count = 2,
    .lines =
        {
            C("\060\000\000\000%"
              "4\000\000\000\000\335\007\000\000\000\000\000\000\000\033\000\000\000\020hello\000\001\000\000\000"
              "\002$db\000\002\000\000\000a\000\000"),
            S("\046\000\000\000%4%"
              "4\335\007\000\000\000\000\000\000\000\021\000\000\000\001ok\000\000\000\000\000\000\000\360\077\000"),
        },
};

/* Oracle TNS: connect, refuse */
const struct script script_oracle = {
    .transport = PROTOCOL_TCP,
    .where = WHERE_OFFICE,
    .port = 1521,
    .line_count = 2,
    .lines =
        {
            C("\000\174\000\000\001\000\000\000\001\066\001\054\000\000\010\000\177\377\177\010\000\000\000\001\000\102"
              "\000\072\000\000\000\000\101\101\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000"
              "\000\000\000\000\000\000"
              "(DESCRIPTION=(CONNECT_DATA=(SERVICE_NAME=orders)(CID=(USER=app))))"),
            S("\000\020\000\000\004\000\000\000\001\000\000\004(E=)"),
        },
};

/* Source engine query */
const struct script script_steam = {
    .transport = PROTOCOL_UDP,
    .where = WHERE_INTERNET,
    .port = 27015,
    .repeat_from = 0,
    .repeat_to = 2,
    .repeat_max = 4,
    .line_count = 2,
    .lines =
        {
            C("\377\377\377\377TSource Engine Query\000"),
            S("\377\377\377\377I\021%w server\000%w\000%w\000%w\000\000\000\010\040\000dl\000\0011.0.0.0\000"),
        },
};

/* Quake 3 status */
const struct script script_quake = {
    .transport = PROTOCOL_UDP,
    .where = WHERE_INTERNET,
    .port = 27960,
    .repeat_from = 0,
    .repeat_to = 2,
    .repeat_max = 4,
    .line_count = 2,
    .lines =
        {
            C("\377\377\377\377getstatus\n\000"),
            S("\377\377\377\377statusResponse\n\\mapname\\%w\\sv_hostname\\%w\n\000"),
        },
};

/* RFC 5880 */
const struct script script_bfd = {
    .transport = PROTOCOL_UDP,
    .where = WHERE_OFFICE,
    .port = 3784,
    .client_port = 49152,
    .repeat_from = 0,
    .repeat_to = 2,
    .repeat_max = 20,
    .line_count = 2,
    .lines =
        {
            C("\040\300\003\030%I\000\000\000\002\000\017\102\100\000\017\102\100\000\000\000\000"),
            S("\040\300\003\030\000\000\000\002%I\000\017\102\100\000\017\102\100\000\000\000\000"),
        },
};

/* RFC 5036: hello */
const struct script script_ldp = {
    .transport = PROTOCOL_UDP,
    .where = WHERE_OFFICE,
    .port = 646,
    .client_port = 646,
    .repeat_from = 0,
    .repeat_to = 1,
    .repeat_max = 10,
    .line_count = 1,
    .lines =
        {
            C("\000\001\000\036\012\001\000\001\000\000\001\000\000\024%"
              "4\004\000\000\004\000\017\000\000\004\001\000\004\012\001\000\001"),
        },
};

/* IEC 60870-5-104: start, test frames */
const struct script script_iec104 = {
    .transport = PROTOCOL_TCP,
    .where = WHERE_OFFICE,
    .port = 2404,
    .repeat_from = 2,
    .repeat_to = 4,
    .repeat_max = 14,
    .line_count = 4,
    .lines =
        {
            C("\150\004\007\000\000\000"),
            S("\150\004\013\000\000\000"),
            C("\150\004\103\000\000\000"),
            S("\150\004\203\000\000\000"),
        },
};

/* AMQP 0-9-1: protocol header, heartbeats */
const struct script script_amqp = {
    .transport = PROTOCOL_TCP,
    .where = WHERE_OFFICE,
    .port = 5672,
    .repeat_from = 2,
    .repeat_to = 4,
    .repeat_max = 10,
    .line_count = 4,
    .lines =
        {
            C("AMQP\000\000\011\001"),
            S("AMQP\000\000\011\001"),
            C("\010\000\000\000\000\000\000\316"),
            S("\010\000\000\000\000\000\000\316"),
        },
};

/* Kafka: API versions */
const struct script script_kafka = {
    .transport = PROTOCOL_TCP,
    .where = WHERE_OFFICE,
    .port = 9092,
    .repeat_from = 0,
    .repeat_to = 2,
    .repeat_max = 8,
    .line_count = 2,
    .lines =
        {
            C("\000\000\000\017\000\022\000\000%4\000\005probe"),
            S("\000\000\000\020%4\000\000\000\000\000\001\000\022\000\000\000\003"),
        },
};

/* TACACS+, RFC 8907 */
const struct script script_tacacs = {
    .transport = PROTOCOL_TCP,
    .where = WHERE_OFFICE,
    .port = 49,
    .repeat_from = 0,
    .repeat_to = 2,
    .repeat_max = 2,
    .line_count = 2,
    .lines =
        {
            C("\300\001\001\000%I\000\000\000\040%z%z"),
            S("\300\001\002\000%I\000\000\000\020%z"),
        },
};

/* AJP13: ping */
const struct script script_ajp = {
    .transport = PROTOCOL_TCP,
    .where = WHERE_OFFICE,
    .port = 8009,
    .repeat_from = 0,
    .repeat_to = 2,
    .repeat_max = 10,
    .line_count = 2,
    .lines =
        {
            C("\022\064\000\001\012"),
            S("AB\000\001\011"),
        },
};

/* X11: connection set-up */
const struct script script_x11 = {
    .transport = PROTOCOL_TCP,
    .where = WHERE_OFFICE,
    .port = 6000,
    .line_count = 2,
    .lines =
        {
            C("l\000\013\000\000\000\000\000\000\000\000\000"),
            S("\000\005\013\000\000\000\002\000Error\000\000\000"),
        },
};

/* NetFlow 5: one record */
const struct script script_netflow = {
    .transport = PROTOCOL_UDP,
    .where = WHERE_OFFICE,
    .port = 2055,
    .repeat_from = 0,
    .repeat_to = 1,
    .repeat_max = 12,
    .line_count = 1,
    .lines =
        {
            C("\000\005\000\001%4\145\123\360\000\000\000\000\000%4\000\000\000\000\012%1%2\012%1%"
              "2\012\001\000\001\000\001\000\002\000\000\000\012\000\000\005\334%4%4%"
              "2\001\273\000\030\006\000\000\001\000\002\030\030\000\000"),
        },
};

/* CQL binary protocol: options */
const struct script script_cassandra = {
    .transport = PROTOCOL_TCP,
    .where = WHERE_OFFICE,
    .port = 9042,
    .repeat_from = 0,
    .repeat_to = 2,
    .repeat_max = 8,
    .line_count = 2,
    .lines =
        {
            C("\004\000%2\005\000\000\000\000"),
            S("\204\000%2\006\000\000\000\002\000\000"),
        },
};

/* Minecraft: server list ping */
const struct script script_minecraft = {
    .transport = PROTOCOL_TCP,
    .where = WHERE_INTERNET,
    .port = 25565,
    .line_count = 4,
    .lines =
        {
            C("\020\000\371\005\011localhost\143\335\001\001\000"),
            S("\011\000\007{\"a\":1}"),
            C("\011\001%8"),
            S("\011\001%8"),
        },
};

/* DNP3: link status */
const struct script script_dnp3 = {
    .transport = PROTOCOL_TCP,
    .where = WHERE_OFFICE,
    .port = 20000,
    .repeat_from = 0,
    .repeat_to = 2,
    .repeat_max = 14,
    .line_count = 2,
    .lines =
        {
            C("\005\144\005\311\001\000\000\004\246\127"),
            S("\005\144\005\013\000\004\001\000\132\226"),
        },
};
