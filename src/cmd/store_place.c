/* store_place.c: see store_place.h. */
#include "cmd/store_place.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/util.h"
#include "cmd/cmd.h"

#define PREFIX "seine-"
#define LOCK_NAME "OWNER"
#define NAME_LENGTH_MAX 64
#define DEPTH_MAX 16

/* The folder's owner holds a lock on a file in it for as long as it lives; the descriptor ends with the process. */
static int lock_owner(const char *folder, bool create) {
    char path[4200];
    (void)snprintf(path, sizeof(path), "%s/" LOCK_NAME, folder);
    int fd = open(path, O_RDWR | O_CLOEXEC | O_NOFOLLOW | (create ? O_CREAT : 0), 0600);
    if (fd < 0) {
        return -errno;
    }
    if (flock(fd, LOCK_EX | LOCK_NB) < 0) {
        int code = -errno;
        (void)close(fd);
        return code;
    }
    return fd;
}

static int remove_one(const char *path, const struct stat *st, int kind, struct FTW *at) {
    (void)st;
    (void)kind;
    (void)at;
    (void)remove(path);
    return 0;
}

static void remove_folder(const char *folder) {
    (void)nftw(folder, remove_one, DEPTH_MAX, FTW_DEPTH | FTW_PHYS | FTW_MOUNT);
}

/* Folders of processes that were killed: ours, of our making, and nobody holds their lock. */
static void remove_left(const char *base) {
    DIR *d = opendir(base);
    struct dirent *entry;
    while (d && (entry = readdir(d))) {
        char path[4096];
        struct stat st;
        int n = snprintf(path, sizeof(path), "%s/%s", base, entry->d_name);
        if (strncmp(entry->d_name, PREFIX, strlen(PREFIX)) != 0 || n >= (int)sizeof(path) || lstat(path, &st) < 0 ||
            !S_ISDIR(st.st_mode) || st.st_uid != geteuid()) {
            continue;
        }
        int fd = lock_owner(path, false);
        if (fd >= 0) {
            remove_folder(path);
            (void)close(fd);
        }
    }
    if (d) {
        (void)closedir(d);
    }
}

static int make_folders(char *path) {
    for (char *at = path + 1; *at; at++) {
        if (*at == '/') {
            *at = 0;
            int made = mkdir(path, 0700);
            *at = '/';
            if (made < 0 && errno != EEXIST) {
                return -errno;
            }
        }
    }
    return mkdir(path, 0700) < 0 && errno != EEXIST ? -errno : 0;
}

/* A folder of the user by the XDG rules: `variable`, else `below` the home folder. Allocated; NULL: there is none. */
static char *user_folder(const char *variable, const char *below, const char *rest) {
    const char *set = getenv(variable), *home = getenv("HOME");
    char *path = NULL;
    int n = -1;
    if (set && set[0] == '/') {
        n = asprintf(&path, "%s/%s", set, rest);
    } else if (home && home[0] == '/') {
        n = asprintf(&path, "%s/%s/%s", home, below, rest);
    }
    return n < 0 ? NULL : path;
}

/* A new folder below `base`; 0 or -errno. */
static int make_private(struct store_place *p, char *base) {
    int code = make_folders(base);
    if (code < 0) {
        return code;
    }
    remove_left(base);
    if (asprintf(&p->folder, "%s/" PREFIX "XXXXXX", base) < 0) {
        p->folder = NULL;
        return -ENOMEM;
    }
    if (!mkdtemp(p->folder)) {
        code = -errno;
        free(TAKE(p->folder));
        return code;
    }
    p->is_private = true;
    int fd = lock_owner(p->folder, true); /* open until the process ends */
    if (fd < 0) {
        store_place_done(p);
        return fd;
    }
    return 0;
}

int store_place_private(struct store_place *p) {
    const char *given = getenv("TMPDIR");
    char *bases[] = {given && *given ? strdup(given) : NULL, user_folder("XDG_CACHE_HOME", ".cache", "seine"),
                     strdup("/var/tmp"), strdup("/tmp")};
    int code = -ENOENT;
    for (size_t i = 0; i < ARRAY_LEN(bases); i++) {
        if (bases[i] && code < 0) {
            code = make_private(p, bases[i]);
        }
        free(bases[i]);
    }
    if (code < 0) {
        say("no folder for a private store can be made: %s; set TMPDIR to a folder with room", strerror(-code));
        return code == -ENOSPC || code == -EDQUOT ? EXIT_FULL : EXIT_PERMISSION;
    }
    return EXIT_DONE;
}

int store_place_kept(struct store_place *p, const char *name) {
    bool plain = *name && strlen(name) <= NAME_LENGTH_MAX && name[0] != '.' && name[0] != '-';
    for (const char *at = name; *at && plain; at++) {
        plain = (*at >= 'a' && *at <= 'z') || (*at >= 'A' && *at <= 'Z') || (*at >= '0' && *at <= '9') ||
                strchr("-_.", *at);
    }
    if (!plain) {
        say("--keep %s: a name is at most %d letters, digits, dots, dashes and underscores", name, NAME_LENGTH_MAX);
        return EXIT_USAGE;
    }
    char rest[NAME_LENGTH_MAX + 16];
    (void)snprintf(rest, sizeof(rest), "seine/%s", name);
    p->folder = user_folder("XDG_DATA_HOME", ".local/share", rest);
    if (!p->folder) {
        say("--keep %s: neither XDG_DATA_HOME nor HOME is set: name a folder with --store DIR instead", name);
        return EXIT_USAGE;
    }
    int code = make_folders(p->folder);
    if (code < 0) {
        say("--keep %s: %s: %s", name, p->folder, strerror(-code));
        return code == -ENOSPC || code == -EDQUOT ? EXIT_FULL : EXIT_PERMISSION;
    }
    return EXIT_DONE;
}

void store_place_done(struct store_place *p) {
    if (p->is_private && p->folder) {
        remove_folder(p->folder);
    }
    free(TAKE(p->folder));
}
