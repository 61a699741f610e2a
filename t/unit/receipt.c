/*
 * receipt: receipts of the little ledger: what is in them is what verifies,
 * any byte that is changed, lost or doubled makes one invalid, and so does
 * each part that is well-formed and wrong.
 */
#include <stdlib.h>

#include "check.h"
#include "ledger/receipt_report.h"
#include "proven.h"

static const enum tx_kind kinds[] = { TX_REJECT, TX_ACCESS, TX_AUTHORIZE,
    TX_GRANT, TX_WITHDRAW, TX_ERASE, TX_VOTE, TX_KINDS };

static struct little l;
static struct err e;
static struct proven p;			/* block 9 */
static struct delegates abc, bcd;	/* later delegates */

/* What receipt_report says, of a trust in the ledger's id. */
static int
report(struct buf *out, struct span bytes)
{
	struct receipt_trust trust = { &l.id, NULL };
	int ret;

	buf_reset(out);
	ret = receipt_report(out, bytes, &trust, false, &e);
	CHECK(ret == 0 || e.kind == ERR_NO || e.kind == ERR_BAD);
	return ret;
}

/* The verdict on these parts, put together. */
static int
verdict(const struct receipt *r)
{
	struct buf bytes = BUF_INIT(RECEIPT_MAX), out = BUF_INIT(65536);
	int ret;

	receipt_text(&bytes, r);
	ret = report(&out, buf_span(&bytes));
	buf_free(&bytes);
	buf_free(&out);
	return ret;
}

static bool
refused(const struct receipt *r, const char *why)
{
	bool yes = verdict(r) == -1;

	if (yes && strstr(e.msg, why) == NULL)
		CHECK_STR(e.msg, why);
	return yes;
}

/* A block at that height, certified by the mask, that names the next set; its
 * receipt parts go to rb, its memory to b. */
static void
change(struct proven *b, struct receipt_block *rb, uint64_t height,
    unsigned mask, const struct delegates *next)
{
	proven_open(b, &l, height, kinds, next);
	buf_reset(&b->certificate);
	little_certificate(&b->certificate, &l, height, 0, &b->h.id, mask);
	rb->header = buf_span(&b->header);
	rb->certificate = buf_span(&b->certificate);
}

/* Append to p.changes that after this height the delegates are these. */
static void
add_change(uint64_t height, unsigned mask, const struct delegates *next)
{
	struct buf names = BUF_INIT(DELEGATES_TEXT_MAX);
	struct receipt_block rb;
	struct proven b;

	change(&b, &rb, height, mask, next);
	delegates_text(&names, next);
	receipt_add_change(&p.changes, &rb, buf_span(&names));
	proven_close(&b);
	buf_free(&names);
}

/* Block 9, certified and cosigned by those of the mask, after changes. */
static void
block9(unsigned mask)
{
	proven_open(&p, &l, 9, kinds, &l.delegates);
	buf_reset(&p.certificate);
	little_certificate(&p.certificate, &l, 9, 0, &p.h.id, mask);
	buf_reset(&p.checkpoint);
	proven_checkpoint(&p.checkpoint, &l, p.h.size, &p.h.tree,
	    &l.node[1], mask);
}

/* --- what is right -------------------------------------------------------- */

static void
facts(void)
{
	struct receipt_facts *f = malloc(sizeof(*f));
	struct buf bytes = BUF_INIT(RECEIPT_MAX);
	struct receipt r, back;
	struct hash id;

	assert(f != NULL);
	block9(14);
	add_change(3, 7, &abc);
	add_change(5, 7, &bcd);
	for (unsigned i = 0; i < p.n; i++) {
		proven_parts(&r, &p, &l, i);
		buf_reset(&bytes);
		receipt_text(&bytes, &r);
		CHECK(receipt_parse(&back, buf_span(&bytes), &e) == 0);
		CHECK(receipt_verify(f, &back, NULL, &e) == 0);
		hash_bytes(&id, p.note[i].p, p.note[i].n);
		CHECK(hash_eq(&f->tx.id, &id) && f->index == i);
		CHECK(hash_eq(&f->genesis.id, &l.id) && f->changes == 2);
		CHECK(f->block.height == 9 && f->signers == 7);
		CHECK(f->set.n == 3 && delegates_find(&f->set,
		    span_str("hospital-a")) == -1);
		CHECK(f->has_checkpoint && f->checkpoint.note.nsigs == 4);
		CHECK(f->signer[0] == 0 && f->time_s[0] == 0);
		CHECK(f->signer[3] == 2 && f->time_s[3] ==
		    (uint64_t)little_time(7203) / 1000);
		receipt_facts_free(f);
	}
	proven_close(&p);
	buf_free(&bytes);
	free(f);
}

/* What is said of each kind, in short and on a page. */
static void
words(void)
{
	struct receipt_trust trust = { &l.id, NULL };
	struct buf bytes = BUF_INIT(RECEIPT_MAX), out = BUF_INIT(65536);
	char id[HASH_HEX];
	struct receipt r;

	block9(7);
	for (unsigned i = 0; i < p.n; i++) {
		struct hash h;

		proven_parts(&r, &p, &l, i);
		buf_reset(&bytes);
		receipt_text(&bytes, &r);
		hash_bytes(&h, r.tx.p, r.tx.n);
		hash_format(id, &h);
		for (int page = 0; page < 2; page++) {
			buf_reset(&out);
			CHECK(receipt_report(&out, buf_span(&bytes), &trust,
			    page, &e) == 0);
			buf_addc(&out, '\0');
			CHECK(strstr((char *)out.p, id) != NULL);
			CHECK(strstr((char *)out.p, "hospital-b") != NULL);
			CHECK(strstr((char *)out.p, page ?
			    "What this proves" : "certified by") != NULL);
			CHECK(strstr((char *)out.p, "genesis") != NULL);
		}
	}
	proven_close(&p);
	buf_free(&bytes);
	buf_free(&out);
}

/* --- every byte ----------------------------------------------------------- */

static void
change_bytes(struct buf *bytes, int ways)
{
	struct buf other = BUF_INIT(RECEIPT_MAX), out = BUF_INIT(65536);

	CHECK(report(&out, buf_span(bytes)) == 0);
	for (size_t i = 0; i < bytes->len; i++) {
		unsigned char was = bytes->p[i];

		bytes->p[i] = was ^ (unsigned char)(1 << i % 8);
		CHECK(report(&out, buf_span(bytes)) == -1);
		bytes->p[i] = was;
		if (ways == 1)
			continue;
		bytes->p[i] = (unsigned char)(was + 1);
		CHECK(report(&out, buf_span(bytes)) == -1);
		bytes->p[i] = was;
		buf_reset(&other);
		buf_add(&other, bytes->p, i);
		buf_add(&other, bytes->p + i + 1, bytes->len - i - 1);
		CHECK(report(&out, buf_span(&other)) == -1);
		buf_reset(&other);
		buf_add(&other, bytes->p, i + 1);
		buf_add(&other, bytes->p + i, bytes->len - i);
		CHECK(report(&out, buf_span(&other)) == -1);
	}
	for (size_t n = 0; n < bytes->len; n += 1 + n / 50)
		CHECK(report(&out, span_of(bytes->p, n)) == -1);
	CHECK(report(&out, buf_span(bytes)) == 0);
	buf_free(&other);
	buf_free(&out);
}

static void
every_byte(void)
{
	struct buf bytes = BUF_INIT(RECEIPT_MAX);
	struct receipt r;

	proven_example(&bytes, &l);
	change_bytes(&bytes, 4);
	/* One with changes of delegates, and without a checkpoint. */
	block9(14);
	add_change(3, 7, &abc);
	add_change(5, 7, &bcd);
	buf_reset(&p.checkpoint);
	proven_parts(&r, &p, &l, 4);
	buf_reset(&bytes);
	receipt_text(&bytes, &r);
	change_bytes(&bytes, 1);
	proven_close(&p);
	buf_free(&bytes);
}

/* --- what is well-formed and wrong ---------------------------------------- */

/* The chain of delegates. */
static void
chains(void)
{
	struct receipt r;
	static const struct {
		uint64_t height[3];
		unsigned mask[3];	/* who certifies it */
		char set[4];		/* and who follows */
		unsigned last;		/* who certifies block 9 */
		const char *why;	/* NULL: it is valid */
	} t[] = {
		{ { 3, 5 }, { 7, 7 }, "AB", 14, NULL },
		{ { 8 }, { 14 }, "B", 14, NULL },
		/* Too few, and those who were delegates before. */
		{ { 0 }, { 0 }, "", 3, "2 of 3 signatures" },
		{ { 3 }, { 3 }, "A", 7, "2 of 3 signatures" },
		{ { 3 }, { 7 }, "A", 14, "is no delegate" },
		{ { 3, 5 }, { 7, 7 }, "AB", 7, "is no delegate" },
		/* A change left out, in the wrong order, or that is none. */
		{ { 5 }, { 14 }, "B", 7, "is no delegate" },
		{ { 5, 3 }, { 7, 7 }, "AB", 14, "not in order" },
		{ { 3, 3 }, { 7, 7 }, "AB", 14, "not in order" },
		{ { 9 }, { 7 }, "A", 7, "not in order" },
		{ { 10 }, { 7 }, "A", 7, "not in order" },
		{ { 3, 5 }, { 7, 7 }, "AA", 7, "does not name" },
	};

	for (size_t i = 0; i < sizeof(t) / sizeof(*t); i++) {
		block9(t[i].last);
		for (int k = 0; t[i].set[k] != '\0'; k++)
			add_change(t[i].height[k], t[i].mask[k],
			    t[i].set[k] == 'A' ? &abc : &bcd);
		proven_parts(&r, &p, &l, 1);
		if (t[i].why == NULL)
			CHECK(verdict(&r) == 0);
		else
			CHECK(refused(&r, t[i].why));
		proven_close(&p);
	}
}

/* A set that the header before does not name. */
static void
other_set(void)
{
	struct buf names = BUF_INIT(DELEGATES_TEXT_MAX);
	struct receipt_block rb;
	struct receipt r;
	struct proven b;

	block9(14);
	change(&b, &rb, 3, 7, &abc);
	delegates_text(&names, &bcd);
	receipt_add_change(&p.changes, &rb, buf_span(&names));
	proven_parts(&r, &p, &l, 1);
	CHECK(refused(&r, "does not name"));
	proven_close(&b);
	proven_close(&p);
	buf_free(&names);
}

/* Parts of another block, transaction or ledger. */
static void
mixed(void)
{
	struct receipt r, keep;
	struct receipt_block rb;
	struct proven b;
	struct little other;
	struct buf genesis = BUF_INIT(GENESIS_MAX);
	struct genesis *g = malloc(sizeof(*g));
	struct buf text = BUF_INIT(GENESIS_MAX);

	assert(g != NULL);
	block9(7);
	proven_parts(&keep, &p, &l, 1);
	CHECK(verdict(&keep) == 0);
	r = keep;
	r.tx = p.note[2];
	CHECK(refused(&r, "not in the tree"));
	change(&b, &rb, 8, 7, &l.delegates);
	r = keep;
	r.block.header = rb.header;
	CHECK(refused(&r, "for another block"));
	r = keep;
	r.block.certificate = rb.certificate;
	CHECK(refused(&r, "for another block"));
	/* The same tree, also of another block, is the same tree. */
	r = keep;
	r.block = rb;
	CHECK(verdict(&r) == 0);
	/* Another genesis than the id says. */
	little_genesis(g, &l);
	g->nonce[0] ^= 1;
	genesis_text(&text, g);
	little_ok(identity_sign(&genesis, buf_span(&text), &l.node[0], &e));
	r = keep;
	r.genesis = buf_span(&genesis);
	CHECK(refused(&r, "another ledger"));
	/* And one that agrees with its own, which is not the one we know. */
	other = l;
	hash_bytes(&other.id, genesis.p, genesis.len);
	other.genesis = genesis;
	buf_reset(&text);
	proven_example(&text, &other);
	{
		struct receipt_trust trust = { &l.id, NULL };
		struct buf out = BUF_INIT(65536);

		CHECK(receipt_report(&out, buf_span(&text), &trust, false,
		    &e) == -1 && e.kind == ERR_NO);
		trust.ledger = &other.id;
		CHECK(receipt_report(&out, buf_span(&text), &trust, false,
		    &e) == 0);
		buf_free(&out);
	}
	proven_close(&b);
	proven_close(&p);
	buf_free(&genesis);
	buf_free(&text);
	free(g);
}

/* Checkpoints of another tree, and lines that are not to be believed. */
static void
checkpoints(void)
{
	struct receipt r;
	struct hash root;
	struct note n;

	little_object(&root, "another tree");
	for (int i = 0; i < 2; i++) {
		block9(7);
		buf_reset(&p.checkpoint);
		proven_checkpoint(&p.checkpoint, &l, p.h.size - i,
		    i == 0 ? &root : &p.h.tree, &l.node[0], 7);
		proven_parts(&r, &p, &l, 1);
		CHECK(refused(&r, "not of the tree"));
		proven_close(&p);
	}
	/* Of one who is no delegate at that height, and twice. */
	block9(14);
	add_change(5, 7, &bcd);
	buf_reset(&p.checkpoint);
	proven_checkpoint(&p.checkpoint, &l, p.h.size, &p.h.tree,
	    &l.node[1], 15);
	proven_parts(&r, &p, &l, 1);
	CHECK(refused(&r, "hospital-a"));
	buf_reset(&p.checkpoint);
	proven_checkpoint(&p.checkpoint, &l, p.h.size, &p.h.tree,
	    &l.node[0], 14);
	proven_parts(&r, &p, &l, 1);
	CHECK(refused(&r, "a signature of"));
	for (int i = 0; i < 2; i++) {
		buf_reset(&p.checkpoint);
		proven_checkpoint(&p.checkpoint, &l, p.h.size, &p.h.tree,
		    &l.node[1], 14);
		CHECK(note_parse(&n, buf_span(&p.checkpoint), "note",
		    &e) == 0);
		if (i == 0) {
			struct buf line = BUF_INIT(1024);

			buf_add(&line, n.sig[2].line.p, n.sig[2].line.n);
			buf_add(&p.checkpoint, line.p, line.len);
			buf_free(&line);
		} else
			CHECK(cosign_line(&p.checkpoint, n.text,
			    span_str(l.node[2].name), l.node[2].sign, 5,
			    &e) == 0);
		proven_parts(&r, &p, &l, 1);
		CHECK(refused(&r, "twice"));
	}
	proven_close(&p);
}

/* --- policies ------------------------------------------------------------- */

static int
with_policy(const char *text, const struct hash *ledger, struct span bytes)
{
	struct policy *policy = malloc(sizeof(*policy));
	struct receipt_trust trust = { ledger, policy };
	struct buf out = BUF_INIT(65536);
	int ret;

	assert(policy != NULL);
	CHECK(policy_parse(policy, span_str(text), &e) == 0);
	ret = receipt_report(&out, bytes, &trust, false, &e);
	buf_free(&out);
	free(policy);
	return ret;
}

static void
policies(void)
{
	struct buf text = BUF_INIT(POLICY_MAX), bytes = BUF_INIT(RECEIPT_MAX);
	struct buf line = BUF_INIT(4096);
	struct sign_pub pub;
	struct receipt r;
	struct note n;

	policy_text(&text, &l.id, &l.delegates);
	buf_addc(&text, '\0');
	proven_example(&bytes, &l);
	CHECK(with_policy((char *)text.p, NULL, buf_span(&bytes)) == 0);
	CHECK(with_policy((char *)text.p, &l.id, buf_span(&bytes)) == 0);
	/* Which ledger, and that there is something to believe. */
	CHECK(with_policy("quorum none\n", NULL, buf_span(&bytes)) == -1);
	CHECK(with_policy("quorum none\n", &l.id, buf_span(&bytes)) == 0);
	/* Without a checkpoint there is nothing that a policy is about. */
	block9(7);
	buf_reset(&p.checkpoint);
	proven_parts(&r, &p, &l, 1);
	buf_reset(&bytes);
	receipt_text(&bytes, &r);
	CHECK(with_policy((char *)text.p, &l.id, buf_span(&bytes)) == -1 &&
	    e.kind == ERR_NO && strstr(e.msg, "has no checkpoint") != NULL);
	proven_close(&p);
	/* A cosigner who is no delegate counts, if the policy has the key. */
	block9(3);
	CHECK(note_parse(&n, buf_span(&p.checkpoint), "note", &e) == 0);
	CHECK(cosign_line(&line, n.text, span_str("archive"), l.other.sign,
	    77, &e) == 0);
	buf_add(&p.checkpoint, line.p, line.len);
	buf_reset(&p.certificate);
	little_certificate(&p.certificate, &l, 9, 0, &p.h.id, 7);
	proven_parts(&r, &p, &l, 1);
	buf_reset(&bytes);
	receipt_text(&bytes, &r);
	CHECK(verdict(&r) == -1 && e.kind == ERR_NO);
	sign_public(&pub, l.other.sign);
	text.len--;
	text.len -= strlen("quorum NODES\n");
	buf_adds(&text, "witness x ");
	vkey_add(&text, span_str("archive"), &pub, true);
	buf_adds(&text, "\nquorum x\n");
	buf_addc(&text, '\0');
	CHECK(with_policy((char *)text.p, NULL, buf_span(&bytes)) == 0);
	proven_close(&p);
	buf_free(&text);
	buf_free(&bytes);
	buf_free(&line);
}

int
main(void)
{
	little_open(&l);
	abc = bcd = l.delegates;
	abc.n = bcd.n = 3;
	memcpy(bcd.d, l.delegates.d + 1, 3 * sizeof(*bcd.d));
	facts();
	words();
	every_byte();
	chains();
	other_set();
	mixed();
	checkpoints();
	policies();
	little_close(&l);
	return check_done("receipt");
}
