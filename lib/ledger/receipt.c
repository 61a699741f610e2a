#include "ledger/receipt.h"

/* --- parts ---------------------------------------------------------------- */

static int
take_block(struct receipt_block *b, struct span *rest)
{
	if (text_frame(rest, "header", BLOCK_HEADER_MAX, &b->header) != 0)
		return -1;
	return text_frame(rest, "certificate", BLOCK_CERT_MAX,
	    &b->certificate);
}

int
receipt_next_change(struct receipt_block *b, struct span *delegates,
    struct span *rest)
{
	if (rest->n == 0)
		return 0;
	if (take_block(b, rest) != 0 || text_frame(rest, "delegates",
	    DELEGATES_TEXT_MAX, delegates) != 0)
		return -1;
	return 1;
}

/* The changes, and the block after the last of them. */
static int
take_chain(struct receipt *r, struct span *rest)
{
	const unsigned char *start = rest->p, *end = start;
	struct span delegates;

	while (take_block(&r->block, rest) == 0) {
		if (!text_next_is(&(struct text){ .rest = *rest },
		    "delegates")) {
			r->changes = span_of(start, (size_t)(end - start));
			return 0;
		}
		if (text_frame(rest, "delegates", DELEGATES_TEXT_MAX,
		    &delegates) != 0)
			return -1;
		end = rest->p;
	}
	return -1;
}

static int
malformed(struct err *e, const char *part)
{
	return err_set(e, ERR_BAD, "receipt: malformed, or cut, at its %s",
	    part);
}

int
receipt_parse(struct receipt *r, struct span whole, struct err *e)
{
	struct span line, rest;
	struct text t;

	memset(r, 0, sizeof(*r));
	if (whole.n > RECEIPT_MAX)
		return err_set(e, ERR_BAD, "receipt: longer than %u bytes",
		    RECEIPT_MAX);
	text_init(&t, whole, "receipt");
	if (text_key(&t, "ehr.v1", &line, e) != 0)
		return -1;
	if (!span_is(text_word(&line), "receipt") ||
	    hash_parse(&r->ledger, line) != 0)
		return text_bad(&t, e, "not a receipt");
	rest = t.rest;
	if (text_frame(&rest, "genesis", GENESIS_MAX, &r->genesis) != 0)
		return malformed(e, "genesis");
	if (take_chain(r, &rest) != 0)
		return malformed(e, "blocks");
	if (text_frame(&rest, "transaction", TX_MAX, &r->tx) != 0)
		return malformed(e, "transaction");
	r->has_checkpoint = text_frame(&rest, "proof", PROOF_MAX,
	    &r->proof) == 0;
	if (!r->has_checkpoint &&
	    text_frame(&rest, "path", PROOF_MAX, &r->proof) != 0)
		return malformed(e, "proof");
	return rest.n == 0 ? 0 : malformed(e, "end");
}

static void
add_block(struct buf *out, const struct receipt_block *b)
{
	text_add_frame(out, "header", b->header);
	text_add_frame(out, "certificate", b->certificate);
}

void
receipt_add_change(struct buf *out, const struct receipt_block *b,
    struct span delegates)
{
	add_block(out, b);
	text_add_frame(out, "delegates", delegates);
}

void
receipt_text(struct buf *out, const struct receipt *r)
{
	head_add(out, "receipt", &r->ledger);
	text_add_frame(out, "genesis", r->genesis);
	buf_add(out, r->changes.p, r->changes.n);
	add_block(out, &r->block);
	text_add_frame(out, "transaction", r->tx);
	text_add_frame(out, r->has_checkpoint ? "proof" : "path", r->proof);
}

/* --- verifying ------------------------------------------------------------ */

void
receipt_first_delegates(struct delegates *set, const struct genesis *g)
{
	for (set->n = 0; set->n < g->nnodes &&
	    set->n < g->settings.delegates; set->n++) {
		const struct genesis_node *n = &g->node[set->n];
		struct delegate *d = &set->d[set->n];

		memcpy(d->name, n->name.p, n->name.n);
		d->name[n->name.n] = '\0';
		d->sign = n->sign;
	}
}

/* A certified header above height, by the delegates in f->set. */
static int
check_block(struct receipt_facts *f, const struct receipt_block *b,
    uint64_t above, struct err *e)
{
	if (block_header_parse(&f->block, b->header, &f->genesis.id, e) != 0)
		return -1;
	if (f->block.height <= above)
		return err_set(e, ERR_BAD, "receipt: its blocks are not in "
		    "order");
	return certificate_check(b->certificate, &f->block, &f->set,
	    &f->genesis.id, &f->signers, e);
}

/*
 * Each change: the delegates so far have certified a header that names the
 * next ones by their digest.
 */
static int
check_changes(struct receipt_facts *f, struct span rest, uint64_t *above,
    struct err *e)
{
	struct receipt_block b;
	struct hash digest, now;
	struct span text;

	*above = 0;
	while (receipt_next_change(&b, &text, &rest) == 1) {
		if (check_block(f, &b, *above, e) != 0)
			return -1;
		hash_bytes(&digest, text.p, text.n);
		delegates_digest(&now, &f->set);
		if (!hash_eq(&digest, &f->block.delegates) ||
		    hash_eq(&digest, &now))
			return err_set(e, ERR_NO, "receipt: block %llu does "
			    "not name these delegates",
			    (unsigned long long)f->block.height);
		if (delegates_parse(&f->set, text, e) != 0)
			return -1;
		*above = f->block.height;
		f->changes++;
	}
	return 0;
}

int
receipt_line_of(const struct checkpoint *c, size_t i,
    const struct hash *ledger, const struct delegates *set, uint64_t *time_s)
{
	bool log = checkpoint_is_log(c, i, ledger);
	struct span name = c->note.sig[i].name;
	struct err ignored;

	for (size_t k = 0; k < set->n; k++)
		if ((log || span_is(name, set->d[k].name)) &&
		    checkpoint_verify(c, i, ledger, name, &set->d[k].sign,
		    time_s, &ignored) == 0)
			return (int)k;
	return -1;
}

/* Has the signer of line i made another one of its kind before? */
static bool
is_second(const struct receipt_facts *f, size_t i)
{
	const struct note *n = &f->checkpoint.note;

	for (size_t k = 0; k < i; k++)
		if (span_eq(n->sig[k].line, n->sig[i].line) ||
		    (f->signer[k] >= 0 && f->signer[k] == f->signer[i] &&
		    span_eq(n->sig[k].name, n->sig[i].name)))
			return true;
	return false;
}

static int
check_lines(struct receipt_facts *f, const struct policy *policy,
    struct err *e)
{
	const struct checkpoint *c = &f->checkpoint;

	for (size_t i = 0; i < c->note.nsigs; i++) {
		struct span name = c->note.sig[i].name;
		int got;

		f->signer[i] = receipt_line_of(c, i, &f->genesis.id, &f->set,
		    &f->time_s[i]);
		if (f->signer[i] < 0) {
			got = policy == NULL ? 0 : policy_knows(policy, c, i,
			    e);
			if (got < 0)
				return -1;
			if (got == 0)
				return err_set(e, ERR_NO, "receipt: the "
				    "checkpoint has a signature of %.*s that "
				    "does not verify by a key known here",
				    SPAN_FMT(name));
		}
		if (is_second(f, i))
			return err_set(e, ERR_BAD, "receipt: the checkpoint "
			    "has a signature twice");
	}
	return 0;
}

static int
check_checkpoint(struct receipt_facts *f, const struct proof *p,
    const struct policy *policy, struct err *e)
{
	f->has_checkpoint = true;
	if (checkpoint_parse(&f->checkpoint, p->checkpoint, &f->genesis.id,
	    e) != 0)
		return -1;
	if (f->checkpoint.size != f->block.size ||
	    !hash_eq(&f->checkpoint.root, &f->block.tree))
		return err_set(e, ERR_NO, "receipt: its checkpoint is not of "
		    "the tree of its block");
	return check_lines(f, policy, e);
}

static int
check_proof(struct receipt_facts *f, const struct receipt *r,
    const struct policy *policy, struct err *e)
{
	struct hash leaf;
	struct proof p;

	if (proof_parse(&p, r->has_checkpoint ? PROOF_INCLUSION : PROOF_PATH,
	    r->proof, e) != 0)
		return -1;
	f->index = p.number;
	merkle_leaf(&leaf, f->tx.id.b, HASH_LEN);
	if (!merkle_inclusion_ok(&f->block.tree, f->block.size, p.number,
	    &leaf, p.path, p.n))
		return err_set(e, ERR_NO, "receipt: its transaction is not in "
		    "the tree of its block at that place");
	return r->has_checkpoint ? check_checkpoint(f, &p, policy, e) : 0;
}

int
receipt_verify(struct receipt_facts *f, const struct receipt *r,
    const struct policy *policy, struct err *e)
{
	uint64_t above;
	int ret;

	f->changes = 0;
	f->has_checkpoint = false;
	memset(&f->tx, 0, sizeof(f->tx));
	if (genesis_parse(&f->genesis, r->genesis, e) != 0)
		return -1;
	if (!hash_eq(&f->genesis.id, &r->ledger))
		return err_set(e, ERR_NO, "receipt: its genesis is that of "
		    "another ledger");
	receipt_first_delegates(&f->set, &f->genesis);
	if (check_changes(f, r->changes, &above, e) != 0 ||
	    check_block(f, &r->block, above, e) != 0 ||
	    tx_parse(&f->tx, r->tx, &f->genesis.id, e) != 0)
		return -1;
	ret = check_proof(f, r, policy, e);
	if (ret != 0)
		receipt_facts_free(f);
	return ret;
}

void
receipt_facts_free(struct receipt_facts *f)
{
	tx_free(&f->tx);
	memset(&f->tx, 0, sizeof(f->tx));
}
