/* hash: SHA-256, HMAC, HKDF and random bytes, from libcrypto's EVP. */
#ifndef CRYPTO_HASH_H
#define CRYPTO_HASH_H

#include "base/err.h"
#include "base/span.h"

#define HASH_LEN 32			/* bytes */
#define HASH_HEX (2 * HASH_LEN + 1)	/* hex digits and a NUL */

/* A SHA-256 value: the name of a ledger, block, transaction, record, object. */
struct hash {
	unsigned char b[HASH_LEN];
};

static inline bool
hash_eq(const struct hash *a, const struct hash *b)
{
	return memcmp(a->b, b->b, HASH_LEN) == 0;
}

/*
 * SHA-256 of the concatenation of n spans.  libcrypto cannot fail here short
 * of memory exhaustion, which ends the process.
 */
void hash_spans(struct hash *out, const struct span *in, size_t n);
void hash_bytes(struct hash *out, const void *p, size_t n);

/* The same over a stream: open, add ..., finish (which also frees). */
struct hash_stream;
struct hash_stream *hash_open(void);
void hash_add(struct hash_stream *h, const void *p, size_t n);
void hash_finish(struct hash_stream *h, struct hash *out);
void hash_discard(struct hash_stream *h);	/* NULL does nothing */

/* 64 lower-case hex digits and a NUL; and back, 0 or -1. */
void hash_format(char out[HASH_HEX], const struct hash *h);
int hash_parse(struct hash *out, struct span hex);

/* HMAC-SHA256 (RFC 2104) of the concatenation of n spans. */
void hash_hmac(struct hash *out, struct span key, const struct span *in,
    size_t n);

/* HKDF-SHA256 (RFC 5869): out_n bytes, at most 255 * 32. */
void hash_hkdf(void *out, size_t out_n, struct span ikm, struct span salt,
    const char *info);

/* Cryptographically strong random bytes.  A failure ends the process. */
void hash_random(void *out, size_t n);

/* Constant-time comparison for secrets. */
bool hash_secret_eq(const void *a, const void *b, size_t n);

/* Overwrite a secret so that the compiler cannot drop it. */
void hash_wipe(void *p, size_t n);

#endif
