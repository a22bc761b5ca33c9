/*
 * A web server's day: few, large sessions, most bytes in full segments.
 */
#include "profile.h"
#include "recipes.h"

static const struct recipe web_recipes[] = {
    {"http", 520, make_http_bulk, NULL},
    {"tls 1.3", 330, make_tls13_bulk, NULL},
    {"tls 1.2", 110, make_tls12_bulk, NULL},
    {"dns", 30, make_dns, NULL},
    {"dns forwarder", 30, make_dns_forwarder, NULL},
};

const struct profile profile_web = {
    .name = "web",
    .title = "HTTP and TLS as around a web server: 59,000 sessions of about 50 packets",
    .flows = 59000,
    .arrival_us = 24000000,
    .tail_us = 3000000,
    .certificates = true,
    .habits = {.clients = 4000, .servers = 400, .ipv6 = 100},
    .recipes = web_recipes,
    .recipe_count = sizeof web_recipes / sizeof *web_recipes,
};
