/*
 * checker: verifies many signatures, often with the same keys.  libcrypto takes
 * a while to make a key ready; a checker keeps those that it used last.  One
 * thread at a time uses it.
 */
#ifndef CRYPTO_CHECKER_H
#define CRYPTO_CHECKER_H

#include "crypto/key.h"

struct checker;

/* NULL when there is no memory; checker_verify(NULL) does without. */
struct checker *checker_open(void);
void checker_free(struct checker *c);	/* NULL does nothing */

/* As sign_verify (key.h). */
bool checker_verify(struct checker *c, const struct sign_pub *pub,
    struct span msg, struct span sig);

#endif
