/* guard.c: see guard.h. The handler calls open, read, close, sysconf, mmap and sigaction only: no library state. */
#include "store/guard.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/util.h"

/* A line of /proc/self/maps: `from-to rights offset device inode   path`. */
struct line {
    uintptr_t number, from, to;
    unsigned word; /* which of the words, from 0 */
    bool in_word;
    char rights[4]; /* "r--s": read, write, run, shared or private */
    unsigned rights_len;
    char tail[16]; /* the last bytes of the path */
};

static void take_byte(struct line *l, char c) {
    bool blank = c == ' ' && l->word < 5;
    if (blank) {
        l->word += l->in_word;
        l->in_word = false;
        return;
    }
    l->in_word = true;
    if (l->word == 0 && c == '-') {
        l->from = l->number;
        l->number = 0;
    } else if (l->word == 0) {
        l->number = l->number << 4 | (uintptr_t)(c <= '9' ? c - '0' : c - 'a' + 10);
        l->to = l->number;
    } else if (l->word == 1 && l->rights_len < sizeof(l->rights)) {
        l->rights[l->rights_len++] = c;
    } else if (l->word == 5) {
        memmove(l->tail, l->tail + 1, sizeof(l->tail) - 1);
        l->tail[sizeof(l->tail) - 1] = c;
    }
}

static bool ends_in(const struct line *l, const char *end) {
    size_t len = strlen(end);
    return memcmp(l->tail + sizeof(l->tail) - len, end, len) == 0;
}

static bool has_rights(const struct line *l, const char *rights) {
    return memcmp(l->rights, rights, sizeof(l->rights)) == 0;
}

enum place { PLACE_OTHER, PLACE_SEGMENT, PLACE_ZEROS };

static enum place place_of(const struct line *l) {
    if (has_rights(l, "r--s") && (ends_in(l, ".seg") || ends_in(l, ".seg (deleted)"))) {
        return PLACE_SEGMENT;
    }
    bool named = l->word == 5 && l->in_word;
    return !named && has_rights(l, "r--p") ? PLACE_ZEROS : PLACE_OTHER; /* another thread was here first */
}

/* What is mapped at `at`, and where that map ends. The first page that a segment loses is found in its only map, which
 * ends with its file; later ones may be found in a piece of it, whose end does no harm. */
static enum place look_up(uintptr_t at, uintptr_t *ret_end) {
    char bytes[4096];
    struct line l = {0};
    enum place place = PLACE_OTHER;
    int fd = open("/proc/self/maps", O_RDONLY | O_CLOEXEC);
    ssize_t n = fd < 0 ? -1 : 1;
    while (n > 0) {
        n = read(fd, bytes, sizeof(bytes));
        if (n < 0 && errno == EINTR) {
            n = 1;
            continue;
        }
        for (ssize_t i = 0; i < n; i++) {
            if (bytes[i] != '\n') {
                take_byte(&l, bytes[i]);
                continue;
            }
            if (at >= l.from && at < l.to) {
                place = place_of(&l);
                *ret_end = l.to;
            }
            l = (struct line){0};
        }
    }
    if (fd >= 0) {
        (void)close(fd);
    }
    return place;
}

/* The page that holds `at`. */
static bool put_zeros(uintptr_t at) {
    uintptr_t size = (uintptr_t)sysconf(_SC_PAGESIZE);
    return mmap((void *)(at & ~(size - 1)), size, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) !=
           MAP_FAILED;
}

static void on_bus_error(int number, siginfo_t *info, void *context) {
    int saved = errno;
    uintptr_t at = (uintptr_t)info->si_addr, end = 0;
    enum place place = info->si_code > 0 ? look_up(at, &end) : PLACE_OTHER; /* not one that somebody sent */
    (void)context;
    bool mended = place == PLACE_ZEROS || (place == PLACE_SEGMENT && put_zeros(end - 1) && put_zeros(at));
    if (!mended) {
        struct sigaction plain = {.sa_handler = SIG_DFL};
        (void)sigaction(number, &plain, NULL); /* it comes again */
        if (info->si_code <= 0) {
            (void)raise(number);
        }
    }
    errno = saved;
}

int guard_segments(void) {
    struct sigaction action = {.sa_sigaction = on_bus_error, .sa_flags = SA_SIGINFO | SA_RESTART};
    (void)sigemptyset(&action.sa_mask);
    return sigaction(SIGBUS, &action, NULL) == 0 ? 0 : -errno;
}
