/* guard.h: a page of a segment that cannot be read any more is damage, not the end of the program.
 *
 * Segments are read through maps. A page that the disk cannot give again, or that somebody cut off, is a signal
 * (SIGBUS) in the middle of reading. The handler puts a page of zeros in its place, and another one where the segment's
 * end stands, so that reading goes on to its next check and part_whole says that what was read may be wrong. Nothing is
 * kept in memory for it: the handler finds the segment in the kernel's list of maps.
 *
 * Owner: the process. Thread: guard_segments once, before the first store is opened; the handler on any that does not
 * block the signal. Cost: nothing
 * until it happens, then a look through the list of maps. Failure: a signal that is no segment's ends the process as
 * ever.
 */
#ifndef SEINE_STORE_GUARD_H
#define SEINE_STORE_GUARD_H

/* Takes SIGBUS. 0, or -errno. */
int guard_segments(void);

#endif
