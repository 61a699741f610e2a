/* policy: checkpoints, the proofs around them, and whom a policy believes. */
#include "check.h"
#include "ledger/policy.h"
#include "ledger/proof.h"
#include "proven.h"

static struct little l;
static struct err e;
static struct policy p;

/* --- checkpoints ---------------------------------------------------------- */

static void
texts(void)
{
	static const char root[] =
	    "PrWbQLfY2foBTfYYsegvfwYq+KeGkpbPIV4C+hByqFU=";
	static const char *const no[] = {
		"%s", "%s\n", "%s\n2\n", "%s\n02\n%r\n", "%s\n-2\n%r\n",
		"%s\n2 \n%r\n", "%s\n2\n%r", "%s\n2\n%r\n\n", "%s\n2\n%r\nx\n",
		"%s\n2\n%r=\n", "%s\n2\nPrWb\n", "x%s\n2\n%r\n",
		" %s\n2\n%r\n", "%s\n9223372036854775808\n%r\n",
		"%s\r\n2\n%r\n", "\n2\n%r\n",
		"2a4ef91937c2b58a033af9a8b4e83ff3c7a982a265354f3773a80e65e600"
		    "ea3e\n2\n%r\n",
	};
	struct buf b = BUF_INIT(4096);
	char hex[HASH_HEX];
	struct hash h;
	uint64_t size;

	hash_format(hex, &l.id);
	for (size_t i = 0; i < sizeof(no) / sizeof(*no); i++) {
		buf_reset(&b);
		for (const char *s = no[i]; *s != '\0'; s++) {
			if (*s != '%') {
				buf_addc(&b, (unsigned char)*s);
				continue;
			}
			buf_adds(&b, *++s == 's' ? hex : root);
		}
		if (checkpoint_parse_text(&size, &h, buf_span(&b), &l.id,
		    &e) == 0)
			CHECK_STR(no[i], "refused");
		CHECK(e.kind == ERR_BAD);
	}
	buf_reset(&b);
	merkle_root_of(&h, NULL, 0);
	checkpoint_text(&b, &l.id, 0, &h);
	memset(&h, 0, sizeof(h));
	CHECK(checkpoint_parse_text(&size, &h, buf_span(&b), &l.id, &e) == 0);
	CHECK(size == 0 && h.b[0] == 0xe3);
	buf_free(&b);
}

static void
lines(void)
{
	struct buf b = BUF_INIT(CHECKPOINT_MAX);
	struct checkpoint c;
	struct sign_pub pub;
	struct hash root;
	uint64_t t;

	little_object(&root, "a root");
	proven_checkpoint(&b, &l, 5, &root, &l.node[2], 3);
	CHECK(checkpoint_parse(&c, buf_span(&b), &l.id, &e) == 0);
	CHECK(c.size == 5 && hash_eq(&c.root, &root) && c.note.nsigs == 3);
	CHECK(checkpoint_is_log(&c, 0, &l.id));
	CHECK(!checkpoint_is_log(&c, 1, &l.id));
	for (int i = 0; i < LITTLE_NODES; i++) {
		struct span name = span_str(l.node[i].name);

		sign_public(&pub, l.node[i].sign);
		CHECK((checkpoint_verify(&c, 0, &l.id, name, &pub, &t,
		    &e) == 0) == (i == 2));
		CHECK((checkpoint_verify(&c, 1, &l.id, name, &pub, &t,
		    &e) == 0) == (i == 0));
		CHECK((checkpoint_verify(&c, 2, &l.id, name, &pub, &t,
		    &e) == 0) == (i == 1));
	}
	CHECK(checkpoint_parse(&c, span_of(b.p, b.len - 1), &l.id, &e) == -1);
	buf_free(&b);
}

static void
proofs(void)
{
	static const char h0[] =
	    "PrWbQLfY2foBTfYYsegvfwYq+KeGkpbPIV4C+hByqFU=\n";
	static const char *const no[] = {
		"", "index 0\n", "c2sp.org/tlog-proof@v1\n",
		"c2sp.org/tlog-proof@v1\nindex 0\n",
		"c2sp.org/tlog-proof@v1\nindex 00\n\n",
		"c2sp.org/tlog-proof@v1\nextra eA==\nindex 0\n\n",
		"c2sp.org/tlog-proof@v2\nindex 0\n\n",
		"c2sp.org/tlog-proof@v1\nold 0\n\n",
		"c2sp.org/tlog-proof@v1\nindex 0\nAAAA\n\n",
		"c2sp.org/tlog-proof@v1\nindex 0\n \n\n",
	};
	struct buf b = BUF_INIT(PROOF_MAX);
	struct proof q = { .number = 7, .n = 2 }, back;

	for (size_t i = 0; i < sizeof(no) / sizeof(*no); i++)
		CHECK(proof_parse(&back, PROOF_INCLUSION, span_str(no[i]),
		    &e) == -1 && e.kind == ERR_BAD);
	little_object(&q.path[0], "left");
	little_object(&q.path[1], "right");
	for (int kind = PROOF_INCLUSION; kind <= PROOF_PATH; kind++) {
		buf_reset(&b);
		q.checkpoint = span_str(kind == PROOF_PATH ? "" : "the rest");
		proof_text(&b, kind, &q);
		for (int as = PROOF_INCLUSION; as <= PROOF_PATH; as++)
			CHECK((proof_parse(&back, as, buf_span(&b), &e) == 0)
			    == (as == kind));
		CHECK(proof_parse(&back, kind, buf_span(&b), &e) == 0);
		CHECK(back.number == 7 && back.n == 2 &&
		    hash_eq(&back.path[1], &q.path[1]) &&
		    span_eq(back.checkpoint, q.checkpoint));
	}
	buf_reset(&b);
	buf_adds(&b, "old 1\n");
	for (int i = 0; i < MERKLE_DEPTH; i++)
		buf_adds(&b, h0);
	buf_adds(&b, "\n");
	CHECK(proof_parse(&back, PROOF_CONSISTENCY, buf_span(&b), &e) == 0);
	b.len--;
	buf_adds(&b, h0);
	buf_adds(&b, "\n");
	CHECK(proof_parse(&back, PROOF_CONSISTENCY, buf_span(&b), &e) == -1);
	buf_free(&b);
}

/* --- policies ------------------------------------------------------------- */

/* The words %a to %d and %A to %D in a text: keys that cosign, and logs. */
static void
expand(struct buf *out, const char *text)
{
	char origin[HASH_HEX];
	struct sign_pub pub;

	hash_format(origin, &l.id);
	for (; *text != '\0'; text++) {
		bool log = *text == '%' && text[1] < 'a';
		int i;

		if (*text != '%') {
			buf_addc(out, (unsigned char)*text);
			continue;
		}
		i = *++text - (log ? 'A' : 'a');
		sign_public(&pub, l.node[i].sign);
		vkey_add(out, span_str(log ? origin : l.node[i].name), &pub,
		    !log);
	}
}

static int
parse(struct buf *b, const char *text)
{
	int r;

	buf_reset(b);
	expand(b, text);
	r = policy_parse(&p, buf_span(b), &e);
	CHECK(r == 0 || e.kind == ERR_BAD);
	return r;
}

static void
refused(void)
{
	static const char *const no[] = {
		"", "log %A\n", "quorum none", "quorum x\n", "quorum\n",
		"quorum none\nquorum none\n", "quorum none x\n",
		"log %A\nlog %A\nquorum none\n", "log %a\nquorum none\n",
		"log\nquorum none\n", "log %A url more\nquorum none\n",
		"witness x %A\nquorum x\n", "witness x\nquorum none\n",
		"witness none %a\nquorum none\n",
		"witness x %a\nwitness x %b\nquorum x\n",
		"witness x %a\nwitness y %a\nquorum x\n",
		"witness x %a url more\nquorum x\n",
		"quorum x\nwitness x %a\n",
		"witness x %a\ngroup x any x\nquorum x\n",
		"witness x %a\ngroup g any y\nquorum g\n",
		"witness x %a\ngroup g any\nquorum g\n",
		"witness x %a\ngroup g all\nquorum g\n",
		"witness x %a\ngroup g\nquorum g\n",
		"witness x %a\ngroup g 0 x\nquorum g\n",
		"witness x %a\ngroup g 2 x\nquorum g\n",
		"witness x %a\ngroup g 01 x\nquorum g\n",
		"witness x %a\ngroup g some x\nquorum g\n",
		"witness x %a\ngroup g any x x\nquorum g\n",
		"witness x %a\ngroup g any x\ngroup h any x\nquorum g\n",
		"witness x %a\ngroup g any g\nquorum g\n",
		"witness x %a\ngroup g any none\nquorum g\n",
		"witnes x %a\nquorum none\n", "quorum none\r\n",
		"quorum none\n\001\n", "# \177\nquorum none\n",
	};
	struct buf b = BUF_INIT(POLICY_MAX);

	for (size_t i = 0; i < sizeof(no) / sizeof(*no); i++)
		if (parse(&b, no[i]) == 0)
			CHECK_STR(no[i], "refused");
	buf_free(&b);
}

/* Which sets of cosigners does a policy accept? */
static unsigned
accepted(const char *text, const struct identity *log)
{
	struct buf b = BUF_INIT(POLICY_MAX);
	unsigned yes = 0;
	struct hash root;

	little_object(&root, "a root");
	CHECK(parse(&b, text) == 0);
	for (unsigned mask = log == NULL; mask < 16; mask++) {
		struct buf note = BUF_INIT(CHECKPOINT_MAX);
		struct checkpoint c;

		proven_checkpoint(&note, &l, 9, &root, log, mask);
		CHECK(checkpoint_parse(&c, buf_span(&note), &l.id, &e) == 0);
		if (policy_accepts(&p, &c, &e) == 0)
			yes |= 1u << mask;
		else
			CHECK(e.kind == ERR_NO);
		buf_free(&note);
	}
	buf_free(&b);
	return yes;
}

/* The masks with at least n of the bits of set. */
static unsigned
at_least(int n, unsigned set)
{
	unsigned masks = 0;

	for (unsigned m = 0; m < 16; m++)
		if (__builtin_popcount(m & set) >= n)
			masks |= 1u << m;
	return masks;
}

#define FOUR "witness a %a\nwitness b %b\nwitness c %c\nwitness d %d\n"

static void
quorums(void)
{
	const struct identity *log = &l.node[0];

	CHECK(accepted("log %A\nquorum none\n", log) == 0xffff);
	CHECK(accepted("log %B\nquorum none\n", log) == 0);
	CHECK(accepted("log %A\nquorum none\n", NULL) == 0);
	CHECK(accepted("log %B\nlog %A https://x.example/\nquorum none\n",
	    log) == 0xffff);
	/* A policy without a log leaves that to others. */
	CHECK(accepted("quorum none\n", log) == 0xffff);
	CHECK(accepted("log %A\n" FOUR "quorum b\n", log) == at_least(1, 2));
	CHECK(accepted("log %A\n" FOUR "group g any a c\nquorum g\n", log) ==
	    at_least(1, 5));
	CHECK(accepted("log %A\n" FOUR "group g all a c\nquorum g\n", log) ==
	    at_least(2, 5));
	CHECK(accepted("log %A\n" FOUR "group g 3 a b c d\nquorum g\n", log)
	    == at_least(3, 15));
	CHECK(accepted(" \t# words\n\nlog\t%A  \n" FOUR
	    "group x any a b\ngroup y any c d\ngroup z all x y\nquorum z\n",
	    log) == (at_least(1, 3) & at_least(1, 12)));
}

/* A line of a known key must verify; those of others do not matter. */
static void
wrong_lines(void)
{
	struct buf b = BUF_INIT(POLICY_MAX), note = BUF_INIT(CHECKPOINT_MAX);
	struct checkpoint c;
	struct hash root;
	size_t at;

	little_object(&root, "a root");
	CHECK(parse(&b, "log %A\n" FOUR "group g any a b\nquorum g\n") == 0);
	proven_checkpoint(&note, &l, 9, &root, &l.node[0], 7);
	for (unsigned i = 0; i < 4; i++) {
		CHECK(checkpoint_parse(&c, buf_span(&note), &l.id, &e) == 0);
		CHECK(policy_accepts(&p, &c, &e) == 0);
		CHECK(policy_knows(&p, &c, i, &e) == 1);
		/* Well behind the key id: the signature is another. */
		at = (size_t)(c.note.sig[i].base64.p - note.p) + 40;
		note.p[at] ^= 1;
		CHECK(policy_accepts(&p, &c, &e) == -1 && e.kind == ERR_NO);
		CHECK(policy_knows(&p, &c, i, &e) == -1);
		note.p[at] ^= 1;
		/* In it: another key, of which nothing is known. */
		at -= 40;
		note.p[at] ^= 1;
		CHECK((policy_accepts(&p, &c, &e) == 0) == (i > 0));
		CHECK(policy_knows(&p, &c, i, &e) == 0);
		note.p[at] ^= 1;
	}
	buf_free(&b);
	buf_free(&note);
}

/* What is printed for a ledger's nodes. */
static void
made(void)
{
	struct buf b = BUF_INIT(POLICY_MAX);
	struct delegates none = { .n = 0 };

	policy_text(&b, &l.id, &l.delegates);
	buf_addc(&b, '\0');
	for (int i = 0; i < LITTLE_NODES; i++)
		CHECK(accepted((const char *)b.p, &l.node[i]) ==
		    at_least(3, 15));
	buf_reset(&b);
	policy_text(&b, &l.id, &none);
	CHECK(span_is(buf_span(&b), "quorum none\n"));
	buf_free(&b);
}

int
main(void)
{
	little_open(&l);
	texts();
	lines();
	proofs();
	refused();
	quorums();
	wrong_lines();
	made();
	little_close(&l);
	return check_done("policy");
}
