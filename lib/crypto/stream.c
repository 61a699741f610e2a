#include "crypto/stream.h"

#include "crypto/aead.h"

void
stream_start(struct stream *s, const struct age_key *key,
    const unsigned char nonce[AGE_NONCE], bool seal)
{
	unsigned char k[AEAD_KEY];

	hash_hkdf(k, sizeof(k), span_of(key->b, sizeof(key->b)),
	    span_of(nonce, AGE_NONCE), "payload");
	s->aead = seal ? aead_sealer(k) : aead_opener(k);
	s->count = 0;
	hash_wipe(k, sizeof(k));
}

void
stream_end(struct stream *s)
{
	aead_free(s->aead);
}

/* The nonce of the next chunk: 11 bytes of counter, big endian, and a flag. */
static void
next_nonce(unsigned char out[AEAD_NONCE], struct stream *s, bool last)
{
	memset(out, 0, AEAD_NONCE);
	for (int i = 0; i < 8; i++)
		out[10 - i] = (unsigned char)(s->count >> 8 * i);
	out[11] = last;
	s->count++;
}

void
stream_seal(struct stream *s, unsigned char *out, struct span plain, bool last)
{
	unsigned char nonce[AEAD_NONCE];

	next_nonce(nonce, s, last);
	aead_seal(s->aead, out, nonce, plain);
}

int
stream_open(struct stream *s, unsigned char *out, struct span chunk, bool last,
    struct err *e)
{
	unsigned char nonce[AEAD_NONCE];

	/* An empty chunk says nothing, unless it is the only one. */
	if (chunk.n < AGE_TAG || (chunk.n == AGE_TAG && s->count > 0))
		return err_set(e, ERR_BAD, "age body: cut off");
	next_nonce(nonce, s, last);
	if (aead_open(s->aead, out, nonce, chunk) != 0)
		return err_set(e, ERR_BAD,
		    "age body: altered, cut off or extended");
	return 0;
}
