/* filter.c: see filter.h. Compiled and run by libpcap.
 *
 * Decision: file formats carry LINKTYPE numbers, libpcap's compiler wants its platform's DLT numbers; they differ for a
 * handful of old types, listed below (https://www.tcpdump.org/linktypes.html).
 */
#include "source/filter.h"

#include <errno.h>
#include <pcap/pcap.h>
#include <stdlib.h>
#include <string.h>

#include "base/util.h"

#define FILTER_SNAPLEN 262144
#define FILTER_LINKS 64 /* link types of one run; more are filtered out */

struct filter_code {
    uint16_t link;
    bool compiled;
    struct bpf_program program;
};

struct filter {
    char *expression;
    size_t count;
    char why[PCAP_ERRBUF_SIZE];
    struct filter_code *codes[FILTER_LINKS];
    struct filter_code none; /* passes nothing */
};

static int link_to_dlt(uint16_t link) {
    switch (link) {
    case 100:
        return DLT_ATM_RFC1483;
    case 101:
        return DLT_RAW;
    case 102:
        return DLT_SLIP_BSDOS;
    case 103:
        return DLT_PPP_BSDOS;
    case 106:
        return DLT_ATM_CLIP;
    default:
        return link;
    }
}

/* True when `expression` compiles; else its fault is in `ret_why`. */
static bool code_compile(const char *expression, uint16_t link, struct bpf_program *ret_program,
                         char ret_why[PCAP_ERRBUF_SIZE]) {
    pcap_t *dead = pcap_open_dead(link_to_dlt(link), FILTER_SNAPLEN);
    if (!dead) {
        snprintf(ret_why, PCAP_ERRBUF_SIZE, "no memory");
        return false;
    }
    bool fine = pcap_compile(dead, ret_program, expression, 1, PCAP_NETMASK_UNKNOWN) == 0;
    if (!fine) {
        snprintf(ret_why, PCAP_ERRBUF_SIZE, "%s", pcap_geterr(dead));
    }
    pcap_close(dead);
    return fine;
}

/* Some expressions are right for one kind of link only ("wlan type mgt"), so a few are tried. */
static bool expression_valid(const char *expression, char ret_why[PCAP_ERRBUF_SIZE]) {
    static const uint16_t links[] = {DLT_EN10MB, DLT_RAW, DLT_IEEE802_11_RADIO, DLT_LINUX_SLL, DLT_PPP};
    char other[PCAP_ERRBUF_SIZE];
    for (size_t i = 0; i < ARRAY_LEN(links); i++) {
        struct bpf_program program;
        if (code_compile(expression, links[i], &program, i == 0 ? ret_why : other)) {
            pcap_freecode(&program);
            return true;
        }
    }
    return false;
}

int filter_new(const char *expression, struct filter **ret_filter, struct err *ret_err) {
    char why[PCAP_ERRBUF_SIZE] = "";
    if (!expression_valid(expression, why)) {
        err_set(ret_err, -EINVAL, "capture filter \"%s\": %s", expression, why);
        err_hint(ret_err, "the syntax is that of tcpdump: see pcap-filter(7)");
        return -EINVAL;
    }
    struct filter *f = calloc(1, sizeof(*f));
    if (!f || !(f->expression = strdup(expression))) {
        free(f);
        return err_set(ret_err, -ENOMEM, "no memory for the capture filter");
    }
    *ret_filter = f;
    return 0;
}

struct filter *filter_free(struct filter *f) {
    if (f) {
        for (size_t i = 0; i < f->count; i++) {
            if (f->codes[i]->compiled) {
                pcap_freecode(&f->codes[i]->program);
            }
            free(f->codes[i]);
        }
        free(f->expression);
        free(f);
    }
    return NULL;
}

const struct filter_code *filter_for(struct filter *f, uint16_t link, const char **ret_why) {
    *ret_why = NULL;
    for (size_t i = 0; i < f->count; i++) {
        if (f->codes[i]->link == link) {
            return f->codes[i];
        }
    }
    if (f->count == FILTER_LINKS) {
        return &f->none;
    }
    struct filter_code *code = calloc(1, sizeof(*code));
    if (!code) {
        return NULL;
    }
    code->link = link;
    code->compiled = code_compile(f->expression, link, &code->program, f->why);
    if (!code->compiled) {
        *ret_why = f->why;
    }
    f->codes[f->count++] = code;
    return code;
}

bool filter_pass(const struct filter_code *code, const uint8_t *data, uint32_t captured, uint32_t wire) {
    return code->compiled && bpf_filter(code->program.bf_insns, data, wire, captured) != 0;
}
