/* checker: what it says is what sign_verify says, for keys that come again,
 * in any order, and more of them than it keeps. */
#include "check.h"

#include "crypto/checker.h"

#define KEYS 600		/* more than it keeps */

static struct err e;
static struct sign_key *key[KEYS];
static struct sign_pub pub[KEYS];
static unsigned char sig[KEYS][SIGN_MAX];
static size_t len[KEYS];
static const char msg[] = "a text that is signed";

static struct span
text(size_t n)
{
	return span_of(msg, n);
}

static void
make(size_t i, enum sign_alg alg)
{
	CHECK(sign_generate(&key[i], alg, &e) == 0);
	sign_public(&pub[i], key[i]);
	CHECK(sign_make(sig[i], &len[i], key[i], text(10), &e) == 0);
}

/* Key i against the signature of key k, and against another text. */
static void
agree(struct checker *c, size_t i, size_t k)
{
	struct span s = span_of(sig[k], len[k]);

	CHECK(checker_verify(c, &pub[i], text(10), s) == (i == k));
	CHECK(!checker_verify(c, &pub[i], text(11), s));
	CHECK(checker_verify(c, &pub[i], text(10),
	    span_of(sig[i], len[i])));
	CHECK(!checker_verify(c, &pub[i], text(10),
	    span_of(sig[i], len[i] - 1)));
}

/* Two keys that share a place: they differ in nothing that chooses it. */
static void
same_place(struct checker *c)
{
	struct sign_pub other = pub[1];

	other.b[0] ^= 1;
	for (int i = 0; i < 3; i++) {
		CHECK(checker_verify(c, &pub[1], text(10),
		    span_of(sig[1], len[1])));
		CHECK(!checker_verify(c, &other, text(10),
		    span_of(sig[1], len[1])));
	}
}

int
main(void)
{
	struct checker *c = checker_open();
	struct sign_pub bad;

	CHECK(c != NULL);
	make(0, SIGN_RSA);
	for (size_t i = 1; i < KEYS; i++)
		make(i, SIGN_ED25519);
	for (size_t i = 0; i < KEYS; i++) {
		agree(c, i, i);
		agree(c, i, (i + 1) % KEYS);
		agree(c, 0, i);
		agree(NULL, i, i);
	}
	same_place(c);
	/* A key that libcrypto refuses. */
	memset(&bad, 0, sizeof(bad));
	bad.alg = SIGN_RSA;
	bad.n = 3;
	CHECK(!checker_verify(c, &bad, text(10), span_of(sig[0], len[0])));
	CHECK(!checker_verify(c, &bad, text(10), span_of(sig[0], len[0])));
	for (size_t i = 0; i < KEYS; i++)
		sign_free(key[i]);
	checker_free(c);
	checker_free(NULL);
	return check_done("checker");
}
