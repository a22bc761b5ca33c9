/* version.c: `seine version`: what this program is and what it was built with. */
#include <archive.h>
#include <openssl/crypto.h>
#include <pcap/pcap.h>
#include <stdio.h>
#include <string.h>
#include <zlib.h>
#include <zstd.h>

#include "base/json.h"
#include "base/util.h"
#include "cmd/cmd.h"
#include "cmd/options.h"
#include "dissect/list.h"

#define OUT_CEILING ((size_t)1 << 20)

struct version_options {
    bool json;
};

static const struct option_def version_option_table[] = {
    {.name = "json", .kind = OPTION_FLAG, .offset = OPTION_AT(version_options, json), .help = "one JSON object"},
};

struct fact {
    const char *name, *value;
};

/* Compile-time choices that change what the program does. */
static const struct fact features[] = {
#ifdef SEINE_ARENA_DEBUG
    {"arena-debug", "on"},
#else
    {"arena-debug", "off"},
#endif
#ifdef __SANITIZE_ADDRESS__
    {"address-sanitizer", "on"},
#else
    {"address-sanitizer", "off"},
#endif
#ifdef NDEBUG
    {"assertions", "off"},
#else
    {"assertions", "on"},
#endif
};

static size_t libraries(struct fact ret[], char *scratch, size_t size) {
    /* "libpcap version 1.10.3 (with TPACKET_V3)", "libarchive 3.6.2", "OpenSSL 3.0.16 11 Feb 2025" */
    static const char pcap_head[] = "libpcap version ";
    const char *pcap = pcap_lib_version();
    (void)snprintf(scratch, size, "%s",
                   strncmp(pcap, pcap_head, strlen(pcap_head)) == 0 ? pcap + strlen(pcap_head) : pcap);
    size_t n = 0;
    ret[n++] = (struct fact){"libpcap", scratch};
    ret[n++] = (struct fact){"libcrypto", OpenSSL_version(OPENSSL_VERSION)};
    ret[n++] = (struct fact){"libarchive", archive_version_string()};
    ret[n++] = (struct fact){"zlib", zlibVersion()};
    ret[n++] = (struct fact){"zstd", ZSTD_versionString()};
    return n;
}

static void json_facts(struct json *j, const char *name, const struct fact *facts, size_t count) {
    json_key(j, name);
    json_open(j, '{');
    for (size_t i = 0; i < count; i++) {
        json_key(j, facts[i].name);
        json_cstr(j, facts[i].value);
    }
    json_close(j, '}');
}

static void print_json(const struct fact *library, size_t count) {
    struct buf out;
    buf_init(&out, OUT_CEILING);
    struct json j = json_over(&out);
    json_open(&j, '{');
    json_key(&j, "version");
    json_cstr(&j, SEINE_VERSION);
    json_key(&j, "compiler");
    json_cstr(&j, __VERSION__);
    json_facts(&j, "features", features, ARRAY_LEN(features));
    json_facts(&j, "libraries", library, count);
    json_key(&j, "protocols");
    json_open(&j, '[');
    for (size_t i = 0; i < DISSECTOR_COUNT; i++) {
        json_cstr(&j, dissector_list[i]->name);
    }
    json_close(&j, ']');
    json_close(&j, '}');
    (void)printf("%.*s\n", (int)out.len, (const char *)out.data);
    buf_done(&out);
}

static int run_version(int argc, char **argv) {
    struct version_options o = {0};
    int first;
    int code = options_parse(&command_version, argc, argv, &o, &first);
    if (code != OPTIONS_OK) {
        return code;
    }
    if (first < argc) {
        return usage_error(&command_version, "seine version takes no arguments: %s", argv[first]);
    }
    struct fact library[8];
    char scratch[100];
    size_t count = libraries(library, scratch, sizeof(scratch));
    if (o.json) {
        print_json(library, count);
        return EXIT_DONE;
    }
    (void)printf("Seine %s (%s)\nfeatures: ", SEINE_VERSION, __VERSION__);
    for (size_t i = 0; i < ARRAY_LEN(features); i++) {
        (void)printf("%s%s %s", i ? ", " : "", features[i].name, features[i].value);
    }
    (void)printf("\nlibraries:");
    for (size_t i = 0; i < count; i++) {
        (void)printf("%s %s %s", i ? "," : "", library[i].name, library[i].value);
    }
    (void)printf("\nprotocols:");
    for (size_t i = 0; i < DISSECTOR_COUNT; i++) {
        (void)printf(" %s", dissector_list[i]->name);
    }
    (void)printf("\n");
    return EXIT_DONE;
}

const struct command command_version = {
    .name = "version",
    .line = "say what this program is and what it was built with",
    .arguments = "",
    .about = "Prints the program's version, how it was built, the libraries it runs with and the protocols it knows.",
    .options = version_option_table,
    .option_count = ARRAY_LEN(version_option_table),
    .examples = {"seine version", "seine version --json", "seine --version"},
    .run = run_version,
};
