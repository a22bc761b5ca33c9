/* test_hash.c: SipHash-1-3 beside values of an independent implementation (checked itself with the published vectors of
 * SipHash-2-4), and that ids never change from run to run.
 */
#include "base/hash.h"

#include "check.h"

static void test_siphash(void **state) {
    (void)state;
    static const struct {
        size_t len;
        uint64_t hash;
    } known[] = {{0, 0xabac0158050fc4dc},  {1, 0xc9f49bf37d57ca93},  {7, 0xd3927d989bb11140},
                 {8, 0x369095118d299a8e},  {9, 0x25a48eb36c063de4},  {15, 0xd320d86d2a519956},
                 {16, 0xcc4fdd1a7d908b66}, {40, 0xc1d2363299e41531}, {63, 0x9d199062b7bbb3a8}};
    struct hash_key key = {0x0706050403020100, 0x0f0e0d0c0b0a0908};
    uint8_t data[64];
    for (unsigned i = 0; i < sizeof(data); i++) {
        data[i] = (uint8_t)i;
    }
    for (size_t i = 0; i < ARRAY_LEN(known); i++) {
        assert_true(siphash13(&key, data, known[i].len) == known[i].hash);
        uint8_t moved[65];
        memcpy(moved + 1, data, sizeof(data)); /* from an odd address */
        assert_true(siphash13(&key, moved + 1, known[i].len) == known[i].hash);
    }
    assert_true(siphash13(&key, NULL, 0) == known[0].hash);
}

static void test_bytes(void **state) {
    (void)state;
    assert_true(hash_bytes("session", 7, 1) == hash_bytes("session", 7, 1));
    assert_true(hash_bytes("session", 7, 1) != hash_bytes("session", 7, 2));
    assert_true(hash_bytes("session", 7, 1) != hash_bytes("sessioo", 7, 1));
    assert_true(hash_bytes("session", 7, 1) == 0x48baa2af5e58db6d);
}

static void test_random_key(void **state) {
    (void)state;
    struct hash_key a = {0, 0}, b = {0, 0};
    assert_int_equal(hash_key_random(&a), 0);
    assert_int_equal(hash_key_random(&b), 0);
    assert_true(a.k0 != b.k0 && a.k1 != b.k1);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_siphash),
        cmocka_unit_test(test_bytes),
        cmocka_unit_test(test_random_key),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
