/*
 * round: the normal case, in which a speaker proposes a block, collects M
 * prepares, shows them, and collects M commits.  What is different where all
 * do that is in all.h.
 */
#ifndef DBFT_ROUND_H
#define DBFT_ROUND_H

#include "dbft/inner.h"

/* Something waits to be put into a block, since then (ms). */
void round_work(struct dbft_turn *t, int64_t since);

/* Inputs; the message is of the state's height, its signer a delegate. */
void round_candidate(struct dbft_turn *t);
void round_proposal(struct dbft_turn *t);
void round_prepare(struct dbft_turn *t);
void round_commit(struct dbft_turn *t);

/*
 * A prepare certificate that inner_cert_ok, whose body is here: remember it
 * if it is the highest, and commit to its block if our view allows that; the
 * commit goes to the view's speaker and to reply (mask).
 */
void round_certified(struct dbft_turn *t, const struct dbft_cert *c,
    uint64_t reply);

/* As one who counts: do the prepares for the block that we have prepared in the
 * present view make a certificate?  And those commits a final block?  Its body
 * is here. */
void round_count_prepares(struct dbft_turn *t);
void round_count_commits(struct dbft_turn *t, uint32_t view,
    const struct hash *block);

/* Make the block of c final. */
void round_finalise(struct dbft_turn *t, const struct dbft_cert *c);

/* As the speaker of the present view, propose if it is time to. */
void round_speak(struct dbft_turn *t);

/* As that, repeat what has not been answered.  False if nothing was said. */
bool round_remind(struct dbft_turn *t);

/* The change-views that prove a proposal in the present view (mask), 0 when
 * there are too few; and *best, the highest claim among them, or NULL. */
uint64_t round_proof(const struct dbft *s, const struct dbft_msg **best);

#endif
