/* fuzz_tokens.c: libFuzzer target: what strangers say of who they are: signed tokens, sets of keys, tokens of servers,
 * X-Forwarded-For, claims. The first byte says which; nothing that was not made with our keys may be taken.
 */
#include <stdlib.h>

#include "auth/jwt.h"
#include "auth/s2s.h"
#include "auth/state.h"
#include "http/network.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool good) {
    if (!good) {
        abort();
    }
}

static void feed_jwt(struct span text) {
    static const char *const all[] = {"RS256", "PS256", "ES256", "HS256"};
    struct jwt_rules rules = {.algorithms = {all, 4}, .issuer = "i", .audience = "a", .now_s = 1700000000};
    struct jwt_keys *keys = NULL;
    struct buf claims;
    buf_init(&claims, JWT_TEXT_MAX);
    must(jwt_keys_from_secret("0123456789abcdef0123456789abcdef", &keys, NULL) == 0);
    must(jwt_check(keys, &rules, text, &claims, NULL) < 0);
    must(claims.len == 0);
    jwt_keys_free(keys);
    buf_done(&claims);
}

static void feed_keys(struct span text, bool pem) {
    struct jwt_keys *keys = NULL;
    int code = pem ? jwt_keys_from_pem(text, &keys, NULL) : jwt_keys_from_json(text, &keys, NULL);
    must((code == 0) == (keys != NULL));
    jwt_keys_free(keys);
}

/* The newer form costs a derived key for every salt: only what does not get that far is tried. */
static void feed_server(struct span text) {
    struct s2s *s = s2s_new("secret");
    struct s2s_request request = {"GET", {"/", NULL}, 1700000000000};
    struct s2s_claim claim;
    struct buf memory;
    if (s && span_find(text, SPAN_LITERAL("salt")) == SPAN_NONE) {
        buf_init(&memory, S2S_TEXT_MAX);
        must(s2s_open(s, text, &request, &memory, &claim) < 0);
        buf_done(&memory);
    }
    s2s_free(s);
}

static void feed_forwarded(const char *text) {
    struct trusted t, given;
    char client[ADDRESS_TEXT];
    const char *const values[] = {text, text};
    (void)trusted_parse(text, &given);
    must(trusted_parse("10.0.0.0/8,192.0.2.1", &t) == 0);
    trusted_client(&t, "203.0.113.1", values, 2, client);
    must(strcmp(client, "203.0.113.1") == 0); /* who is not believed cannot be somebody else */
    trusted_client(&t, "10.0.0.1", values, 2, client);
    must(network_holds("0.0.0.0/0", client) || network_holds("::/0", client));
}

static void feed_claims(struct span text) {
    char id[USER_ID_MAX + 1];
    if (claims_user(text, "sub", "p-", id)) {
        must(user_id_valid(id) && !user_is_role(id) && id[0] == 'p');
    }
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
        feed_jwt(text);
        break;
    case 1:
        feed_keys(text, false);
        break;
    case 2:
        feed_keys(text, true);
        break;
    case 3:
        feed_server(text);
        break;
    case 4:
        feed_forwarded(copy);
        break;
    default:
        feed_claims(text);
    }
    free(copy);
    return 0;
}
