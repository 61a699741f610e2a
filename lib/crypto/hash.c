#include "crypto/hash.h"

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/kdf.h>
#include <openssl/params.h>
#include <openssl/rand.h>
#include <stdlib.h>

#include "base/hex.h"

/*
 * The digest is fetched once: an implicit fetch for each use costs more than
 * hashing a short text.
 */
static const EVP_MD *
sha256(void)
{
	static EVP_MD *md;
	EVP_MD *seen = __atomic_load_n(&md, __ATOMIC_ACQUIRE);

	if (seen == NULL) {
		seen = EVP_MD_fetch(NULL, "SHA256", NULL);
		if (seen == NULL)
			abort();
		__atomic_store_n(&md, seen, __ATOMIC_RELEASE);
	}
	return seen;
}

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
	EVP_MAC *mac = EVP_MAC_fetch(NULL, "HMAC", NULL);
	EVP_MAC_CTX *ctx = mac == NULL ? NULL : EVP_MAC_CTX_new(mac);
	char name[] = "SHA256";
	OSSL_PARAM params[] = {
		OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, name, 0),
		OSSL_PARAM_construct_end()
	};
	size_t len;

	if (ctx == NULL || EVP_MAC_init(ctx, key.p, key.n, params) != 1)
		abort();
	for (size_t i = 0; i < n; i++)
		if (in[i].n > 0 && EVP_MAC_update(ctx, in[i].p, in[i].n) != 1)
			abort();
	if (EVP_MAC_final(ctx, out->b, &len, HASH_LEN) != 1)
		abort();
	EVP_MAC_CTX_free(ctx);
	EVP_MAC_free(mac);
}

void
hash_hkdf(void *out, size_t out_n, struct span ikm, struct span salt,
    const char *info)
{
	EVP_KDF *kdf = EVP_KDF_fetch(NULL, "HKDF", NULL);
	EVP_KDF_CTX *ctx = kdf == NULL ? NULL : EVP_KDF_CTX_new(kdf);
	char name[] = "SHA256";
	OSSL_PARAM params[] = {
		OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST, name, 0),
		OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_KEY,
		    (void *)(uintptr_t)ikm.p, ikm.n),
		OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_SALT,
		    (void *)(uintptr_t)salt.p, salt.n),
		OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_INFO,
		    (void *)(uintptr_t)info, strlen(info)),
		OSSL_PARAM_construct_end()
	};

	if (ctx == NULL || EVP_KDF_derive(ctx, out, out_n, params) != 1)
		abort();
	EVP_KDF_CTX_free(ctx);
	EVP_KDF_free(kdf);
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
