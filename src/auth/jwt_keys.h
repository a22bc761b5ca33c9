/* jwt_keys.h: a set of keys as jwt.c and jwt_keys.c share it. Keys stay JSON and are imported for each use: libcjose
 * counts references without locks.
 */
#ifndef SEINE_AUTH_JWT_KEYS_H
#define SEINE_AUTH_JWT_KEYS_H

#include "auth/jwt.h"

enum jwt_kind { JWT_RSA, JWT_EC256, JWT_EC384, JWT_EC521, JWT_OCT, JWT_NONE };

struct jwt_key {
    enum jwt_kind kind;
    char *json, *kid, *algorithm; /* kid, algorithm: NULL = any */
};

struct jwt_keys {
    struct jwt_key list[JWT_KEYS_MAX];
    size_t count;
};

#endif
