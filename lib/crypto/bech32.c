#include "crypto/bech32.h"

#include <assert.h>

#define BYTES_MAX 64
#define SUM_LEN 6

static const char digit[] = "qpzry9x8gf2tvdw0s3jn54khce6mua7l";

/* The checksum's state after one more 5-bit value (BIP 173, "polymod"). */
static uint32_t
step(uint32_t sum, unsigned v)
{
	static const uint32_t generator[5] = {
		0x3b6a57b2, 0x26508e6d, 0x1ea119fa, 0x3d4233dd, 0x2a1462b3
	};
	uint32_t top = sum >> 25;

	sum = (sum & 0x1ffffff) << 5 ^ v;
	for (int i = 0; i < 5; i++)
		if ((top >> i & 1) != 0)
			sum ^= generator[i];
	return sum;
}

/* The state after the prefix: its high bits, a zero, its low bits. */
static uint32_t
start(const char *hrp)
{
	uint32_t sum = 1;

	for (const char *p = hrp; *p != '\0'; p++)
		sum = step(sum, (unsigned char)*p >> 5);
	sum = step(sum, 0);
	for (const char *p = hrp; *p != '\0'; p++)
		sum = step(sum, (unsigned char)*p & 31);
	return sum;
}

void
bech32_add(struct buf *out, const char *hrp, const void *p, size_t n)
{
	const unsigned char *b = p;
	uint32_t sum = start(hrp), held = 0;
	int bits = 0;

	assert(n <= BYTES_MAX);
	buf_adds(out, hrp);
	buf_addc(out, '1');
	for (size_t i = 0; i < n || bits > 0;) {
		unsigned v;

		if (i < n && bits < 5) {
			held = (held << 8 | b[i++]) & 0xfff;
			bits += 8;
		}
		bits -= 5;
		v = (bits >= 0 ? held >> bits : held << -bits) & 31;
		sum = step(sum, v);
		buf_addc(out, (unsigned char)digit[v]);
	}
	for (int i = 0; i < SUM_LEN; i++)
		sum = step(sum, 0);
	sum ^= 1;
	for (int i = SUM_LEN; i-- > 0;)
		buf_addc(out, (unsigned char)digit[sum >> 5 * i & 31]);
}

/*
 * The lower-case form of c; *seen gathers which cases there were, of which
 * only one may be.
 */
static int
lower(unsigned char c, unsigned *seen)
{
	if (c >= 'A' && c <= 'Z') {
		*seen |= 1;
		return c - 'A' + 'a';
	}
	if (c >= 'a' && c <= 'z')
		*seen |= 2;
	return c;
}

int
bech32_decode(void *out, size_t n, const char *hrp, struct span text)
{
	unsigned char *to = out;
	size_t digits = (n * 8 + 4) / 5, hrp_n = strlen(hrp);
	uint32_t sum = start(hrp), held = 0;
	unsigned seen = 0;
	int bits = 0;

	if (n > BYTES_MAX || text.n != hrp_n + 1 + digits + SUM_LEN)
		return -1;
	for (size_t i = 0; i < hrp_n; i++)
		if (lower(text.p[i], &seen) != hrp[i])
			return -1;
	if (text.p[hrp_n] != '1')
		return -1;
	text = span_of(text.p + hrp_n + 1, digits + SUM_LEN);
	for (size_t i = 0; i < text.n; i++) {
		int c = lower(text.p[i], &seen);
		const char *at = c == '\0' ? NULL : strchr(digit, c);

		if (at == NULL)
			return -1;
		sum = step(sum, (unsigned)(at - digit));
		if (i >= digits)
			continue;
		held = (held << 5 | (uint32_t)(at - digit)) & 0xfff;
		bits += 5;
		if (bits >= 8) {
			bits -= 8;
			*to++ = (unsigned char)(held >> bits);
		}
	}
	if (sum != 1 || seen == 3 || (held & ((1u << bits) - 1)) != 0)
		return -1;
	return 0;
}
