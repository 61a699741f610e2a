#include "crypto/key.h"

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>

#include "base/base64.h"
#include "crypto/bech32.h"
#include "crypto/sign_key.h"

#define RSA_BITS_MIN 3072
#define RSA_BITS_MAX 4096
#define RSA_BITS_NEW 3072

/* What libcrypto says went wrong; its queue is emptied. */
static int
crypto_failed(struct err *e, const char *what)
{
	unsigned long code = ERR_peek_last_error();
	const char *why = ERR_reason_error_string(code);

	ERR_clear_error();
	return err_set(e, ERR_SYS, "%s: %s", what,
	    why == NULL ? "libcrypto failed" : why);
}

void
sign_pub_add(struct buf *out, const struct sign_pub *pub)
{
	buf_adds(out, pub->alg == SIGN_ED25519 ? "ed25519:" : "rsa:");
	base64_add(out, pub->b, pub->n, true);
}

bool
sign_pub_eq(const struct sign_pub *a, const struct sign_pub *b)
{
	return a->alg == b->alg && a->n == b->n &&
	    memcmp(a->b, b->b, a->n) == 0;
}

/*
 * The y coordinates of the eight points of small order (RFC 8032 encoding,
 * sign bit cleared).  Such a key accepts forged signatures.
 */
static const unsigned char small_order[5][32] = {
	{ 0 },
	{ 1 },
	{ 0xec, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
	  0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
	  0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f },
	{ 0x26, 0xe8, 0x95, 0x8f, 0xc2, 0xb2, 0x27, 0xb0, 0x45, 0xc3, 0xf4,
	  0x89, 0xf2, 0xef, 0x98, 0xf0, 0xd5, 0xdf, 0xac, 0x05, 0xd3, 0xc6,
	  0x33, 0x39, 0xb1, 0x38, 0x02, 0x88, 0x6d, 0x53, 0xfc, 0x05 },
	{ 0xc7, 0x17, 0x6a, 0x70, 0x3d, 0x4d, 0xd8, 0x4f, 0xba, 0x3c, 0x0b,
	  0x76, 0x0d, 0x10, 0x67, 0x0f, 0x2a, 0x20, 0x53, 0xfa, 0x2c, 0x39,
	  0xcc, 0xc6, 0x4e, 0xc7, 0xfd, 0x77, 0x92, 0xac, 0x03, 0x7a }
};

/* Is a coordinate, sign bit cleared, less than 2^255 - 19? */
static bool
canonical(const unsigned char y[32])
{
	if (y[31] != 0x7f)
		return true;
	for (int i = 30; i > 0; i--)
		if (y[i] != 0xff)
			return true;
	return y[0] < 0xed;
}

static int
check_ed25519(const struct sign_pub *pub, struct err *e)
{
	unsigned char y[32];

	memcpy(y, pub->b, 32);
	y[31] &= 0x7f;
	if (!canonical(y))
		return err_set(e, ERR_BAD, "Ed25519 key: not canonical");
	for (size_t i = 0; i < 5; i++)
		if (memcmp(y, small_order[i], 32) == 0)
			return err_set(e, ERR_BAD,
			    "Ed25519 key: a point of small order");
	return 0;
}

static EVP_PKEY *
pkey_of(const struct sign_pub *pub)
{
	const unsigned char *p = pub->b;

	if (pub->alg == SIGN_ED25519)
		return EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, NULL,
		    pub->b, pub->n);
	return d2i_PUBKEY(NULL, &p, (long)pub->n);
}

static int
check_rsa(const struct sign_pub *pub, struct err *e)
{
	EVP_PKEY *key = pkey_of(pub);
	unsigned char *der = NULL;
	BIGNUM *exponent = NULL;
	int n, bits, r = -1;

	ERR_clear_error();
	if (key == NULL || EVP_PKEY_is_a(key, "RSA") != 1) {
		err_set(e, ERR_BAD, "RSA key: malformed");
		goto out;
	}
	bits = EVP_PKEY_get_bits(key);
	if (bits < RSA_BITS_MIN || bits > RSA_BITS_MAX) {
		err_set(e, ERR_BAD, "RSA key: %d bits, must be %d to %d",
		    bits, RSA_BITS_MIN, RSA_BITS_MAX);
		goto out;
	}
	n = i2d_PUBKEY(key, &der);
	if (n < 0 || (size_t)n != pub->n || memcmp(der, pub->b, pub->n) != 0) {
		err_set(e, ERR_BAD, "RSA key: not canonical DER");
		goto out;
	}
	if (EVP_PKEY_get_bn_param(key, OSSL_PKEY_PARAM_RSA_E, &exponent) != 1 ||
	    !BN_is_odd(exponent) || BN_num_bits(exponent) < 17 ||
	    BN_num_bits(exponent) > 64) {
		err_set(e, ERR_BAD, "RSA key: a weak or oversized exponent");
		goto out;
	}
	r = 0;
out:
	BN_free(exponent);
	OPENSSL_free(der);
	EVP_PKEY_free(key);
	ERR_clear_error();
	return r;
}

int
sign_pub_parse(struct sign_pub *out, struct span text, struct err *e)
{
	const char *prefix;

	memset(out, 0, sizeof(*out));
	if (span_starts(text, "ed25519:"))
		out->alg = SIGN_ED25519, prefix = "ed25519:";
	else if (span_starts(text, "rsa:"))
		out->alg = SIGN_RSA, prefix = "rsa:";
	else
		return err_set(e, ERR_BAD, "not a signature key");
	text = span_of(text.p + strlen(prefix), text.n - strlen(prefix));
	if (base64_decode(out->b, sizeof(out->b), &out->n, text, true) != 0 ||
	    out->n == 0)
		return err_set(e, ERR_BAD, "signature key: bad base64");
	if (out->alg == SIGN_RSA)
		return check_rsa(out, e);
	if (out->n != 32)
		return err_set(e, ERR_BAD, "Ed25519 key: not 32 bytes");
	return check_ed25519(out, e);
}

void
seal_pub_add(struct buf *out, const struct seal_pub *pub)
{
	bech32_add(out, "age", pub->b, SEAL_LEN);
}

/*
 * The u coordinates of small order (RFC 7748 section 6.1: with these the
 * shared secret is zero).  One such key among the members of a role would make
 * every sealing to the role fail.
 */
static const unsigned char seal_small[5][SEAL_LEN] = {
	{ 0 },
	{ 1 },
	{ 0xec, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
	  0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
	  0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f },
	{ 0xe0, 0xeb, 0x7a, 0x7c, 0x3b, 0x41, 0xb8, 0xae, 0x16, 0x56, 0xe3,
	  0xfa, 0xf1, 0x9f, 0xc4, 0x6a, 0xda, 0x09, 0x8d, 0xeb, 0x9c, 0x32,
	  0xb1, 0xfd, 0x86, 0x62, 0x05, 0x16, 0x5f, 0x49, 0xb8, 0x00 },
	{ 0x5f, 0x9c, 0x95, 0xbc, 0xa3, 0x50, 0x8c, 0x24, 0xb1, 0xd0, 0xb1,
	  0x55, 0x9c, 0x83, 0xef, 0x5b, 0x04, 0x44, 0x5c, 0xc4, 0x58, 0x1c,
	  0x8e, 0x86, 0xd8, 0x22, 0x4e, 0xdd, 0xd0, 0x9f, 0x11, 0x57 }
};

int
seal_pub_parse(struct seal_pub *out, struct span text, struct err *e)
{
	/* One valid encoding: bech32 also allows all capitals, we do not. */
	if (!span_starts(text, "age1") ||
	    bech32_decode(out->b, SEAL_LEN, "age", text) != 0)
		return err_set(e, ERR_BAD, "not a sealing key (age1...)");
	if ((out->b[31] & 0x80) != 0 || !canonical(out->b))
		return err_set(e, ERR_BAD, "sealing key: not canonical");
	for (size_t i = 0; i < 5; i++)
		if (memcmp(out->b, seal_small[i], SEAL_LEN) == 0)
			return err_set(e, ERR_BAD,
			    "sealing key: a point of small order");
	return 0;
}

void
seal_secret_add(struct buf *out, const struct seal_secret *secret)
{
	struct buf lower = BUF_INIT(128);

	bech32_add(&lower, "age-secret-key-", secret->b, SEAL_LEN);
	for (size_t i = 0; i < lower.len; i++) {
		unsigned char c = lower.p[i];

		buf_addc(out, c >= 'a' && c <= 'z' ? c - 'a' + 'A' : c);
	}
	buf_wipe(&lower);
}

int
seal_secret_parse(struct seal_secret *out, struct span text, struct err *e)
{
	if (bech32_decode(out->b, SEAL_LEN, "age-secret-key-", text) != 0)
		return err_set(e, ERR_BAD, "not an AGE-SECRET-KEY");
	return 0;
}

void
seal_generate(struct seal_secret *out)
{
	/* RFC 7748: any 32 random bytes are a secret key. */
	hash_random(out->b, SEAL_LEN);
}

int
seal_public(struct seal_pub *out, const struct seal_secret *secret,
    struct err *e)
{
	EVP_PKEY *key = EVP_PKEY_new_raw_private_key(EVP_PKEY_X25519, NULL,
	    secret->b, SEAL_LEN);
	size_t n = SEAL_LEN;
	int ok = key != NULL &&
	    EVP_PKEY_get_raw_public_key(key, out->b, &n) == 1;

	EVP_PKEY_free(key);
	return ok ? 0 : crypto_failed(e, "X25519");
}

int
sign_generate(struct sign_key **out, enum sign_alg alg, struct err *e)
{
	EVP_PKEY *key = alg == SIGN_RSA ?
	    EVP_PKEY_Q_keygen(NULL, NULL, "RSA", (size_t)RSA_BITS_NEW) :
	    EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");

	if (key == NULL)
		return crypto_failed(e, "making a signature key");
	return sign_key_wrap(out, key, e);
}

/* Take over key, an Ed25519 or RSA secret key, in either outcome. */
int
sign_key_wrap(struct sign_key **out, EVP_PKEY *key, struct err *e)
{
	struct sign_key *k = OPENSSL_zalloc(sizeof(*k));
	unsigned char *der = NULL;
	int n;

	if (k == NULL) {
		EVP_PKEY_free(key);
		return err_set(e, ERR_SYS, "out of memory");
	}
	k->key = key;
	if (EVP_PKEY_is_a(key, "ED25519")) {
		k->pub.alg = SIGN_ED25519;
		k->pub.n = 32;
		if (EVP_PKEY_get_raw_public_key(key, k->pub.b, &k->pub.n) != 1)
			goto fail;
		*out = k;
		return 0;
	}
	k->pub.alg = SIGN_RSA;
	n = i2d_PUBKEY(key, &der);
	if (n <= 0 || (size_t)n > sizeof(k->pub.b)) {
		OPENSSL_free(der);
		goto fail;
	}
	memcpy(k->pub.b, der, (size_t)n);
	k->pub.n = (size_t)n;
	OPENSSL_free(der);
	if (check_rsa(&k->pub, e) != 0) {
		sign_free(k);
		return -1;
	}
	*out = k;
	return 0;
fail:
	sign_free(k);
	return crypto_failed(e, "signature key");
}

void
sign_free(struct sign_key *k)
{
	if (k == NULL)
		return;
	EVP_PKEY_free(k->key);	/* libcrypto wipes secret keys */
	OPENSSL_free(k);
}

void
sign_public(struct sign_pub *out, const struct sign_key *k)
{
	*out = k->pub;
}

int
sign_copy(struct sign_key **out, const struct sign_key *k, struct err *e)
{
	if (EVP_PKEY_up_ref(k->key) != 1)
		return crypto_failed(e, "signature key");
	return sign_key_wrap(out, k->key, e);
}

/* Ed25519 hashes inside; RSA is PKCS #1 v1.5, libcrypto's default padding. */
static const char *
digest_of(enum sign_alg alg)
{
	return alg == SIGN_RSA ? "SHA256" : NULL;
}

int
sign_make(unsigned char sig[SIGN_MAX], size_t *n, const struct sign_key *k,
    struct span msg, struct err *e)
{
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	int ok;

	*n = SIGN_MAX;
	ok = ctx != NULL &&
	    EVP_DigestSignInit_ex(ctx, NULL, digest_of(k->pub.alg), NULL, NULL,
	    k->key, NULL) == 1 &&
	    EVP_DigestSign(ctx, sig, n, msg.p, msg.n) == 1;
	EVP_MD_CTX_free(ctx);
	return ok ? 0 : crypto_failed(e, "signing");
}

EVP_MD_CTX *
sign_verify_ctx(const struct sign_pub *pub)
{
	EVP_PKEY *key = pkey_of(pub);
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();

	if (key == NULL || ctx == NULL || EVP_DigestVerifyInit_ex(ctx, NULL,
	    digest_of(pub->alg), NULL, NULL, key, NULL) != 1) {
		EVP_MD_CTX_free(ctx);
		ctx = NULL;
	}
	EVP_PKEY_free(key);	/* the context has a reference */
	return ctx;
}

bool
sign_verify(const struct sign_pub *pub, struct span msg, struct span sig)
{
	EVP_MD_CTX *ctx = sign_verify_ctx(pub);
	bool ok = ctx != NULL &&
	    EVP_DigestVerify(ctx, sig.p, sig.n, msg.p, msg.n) == 1;

	EVP_MD_CTX_free(ctx);
	ERR_clear_error();
	return ok;
}
