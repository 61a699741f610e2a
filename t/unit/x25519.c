/* x25519: the vectors of RFC 7748, sections 5.2 and 6.1. */
#include "check.h"
#include "base/hex.h"
#include "crypto/x25519.h"

static void
shared_is(const char *secret, const char *point, const char *want)
{
	unsigned char s[32], p[32], out[32];
	struct x25519 *x;
	char hex[65];

	CHECK(hex_decode(s, 32, span_str(secret)) == 0);
	CHECK(hex_decode(p, 32, span_str(point)) == 0);
	x = x25519_new(s);
	CHECK(x25519_shared(out, x, p) == 0);
	x25519_free(x);
	hex_encode(hex, out, 32);
	CHECK_STR(hex, want);
}

static void
public_is(const char *secret, const char *want)
{
	unsigned char s[32], out[32];
	struct x25519 *x;
	char hex[65];

	CHECK(hex_decode(s, 32, span_str(secret)) == 0);
	x = x25519_new(s);
	x25519_public(out, x);
	x25519_free(x);
	hex_encode(hex, out, 32);
	CHECK_STR(hex, want);
}

/* Section 5.2: k = u = 9, then k = X25519(k, u) and u = the old k. */
static void
repeated(void)
{
	unsigned char k[32] = { 9 }, u[32] = { 9 }, r[32];
	char hex[65];

	for (int i = 0; i < 1000; i++) {
		struct x25519 *x = x25519_new(k);

		if (x25519_shared(r, x, u) != 0)
			memset(r, 0, sizeof(r));
		x25519_free(x);
		memcpy(u, k, 32);
		memcpy(k, r, 32);
	}
	hex_encode(hex, k, 32);
	CHECK_STR(hex, "684cf59ba83309552800ef566f2f4d3c1c3887c49360e3875f2eb9"
	    "4d99532c51");
}

static void
low_order(void)
{
	unsigned char secret[32] = { 1 }, point[32] = { 0 }, out[32];
	struct x25519 *x = x25519_new(secret);

	CHECK(x25519_shared(out, x, point) == -1);
	point[0] = 1;
	CHECK(x25519_shared(out, x, point) == -1);
	point[0] = 2;
	CHECK(x25519_shared(out, x, point) == 0);
	x25519_free(x);
	x25519_free(NULL);
}

int
main(void)
{
	static const char alice[] = "77076d0a7318a57d3c16c17251b26645"
	    "df4c2f87ebc0992ab177fba51db92c2a";
	static const char alice_pub[] = "8520f0098930a754748b7ddcb43ef75a"
	    "0dbf3a0d26381af4eba4a98eaa9b4e6a";
	static const char bob[] = "5dab087e624a8a4b79e17f8b83800ee6"
	    "6f3bb1292618b6fd1c2f8b27ff88e0eb";
	static const char bob_pub[] = "de9edb7d7b7dc1b4d35b61c2ece43537"
	    "3f8343c85b78674dadfc7e146f882b4f";
	static const char both[] = "4a5d9d5ba4ce2de1728e3bf480350f25"
	    "e07e21c947d19e3376f09b3c1e161742";

	shared_is("a546e36bf0527c9d3b16154b82465edd62144c0ac1fc5a18506a2244ba4"
	    "49ac4", "e6db6867583030db3594c1a424b15f7c726624ec26b3353b10a903a6d"
	    "0ab1c4c", "c3da55379de9c6908e94ea4df28d084f32eccf03491c71f754b407"
	    "5577a28552");
	shared_is("4b66e9d4d1b4673c5ad22691957d6af5c11b6421e0ea01d42ca4169e791"
	    "8ba0d", "e5210f12786811d3f4b7959d0538ae2c31dbe7106fc03c3efc4cd549c"
	    "715a493", "95cbde9476e8907d7aade45cb4b873f88b595a68799fa152e6f8f7"
	    "647aac7957");
	public_is(alice, alice_pub);
	public_is(bob, bob_pub);
	shared_is(alice, bob_pub, both);
	shared_is(bob, alice_pub, both);
	repeated();
	low_order();
	return check_done("x25519");
}
