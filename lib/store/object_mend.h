/* object_mend: segments of objects that are damaged. */
#ifndef STORE_OBJECT_MEND_H
#define STORE_OBJECT_MEND_H

#include "store/object.h"

/*
 * Call fn for each segment of objects/seg that is not as it must be, with its
 * path and what is wrong; those that are known to be right are not read.  An
 * item of zeros is right if the table dismissed of db, a state of the blocks,
 * has it.  fn returns 0, or -1 with *e set.
 */
int object_segments(struct repo *r, struct db *db, object_right *right,
    int (*fn)(void *arg, const char *path, const char *why, struct err *e),
    void *arg, struct err *e);

/*
 * Put all that is whole in that segment into a new one, and the old one into
 * quarantine; to gets its path there.  What was damaged in it is then not here
 * any more.
 */
int object_segment_mend(char to[FS_NAME_MAX], struct repo *r,
    const char *path, struct err *e);

#endif
