/*
 * hash: SHA-256 (FIPS 180-4 examples), HMAC (RFC 4231), HKDF (RFC 5869), and
 * that threads may meet in them.
 */
#include <pthread.h>
#include <stdlib.h>

#include "check.h"
#include "base/hex.h"
#include "crypto/hash.h"

static void
sha256_is(struct span in, const char *want)
{
	struct hash_stream *s;
	struct hash h;
	char hex[HASH_HEX];

	hash_bytes(&h, in.p, in.n);
	hash_format(hex, &h);
	CHECK_STR(hex, want);
	/* In pieces of any size it is the same. */
	for (size_t step = 1; step < 200; step += 31) {
		struct hash again;

		s = hash_open();
		for (size_t i = 0; i < in.n; i += step)
			hash_add(s, in.p + i,
			    in.n - i < step ? in.n - i : step);
		hash_finish(s, &again);
		CHECK(hash_eq(&h, &again));
	}
}

static void
sha256(void)
{
	unsigned char *many = malloc(1000000);
	struct span parts[3] = { span_str("a"), span_of(NULL, 0),
	    span_str("bc") };
	struct hash h, abc;
	char hex[HASH_HEX];

	sha256_is(span_of(NULL, 0), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4"
	    "649b934ca495991b7852b855");
	sha256_is(span_str("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a39"
	    "6177a9cb410ff61f20015ad");
	sha256_is(span_str("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnom"
	    "nopnopq"), "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ec"
	    "edd419db06c1");
	sha256_is(span_str("abcdefghbcdefghicdefghijdefghijkefghijklfghijklmg"
	    "hijklmnhijklmnoijklmnopjklmnopqklmnopqrlmnopqrsmnopqrstnopqrstu"
	    ), "cf5b16a778af8380036ce59e7b0492370b249b11e8f07a51afac45037afee"
	    "9d1");
	memset(many, 'a', 1000000);
	hash_bytes(&h, many, 1000000);
	hash_format(hex, &h);
	CHECK_STR(hex, "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39"
	    "ccc7112cd0");
	free(many);
	hash_spans(&h, parts, 3);
	hash_bytes(&abc, "abc", 3);
	CHECK(hash_eq(&h, &abc));
	hash_discard(hash_open());
	hash_discard(NULL);
}

static void
hmac_is(struct span key, const char *data, size_t repeat, const char *want)
{
	struct span in[2];
	struct hash h;
	char hex[HASH_HEX], text[200];
	size_t n = strlen(data);

	if (repeat > 0)
		memset(text, data[0], n = repeat);
	else
		memcpy(text, data, n);
	in[0] = span_of(text, n / 3);
	in[1] = span_of(text + n / 3, n - n / 3);
	hash_hmac(&h, key, in, 2);
	hash_format(hex, &h);
	hex[strlen(want)] = '\0';	/* case 5 is truncated */
	CHECK_STR(hex, want);
}

static void
hmac(void)
{
	unsigned char key[131], count[25];
	struct hash a, b;
	struct span none = span_of(NULL, 0);

	memset(key, 0x0b, sizeof(key));
	hmac_is(span_of(key, 20), "Hi There", 0, "b0344c61d8db38535ca8afceaf0b"
	    "f12b881dc200c9833da726e9376c2e32cff7");
	hmac_is(span_str("Jefe"), "what do ya want for nothing?", 0, "5bdcc146"
	    "bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
	memset(key, 0xaa, sizeof(key));
	hmac_is(span_of(key, 20), "\xdd", 50, "773ea91e36800e46854db8ebd09181a"
	    "72959098b3ef8c122d9635514ced565fe");
	for (size_t i = 0; i < sizeof(count); i++)
		count[i] = (unsigned char)(i + 1);
	hmac_is(span_of(count, 25), "\xcd", 50, "82558a389a443c0ea4cc819899f20"
	    "83a85f0faa3e578f8077a2e3ff46729665b");
	hmac_is(span_of(key, 131), "Test Using Larger Than Block-Size Key - Ha"
	    "sh Key First", 0, "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c"
	    "5140546040f0ee37f54");
	hmac_is(span_of(key, 131), "This is a test using a larger than block-s"
	    "ize key and a larger than block-size data. The key needs to be h"
	    "ashed before being used by the HMAC algorithm.", 0, "9b09ffa71b9"
	    "42fcb27635fbcd5b0e944bfdc63644f0713938a7f51535c3a35e2");
	memset(key, 0x0c, sizeof(key));
	hmac_is(span_of(key, 20), "Test With Truncation", 0,
	    "a3b6167473100ee06e0c796c2955552b");
	/* No key is a key of zeros. */
	memset(key, 0, sizeof(key));
	hash_hmac(&a, none, &none, 1);
	hash_hmac(&b, span_of(key, 64), &none, 0);
	CHECK(hash_eq(&a, &b));
}

static void
hkdf_is(struct span ikm, struct span salt, const char *info, const char *want)
{
	unsigned char out[82];
	char hex[2 * sizeof(out) + 1];

	hash_hkdf(out, strlen(want) / 2, ikm, salt, info);
	hex_encode(hex, out, strlen(want) / 2);
	CHECK_STR(hex, want);
}

static void
hkdf(void)
{
	unsigned char b[22], count[176];
	char info[81] = { 0 };

	memset(b, 0x0b, sizeof(b));
	for (size_t i = 0; i < sizeof(count); i++)
		count[i] = (unsigned char)i;
	for (int i = 0; i < 80; i++)
		info[i] = (char)(0xb0 + i);
	hkdf_is(span_of(b, 22), span_of(count, 13),
	    "\xf0\xf1\xf2\xf3\xf4\xf5\xf6\xf7\xf8\xf9", "3cb25f25faacd57a90434"
	    "f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865");
	hkdf_is(span_of(count, 80), span_of(count + 0x60, 80), info, "b11e398dc"
	    "80327a1c8e7f78c596a49344f012eda2d4efad8a050cc4c19afa97c59045a99ca"
	    "c7827271cb41c65e590e09da3275600c2f09b8367793a9aca3db71cc30c58179e"
	    "c3e87c14c01d5c1f3434f1d87");
	hkdf_is(span_of(b, 22), span_of(NULL, 0), "", "8da4e775a563c18f715f802"
	    "a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d9d201395faa4b61a96c8");
}

static void
forms(void)
{
	struct hash h, back;
	char hex[HASH_HEX];
	unsigned char secret[16] = { 1, 2, 3 };

	hash_bytes(&h, "abc", 3);
	hash_format(hex, &h);
	CHECK(hash_parse(&back, span_str(hex)) == 0 && hash_eq(&h, &back));
	hex[0] = 'B';
	CHECK(hash_parse(&back, span_str(hex)) != 0);
	hex[0] = 'b';
	CHECK(hash_parse(&back, span_of(hex, 63)) != 0);
	back.b[31] ^= 1;
	CHECK(!hash_eq(&h, &back));
	CHECK(hash_secret_eq("same", "same", 4));
	CHECK(!hash_secret_eq("same", "sale", 4));
	hash_wipe(secret, sizeof(secret));
	CHECK(memcmp(secret, (unsigned char[16]){ 0 }, 16) == 0);
	hash_random(secret, sizeof(secret));
	CHECK(memcmp(secret, (unsigned char[16]){ 0 }, 16) != 0);
}

/* One of several threads that do everything at once, from the first call on. */
static void *
worker(void *arg)
{
	struct hash *out = arg;
	struct span in = span_of(out->b, HASH_LEN);

	for (int i = 0; i < 500; i++) {
		hash_spans(out, &in, 1);
		hash_hmac(out, in, &in, 1);
		hash_hkdf(out->b, HASH_LEN, in, in, "info");
	}
	return NULL;
}

static void
threads(void)
{
	pthread_t t[8];
	struct hash out[8] = { 0 };

	for (int i = 0; i < 8; i++)
		CHECK(pthread_create(&t[i], NULL, worker, &out[i]) == 0);
	for (int i = 0; i < 8; i++)
		CHECK(pthread_join(t[i], NULL) == 0);
	for (int i = 1; i < 8; i++)
		CHECK(hash_eq(&out[0], &out[i]));
}

int
main(void)
{
	threads();
	sha256();
	hmac();
	hkdf();
	forms();
	return check_done("hash");
}
