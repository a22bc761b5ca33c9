/* setting.h: a module's settings as a table, read into its own struct.
 *
 * Each module has a const table and a plain struct; the reader (config.h) fills the struct from INI sections, reports
 * all mistakes at once with file:line and the nearest known name, and everything about a setting (sample file,
 * reference, `seine config`) is printed from the table. Names are Arkime's where Arkime has a setting of the same
 * meaning.
 */
#ifndef SEINE_CONFIG_SETTING_H
#define SEINE_CONFIG_SETTING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum setting_type {
    ST_BOOL,    /* bool */
    ST_U32,     /* uint32_t, min..max */
    ST_U64,     /* uint64_t */
    ST_SECONDS, /* uint32_t; accepts 10, 10s, 5m, 2h, 1d */
    ST_BYTES,   /* uint64_t; accepts 512, 64K, 10M, 2G, 1T (powers of 1024) */
    ST_TEXT,    /* const char * (owned by the configuration, never NULL; default may be "") */
    ST_LIST,    /* struct setting_list: values separated by `;` */
    ST_CHOICE,  /* uint32_t: index into `choices` */
};

struct setting_list {
    const char *const *items; /* owned by the configuration */
    size_t count;
};

struct setting {
    const char *name;
    enum setting_type type;
    size_t offset;        /* into the module's struct */
    const char *fallback; /* default, as text */
    uint64_t min, max;    /* numbers; 0,0 = no bounds */
    const char *choices;  /* ST_CHOICE: comma-separated */
    const char *help;
    const char *section; /* NULL = [default] and node sections */
    bool secret;         /* the value is not shown to people */
};

#define SETTING(struct_type, member) offsetof(struct struct_type, member)

#endif
