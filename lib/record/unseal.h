/* unseal: opening records: finding their parts, keys and content. */
#ifndef RECORD_UNSEAL_H
#define RECORD_UNSEAL_H

#include "record/keyring.h"
#include "record/payload.h"
#include "store/object.h"

/*
 * A record's content as a stream of its payload.  Fill it with unseal_open,
 * pass unseal_read and it to payload.h's functions, and end with
 * unseal_close.
 */
struct unseal {
	struct object_file body;
	struct age_reader *reader;
	bool open;
};

/*
 * The file key of the age header (an object, or bytes) with any key of the
 * ring.  ERR_NO: it is not sealed for us.
 */
int unseal_key(struct age_key *key, struct repo *r, const struct hash *header,
    const struct keyring *k, struct err *e);
int unseal_key_of(struct age_key *key, struct span header,
    const struct keyring *k, struct err *e);

/* Open a body.  ERR_NO: it is not here (yet). */
int unseal_open(struct unseal *u, struct repo *r, const struct hash *body,
    const struct age_key *key, struct err *e);

/* An age_source (age.h) of the payload; arg is the struct unseal. */
long unseal_read(void *arg, void *p, size_t n, struct err *e);

void unseal_close(struct unseal *u);

/*
 * Only META.json of a record: its key from header (an object) or, when that
 * is NULL, from header_bytes.  The caller frees *meta.
 */
int unseal_meta(struct meta *meta, struct repo *r, const struct hash *body,
    const struct hash *header, struct span header_bytes,
    const struct keyring *k, struct err *e);

#endif
