/*
 * key: signature keys and sealing keys.
 *
 * Signature keys are Ed25519 (RFC 8032) or RSA of 3072 to 4096 bits with
 * PKCS #1 v1.5 and SHA-256 (RFC 8017); sealing keys are X25519 (RFC 7748).
 */
#ifndef CRYPTO_KEY_H
#define CRYPTO_KEY_H

#include "base/buf.h"
#include "crypto/hash.h"

enum sign_alg {
	SIGN_ED25519 = 1,
	SIGN_RSA = 2
};

#define SIGN_PUB_MAX 560	/* bytes: SubjectPublicKeyInfo of RSA-4096 */
#define SIGN_MAX 512		/* bytes: a signature of RSA-4096 */
#define SEAL_LEN 32		/* bytes: an X25519 key */

/* A public signature key: 32 bytes (Ed25519), or a DER SPKI (RSA). */
struct sign_pub {
	enum sign_alg alg;
	size_t n;
	unsigned char b[SIGN_PUB_MAX];
};

/* A public and a secret sealing key. */
struct seal_pub {
	unsigned char b[SEAL_LEN];
};
struct seal_secret {
	unsigned char b[SEAL_LEN];
};

/* A secret signature key; opaque. */
struct sign_key;

/*
 * The text form: "ed25519:" or "rsa:" and base64 of the key.  Parsing refuses
 * points of low order or not canonical, and RSA moduli out of range: ERR_BAD.
 */
void sign_pub_add(struct buf *out, const struct sign_pub *pub);
int sign_pub_parse(struct sign_pub *out, struct span text, struct err *e);
bool sign_pub_eq(const struct sign_pub *a, const struct sign_pub *b);

/*
 * The text form of a sealing key is age's: "age1..." (bech32).  Parsing refuses
 * points of small order or not canonical: ERR_BAD.
 */
void seal_pub_add(struct buf *out, const struct seal_pub *pub);
int seal_pub_parse(struct seal_pub *out, struct span text, struct err *e);

/* "AGE-SECRET-KEY-1...", which age -i reads. */
void seal_secret_add(struct buf *out, const struct seal_secret *secret);
int seal_secret_parse(struct seal_secret *out, struct span text,
    struct err *e);

/* A new sealing key; and the public half of one. */
void seal_generate(struct seal_secret *out);
int seal_public(struct seal_pub *out, const struct seal_secret *secret,
    struct err *e);

/* A new signature key; the caller frees it.  RSA keys have 3072 bits. */
int sign_generate(struct sign_key **out, enum sign_alg alg, struct err *e);
void sign_free(struct sign_key *k);	/* wipes; NULL does nothing */
void sign_public(struct sign_pub *out, const struct sign_key *k);

/* The same key once more, to be freed on its own. */
int sign_copy(struct sign_key **out, const struct sign_key *k, struct err *e);

/*
 * Sign msg: *n <= SIGN_MAX bytes at sig.  The same key and message give the
 * same bytes.
 */
int sign_make(unsigned char sig[SIGN_MAX], size_t *n,
    const struct sign_key *k, struct span msg, struct err *e);

/* Does sig verify?  Nothing but yes or no; never an error. */
bool sign_verify(const struct sign_pub *pub, struct span msg,
    struct span sig);

/*
 * PKCS #8 PEM: append a key's block to out, encrypted with pass (PBES2,
 * scrypt N=16384) or plain when pass.n is 0.
 */
int sign_pem_add(struct buf *out, const struct sign_key *k, struct span pass,
    struct err *e);
int seal_pem_add(struct buf *out, const struct seal_secret *k,
    struct span pass, struct err *e);

/*
 * Read one PEM block, "-----BEGIN" to "-----END" line.  A signature key goes
 * to *sign (else NULL), an X25519 key to *seal (*has_seal set).  ERR_NO when
 * the passphrase is wrong, ERR_BAD when the block is malformed.
 */
int key_pem_read(struct sign_key **sign, struct seal_secret *seal,
    bool *has_seal, struct span pem, struct span pass, struct err *e);

#endif
