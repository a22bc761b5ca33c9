/*
 * Puts a tunnel of a random kind around the path that the maker has chosen.
 */
#pragma once

struct maker;

/* m->path holds the inner IP layer; tunnel and Ethernet are appended. */
void tunnel_wrap(struct maker *m);
