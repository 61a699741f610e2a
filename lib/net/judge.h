/*
 * judge: are these the votes of delegates?  What does not pass here never
 * reaches the core (dbft/core.h).
 */
#ifndef NET_JUDGE_H
#define NET_JUDGE_H

#include "dbft/core.h"
#include "ledger/certificate.h"

/*
 * Read and verify one vote: a note with one signature, by a delegate of the
 * set.  With trust, that is not verified again: another process of this node
 * has done it.  ERR_BAD or ERR_NO.
 */
int judge_vote(struct dbft_signed *out, struct span note,
    const struct hash *ledger, const struct delegates *set, bool trust,
    struct err *e);

/*
 * The same for a certificate of PREPARE or COMMIT votes: signatures of a
 * quorum or more, in the order of the set.  With trust, those are not
 * verified again: it comes from our own journal.
 */
int judge_cert(struct dbft_cert *out, enum dbft_kind kind, struct span note,
    const struct hash *ledger, const struct delegates *set, bool trust,
    struct err *e);

/* Which height does a note speak of?  Reads the text only. */
int judge_height(uint64_t *height, struct span note,
    const struct hash *ledger, struct err *e);

#endif
