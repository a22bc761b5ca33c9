/* search_url.h: `seine search` and `seine pcap` against a running server; see search.h. */
#ifndef SEINE_CMD_SEARCH_URL_H
#define SEINE_CMD_SEARCH_URL_H

#include "cmd/search.h"

/* What is to be printed. */
struct search_print {
    int format; /* enum output_format */
    const char *fields, *top;
    uint64_t limit; /* 0 = all */
    bool count;
};

/* The exit code; what fails is said. */
int search_url(const char *url, const struct search_choices *c, const struct search_print *p, const char *expression);
/* Packets as pcap or pcapng to a descriptor. */
int packets_url(const char *url, const struct search_choices *c, bool pcapng, const char *expression, int fd);

/* A cell of comma-separated values. */
void search_csv_text(struct span text, struct buf *out);

#endif
