/*
 * age_header: what the specification (c2sp.org/age) makes a reader accept and
 * refuse in a header.  Malformed headers carry a right MAC, so that it is the
 * form that is refused.
 */
#include <pthread.h>
#include <stdlib.h>

#include "check.h"
#include "base/base64.h"
#include "crypto/aead.h"
#include "crypto/age.h"

#define V1 "age-encryption.org/v1\n"

static struct err e;
static struct seal_secret secret[3];
static struct seal_pub pub[3];

/* A file that age 1.1.1 made for the key of the specification's example. */
static void
known_file(void)
{
	static const char text[] =
	    "YWdlLWVuY3J5cHRpb24ub3JnL3YxCi0+IFgyNTUxOSA2c29Zc0NqYWw2UDNSLzJW"
	    "NXNmQXFKb09INndiYU9WTThwTnRpM0wrYXdBCnlQbTRWQjRpRzQwQWpiMnN0QWsw"
	    "WmxJVGtkMHNxVFVaaTNJVW1VSlh4bDgKLS0tIERQa2F6ellkMEx4YUJQVTFydjNV"
	    "TlVna0lzK2Q4QW1Cc3YrQkdhVVJib2MK8jYPUgwHvT0jkl5hzIc0yQiX3FL/SLYQ"
	    "oTbxkkWcYbcGVUY7ds7bwFVifJJdsdZtUPE0n5stJuIZVg/rZQ==";
	struct seal_secret key;
	struct buf out = BUF_INIT(100);
	unsigned char file[300];
	size_t n, header;

	memset(key.b, 0x42, sizeof(key.b));
	CHECK(base64_decode(file, sizeof(file), &n, span_str(text), true) == 0);
	CHECK(age_header_length(&header, span_of(file, n), &e) == 0);
	CHECK(n == header + age_body_size(29));
	CHECK(age_open(&out, span_of(file, n), &key, 1, &e) == 0);
	CHECK(span_is(buf_span(&out), "penicillin allergy confirmed\n"));
	buf_reset(&out);
	/* No bit of it can change, nothing can be cut off or added. */
	for (size_t bit = 0; bit < n * 8; bit++) {
		file[bit / 8] ^= (unsigned char)(1 << bit % 8);
		CHECK(age_open(&out, span_of(file, n), &key, 1, &e) != 0);
		file[bit / 8] ^= (unsigned char)(1 << bit % 8);
	}
	for (size_t i = 0; i < n; i++) {
		CHECK(age_open(&out, span_of(file, i), &key, 1, &e) != 0 &&
		    e.kind == ERR_BAD);
		CHECK(i >= header ||
		    age_header_length(&header, span_of(file, i), &e) != 0);
	}
	CHECK(age_open(&out, span_of(file, n + 1), &key, 1, &e) != 0);
	CHECK(out.len == 0);
	buf_free(&out);
}

/* A header of these stanzas for this file key, with a right MAC. */
static struct span
with_mac(struct buf *out, const struct age_key *key, const char *stanzas)
{
	unsigned char mac_key[32];
	struct hash mac;
	struct span all;

	buf_reset(out);
	buf_adds(out, V1);
	buf_adds(out, stanzas);
	buf_adds(out, "---");
	all = buf_span(out);
	hash_hkdf(mac_key, 32, span_of(key->b, 16), span_of(NULL, 0),
	    "header");
	hash_hmac(&mac, span_of(mac_key, 32), &all, 1);
	buf_addc(out, ' ');
	base64_add(out, mac.b, 32, false);
	buf_addc(out, '\n');
	return buf_span(out);
}

/* One good stanza for pub[0]; share and body point into it. */
static char good[200], *share, *body;
static struct age_key file_key;

static void
make_good(void)
{
	struct buf b = BUF_INIT(1000);

	age_key_generate(&file_key);
	CHECK(age_header_make(&b, &file_key, pub, 1, &e) == 0);
	memcpy(good, b.p + strlen(V1), 98);
	good[98] = '\0';
	share = good + strlen("-> X25519 ");
	body = share + 44;
	CHECK(b.len == strlen(V1) + 98 + 48 && body[43] == '\n');
	buf_free(&b);
}

/*
 * Open stanzas, which may say %s for the share and %b for the body of the good
 * one.  0, or the kind of error.
 */
static int
opened(const char *stanzas)
{
	struct buf text = BUF_INIT(10000), header = BUF_INIT(10000);
	struct age_key key;
	struct span all;
	int r;

	for (const char *p = stanzas; *p != '\0'; p++)
		if (p[0] == '%')
			buf_add(&text, *++p == 's' ? share : body, 43);
		else
			buf_addc(&text, (unsigned char)*p);
	buf_addc(&text, '\0');
	all = with_mac(&header, &file_key, (const char *)text.p);
	r = age_header_open(&key, all, secret, 1, &e);
	CHECK(r != 0 || memcmp(key.b, file_key.b, 16) == 0);
	buf_free(&text);
	buf_free(&header);
	return r == 0 ? 0 : (int)e.kind;
}

#define LINE62 "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
#define LINE64 LINE62 "AA"

static void
stanzas_accepted(void)
{
	CHECK(opened("-> X25519 %s\n%b\n") == 0);
	CHECK(opened("-> other\n\n-> X25519 %s\n%b\n") == 0);
	CHECK(opened("-> X25519 %s\n%b\n-> x x! ~ \"#\n" LINE64 "\n\n") == 0);
	CHECK(opened("-> x\n" LINE64 "\n" LINE64 "\nAA\n-> X25519 %s\n%b\n")
	    == 0);
	CHECK(opened("-> X25519 %s\n%b\n-> x\nA" LINE62 "\n") == 0);
	CHECK(opened("-> x25519 %s\n%b\n") == ERR_NO);
	CHECK(opened("-> X25519x %s\n%b\n") == ERR_NO);
	CHECK(opened("-> X25519\x7e %s\n%b\n") == ERR_NO);
	CHECK(opened("-> scrypt c2FsdHNhbHRzYWx0c2FsdA 10\n%b\n") == ERR_NO);
}

static void
stanzas_refused(void)
{
	static const char *const bad[] = {
		/* the frame */
		"", "\n", "--> X25519 %s\n%b\n", "->X25519 %s\n%b\n", "->\n\n",
		"-> \n\n", "->  X25519 %s\n%b\n", "-> X25519  %s\n%b\n",
		"-> X25519 %s \n%b\n", "-> X25519 %s\r\n%b\r\n",
		"-> X25519 %s\n%b", "-> X25519 %s\n%b\n\n",
		"-> X25519 %s\n", "-> X25519 %s\n%b\nAAAA\n",
		"-> X25519 %s\n%b\n-> x\x7f\n\n", "-> X25519 %s\n%b\n-> \xc3\xa9\n\n",
		"-> X25519 %s\n%b\n-> x\ty\n\n", "-> X25519 %s\n%b\n-> x \n\n",
		/* bodies, also of stanzas that are not for us */
		"-> X25519 %s\n%b\n-> x\n" LINE64 "\n",
		"-> X25519 %s\n%b\n-> x\n" LINE64 "A\n\n",
		"-> X25519 %s\n%b\n-> x\nAAA=\n", "-> X25519 %s\n%b\n-> x\nAB\n",
		"-> X25519 %s\n%b\n-> x\nA\n", "-> X25519 %s\n%b\n-> x\nAA A\n",
		"-> X25519 %s\n%b\n-> x\n" LINE64 "\nAB\n\n",
		"-> X25519 %s\n%b\n-> x\nA-_A\n",
		/* our type */
		"-> X25519 %s %s\n%b\n", "-> X25519\n%b\n", "-> X25519 %s=\n%b\n",
		"-> X25519 AAAA\n%b\n", "-> X25519 %sA\n%b\n",
		"-> X25519 %sAA\n%b\n", "-> X25519 %s\n\n",
		"-> X25519 %s\nAAAA\n", "-> X25519 %s\n%bA\n",
		"-> X25519 %s\n%b" "AA\n", "-> X25519 %s\n%s" "AAAAAAAAAAAAAAAAAAAA"
		"A\n%b\n",
		"-> X25519 %s\n%b\n-> X25519 AAAA\n%b\n",
		/* a passphrase must be alone */
		"-> X25519 %s\n%b\n-> scrypt a 1\n%b\n",
		"-> scrypt a 1\n%b\n-> X25519 %s\n%b\n"
	};
	char last;

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		int r = opened(bad[i]);

		if (r != ERR_BAD)
			printf("accepted (%d): %s\n", r, bad[i]);
		CHECK(r == ERR_BAD);
	}
	/* Both end in two bits of padding, of which none may be set. */
	last = share[42];
	share[42]++;
	CHECK(opened("-> X25519 %s\n%b\n") == ERR_BAD);
	share[42] = last;
	last = body[42];
	body[42]++;
	CHECK(opened("-> X25519 %s\n%b\n") == ERR_BAD);
	body[42] = last;
	CHECK(opened("-> X25519 %s\n%b\n") == 0);
}

/* Shares of low order, as encoded in RFC 7748's field and beyond its prime. */
static void
low_order(void)
{
	static const unsigned char point[][2] = {
		{ 0x00, 0x00 }, { 0x01, 0x00 }, { 0xec, 0x7f }, { 0xed, 0x7f },
		{ 0xee, 0x7f }
	};
	struct buf out = BUF_INIT(1000);
	char text[200];

	for (size_t i = 0; i < 5; i++) {
		struct seal_pub p;
		struct buf b = BUF_INIT(100);

		memset(p.b, point[i][1] == 0 ? 0 : 0xff, 32);
		p.b[0] = point[i][0];
		p.b[31] = point[i][1];
		base64_add(&b, p.b, 32, false);
		snprintf(text, sizeof(text), "-> X25519 %.*s\n%%b\n",
		    (int)b.len, (const char *)b.p);
		CHECK(opened(text) == ERR_BAD);
		buf_free(&b);
		CHECK(age_header_make(&out, &file_key, &p, 1, &e) != 0 &&
		    e.kind == ERR_BAD);
		CHECK(out.len == 0);
	}
	buf_free(&out);
}

/* The version and MAC lines. */
static void
frame(void)
{
	static const char *const first[] = {
		"age-encryption.org/v2\n", "age-encryption.org/v1\r\n",
		"age-encryption.org/v1 \n", "Age-encryption.org/v1\n", "\n", ""
	};
	static const char *const mac[] = {
		"---%m\n", "---  %m\n", "--- %m \n", "--- %m\r\n", "--- %m=\n",
		"--- %m", "--- \n", "---\n", "--- %mA\n", "--- AAAA\n", "-- %m\n",
		"---- %m\n", "", "--- %m\n\n", "--- %m\nA"
	};
	struct buf b = BUF_INIT(1000), bad = BUF_INIT(1000);
	struct span all = with_mac(&b, &file_key, good);
	const unsigned char *m = all.p + all.n - 44;
	struct age_key key;
	size_t n;

	for (size_t i = 0; i < sizeof(first) / sizeof(first[0]); i++) {
		buf_reset(&bad);
		buf_adds(&bad, first[i]);
		buf_add(&bad, all.p + strlen(V1), all.n - strlen(V1));
		CHECK(age_header_open(&key, buf_span(&bad), secret, 1, &e) != 0
		    && e.kind == ERR_BAD);
		CHECK(age_header_length(&n, buf_span(&bad), &e) != 0);
	}
	for (size_t i = 0; i < sizeof(mac) / sizeof(mac[0]); i++) {
		buf_reset(&bad);
		buf_add(&bad, all.p, all.n - 48);
		for (const char *p = mac[i]; *p != '\0'; p++)
			if (*p == '%')
				buf_add(&bad, m, 43), p++;
			else
				buf_addc(&bad, (unsigned char)*p);
		CHECK(age_header_open(&key, buf_span(&bad), secret, 1, &e) != 0
		    && e.kind == ERR_BAD);
		/* What follows a header is not a header's concern. */
		if (i < sizeof(mac) / sizeof(mac[0]) - 2)
			CHECK(age_header_length(&n, buf_span(&bad), &e) != 0);
		else
			CHECK_STR(e.msg, "age header: bytes after its end");
	}
	CHECK(age_header_open(&key, all, secret, 1, &e) == 0);
	buf_reset(&bad);
	with_mac(&bad, &(struct age_key){ { 1 } }, good);
	CHECK(age_header_open(&key, buf_span(&bad), secret, 1, &e) != 0 &&
	    e.kind == ERR_BAD);
	CHECK_STR(e.msg, "age header: its MAC is wrong");
	CHECK(memcmp(key.b, (unsigned char[16]){ 0 }, 16) == 0);
	buf_free(&b);
	buf_free(&bad);
}

static void
recipients(void)
{
	struct seal_pub *many = calloc(AGE_RECIPIENTS_MAX + 1, sizeof(*many));
	struct buf b = BUF_INIT(AGE_HEADER_MAX);
	struct age_key key;
	struct age_identity *id[2];

	CHECK(age_header_make(&b, &file_key, pub, 0, &e) != 0 &&
	    e.kind == ERR_USAGE);
	for (size_t i = 0; i < AGE_RECIPIENTS_MAX; i++)
		many[i] = pub[1];
	many[AGE_RECIPIENTS_MAX - 1] = pub[0];
	CHECK(age_header_make(&b, &file_key, many, AGE_RECIPIENTS_MAX + 1, &e)
	    != 0 && e.kind == ERR_USAGE);
	CHECK(b.len == 0);
	CHECK(age_header_make(&b, &file_key, many, AGE_RECIPIENTS_MAX, &e)
	    == 0);
	CHECK(age_header_open(&key, buf_span(&b), secret, 1, &e) == 0 &&
	    memcmp(&key, &file_key, 16) == 0);
	CHECK(age_header_open(&key, buf_span(&b), secret + 2, 1, &e) != 0 &&
	    e.kind == ERR_NO);
	CHECK(age_header_open(&key, buf_span(&b), secret, 0, &e) != 0 &&
	    e.kind == ERR_NO);
	buf_reset(&b);
	/* Appended to what is there; any of several secrets opens it. */
	buf_adds(&b, "x");
	CHECK(age_header_make(&b, &file_key, pub + 1, 2, &e) == 0);
	CHECK(age_header_open(&key, span_of(b.p + 1, b.len - 1), secret, 3, &e)
	    == 0 && memcmp(&key, &file_key, 16) == 0);
	id[0] = age_identity_new(&secret[0]);
	id[1] = age_identity_new(&secret[2]);
	CHECK(age_header_unwrap(&key, span_of(b.p + 1, b.len - 1), id, 2, &e)
	    == 0 && memcmp(&key, &file_key, 16) == 0);
	CHECK(age_header_unwrap(&key, span_of(b.p + 1, b.len - 1), id, 1, &e)
	    != 0 && e.kind == ERR_NO);
	age_identity_free(id[0]);
	age_identity_free(id[1]);
	age_identity_free(NULL);
	/* The buffer's ceiling. */
	buf_free(&b);
	buf_init(&b, 150);
	CHECK(age_header_make(&b, &file_key, pub, 1, &e) != 0 &&
	    e.kind == ERR_BAD);
	buf_free(&b);
	free(many);
}

/* A header that never ends is not read for ever. */
static void
too_long(void)
{
	struct buf b = BUF_INIT(2 * AGE_HEADER_MAX);
	size_t n;

	buf_adds(&b, V1);
	for (int i = 0; i <= AGE_RECIPIENTS_MAX; i++)
		buf_adds(&b, "-> x\n\n");
	buf_adds(&b, "--- AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\n");
	CHECK(age_header_length(&n, buf_span(&b), &e) != 0 &&
	    e.kind == ERR_BAD);
	buf_reset(&b);
	buf_adds(&b, V1 "-> x\n");
	while (b.len < AGE_HEADER_MAX)
		buf_adds(&b, LINE64 "\n");
	buf_adds(&b, "\n--- AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\n");
	CHECK(age_header_length(&n, buf_span(&b), &e) != 0 &&
	    e.kind == ERR_BAD);
	buf_free(&b);
}

/* Threads that seal and open with one identity, all at once. */
static void *
worker(void *arg)
{
	struct age_identity *id = arg;
	struct age_key key, got;
	long bad = 0;

	for (int i = 0; i < 50; i++) {
		struct buf b = BUF_INIT(1000);
		struct err mine;

		age_key_generate(&key);
		if (age_header_make(&b, &key, pub, 1, &mine) != 0 ||
		    age_header_unwrap(&got, buf_span(&b), &id, 1, &mine) != 0
		    || memcmp(&key, &got, sizeof(key)) != 0)
			bad++;
		buf_free(&b);
	}
	return (void *)bad;
}

static void
threads(void)
{
	struct age_identity *id = age_identity_new(&secret[0]);
	pthread_t t[4];
	void *bad;

	for (int i = 0; i < 4; i++)
		CHECK(pthread_create(&t[i], NULL, worker, id) == 0);
	for (int i = 0; i < 4; i++)
		CHECK(pthread_join(t[i], &bad) == 0 && bad == NULL);
	age_identity_free(id);
}

/* The cipher is libcrypto's and meets stock age in age_stock; here, its use. */
static void
aead(void)
{
	unsigned char key[32] = { 0 }, nonce[12] = { 0 }, out[64];
	unsigned char plain[40] = "forty bytes are two blocks and a rest";
	struct aead *a = aead_sealer(key), *o = aead_opener(key);

	for (size_t n = 0; n <= sizeof(plain); n++) {
		unsigned char back[40];

		aead_seal(a, out, nonce, span_of(plain, n));
		CHECK(aead_open(o, back, nonce, span_of(out, n + 16)) == 0);
		CHECK(memcmp(back, plain, n) == 0);
		out[n]++;
		CHECK(aead_open(o, back, nonce, span_of(out, n + 16)) != 0);
		out[n]--;
		nonce[3]++;
		CHECK(aead_open(o, back, nonce, span_of(out, n + 16)) != 0);
	}
	CHECK(aead_open(o, out, nonce, span_of(out, 15)) != 0);
	aead_free(a);
	aead_free(o);
	aead_free(NULL);
}

int
main(void)
{
	for (int i = 0; i < 3; i++) {
		seal_generate(&secret[i]);
		CHECK(seal_public(&pub[i], &secret[i], &e) == 0);
	}
	threads();
	known_file();
	make_good();
	stanzas_accepted();
	stanzas_refused();
	low_order();
	frame();
	recipients();
	too_long();
	aead();
	return check_done("age_header");
}
