/* verify_job: one signature to be verified later: what it takes, copied. */
#ifndef STORE_VERIFY_JOB_H
#define STORE_VERIFY_JOB_H

#include "crypto/checker.h"
#include "crypto/hash.h"
#include "ledger/view.h"

/* Packed, as there are many: the key, the name and a NUL, the signature, and
 * what was signed. */
struct verify_job {
	uint64_t height;	/* the caller's */
	enum sign_alg alg;
	size_t pub_len, name_len, sig_len, text_len;
	unsigned char bytes[];
};

/*
 * Of the note's first signature, which is to be name's with that key: 1 and
 * *j, which the caller frees; 0 when that cannot be, as costs nothing to see;
 * -1 out of memory.
 */
int verify_job_of(struct verify_job **j, const struct note *n,
    struct span name, const struct sign_pub *pub, struct err *e);

/* The name of who has signed. */
const char *verify_job_name(const struct verify_job *j);

/* Does it verify?  c may be NULL. */
bool verify_job_run(const struct verify_job *j, struct checker *c);

/* Are they about the same signature of the same text with the same key? */
bool verify_job_eq(const struct verify_job *a, const struct verify_job *b);

/* Where it belongs in a table: of the signature, which its sender chose, and of
 * a seed that he does not know. */
uint64_t verify_job_key(const struct verify_job *j, const struct hash *seed);

#endif
