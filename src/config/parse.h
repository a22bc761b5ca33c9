/* parse.h: text of one setting into its place. For config.c and printing. */
#ifndef SEINE_CONFIG_PARSE_H
#define SEINE_CONFIG_PARSE_H

#include "config/config.h"

/* Memory that lives as long as the configuration. */
void *config_alloc(struct config *c, size_t size);

/* Writes the value into `target` + s->offset. 0, or -errno with `ret_err` saying what is wrong and what would be right.
 */
int setting_parse(struct config *c, const struct setting *s, const char *text, void *target, struct err *ret_err);

/* What a setting takes, for people: "seconds", "true or false", "one of a, b". */
void setting_describe_type(const struct setting *s, char *ret_text, size_t size);

#endif
