/* certificate: how many must sign, who, in which order, and what. */
#include "check.h"
#include "little.h"

#define MANY 10

static struct little l;
static struct err e;
static struct identity id[MANY];
static struct delegates set;
static struct block_header h;

static void
quorums(void)
{
	static const size_t need[] = { 1, 1, 2, 3, 3, 4, 5, 5, 6, 7, 7 };

	/* n - floor((n - 1) / 3): two quorums share an honest delegate. */
	for (size_t n = 0; n <= 10; n++)
		CHECK(delegates_quorum(n) == need[n]);
	for (size_t n = 1; n <= GENESIS_NODES_MAX; n++) {
		size_t f = (n - 1) / 3, m = delegates_quorum(n);

		CHECK(m == n - f && 2 * m > n + f);
	}
}

static void
sets(void)
{
	struct delegates other = set;
	struct hash a, b;
	struct buf text = BUF_INIT(4096);

	CHECK(delegates_find(&set, span_str("node-0")) == 0);
	CHECK(delegates_find(&set, span_str("node-9")) == 9);
	CHECK(delegates_find(&set, span_str("node-10")) == -1);
	CHECK(delegates_find(&set, span_of(NULL, 0)) == -1);
	delegates_digest(&a, &set);
	for (size_t i = 0; i < set.n; i++) {
		buf_addf(&text, "%s ", set.d[i].name);
		sign_pub_add(&text, &set.d[i].sign);
		buf_adds(&text, "\n");
	}
	hash_bytes(&b, text.p, text.len);
	CHECK(hash_eq(&a, &b));
	/* Order, names, keys and number all count. */
	other.d[0] = set.d[1];
	other.d[1] = set.d[0];
	delegates_digest(&b, &other);
	CHECK(!hash_eq(&a, &b));
	other = set;
	other.n--;
	delegates_digest(&b, &other);
	CHECK(!hash_eq(&a, &b));
	other = set;
	other.d[3].sign = other.d[4].sign;
	delegates_digest(&b, &other);
	CHECK(!hash_eq(&a, &b));
	other.n = 0;
	delegates_digest(&b, &other);
	hash_bytes(&a, "", 0);
	CHECK(hash_eq(&a, &b));
	buf_free(&text);
}

/* A set is read back as it was written, and from nothing else. */
static void
texts(void)
{
	static const char *const bad[] = { "", "\n", "node-0\n", "node-0 \n",
	    "node-0 ed25519:AAAA\n", "node-0 ed25519:AAAA", "x" };
	struct buf text = BUF_INIT(DELEGATES_TEXT_MAX);
	struct delegates back;
	struct hash a, b;

	delegates_text(&text, &set);
	CHECK(delegates_parse(&back, buf_span(&text), &e) == 0);
	delegates_digest(&a, &set);
	delegates_digest(&b, &back);
	CHECK(back.n == set.n && hash_eq(&a, &b));
	hash_bytes(&b, text.p, text.len);
	CHECK(hash_eq(&a, &b));
	CHECK(delegates_parse(&back, span_of(text.p, text.len - 1), &e) == -1);
	/* One of them twice. */
	buf_add(&text, text.p, text.len / 2);
	CHECK(delegates_parse(&back, buf_span(&text), &e) == -1 &&
	    e.kind == ERR_BAD);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		CHECK(delegates_parse(&back, span_str(bad[i]), &e) == -1 &&
		    e.kind == ERR_BAD);
	buf_reset(&text);
	for (size_t i = 0; i <= GENESIS_NODES_MAX; i++) {
		buf_addf(&text, "n%zu ", i);
		sign_pub_add(&text, &set.d[0].sign);
		buf_addc(&text, '\n');
	}
	CHECK(delegates_parse(&back, buf_span(&text), &e) == -1 &&
	    strstr(e.msg, "too many") != NULL);
	buf_free(&text);
}

/* A certificate over text by the signers, in that order. */
static void
make(struct buf *out, struct span text, const int *signer, size_t n)
{
	buf_reset(out);
	buf_add(out, text.p, text.n);
	buf_addc(out, '\n');
	for (size_t i = 0; i < n; i++)
		little_ok(note_sign_line(out, text,
		    span_str(id[signer[i]].name), id[signer[i]].sign, &e));
}

static int
check(const struct buf *cert, size_t n, uint64_t *signers)
{
	struct delegates some = set;

	some.n = n;
	return certificate_check(buf_span(cert), &h, &some, &l.id, signers,
	    &e);
}

/* For each size of the set, each number of signers. */
static void
sizes(struct span text)
{
	struct buf cert = BUF_INIT(BLOCK_CERT_MAX);
	int all[MANY];
	uint64_t signers;

	for (int i = 0; i < MANY; i++)
		all[i] = i;
	for (size_t n = 1; n <= MANY; n++)
		for (size_t k = 1; k <= n; k++) {
			/* The last k, so that not all start with node-0. */
			make(&cert, text, all + n - k, k);
			if (k >= delegates_quorum(n)) {
				CHECK(check(&cert, n, &signers) == 0);
				CHECK(signers == ((1u << n) - 1) -
				    ((1u << (n - k)) - 1));
			} else
				CHECK(check(&cert, n, &signers) == -1 &&
				    e.kind == ERR_NO);
		}
	buf_free(&cert);
}

/* Who must not be among the signers, and where. */
static void
signatures(struct span text)
{
	static const struct {
		const char *why;
		int signer[4];
		size_t n;
		enum err_kind kind;
	} v[] = {
		{ "a quorum", { 0, 2, 3 }, 3, ERR_NONE },
		{ "all", { 0, 1, 2, 3 }, 4, ERR_NONE },
		{ "out of order", { 0, 3, 2 }, 3, ERR_BAD },
		{ "out of order", { 1, 0, 2, 3 }, 4, ERR_BAD },
		{ "twice the same", { 0, 1, 1 }, 3, ERR_BAD },
		{ "twice the same", { 0, 0, 1, 2 }, 4, ERR_BAD },
		{ "no delegate", { 0, 1, 2, 4 }, 4, ERR_BAD },
		{ "no delegate", { 0, 1, 4 }, 3, ERR_BAD },
		{ "too few", { 1, 3 }, 2, ERR_NO }
	};
	struct buf cert = BUF_INIT(BLOCK_CERT_MAX);
	static const int three[] = { 0, 1, 2 };
	uint64_t signers;

	for (size_t i = 0; i < sizeof(v) / sizeof(*v); i++) {
		make(&cert, text, v[i].signer, v[i].n);
		if (v[i].kind == ERR_NONE)
			CHECK(check(&cert, 4, &signers) == 0);
		else
			CHECK(check(&cert, 4, &signers) == -1 &&
			    e.kind == v[i].kind);
	}
	/* Another's key under a delegate's name. */
	make(&cert, text, three, 2);
	little_ok(note_sign_line(&cert, text, span_str("node-2"), id[3].sign,
	    &e));
	CHECK(check(&cert, 4, &signers) == -1 && e.kind == ERR_NO);
	/* A delegate's signature of another view, mixed in. */
	make(&cert, text, three, 2);
	{
		struct buf other = BUF_INIT(1024);

		certificate_text(&other, h.height, 8, &h.id, &l.id);
		little_ok(note_sign_line(&cert, buf_span(&other),
		    span_str("node-2"), id[2].sign, &e));
		buf_free(&other);
	}
	CHECK(check(&cert, 4, &signers) == -1 && e.kind == ERR_NO);
	CHECK(strstr(e.msg, "does not verify") != NULL);
	/* Not base64. */
	make(&cert, text, three, 3);
	cert.p[cert.len - 2] = '!';
	CHECK(check(&cert, 4, &signers) == -1 && e.kind == ERR_BAD);
	buf_free(&cert);
}

/* Signed by all, but it says something else. */
static void
statements(struct span text)
{
	static const int all[] = { 0, 1, 2, 3 };
	static const struct {
		const char *from, *to;
		enum err_kind kind;
	} edit[] = {
		{ "height 42", "height 43", ERR_NO },
		{ "block 0", "block 1", ERR_NO },
		{ "height 42", "height 042", ERR_BAD },
		{ "height 42", "height 1000000000", ERR_BAD },
		{ "view 7", "view 07", ERR_BAD },
		{ "view 7", "view 1000000", ERR_BAD },
		{ "view 7\n", "", ERR_BAD },
		{ "view 7\n", "view 7\nview 7\n", ERR_BAD },
		{ "ehr.v1 commit", "ehr.v1 prepare", ERR_BAD },
		{ "ehr.v1 commit ", "ehr.v1 commit -", ERR_BAD },
		{ "height 42\n", "height 42 \n", ERR_BAD },
		{ "height 42\nview 7\n", "view 7\nheight 42\n", ERR_BAD }
	};
	struct buf cert = BUF_INIT(BLOCK_CERT_MAX), was = BUF_INIT(2048);
	uint64_t signers;
	struct hash other;
	struct delegates some = set;

	buf_add(&was, text.p, text.n);
	buf_addc(&was, '\0');
	for (size_t i = 0; i < sizeof(edit) / sizeof(*edit); i++) {
		struct buf b = BUF_INIT(2048);
		const char *at = strstr((char *)was.p, edit[i].from);

		CHECK(at != NULL);
		buf_add(&b, was.p, (size_t)(at - (char *)was.p));
		buf_adds(&b, edit[i].to);
		buf_adds(&b, at + strlen(edit[i].from));
		make(&cert, buf_span(&b), all, 4);
		CHECK(check(&cert, 4, &signers) == -1 &&
		    e.kind == edit[i].kind);
		buf_free(&b);
	}
	was.len--;
	buf_adds(&was, "more 1\n");
	make(&cert, buf_span(&was), all, 4);
	CHECK(check(&cert, 4, &signers) == -1 && e.kind == ERR_BAD);
	make(&cert, text, all, 4);
	CHECK(check(&cert, 4, &signers) == 0 && signers == 15);
	some.n = 4;
	little_object(&other, "another ledger");
	CHECK(certificate_check(buf_span(&cert), &h, &some, &other, &signers,
	    &e) == -1 && e.kind == ERR_BAD);
	buf_adds(&cert, "extra text\n");
	CHECK(check(&cert, 4, &signers) == -1 && e.kind == ERR_BAD);
	buf_reset(&cert);
	CHECK(check(&cert, 4, &signers) == -1 && e.kind == ERR_BAD);
	buf_free(&cert);
	buf_free(&was);
}

/* Each flipped bit of a certificate is found. */
static void
flips(struct span text)
{
	static const int three[] = { 0, 2, 3 };
	struct buf cert = BUF_INIT(BLOCK_CERT_MAX);
	uint64_t signers;

	make(&cert, text, three, 3);
	for (size_t i = 0; i < cert.len * 8; i++) {
		cert.p[i / 8] ^= (unsigned char)(1 << i % 8);
		CHECK(check(&cert, 4, &signers) == -1 &&
		    (e.kind == ERR_BAD || e.kind == ERR_NO));
		cert.p[i / 8] ^= (unsigned char)(1 << i % 8);
	}
	CHECK(check(&cert, 4, &signers) == 0);
	buf_free(&cert);
}

int
main(void)
{
	struct buf text = BUF_INIT(1024), most = BUF_INIT(1024);

	little_open(&l);
	for (int i = 0; i < MANY; i++) {
		char name[] = "node-0";

		name[5] += (char)i;
		people_node(&id[i], name, name);
		strcpy(set.d[i].name, name);
		sign_public(&set.d[i].sign, id[i].sign);
	}
	set.n = MANY;
	h.height = 42;
	memset(h.id.b, 0x0b, sizeof(h.id.b));
	certificate_text(&text, h.height, 7, &h.id, &l.id);
	quorums();
	sets();
	texts();
	sizes(buf_span(&text));
	signatures(buf_span(&text));
	statements(buf_span(&text));
	flips(buf_span(&text));
	certificate_text(&most, BLOCK_HEIGHT_MAX, BLOCK_VIEW_MAX, &h.id,
	    &l.id);
	h.height = BLOCK_HEIGHT_MAX;
	sizes(buf_span(&most));
	for (int i = 0; i < MANY; i++)
		identity_wipe(&id[i]);
	buf_free(&text);
	buf_free(&most);
	little_close(&l);
	return check_done("certificate");
}
