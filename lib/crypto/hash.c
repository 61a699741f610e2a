#include "crypto/hash.h"

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/kdf.h>
#include <openssl/params.h>
#include <openssl/rand.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "base/hex.h"

/*
 * Algorithms are fetched once: a fetch for each use costs more than hashing a
 * short text.  When two threads meet here, the second drops its own.
 */
#define FETCH_ONCE(function, type, name) \
static type * \
function(void) \
{ \
	static _Atomic(type *) kept; \
	type *seen = atomic_load(&kept), *mine; \
\
	if (seen != NULL) \
		return seen; \
	if ((mine = type##_fetch(NULL, name, NULL)) == NULL) \
		abort(); \
	if (atomic_compare_exchange_strong(&kept, &seen, mine)) \
		return mine; \
	type##_free(mine); \
	return seen; \
}

FETCH_ONCE(sha256, EVP_MD, "SHA256")
FETCH_ONCE(hmac, EVP_MAC, "HMAC")
FETCH_ONCE(hkdf, EVP_KDF, "HKDF")

struct hash_stream *
hash_open(void)
{
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();

	if (ctx == NULL || EVP_DigestInit_ex2(ctx, sha256(), NULL) != 1)
		abort();
	return (struct hash_stream *)ctx;
}

void
hash_add(struct hash_stream *h, const void *p, size_t n)
{
	if (n > 0 && EVP_DigestUpdate((EVP_MD_CTX *)h, p, n) != 1)
		abort();
}

void
hash_finish(struct hash_stream *h, struct hash *out)
{
	if (EVP_DigestFinal_ex((EVP_MD_CTX *)h, out->b, NULL) != 1)
		abort();
	hash_discard(h);
}

void
hash_discard(struct hash_stream *h)
{
	EVP_MD_CTX_free((EVP_MD_CTX *)h);
}

void
hash_spans(struct hash *out, const struct span *in, size_t n)
{
	struct hash_stream *h = hash_open();

	for (size_t i = 0; i < n; i++)
		hash_add(h, in[i].p, in[i].n);
	hash_finish(h, out);
}

void
hash_bytes(struct hash *out, const void *p, size_t n)
{
	struct span s = span_of(p, n);

	hash_spans(out, &s, 1);
}

void
hash_format(char out[HASH_HEX], const struct hash *h)
{
	hex_encode(out, h->b, HASH_LEN);
}

int
hash_parse(struct hash *out, struct span hex)
{
	return hex_decode(out->b, HASH_LEN, hex);
}

void
hash_hmac(struct hash *out, struct span key, const struct span *in, size_t n)
{
	EVP_MAC_CTX *ctx = EVP_MAC_CTX_new(hmac());
	char name[] = "SHA256";
	OSSL_PARAM params[] = {
		OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, name,
		    0),
		OSSL_PARAM_construct_end()
	};
	size_t len;

	/* Without a pointer, libcrypto would take the key of before. */
	if (key.n == 0)
		key.p = (const unsigned char *)"";
	if (ctx == NULL || EVP_MAC_init(ctx, key.p, key.n, params) != 1)
		abort();
	for (size_t i = 0; i < n; i++)
		if (in[i].n > 0 && EVP_MAC_update(ctx, in[i].p, in[i].n) != 1)
			abort();
	if (EVP_MAC_final(ctx, out->b, &len, HASH_LEN) != 1)
		abort();
	EVP_MAC_CTX_free(ctx);
}

void
hash_hkdf(void *out, size_t out_n, struct span ikm, struct span salt,
    const char *info)
{
	static const unsigned char zeros[HASH_LEN];
	EVP_KDF_CTX *ctx = EVP_KDF_CTX_new(hkdf());
	char name[] = "SHA256";
	OSSL_PARAM params[] = {
		OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST, name,
		    0),
		OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_KEY,
		    (void *)(uintptr_t)ikm.p, ikm.n),
		/* No salt means that many zeros (section 2.2). */
		OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_SALT,
		    (void *)(uintptr_t)(salt.n == 0 ? zeros : salt.p),
		    salt.n == 0 ? HASH_LEN : salt.n),
		OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_INFO,
		    (void *)(uintptr_t)info, strlen(info)),
		OSSL_PARAM_construct_end()
	};

	if (ctx == NULL || EVP_KDF_derive(ctx, out, out_n, params) != 1)
		abort();
	EVP_KDF_CTX_free(ctx);
}

void
hash_random(void *out, size_t n)
{
	if (RAND_bytes(out, (int)n) != 1)
		abort();
}

bool
hash_secret_eq(const void *a, const void *b, size_t n)
{
	return CRYPTO_memcmp(a, b, n) == 0;
}

void
hash_wipe(void *p, size_t n)
{
	OPENSSL_cleanse(p, n);
}
