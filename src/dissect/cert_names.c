/* cert_names.c: names of public key algorithms and elliptic curves by their object identifiers.
 *
 * Sources: RFC 3279, RFC 5480, RFC 8410, RFC 5639, FIPS 203 to 205, SEC 2, X9.62. The names are those OpenSSL prints,
 * for people search for what their tools show them; the identifiers are the bytes that stand in certificates, so that
 * no certificate's identifier is ever turned into text first. The most frequent ones stand first: the search is linear.
 */
#include "dissect/cert_names.h"

#include "base/util.h"

struct oid_name {
    struct span oid;
    const char *name;
};

/* The bytes of an identifier, without tag and length. */
#define OID(bytes) \
    { (const uint8_t *)(bytes), sizeof(bytes) - 1 }

static const struct oid_name algorithms[] = {
    {OID("\x2a\x86\x48\x86\xf7\x0d\x01\x01\x01"), "rsaEncryption"},
    {OID("\x2a\x86\x48\xce\x3d\x02\x01"), "id-ecPublicKey"},
    {OID("\x2b\x65\x70"), "ED25519"},
    {OID("\x2b\x65\x71"), "ED448"},
    {OID("\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0a"), "rsassaPss"},
    {OID("\x2a\x86\x48\x86\xf7\x0d\x01\x01\x07"), "rsaesOaep"},
    {OID("\x2a\x86\x48\xce\x38\x04\x01"), "dsaEncryption"},
    {OID("\x2b\x0e\x03\x02\x0c"), "dsaEncryption-old"},
    {OID("\x2a\x86\x48\x86\xf7\x0d\x01\x03\x01"), "dhKeyAgreement"},
    {OID("\x2a\x86\x48\xce\x3e\x02\x01"), "X9.42 DH"},
    {OID("\x2b\x65\x6e"), "X25519"},
    {OID("\x2b\x65\x6f"), "X448"},
    {OID("\x2a\x85\x03\x02\x02\x13"), "GOST R 34.10-2001"},
    {OID("\x2a\x85\x03\x07\x01\x01\x01\x01"), "GOST R 34.10-2012 with 256 bit modulus"},
    {OID("\x2a\x85\x03\x07\x01\x01\x01\x02"), "GOST R 34.10-2012 with 512 bit modulus"},
    {OID("\x60\x86\x48\x01\x65\x03\x04\x03\x11"), "ML-DSA-44"},
    {OID("\x60\x86\x48\x01\x65\x03\x04\x03\x12"), "ML-DSA-65"},
    {OID("\x60\x86\x48\x01\x65\x03\x04\x03\x13"), "ML-DSA-87"},
    {OID("\x60\x86\x48\x01\x65\x03\x04\x04\x01"), "ML-KEM-512"},
    {OID("\x60\x86\x48\x01\x65\x03\x04\x04\x02"), "ML-KEM-768"},
    {OID("\x60\x86\x48\x01\x65\x03\x04\x04\x03"), "ML-KEM-1024"},
    {OID("\x60\x86\x48\x01\x65\x03\x04\x03\x14"), "SLH-DSA-SHA2-128s"},
    {OID("\x60\x86\x48\x01\x65\x03\x04\x03\x15"), "SLH-DSA-SHA2-128f"},
    {OID("\x60\x86\x48\x01\x65\x03\x04\x03\x16"), "SLH-DSA-SHA2-192s"},
    {OID("\x60\x86\x48\x01\x65\x03\x04\x03\x17"), "SLH-DSA-SHA2-192f"},
    {OID("\x60\x86\x48\x01\x65\x03\x04\x03\x18"), "SLH-DSA-SHA2-256s"},
    {OID("\x60\x86\x48\x01\x65\x03\x04\x03\x19"), "SLH-DSA-SHA2-256f"},
    {OID("\x60\x86\x48\x01\x65\x03\x04\x03\x1a"), "SLH-DSA-SHAKE-128s"},
    {OID("\x60\x86\x48\x01\x65\x03\x04\x03\x1b"), "SLH-DSA-SHAKE-128f"},
    {OID("\x60\x86\x48\x01\x65\x03\x04\x03\x1c"), "SLH-DSA-SHAKE-192s"},
    {OID("\x60\x86\x48\x01\x65\x03\x04\x03\x1d"), "SLH-DSA-SHAKE-192f"},
    {OID("\x60\x86\x48\x01\x65\x03\x04\x03\x1e"), "SLH-DSA-SHAKE-256s"},
    {OID("\x60\x86\x48\x01\x65\x03\x04\x03\x1f"), "SLH-DSA-SHAKE-256f"},
};

static const struct oid_name curves[] = {
    {OID("\x2a\x86\x48\xce\x3d\x03\x01\x07"), "prime256v1"},
    {OID("\x2b\x81\x04\x00\x22"), "secp384r1"},
    {OID("\x2b\x81\x04\x00\x23"), "secp521r1"},
    {OID("\x2b\x81\x04\x00\x06"), "secp112r1"},
    {OID("\x2b\x81\x04\x00\x07"), "secp112r2"},
    {OID("\x2b\x81\x04\x00\x1c"), "secp128r1"},
    {OID("\x2b\x81\x04\x00\x1d"), "secp128r2"},
    {OID("\x2b\x81\x04\x00\x09"), "secp160k1"},
    {OID("\x2b\x81\x04\x00\x08"), "secp160r1"},
    {OID("\x2b\x81\x04\x00\x1e"), "secp160r2"},
    {OID("\x2b\x81\x04\x00\x1f"), "secp192k1"},
    {OID("\x2b\x81\x04\x00\x20"), "secp224k1"},
    {OID("\x2b\x81\x04\x00\x21"), "secp224r1"},
    {OID("\x2b\x81\x04\x00\x0a"), "secp256k1"},
    {OID("\x2a\x86\x48\xce\x3d\x03\x01\x01"), "prime192v1"},
    {OID("\x2a\x86\x48\xce\x3d\x03\x01\x02"), "prime192v2"},
    {OID("\x2a\x86\x48\xce\x3d\x03\x01\x03"), "prime192v3"},
    {OID("\x2a\x86\x48\xce\x3d\x03\x01\x04"), "prime239v1"},
    {OID("\x2a\x86\x48\xce\x3d\x03\x01\x05"), "prime239v2"},
    {OID("\x2a\x86\x48\xce\x3d\x03\x01\x06"), "prime239v3"},
    {OID("\x2b\x81\x04\x00\x04"), "sect113r1"},
    {OID("\x2b\x81\x04\x00\x05"), "sect113r2"},
    {OID("\x2b\x81\x04\x00\x16"), "sect131r1"},
    {OID("\x2b\x81\x04\x00\x17"), "sect131r2"},
    {OID("\x2b\x81\x04\x00\x01"), "sect163k1"},
    {OID("\x2b\x81\x04\x00\x02"), "sect163r1"},
    {OID("\x2b\x81\x04\x00\x0f"), "sect163r2"},
    {OID("\x2b\x81\x04\x00\x18"), "sect193r1"},
    {OID("\x2b\x81\x04\x00\x19"), "sect193r2"},
    {OID("\x2b\x81\x04\x00\x1a"), "sect233k1"},
    {OID("\x2b\x81\x04\x00\x1b"), "sect233r1"},
    {OID("\x2b\x81\x04\x00\x03"), "sect239k1"},
    {OID("\x2b\x81\x04\x00\x10"), "sect283k1"},
    {OID("\x2b\x81\x04\x00\x11"), "sect283r1"},
    {OID("\x2b\x81\x04\x00\x24"), "sect409k1"},
    {OID("\x2b\x81\x04\x00\x25"), "sect409r1"},
    {OID("\x2b\x81\x04\x00\x26"), "sect571k1"},
    {OID("\x2b\x81\x04\x00\x27"), "sect571r1"},
    {OID("\x2a\x86\x48\xce\x3d\x03\x00\x01"), "c2pnb163v1"},
    {OID("\x2a\x86\x48\xce\x3d\x03\x00\x02"), "c2pnb163v2"},
    {OID("\x2a\x86\x48\xce\x3d\x03\x00\x03"), "c2pnb163v3"},
    {OID("\x2a\x86\x48\xce\x3d\x03\x00\x04"), "c2pnb176v1"},
    {OID("\x2a\x86\x48\xce\x3d\x03\x00\x05"), "c2tnb191v1"},
    {OID("\x2a\x86\x48\xce\x3d\x03\x00\x06"), "c2tnb191v2"},
    {OID("\x2a\x86\x48\xce\x3d\x03\x00\x07"), "c2tnb191v3"},
    {OID("\x2a\x86\x48\xce\x3d\x03\x00\x0a"), "c2pnb208w1"},
    {OID("\x2a\x86\x48\xce\x3d\x03\x00\x0b"), "c2tnb239v1"},
    {OID("\x2a\x86\x48\xce\x3d\x03\x00\x0c"), "c2tnb239v2"},
    {OID("\x2a\x86\x48\xce\x3d\x03\x00\x0d"), "c2tnb239v3"},
    {OID("\x2a\x86\x48\xce\x3d\x03\x00\x10"), "c2pnb272w1"},
    {OID("\x2a\x86\x48\xce\x3d\x03\x00\x11"), "c2pnb304w1"},
    {OID("\x2a\x86\x48\xce\x3d\x03\x00\x12"), "c2tnb359v1"},
    {OID("\x2a\x86\x48\xce\x3d\x03\x00\x13"), "c2pnb368w1"},
    {OID("\x2a\x86\x48\xce\x3d\x03\x00\x14"), "c2tnb431r1"},
    {OID("\x67\x2b\x01\x04\x01"), "wap-wsg-idm-ecid-wtls1"},
    {OID("\x67\x2b\x01\x04\x03"), "wap-wsg-idm-ecid-wtls3"},
    {OID("\x67\x2b\x01\x04\x04"), "wap-wsg-idm-ecid-wtls4"},
    {OID("\x67\x2b\x01\x04\x05"), "wap-wsg-idm-ecid-wtls5"},
    {OID("\x67\x2b\x01\x04\x06"), "wap-wsg-idm-ecid-wtls6"},
    {OID("\x67\x2b\x01\x04\x07"), "wap-wsg-idm-ecid-wtls7"},
    {OID("\x67\x2b\x01\x04\x08"), "wap-wsg-idm-ecid-wtls8"},
    {OID("\x67\x2b\x01\x04\x09"), "wap-wsg-idm-ecid-wtls9"},
    {OID("\x67\x2b\x01\x04\x0a"), "wap-wsg-idm-ecid-wtls10"},
    {OID("\x67\x2b\x01\x04\x0b"), "wap-wsg-idm-ecid-wtls11"},
    {OID("\x67\x2b\x01\x04\x0c"), "wap-wsg-idm-ecid-wtls12"},
    {OID("\x2b\x24\x03\x03\x02\x08\x01\x01\x01"), "brainpoolP160r1"},
    {OID("\x2b\x24\x03\x03\x02\x08\x01\x01\x02"), "brainpoolP160t1"},
    {OID("\x2b\x24\x03\x03\x02\x08\x01\x01\x03"), "brainpoolP192r1"},
    {OID("\x2b\x24\x03\x03\x02\x08\x01\x01\x04"), "brainpoolP192t1"},
    {OID("\x2b\x24\x03\x03\x02\x08\x01\x01\x05"), "brainpoolP224r1"},
    {OID("\x2b\x24\x03\x03\x02\x08\x01\x01\x06"), "brainpoolP224t1"},
    {OID("\x2b\x24\x03\x03\x02\x08\x01\x01\x07"), "brainpoolP256r1"},
    {OID("\x2b\x24\x03\x03\x02\x08\x01\x01\x08"), "brainpoolP256t1"},
    {OID("\x2b\x24\x03\x03\x02\x08\x01\x01\x09"), "brainpoolP320r1"},
    {OID("\x2b\x24\x03\x03\x02\x08\x01\x01\x0a"), "brainpoolP320t1"},
    {OID("\x2b\x24\x03\x03\x02\x08\x01\x01\x0b"), "brainpoolP384r1"},
    {OID("\x2b\x24\x03\x03\x02\x08\x01\x01\x0c"), "brainpoolP384t1"},
    {OID("\x2b\x24\x03\x03\x02\x08\x01\x01\x0d"), "brainpoolP512r1"},
    {OID("\x2b\x24\x03\x03\x02\x08\x01\x01\x0e"), "brainpoolP512t1"},
    {OID("\x2a\x81\x1c\xcf\x55\x01\x82\x2d"), "SM2"},
};

static const char *name_find(const struct oid_name *names, size_t count, struct span oid) {
    for (size_t i = 0; i < count; i++) {
        if (span_equal(names[i].oid, oid)) {
            return names[i].name;
        }
    }
    return NULL;
}

const char *cert_algorithm_name(struct span oid) {
    return name_find(algorithms, ARRAY_LEN(algorithms), oid);
}

const char *cert_curve_name(struct span oid) {
    return name_find(curves, ARRAY_LEN(curves), oid);
}
