#include "base/hex.h"

void
hex_encode(char *out, const void *p, size_t n)
{
	static const char digit[] = "0123456789abcdef";
	const unsigned char *b = p;

	for (size_t i = 0; i < n; i++) {
		*out++ = digit[b[i] >> 4];
		*out++ = digit[b[i] & 15];
	}
	*out = '\0';
}

/* A digit's value plus 1; 0 for what is none. */
static const unsigned char value[256] = {
	['0'] = 1, 2, 3, 4, 5, 6, 7, 8, 9, 10,
	['a'] = 11, 12, 13, 14, 15, 16
};

int
hex_decode(void *out, size_t n, struct span digits)
{
	unsigned char *to = out;

	if (digits.n / 2 != n || digits.n % 2 != 0)
		return -1;
	for (size_t i = 0; i < n; i++) {
		int hi = value[digits.p[2 * i]] - 1;
		int lo = value[digits.p[2 * i + 1]] - 1;

		if (hi < 0 || lo < 0)
			return -1;
		to[i] = (unsigned char)(hi << 4 | lo);
	}
	return 0;
}
