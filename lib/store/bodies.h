/*
 * bodies: blocks that were proposed and are not final yet,
 * consensus/HEIGHT-ID.block, each a block's content (block.h).  A delegate
 * keeps those that its votes speak of.
 */
#ifndef STORE_BODIES_H
#define STORE_BODIES_H

#include "crypto/hash.h"
#include "store/repo.h"

/* Where it lies, relative to .ehr. */
#define BODIES_PATH_LEN 128
void bodies_path(char out[BODIES_PATH_LEN], uint64_t height,
    const struct hash *id);

/* Make a body durable, or make sure that one which is there is. */
int bodies_put(const struct repo *r, uint64_t height, const struct hash *id,
    struct span content, struct err *e);

bool bodies_has(const struct repo *r, uint64_t height, const struct hash *id);

/*
 * Append a body to out, which limits it.  ERR_NO: there is none; ERR_BAD: it
 * is not what its name says (only the header is looked at: chain.h checks
 * that the transactions are those that the header binds).
 */
int bodies_get(struct buf *out, const struct repo *r, uint64_t height,
    const struct hash *id, struct err *e);

/* Is what lies there all that its name says, the transactions too?  ERR_NO,
 * ERR_BAD. */
int bodies_check(const struct repo *r, uint64_t height, const struct hash *id,
    struct err *e);

/* Take the name of a file of consensus/ apart; false if it is no body's. */
bool bodies_name(uint64_t *height, struct hash *id, const char *name);

/* Remove those of heights up to head. */
int bodies_sweep(const struct repo *r, uint64_t head, struct err *e);

#endif
