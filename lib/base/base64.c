#include "base/base64.h"

static const char digit[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

void
base64_add(struct buf *out, const void *p, size_t n, bool pad)
{
	const unsigned char *b = p;

	for (size_t i = 0; i < n; i += 3) {
		size_t have = n - i < 3 ? n - i : 3;
		uint32_t v = (uint32_t)b[i] << 16;
		char q[4];

		if (have > 1)
			v |= (uint32_t)b[i + 1] << 8;
		if (have > 2)
			v |= b[i + 2];
		q[0] = digit[v >> 18];
		q[1] = digit[v >> 12 & 63];
		q[2] = have > 1 ? digit[v >> 6 & 63] : '=';
		q[3] = have > 2 ? digit[v & 63] : '=';
		buf_add(out, q, pad ? 4 : have + 1);
	}
}

/* A digit's value plus 1; 0 for what is none. */
static const unsigned char value[256] = {
	['A'] = 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18,
	19, 20, 21, 22, 23, 24, 25, 26,
	['a'] = 27, 28, 29, 30, 31, 32, 33, 34, 35, 36, 37, 38, 39, 40, 41, 42,
	43, 44, 45, 46, 47, 48, 49, 50, 51, 52,
	['0'] = 53, 54, 55, 56, 57, 58, 59, 60, 61, 62,
	['+'] = 63, ['/'] = 64
};

int
base64_decode(void *out, size_t max, size_t *n, struct span text, bool pad)
{
	unsigned char *to = out;
	size_t len = text.n, whole;
	uint32_t v = 0;
	int bits = 0;

	*n = 0;
	if (pad) {
		if (len % 4 != 0)
			return -1;
		while (len > 0 && text.n - len < 2 && text.p[len - 1] == '=')
			len--;
	}
	if (len % 4 == 1)
		return -1;
	if (pad && text.n - len != (4 - len % 4) % 4)
		return -1;
	whole = len / 4 * 3 + (len % 4 == 0 ? 0 : len % 4 - 1);
	if (whole > max)
		return -1;
	for (size_t i = 0; i < len; i++) {
		int d = value[text.p[i]] - 1;

		if (d < 0)
			return -1;
		v = v << 6 | (uint32_t)d;
		bits += 6;
		if (bits >= 8) {
			bits -= 8;
			*to++ = (unsigned char)(v >> bits);
			v &= (1u << bits) - 1;
		}
	}
	if (v != 0)
		return -1;
	*n = whole;
	return 0;
}
