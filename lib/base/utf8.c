#include "base/utf8.h"

/*
 * Decode one code point at s.p, of at most s.n > 0 bytes.  Returns its length
 * in bytes, or 0 when it is malformed.
 */
static size_t
decode(struct span s, uint32_t *cp)
{
	static const uint32_t least[] = { 0, 0, 0x80, 0x800, 0x10000 };
	unsigned char c = s.p[0];
	size_t n;

	if (c < 0x80) {
		*cp = c;
		return 1;
	}
	n = c >= 0xc2 && c <= 0xdf ? 2 : c >= 0xe0 && c <= 0xef ? 3 :
	    c >= 0xf0 && c <= 0xf4 ? 4 : 0;
	if (n == 0 || s.n < n)
		return 0;
	*cp = c & (0x7fu >> n);
	for (size_t i = 1; i < n; i++) {
		if ((s.p[i] & 0xc0) != 0x80)
			return 0;
		*cp = *cp << 6 | (s.p[i] & 0x3f);
	}
	if (*cp < least[n] || *cp > 0x10ffff ||
	    (*cp >= 0xd800 && *cp <= 0xdfff))
		return 0;
	return n;
}

static bool
deceives(uint32_t cp)
{
	return cp < 0x20 || (cp >= 0x7f && cp <= 0x9f) || cp == 0x061c ||
	    cp == 0x200e || cp == 0x200f || (cp >= 0x2028 && cp <= 0x202e) ||
	    (cp >= 0x2066 && cp <= 0x2069) || cp == 0xfeff;
}

/*
 * How many bytes at the start are printable ASCII, as nearly all text is?
 * Eight at a time: a byte below 0x20, 0x7f or above sets the high bit of one
 * of the terms, at its own place or, by a borrow, at a higher one.
 */
static size_t
plain(struct span s)
{
	const uint64_t ones = UINT64_C(0x0101010101010101);
	size_t n = 0;
	uint64_t w;

	for (; s.n - n >= sizeof(w); n += sizeof(w)) {
		memcpy(&w, s.p + n, sizeof(w));
		if (((w | (w - 0x20 * ones) | (w + ones)) & 0x80 * ones) != 0)
			break;
	}
	while (n < s.n && s.p[n] >= 0x20 && s.p[n] < 0x7f)
		n++;
	return n;
}

bool
utf8_valid(struct span s)
{
	uint32_t cp;

	while (s.n > 0) {
		size_t n = decode(s, &cp);

		if (n == 0)
			return false;
		s = span_of(s.p + n, s.n - n);
	}
	return true;
}

bool
utf8_line(struct span s)
{
	uint32_t cp;

	while (s.n > 0) {
		size_t n = plain(s);

		if (n == 0 && ((n = decode(s, &cp)) == 0 || deceives(cp)))
			return false;
		s = span_of(s.p + n, s.n - n);
	}
	return true;
}

void
utf8_make_line(char *line)
{
	struct span s = span_str(line);
	uint32_t cp;

	while (s.n > 0) {
		size_t n = decode(s, &cp);

		if (n == 0 || deceives(cp))
			memset(line, '?', n == 0 ? n = 1 : n);
		line += n;
		s = span_of(s.p + n, s.n - n);
	}
}
