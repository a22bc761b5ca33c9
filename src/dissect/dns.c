/* dns.c: DNS over UDP and TCP (RFC 1035, EDNS RFC 6891), LLMNR (RFC 4795) and multicast DNS (RFC 6762).
 *
 * Each distinct query of a session (name, class, type, opcode, id) is one element of dns[]; responses add to it. Names
 * that a response makes the question's own (its name, CNAME targets, name and mail servers) decide under which of the
 * three address lists an A or AAAA record is kept; they are remembered by hash for the length of one message.
 */
#include "base/hash.h"
#include "base/util.h"
#include "dissect/dissector.h"
#include "dissect/dns_codes.h"
#include "dissect/dns_name.h"
#include "dissect/dns_record.h"

enum {
    PORT_DNS = 53,
    PORT_MDNS = 5353,
    PORT_LLMNR = 5355,
    IP_PROTOCOL_TCP = 6,
    MESSAGE_MIN = 17,     /* header, root name, type, class */
    FRAME_MAX = 8192,     /* over TCP, with its two bytes of length: of longer ones only the beginning is read */
    ADDRESSES_MAX = 2000, /* of one response */
    HOSTS_MAX = 64,       /* names of one response that can have addresses */
};

/* Ascending order is the order in which they are put: children of an object are sorted by it. */
enum {
    OBJECT,
    OPCODE,
    QUERY_HOST,
    QUERY_CLASS,
    QUERY_TYPE,
    HOST,
    NAMESERVER_HOST,
    MAILSERVER_HOST,
    PUNY,
    IP,
    NAMESERVER_IP,
    MAILSERVER_IP,
    HEADER_FLAGS,
    STATUS,
    ANSWERS_COUNT,
    ANSWERS,
    ANSWER_NAME,
    ANSWER_CLASS,
    ANSWER_TYPE,
    ANSWER_TTL,
    ANSWER_IP,
    ANSWER_CNAME,
    ANSWER_NAMESERVER,
    ANSWER_MX,
    ANSWER_PRIORITY,
    ANSWER_HTTPS,
    ANSWER_TXT,
    ANSWER_CAA,
    ANSWER_RRSIG,
    ANSWER_NSEC,
    ANSWER_DS,
    ALL_HOSTS,
    ALL_IPS,
};

static const struct field_def fields[] = {
    [OBJECT] = {.path = "dns", .type = FT_OBJECT, .flags = F_OBJECT_COUNT, .title = "DNS", .help = "DNS queries"},
    [OPCODE] = {.path = "dns.opcode",
                .name = "dns.opcode",
                .type = FT_UPPER,
                .flags = F_SINGLE,
                .title = "DNS Op Code",
                .help = "DNS lookup op code"},
    [QUERY_HOST] = {.path = "dns.queryHost",
                    .name = "dns.query.host",
                    .type = FT_LOWER,
                    .flags = F_SINGLE | F_UTF8,
                    .title = "DNS Query Host",
                    .help = "Name asked for; <root> for the empty one",
                    .category = "host"},
    [QUERY_CLASS] = {.path = "dns.qc",
                     .name = "dns.query.class",
                     .type = FT_UPPER,
                     .flags = F_SINGLE,
                     .title = "DNS Query Class",
                     .help = "DNS lookup query class"},
    [QUERY_TYPE] = {.path = "dns.qt",
                    .name = "dns.query.type",
                    .type = FT_UPPER,
                    .flags = F_SINGLE,
                    .title = "DNS Query Type",
                    .help = "DNS lookup query type"},
    [HOST] = {.path = "dns.host",
              .name = "host.dns",
              .type = FT_LOWER,
              .flags = F_COUNT | F_UTF8 | F_TOKENS,
              .title = "DNS Host",
              .help = "Name asked for and its aliases",
              .category = "host",
              .aliases = "dns.host"},
    [NAMESERVER_HOST] = {.path = "dns.nameserverHost",
                         .name = "host.dns.nameserver",
                         .type = FT_LOWER,
                         .flags = F_COUNT | F_UTF8,
                         .title = "DNS NS Host",
                         .help = "Hostnames of name servers",
                         .category = "host"},
    [MAILSERVER_HOST] = {.path = "dns.mailserverHost",
                         .name = "host.dns.mailserver",
                         .type = FT_LOWER,
                         .flags = F_COUNT | F_UTF8,
                         .title = "DNS MX Host",
                         .help = "Hostnames of mail exchange servers",
                         .category = "host"},
    [PUNY] = {.path = "dns.puny",
              .name = "dns.puny",
              .type = FT_LOWER,
              .flags = F_COUNT,
              .title = "DNS Puny",
              .help = "Internationalised names as they were sent"},
    [IP] = {.path = "dns.ip",
            .name = "ip.dns",
            .type = FT_IP,
            .flags = F_COUNT | F_GEO,
            .title = "DNS IP",
            .help = "Addresses of the name asked for",
            .category = "ip",
            .aliases = "dns.ip"},
    [NAMESERVER_IP] = {.path = "dns.nameserverIp",
                       .name = "ip.dns.nameserver",
                       .type = FT_IP,
                       .flags = F_COUNT | F_GEO,
                       .title = "DNS NS IP",
                       .help = "Addresses of name servers",
                       .category = "ip"},
    [MAILSERVER_IP] = {.path = "dns.mailserverIp",
                       .name = "ip.dns.mailserver",
                       .type = FT_IP,
                       .flags = F_COUNT | F_GEO,
                       .title = "DNS MX IP",
                       .help = "Addresses of mail exchange servers",
                       .category = "ip"},
    [HEADER_FLAGS] = {.path = "dns.headerFlags",
                      .name = "dns.header_flags",
                      .type = FT_UPPER,
                      .title = "DNS Header Flags",
                      .help = "Flags of the responses: AA TC RD RA Z AD CD"},
    [STATUS] = {.path = "dns.status",
                .name = "dns.status",
                .type = FT_UPPER,
                .flags = F_SINGLE,
                .title = "DNS Status Code",
                .help = "Response code, with the upper bits of EDNS"},
    [ANSWERS_COUNT] = {.path = "dns.answersCnt",
                       .name = "dns.answer.cnt",
                       .type = FT_U64,
                       .flags = F_SINGLE | F_SUM,
                       .title = "DNS Answers Cnt",
                       .help = "Records in the responses"},
    [ANSWERS] = {.path = "dns.answers", .type = FT_OBJECT, .title = "Answers", .help = "Records of the responses"},
    [ANSWER_NAME] = {.path = "dns.answers.name",
                     .name = "dns.answer.name",
                     .type = FT_KEYWORD,
                     .flags = F_SINGLE | F_UTF8,
                     .title = "DNS Name",
                     .help = "Name the record is about"},
    [ANSWER_CLASS] = {.path = "dns.answers.class",
                      .name = "dns.answer.class",
                      .type = FT_UPPER,
                      .flags = F_SINGLE,
                      .title = "DNS Answer Class",
                      .help = "Class of the record"},
    [ANSWER_TYPE] = {.path = "dns.answers.type",
                     .name = "dns.answer.type",
                     .type = FT_UPPER,
                     .flags = F_SINGLE,
                     .title = "DNS Answer Type",
                     .help = "Type of the record"},
    [ANSWER_TTL] = {.path = "dns.answers.ttl",
                    .name = "dns.answer.ttl",
                    .type = FT_U64,
                    .flags = F_SINGLE | F_SECONDS,
                    .title = "DNS Answer TTL",
                    .help = "How long the record may be kept, in seconds"},
    [ANSWER_IP] = {.path = "dns.answers.ip",
                   .name = "dns.answer.ip",
                   .type = FT_IP,
                   .flags = F_SINGLE,
                   .title = "DNS Answer IP",
                   .help = "Address of an A or AAAA record"},
    [ANSWER_CNAME] = {.path = "dns.answers.cname",
                      .name = "dns.answer.cname",
                      .type = FT_KEYWORD,
                      .flags = F_SINGLE | F_UTF8,
                      .title = "DNS Answer CNAME",
                      .help = "Target of a CNAME record"},
    [ANSWER_NAMESERVER] = {.path = "dns.answers.nameserver",
                           .name = "dns.answer.ns",
                           .type = FT_KEYWORD,
                           .flags = F_SINGLE | F_UTF8,
                           .title = "DNS Answer NS",
                           .help = "Name server of an NS record"},
    [ANSWER_MX] = {.path = "dns.answers.mx",
                   .name = "dns.answer.mx",
                   .type = FT_KEYWORD,
                   .flags = F_SINGLE | F_UTF8,
                   .title = "DNS Answer MX",
                   .help = "Mail server of an MX record"},
    [ANSWER_PRIORITY] = {.path = "dns.answers.priority",
                         .name = "dns.answer.priority",
                         .type = FT_U64,
                         .flags = F_SINGLE,
                         .title = "DNS Answer Priority",
                         .help = "Preference of an MX record"},
    [ANSWER_HTTPS] = {.path = "dns.answers.https",
                      .name = "dns.answer.https",
                      .type = FT_KEYWORD,
                      .flags = F_SINGLE | F_UTF8,
                      .title = "DNS Answer HTTPS",
                      .help = "HTTPS or SVCB record as text"},
    [ANSWER_TXT] = {.path = "dns.answers.txt",
                    .name = "dns.answer.txt",
                    .type = FT_KEYWORD,
                    .flags = F_REPEAT | F_UTF8,
                    .title = "DNS Answer TXT",
                    .help = "Strings of a TXT record"},
    [ANSWER_CAA] = {.path = "dns.answers.caa",
                    .name = "dns.answer.caa",
                    .type = FT_KEYWORD,
                    .flags = F_SINGLE | F_UTF8,
                    .title = "DNS Answer CAA",
                    .help = "CAA record as text"},
    [ANSWER_RRSIG] = {.path = "dns.answers.rrsig",
                      .name = "dns.answer.rrsig",
                      .type = FT_KEYWORD,
                      .flags = F_SINGLE | F_UTF8,
                      .title = "DNS Answer RRSIG",
                      .help = "RRSIG record as text, without the signature"},
    [ANSWER_NSEC] = {.path = "dns.answers.nsec",
                     .name = "dns.answer.nsec",
                     .type = FT_KEYWORD,
                     .flags = F_SINGLE | F_UTF8,
                     .title = "DNS Answer NSEC",
                     .help = "NSEC record as text"},
    [ANSWER_DS] = {.path = "dns.answers.ds",
                   .name = "dns.answer.ds",
                   .type = FT_KEYWORD,
                   .flags = F_SINGLE | F_UTF8,
                   .title = "DNS Answer DS",
                   .help = "DS record as text"},
    [ALL_HOSTS] = {.path = "dnshostall",
                   .name = "host.dns.all",
                   .type = FT_UNION,
                   .flags = F_VIRTUAL,
                   .title = "DNS All Host",
                   .help = "Any host name of DNS",
                   .members = "host.dns,host.dns.nameserver,host.dns.mailserver"},
    [ALL_IPS] = {.path = "dnsipall",
                 .name = "ip.dns.all",
                 .type = FT_UNION,
                 .flags = F_VIRTUAL,
                 .title = "DNS All IP",
                 .help = "Any address of DNS",
                 .members = "ip.dns,ip.dns.nameserver,ip.dns.mailserver"},
};

struct dns_settings {
    bool record_all;
    bool output_answers;
};

static const struct setting settings[] = {
    {.name = "parseDNSRecordAll",
     .type = ST_BOOL,
     .offset = SETTING(dns_settings, record_all),
     .fallback = "false",
     .help = "Record name and mail servers of responses, and their addresses, in fields of their own"},
    {.name = "dnsOutputAnswers",
     .type = ST_BOOL,
     .offset = SETTING(dns_settings, output_answers),
     .fallback = "true",
     .help = "Write every record of the responses into dns.answers"},
};

/* Bytes of a TCP message that is too long, still to be skipped, for each side. */
struct dns_state {
    uint32_t skip[2];
};

/* What makes a name's addresses worth a list of their own. */
enum { ROLE_HOST = 1, ROLE_NAMESERVER = 2, ROLE_MAILSERVER = 4 };

/* One message. */
struct reading {
    struct dissect *d;
    const struct dns_settings *settings;
    struct dns_message message;
    struct cursor c;
    bool multicast;
    uint16_t rcode;
    struct object query;
    uint32_t answers, addresses;
    struct {
        uint64_t hash;
        uint8_t roles;
    } hosts[HOSTS_MAX];
    unsigned host_count;
};

struct question {
    struct dns_name name;
    uint16_t id, type, code;
    uint8_t opcode;
};

struct resource {
    struct dns_name name;
    uint16_t type;
    uint32_t ttl;
    struct cursor data;
};

/* Where in the message a cursor stands that is `before` bytes before the message's own, for names to be found there
 * again. */
static uint16_t place_of(const struct reading *r, size_t before) {
    size_t place = r->message.bytes.len - cursor_left(&r->c) - before;
    return place < 0x4000 ? (uint16_t)place : 0;
}

static bool name_read(struct reading *r, struct cursor *c, uint16_t offset, struct dns_name *ret) {
    enum name_fault fault = dns_name_read(&r->message, c, offset, ret);
    if (fault == NAME_LOOP) {
        dissect_tag(r->d, "dns:bad-pointer-loop");
    } else if (fault == NAME_LONG) {
        dissect_tag(r->d, "bad-hostname");
    } else if (fault == NAME_FINE && ret->bad_puny) {
        dissect_tag(r->d, "bad-punycode");
    }
    return fault == NAME_FINE;
}

static void note_role(struct reading *r, const struct dns_name *name, uint8_t role) {
    for (unsigned i = 0; i < r->host_count; i++) {
        if (r->hosts[i].hash == name->hash) {
            r->hosts[i].roles |= role;
            return;
        }
    }
    if (r->host_count < HOSTS_MAX) {
        r->hosts[r->host_count].hash = name->hash;
        r->hosts[r->host_count++].roles = role;
    }
}

static uint8_t roles_of(const struct reading *r, const struct dns_name *name) {
    for (unsigned i = 0; i < r->host_count; i++) {
        if (r->hosts[i].hash == name->hash) {
            return r->hosts[i].roles;
        }
    }
    return 0;
}

/* --- the question --- */

static void put_number(struct reading *r, struct object o, unsigned field, const char *name, uint16_t number) {
    if (name) {
        object_const(r->d, o, field, name);
    } else if (number) {
        object_text(r->d, o, field, dns_number_text(r->d->scratch, field == QUERY_CLASS ? "CLASS" : "TYPE", number));
    }
}

static void put_puny(struct reading *r, const struct dns_name *name) {
    if (name->puny.len) {
        object_text(r->d, r->query, PUNY, name->puny);
    }
}

static void put_query(struct reading *r, const struct question *q) {
    struct dissect *d = r->d;
    object_const(d, r->query, OPCODE, dns_opcode_name(q->opcode));
    object_text(d, r->query, QUERY_HOST, q->name.text);
    put_number(r, r->query, QUERY_CLASS, dns_class_name(q->code), q->code);
    put_number(r, r->query, QUERY_TYPE, dns_type_name(q->type), q->type);
    if (!q->name.root) {
        object_text(d, r->query, HOST, q->name.text);
        put_puny(r, &q->name);
    }
}

static uint64_t query_key(const struct question *q) {
    const uint64_t parts[2] = {q->name.hash,
                               (uint64_t)q->id << 48 | (uint64_t)q->opcode << 32 | (uint32_t)q->type << 16 | q->code};
    uint64_t key = hash_bytes(parts, sizeof(parts), 0);
    return key ? key : 1;
}

/* The first question, or the root name where multicast DNS sends answers without one. */
static bool question_read(struct reading *r, uint16_t count, struct question *q) {
    if (count == 0) {
        struct cursor root = cursor_over(SPAN_LITERAL("\0"));
        return name_read(r, &root, 0, &q->name);
    }
    if (!name_read(r, &r->c, 12, &q->name)) {
        return false;
    }
    q->type = cursor_u16(&r->c);
    q->code = cursor_u16(&r->c);
    if (r->multicast) {
        q->code &= 0x7fff; /* the top bit asks for a unicast answer (RFC 6762 5.4) */
    }
    return cursor_ok(&r->c);
}

static bool questions_skip(struct reading *r, uint16_t count) {
    struct dns_name ignored;
    while (count-- > 0) {
        if (!name_read(r, &r->c, 0, &ignored)) {
            return false;
        }
        cursor_skip(&r->c, 4);
    }
    return cursor_ok(&r->c);
}

/* --- the records of a response --- */

static struct object put_answer(struct reading *r, const struct resource *rr) {
    struct dissect *d = r->d;
    put_puny(r, &rr->name);
    r->answers++;
    if (!r->settings->output_answers) {
        return (struct object){0};
    }
    struct object answer = object_child(d, r->query, ANSWERS);
    object_text(d, answer, ANSWER_NAME, rr->name.text);
    object_const(d, answer, ANSWER_CLASS, "IN");
    put_number(r, answer, ANSWER_TYPE, dns_type_name(rr->type), rr->type);
    object_u64(d, answer, ANSWER_TTL, rr->ttl);
    return answer;
}

/* A record whose data is a name: CNAME, NS, MX. The root stands for "none" (RFC 7505) and is no host. */
static void put_named(struct reading *r, struct resource *rr, unsigned answer_field, unsigned host_field,
                      uint8_t role) {
    uint16_t priority = rr->type == DNS_MX ? cursor_u16(&rr->data) : 0;
    struct dns_name name;
    if (!name_read(r, &rr->data, place_of(r, cursor_left(&rr->data)), &name)) {
        return;
    }
    if (!name.root && role) {
        object_text(r->d, r->query, host_field, name.text);
        put_puny(r, &name);
        note_role(r, &name, role);
    }
    struct object answer = put_answer(r, rr);
    object_text(r->d, answer, answer_field, name.text);
    if (rr->type == DNS_MX) {
        object_u64(r->d, answer, ANSWER_PRIORITY, priority);
    }
}

static void put_address(struct reading *r, struct resource *rr) {
    uint8_t ip[16] = {[10] = 0xff, [11] = 0xff};
    size_t size = rr->type == DNS_A ? 4 : 16;
    if (cursor_left(&rr->data) != size) {
        return;
    }
    for (size_t i = sizeof(ip) - size; i < sizeof(ip); i++) {
        ip[i] = cursor_u8(&rr->data);
    }
    uint8_t roles = r->addresses < ADDRESSES_MAX ? roles_of(r, &rr->name) : 0;
    r->addresses += roles != 0;
    if (roles & ROLE_HOST) {
        object_ip(r->d, r->query, IP, ip);
    }
    if (roles & ROLE_NAMESERVER) {
        object_ip(r->d, r->query, NAMESERVER_IP, ip);
    }
    if (roles & ROLE_MAILSERVER) {
        object_ip(r->d, r->query, MAILSERVER_IP, ip);
    }
    object_ip(r->d, put_answer(r, rr), ANSWER_IP, ip);
}

static void put_strings(struct reading *r, struct resource *rr) {
    struct cursor check = rr->data;
    while (cursor_left(&check)) {
        cursor_skip(&check, cursor_u8(&check));
    }
    if (!cursor_ok(&check)) {
        return;
    }
    struct object answer = put_answer(r, rr);
    while (cursor_left(&rr->data)) {
        struct span string = cursor_span(&rr->data, cursor_u8(&rr->data));
        if (string.len) {
            object_text(r->d, answer, ANSWER_TXT, string);
        }
    }
}

static void put_line(struct reading *r, struct resource *rr, unsigned field) {
    struct span text;
    if (dns_record_text(&r->message, rr->type, rr->data, &text)) {
        object_text(r->d, put_answer(r, rr), field, text);
    }
}

static void put_record(struct reading *r, struct resource *rr) {
    bool all = r->settings->record_all;
    switch (rr->type) {
    case DNS_A:
    case DNS_AAAA:
        put_address(r, rr);
        break;
    case DNS_CNAME:
        put_named(r, rr, ANSWER_CNAME, HOST, ROLE_HOST);
        break;
    case DNS_NS:
        put_named(r, rr, ANSWER_NAMESERVER, NAMESERVER_HOST, all ? ROLE_NAMESERVER : 0);
        break;
    case DNS_MX:
        put_named(r, rr, ANSWER_MX, all ? MAILSERVER_HOST : HOST, all ? ROLE_MAILSERVER : ROLE_HOST);
        break;
    case DNS_TXT:
        put_strings(r, rr);
        break;
    case DNS_SVCB:
    case DNS_HTTPS:
        put_line(r, rr, ANSWER_HTTPS);
        break;
    case DNS_CAA:
        put_line(r, rr, ANSWER_CAA);
        break;
    case DNS_RRSIG:
        put_line(r, rr, ANSWER_RRSIG);
        break;
    case DNS_NSEC:
        put_line(r, rr, ANSWER_NSEC);
        break;
    case DNS_DS:
        put_line(r, rr, ANSWER_DS);
        break;
    default:
        (void)put_answer(r, rr);
    }
}

/* Reads one record and puts it. False when the message ends before the record does. */
static bool record_read(struct reading *r) {
    struct resource rr;
    if (!name_read(r, &r->c, place_of(r, 0), &rr.name)) {
        return false;
    }
    rr.type = cursor_u16(&r->c);
    uint16_t code = cursor_u16(&r->c);
    rr.ttl = cursor_u32(&r->c);
    rr.data = cursor_sub(&r->c, cursor_u16(&r->c));
    if (!cursor_ok(&r->c)) {
        return false;
    }
    if (rr.type == DNS_OPT) {
        r->rcode |= (uint16_t)(rr.ttl >> 24 << 4);
        return true;
    }
    if (r->multicast) {
        code &= 0x7fff; /* the top bit says that older records are to be forgotten (RFC 6762 10.2) */
    }
    if (code == DNS_CLASS_IN) {
        put_record(r, &rr);
    }
    return true;
}

static void response_read(struct reading *r, uint16_t flags, uint32_t records) {
    struct dissect *d = r->d;
    for (unsigned i = 0; i < DNS_FLAGS; i++) {
        if (flags & 0x400u >> i) {
            object_const(d, r->query, HEADER_FLAGS, dns_flag_names[i]);
        }
    }
    r->rcode = flags & 0xf;
    while (records-- > 0 && record_read(r)) {
    }
    const char *status = dns_status_name(r->rcode);
    if (status) {
        object_const(d, r->query, STATUS, status);
    } else {
        object_text(d, r->query, STATUS, dns_number_text(d->scratch, "", r->rcode));
    }
    if (r->settings->output_answers) {
        object_u64(d, r->query, ANSWERS_COUNT, r->answers);
    }
}

static void message_read(struct dissect *d, struct span bytes, const char *protocol, bool multicast) {
    struct reading r;
    r.d = d;
    r.settings = d->settings;
    r.message.bytes = bytes;
    r.message.scratch = d->scratch;
    r.message.kept_count = 0;
    r.multicast = multicast;
    r.answers = r.addresses = 0;
    r.host_count = 0;
    r.c = cursor_over(bytes);
    struct question q = {.id = cursor_u16(&r.c)};
    uint16_t flags = cursor_u16(&r.c), questions = cursor_u16(&r.c);
    uint32_t records = cursor_u16(&r.c);
    records += cursor_u16(&r.c);
    records += cursor_u16(&r.c);
    q.opcode = flags >> 11 & 0xf;
    if (bytes.len < MESSAGE_MIN || q.opcode > DNS_OPCODE_LAST) {
        return;
    }
    dissect_protocol(d, protocol);
    if (questions != 1 && !multicast) {
        dissect_tag(d, "dns:qdcount-not-1");
        return;
    }
    if (!question_read(&r, questions, &q)) {
        return;
    }
    bool fresh;
    r.query = put_object(d, OBJECT, query_key(&q), &fresh);
    if (fresh) {
        put_query(&r, &q);
    }
    if (flags & 0x8000) {
        note_role(&r, &q.name, ROLE_HOST);
        if (questions < 2 || questions_skip(&r, (uint16_t)(questions - 1))) {
            response_read(&r, flags, records);
        }
    }
}

/* --- entry points --- */

static bool has_port(const struct dissect *d, uint16_t port) {
    return d->flow->port[0] == port || d->flow->port[1] == port;
}

static enum match dns_probe(struct span first, const struct dissect *d) {
    if (d->flow->ip_protocol != IP_PROTOCOL_TCP) {
        return MATCH_YES; /* each datagram is looked at for itself */
    }
    struct cursor c = cursor_over(first);
    uint16_t len = cursor_u16(&c), id = cursor_u16(&c);
    uint8_t flags = cursor_u8(&c);
    (void)id;
    if (d->flow->port[1] != PORT_DNS || (first.len >= 2 && len < MESSAGE_MIN)) {
        return MATCH_NO;
    }
    if (!cursor_ok(&c)) {
        return MATCH_MORE;
    }
    return (flags >> 3 & 0xf) <= DNS_OPCODE_LAST ? MATCH_YES : MATCH_NO;
}

static enum verdict dns_datagram(struct dissect *d, struct span bytes) {
    if (has_port(d, PORT_DNS)) {
        message_read(d, bytes, "dns", false);
    } else if (has_port(d, PORT_LLMNR)) {
        message_read(d, bytes, "llmnr", false);
    } else {
        message_read(d, bytes, "mdns", true);
    }
    return VERDICT_OK;
}

/* Messages over TCP have their length before them (RFC 1035 4.2.2); any number of them, in both directions. */
static enum verdict dns_stream(struct dissect *d, struct span bytes) {
    struct dns_state *s = d->state;
    struct cursor c = cursor_over(bytes);
    for (;;) {
        uint32_t skipped = (uint32_t)MIN(s->skip[d->side], cursor_left(&c));
        cursor_skip(&c, skipped);
        s->skip[d->side] -= skipped;
        d->consumed = bytes.len - cursor_left(&c);
        if (cursor_left(&c) == 0) {
            return VERDICT_OK;
        }
        uint16_t len = cursor_u16(&c);
        if (!cursor_ok(&c)) {
            d->wanted = 2;
            return VERDICT_MORE;
        }
        if (len < MESSAGE_MIN) {
            return VERDICT_BROKEN;
        }
        uint16_t held = (uint16_t)MIN(len, FRAME_MAX - 2);
        if (cursor_left(&c) < held) {
            d->wanted = held + 2u;
            return VERDICT_MORE;
        }
        if (held < len) {
            dissect_tag(d, "dns:tcp-message-too-long");
            s->skip[d->side] = (uint32_t)len - held;
        }
        message_read(d, cursor_span(&c, held), "dns", false);
    }
}

static const struct hint hints[] = {
    {.kind = HINT_UDP_PORT, .port = PORT_DNS},
    {.kind = HINT_UDP_PORT, .port = PORT_MDNS},
    {.kind = HINT_UDP_PORT, .port = PORT_LLMNR},
    {.kind = HINT_TCP_PORT, .port = PORT_DNS},
};

const struct dissector dissector_dns = {
    .name = "dns",
    .title = "DNS",
    .spec = "RFC 1035",
    .fields = fields,
    .field_count = ARRAY_LEN(fields),
    .hints = hints,
    .hint_count = ARRAY_LEN(hints),
    .state_size = sizeof(struct dns_state),
    .buffer_max = FRAME_MAX + 0x10000, /* a message, and the segment that completes it */
    .silent = true,
    .probe = dns_probe,
    .datagram = dns_datagram,
    .stream = dns_stream,
    .settings = settings,
    .setting_count = ARRAY_LEN(settings),
    .settings_size = sizeof(struct dns_settings),
};
