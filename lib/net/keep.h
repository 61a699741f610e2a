/*
 * keep: what a driver keeps for the height that is being decided, beside the
 * core's state: votes and certificates as the notes that they came in, and
 * the blocks that they speak of.
 */
#ifndef NET_KEEP_H
#define NET_KEEP_H

#include "dbft/core.h"
#include "ledger/certificate.h"
#include "store/repo.h"

#define KEEP_CERTS 128		/* prepare certificates */
#define KEEP_BODIES 16		/* blocks in memory */

/* A vote as it came.  An empty note: there is none. */
struct keep_vote {
	struct dbft_msg msg;
	struct buf note;
};

/* A prepare certificate and its note. */
struct keep_cert {
	struct dbft_cert c;
	struct buf note;
	bool durable;		/* it is in the journal */
};

/* The content of a block that obeys the rules on top of the last one. */
struct keep_body {
	struct hash id;
	struct buf content;
	bool durable;		/* it is in consensus/ */
};

struct keep {
	struct repo *repo;	/* borrowed */
	uint64_t height;
	struct keep_vote vote[DBFT_MAX_NODES][4];	/* by kind */
	struct keep_cert cert[KEEP_CERTS];
	size_t ncerts;
	struct keep_body body[KEEP_BODIES];
	size_t nbodies;
};

/* Begin a height with nothing; keep starts out zeroed. */
void keep_begin(struct keep *k, struct repo *r, uint64_t height);
void keep_free(struct keep *k);

/* Remember a verified vote's note, in place of an older one of its signer and
 * kind. */
void keep_vote(struct keep *k, unsigned signer, const struct dbft_msg *m,
    struct span note);

/* The same for each signer of a verified certificate. */
void keep_votes(struct keep *k, const struct dbft_cert *c,
    enum dbft_kind kind, struct span note, const struct delegates *set);

/* The note of a delegate's vote that says exactly this, or an empty span. */
struct span keep_find_vote(const struct keep *k, unsigned signer,
    const struct dbft_msg *m);

/*
 * Append a certificate: the text, and the signature lines of c->signers from
 * their votes of this kind.  ERR_BAD when one of these is not here.
 */
int keep_join(struct buf *out, const struct keep *k, enum dbft_kind kind,
    const struct dbft_cert *c, const struct hash *ledger, struct err *e);

/* The certificate for a block in a view, or NULL; and remember one, unless
 * it is known.  NULL when there are too many. */
struct keep_cert *keep_find_cert(struct keep *k, uint32_t view,
    const struct hash *block);
struct keep_cert *keep_cert(struct keep *k, const struct dbft_cert *c,
    struct span note);

/* Is the block here, in memory or on disk? */
bool keep_has_body(const struct keep *k, const struct hash *id);

/* It, from memory or read from disk.  ERR_NO, ERR_BAD. */
struct keep_body *keep_find_body(struct keep *k, const struct hash *id,
    struct err *e);

/*
 * Take in a block's content whose rules have been checked; and make one that
 * is here durable.
 */
int keep_body(struct keep *k, const struct hash *id, struct span content,
    struct err *e);
int keep_body_durable(struct keep *k, const struct hash *id, struct err *e);

#endif
