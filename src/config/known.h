/* known.h: names of Arkime's settings. */
#ifndef SEINE_CONFIG_KNOWN_H
#define SEINE_CONFIG_KNOWN_H

#include <stdbool.h>
#include <stddef.h>

bool config_is_arkime_key(const char *key);

#endif
