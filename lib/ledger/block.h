/*
 * block: a block's header, its transactions and its certificate
 * (ehr-block(5)).
 *
 *	content      header text, an empty line, then for each transaction
 *	             "tx LENGTH\n" and the note: what is proposed and voted on
 *	file         header text, an empty line, "certificate LENGTH\n" and the
 *	             certificate, then the transactions as above; gzip'd on disk
 *	block id     SHA-256 of the header text
 *
 * The header binds each transaction through its id, which is the hash of the
 * transaction's bytes.  The certificate is one note: the commit statement of
 * one view with the signatures of M delegates or more.
 */
#ifndef LEDGER_BLOCK_H
#define LEDGER_BLOCK_H

#include "crypto/merkle.h"
#include "ledger/genesis.h"
#include "ledger/tx.h"

#define BLOCK_HEADER_MAX 2048		/* bytes */
#define BLOCK_CERT_MAX 65536		/* bytes */
#define BLOCK_CONTENT_MAX (40u << 20)	/* bytes: block_bytes and framing */
#define BLOCK_FILE_MAX (BLOCK_CONTENT_MAX + BLOCK_CERT_MAX + 32)
#define BLOCK_TXS_MAX 100000
#define BLOCK_HEIGHT_MAX 999999999	/* nine digits, as in file names */
#define BLOCK_VIEW_MAX 999999		/* of a certificate */

struct block_header {
	struct hash id;			/* set by parsing */
	uint64_t height;		/* from 1; the genesis is 0 */
	int64_t time_ms;
	struct hash parent;		/* block id; the ledger's id for 1 */
	struct span proposer;		/* the node that made it */
	uint32_t txs;
	struct hash root;		/* Merkle root over its tx ids */
	uint64_t size;			/* transactions since genesis */
	struct hash tree;		/* Merkle root over all of them */
	struct hash delegates;		/* digest of the set for height + 1 */
};

/* A parsed content or file; borrows from the input. */
struct block {
	struct block_header h;
	struct span header;		/* the header text */
	struct span certificate;	/* empty in a content */
	struct span body;		/* the framed transactions */
};

/* Append a header's text. */
void block_header_text(struct buf *out, const struct block_header *h,
    const struct hash *ledger);
int block_header_parse(struct block_header *h, struct span text,
    const struct hash *ledger, struct err *e);

/* Append one framed transaction. */
void block_add_tx(struct buf *out, struct span note);

/*
 * Take a content (with_cert false) or a file's text (true) apart.  Checks
 * forms, the number of transactions and that each frame is whole; not the
 * root: block_check_root does, as it hashes every transaction.
 */
int block_parse(struct block *b, struct span whole, bool with_cert,
    const struct hash *ledger, struct err *e);

/*
 * The transactions of a body, in turn: 1 and the note in *tx, 0 at the end.
 * body is advanced.  A body that block_parse accepted has no other outcome.
 */
int block_next_tx(struct span *body, struct span *tx);

/*
 * Do the header's root, and size and tree given the tree before it, follow
 * from the body?  before is advanced to the tree after the block; if it is
 * NULL, only the root is looked at.  ERR_BAD.
 */
int block_check_root(const struct block *b, struct merkle *before,
    struct err *e);

/* Append content, or the file's text when cert is not empty, from parts. */
void block_join(struct buf *out, struct span header, struct span cert,
    struct span body);

#endif
