/* replay.c: runs a fuzz target over files and folders of inputs, for compilers without libFuzzer: corpora are tests
 * too. */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
__attribute__((weak)) int LLVMFuzzerInitialize(int *argc, char ***argv);

static unsigned failed, passed;

static void run_file(const char *path) {
    FILE *f = fopen(path, "rb");
    struct stat st;
    if (!f || fstat(fileno(f), &st) < 0) {
        printf("# %s cannot be read\n", path);
        failed++;
        return;
    }
    /* Exact size, so that reading behind the end is seen. */
    size_t size = (size_t)st.st_size;
    uint8_t *data = malloc(size ? size : 1);
    if (data && fread(data, 1, size, f) == size) {
        LLVMFuzzerTestOneInput(data, size);
        passed++;
    } else {
        failed++;
    }
    free(data);
    fclose(f);
}

static void run_path(const char *path) {
    DIR *d = opendir(path);
    if (!d) {
        run_file(path);
        return;
    }
    for (struct dirent *e; (e = readdir(d));) {
        char inner[4096];
        if (e->d_name[0] != '.' && snprintf(inner, sizeof(inner), "%s/%s", path, e->d_name) < (int)sizeof(inner)) {
            run_path(inner);
        }
    }
    closedir(d);
}

int main(int argc, char **argv) {
    if (LLVMFuzzerInitialize) {
        LLVMFuzzerInitialize(&argc, &argv);
    }
    LLVMFuzzerTestOneInput((const uint8_t *)"", 0);
    for (int i = 1; i < argc; i++) {
        run_path(argv[i]);
    }
    printf("1..1\n%s 1 - %u inputs\n", failed ? "not ok" : "ok", passed);
    return failed ? 1 : 0;
}
