/* note, key, identity: known answers, round trips, refusals. */
#include "check.h"
#include "base/base64.h"
#include "base/hex.h"
#include "crypto/identity.h"

static struct err e;

/* RFC 8032 section 7.1, tests 1 to 3. */
static void
rfc8032(void)
{
	static const struct {
		const char *pub, *msg, *sig;
	} v[] = {
		{ "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
		  "",
		  "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e06522490155"
		  "5fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b" },
		{ "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
		  "72",
		  "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da"
		  "085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00" },
		{ "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025",
		  "af82",
		  "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac"
		  "18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a" },
	};

	for (size_t i = 0; i < 3; i++) {
		struct sign_pub pub = { SIGN_ED25519, 32, { 0 } };
		unsigned char msg[2], sig[64];
		size_t n = strlen(v[i].msg) / 2;

		CHECK(hex_decode(pub.b, 32, span_str(v[i].pub)) == 0);
		CHECK(hex_decode(msg, n, span_str(v[i].msg)) == 0);
		CHECK(hex_decode(sig, 64, span_str(v[i].sig)) == 0);
		CHECK(sign_verify(&pub, span_of(msg, n), span_of(sig, 64)));
		for (int bit = 0; bit < 512; bit += 7) {
			sig[bit / 8] ^= (unsigned char)(1 << bit % 8);
			CHECK(!sign_verify(&pub, span_of(msg, n),
			    span_of(sig, 64)));
			sig[bit / 8] ^= (unsigned char)(1 << bit % 8);
		}
	}
}

static void
weak_keys(void)
{
	static const char *bad[] = {
		"0000000000000000000000000000000000000000000000000000000000000000",
		"0000000000000000000000000000000000000000000000000000000000000080",
		"0100000000000000000000000000000000000000000000000000000000000000",
		"0100000000000000000000000000000000000000000000000000000000000080",
		"ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
		"edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
		"eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
		"ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
		"26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
		"26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85",
		"c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
		"c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa",
	};

	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		struct buf text = BUF_INIT(200);
		unsigned char raw[32];
		struct sign_pub pub;

		CHECK(hex_decode(raw, 32, span_str(bad[i])) == 0);
		buf_adds(&text, "ed25519:");
		base64_add(&text, raw, 32, true);
		CHECK(sign_pub_parse(&pub, buf_span(&text), &e) == -1);
		CHECK(e.kind == ERR_BAD);
		buf_free(&text);
	}
}

static void
round_trip(enum sign_alg alg)
{
	struct identity id, back;
	struct buf file = BUF_INIT(IDENTITY_FILE_MAX);
	struct buf note = BUF_INIT(NOTE_MAX);
	struct buf text = BUF_INIT(2000);
	struct sign_pub pub, pub2;
	struct span pass = span_str("correct horse");
	struct note n;

	CHECK(identity_generate(&id, alg, &e) == 0);
	strcpy(id.name, "hospital-a");
	CHECK(identity_format(&file, &id, pass, &e) == 0);
	CHECK(identity_is_encrypted(buf_span(&file)));
	CHECK(identity_parse(&back, buf_span(&file), span_str("wrong horse"),
	    &e) == -1 && e.kind == ERR_NO);
	CHECK(identity_parse(&back, buf_span(&file), span_str(""), &e) == -1 &&
	    e.kind == ERR_NO);
	CHECK(identity_parse(&back, buf_span(&file), pass, &e) == 0);
	sign_public(&pub, id.sign);
	sign_public(&pub2, back.sign);
	CHECK(sign_pub_eq(&pub, &pub2));
	CHECK(memcmp(id.seal, back.seal, sizeof(id.seal)) == 0);
	sign_pub_add(&text, &pub);
	CHECK(sign_pub_parse(&pub2, buf_span(&text), &e) == 0);
	CHECK(sign_pub_eq(&pub, &pub2));

	CHECK(identity_sign(&note, span_str("hello\n\nworld\n"), &back, &e) == 0);
	CHECK(note_parse(&n, buf_span(&note), "note", &e) == 0);
	CHECK(n.nsigs == 1 && span_is(n.text, "hello\n\nworld\n"));
	CHECK(note_verify(&n, 0, span_str("hospital-a"), &pub, &e) == 0);
	CHECK(note_verify(&n, 0, span_str("hospital-b"), &pub, &e) == -1);
	CHECK(note_find(&n, span_str("hospital-a")) == 0);
	CHECK(note_find(&n, span_str("hospital-b")) == -1);

	/* Every flipped bit is refused, one way or the other. */
	for (size_t i = 0; i < note.len * 8; i += alg == SIGN_RSA ? 31 : 1) {
		note.p[i / 8] ^= (unsigned char)(1 << i % 8);
		CHECK(note_parse(&n, buf_span(&note), "note", &e) == -1 ||
		    n.nsigs != 1 ||
		    note_verify(&n, 0, span_str("hospital-a"), &pub, &e) != 0);
		note.p[i / 8] ^= (unsigned char)(1 << i % 8);
	}
	identity_wipe(&id);
	identity_wipe(&back);
	buf_free(&file);
	buf_free(&note);
	buf_free(&text);
}

static void
bad_notes(void)
{
	static const char *bad[] = {
		"", "\n", "\n\n", "text\n", "text\n\n", "text\n\nno dash\n",
		"text\n\n\xe2\x80\x94 name\n", "text\n\n\xe2\x80\x94 a b c",
		"text\n\n\xe2\x80\x94 a b\nrest", "te\rxt\n\n\xe2\x80\x94 a AAAA\n",
		"te\xffxt\n\n\xe2\x80\x94 a AAAA\n", "text\n\n\xe2\x80\x94 a+b AAAA\n",
	};
	struct note n;

	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		CHECK(note_parse(&n, span_str(bad[i]), "n", &e) == -1 &&
		    e.kind == ERR_BAD);
	CHECK(note_parse(&n, span_str("text\n\n\xe2\x80\x94 a AAAA\n"), "n",
	    &e) == 0);
}

/* As long and as many as may be, and one more. */
static void
limits(void)
{
	static char text[NOTE_MAX];
	struct buf b = BUF_INIT(2 * NOTE_MAX);
	struct identity id;
	struct note n;

	CHECK(identity_generate(&id, SIGN_ED25519, &e) == 0);
	strcpy(id.name, "hospital-a");
	CHECK(identity_sign(&b, span_str("text\n"), &id, &e) == 0);
	for (int i = 1; i <= NOTE_SIGS_MAX; i++) {
		CHECK(note_parse(&n, buf_span(&b), "n", &e) == 0);
		CHECK(n.nsigs == (size_t)i);
		CHECK(note_sign_line(&b, span_str("text\n"),
		    span_str("hospital-a"), id.sign, &e) == 0);
	}
	CHECK(note_parse(&n, buf_span(&b), "n", &e) == -1 &&
	    strstr(e.msg, "over 64") != NULL);

	memset(text, 'x', sizeof(text));
	for (int over = 0; over < 2; over++) {
		size_t len = NOTE_MAX - 109 + (size_t)over;

		/* The line: 4 + 10 + 1 + 92 + 1, and the empty one. */
		text[len - 1] = '\n';
		buf_reset(&b);
		CHECK(identity_sign(&b, span_of(text, len), &id, &e) == 0);
		CHECK(b.len == NOTE_MAX + (size_t)over);
		CHECK((note_parse(&n, buf_span(&b), "n", &e) == 0) == !over);
		text[len - 1] = 'x';
	}

	/* What we would refuse to read, we refuse to sign. */
	buf_reset(&b);
	CHECK(identity_sign(&b, span_str(""), &id, &e) == -1);
	CHECK(identity_sign(&b, span_str("text"), &id, &e) == -1);
	CHECK(identity_sign(&b, span_str("te\rxt\n"), &id, &e) == -1);
	CHECK(identity_sign(&b, span_str("te\xffxt\n"), &id, &e) == -1);
	CHECK(e.kind == ERR_BAD && b.len == 0);
	identity_wipe(&id);
	buf_free(&b);
}

int
main(void)
{
	rfc8032();
	weak_keys();
	round_trip(SIGN_ED25519);
	round_trip(SIGN_RSA);
	bad_notes();
	limits();
	return check_done("note");
}
