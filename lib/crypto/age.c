#include "crypto/age.h"

#include <stdlib.h>

#include "base/base64.h"
#include "crypto/aead.h"
#include "crypto/stanza.h"
#include "crypto/x25519.h"

#define TYPE "X25519"
#define INFO "age-encryption.org/v1/X25519"
#define WRAPPED (sizeof(struct age_key) + AEAD_TAG)	/* bytes */

/* The key that wraps one file key is used for nothing else. */
static const unsigned char zero_nonce[AEAD_NONCE];

struct age_identity {
	struct x25519 *secret;
	struct seal_pub pub;
};

void
age_key_generate(struct age_key *out)
{
	hash_random(out->b, sizeof(out->b));
}

struct age_identity *
age_identity_new(const struct seal_secret *secret)
{
	struct age_identity *id = malloc(sizeof(*id));

	if (id == NULL)
		abort();
	id->secret = x25519_new(secret->b);
	x25519_public(id->pub.b, id->secret);
	return id;
}

void
age_identity_free(struct age_identity *id)
{
	if (id == NULL)
		return;
	x25519_free(id->secret);
	free(id);
}

/* The wrapping key; share is the ephemeral key, to the recipient. */
static void
wrap_key(unsigned char out[AEAD_KEY], const unsigned char shared[SEAL_LEN],
    const struct seal_pub *share, const struct seal_pub *to)
{
	unsigned char salt[2 * SEAL_LEN];

	memcpy(salt, share->b, SEAL_LEN);
	memcpy(salt + SEAL_LEN, to->b, SEAL_LEN);
	hash_hkdf(out, AEAD_KEY, span_of(shared, SEAL_LEN),
	    span_of(salt, sizeof(salt)), INFO);
}

/* Wrap key for one recipient, with a new ephemeral key. */
static int
wrap(struct seal_pub *share, unsigned char wrapped[WRAPPED],
    const struct age_key *key, const struct seal_pub *to, struct err *e)
{
	unsigned char ephemeral[SEAL_LEN], shared[SEAL_LEN];
	unsigned char wrapping[AEAD_KEY];
	struct x25519 *x;
	struct aead *a;
	int r;

	hash_random(ephemeral, sizeof(ephemeral));
	x = x25519_new(ephemeral);
	hash_wipe(ephemeral, sizeof(ephemeral));
	x25519_public(share->b, x);
	r = x25519_shared(shared, x, to->b);
	x25519_free(x);
	if (r != 0)
		return err_set(e, ERR_BAD,
		    "sealing key of a recipient: a point of low order");
	wrap_key(wrapping, shared, share, to);
	a = aead_sealer(wrapping);
	aead_seal(a, wrapped, zero_nonce, span_of(key->b, sizeof(key->b)));
	aead_free(a);
	hash_wipe(shared, sizeof(shared));
	hash_wipe(wrapping, sizeof(wrapping));
	return 0;
}

/* The MAC of a header, of which head is the part up to and with "---". */
static void
header_mac(struct hash *out, const struct age_key *key, struct span head)
{
	unsigned char mac_key[HASH_LEN];

	hash_hkdf(mac_key, sizeof(mac_key), span_of(key->b, sizeof(key->b)),
	    span_of(NULL, 0), "header");
	hash_hmac(out, span_of(mac_key, sizeof(mac_key)), &head, 1);
	hash_wipe(mac_key, sizeof(mac_key));
}

int
age_header_make(struct buf *out, const struct age_key *key,
    const struct seal_pub *to, size_t n, struct err *e)
{
	size_t start = out->len;
	struct seal_pub share;
	unsigned char wrapped[WRAPPED];
	struct hash mac;

	if (n == 0 || n > AGE_RECIPIENTS_MAX)
		return err_set(e, ERR_USAGE,
		    "%zu recipients, must be 1 to %d", n, AGE_RECIPIENTS_MAX);
	buf_adds(out, STANZA_FIRST);
	for (size_t i = 0; i < n; i++) {
		if (wrap(&share, wrapped, key, &to[i], e) != 0) {
			out->len = start;
			return -1;
		}
		buf_adds(out, "-> " TYPE " ");
		base64_add(out, share.b, SEAL_LEN, false);
		buf_addc(out, '\n');
		base64_add(out, wrapped, WRAPPED, false);
		buf_addc(out, '\n');
	}
	buf_adds(out, "---");
	if (buf_check(out, "age header", e) != 0)
		return -1;
	header_mac(&mac, key, span_of(out->p + start, out->len - start));
	buf_addc(out, ' ');
	base64_add(out, mac.b, HASH_LEN, false);
	buf_addc(out, '\n');
	return buf_check(out, "age header", e);
}

/*
 * The ephemeral share and the wrapped key of a stanza of our type, if they
 * have the lengths that they must.
 */
static int
x25519_stanza(struct seal_pub *share, unsigned char wrapped[WRAPPED],
    const struct stanza *s, struct err *e)
{
	size_t n;

	if (base64_decode(share->b, SEAL_LEN, &n, s->args, false) != 0 ||
	    n != SEAL_LEN || stanza_body(wrapped, WRAPPED, s) != 0)
		return err_set(e, ERR_BAD, "age header: malformed %s stanza",
		    TYPE);
	return 0;
}

int
age_header_length(size_t *n, struct span file, struct err *e)
{
	struct span rest = span_of(file.p, file.n < AGE_HEADER_MAX ? file.n :
	    AGE_HEADER_MAX);
	unsigned char wrapped[WRAPPED], mac[STANZA_MAC];
	struct seal_pub share;
	struct stanza s;
	size_t count = 0;
	bool alone = false;

	*n = 0;
	if (!span_starts(rest, STANZA_FIRST))
		return err_set(e, ERR_BAD, "not an age v1 file");
	rest = span_of(rest.p + strlen(STANZA_FIRST),
	    rest.n - strlen(STANZA_FIRST));
	do {
		if (stanza_take(&s, &rest, e) != 0)
			return -1;
		if (span_is(s.type, TYPE) &&
		    x25519_stanza(&share, wrapped, &s, e) != 0)
			return -1;
		/* A passphrase may not stand beside other recipients. */
		alone = alone || span_is(s.type, "scrypt");
		if (++count > AGE_RECIPIENTS_MAX || (alone && count > 1))
			return err_set(e, ERR_BAD, "age header: too many "
			    "stanzas, or scrypt not alone");
	} while (!stanza_at_mac(rest));
	if (stanza_take_mac(mac, &rest, e) != 0)
		return -1;
	*n = (size_t)(rest.p - file.p);
	return 0;
}

/*
 * Try one secret on one stanza: 1 and the file key when it was for us, 0 when
 * it was not, -1 when the stanza is an attack.
 */
static int
unwrap(struct age_key *out, const struct stanza *s,
    const struct age_identity *id, struct err *e)
{
	unsigned char shared[SEAL_LEN], wrapping[AEAD_KEY], wrapped[WRAPPED];
	struct seal_pub share;
	struct aead *a;
	int r;

	if (x25519_stanza(&share, wrapped, s, e) != 0)
		return -1;
	if (x25519_shared(shared, id->secret, share.b) != 0)
		return err_set(e, ERR_BAD,
		    "age header: a share of low order");
	wrap_key(wrapping, shared, &share, &id->pub);
	a = aead_opener(wrapping);
	r = aead_open(a, out->b, zero_nonce, span_of(wrapped, WRAPPED));
	aead_free(a);
	hash_wipe(shared, sizeof(shared));
	hash_wipe(wrapping, sizeof(wrapping));
	return r == 0;
}

/* Find a stanza for one of n identities; as unwrap. */
static int
find_key(struct age_key *out, struct span rest,
    struct age_identity *const *with, size_t n, struct err *e)
{
	struct stanza s;

	while (!stanza_at_mac(rest)) {
		if (stanza_take(&s, &rest, e) != 0)
			return -1;
		for (size_t i = 0; i < n && span_is(s.type, TYPE); i++) {
			int r = unwrap(out, &s, with[i], e);

			if (r != 0)
				return r;
		}
	}
	return 0;
}

int
age_header_unwrap(struct age_key *out, struct span header,
    struct age_identity *const *with, size_t n, struct err *e)
{
	const size_t end = strlen(" ") + 43 + strlen("\n");
	struct span rest;
	unsigned char said[STANZA_MAC];
	struct hash mac;
	size_t len;
	int r;

	if (age_header_length(&len, header, e) != 0)
		return -1;
	if (len != header.n)
		return err_set(e, ERR_BAD, "age header: bytes after its end");
	rest = span_of(header.p + strlen(STANZA_FIRST),
	    header.n - strlen(STANZA_FIRST));
	r = find_key(out, rest, with, n, e);
	if (r == 0)
		err_set(e, ERR_NO, "not sealed for this key");
	if (r <= 0) {
		hash_wipe(out, sizeof(*out));
		return -1;
	}
	header_mac(&mac, out, span_of(header.p, header.n - end));
	rest = span_of(header.p + header.n - end - 3, end + 3);
	if (stanza_take_mac(said, &rest, e) != 0 ||
	    !hash_secret_eq(said, mac.b, HASH_LEN)) {
		hash_wipe(out, sizeof(*out));
		return err_set(e, ERR_BAD, "age header: its MAC is wrong");
	}
	return 0;
}

int
age_header_open(struct age_key *out, struct span header,
    const struct seal_secret *with, size_t n, struct err *e)
{
	struct age_identity **id = calloc(n + 1, sizeof(*id));
	int r;

	if (id == NULL)
		return err_sys(e, "age header");
	for (size_t i = 0; i < n; i++)
		id[i] = age_identity_new(&with[i]);
	r = age_header_unwrap(out, header, id, n, e);
	for (size_t i = 0; i < n; i++)
		age_identity_free(id[i]);
	free(id);
	return r;
}
