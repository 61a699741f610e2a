/*
 * reading: a reader opens records on the ledger.  The access transaction is
 * durable before a byte is released.
 */
#ifndef RECORD_READING_H
#define RECORD_READING_H

#include "record/unseal.h"

/* One of many that are to be opened. */
struct reading {
	struct hash record;
	bool marked;
	struct err why;			/* unless marked */
};

/*
 * Leave marks, with one write, of those of n records that the identity may
 * open and can.  why: ERR_NO no such record, erased, not admitted, not sealed
 * for us, content not here yet.  After that reading_unseal opens them.
 */
int reading_mark(struct repo *r, const struct identity *id,
    struct reading *of, size_t n, int64_t now_ms, struct err *e);

/* Open the content in *u, to be ended with unseal_close; it was marked. */
int reading_unseal(struct unseal *u, struct repo *r,
    const struct identity *id, const struct hash *record, struct err *e);

/* Both, for one; nothing is released unless it was marked. */
int reading_open(struct unseal *u, struct repo *r, const struct identity *id,
    const struct hash *record, int64_t now_ms, struct err *e);

/*
 * The same, and give the record to sink as it is sealed: header || body, an
 * age file for stock tools.
 */
int reading_sealed(struct repo *r, const struct identity *id,
    const struct hash *record, int64_t now_ms, age_sink *sink, void *arg,
    struct err *e);

/*
 * Search records that the identity may open: those of the filter (whose
 * visible_to is set here) of which the public words or META.json contain each
 * of n words, letter case aside.  fn gets the record and its description.
 * *sealed counts those that could not be looked into (content not here).
 */
typedef int reading_fn(void *arg, const struct lookup_record *rec,
    const struct meta *meta, struct err *e);
int reading_search(struct repo *r, const struct identity *id,
    const struct lookup_filter *f, const char *const *word, size_t n,
    reading_fn *fn, void *arg, size_t *sealed, struct err *e);

#endif
