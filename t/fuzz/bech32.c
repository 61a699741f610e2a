/*
 * bech32: what decodes encodes to the same text, but for its case; what was
 * encoded decodes, and does not with another character.
 */
#include <assert.h>

#include "crypto/bech32.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

static void
decode(struct span text, const char *hrp)
{
	unsigned char out[64];
	struct buf again = BUF_INIT(1024);

	for (size_t n = 0; n <= 64; n++) {
		if (bech32_decode(out, n, hrp, text) != 0)
			continue;
		bech32_add(&again, hrp, out, n);
		assert(again.len == text.n);
		for (size_t i = 0; i < text.n; i++)
			assert((again.p[i] | 0x20) == (text.p[i] | 0x20));
		break;		/* each text has one length */
	}
	buf_free(&again);
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct buf text = BUF_INIT(1024);
	unsigned char out[64];

	decode(span_of(p, n), "age");
	decode(span_of(p, n), "age-secret-key-");
	if (n < 2 || n - 2 > sizeof(out))
		return 0;
	bech32_add(&text, "age", p + 2, n - 2);
	assert(bech32_decode(out, n - 2, "age", buf_span(&text)) == 0);
	assert(n == 2 || memcmp(out, p + 2, n - 2) == 0);
	if (text.p[p[0] % text.len] != p[1]) {
		text.p[p[0] % text.len] = p[1];
		assert(bech32_decode(out, n - 2, "age", buf_span(&text)) != 0);
	}
	buf_free(&text);
	return 0;
}
