/* base64: what decodes is the one encoding of what it decodes to. */
#include <assert.h>

#include "base/base64.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

static void
one_way(struct span text, bool pad)
{
	unsigned char out[4096];
	struct buf again = BUF_INIT(8192);
	size_t len;

	if (base64_decode(out, sizeof(out), &len, text, pad) == 0) {
		assert(len <= sizeof(out));
		base64_add(&again, out, len, pad);
		assert(span_eq(buf_span(&again), text));
		assert(!pad || text.n == BASE64_LEN(len));
		/* Without room it is refused, and nothing is written there. */
		assert(len == 0 || base64_decode(out, len - 1, &len, text,
		    pad) != 0);
	}
	buf_free(&again);
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct buf text = BUF_INIT(8192);
	unsigned char out[4096];
	size_t len;

	one_way(span_of(p, n), true);
	one_way(span_of(p, n), false);
	for (int pad = 0; pad < 2 && n <= sizeof(out); pad++) {
		buf_reset(&text);
		base64_add(&text, p, n, pad);
		assert(base64_decode(out, n, &len, buf_span(&text), pad) == 0);
		assert(len == n && (n == 0 || memcmp(out, p, n) == 0));
	}
	buf_free(&text);
	return 0;
}
