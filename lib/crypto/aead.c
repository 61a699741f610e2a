#include "crypto/aead.h"

#include <assert.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <stdatomic.h>
#include <stdlib.h>

/* Fetched once; when two threads meet here, the second drops its own. */
static const EVP_CIPHER *
chacha(void)
{
	static _Atomic(EVP_CIPHER *) kept;
	EVP_CIPHER *seen = atomic_load(&kept), *mine;

	if (seen != NULL)
		return seen;
	mine = EVP_CIPHER_fetch(NULL, "ChaCha20-Poly1305", NULL);
	if (mine == NULL)
		abort();
	if (atomic_compare_exchange_strong(&kept, &seen, mine))
		return mine;
	EVP_CIPHER_free(mine);
	return seen;
}

static struct aead *
keyed(const unsigned char key[AEAD_KEY], int seal)
{
	EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();

	if (ctx == NULL ||
	    EVP_CipherInit_ex2(ctx, chacha(), key, NULL, seal, NULL) != 1)
		abort();
	return (struct aead *)ctx;
}

struct aead *
aead_sealer(const unsigned char key[AEAD_KEY])
{
	return keyed(key, 1);
}

struct aead *
aead_opener(const unsigned char key[AEAD_KEY])
{
	return keyed(key, 0);
}

void
aead_free(struct aead *a)
{
	EVP_CIPHER_CTX_free((EVP_CIPHER_CTX *)a);
}

void
aead_seal(struct aead *a, unsigned char *out,
    const unsigned char nonce[AEAD_NONCE], struct span in)
{
	EVP_CIPHER_CTX *ctx = (EVP_CIPHER_CTX *)a;
	int n = 0, last;

	assert(in.n <= AEAD_MAX);
	if (EVP_CipherInit_ex2(ctx, NULL, NULL, nonce, 1, NULL) != 1 ||
	    (in.n > 0 &&
	    EVP_CipherUpdate(ctx, out, &n, in.p, (int)in.n) != 1) ||
	    EVP_CipherFinal_ex(ctx, out + in.n, &last) != 1 ||
	    EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_GET_TAG, AEAD_TAG,
	    out + in.n) != 1)
		abort();
}

int
aead_open(struct aead *a, unsigned char *out,
    const unsigned char nonce[AEAD_NONCE], struct span in)
{
	EVP_CIPHER_CTX *ctx = (EVP_CIPHER_CTX *)a;
	unsigned char tag[AEAD_TAG], none[1];
	size_t len;
	int n = 0, last;

	if (in.n < AEAD_TAG || in.n > AEAD_MAX + AEAD_TAG)
		return -1;
	len = in.n - AEAD_TAG;
	memcpy(tag, in.p + len, AEAD_TAG);
	if (EVP_CipherInit_ex2(ctx, NULL, NULL, nonce, 0, NULL) != 1 ||
	    EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_SET_TAG, AEAD_TAG,
	    tag) != 1 ||
	    (len > 0 && EVP_CipherUpdate(ctx, out, &n, in.p, (int)len) != 1))
		abort();
	if (EVP_CipherFinal_ex(ctx, none, &last) == 1)
		return 0;
	ERR_clear_error();
	if (len > 0)
		memset(out, 0, len);
	return -1;
}
