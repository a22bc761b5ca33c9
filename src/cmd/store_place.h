/* store_place.h: where a store lives that nobody named a folder for.
 *
 * A private one is a folder of this process under TMPDIR or the user's cache folder, readable by nobody else; it goes
 * with the process, and what a killed one left behind is removed by the next. A kept one has a name and lies in the
 * user's data folder. Owner: the command. Thread: main. Failure: said; the exit code returned.
 */
#ifndef SEINE_CMD_STORE_PLACE_H
#define SEINE_CMD_STORE_PLACE_H

#include <stdbool.h>

struct store_place {
    char *folder;
    bool is_private;
};

int store_place_private(struct store_place *p);
int store_place_kept(struct store_place *p, const char *name);
/* Removes a private one with all that is in it. */
void store_place_done(struct store_place *p);

#endif
