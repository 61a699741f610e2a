/*
 * inner: what the parts of the core share.  A driver includes core.h only.
 *
 * A turn is one step under way.  All own votes are made by inner_vote, all
 * foreign ones enter the state through inner_witness.
 */
#ifndef DBFT_INNER_H
#define DBFT_INNER_H

#include "dbft/core.h"

struct dbft_turn {
	struct dbft *s;
	const struct dbft_input *in;
	struct dbft_actions *out;
	uint64_t tell;		/* who is to get our change-view again */
};

static inline uint64_t
inner_bit(unsigned who)
{
	return who < DBFT_MAX_NODES ? UINT64_C(1) << who : 0;
}

static inline unsigned
inner_count(uint64_t mask)
{
	unsigned n = 0;

	for (; mask != 0; mask &= mask - 1)
		n++;
	return n;
}

/* Everybody but us. */
uint64_t inner_others(const struct dbft *s);

/* Do we speak in view? */
bool inner_speaks(const struct dbft *s, uint32_t view);

/* Our vote of this kind in the present view, or NULL. */
const struct dbft_msg *inner_own(const struct dbft *s, enum dbft_kind kind);

/* Is c a certificate of this height by M delegates or more? */
bool inner_cert_ok(const struct dbft *s, const struct dbft_cert *c);

/* Append an action, zeroed but for kind, height and receivers. */
struct dbft_action *inner_act(struct dbft_turn *t, enum dbft_act kind,
    uint64_t to);

/* Whether our vote of this kind in view is allowed now. */
bool inner_may(const struct dbft *s, enum dbft_kind kind, uint32_t view);

/* From now until a change-view of the present view is repeated, ms. */
int64_t inner_pace(const struct dbft *s, int64_t now);

/* Vote; inner_may has said yes.  c is the certificate that m refers to, or
 * NULL.  The state's view follows. */
void inner_vote(struct dbft_turn *t, const struct dbft_msg *m,
    const struct dbft_cert *c, uint64_t to);

/* Send an own vote again. */
void inner_repeat(struct dbft_turn *t, enum dbft_kind kind, uint64_t to);

/* Our clock for the present view starts now, unless it runs. */
void inner_enter(struct dbft_turn *t);

/*
 * Somebody has signed m, of this height.  True if it is now what the state
 * holds; false if it is older than that, or contradicts it (which makes it
 * evidence), or is by us and not in our journal.
 */
bool inner_witness(struct dbft_turn *t, unsigned signer,
    const struct dbft_msg *m);

/* The same for each signer of a certificate. */
void inner_witness_cert(struct dbft_turn *t, enum dbft_kind kind,
    const struct dbft_cert *c);

#endif
