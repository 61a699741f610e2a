/* secret: what is read is written the same, or has no check; and no other. */
#include <assert.h>

#include "ledger/secret.h"

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct buf out = BUF_INIT(SECRET_MAX);
	struct span in = span_of(p, n);
	static const struct hash zero;
	struct hash secret;
	struct err e;
	bool checked;

	if (secret_parse(&secret, &checked, in, &e) != 0) {
		assert(e.kind == ERR_BAD && hash_eq(&secret, &zero));
		return 0;
	}
	secret_text(&out, &secret);
	assert(!out.failed && out.len < SECRET_MAX);
	if (!checked)
		out.len = HASH_HEX;
	assert(span_eq(buf_span(&out), in));
	buf_free(&out);
	return 0;
}
