/*
 * proven: what the little ledger proves: a checkpoint of it, and receipts of
 * its transactions, also after its delegates were replaced by others.
 */
#ifndef UNIT_PROVEN_H
#define UNIT_PROVEN_H

#include "crypto/cosign.h"
#include "ledger/receipt.h"
#include "little.h"

/*
 * Append a checkpoint with the ledger's signature by log and the cosignatures
 * of the nodes of the mask, one second after another from little_time(7200).
 */
static inline void
proven_checkpoint(struct buf *out, const struct little *l, uint64_t size,
    const struct hash *root, const struct identity *log, unsigned mask)
{
	uint64_t time_s = (uint64_t)little_time(7200) / 1000;
	struct buf text = BUF_INIT(1024);
	struct err e;

	checkpoint_text(&text, &l->id, size, root);
	buf_add(out, text.p, text.len);
	buf_addc(out, '\n');
	if (log != NULL)
		little_ok(checkpoint_sign_line(out, buf_span(&text), &l->id,
		    log->sign, &e));
	for (unsigned i = 0; i < LITTLE_NODES; i++)
		if ((mask >> i & 1) != 0)
			little_ok(cosign_line(out, buf_span(&text),
			    span_str(l->node[i].name), l->node[i].sign,
			    time_s + i, &e));
	buf_free(&text);
}

/* A block of some transactions of the little ledger, and its tree. */
struct proven {
	struct buf body, header, certificate, checkpoint, proof, changes;
	struct block_header h;
	struct span note[TX_KINDS];
	struct hash leaf[TX_KINDS];
	unsigned n;
};

static inline int
proven_node(void *arg, unsigned level, uint64_t index, struct hash *out,
    struct err *e)
{
	struct hash left, right;
	struct proven *p = arg;

	if (level == 0) {
		*out = p->leaf[index];
		return 0;
	}
	little_ok(proven_node(p, level - 1, 2 * index, &left, e));
	little_ok(proven_node(p, level - 1, 2 * index + 1, &right, e));
	merkle_node(out, &left, &right);
	return 0;
}

/* A block at that height of these kinds, ended by TX_KINDS; the next delegates
 * are those of next. */
static inline void
proven_open(struct proven *p, const struct little *l, uint64_t height,
    const enum tx_kind *kinds, const struct delegates *next)
{
	struct buf note = BUF_INIT(TX_MAX);
	struct span rest;
	struct hash id;

	memset(p, 0, sizeof(*p));
	buf_init(&p->body, 1u << 20);
	buf_init(&p->header, BLOCK_HEADER_MAX);
	buf_init(&p->certificate, BLOCK_CERT_MAX);
	buf_init(&p->checkpoint, CHECKPOINT_MAX);
	buf_init(&p->proof, PROOF_MAX);
	buf_init(&p->changes, RECEIPT_MAX);
	for (; *kinds != TX_KINDS; kinds++) {
		buf_reset(&note);
		little_note(&note, l, *kinds);
		block_add_tx(&p->body, buf_span(&note));
	}
	rest = buf_span(&p->body);
	while (block_next_tx(&rest, &p->note[p->n]) == 1) {
		hash_bytes(&id, p->note[p->n].p, p->note[p->n].n);
		merkle_leaf(&p->leaf[p->n++], id.b, HASH_LEN);
	}
	little_block(&p->header, &p->h, l, buf_span(&p->body));
	buf_reset(&p->header);
	p->h.height = height;
	delegates_digest(&p->h.delegates, next);
	block_header_text(&p->header, &p->h, &l->id);
	hash_bytes(&p->h.id, p->header.p, p->header.len);
	little_certificate(&p->certificate, l, height, 0, &p->h.id, 7);
	proven_checkpoint(&p->checkpoint, l, p->h.size, &p->h.tree,
	    &l->node[0], 7);
	buf_free(&note);
}

static inline void
proven_close(struct proven *p)
{
	buf_free(&p->body);
	buf_free(&p->header);
	buf_free(&p->certificate);
	buf_free(&p->checkpoint);
	buf_free(&p->proof);
	buf_free(&p->changes);
}

/* The parts of the receipt of its transaction number i; with a checkpoint,
 * unless that is empty. */
static inline void
proven_parts(struct receipt *r, struct proven *p, const struct little *l,
    unsigned i)
{
	struct proof proof = { .number = i,
	    .checkpoint = buf_span(&p->checkpoint) };
	struct err e;

	memset(r, 0, sizeof(*r));
	little_ok(merkle_inclusion(proof.path, &proof.n, i, p->n, proven_node,
	    p, &e));
	buf_reset(&p->proof);
	r->has_checkpoint = p->checkpoint.len > 0;
	proof_text(&p->proof, r->has_checkpoint ? PROOF_INCLUSION :
	    PROOF_PATH, &proof);
	r->ledger = l->id;
	r->genesis = buf_span(&l->genesis);
	r->changes = buf_span(&p->changes);
	r->block.header = buf_span(&p->header);
	r->block.certificate = buf_span(&p->certificate);
	r->tx = p->note[i];
	r->proof = buf_span(&p->proof);
}

/* The receipt that the manual pages show: of the access in the first block. */
static inline void
proven_example(struct buf *out, const struct little *l)
{
	static const enum tx_kind kinds[] = { TX_REJECT, TX_ACCESS, TX_KINDS };
	struct receipt r;
	struct proven p;

	proven_open(&p, l, 1, kinds, &l->delegates);
	proven_parts(&r, &p, l, 1);
	receipt_text(out, &r);
	proven_close(&p);
}

#endif
