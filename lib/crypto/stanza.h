/*
 * stanza: the parts of an age header (c2sp.org/age).
 *
 *	age-encryption.org/v1
 *	-> TYPE ARGUMENT ...
 *	BASE64 in lines of 64 characters, and one that is shorter
 *	--- BASE64 of the MAC
 */
#ifndef CRYPTO_STANZA_H
#define CRYPTO_STANZA_H

#include "base/err.h"
#include "base/span.h"

#define STANZA_FIRST "age-encryption.org/v1\n"
#define STANZA_MAC 32		/* bytes */

/* One stanza, borrowed from the header. */
struct stanza {
	struct span type;	/* the first argument */
	struct span args;	/* the others, one blank between */
	struct span body;	/* lines of base64, newlines included */
	size_t body_n;		/* bytes that they stand for */
};

/* Does rest begin with the MAC line, so that no stanza is left? */
bool stanza_at_mac(struct span rest);

/* Take the stanza that *rest begins with.  ERR_BAD unless it is canonical. */
int stanza_take(struct stanza *out, struct span *rest, struct err *e);

/* Decode the body into exactly n bytes: 0, or -1 when it has not as many. */
int stanza_body(unsigned char *out, size_t n, const struct stanza *s);

/* Take the MAC line, its newline included. */
int stanza_take_mac(unsigned char mac[STANZA_MAC], struct span *rest,
    struct err *e);

#endif
