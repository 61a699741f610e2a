#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/pkcs12.h>
#include <openssl/x509.h>

#include "crypto/key.h"
#include "crypto/sign_key.h"

/* OpenSSL 3.0 itself refuses 32768 with r=8: it would pass 32 MiB. */
#define SCRYPT_N 16384
#define SCRYPT_R 8
#define SCRYPT_P 1
#define SALT_LEN 16

/* A key file that asks for more work than this is an attack on its reader. */
#define PBKDF2_ITERATIONS_MAX 10000000
#define SCRYPT_WORK_MAX (32L * SCRYPT_N * SCRYPT_R * SCRYPT_P)

static PKCS8_PRIV_KEY_INFO *
to_pkcs8(EVP_PKEY *key)
{
	return key == NULL ? NULL : EVP_PKEY2PKCS8(key);
}

/* PBES2 with scrypt and AES-256-CBC. */
static X509_SIG *
encrypt(PKCS8_PRIV_KEY_INFO *info, struct span pass)
{
	unsigned char salt[SALT_LEN];
	X509_ALGOR *pbe;
	X509_SIG *out;

	hash_random(salt, sizeof(salt));
	pbe = PKCS5_pbe2_set_scrypt(EVP_aes_256_cbc(), salt, SALT_LEN, NULL,
	    SCRYPT_N, SCRYPT_R, SCRYPT_P);
	if (pbe == NULL)
		return NULL;
	out = PKCS8_set0_pbe((const char *)pass.p, (int)pass.n, info, pbe);
	if (out == NULL)
		X509_ALGOR_free(pbe);
	return out;
}

static int
add_pem(struct buf *out, EVP_PKEY *key, struct span pass, struct err *e)
{
	PKCS8_PRIV_KEY_INFO *info = to_pkcs8(key);
	BIO *bio = BIO_new(BIO_s_secmem());
	X509_SIG *sig = NULL;
	char *p;
	long n;
	int r = -1;

	if (info == NULL || bio == NULL)
		goto out;
	if (pass.n == 0) {
		if (PEM_write_bio_PKCS8_PRIV_KEY_INFO(bio, info) != 1)
			goto out;
	} else {
		sig = encrypt(info, pass);
		if (sig == NULL || PEM_write_bio_PKCS8(bio, sig) != 1)
			goto out;
	}
	n = BIO_get_mem_data(bio, &p);
	buf_add(out, p, (size_t)n);
	r = 0;
out:
	X509_SIG_free(sig);
	BIO_free(bio);
	PKCS8_PRIV_KEY_INFO_free(info);
	ERR_clear_error();
	if (r != 0)
		return err_set(e, ERR_SYS, "writing a key failed in libcrypto");
	return buf_check(out, "key file", e);
}

int
sign_pem_add(struct buf *out, const struct sign_key *k, struct span pass,
    struct err *e)
{
	return add_pem(out, k->key, pass, e);
}

int
seal_pem_add(struct buf *out, const struct seal_secret *k, struct span pass,
    struct err *e)
{
	EVP_PKEY *key = EVP_PKEY_new_raw_private_key(EVP_PKEY_X25519, NULL,
	    k->b, SEAL_LEN);
	int r = add_pem(out, key, pass, e);

	EVP_PKEY_free(key);
	return r;
}

/*
 * libcrypto bounds scrypt's memory, N * r, but not its time, N * r * p.
 * Numbers that are no long come as -1.
 */
static bool
scrypt_bounded(const X509_ALGOR *kdf)
{
	const void *param;
	SCRYPT_PARAMS *s;
	long n, r, p;
	int type;
	bool ok;

	X509_ALGOR_get0(NULL, &type, &param, kdf);
	if (type != V_ASN1_SEQUENCE ||
	    (s = ASN1_item_unpack(param,
	    ASN1_ITEM_rptr(SCRYPT_PARAMS))) == NULL)
		return false;
	n = ASN1_INTEGER_get(s->costParameter);
	r = ASN1_INTEGER_get(s->blockSize);
	p = ASN1_INTEGER_get(s->parallelizationParameter);
	ok = n > 0 && r > 0 && p > 0 && n <= SCRYPT_WORK_MAX &&
	    r <= SCRYPT_WORK_MAX / n && p <= SCRYPT_WORK_MAX / n / r;
	SCRYPT_PARAMS_free(s);
	return ok;
}

/* Is the key derivation one that ends in reasonable time? */
static bool
bounded(const X509_SIG *sig)
{
	const X509_ALGOR *alg;
	const ASN1_OBJECT *oid;
	const void *param;
	PBE2PARAM *pbe2 = NULL;
	PBKDF2PARAM *kdf = NULL;
	int type;
	bool ok = false;

	X509_SIG_get0(sig, &alg, NULL);
	X509_ALGOR_get0(&oid, &type, &param, alg);
	if (OBJ_obj2nid(oid) != NID_pbes2 || type != V_ASN1_SEQUENCE)
		return false;
	pbe2 = ASN1_item_unpack(param, ASN1_ITEM_rptr(PBE2PARAM));
	if (pbe2 == NULL)
		return false;
	X509_ALGOR_get0(&oid, &type, &param, pbe2->keyfunc);
	if (OBJ_obj2nid(oid) == NID_id_scrypt)
		ok = scrypt_bounded(pbe2->keyfunc);
	else if (OBJ_obj2nid(oid) == NID_id_pbkdf2 &&
	    type == V_ASN1_SEQUENCE) {
		kdf = ASN1_item_unpack(param, ASN1_ITEM_rptr(PBKDF2PARAM));
		ok = kdf != NULL && ASN1_INTEGER_get(kdf->iter) > 0 &&
		    ASN1_INTEGER_get(kdf->iter) <= PBKDF2_ITERATIONS_MAX;
	}
	PBKDF2PARAM_free(kdf);
	PBE2PARAM_free(pbe2);
	return ok;
}

static int
decrypt(PKCS8_PRIV_KEY_INFO **out, const unsigned char *der, long n,
    struct span pass, struct err *e)
{
	X509_SIG *sig = d2i_X509_SIG(NULL, &der, n);

	if (sig == NULL)
		return err_set(e, ERR_BAD, "malformed encrypted key");
	if (!bounded(sig)) {
		X509_SIG_free(sig);
		return err_set(e, ERR_BAD,
		    "encrypted key: PBES2 with scrypt or PBKDF2 expected");
	}
	*out = pass.n == 0 ? NULL :
	    PKCS8_decrypt(sig, (const char *)pass.p, (int)pass.n);
	X509_SIG_free(sig);
	if (*out == NULL)
		return err_set(e, ERR_NO, pass.n == 0 ?
		    "the key needs a passphrase" : "wrong passphrase");
	return 0;
}

/* The key inside one block: *name is its PEM label. */
static int
unwrap(EVP_PKEY **out, const char *name, const unsigned char *der, long n,
    struct span pass, struct err *e)
{
	PKCS8_PRIV_KEY_INFO *info = NULL;

	if (strcmp(name, "ENCRYPTED PRIVATE KEY") == 0) {
		if (decrypt(&info, der, n, pass, e) != 0)
			return -1;
	} else if (strcmp(name, "PRIVATE KEY") == 0) {
		info = d2i_PKCS8_PRIV_KEY_INFO(NULL, &der, n);
		if (info == NULL)
			return err_set(e, ERR_BAD, "malformed key");
	} else
		return err_set(e, ERR_BAD, "not a PKCS #8 key");
	*out = EVP_PKCS82PKEY(info);
	PKCS8_PRIV_KEY_INFO_free(info);
	if (*out == NULL)
		return err_set(e, ERR_BAD, "malformed key");
	return 0;
}

int
key_pem_read(struct sign_key **sign, struct seal_secret *seal, bool *has_seal,
    struct span pem, struct span pass, struct err *e)
{
	BIO *bio = BIO_new_mem_buf(pem.p, (int)pem.n);
	char *name = NULL, *header = NULL;
	unsigned char *der = NULL;
	EVP_PKEY *key = NULL;
	size_t len = SEAL_LEN;
	long n = 0;
	int r = -1;

	*sign = NULL;
	*has_seal = false;
	if (bio == NULL || PEM_read_bio(bio, &name, &header, &der, &n) != 1 ||
	    header[0] != '\0') {
		err_set(e, ERR_BAD, "malformed PEM");
		goto out;
	}
	if (unwrap(&key, name, der, n, pass, e) != 0)
		goto out;
	if (EVP_PKEY_is_a(key, "X25519")) {
		*has_seal = EVP_PKEY_get_raw_private_key(key, seal->b, &len)
		    == 1;
		r = *has_seal ? 0 : err_set(e, ERR_BAD, "malformed key");
	} else if (EVP_PKEY_is_a(key, "ED25519") || EVP_PKEY_is_a(key, "RSA")) {
		r = sign_key_wrap(sign, key, e);
		key = NULL;
	} else
		err_set(e, ERR_BAD, "neither Ed25519, RSA nor X25519");
out:
	EVP_PKEY_free(key);
	OPENSSL_free(name);
	OPENSSL_free(header);
	OPENSSL_clear_free(der, n > 0 ? (size_t)n : 0);
	BIO_free(bio);
	ERR_clear_error();
	return r;
}
