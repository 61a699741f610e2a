/*
 * note: C2SP signed notes (c2sp.org/signed-note).
 *
 * A note is text that ends in a newline, an empty line, and signature lines
 *	U+2014 SP NAME SP BASE64(keyid4 || signature) LF
 * where keyid4 is SHA-256(NAME || LF || TYPE || KEY)[0..3].  TYPE is 0x01 for
 * Ed25519 (KEY the 32 bytes) and 0xff "ehr.v1/rsa-pkcs1-sha256" for RSA (KEY
 * the DER SubjectPublicKeyInfo).  The signature is over the text, its last
 * newline included.  Notes are kept and relayed as the bytes that came.
 */
#ifndef CRYPTO_NOTE_H
#define CRYPTO_NOTE_H

#include "base/buf.h"
#include "crypto/key.h"

#define NOTE_SIGS_MAX 64	/* signature lines */
#define NOTE_NAME_MAX 64	/* bytes of a signer's name */
#define NOTE_MAX (1u << 20)	/* bytes of a note */

struct checker;

struct note_sig {
	struct span name;
	struct span base64;
	struct span line;	/* the whole line, its newline included */
};

struct note {
	struct span whole;	/* the original bytes */
	struct span text;	/* up to its last newline */
	size_t nsigs;		/* at least 1 */
	struct note_sig sig[NOTE_SIGS_MAX];
};

/* May s name a signer: 1..NOTE_NAME_MAX bytes, no space of Unicode, '+' or
 * control? */
bool note_name_ok(struct span s);

/*
 * Take whole apart; n borrows from it.  ERR_BAD when it is not exactly one
 * note: the text is UTF-8 lines without control characters, there are 1 to
 * NOTE_SIGS_MAX signature lines and nothing after them.  Verifies nothing.
 */
int note_parse(struct note *n, struct span whole, const char *what,
    struct err *e);

/*
 * Does signature line i carry this name and verify with this key?  ERR_NO
 * when it does not, ERR_BAD when its base64 is not canonical.
 */
int note_verify(const struct note *n, size_t i, struct span name,
    const struct sign_pub *pub, struct err *e);

/* The same with a checker (checker.h), which may be NULL. */
int note_check(const struct note *n, size_t i, struct span name,
    const struct sign_pub *pub, struct checker *c, struct err *e);

/*
 * Take a signature line's base64 apart: four bytes of key id and, *n of them,
 * the signature.  0, or -1 when it is not canonical or has no signature.
 */
int note_sig_raw(const struct note_sig *s, unsigned char id[4],
    unsigned char sig[SIGN_MAX], size_t *n);

/* Append a signature line from its parts; n is at most SIGN_MAX. */
void note_add_sig(struct buf *out, struct span name,
    const unsigned char id[4], const unsigned char *sig, size_t n);

/* The index of the first line of that name, or -1. */
int note_find(const struct note *n, struct span name);

/*
 * Append to out the signature line of name over text.  A note is made by
 * appending the text, an empty line, and then one such line or more.
 */
int note_sign_line(struct buf *out, struct span text, struct span name,
    const struct sign_key *k, struct err *e);

/* Append text, the empty line and one signature line: a whole note. */
int note_sign(struct buf *out, struct span text, struct span name,
    const struct sign_key *k, struct err *e);

/*
 * A note as one line, without a newline at its end: its newlines are tabs, of
 * which no note has any, the last one left out.  Append that, or the note.
 */
void note_fold(struct buf *out, struct span note);
void note_unfold(struct buf *out, struct span line);

/*
 * What says of which kind a key is, before its bytes, in key ids: one byte or
 * more.
 */
struct span note_key_type(const struct sign_pub *pub);

/* The first four bytes of a key id; and that of a key of another type. */
void note_key_id(unsigned char id[4], struct span name,
    const struct sign_pub *pub);
void note_key_id_as(unsigned char id[4], struct span name, struct span type,
    const struct sign_pub *pub);

#endif
