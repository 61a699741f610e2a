/*
 * people: who lives in the tests.  Their keys come from fixed seeds, so that
 * handles, signatures and ids are the same in every run.
 */
#ifndef UNIT_PEOPLE_H
#define UNIT_PEOPLE_H

#include <assert.h>

#include "base/base64.h"
#include "crypto/identity.h"
#include "ledger/name.h"

/* One unencrypted PKCS #8 block (RFC 8410) around 32 bytes. */
static inline void
people_pem(struct buf *out, unsigned char oid, const struct hash *seed)
{
	unsigned char der[48] = {
		0x30, 0x2e, 0x02, 0x01, 0x00, 0x30, 0x05, 0x06, 0x03, 0x2b,
		0x65, oid, 0x04, 0x22, 0x04, 0x20
	};

	memcpy(der + 16, seed->b, 32);
	buf_adds(out, "-----BEGIN PRIVATE KEY-----\n");
	base64_add(out, der, sizeof(der), true);
	buf_adds(out, "\n-----END PRIVATE KEY-----\n");
}

static inline void
people_seed(struct hash *out, const char *purpose, const char *who)
{
	struct span part[] = { span_str(purpose), span_str(who) };

	hash_spans(out, part, 2);
}

/* The key file of who, before it has a handle. */
static inline void
people_file(struct buf *out, const char *name, const char *who)
{
	struct hash sign, seal;

	people_seed(&sign, "sign ", who);
	people_seed(&seal, "seal ", who);
	buf_addf(out, "ehr.v1 identity\nname %s\n", name);
	people_pem(out, 0x70, &sign);	/* id-Ed25519 */
	people_pem(out, 0x6e, &seal);	/* id-X25519 */
}

/* A node of that name, or anybody who signs as that name. */
static inline void
people_node(struct identity *id, const char *name, const char *who)
{
	struct buf file = BUF_INIT(IDENTITY_FILE_MAX);
	struct err e;

	people_file(&file, name, who);
	if (identity_parse(id, buf_span(&file), span_of(NULL, 0), &e) != 0)
		assert(!"a person of the tests has no key");
	buf_free(&file);
}

/* A user, who signs as the handle of the key. */
static inline void
people_user(struct identity *id, const char *who)
{
	struct sign_pub pub;

	people_node(id, "somebody", who);
	sign_public(&pub, id->sign);
	name_handle(id->name, &pub);
}

#endif
