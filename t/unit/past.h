/*
 * past: ledger directories of the little ledger whose blocks lie in chosen
 * hours: what a test of logs, tiles, checkpoints and receipts needs.
 */
#ifndef UNIT_PAST_H
#define UNIT_PAST_H

#include "scratch.h"

#include "store/accept.h"

#define PAST_HOUR(h) (little_time(0) + (h) * STAMP_HOUR_MS)	/* from 08 on */

struct past {
	struct little l;
	unsigned n;			/* directories */
	struct repo *r[LITTLE_NODES];
	struct hash parent;
	struct merkle all;
	uint64_t height;
	int64_t last_ms;		/* of the last access */
	bool blind;			/* take blocks without a look inside */
};

/* In dir, the ledger as the node i has it. */
static inline void
past_add(struct past *p, const char *dir, unsigned i)
{
	struct buf key = BUF_INIT(IDENTITY_FILE_MAX);
	const char *name = p->l.node[i].name;
	struct repo_new n = { .genesis = buf_span(&p->l.genesis),
	    .secret = &p->l.secret, .node_name = name };
	struct err e;

	people_file(&key, name, name);
	n.key_file = buf_span(&key);
	CHECK(repo_create(dir, &n, &e) == 0);
	CHECK(repo_open(&p->r[p->n++], dir, &e) == 0);
	buf_free(&key);
}

static inline void
past_open(struct past *p)
{
	memset(p, 0, sizeof(*p));
	little_open(&p->l);
	merkle_init(&p->all);
	p->parent = p->l.id;
	p->last_ms = little_time(3661);
}

static inline void
past_close(struct past *p)
{
	for (unsigned i = 0; i < p->n; i++)
		repo_close(p->r[i]);
	little_close(&p->l);
}

/* Sign a transaction as author and put it into a block's body. */
static inline void
past_tx(struct past *p, struct hash *id, struct buf *body, struct tx *tx,
    const struct identity *author)
{
	struct buf note = BUF_INIT(TX_MAX);

	little_sign(&note, &p->l, tx, author);
	if (id != NULL)
		hash_bytes(id, note.p, note.len);
	block_add_tx(body, buf_span(&note));
	buf_free(&note);
}

/* Ruth enrols somebody, at that time; the id of it. */
static inline void
past_enrol(struct past *p, struct hash *id, struct buf *body,
    const struct identity *who, const char *role, int64_t ms)
{
	struct tx tx = { .kind = TX_ENROLL, .time_ms = ms };

	tx.user = span_str(who->name);
	tx.role = span_str(role);
	little_keys(&tx.sign, &tx.seal, who);
	past_tx(p, id, body, &tx, &p->l.ruth);
}

/* Kun opens Bill's record once more. */
static inline void
past_access(struct past *p, struct hash *id, struct buf *body)
{
	struct tx tx;

	little_kind(&tx, &p->l, TX_ACCESS);
	tx.time_ms = ++p->last_ms;
	past_tx(p, id, body, &tx, &p->l.kun);
}

/* Make the block of that body final, everywhere. */
static inline void
past_block(struct past *p, const struct buf *body, int64_t ms)
{
	struct buf header = BUF_INIT(BLOCK_HEADER_MAX);
	struct buf cert = BUF_INIT(BLOCK_CERT_MAX);
	struct buf file = BUF_INIT(64u << 20);
	struct span rest = buf_span(body), note;
	struct block_header h;
	struct hash id, leaf;
	struct err e;

	little_block(&header, &h, &p->l, buf_span(body));
	while (block_next_tx(&rest, &note) == 1) {
		hash_bytes(&id, note.p, note.n);
		merkle_leaf(&leaf, id.b, HASH_LEN);
		merkle_add(&p->all, &leaf);
	}
	h.height = ++p->height;
	h.time_ms = ms;
	h.parent = p->parent;
	h.size = p->all.size;
	merkle_root(&h.tree, &p->all);
	buf_reset(&header);
	block_header_text(&header, &h, &p->l.id);
	hash_bytes(&p->parent, header.p, header.len);
	little_certificate(&cert, &p->l, p->height, 0, &p->parent, 15);
	block_join(&file, buf_span(&header), buf_span(&cert), buf_span(body));
	for (unsigned i = 0; i < p->n; i++) {
		int r = accept_block(p->r[i], buf_span(&file), p->blind, ms,
		    &e);

		CHECK(r == 0);
		if (r != 0)
			printf("block %llu: %s\n",
			    (unsigned long long)p->height, e.msg);
	}
	buf_free(&header);
	buf_free(&cert);
	buf_free(&file);
}

/* The first block: Kun is a doctor, and Bill and Anne, patients; the second:
 * Bill takes his record in.  Five transactions, in the hour from 09 on. */
static inline void
past_begin(struct past *p)
{
	struct buf body = BUF_INIT(1u << 20);
	const struct identity *author;
	struct tx tx;

	past_enrol(p, NULL, &body, &p->l.kun, "doctor", PAST_HOUR(1) + 1);
	past_enrol(p, NULL, &body, &p->l.bill, "patient", PAST_HOUR(1) + 2);
	past_enrol(p, NULL, &body, &p->l.anne, "patient", PAST_HOUR(1) + 3);
	author = little_kind(&tx, &p->l, TX_ROLE_KEY);
	tx.time_ms = PAST_HOUR(1) + 4;
	tx.members = 1;
	past_tx(p, NULL, &body, &tx, author);
	past_block(p, &body, PAST_HOUR(1) + 30000);
	buf_reset(&body);
	author = little_kind(&tx, &p->l, TX_AUTHORIZE);
	past_tx(p, NULL, &body, &tx, author);
	past_block(p, &body, PAST_HOUR(1) + 60000);
	buf_free(&body);
}

/* n more transactions, in blocks of up to 1000 in that hour. */
static inline void
past_accesses(struct past *p, unsigned n, int64_t ms)
{
	struct buf body = BUF_INIT(32u << 20);

	for (unsigned i = 1; i <= n; i++) {
		past_access(p, NULL, &body);
		if (i % 1000 != 0 && i != n)
			continue;
		past_block(p, &body, ms += 1000);
		buf_reset(&body);
	}
	buf_free(&body);
}

#endif
