/*
 * seal: a doctor's files become staged records: payload, age body and header,
 * signed manifest (ehr-record(5)).
 *
 * A sealer works for one author, patient and label; it seals many records on
 * all cores and makes them durable together.
 */
#ifndef RECORD_SEAL_H
#define RECORD_SEAL_H

#include "record/payload.h"
#include "store/lookup.h"
#include "store/staging.h"

struct sealer;

struct sealer_new {
	struct repo *repo;
	const struct identity *author;
	const char *patient;		/* handle */
	const char *label;
	const char *description;
	int64_t now_ms;
};

/*
 * ERR_NO when the author may not add records, the patient is not one, or the
 * label is none of those in ehr-add(1).  n is borrowed until sealer_free.
 */
int sealer_open(struct sealer **out, const struct sealer_new *n,
    struct err *e);

/*
 * Add one record of n >= 1 inputs, which are borrowed until the next
 * sealer_commit.  Records are sealed in the background of many calls; errors
 * may show late, in sealer_commit.
 */
int sealer_add(struct sealer *s, const struct payload_input *in, size_t n,
    struct err *e);

/* Is it time to commit?  (So many records or bytes wait in memory.) */
bool sealer_full(const struct sealer *s);

/*
 * Seal what was added and make it durable: bodies, then manifests, one fsync
 * each.  done is called for each record in the order of sealer_add, with its
 * id, or NULL and the error of a record that could not be made (the others
 * are).  The sealer can go on with further records.
 */
typedef int sealer_done(void *arg, size_t i, const struct hash *id,
    const struct err *why, struct err *e);
int sealer_commit(struct sealer *s, sealer_done *done, void *arg,
    struct err *e);

void sealer_free(struct sealer *s);	/* NULL does nothing */

#endif
