/*
 * little: a little ledger of four hospitals, with one transaction of each
 * kind, made of fixed keys and times.  The tests build on it, t/unit/pinned.c
 * pins its hashes, and the manual pages show its texts.
 */
#ifndef UNIT_LITTLE_H
#define UNIT_LITTLE_H

#include <stdlib.h>

#include "base/stamp.h"
#include "ledger/block.h"
#include "ledger/card.h"
#include "ledger/certificate.h"
#include "ledger/perm.h"
#include "ledger/tx_note.h"
#include "people.h"

#define LITTLE_NODES 4

struct little {
	struct identity node[LITTLE_NODES];	/* hospital-a to hospital-d */
	struct identity ruth;			/* the administrator */
	struct identity kun;			/* a doctor */
	struct identity bill, anne;		/* patients */
	struct identity other;			/* keys that nobody has yet */
	struct hash secret;			/* of the ledger, for e-mails */
	struct buf genesis;
	struct hash id;
	struct buf manifest;			/* by Kun, for Bill */
	struct delegates delegates;
};

/* t seconds after the ledger began, 2026-03-02T08:00:00.000Z, in ms. */
static inline int64_t
little_time(int t)
{
	return 1772438400000 + 1000 * (int64_t)t;
}

static inline void
little_ok(int r)
{
	assert(r == 0);
	(void)r;
}

static inline void
little_keys(struct sign_pub *sign, struct seal_pub *seal,
    const struct identity *id)
{
	struct err e;

	sign_public(sign, id->sign);
	little_ok(seal_public(seal, &id->seal[0], &e));
}

/* An object's name: the hash of some words. */
static inline void
little_object(struct hash *out, const char *words)
{
	hash_bytes(out, words, strlen(words));
}

/* The genesis as a value; spans borrow from l. */
static inline void
little_genesis(struct genesis *g, const struct little *l)
{
	memset(g, 0, sizeof(*g));
	g->name = span_str("za-ehr");
	g->time_ms = little_time(0);
	memcpy(g->nonce, "a fixed nonce 16", 16);
	g->engine = span_str("dbft");
	settings_default(&g->settings);
	g->nroles = genesis_default_roles(g->role);
	for (g->nnodes = 0; g->nnodes < LITTLE_NODES; g->nnodes++) {
		struct genesis_node *n = &g->node[g->nnodes];

		n->name = span_str(l->node[g->nnodes].name);
		little_keys(&n->sign, &n->seal, &l->node[g->nnodes]);
	}
	g->nadmins = 1;
	g->admin[0].handle = span_str(l->ruth.name);
	little_keys(&g->admin[0].sign, &g->admin[0].seal, &l->ruth);
	g->admin[0].has_email = true;
	name_email_digest(&g->admin[0].email, &l->secret,
	    span_str("ruth@example.org"));
	g->admin[0].has_profile = true;
	little_object(&g->admin[0].profile, "the sealed profile of Ruth");
}

/* Append the manifest of a record by author for patient. */
static inline void
little_manifest(struct buf *out, const struct little *l,
    const struct identity *author, const char *patient)
{
	struct buf text = BUF_INIT(STAGED_MAX);
	struct staged s = { 0 };
	struct err e;

	s.time_ms = little_time(3600);
	s.author = span_str(author->name);
	s.patient = span_str(patient);
	s.label = span_str("laboratory");
	little_object(&s.body, "the sealed body");
	s.body_size = 4186;
	little_object(&s.header, "the first header");
	staged_text(&text, &s, &l->id);
	little_ok(identity_sign(out, buf_span(&text), author, &e));
	buf_free(&text);
}

static inline void
little_open(struct little *l)
{
	struct genesis *g = malloc(sizeof(*g));
	struct buf text = BUF_INIT(GENESIS_MAX);
	char name[] = "hospital-a";
	struct err e;

	memset(l, 0, sizeof(*l));
	for (int i = 0; i < LITTLE_NODES; i++, name[9]++) {
		people_node(&l->node[i], name, name);
		strcpy(l->delegates.d[i].name, name);
		sign_public(&l->delegates.d[i].sign, l->node[i].sign);
	}
	l->delegates.n = LITTLE_NODES;
	people_user(&l->ruth, "Ruth O");
	people_user(&l->kun, "Kun M");
	people_user(&l->bill, "Bill");
	people_user(&l->anne, "Anne");
	people_user(&l->other, "somebody new");
	little_object(&l->secret, "the secret of the ledger");
	buf_init(&l->genesis, GENESIS_MAX);
	assert(g != NULL);
	little_genesis(g, l);
	genesis_text(&text, g);
	little_ok(identity_sign(&l->genesis, buf_span(&text), &l->node[0], &e));
	hash_bytes(&l->id, l->genesis.p, l->genesis.len);
	buf_init(&l->manifest, STAGED_MAX);
	little_manifest(&l->manifest, l, &l->kun, l->bill.name);
	buf_free(&text);
	free(g);
}

static inline void
little_close(struct little *l)
{
	for (int i = 0; i < LITTLE_NODES; i++)
		identity_wipe(&l->node[i]);
	identity_wipe(&l->ruth);
	identity_wipe(&l->kun);
	identity_wipe(&l->bill);
	identity_wipe(&l->anne);
	identity_wipe(&l->other);
	buf_free(&l->genesis);
	buf_free(&l->manifest);
}

/* Sign tx as author: append the note to out. */
static inline void
little_sign(struct buf *out, const struct little *l, struct tx *tx,
    const struct identity *author)
{
	struct buf text = BUF_INIT(TX_MAX);
	struct err e;

	tx->author = span_str(author->name);
	tx_text(&text, tx, &l->id);
	little_ok(identity_sign(out, buf_span(&text), author, &e));
	buf_free(&text);
}

/* The members of a transaction about a user, role or node. */
static inline const struct identity *
little_about_user(struct tx *tx, const struct little *l)
{
	tx->role = span_str("doctor");
	tx->user = span_str(l->kun.name);
	tx->node = span_str("hospital-e");
	tx->perms = PERM_FILL | PERM_LIBRARY | PERM_VIEW_OWN;
	tx->generation = 1;
	tx->members = 2;
	little_object(&tx->object, "the sealed key of the role");
	little_keys(&tx->sign, &tx->seal,
	    tx->kind == TX_ENROLL ? &l->kun : &l->other);
	tx->has_email = true;
	name_email_digest(&tx->email, &l->secret,
	    span_str("kun@example.org"));
	switch (tx->kind) {
	case TX_REKEY:
	case TX_ROLE_KEY:
		return &l->kun;
	case TX_VOTE:
		tx->reader[tx->nreaders++] = span_str("hospital-a");
		tx->reader[tx->nreaders++] = span_str("hospital-c");
		return &l->node[1];
	default:
		return &l->ruth;
	}
}

/* Those of one about a record. */
static inline const struct identity *
little_about_record(struct tx *tx, const struct little *l)
{
	hash_bytes(&tx->record, l->manifest.p, l->manifest.len);
	little_object(&tx->header, "the second header");
	tx->reason = span_str("patient-request");
	if (tx->kind == TX_AUTHORIZE)
		tx->manifest = l->manifest;
	tx->reader[tx->nreaders++] = span_str("role:doctor");
	if (tx->kind == TX_GRANT)
		tx->reader[tx->nreaders++] = span_str(l->anne.name);
	return tx->kind == TX_ACCESS ? &l->kun : &l->bill;
}

/*
 * The transaction of the little ledger that is of this kind: fill tx in, which
 * borrows from l and must not be freed.  Returns who signs it.
 */
static inline const struct identity *
little_kind(struct tx *tx, const struct little *l, enum tx_kind kind)
{
	memset(tx, 0, sizeof(*tx));
	tx->kind = kind;
	tx->time_ms = little_time(3601 + (int)kind);
	return kind < TX_AUTHORIZE ? little_about_user(tx, l) :
	    little_about_record(tx, l);
}

/* The same, signed: append the note to out. */
static inline void
little_note(struct buf *out, const struct little *l, enum tx_kind kind)
{
	struct tx tx;
	const struct identity *author = little_kind(&tx, l, kind);

	little_sign(out, l, &tx, author);
}

/*
 * The first block: the transactions in body (as block_add_tx appends them).
 * h is filled in but for its id, header is the text.
 */
static inline void
little_block(struct buf *header, struct block_header *h,
    const struct little *l, struct span body)
{
	struct merkle tree;
	struct hash id, leaf;
	struct span tx;

	memset(h, 0, sizeof(*h));
	merkle_init(&tree);
	while (block_next_tx(&body, &tx) == 1) {
		hash_bytes(&id, tx.p, tx.n);
		merkle_leaf(&leaf, id.b, HASH_LEN);
		merkle_add(&tree, &leaf);
		h->txs++;
	}
	h->height = 1;
	h->time_ms = little_time(3630);
	h->parent = l->id;
	h->proposer = span_str("hospital-b");
	merkle_root(&h->root, &tree);
	h->size = h->txs;
	h->tree = h->root;
	delegates_digest(&h->delegates, &l->delegates);
	block_header_text(header, h, &l->id);
	hash_bytes(&h->id, header->p, header->len);
}

/* Append a certificate for block by the delegates of the mask. */
static inline void
little_certificate(struct buf *out, const struct little *l, uint64_t height,
    uint32_t view, const struct hash *block, unsigned mask)
{
	struct buf text = BUF_INIT(1024);
	struct err e;

	certificate_text(&text, height, view, block, &l->id);
	buf_add(out, text.p, text.len);
	buf_addc(out, '\n');
	for (int i = 0; i < LITTLE_NODES; i++)
		if ((mask & 1u << i) != 0)
			little_ok(note_sign_line(out, buf_span(&text),
			    span_str(l->node[i].name), l->node[i].sign, &e));
	buf_free(&text);
}

#endif
