/* fuzz_request.c: libFuzzer target: what strangers send before anybody knows them: targets, queries, forms, JSON
 * bodies, Host, Accept-Encoding and Digest headers, CSRF tokens. The first byte says which; what comes out must keep
 * what the headers promise.
 */
#include <stdlib.h>

#include "auth/csrf.h"
#include "auth/digest.h"
#include "http/encode.h"
#include "http/params.h"
#include "http/target.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool good) {
    if (!good) {
        abort();
    }
}

static bool is_dots(const char *part) {
    return strcmp(part, ".") == 0 || strcmp(part, "..") == 0;
}

static void feed_target(struct span text, const char *base) {
    struct target t;
    if (target_parse(text, base, &t) < 0) {
        return;
    }
    must(t.path[0] == '/' && t.count <= TARGET_PARTS);
    for (size_t i = 0; i < t.count; i++) {
        must(!is_dots(t.parts[i]));
    }
    char *copy = strdup(t.path), *rest = copy;
    for (char *part = copy ? strsep(&rest, "/") : NULL; part; part = strsep(&rest, "/")) {
        must(!is_dots(part));
    }
    free(copy);
    target_done(&t);
}

static void feed_params(struct span text, bool json) {
    struct params p = {0};
    (void)(json ? params_add_json(&p, text) : params_add_query(&p, text));
    must(p.count <= PARAMS_MAX);
    for (size_t i = 0; i < p.count; i++) {
        must(p.list[i].value[p.list[i].len] == 0);
        must(params_find(&p, p.list[i].name) != NULL);
    }
    params_done(&p);
}

static bool inside(struct span text, struct span part) {
    return !part.at || (part.at >= text.at && part.at + part.len <= text.at + text.len);
}

static void feed_digest(struct span text) {
    static const struct secret secret = {{1, 2, 3}};
    struct digest_parts p;
    char response[HASH_TEXT];
    if (digest_parse(text, &p) < 0) {
        return;
    }
    must(inside(text, p.username) && inside(text, p.realm) && inside(text, p.nonce) && inside(text, p.uri) &&
         inside(text, p.response) && inside(text, p.qop) && inside(text, p.cnonce) && inside(text, p.nc));
    enum digest_kind_of kind = digest_algorithm(p.algorithm);
    if (kind != DIGEST_OF_OTHER) {
        digest_response(&p, kind, "00112233445566778899aabbccddeeff", "GET", response);
        must(strlen(response) == 32 || strlen(response) == 64);
    }
    must(nonce_check(&secret, p.nonce, 1700000000000) != NONCE_GOOD);
    struct nonce_table *t = nonce_table_new();
    if (t) {
        enum nonce_verdict first = nonce_use(t, p.nonce, p.nc);
        must(nonce_use(t, p.nonce, p.nc) != NONCE_GOOD || first != NONCE_GOOD);
        nonce_table_free(t);
    }
}

static void feed_headers(const char *text) {
    static const struct secret secret = {{1, 2, 3}};
    static const char *const names[] = {"seine.example", NULL};
    struct span name = host_name(span_text(text));
    must(name.len <= strlen(text));
    (void)host_is_loopback(name);
    (void)host_listed(name, names);
    enum coding best = coding_choose(text);
    must(best == CODING_NONE || coding_accepts(text, best));
    must(csrf_check(&secret, "anna", 1700000000000, text) != CSRF_GOOD);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    if (size < 1) {
        return 0;
    }
    struct span text = span_make(data + 1, size - 1);
    char *copy = malloc(size);
    if (!copy) {
        return 0;
    }
    *span_copy_to(text, (uint8_t *)copy) = 0;
    switch (data[0] % 6) {
    case 0:
        feed_target(text, "");
        break;
    case 1:
        feed_target(text, "/seine/");
        break;
    case 2:
        feed_params(text, false);
        break;
    case 3:
        feed_params(text, true);
        break;
    case 4:
        feed_digest(text);
        break;
    default:
        feed_headers(copy);
    }
    free(copy);
    return 0;
}
