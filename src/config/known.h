/* known.h: names of Arkime's settings and sections. */
#ifndef SEINE_CONFIG_KNOWN_H
#define SEINE_CONFIG_KNOWN_H

#include <stdbool.h>
#include <stddef.h>

bool config_is_arkime_key(const char *key);
bool config_is_arkime_section(const char *section);

#endif
