#include "crypto/vkey.h"

#include "base/base64.h"
#include "base/hex.h"
#include "crypto/cosign.h"

#define TYPE_MAX 32

static struct span
type_of(const struct sign_pub *pub, bool cosigns)
{
	return cosigns ? cosign_key_type() : note_key_type(pub);
}

void
vkey_add(struct buf *out, struct span name, const struct sign_pub *pub,
    bool cosigns)
{
	struct span type = type_of(pub, cosigns);
	unsigned char id[4], raw[TYPE_MAX + SIGN_PUB_MAX];
	char hex[9];

	note_key_id_as(id, name, type, pub);
	hex_encode(hex, id, 4);
	memcpy(raw, type.p, type.n);
	memcpy(raw + type.n, pub->b, pub->n);
	buf_addf(out, "%.*s+%s+", SPAN_FMT(name), hex);
	base64_add(out, raw, type.n + pub->n, true);
}

/* Up to the next '+'; *rest is what follows it, or -1. */
static int
part(struct span *out, struct span *rest)
{
	const unsigned char *plus = rest->n == 0 ? NULL :
	    memchr(rest->p, '+', rest->n);

	if (plus == NULL)
		return -1;
	*out = span_of(rest->p, (size_t)(plus - rest->p));
	*rest = span_of(plus + 1, rest->n - out->n - 1);
	return 0;
}

/* Through the text form of keys, which refuses those that are no good. */
static int
take_key(struct vkey *k, struct span raw, struct err *e)
{
	struct buf text = BUF_INIT(2 * SIGN_PUB_MAX);
	struct sign_pub rsa = { .alg = SIGN_RSA };
	struct span type = note_key_type(&rsa);
	bool is_rsa = raw.n > type.n && memcmp(raw.p, type.p, type.n) == 0;
	int r;

	k->cosigns = raw.n > 1 && raw.p[0] == cosign_key_type().p[0];
	if (!is_rsa && !k->cosigns && (raw.n < 2 || raw.p[0] != 1))
		return err_set(e, ERR_BAD, "verifier key: of an unknown type");
	raw = is_rsa ? span_of(raw.p + type.n, raw.n - type.n) :
	    span_of(raw.p + 1, raw.n - 1);
	buf_adds(&text, is_rsa ? "rsa:" : "ed25519:");
	base64_add(&text, raw.p, raw.n, true);
	r = buf_check(&text, "verifier key", e);
	if (r == 0)
		r = sign_pub_parse(&k->pub, buf_span(&text), e);
	buf_free(&text);
	return r;
}

int
vkey_parse(struct vkey *k, struct span text, struct err *e)
{
	unsigned char id[4], want[4], raw[TYPE_MAX + SIGN_PUB_MAX];
	struct span rest = text, hex;
	size_t n;

	if (part(&k->name, &rest) != 0 || part(&hex, &rest) != 0 ||
	    !note_name_ok(k->name) || hex_decode(id, 4, hex) != 0 ||
	    base64_decode(raw, sizeof(raw), &n, rest, true) != 0)
		return err_set(e, ERR_BAD, "not a verifier key "
		    "(NAME+ID+BASE64)");
	if (take_key(k, span_of(raw, n), e) != 0)
		return -1;
	note_key_id_as(want, k->name, type_of(&k->pub, k->cosigns), &k->pub);
	if (memcmp(id, want, 4) != 0)
		return err_set(e, ERR_BAD, "verifier key of %.*s: its id is "
		    "that of another key", SPAN_FMT(k->name));
	return 0;
}
