/* out_file.c: see out_file.h. A capture that is read for packets must not be what they are written into. */
#include "cmd/out_file.h"

#include <libgen.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "cmd/cmd.h"

static bool in_folder(const char *out, const char *folder) {
    char *copy = strdup(out);
    char *place = copy ? realpath(dirname(copy), NULL) : NULL;
    char *whole = realpath(folder, NULL);
    size_t len = whole ? strlen(whole) : 0;
    bool in = place && whole && strncmp(place, whole, len) == 0 && (place[len] == '/' || place[len] == 0);
    free(whole);
    free(place);
    free(copy);
    return in;
}

static bool same_file(const struct stat *a, const char *name) {
    struct stat b;
    char *path = strdup(name);
    char *member = path ? strchr(path, '!') : NULL;
    bool same = path && stat(path, &b) == 0 && a->st_dev == b.st_dev && a->st_ino == b.st_ino;
    for (; member && !same; member = strchr(member + 1, '!')) { /* "archive!member" */
        *member = 0;
        same = stat(path, &b) == 0 && a->st_dev == b.st_dev && a->st_ino == b.st_ino;
        *member = '!';
    }
    free(path);
    return same;
}

int out_file_check(const char *out, const char *store, const struct file_names *files) {
    struct stat st;
    if (!out || strcmp(out, "-") == 0) {
        return EXIT_DONE;
    }
    if (in_folder(out, store)) {
        say("-w %s: lies in the folder of the store: write somewhere else", out);
        return EXIT_USAGE;
    }
    if (!files || stat(out, &st) != 0 || !S_ISREG(st.st_mode)) {
        return EXIT_DONE;
    }
    const char *name;
    for (size_t i = 0; (name = file_names_at(files, i)); i++) {
        if (same_file(&st, name)) {
            say("-w %s: is a capture of the store, which would be lost: write somewhere else", out);
            return EXIT_USAGE;
        }
    }
    return EXIT_DONE;
}
