/* key: the text forms of keys, and keys that must not be used. */
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>
#include <openssl/x509.h>

#include "check.h"
#include "base/base64.h"
#include "base/hex.h"
#include "crypto/bech32.h"
#include "crypto/key.h"
#include "people.h"

static struct err e;

static bool
sign_refused(const char *prefix, const void *p, size_t n, const char *why)
{
	struct buf b = BUF_INIT(2000);
	struct sign_pub pub;
	bool r;

	buf_adds(&b, prefix);
	base64_add(&b, p, n, true);
	r = sign_pub_parse(&pub, buf_span(&b), &e) == -1 &&
	    e.kind == ERR_BAD && strstr(e.msg, why) != NULL;
	buf_free(&b);
	return r;
}

static void
ed25519_texts(void)
{
	static const char *const bad[] = {
		"", "ed25519:", "ed25519", "Ed25519:AAAA", "ed25519: AAAA",
		"age1", "rsa:", "rsa:AAAA", "rsa:!",
		/* 32 bytes, but padded wrongly, or with bits left over */
		"ed25519:11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo",
		"ed25519:11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURp=",
		"ed25519:11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo= ",
		"ed25519:11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo="
	};
	const char *good =
	    "ed25519:11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=";
	struct buf b = BUF_INIT(100);
	struct sign_pub pub;

	CHECK(sign_pub_parse(&pub, span_str(good), &e) == 0);
	CHECK(pub.alg == SIGN_ED25519 && pub.n == 32);
	sign_pub_add(&b, &pub);
	CHECK(span_is(buf_span(&b), good));
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		CHECK(sign_pub_parse(&pub, span_str(bad[i]), &e) == -1 &&
		    e.kind == ERR_BAD);
	CHECK(sign_refused("ed25519:", "1234567890123456789012345678901", 31,
	    "not 32 bytes"));
	CHECK(sign_refused("ed25519:", "123456789012345678901234567890123",
	    33, "not 32 bytes"));
	buf_free(&b);
}

/* DER of an RSA public key whose modulus has that many bits. */
static int
rsa_der(unsigned char **der, int bits, unsigned long exponent)
{
	OSSL_PARAM_BLD *bld = OSSL_PARAM_BLD_new();
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, "RSA", NULL);
	BIGNUM *n = BN_new(), *x = BN_new();
	EVP_PKEY *key = NULL;
	OSSL_PARAM *params;
	int len;

	BN_set_bit(n, bits - 1);
	BN_set_bit(n, 0);
	BN_set_word(x, exponent);
	OSSL_PARAM_BLD_push_BN(bld, OSSL_PKEY_PARAM_RSA_N, n);
	OSSL_PARAM_BLD_push_BN(bld, OSSL_PKEY_PARAM_RSA_E, x);
	params = OSSL_PARAM_BLD_to_param(bld);
	CHECK(EVP_PKEY_fromdata_init(ctx) == 1);
	CHECK(EVP_PKEY_fromdata(ctx, &key, EVP_PKEY_PUBLIC_KEY, params) == 1);
	*der = NULL;
	len = i2d_PUBKEY(key, der);
	CHECK(len > 0);
	EVP_PKEY_free(key);
	EVP_PKEY_CTX_free(ctx);
	OSSL_PARAM_free(params);
	OSSL_PARAM_BLD_free(bld);
	BN_free(n);
	BN_free(x);
	return len;
}

static void
rsa(int bits, unsigned long exponent, const char *why)
{
	unsigned char *der;
	size_t n = (size_t)rsa_der(&der, bits, exponent);
	struct buf b = BUF_INIT(2000), again = b;
	struct sign_pub pub;

	if (why != NULL) {
		CHECK(sign_refused("rsa:", der, n, why));
	} else {
		buf_adds(&b, "rsa:");
		base64_add(&b, der, n, true);
		CHECK(sign_pub_parse(&pub, buf_span(&b), &e) == 0);
		CHECK(pub.alg == SIGN_RSA && pub.n == n);
		sign_pub_add(&again, &pub);
		CHECK(span_eq(buf_span(&b), buf_span(&again)));
	}
	OPENSSL_free(der);
	buf_free(&b);
	buf_free(&again);
}

static void
rsa_texts(void)
{
	EVP_PKEY *ec = EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-256");
	unsigned char *der, longer[1000];
	size_t n;

	rsa(3072, 65537, NULL);
	rsa(4096, 65537, NULL);
	rsa(3072, 0xffffffffffffffffUL, NULL);
	rsa(2048, 65537, "2048 bits, must be 3072 to 4096");
	rsa(3071, 65537, "3071 bits");
	rsa(4097, 65537, "4097 bits");
	rsa(8192, 65537, "base64");		/* longer than we keep */
	rsa(3072, 3, "exponent");
	rsa(3072, 65535, "exponent");
	rsa(3072, 65538, "exponent");		/* even */

	/* Bytes after the key; a cut key; another kind of key. */
	n = (size_t)rsa_der(&der, 3072, 65537);
	memcpy(longer, der, n);
	longer[n] = 0;
	CHECK(sign_refused("rsa:", longer, n + 1, "not canonical"));
	CHECK(sign_refused("rsa:", longer, n - 1, "malformed"));
	OPENSSL_free(der);
	der = NULL;
	n = (size_t)i2d_PUBKEY(ec, &der);
	CHECK(sign_refused("rsa:", der, n, "malformed"));
	OPENSSL_free(der);
	EVP_PKEY_free(ec);
}

/* Does libcrypto refuse to agree on a secret with this point? */
static bool
agrees_on_zero(const unsigned char u[SEAL_LEN])
{
	unsigned char secret[SEAL_LEN];
	size_t n = sizeof(secret);
	EVP_PKEY *ours = EVP_PKEY_Q_keygen(NULL, NULL, "X25519");
	EVP_PKEY *theirs = EVP_PKEY_new_raw_public_key(EVP_PKEY_X25519, NULL,
	    u, SEAL_LEN);
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new(ours, NULL);
	bool r = EVP_PKEY_derive_init(ctx) == 1 &&
	    EVP_PKEY_derive_set_peer(ctx, theirs) == 1 &&
	    EVP_PKEY_derive(ctx, secret, &n) != 1;

	EVP_PKEY_CTX_free(ctx);
	EVP_PKEY_free(ours);
	EVP_PKEY_free(theirs);
	return r;
}

static void
weak_seals(void)
{
	static const struct {
		const char *hex;
		bool zero;
	} bad[] = {
		{ "00000000000000000000000000000000"
		  "00000000000000000000000000000000", true },
		{ "01000000000000000000000000000000"
		  "00000000000000000000000000000000", true },
		{ "e0eb7a7c3b41b8ae1656e3faf19fc46a"
		  "da098deb9c32b1fd866205165f49b800", true },
		{ "5f9c95bca3508c24b1d0b1559c83ef5b"
		  "04445cc4581c8e86d8224eddd09f1157", true },
		{ "ecffffffffffffffffffffffffffffff"
		  "ffffffffffffffffffffffffffffff7f", true },
		/* the same points again, plus p, or with the top bit */
		{ "edffffffffffffffffffffffffffffff"
		  "ffffffffffffffffffffffffffffff7f", true },
		{ "eeffffffffffffffffffffffffffffff"
		  "ffffffffffffffffffffffffffffff7f", true },
		{ "00000000000000000000000000000000"
		  "00000000000000000000000000000080", true },
		/* good points, written another way than the one */
		{ "09000000000000000000000000000000"
		  "00000000000000000000000000000080", false },
		{ "f6ffffffffffffffffffffffffffffff"
		  "ffffffffffffffffffffffffffffff7f", false }
	};

	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		struct buf b = BUF_INIT(100);
		unsigned char u[SEAL_LEN];
		struct seal_pub pub;

		CHECK(hex_decode(u, SEAL_LEN, span_str(bad[i].hex)) == 0);
		CHECK(agrees_on_zero(u) == bad[i].zero);
		bech32_add(&b, "age", u, SEAL_LEN);
		CHECK(seal_pub_parse(&pub, buf_span(&b), &e) == -1 &&
		    e.kind == ERR_BAD);
		buf_free(&b);
	}
}

static void
seal_texts(void)
{
	struct buf pub = BUF_INIT(100), secret = BUF_INIT(100);
	struct seal_secret k, back;
	struct seal_pub p, q;

	seal_generate(&k);
	CHECK(seal_public(&p, &k, &e) == 0);
	seal_pub_add(&pub, &p);
	CHECK(span_starts(buf_span(&pub), "age1") && pub.len == 62);
	CHECK(seal_pub_parse(&q, buf_span(&pub), &e) == 0);
	CHECK(memcmp(&p, &q, sizeof(p)) == 0);
	seal_secret_add(&secret, &k);
	CHECK(span_starts(buf_span(&secret), "AGE-SECRET-KEY-1"));
	CHECK(secret.len == 74);
	CHECK(seal_secret_parse(&back, buf_span(&secret), &e) == 0);
	CHECK(memcmp(&k, &back, sizeof(k)) == 0);
	CHECK(seal_secret_parse(&back, buf_span(&pub), &e) == -1);
	CHECK(seal_pub_parse(&q, buf_span(&secret), &e) == -1);
	for (size_t i = 0; i < pub.len; i++) {
		pub.p[i] ^= 1;
		CHECK(seal_pub_parse(&q, buf_span(&pub), &e) == -1);
		pub.p[i] ^= 1;
	}
	for (size_t i = 0; i < pub.len; i++)
		if (pub.p[i] >= 'a')
			pub.p[i] -= 'a' - 'A';
	CHECK(seal_pub_parse(&q, buf_span(&pub), &e) == -1);
	buf_wipe(&secret);
	buf_free(&pub);
}

/* Signatures of the same text are the same, and of that text only. */
static void
signing(enum sign_alg alg)
{
	unsigned char a[SIGN_MAX], b[SIGN_MAX];
	struct span msg = span_str("as it is"), other = span_str("as it was");
	struct sign_pub pub;
	struct sign_key *k;
	size_t n, m;

	CHECK(sign_generate(&k, alg, &e) == 0);
	sign_public(&pub, k);
	CHECK(sign_make(a, &n, k, msg, &e) == 0);
	CHECK(sign_make(b, &m, k, msg, &e) == 0);
	CHECK(n == m && memcmp(a, b, n) == 0);
	CHECK(n == (alg == SIGN_RSA ? 384 : 64));
	CHECK(sign_verify(&pub, msg, span_of(a, n)));
	CHECK(!sign_verify(&pub, other, span_of(a, n)));
	CHECK(!sign_verify(&pub, msg, span_of(a, n - 1)));
	CHECK(!sign_verify(&pub, msg, span_of(a, n + 1)));
	CHECK(!sign_verify(&pub, msg, span_of(a, 0)));
	pub.b[pub.n / 2] ^= 1;
	CHECK(!sign_verify(&pub, msg, span_of(a, n)));
	memset(&pub, 0, sizeof(pub));
	CHECK(!sign_verify(&pub, msg, span_of(a, n)));
	sign_free(k);
	sign_free(NULL);
}

int
main(void)
{
	ed25519_texts();
	rsa_texts();
	weak_seals();
	seal_texts();
	signing(SIGN_ED25519);
	signing(SIGN_RSA);
	return check_done("key");
}
