/*
 * pem: a key that is read can be written, and reads back as the same key.
 * Seeds hold keys without a passphrase and one with "correct horse".
 */
#include <assert.h>

#include "crypto/key.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

static void
read_with(struct span pem, struct span pass)
{
	struct sign_key *sign, *sign2;
	struct seal_secret seal, seal2;
	bool has_seal, has_seal2;
	struct buf out = BUF_INIT(16384);
	struct sign_pub a, b;
	struct err e;

	if (key_pem_read(&sign, &seal, &has_seal, pem, pass, &e) != 0) {
		assert(e.kind == ERR_BAD || e.kind == ERR_NO);
		assert(sign == NULL && !has_seal);
		return;
	}
	assert((sign != NULL) != has_seal);
	assert((has_seal ? seal_pem_add(&out, &seal, span_of(NULL, 0), &e) :
	    sign_pem_add(&out, sign, span_of(NULL, 0), &e)) == 0);
	assert(key_pem_read(&sign2, &seal2, &has_seal2, buf_span(&out),
	    span_of(NULL, 0), &e) == 0);
	assert(has_seal2 == has_seal);
	if (has_seal)
		assert(memcmp(&seal, &seal2, sizeof(seal)) == 0);
	else {
		sign_public(&a, sign);
		sign_public(&b, sign2);
		assert(sign_pub_eq(&a, &b));
	}
	sign_free(sign);
	sign_free(sign2);
	buf_wipe(&out);
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	read_with(span_of(p, n), span_of(NULL, 0));
	read_with(span_of(p, n), span_str("correct horse"));
	return 0;
}
