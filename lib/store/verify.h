/*
 * verify: many signatures at once, on all cores.  A block's rules are checked
 * one after another, as each depends on those before; the signatures that
 * they ask for are collected here and verified together.
 */
#ifndef STORE_VERIFY_H
#define STORE_VERIFY_H

#include "ledger/view.h"

struct verify_batch;

int verify_open(struct verify_batch **out, struct err *e);

/*
 * Begin now, on all cores, and go on with what is added from here on, also
 * after verify_all: the caller has something else to do meanwhile.  Without it,
 * verify_all does everything.  Where no thread can be started, that too.
 */
void verify_begin(struct verify_batch *b);

/* A rules_view's verify: remembers the signature (copies it) and returns 1. */
int verify_later(void *batch, const struct note *n, struct span name,
    const struct sign_pub *pub, struct err *e);

/* A rules_view's verify that accepts: for what was verified before. */
int verify_never(void *unused, const struct note *n, struct span name,
    const struct sign_pub *pub, struct err *e);

/* The height of the block that the signatures from now on belong to. */
void verify_height(struct verify_batch *b, uint64_t height);

/* How many are remembered. */
size_t verify_count(const struct verify_batch *b);

/*
 * Verify all, and forget them: 0, or -1 with ERR_NO that names the first bad
 * signer and its block.
 */
int verify_all(struct verify_batch *b, struct err *e);

/* After verify_all said ERR_NO: the height of that block. */
uint64_t verify_bad_height(const struct verify_batch *b);

void verify_free(struct verify_batch *b);	/* NULL does nothing */

#endif
