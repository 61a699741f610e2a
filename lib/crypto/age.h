/*
 * age: the age v1 format (c2sp.org/age) with X25519 recipients.
 *
 * An age file is a header, which wraps a file key for each recipient, and a
 * body, encrypted with that key.  We keep the two apart: another header with
 * the same file key admits other readers and leaves the body as it is, and
 * header || body is a valid age file, which stock age opens.
 */
#ifndef CRYPTO_AGE_H
#define CRYPTO_AGE_H

#include "base/buf.h"
#include "crypto/key.h"

#define AGE_CHUNK 65536			/* bytes of plaintext in a chunk */
#define AGE_TAG 16			/* bytes that a chunk grows by */
#define AGE_NONCE 16			/* bytes that a body starts with */
#define AGE_RECIPIENTS_MAX 1024		/* stanzas of a header */
#define AGE_HEADER_MAX (256u << 10)	/* bytes */

/* The file key.  Secret: wipe it. */
struct age_key {
	unsigned char b[16];
};

void age_key_generate(struct age_key *out);

/*
 * Append a header, MAC line included, that wraps key for each of n recipients,
 * 1 to AGE_RECIPIENTS_MAX.  ERR_BAD when one of them is a point of low order.
 */
int age_header_make(struct buf *out, const struct age_key *key,
    const struct seal_pub *to, size_t n, struct err *e);

/*
 * Unwrap the file key with any of n secrets and check the MAC.  header is
 * exactly a header.  ERR_NO when no stanza is for us; ERR_BAD when the header
 * is malformed or its MAC wrong.  Stanzas of other types are passed over.
 */
int age_header_open(struct age_key *out, struct span header,
    const struct seal_secret *with, size_t n, struct err *e);

/*
 * The same with secrets made ready, for many headers: that spares one of two
 * X25519 operations each.  Threads may share an identity.  The secret is
 * copied; age_identity_free (NULL does nothing) wipes it.
 */
struct age_identity;
struct age_identity *age_identity_new(const struct seal_secret *secret);
void age_identity_free(struct age_identity *id);
int age_header_unwrap(struct age_key *out, struct span header,
    struct age_identity *const *with, size_t n, struct err *e);

/*
 * Length of the header at the start of file (which may be only a prefix of an
 * age file): 0 when it is there, -1 and ERR_BAD when it is not complete.
 */
int age_header_length(size_t *n, struct span file, struct err *e);

/* Bytes of a body that carries n bytes. */
uint64_t age_body_size(uint64_t n);

/*
 * A whole body at once: append it to out, and open it.  age_body_open is
 * ERR_BAD when body was altered, cut or extended; out is then as it was.
 */
int age_body_make(struct buf *out, const struct age_key *key,
    struct span plain, struct err *e);
int age_body_open(struct buf *out, const struct age_key *key,
    struct span body, struct err *e);

/*
 * Encrypt a stream.  sink is called with ciphertext, in order; it returns 0,
 * or -1 with *e set, which ends the writer's work.  age_writer_open writes the
 * nonce; age_writer_close the last chunk.  The writer is freed by
 * age_writer_free (NULL does nothing), which wipes it.
 */
typedef int age_sink(void *arg, const void *p, size_t n, struct err *e);
struct age_writer;
struct age_writer *age_writer_open(const struct age_key *key, age_sink *sink,
    void *arg, struct err *e);
int age_writer_add(struct age_writer *w, const void *p, size_t n,
    struct err *e);
int age_writer_close(struct age_writer *w, struct err *e);
void age_writer_free(struct age_writer *w);

/*
 * Decrypt a stream.  source fills up to n bytes and returns how many, 0 at
 * the end, -1 with *e set.  age_reader_read returns 0 and sets *got (0 at the
 * end), or -1; ERR_BAD when the body was altered, cut or extended.  Bytes are
 * given out only after their chunk was authenticated; that the body is whole
 * is known only when *got is 0.
 */
typedef long age_source(void *arg, void *p, size_t n, struct err *e);
struct age_reader;
struct age_reader *age_reader_open(const struct age_key *key,
    age_source *source, void *arg, struct err *e);
int age_reader_read(struct age_reader *r, void *p, size_t n, size_t *got,
    struct err *e);
void age_reader_free(struct age_reader *r);

/* Header and body in one file, with a new file key; and back. */
int age_seal(struct buf *out, struct span plain, const struct seal_pub *to,
    size_t n, struct err *e);
int age_open(struct buf *out, struct span file, const struct seal_secret *with,
    size_t n, struct err *e);

#endif
