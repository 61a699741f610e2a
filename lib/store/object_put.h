/* object_put: what storing one and storing many share; only for object*.c. */
#ifndef STORE_OBJECT_PUT_H
#define STORE_OBJECT_PUT_H

#include "crypto/hash.h"
#include "store/repo.h"

/*
 * Is this object stored, durably and right, as far as the table of segments
 * knows?  1, 0 or -1.  ERR_BAD: a loose file of its name has other bytes.  A
 * damaged copy in a segment is as none.
 */
int object_is_stored(struct repo *r, const struct hash *id, struct span data,
    struct err *e);

/* object_put for bytes whose hash is known. */
int object_put_hashed(struct repo *r, const struct hash *id, struct span data,
    struct err *e);

#endif
