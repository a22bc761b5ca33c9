/*
 * Two million short flows, 10,000 new ones in a second: what the cost of one session is measured on. And its relative
 * "open": a million connections that stay open, for the memory of one.
 */
#include "profile.h"
#include "recipes.h"

static const struct recipe small_recipes[] = {
    {"dns", 450, make_dns, NULL},      {"http", 300, make_http_short, NULL}, {"tls 1.3", 150, make_tls_short, NULL},
    {"scan", 50, make_syn_scan, NULL}, {"udp", 50, make_small_udp, NULL},
};

const struct profile profile_small = {
    .name = "small",
    .title = "2 M short flows: DNS, short HTTP, TLS 1.3, SYN scans, NTP and other UDP",
    .flows = 2000000,
    .arrival_us = 200000000,
    .tail_us = 500000,
    .habits = {.clients = 1u << 17, .servers = 20000},
    .recipes = small_recipes,
    .recipe_count = sizeof small_recipes / sizeof *small_recipes,
};

static const struct recipe open_recipes[] = {
    {"idle", 400, make_idle, NULL},
    {"http", 400, make_http_open, NULL},
    {"tls 1.3", 200, make_tls_open, NULL},
};

const struct profile profile_open = {
    .name = "open",
    .title = "1 M connections that stay open: idle, after one HTTP exchange, after a TLS handshake",
    .flows = 1000000,
    .arrival_us = 20000000,
    .tail_us = 500000,
    .habits = {.clients = 1u << 17, .servers = 20000},
    .recipes = open_recipes,
    .recipe_count = sizeof open_recipes / sizeof *open_recipes,
};
