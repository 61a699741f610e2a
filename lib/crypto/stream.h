/*
 * stream: the chunks of an age body (c2sp.org/age, "Payload"), one at a time.
 *
 * A chunk's nonce counts it and says whether it is the last one, so that no
 * chunk can be moved, dropped or added.
 */
#ifndef CRYPTO_STREAM_H
#define CRYPTO_STREAM_H

#include "base/err.h"
#include "crypto/age.h"

#define STREAM_SEALED (AGE_CHUNK + AGE_TAG)	/* bytes of a full chunk */

/* One direction of one body. */
struct stream {
	struct aead *aead;
	uint64_t count;		/* chunks done */
};

/* Derive the body's key; stream_end wipes it. */
void stream_start(struct stream *s, const struct age_key *key,
    const unsigned char nonce[AGE_NONCE], bool seal);
void stream_end(struct stream *s);

/* Write plain.n + AGE_TAG bytes to out, which may be plain.p. */
void stream_seal(struct stream *s, unsigned char *out, struct span plain,
    bool last);

/*
 * Write chunk.n - AGE_TAG bytes to out, which may be chunk.p.  ERR_BAD when
 * this is not the next chunk, or not (the) last.
 */
int stream_open(struct stream *s, unsigned char *out, struct span chunk,
    bool last, struct err *e);

#endif
