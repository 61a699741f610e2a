/*
 * bech32: the checksums of BIP 173's examples, and age's own key strings.
 * BIP 173's strings carry no bytes (or a witness version that is no byte), so
 * those that decode to whole bytes are taken as they are.
 */
#include "check.h"
#include "base/hex.h"
#include "crypto/bech32.h"

static int
decode(void *out, size_t n, const char *hrp, const char *text)
{
	return bech32_decode(out, n, hrp, span_str(text));
}

/* text must decode to those hex digits, and they must encode to it. */
static void
both_ways(const char *hrp, const char *text, const char *hex)
{
	unsigned char got[64], want[64];
	size_t n = strlen(hex) / 2;
	struct buf b = BUF_INIT(1024);

	CHECK(hex_decode(want, n, span_str(hex)) == 0);
	CHECK(decode(got, n, hrp, text) == 0);
	CHECK(memcmp(got, want, n) == 0);
	CHECK(n == 64 || decode(got, n + 1, hrp, text) != 0);
	CHECK(n == 0 || decode(got, n - 1, hrp, text) != 0);
	bech32_add(&b, hrp, want, n);
	buf_addc(&b, '\0');
	CHECK_STR((const char *)b.p, text);
	buf_free(&b);
}

static void
bip173_valid(void)
{
	both_ways("a", "a12uel5l", "");
	both_ways("an83characterlonghumanreadablepartthatcontainsthenumber1and"
	    "theexcludedcharactersbio", "an83characterlonghumanreadablepartthat"
	    "containsthenumber1andtheexcludedcharactersbio1tt5tgs", "");
	both_ways("abcdef", "abcdef1qpzry9x8gf2tvdw0s3jn54khce6mua7lmqqqxw",
	    "00443214c74254b635cf84653a56d7c675be77df");
	/* Eighty-two zeros: 51 bytes and two bits of padding. */
	both_ways("1", "11"
	    "qqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqq"
	    "qqqqqqqqqqqqqqqqqqqqqqqqqqqc8247j",
	    "000000000000000000000000000000000000000000000000000000000000"
	    "000000000000000000000000000000000000000000");
	both_ways("split", "split1checkupstagehandshakeupstreamerranterredcaperred"
	    "2y9e3w", "c5f38b70305f519bf66d85fb6cf03058f3dde463ecd7918f2dc743918"
	    "f2d");
}

static void
bip173_invalid(void)
{
	unsigned char out[64];

	CHECK(decode(out, 0, "a", "A12UEL5L") == 0);
	CHECK(decode(out, 0, "a", "a12UEL5L") != 0);
	CHECK(decode(out, 0, "a", "A12uEL5L") != 0);
	CHECK(decode(out, 0, "b", "a12uel5l") != 0);
	CHECK(decode(out, 0, "pzry9x0s0muk", "pzry9x0s0muk") != 0);
	CHECK(decode(out, 0, "", "1pzry9x0s0muk") != 0);
	CHECK(decode(out, 0, "x", "x1b4n0q5v") != 0);
	CHECK(decode(out, 0, "li", "li1dgmt3") != 0);
	CHECK(decode(out, 0, "de", "de1lg7wt\xff") != 0);
	CHECK(decode(out, 0, "a", "A1G7SGD8") != 0);
	/* Padding that is not zero, and a whole digit too many. */
	CHECK(decode(out, 32, "bc", "bc1zw508d6qejxtdg4y5r3zarvaryvqyzf3du")
	    != 0);
	CHECK(decode(out, 33, "tb", "tb1qrp33g0q5c5txsp9arysrx4k6zdkfs4nce4xj"
	    "0gdcccefvpysxf3pjxtptv") != 0);
	CHECK(decode(out, 33, "tb", "tb1qrp33g0q5c5txsp9arysrx4k6zdkfs4nce4xj"
	    "0gdcccefvpysxf3q0sl5k7") == 0);
	CHECK(bech32_decode(out, 0, "a", span_of(NULL, 0)) != 0);
}

/* Every character of a key matters, and case only as a whole. */
static void
age_keys(void)
{
	static const char pub[] = "age1zvkyg2lqzraa2lnjvqej32nkuu0ues2s82hzrye"
	    "869xeexvn73equnujwj";
	static const char secret[] = "AGE-SECRET-KEY-1GFPYYSJZGFPYYSJZGFPYYSJZ"
	    "GFPYYSJZGFPYYSJZGFPYYSJZGFPQ4EGAEX";
	char text[sizeof(secret)];
	unsigned char out[32], want[32];

	memset(want, 0x42, sizeof(want));
	CHECK(decode(out, 32, "age-secret-key-", secret) == 0);
	CHECK(memcmp(out, want, 32) == 0);
	both_ways("age", pub,
	    "132c442be010fbd57e72603328aa76e71fccc1503aae2193"
	    "27d14d9c9993f472");
	for (size_t i = 0; i < strlen(pub); i++)
		for (int c = 1; c < 256; c++) {
			if (c == (unsigned char)pub[i])
				continue;
			memcpy(text, pub, sizeof(pub));
			text[i] = (char)c;
			CHECK(decode(out, 32, "age", text) != 0);
		}
	memcpy(text, pub, sizeof(pub));
	text[strlen(pub)] = 'q';
	CHECK(bech32_decode(out, 32, "age", span_of(text, strlen(pub) + 1))
	    != 0);
	for (size_t n = 0; n < strlen(pub); n++)
		CHECK(bech32_decode(out, 32, "age", span_of(pub, n)) != 0);
}

/* All lengths that are allowed come back. */
static void
lengths(void)
{
	unsigned char in[64], out[64];

	for (size_t i = 0; i < sizeof(in); i++)
		in[i] = (unsigned char)(i * 37 + 11);
	for (size_t n = 0; n <= sizeof(in); n++) {
		struct buf b = BUF_INIT(1024);

		bech32_add(&b, "test", in, n);
		CHECK(bech32_decode(out, n, "test", buf_span(&b)) == 0);
		CHECK(memcmp(in, out, n) == 0);
		b.p[b.len - 1] ^= 1;
		CHECK(bech32_decode(out, n, "test", buf_span(&b)) != 0);
		buf_free(&b);
	}
}

int
main(void)
{
	bip173_valid();
	bip173_invalid();
	age_keys();
	lengths();
	return check_done("bech32");
}
