#define _GNU_SOURCE
#include "record/reading.h"

#include <stdlib.h>
#include <strings.h>

/* The rule that the access transaction will have to pass, in plain words. */
static int
check_admitted(struct repo *r, struct db *db, const struct identity *id,
    const struct lookup_record *rec, struct err *e)
{
	struct state_view v;
	int ret;

	if (strcmp(rec->patient, id->name) == 0)
		return 0;
	state_view_init(&v, r, db);
	ret = v.v.opens(v.v.arg, &rec->id, span_str(id->name), e);
	if (ret < 0)
		return -1;
	return ret == 1 ? 0 : err_set(e, ERR_NO,
	    "its patient has not admitted you");
}

/* Whether the key ring opens the record now; its file key. */
static int
find_key(struct age_key *key, struct lookup_record *rec, struct repo *r,
    struct db *db, const struct identity *id, const struct hash *record,
    struct err *e)
{
	struct keyring *k = malloc(sizeof(*k));
	int ret;

	if (k == NULL)
		return err_set(e, ERR_SYS, "out of memory");
	ret = keyring_open(k, r, db, id, e);
	if (ret == 0 && (ret = lookup_record(rec, db, record, e)) == 0)
		ret = err_set(e, ERR_NO, "no such record on the ledger");
	else if (ret == 1)
		ret = 0;
	if (ret == 0 && rec->status == RECORD_ERASED)
		ret = err_set(e, ERR_NO, "the record was erased");
	else if (ret == 0 && rec->status != RECORD_AUTHORIZED)
		ret = err_set(e, ERR_NO, "no such record on the ledger");
	if (ret == 0)
		ret = check_admitted(r, db, id, rec, e);
	if (ret == 0)
		ret = unseal_key(key, r, &rec->header, k, e);
	keyring_wipe(k);
	free(k);
	return ret;
}

/* Could it be opened, were it not for the mark? */
static int
check_one(struct repo *r, struct db *db, const struct identity *id,
    const struct hash *record, struct err *e)
{
	struct lookup_record rec;
	struct age_key key;
	int ret = find_key(&key, &rec, r, db, id, record, e);

	hash_wipe(&key, sizeof(key));
	if (ret != 0)
		return -1;
	ret = object_has(r, &rec.body, e);
	if (ret < 0)
		return -1;
	return ret == 1 ? 0 : err_set(e, ERR_NO,
	    "its content is not here (yet)");
}

/* What one of many came to; -1 only when the system refused. */
static int
judge(struct reading *of, int ret, const struct err *e)
{
	of->marked = ret == 0;
	if (ret != 0)
		of->why = *e;
	return ret != 0 && e->kind == ERR_SYS ? -1 : 0;
}

int
reading_mark(struct repo *r, const struct identity *id, struct reading *of,
    size_t n, int64_t now_ms, struct err *e)
{
	struct pool *p;
	struct db *db;
	size_t good = 0;

	if (db_of(&db, r, e) != 0)
		return -1;
	for (size_t i = 0; i < n; good += of[i++].marked)
		if (judge(&of[i], check_one(r, db, id, &of[i].record, e),
		    e) != 0)
			return -1;
	if (good == 0)
		return 0;
	if (pool_open(&p, r, now_ms, e) != 0)
		return -1;
	for (size_t i = 0; i < n; i++) {
		struct tx tx = { .kind = TX_ACCESS, .record = of[i].record };

		if (of[i].marked && judge(&of[i], submit_tx(p, id, &tx,
		    now_ms, NULL, e), e) != 0) {
			pool_abort(p);
			return -1;
		}
	}
	return pool_commit(p, e);
}

int
reading_unseal(struct unseal *u, struct repo *r, const struct identity *id,
    const struct hash *record, struct err *e)
{
	struct lookup_record rec;
	struct age_key key;
	struct db *db;
	int ret;

	if (db_of(&db, r, e) != 0 ||
	    find_key(&key, &rec, r, db, id, record, e) != 0)
		return -1;
	ret = unseal_open(u, r, &rec.body, &key, e);
	hash_wipe(&key, sizeof(key));
	return ret;
}

int
reading_open(struct unseal *u, struct repo *r, const struct identity *id,
    const struct hash *record, int64_t now_ms, struct err *e)
{
	struct reading of = { .record = *record };

	if (reading_mark(r, id, &of, 1, now_ms, e) != 0)
		return -1;
	if (!of.marked) {
		*e = of.why;
		return -1;
	}
	return reading_unseal(u, r, id, record, e);
}

/* Header, then body; both are at hand, and the mark was left. */
static int
send_sealed(struct repo *r, const struct lookup_record *rec, age_sink *sink,
    void *arg, struct err *e)
{
	struct buf header = BUF_INIT(AGE_HEADER_MAX);
	struct object_file body;
	char part[AGE_CHUNK];
	long n = -1;
	int ret = object_read(&header, r, &rec->header, e);

	if (ret == 0)
		ret = object_open(&body, r, &rec->body, e);
	if (ret == 0) {
		ret = sink(arg, header.p, header.len, e);
		while (ret == 0 && (n = object_file_read(&body, part,
		    sizeof(part), e)) > 0)
			ret = sink(arg, part, (size_t)n, e);
		object_file_close(&body);
		if (n < 0)
			ret = -1;
	}
	buf_free(&header);
	return ret;
}

int
reading_sealed(struct repo *r, const struct identity *id,
    const struct hash *record, int64_t now_ms, age_sink *sink, void *arg,
    struct err *e)
{
	struct lookup_record rec;
	struct unseal u;
	struct db *db;

	if (reading_open(&u, r, id, record, now_ms, e) != 0)
		return -1;
	unseal_close(&u);
	if (db_of(&db, r, e) != 0 ||
	    lookup_record(&rec, db, record, e) != 1)
		return -1;
	return send_sealed(r, &rec, sink, arg, e);
}

/* --- search --------------------------------------------------------------- */

/* Records that are looked up together; a walk must not start another. */
#define PAGE 256

struct page {
	size_t n;
	struct lookup_record rec[PAGE];
};

static int
collect(void *arg, const struct lookup_record *rec, struct err *e)
{
	struct page *p = arg;

	(void)e;
	p->rec[p->n++] = *rec;
	return 0;
}

/* ASCII letters fold; other bytes must be the same. */
static bool
contains(struct span text, const char *word)
{
	size_t n = strlen(word);

	for (size_t i = 0; i + n <= text.n; i++)
		if (strncasecmp((const char *)text.p + i, word, n) == 0)
			return true;
	return false;
}

static int
field_has(void *arg, const char *key, struct span value)
{
	(void)key;
	return contains(value, arg);
}

static bool
matches(const struct lookup_record *rec, const struct meta *m,
    const char *word)
{
	struct meta_file f;

	if (contains(m->description, word) ||
	    contains(span_str(rec->label), word) ||
	    contains(span_str(rec->patient), word) ||
	    contains(span_str(rec->author), word))
		return true;
	for (size_t i = 0; i < m->nfiles; i++) {
		meta_file(&f, m, i);
		if (contains(f.name, word) || contains(f.type, word) ||
		    meta_fields(&f, field_has, (void *)(uintptr_t)word) != 0)
			return true;
	}
	return false;
}

static int
look_into(struct repo *r, const struct keyring *k,
    const struct lookup_record *rec, const char *const *word, size_t n,
    reading_fn *fn, void *arg, size_t *sealed, struct err *e)
{
	static const struct span none = { NULL, 0 };
	struct meta m = { .root = NULL };
	bool all = true;
	int ret = 0;

	if (unseal_meta(&m, r, &rec->body, &rec->header, none, k, e) != 0) {
		if (e->kind == ERR_SYS)
			return -1;
		++*sealed;
		return 0;
	}
	for (size_t i = 0; i < n && all; i++)
		all = matches(rec, &m, word[i]);
	if (all)
		ret = fn(arg, rec, &m, e);
	meta_free(&m);
	return ret;
}

/* What a search needs; large. */
struct search {
	struct keyring ring;
	struct page page;
};

/* Page by page, so that memory does not grow with the ledger. */
static int
search_all(struct search *q, struct repo *r, struct db *db,
    struct lookup_filter *f, const char *const *word, size_t n,
    reading_fn *fn, void *arg, size_t *sealed, struct err *e)
{
	struct lookup_record last;
	int ret;

	f->limit = PAGE;
	do {
		q->page.n = 0;
		ret = lookup_records(db, f, collect, &q->page, e);
		for (size_t i = 0; i < q->page.n && ret == 0; i++)
			ret = look_into(r, &q->ring, &q->page.rec[i], word, n,
			    fn, arg, sealed, e);
		if (q->page.n > 0)
			last = q->page.rec[q->page.n - 1];
		f->after = &last;
	} while (ret == 0 && q->page.n == PAGE);
	return ret < 0 ? -1 : 0;
}

int
reading_search(struct repo *r, const struct identity *id,
    const struct lookup_filter *filter, const char *const *word, size_t n,
    reading_fn *fn, void *arg, size_t *sealed, struct err *e)
{
	struct search *q = malloc(sizeof(*q));
	struct lookup_filter f = *filter;
	struct db *db;
	int ret;

	*sealed = 0;
	if (q == NULL)
		return err_set(e, ERR_SYS, "out of memory");
	f.visible_to = id->name;
	ret = db_of(&db, r, e);
	if (ret == 0)
		ret = keyring_open(&q->ring, r, db, id, e);
	if (ret == 0)
		ret = search_all(q, r, db, &f, word, n, fn, arg, sealed, e);
	keyring_wipe(&q->ring);
	free(q);
	return ret;
}
