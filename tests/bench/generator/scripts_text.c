/*
 * Conversations in lines of text: one table for each protocol, played by script.c.
 */
#include "script.h"

/* RFC 959: log in, list over a passive port, leave */
const struct script script_ftp = {
    .transport = PROTOCOL_TCP,
    .where = WHERE_INTERNET,
    .port = 21,
    .repeat_from = 8,
    .repeat_to = 12,
    .repeat_max = 6,
    .line_count = 14,
    .lines =
        {
            S("220 (vsFTPd 3.0.3)\r\n"),
            C("USER %u\r\n"),
            S("331 Please specify the password.\r\n"),
            C("PASS %w%n\r\n"),
            S("230 Login successful.\r\n"),
            C("SYST\r\n"),
            S("215 UNIX Type: L8\r\n"),
            C("TYPE I\r\n"),
            S("200 Switching to Binary mode.\r\n"),
            C("PASV\r\n"),
            S("227 Entering Passive Mode (192,0,2,7,117,48).\r\n"),
            C("RETR %w/%w-%n.zip\r\n"),
            S("550 Failed to open file.\r\n"),
            C("QUIT\r\n"),
        },
};

/* RFC 2812 */
const struct script script_irc = {
    .transport = PROTOCOL_TCP,
    .where = WHERE_INTERNET,
    .port = 6667,
    .repeat_from = 3,
    .repeat_to = 6,
    .repeat_max = 10,
    .line_count = 8,
    .lines =
        {
            C("NICK %w%n\r\nUSER %w 0 * :%u\r\n"),
            S(":%h 001 %w :Welcome to the network\r\n:%h 376 %w :End of /MOTD\r\n"),
            C("JOIN #%w\r\n"),
            S(":%w!~%w@%a PRIVMSG #%w :%t\r\n"),
            C("PRIVMSG #%w :%t\r\n"),
            S("PING :%h\r\n"),
            C("PONG :%h\r\n"),
            C("QUIT :%t\r\n"),
        },
};

/* RFC 854: options, log in, a few commands */
const struct script script_telnet = {
    .transport = PROTOCOL_TCP,
    .where = WHERE_OFFICE,
    .port = 23,
    .repeat_from = 6,
    .repeat_to = 8,
    .repeat_max = 12,
    .line_count = 9,
    .lines =
        {
            S("\377\375\030\377\375\040\377\375\043"),
            C("\377\373\030\377\374\040\377\374\043"),
            S("\r\n%h login: "),
            C("%u\r\n"),
            S("Password: "),
            C("%w%n\r\n"),
            S("%t\r\n$ "),
            C("ls -l %w\r\n"),
            C("logout\r\n"),
        },
};

/* RESP */
const struct script script_redis = {
    .transport = PROTOCOL_TCP,
    .where = WHERE_OFFICE,
    .port = 6379,
    .repeat_from = 0,
    .repeat_to = 4,
    .repeat_max = 14,
    .line_count = 6,
    .lines =
        {
            C("*2\r\n$3\r\nGET\r\n$9\r\nkey:%N\r\n"),
            S("$8\r\n%x\r\n"),
            C("*3\r\n$3\r\nSET\r\n$9\r\nkey:%N\r\n$8\r\n%x\r\n"),
            S("+OK\r\n"),
            C("*1\r\n$4\r\nQUIT\r\n"),
            S("+OK\r\n"),
        },
};

/* memcached's text protocol */
const struct script script_memcached = {
    .transport = PROTOCOL_TCP,
    .where = WHERE_OFFICE,
    .port = 11211,
    .repeat_from = 0,
    .repeat_to = 4,
    .repeat_max = 12,
    .line_count = 5,
    .lines =
        {
            C("get %w:%n\r\n"),
            S("VALUE %w 0 8\r\n%x\r\nEND\r\n"),
            C("set %w:%n 0 3600 8\r\n%x\r\n"),
            S("STORED\r\n"),
            C("quit\r\n"),
        },
};

/* RFC 1288 */
const struct script script_finger = {
    .transport = PROTOCOL_TCP,
    .where = WHERE_OFFICE,
    .port = 79,
    .line_count = 2,
    .lines =
        {
            C("%u\r\n"),
            S("Login: %u\r\nName: %t\r\nPlan: %t\r\n"),
        },
};

/* RFC 3912 */
const struct script script_whois = {
    .transport = PROTOCOL_TCP,
    .where = WHERE_INTERNET,
    .port = 43,
    .line_count = 2,
    .lines =
        {
            C("%d\r\n"),
            S("Domain Name: %d\r\nRegistrar: %t\r\nCreation Date: 2010-04-01T00:00:00Z\r\n"),
        },
};

/* RFC 1436 */
const struct script script_gopher = {
    .transport = PROTOCOL_TCP,
    .where = WHERE_INTERNET,
    .port = 70,
    .line_count = 2,
    .lines =
        {
            C("/%w\r\n"),
            S("0%t\t/%w\t%h\t70\r\n1%t\t/%w\t%h\t70\r\n.\r\n"),
        },
};

/* RFC 3977 */
const struct script script_nntp = {
    .transport = PROTOCOL_TCP,
    .where = WHERE_INTERNET,
    .port = 119,
    .repeat_from = 2,
    .repeat_to = 4,
    .repeat_max = 8,
    .line_count = 6,
    .lines =
        {
            S("200 %h ready\r\n"),
            C("MODE READER\r\n"),
            S("200 posting allowed\r\n"),
            C("GROUP comp.%w.%w\r\n"),
            C("QUIT\r\n"),
            S("205 bye\r\n"),
        },
};

/* RFC 2326 */
const struct script script_rtsp = {
    .transport = PROTOCOL_TCP,
    .where = WHERE_OFFICE,
    .port = 554,
    .line_count = 4,
    .lines =
        {
            C("OPTIONS rtsp://%h/%w RTSP/1.0\r\nCSeq: 1\r\nUser-Agent: LibVLC/3.0.18\r\n\r\n"),
            S("RTSP/1.0 200 OK\r\nCSeq: 1\r\nPublic: OPTIONS, DESCRIBE, SETUP, PLAY, TEARDOWN\r\n\r\n"),
            C("DESCRIBE rtsp://%h/%w RTSP/1.0\r\nCSeq: 2\r\nAccept: application/sdp\r\n\r\n"),
            S("RTSP/1.0 401 Unauthorized\r\nCSeq: 2\r\nWWW-Authenticate: Basic realm=\"cam\"\r\n\r\n"),
        },
};

/* RFC 6120 */
const struct script script_xmpp = {
    .transport = PROTOCOL_TCP,
    .where = WHERE_INTERNET,
    .port = 5222,
    .repeat_from = 4,
    .repeat_to = 6,
    .repeat_max = 5,
    .line_count = 7,
    .lines =
        {
            C("<?xml version='1.0'?><stream:stream to='%d' xmlns='jabber:client' "
              "xmlns:stream='http://etherx.jabber.org/streams' version='1.0'>"),
            S("<?xml version='1.0'?><stream:stream from='%d' id='%x' xmlns='jabber:client' "
              "xmlns:stream='http://etherx.jabber.org/streams' version='1.0'><stream:features><bind "
              "xmlns='urn:ietf:params:xml:ns:xmpp-bind'/></stream:features>"),
            C("<presence/>"),
            S("<presence to='%u@%d'/>"),
            C("<message to='%w@%d' type='chat'><body>%t</body></message>"),
            S("<message from='%w@%d' to='%u@%d'><body>%t</body></message>"),
            C("</stream:stream>"),
        },
};

/* RFC 1413 */
const struct script script_ident = {
    .transport = PROTOCOL_TCP,
    .where = WHERE_INTERNET,
    .port = 113,
    .line_count = 2,
    .lines =
        {
            C("40001, 25\r\n"),
            S("40001, 25 : USERID : UNIX : %u\r\n"),
        },
};

/* beanstalkd */
const struct script script_beanstalk = {
    .transport = PROTOCOL_TCP,
    .where = WHERE_OFFICE,
    .port = 11300,
    .repeat_from = 0,
    .repeat_to = 4,
    .repeat_max = 8,
    .line_count = 5,
    .lines =
        {
            C("put 1024 0 60 8\r\n%x\r\n"),
            S("INSERTED %n\r\n"),
            C("reserve\r\n"),
            S("RESERVED %n 8\r\n%x\r\n"),
            C("quit\r\n"),
        },
};

/* git's own protocol */
const struct script script_git = {
    .transport = PROTOCOL_TCP,
    .where = WHERE_INTERNET,
    .port = 9418,
    .line_count = 3,
    .lines =
        {
            C("0032git-upload-pack /project.git\000host=example.com\000"),
            S("003f%x%x%x%x%x refs/heads/next-x\n0000"),
            C("0000"),
        },
};

/* rsync daemon */
const struct script script_rsync = {
    .transport = PROTOCOL_TCP,
    .where = WHERE_OFFICE,
    .port = 873,
    .line_count = 4,
    .lines =
        {
            S("@RSYNCD: 31.0 sha512 sha256 sha1 md5 md4\n"),
            C("@RSYNCD: 31.0 sha512 sha256 sha1 md5 md4\n"),
            C("%w\n"),
            S("@ERROR: Unknown module\n"),
        },
};

/* RFC 6143 */
const struct script script_vnc = {
    .transport = PROTOCOL_TCP,
    .where = WHERE_OFFICE,
    .port = 5900,
    .line_count = 7,
    .lines =
        {
            S("RFB 003.008\n"),
            C("RFB 003.008\n"),
            S("\001\002"),
            C("\002"),
            S("%z"),
            C("%z"),
            S("\000\000\000\000"),
        },
};

/* STOMP 1.2 */
const struct script script_stomp = {
    .transport = PROTOCOL_TCP,
    .where = WHERE_OFFICE,
    .port = 61613,
    .repeat_from = 2,
    .repeat_to = 3,
    .repeat_max = 8,
    .line_count = 4,
    .lines =
        {
            C("CONNECT\naccept-version:1.2\nhost:%h\n\n\000"),
            S("CONNECTED\nversion:1.2\n\n\000"),
            C("SEND\ndestination:/queue/%w\n\n%t\000"),
            C("DISCONNECT\n\n\000"),
        },
};

/* NATS */
const struct script script_nats = {
    .transport = PROTOCOL_TCP,
    .where = WHERE_OFFICE,
    .port = 4222,
    .repeat_from = 2,
    .repeat_to = 4,
    .repeat_max = 8,
    .line_count = 5,
    .lines =
        {
            S("INFO {\"server_id\":\"%x\",\"version\":\"2.10.4\"}\r\n"),
            C("CONNECT {\"verbose\":false,\"name\":\"%w\"}\r\n"),
            C("PUB %w.%w 8\r\n%x\r\n"),
            S("PING\r\n"),
            C("PONG\r\n"),
        },
};

/* statsd */
const struct script script_statsd = {
    .transport = PROTOCOL_UDP,
    .where = WHERE_OFFICE,
    .port = 8125,
    .repeat_from = 0,
    .repeat_to = 1,
    .repeat_max = 20,
    .line_count = 1,
    .lines =
        {
            C("%w.%w:%n|c\n%w.%w:%n|ms\n"),
        },
};

/* RFC 6587 */
const struct script script_syslog_tcp = {
    .transport = PROTOCOL_TCP,
    .where = WHERE_OFFICE,
    .port = 601,
    .repeat_from = 0,
    .repeat_to = 1,
    .repeat_max = 10,
    .line_count = 1,
    .lines =
        {
            C("<13>1 2023-11-14T22:13:20Z %m app %n - - %t\n"),
        },
};
