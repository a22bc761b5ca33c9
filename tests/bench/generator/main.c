/*
 * bench-generate: writes the captures that the benchmarks are measured on. The same profile, seed and scale give the
 * same bytes everywhere.
 */
#include "capture.h"

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const struct profile *const profiles[] = {&profile_small, &profile_mixed, &profile_web, &profile_exotic,
                                                 &profile_open};

#define PROFILES (sizeof profiles / sizeof *profiles)

static void usage(FILE *to) {
    fputs("Usage: bench-generate [--seed N] [--scale F] [--breakdown] PROFILE FILE.pcap\n"
          "       bench-generate --selftest\n"
          "Profiles:\n",
          to);
    for (size_t i = 0; i < PROFILES; i++) {
        fprintf(to, "  %-8s %s\n", profiles[i]->name, profiles[i]->title);
    }
    fputs("The numbers printed are those of the capture; --breakdown adds a line for each kind of flow.\n", to);
}

static void print_summary(const char *name, const struct capture_summary *s) {
    double span = (double)(s->last_us - s->first_us) / 1e6;
    printf("%s: %llu packets, %llu bytes, %llu flows, %.1f bytes/packet, %.1f packets/flow, %.1f s, hash %016llx\n",
           name, (unsigned long long)s->packets, (unsigned long long)s->bytes, (unsigned long long)s->flows,
           s->packets > 0 ? (double)s->bytes / (double)s->packets : 0,
           s->flows > 0 ? (double)s->packets / (double)s->flows : 0, span, (unsigned long long)s->hash);
}

static void print_breakdown(const struct profile *p, const struct recipe_count *counts) {
    for (uint32_t i = 0; i < p->recipe_count; i++) {
        const struct recipe_count *c = &counts[i];
        printf("  %-20s %9llu flows %10llu packets %12llu bytes %7.1f packets/flow %7.1f bytes/packet\n",
               p->recipes[i].name, (unsigned long long)c->flows, (unsigned long long)c->packets,
               (unsigned long long)c->bytes, (double)c->packets / (double)(c->flows > 0 ? c->flows : 1),
               (double)c->bytes / (double)(c->packets > 0 ? c->packets : 1));
    }
}

/* A thousandth of each profile, twice: the same hash, and another one for another seed. */
static int selftest(void) {
    int failures = 0;
    for (size_t i = 0; i < PROFILES; i++) {
        struct capture_summary runs[3];
        for (int run = 0; run < 3; run++) {
            struct capture_options options = {.seed = run < 2 ? 1 : 2, .scale = 0.001};
            int error = capture_write(profiles[i], &options, -1, &runs[run], NULL);
            if (error < 0) {
                fprintf(stderr, "bench-generate: %s: %s\n", profiles[i]->name, strerror(-error));
                return 1;
            }
        }
        bool same = runs[0].hash == runs[1].hash && runs[0].packets > 0;
        bool other = runs[0].hash != runs[2].hash;
        printf("%s: %s\n", profiles[i]->name,
               !same    ? "failed: two runs with one seed differ"
               : !other ? "failed: two seeds give the same capture"
                        : "ok");
        failures += !same || !other;
    }
    return failures > 0;
}

static int generate(const struct profile *p, const char *path, const struct capture_options *options, bool breakdown) {
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    if (fd < 0) {
        fprintf(stderr, "bench-generate: %s: %s\n", path, strerror(errno));
        return 2;
    }
    struct recipe_count *counts = calloc(p->recipe_count, sizeof *counts);
    struct capture_summary summary = {0};
    int error = counts != NULL ? capture_write(p, options, fd, &summary, counts) : -ENOMEM;
    if (close(fd) < 0 && error == 0) {
        error = -errno;
    }
    if (error < 0) {
        fprintf(stderr, "bench-generate: %s: %s\n", path, strerror(-error));
    } else {
        print_summary(p->name, &summary);
        if (breakdown) {
            print_breakdown(p, counts);
        }
    }
    free(counts);
    return error < 0 ? 2 : 0;
}

int main(int argc, char **argv) {
    static const struct option long_options[] = {
        {"seed", required_argument, NULL, 's'}, {"scale", required_argument, NULL, 'f'},
        {"breakdown", no_argument, NULL, 'b'},  {"selftest", no_argument, NULL, 't'},
        {"help", no_argument, NULL, 'h'},       {NULL, 0, NULL, 0},
    };
    struct capture_options options = {.seed = 1, .scale = 1};
    bool breakdown = false;
    char *end = "";
    for (int c; (c = getopt_long(argc, argv, "h", long_options, NULL)) != -1;) {
        switch (c) {
        case 's':
            options.seed = strtoull(optarg, &end, 0);
            break;
        case 'f':
            options.scale = strtod(optarg, &end);
            break;
        case 'b':
            breakdown = true;
            break;
        case 't':
            return selftest();
        case 'h':
            usage(stdout);
            return 0;
        default:
            usage(stderr);
            return 1;
        }
        if (*end != '\0' || !(options.scale > 0 && options.scale <= 100)) {
            fprintf(stderr, "bench-generate: '%s' is not a number that can be used here\n", optarg);
            return 1;
        }
    }
    for (size_t i = 0; argc - optind == 2 && i < PROFILES; i++) {
        if (strcmp(argv[optind], profiles[i]->name) == 0) {
            return generate(profiles[i], argv[optind + 1], &options, breakdown);
        }
    }
    usage(stderr);
    return 1;
}
