/* identity, pem: key files, ours and those that openssl could write. */
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/pkcs12.h>
#include <openssl/x509.h>

#include "check.h"
#include "people.h"

static const struct span no_pass = { NULL, 0 };
static struct err e;

static bool
refused(struct span file, enum err_kind kind, const char *why)
{
	struct identity id;

	return identity_parse(&id, file, no_pass, &e) == -1 &&
	    e.kind == kind && strstr(e.msg, why) != NULL && id.sign == NULL;
}

/* A file of a head, and blocks: 's' signature key, 'x' sealing key. */
static void
file_of(struct buf *out, const char *head, const char *blocks)
{
	struct hash seed;

	buf_reset(out);
	buf_adds(out, head);
	for (; *blocks != '\0'; blocks++) {
		people_seed(&seed, blocks, "somebody");
		people_pem(out, *blocks == 's' ? 0x70 : 0x6e, &seed);
	}
}

static void
files(void)
{
	static const char head[] = "ehr.v1 identity\nname hospital-a\n";
	static const char *const bad_head[] = {
		"", "\n", "ehr.v1 identity\n", "ehr.v2 identity\nname a\n",
		"ehr.v1 identity\nname\n", "ehr.v1 identity\nname a b\n",
		"ehr.v1 identity\nname a+b\n", "ehr.v1 identity\r\nname a\n",
		"ehr.v1 identity\nname a\n\n", "ehr.v1 identity\nname a\nx\n",
		("ehr.v1 identity\nname "
		"0123456789012345678901234567890123456789"
		"0123456789012345678901234\n"),
		"ehr.v1 identity\nname \xe2\x80\x83\n",
		"ehr.v1 identity\nname a\xc2\xa0z\n",
		"ehr.v1 identity\nname a\xe1\x9a\x80z\n",
		"ehr.v1 identity\nname a\xe2\x80\x8az\n",
		"ehr.v1 identity\nname a\xe2\x80\xafz\n",
		"ehr.v1 identity\nname a\xe2\x81\x9fz\n",
		"ehr.v1 identity\nname a\xe3\x80\x80\n"
	};
	struct buf b = BUF_INIT(2 * IDENTITY_FILE_MAX), again = b;
	struct identity id;
	struct span name;

	file_of(&b, head, "sx");
	CHECK(!identity_is_encrypted(buf_span(&b)));
	CHECK(identity_name(&name, buf_span(&b), &e) == 0);
	CHECK(span_is(name, "hospital-a"));
	CHECK(identity_parse(&id, buf_span(&b), no_pass, &e) == 0);
	CHECK_STR(id.name, "hospital-a");
	CHECK(id.sign != NULL && id.nseals == 1);
	CHECK(identity_format(&again, &id, no_pass, &e) == 0);
	CHECK(span_eq(buf_span(&b), buf_span(&again)));
	identity_wipe(&id);
	CHECK(id.sign == NULL && id.nseals == 0);

	for (size_t i = 0; i < sizeof(bad_head) / sizeof(*bad_head); i++) {
		file_of(&b, bad_head[i], "sx");
		CHECK(refused(buf_span(&b), ERR_BAD, ""));
	}
	/* Names that look odd but are names. */
	file_of(&b, "ehr.v1 identity\nname \xc3\xa9\xe2\x82\xac\xe1\x9a\x81\n",
	    "sx");
	CHECK(identity_name(&name, buf_span(&b), &e) == 0);
	file_of(&b, head, "");
	CHECK(refused(buf_span(&b), ERR_BAD, "expected"));
	file_of(&b, head, "s");
	CHECK(refused(buf_span(&b), ERR_BAD, "expected"));
	file_of(&b, head, "x");
	CHECK(refused(buf_span(&b), ERR_BAD, "must come first"));
	file_of(&b, head, "ssx");
	CHECK(refused(buf_span(&b), ERR_BAD, "second signature key"));
	file_of(&b, head, "sxxxxxxxxxxxxxxxx");
	CHECK(identity_parse(&id, buf_span(&b), no_pass, &e) == 0);
	CHECK(id.nseals == IDENTITY_SEALS_MAX);
	identity_wipe(&id);
	file_of(&b, head, "sxxxxxxxxxxxxxxxxx");
	CHECK(refused(buf_span(&b), ERR_BAD, "too many"));
	while (b.len <= IDENTITY_FILE_MAX)
		buf_adds(&b, "more and more\n");
	CHECK(refused(buf_span(&b), ERR_BAD, "longer than"));
	CHECK(identity_name(&name, buf_span(&b), &e) == -1);
	buf_free(&b);
	buf_free(&again);
}

/* A good file cut anywhere; a good file with one line gone. */
static void
damaged(void)
{
	struct buf b = BUF_INIT(IDENTITY_FILE_MAX);

	people_file(&b, "hospital-a", "hospital-a");
	for (size_t n = 0; n < b.len; n++)
		CHECK(refused(span_of(b.p, n), ERR_BAD, ""));
	buf_adds(&b, "and a word\n");
	CHECK(refused(buf_span(&b), ERR_BAD, "a PEM block expected"));
	buf_free(&b);
}

/* One PEM block: what is in it? */
static int
read_block(BIO *bio, struct span pass)
{
	struct seal_secret seal;
	struct sign_key *sign;
	bool has_seal;
	char *p;
	long n = BIO_get_mem_data(bio, &p);
	int r = key_pem_read(&sign, &seal, &has_seal,
	    span_of(p, (size_t)n), pass, &e);

	sign_free(sign);
	BIO_free(bio);
	if (r != 0)
		return -(int)e.kind;
	return sign != NULL ? 's' : has_seal ? 'x' : '?';
}

/* A key as openssl genpkey writes it. */
static int
plain(EVP_PKEY *key)
{
	BIO *bio = BIO_new(BIO_s_mem());

	CHECK(PEM_write_bio_PKCS8PrivateKey(bio, key, NULL, NULL, 0, NULL,
	    NULL) == 1);
	EVP_PKEY_free(key);
	return read_block(bio, no_pass);
}

static void
blocks(void)
{
	EVP_PKEY *key;
	BIO *bio;

	CHECK(plain(EVP_PKEY_Q_keygen(NULL, NULL, "ED25519")) == 's');
	CHECK(plain(EVP_PKEY_Q_keygen(NULL, NULL, "X25519")) == 'x');
	CHECK(plain(EVP_PKEY_Q_keygen(NULL, NULL, "RSA", (size_t)3072)) == 's');
	CHECK(plain(EVP_PKEY_Q_keygen(NULL, NULL, "RSA", (size_t)2048)) ==
	    -ERR_BAD);
	CHECK(strstr(e.msg, "2048 bits") != NULL);
	CHECK(plain(EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-256")) == -ERR_BAD);
	CHECK(plain(EVP_PKEY_Q_keygen(NULL, NULL, "ED448")) == -ERR_BAD);
	CHECK(strstr(e.msg, "neither") != NULL);

	/* The old RSA form; a public key; a block with headers; nothing. */
	key = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
	bio = BIO_new(BIO_s_mem());
	CHECK(PEM_write_bio_PUBKEY(bio, key) == 1);
	CHECK(read_block(bio, no_pass) == -ERR_BAD);
	CHECK(strstr(e.msg, "not a PKCS #8 key") != NULL);
	EVP_PKEY_free(key);
	bio = BIO_new(BIO_s_mem());
	BIO_puts(bio, "-----BEGIN PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\n"
	    "DEK-Info: AES-256-CBC,0011223344556677\n\nAAAA\n"
	    "-----END PRIVATE KEY-----\n");
	CHECK(read_block(bio, no_pass) == -ERR_BAD);
	bio = BIO_new(BIO_s_mem());
	BIO_puts(bio, "-----BEGIN PRIVATE KEY-----\nAAAA\n"
	    "-----END PRIVATE KEY-----\n");
	CHECK(read_block(bio, no_pass) == -ERR_BAD);
	bio = BIO_new(BIO_s_mem());
	BIO_puts(bio, "-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n"
	    "-----END ENCRYPTED PRIVATE KEY-----\n");
	CHECK(read_block(bio, no_pass) == -ERR_BAD);
	CHECK(strstr(e.msg, "malformed encrypted key") != NULL);
	CHECK(read_block(BIO_new(BIO_s_mem()), no_pass) == -ERR_BAD);
}

/* A block that claims to be encrypted that way; alg is taken over. */
static int
claimed(X509_ALGOR *alg)
{
	BIO *bio = BIO_new(BIO_s_mem());
	X509_SIG *sig = X509_SIG_new();
	ASN1_OCTET_STRING *data;
	X509_ALGOR *to;

	X509_SIG_getm(sig, &to, &data);
	CHECK(X509_ALGOR_copy(to, alg) == 1);
	CHECK(ASN1_OCTET_STRING_set(data, (const unsigned char *)
	    "sixteen bytes of", 16) == 1);
	CHECK(PEM_write_bio_PKCS8(bio, sig) == 1);
	X509_SIG_free(sig);
	X509_ALGOR_free(alg);
	return read_block(bio, span_str("correct horse"));
}

static int
claimed_scrypt(uint64_t n, uint64_t r, uint64_t p)
{
	unsigned char salt[16] = { 0 };
	X509_ALGOR *alg = PKCS5_pbe2_set_scrypt(EVP_aes_256_cbc(), salt, 16,
	    NULL, n, r, p);

	CHECK(alg != NULL);
	return claimed(alg);
}

static int
claimed_pbkdf2(int iterations)
{
	unsigned char salt[16] = { 0 };

	return claimed(PKCS5_pbe2_set_iv(EVP_aes_256_cbc(), iterations, salt,
	    16, NULL, NID_hmacWithSHA256));
}

/*
 * Work that a key file may ask for.  Within the limits the passphrase is
 * "wrong"; beyond them nobody tries.
 */
static void
work(void)
{
	unsigned char salt[16] = { 0 };

	CHECK(claimed_scrypt(16384, 8, 1) == -ERR_NO);
	CHECK(claimed_scrypt(1024, 8, 4) == -ERR_NO);
	CHECK(claimed_scrypt(16384, 8, 33) == -ERR_BAD);
	CHECK(claimed_scrypt(2, 1, 200000) == -ERR_NO);
	CHECK(claimed_scrypt(32768, 1, 100000) == -ERR_BAD);
	CHECK(claimed_scrypt(1024, 100, 100) == -ERR_BAD);
	CHECK(strstr(e.msg, "scrypt or PBKDF2 expected") != NULL);
	CHECK(claimed_pbkdf2(2048) == -ERR_NO);
	CHECK(claimed_pbkdf2(10000001) == -ERR_BAD);
	CHECK(claimed_pbkdf2(2147483647) == -ERR_BAD);
	CHECK(claimed(PKCS5_pbe_set(NID_pbe_WithSHA1And3_Key_TripleDES_CBC,
	    2048, salt, 16)) == -ERR_BAD);
}

/* As openssl pkcs8 -topk8 -v2prf hmacWithSHA256 writes it. */
static void
pbkdf2_opens(void)
{
	static const char pass[] = "correct horse";
	EVP_PKEY *key = EVP_PKEY_Q_keygen(NULL, NULL, "X25519");

	for (int good = 0; good < 2; good++) {
		BIO *bio = BIO_new(BIO_s_mem());

		CHECK(PEM_write_bio_PKCS8PrivateKey(bio, key,
		    EVP_aes_256_cbc(), pass, sizeof(pass) - 1, NULL,
		    NULL) == 1);
		CHECK(read_block(bio, good ? span_str(pass) :
		    span_str("correct house")) == (good ? 'x' : -ERR_NO));
	}
	EVP_PKEY_free(key);
}

/* Several sealing keys under a passphrase; too small a buffer. */
static void
encrypted(void)
{
	struct span pass = span_str("correct horse");
	struct buf b = BUF_INIT(IDENTITY_FILE_MAX), small = BUF_INIT(300);
	struct identity id, back;

	file_of(&b, "ehr.v1 identity\nname kun\n", "sxx");
	CHECK(identity_parse(&id, buf_span(&b), no_pass, &e) == 0);
	buf_reset(&b);
	CHECK(identity_format(&b, &id, pass, &e) == 0);
	CHECK(identity_is_encrypted(buf_span(&b)));
	CHECK(refused(buf_span(&b), ERR_NO, "needs a passphrase"));
	CHECK(identity_parse(&back, buf_span(&b), pass, &e) == 0);
	CHECK(back.nseals == 2);
	CHECK(memcmp(back.seal, id.seal, sizeof(id.seal)) == 0);
	identity_wipe(&back);
	CHECK(identity_format(&small, &id, no_pass, &e) == -1);
	CHECK(e.kind == ERR_BAD);
	identity_wipe(&id);
	buf_wipe(&b);
	buf_wipe(&small);
}

int
main(void)
{
	files();
	damaged();
	blocks();
	work();
	pbkdf2_opens();
	encrypted();
	return check_done("identity");
}
