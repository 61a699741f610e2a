/*
 * cosign: cosignatures and verifier keys.  What they are over is put together
 * here by the words of the specifications; t/unit/pages.c has openssl verify
 * one, t/52-receipt.bats a program in another language.
 */
#include "check.h"
#include "crypto/cosign.h"
#include "crypto/vkey.h"
#include "little.h"

#define TEXT "origin\n1\nAAAA\n"

static struct little l;
static struct err e;

/* TEXT with the cosignature of node i. */
static void
make(struct note *n, struct buf *b, int i, uint64_t time_s)
{
	buf_reset(b);
	buf_adds(b, TEXT "\n");
	CHECK(cosign_line(b, span_str(TEXT), span_str(l.node[i].name),
	    l.node[i].sign, time_s, &e) == 0);
	CHECK(note_parse(n, buf_span(b), "note", &e) == 0);
}

static void
signing(void)
{
	static const char msg[] = "cosignature/v1\ntime 1679315147\n" TEXT;
	unsigned char id[4], sig[SIGN_MAX], want[SIGN_MAX];
	struct buf b = BUF_INIT(4096);
	struct sign_pub pub, other;
	struct span part[4];
	struct hash h;
	struct note n;
	uint64_t t;
	size_t len;

	make(&n, &b, 1, 1679315147);
	sign_public(&pub, l.node[1].sign);
	sign_public(&other, l.node[2].sign);
	CHECK(cosign_verify(&n, 0, span_str("hospital-b"), &pub, &t, &e) == 0);
	CHECK(t == 1679315147);
	CHECK(note_sig_raw(&n.sig[0], id, sig, &len) == 0 && len == 72);
	CHECK(memcmp(sig, "\0\0\0\0\x64\x18\x50\xcb", 8) == 0);
	CHECK(sign_verify(&pub, span_str(msg), span_of(sig + 8, 64)));
	part[0] = span_str("hospital-b\n\x04");
	part[1] = span_of(pub.b, 32);
	hash_spans(&h, part, 2);
	CHECK(memcmp(id, h.b, 4) == 0);

	/* Another key, another name, and no signature of a note. */
	CHECK(cosign_verify(&n, 0, span_str("hospital-b"), &other, &t,
	    &e) == -1 && e.kind == ERR_NO);
	CHECK(cosign_verify(&n, 0, span_str("hospital-a"), &pub, &t,
	    &e) == -1 && e.kind == ERR_NO);
	CHECK(note_verify(&n, 0, span_str("hospital-b"), &pub, &e) == -1);
	buf_reset(&b);
	CHECK(note_sign(&b, span_str(TEXT), span_str("hospital-b"),
	    l.node[1].sign, &e) == 0);
	CHECK(note_parse(&n, buf_span(&b), "note", &e) == 0);
	CHECK(cosign_verify(&n, 0, span_str("hospital-b"), &pub, &t,
	    &e) == -1 && e.kind == ERR_NO);

	/* Every bit of what is signed, and of the time, counts. */
	for (int bit = 0; bit < 72 * 8; bit++) {
		memcpy(want, sig, 72);
		want[bit / 8] ^= (unsigned char)(1 << bit % 8);
		buf_reset(&b);
		buf_adds(&b, TEXT "\n");
		note_add_sig(&b, span_str("hospital-b"), id, want, 72);
		CHECK(note_parse(&n, buf_span(&b), "note", &e) == 0);
		CHECK(cosign_verify(&n, 0, span_str("hospital-b"), &pub, &t,
		    &e) == -1 && e.kind == ERR_NO);
	}
	for (len = 1; len < 100; len++) {
		if (len == 72)
			continue;
		memset(want, 0, sizeof(want));
		memcpy(want, sig, 72);
		buf_reset(&b);
		buf_adds(&b, TEXT "\n");
		note_add_sig(&b, span_str("hospital-b"), id, want, len);
		CHECK(note_parse(&n, buf_span(&b), "note", &e) == 0);
		CHECK(cosign_verify(&n, 0, span_str("hospital-b"), &pub, &t,
		    &e) == -1);
	}
	buf_free(&b);
}

/* RSA has no cosignatures. */
static void
rsa(void)
{
	struct buf b = BUF_INIT(8192);
	struct sign_key *k = NULL;
	struct sign_pub pub;
	struct vkey v;

	CHECK(sign_generate(&k, SIGN_RSA, &e) == 0);
	CHECK(cosign_line(&b, span_str(TEXT), span_str("hospital-r"), k, 1,
	    &e) == -1 && e.kind == ERR_NO);
	sign_public(&pub, k);
	buf_reset(&b);
	vkey_add(&b, span_str("log"), &pub, false);
	CHECK(vkey_parse(&v, buf_span(&b), &e) == 0 && !v.cosigns);
	CHECK(sign_pub_eq(&v.pub, &pub));
	sign_free(k);
	buf_free(&b);
}

static void
vkeys(void)
{
	/* The key of the Go checksum database, as its clients have it. */
	static const char go[] = "sum.golang.org+033de0ae+"
	    "Ac4zctda0e5eza+HJyk9SxEdh+s3Ux18htTTAD8OuAn8";
	static const char *const no[] = {
		"", "+", "a+b+c", "sum.golang.org+033de0ae+",
		"sum.golang.org+033de0af+"
		    "Ac4zctda0e5eza+HJyk9SxEdh+s3Ux18htTTAD8OuAn8",
		"sum.golang.org+033DE0AE+"
		    "Ac4zctda0e5eza+HJyk9SxEdh+s3Ux18htTTAD8OuAn8",
		"sum.golang.or+033de0ae+"
		    "Ac4zctda0e5eza+HJyk9SxEdh+s3Ux18htTTAD8OuAn8",
		"sum golang.org+033de0ae+"
		    "Ac4zctda0e5eza+HJyk9SxEdh+s3Ux18htTTAD8OuAn8",
		"sum.golang.org+033de0ae+"
		    "As4zctda0e5eza+HJyk9SxEdh+s3Ux18htTTAD8OuAn8",
		"sum.golang.org+033de0ae+"
		    "Ac4zctda0e5eza+HJyk9SxEdh+s3Ux18htTTAD8OuAn",
		"sum.golang.org+033de0ae+"
		    "Ac4zctda0e5eza+HJyk9SxEdh+s3Ux18htTTAD8OuAn8 ",
	};
	struct buf b = BUF_INIT(4096);
	struct sign_pub pub;
	struct vkey v;

	CHECK(vkey_parse(&v, span_str(go), &e) == 0);
	CHECK(span_is(v.name, "sum.golang.org") && !v.cosigns);
	vkey_add(&b, v.name, &v.pub, false);
	CHECK(span_is(buf_span(&b), go));
	for (size_t i = 0; i < sizeof(no) / sizeof(*no); i++)
		CHECK(vkey_parse(&v, span_str(no[i]), &e) == -1 &&
		    e.kind == ERR_BAD);

	/* The two types of one key are two keys. */
	sign_public(&pub, l.node[0].sign);
	for (int cosigns = 0; cosigns < 2; cosigns++) {
		buf_reset(&b);
		vkey_add(&b, span_str("hospital-a"), &pub, cosigns);
		CHECK(vkey_parse(&v, buf_span(&b), &e) == 0);
		CHECK(v.cosigns == cosigns && sign_pub_eq(&v.pub, &pub));
		for (size_t i = 0; i < b.len; i++) {
			b.p[i] ^= 1;
			CHECK(vkey_parse(&v, buf_span(&b), &e) == -1);
			b.p[i] ^= 1;
		}
	}
	/* A point of small order is refused here too. */
	memset(pub.b, 0, sizeof(pub.b));
	buf_reset(&b);
	vkey_add(&b, span_str("hospital-a"), &pub, true);
	CHECK(vkey_parse(&v, buf_span(&b), &e) == -1 && e.kind == ERR_BAD);
	buf_free(&b);
}

int
main(void)
{
	little_open(&l);
	signing();
	rsa();
	vkeys();
	little_close(&l);
	return check_done("cosign");
}
