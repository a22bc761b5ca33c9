/* tftp.c: the Trivial File Transfer Protocol (RFC 1350, options RFC 2347): what is asked for on port 69.
 *
 * Only the request goes to port 69; the file itself goes between two other ports, which nothing in those packets ties
 * to the request, so it is a UDP session of its own. Servers that stay on port 69 show the other packets here too.
 */
#include "base/util.h"
#include "dissect/dissector.h"

enum { PORT = 69, SHORTEST = 4, ERROR_LAST = 8 };
enum { READ = 1, WRITE, DATA, ACK, ERROR, OPTIONS_ACK, OPCODES };

enum { OPCODE, FILENAME };

static const struct field_def fields[] = {
    [OPCODE] = {.path = "tftp.opcode",
                .name = "tftp.opcode",
                .type = FT_KEYWORD,
                .flags = F_COUNT,
                .title = "Opcode",
                .help = "Kinds of packets: rrq, wrq, data, ack, error, oack"},
    [FILENAME] = {.path = "tftp.filename",
                  .name = "tftp.filename",
                  .type = FT_KEYWORD,
                  .flags = F_COUNT,
                  .title = "Filename",
                  .help = "Files asked for or sent"},
};

static const char *const opcodes[OPCODES] = {
    [READ] = "rrq", [WRITE] = "wrq", [DATA] = "data", [ACK] = "ack", [ERROR] = "error", [OPTIONS_ACK] = "oack"};

/* The text before the next NUL; empty when there is none. */
static struct span take_text(struct span *rest) {
    size_t end = span_find_byte(*rest, 0, 0);
    struct span text = span_sub(*rest, 0, end == SPAN_NONE ? 0 : end);
    *rest = span_from(*rest, end == SPAN_NONE ? rest->len : end + 1);
    return text;
}

/* `name NUL mode NUL`; options may follow. */
static bool read_request(struct span rest, struct span *ret_name) {
    *ret_name = take_text(&rest);
    struct span mode = take_text(&rest);
    return ret_name->len &&
           (span_equal_fold(mode, SPAN_LITERAL("octet")) || span_equal_fold(mode, SPAN_LITERAL("netascii")) ||
            span_equal_fold(mode, SPAN_LITERAL("mail")));
}

/* The opcode of a packet that makes sense, else 0. */
static unsigned read_packet(struct span bytes, struct span *ret_name) {
    struct cursor c = cursor_over(bytes);
    uint16_t opcode = cursor_u16(&c), number = cursor_u16(&c);
    bool text_ends = bytes.len && span_byte(bytes, bytes.len - 1) == 0, good = false;
    switch (opcode) {
    case READ:
    case WRITE:
        good = read_request(span_from(bytes, 2), ret_name);
        break;
    case DATA:
        good = bytes.len >= SHORTEST;
        break;
    case ACK:
        good = bytes.len == SHORTEST;
        break;
    case ERROR:
        good = bytes.len > SHORTEST && number <= ERROR_LAST && text_ends;
        break;
    case OPTIONS_ACK:
        good = bytes.len > SHORTEST && text_ends;
        break;
    default:
        break;
    }
    return good ? opcode : 0;
}

static enum match tftp_probe(struct span first, const struct dissect *d) {
    (void)d;
    struct span name;
    return read_packet(first, &name) ? MATCH_YES : MATCH_NO;
}

static enum verdict tftp_datagram(struct dissect *d, struct span bytes) {
    struct span name = {0};
    unsigned opcode = read_packet(bytes, &name);
    if (opcode == 0) {
        return VERDICT_OK;
    }
    put_const(d, OPCODE, opcodes[opcode]);
    if (name.len) {
        put_text(d, FILENAME, name);
    }
    return VERDICT_OK;
}

static const struct hint hints[] = {{.kind = HINT_UDP_PORT, .port = PORT}};

const struct dissector dissector_tftp = {
    .name = "tftp",
    .title = "TFTP",
    .spec = "RFC 1350",
    .fields = fields,
    .field_count = ARRAY_LEN(fields),
    .hints = hints,
    .hint_count = ARRAY_LEN(hints),
    .probe = tftp_probe,
    .datagram = tftp_datagram,
};
