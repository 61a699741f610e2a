#include "crypto/cosign.h"

#define TIME_LEN 8
#define ED25519_LEN 64

struct span
cosign_key_type(void)
{
	return span_str("\x04");
}

/* What is signed. */
static int
message(struct buf *out, struct span text, uint64_t time_s, struct err *e)
{
	buf_addf(out, "cosignature/v1\ntime %llu\n",
	    (unsigned long long)time_s);
	buf_add(out, text.p, text.n);
	return buf_check(out, "checkpoint", e);
}

int
cosign_line(struct buf *out, struct span text, struct span name,
    const struct sign_key *k, uint64_t time_s, struct err *e)
{
	struct buf msg = BUF_INIT(NOTE_MAX);
	unsigned char sig[TIME_LEN + SIGN_MAX], id[4];
	struct sign_pub pub;
	size_t n;
	int r;

	sign_public(&pub, k);
	if (pub.alg != SIGN_ED25519)
		return err_set(e, ERR_NO, "%.*s: has no Ed25519 key, and there "
		    "are no cosignatures by others", SPAN_FMT(name));
	note_key_id_as(id, name, cosign_key_type(), &pub);
	for (int i = 0; i < TIME_LEN; i++)
		sig[i] = (unsigned char)(time_s >> 8 * (TIME_LEN - 1 - i));
	r = message(&msg, text, time_s, e);
	if (r == 0)
		r = sign_make(sig + TIME_LEN, &n, k, buf_span(&msg), e);
	buf_free(&msg);
	if (r != 0)
		return -1;
	note_add_sig(out, name, id, sig, TIME_LEN + n);
	return buf_check(out, "checkpoint", e);
}

int
cosign_verify(const struct note *n, size_t i, struct span name,
    const struct sign_pub *pub, uint64_t *time_s, struct err *e)
{
	struct buf msg = BUF_INIT(NOTE_MAX);
	unsigned char sig[SIGN_MAX], id[4], want[4];
	const struct note_sig *s = &n->sig[i];
	size_t len;
	bool ok;

	if (note_sig_raw(s, id, sig, &len) != 0)
		return err_set(e, ERR_BAD, "cosignature of %.*s: bad base64",
		    SPAN_FMT(s->name));
	note_key_id_as(want, name, cosign_key_type(), pub);
	if (!span_eq(s->name, name) || memcmp(id, want, 4) != 0)
		return err_set(e, ERR_NO, "cosignature of %.*s: made with "
		    "another key than %.*s's", SPAN_FMT(s->name),
		    SPAN_FMT(name));
	*time_s = 0;
	for (size_t k = 0; k < TIME_LEN && k < len; k++)
		*time_s = *time_s << 8 | sig[k];
	if (len != TIME_LEN + ED25519_LEN || *time_s > COSIGN_TIME_MAX)
		return err_set(e, ERR_NO, "cosignature of %.*s: does not "
		    "verify", SPAN_FMT(s->name));
	if (message(&msg, n->text, *time_s, e) != 0) {
		buf_free(&msg);
		return -1;
	}
	ok = sign_verify(pub, buf_span(&msg),
	    span_of(sig + TIME_LEN, ED25519_LEN));
	buf_free(&msg);
	return ok ? 0 : err_set(e, ERR_NO, "cosignature of %.*s: does not "
	    "verify", SPAN_FMT(s->name));
}
