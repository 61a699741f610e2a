#define _GNU_SOURCE
#include "record/decide.h"

#include <stdlib.h>

#include "ledger/perm.h"
#include "ledger/rules.h"
#include "store/chain.h"

/* A record that waits for this patient. */
struct waiting {
	struct hash id, body;
	char author[HANDLE_LEN + 1];
	struct buf manifest, header;
};

struct decider {
	struct repo *repo;
	const struct identity *id;
	int64_t now_ms;
	struct keyring ring;
	struct pool *pool;
	struct object_batch *headers;
	struct err broken;		/* a kind: why nothing is committed */
	struct waiting *waiting;	/* sorted by id */
	size_t n, cap;
};

/* --- what waits ----------------------------------------------------------- */

static int
collect(void *arg, const struct staged *s, struct span header, struct err *e)
{
	struct decider *d = arg;
	struct waiting *w;

	if (!span_is(s->patient, d->id->name))
		return 0;
	if (d->n == d->cap) {
		size_t cap = d->cap == 0 ? 64 : d->cap * 2;

		w = reallocarray(d->waiting, cap, sizeof(*w));
		if (w == NULL)
			return err_set(e, ERR_SYS, "out of memory");
		d->waiting = w;
		d->cap = cap;
	}
	w = &d->waiting[d->n++];
	w->id = s->id;
	w->body = s->body;
	memcpy(w->author, s->author.p, s->author.n);
	w->author[s->author.n] = '\0';
	buf_init(&w->manifest, STAGED_MAX);
	buf_init(&w->header, AGE_HEADER_MAX);
	buf_add(&w->manifest, s->note.whole.p, s->note.whole.n);
	buf_add(&w->header, header.p, header.n);
	if (buf_check(&w->manifest, "manifest", e) != 0)
		return -1;
	return buf_check(&w->header, "header", e);
}

static int
by_id(const void *a, const void *b)
{
	const struct waiting *x = a, *y = b;

	return memcmp(x->id.b, y->id.b, HASH_LEN);
}

static struct waiting *
find(struct decider *d, const struct hash *id)
{
	struct waiting key = { .id = *id };

	if (d->n == 0)
		return NULL;
	return bsearch(&key, d->waiting, d->n, sizeof(key), by_id);
}

bool
decide_is_staged(struct decider *d, const struct hash *record)
{
	return find(d, record) != NULL;
}

/* --- begin and end -------------------------------------------------------- */

static void
free_all(struct decider *d)
{
	for (size_t i = 0; i < d->n; i++) {
		buf_free(&d->waiting[i].manifest);
		buf_free(&d->waiting[i].header);
	}
	free(d->waiting);
	keyring_wipe(&d->ring);
	free(d);
}

int
decider_open(struct decider **out, struct repo *r, const struct identity *id,
    int64_t now_ms, struct err *e)
{
	struct decider *d = calloc(1, sizeof(*d));

	if (d == NULL)
		return err_set(e, ERR_SYS, "out of memory");
	d->repo = r;
	d->id = id;
	d->now_ms = now_ms;
	d->broken.kind = ERR_NONE;
	if (staging_each(r, collect, d, e) != 0)
		goto fail;
	if (d->n > 0)
		qsort(d->waiting, d->n, sizeof(*d->waiting), by_id);
	if (object_batch_open(&d->headers, r, e) != 0 ||
	    pool_open(&d->pool, r, now_ms, e) != 0 ||
	    keyring_open(&d->ring, r, pool_db(d->pool), id, e) != 0)
		goto fail;
	*out = d;
	return 0;
fail:
	decider_abort(d);
	return -1;
}

int
decider_commit(struct decider *d, struct err *e)
{
	struct object_batch *headers = d->headers;
	int ret;

	if (d->broken.kind != ERR_NONE) {
		*e = d->broken;
		decider_abort(d);
		return -1;
	}
	/* The headers first: a transaction never waits without its own. */
	d->headers = NULL;
	if (object_batch_commit(headers, e) != 0) {
		decider_abort(d);
		return -1;
	}
	ret = pool_commit(d->pool, e);
	free_all(d);
	return ret;
}

void
decider_abort(struct decider *d)
{
	if (d == NULL)
		return;
	object_batch_abort(d->headers);
	pool_abort(d->pool);
	free_all(d);
}

/* --- headers -------------------------------------------------------------- */

struct readers {
	size_t n;
	struct span name[TX_READERS_MAX];
	char text[TX_READERS_MAX][NAME_MAX_LEN + 6];
};

static int
by_name(const void *a, const void *b)
{
	return name_cmp(*(const struct span *)a, *(const struct span *)b);
}

/* Add a reader, unless it is there. */
static int
add_reader(struct readers *l, struct span name, struct err *e)
{
	for (size_t i = 0; i < l->n; i++)
		if (span_eq(l->name[i], name))
			return 0;
	if (!name_is_reader(name))
		return err_set(e, ERR_NO, "%.*s: neither a handle nor "
		    "role:NAME", SPAN_FMT(name));
	if (l->n == TX_READERS_MAX)
		return err_set(e, ERR_NO, "over %d readers", TX_READERS_MAX);
	memcpy(l->text[l->n], name.p, name.n);
	l->name[l->n] = span_of(l->text[l->n], name.n);
	l->n++;
	return 0;
}

static int
add_present(void *arg, struct span reader, struct err *e)
{
	return add_reader(arg, reader, e);
}

/* The sealing key of one reader.  1, or 0: a role without a key, or -1. */
static int
key_of(struct decider *d, struct span name, struct seal_pub *out,
    struct err *e)
{
	struct lookup_role role;
	struct lookup_user user;
	struct span of;
	int ret;

	if (name_reader_role(name, &of)) {
		ret = lookup_role(&role, pool_db(d->pool), of, e);
		if (ret == 1 && (role.perms & PERM_LIBRARY) == 0)
			return err_set(e, ERR_NO, "%.*s: a role that opens no "
			    "records", SPAN_FMT(name));
		if (ret == 1 && role.generation == 0)
			return 0;
		*out = role.seal;
	} else {
		ret = lookup_user(&user, pool_db(d->pool), name, e);
		*out = user.seal;
	}
	if (ret == 0)
		return err_set(e, ERR_NO, "%.*s: no such user or role",
		    SPAN_FMT(name));
	return ret;
}

/* Make the header that wraps key for the patient and the readers. */
static int
make_header(struct buf *bytes, struct decider *d, const struct age_key *key,
    const struct readers *l, bool *unkeyed, struct err *e)
{
	struct seal_pub to[TX_READERS_MAX + 1];
	size_t n = 1;
	int ret = seal_public(&to[0], &d->id->seal[0], e);

	for (size_t i = 0; i < l->n && ret == 0; i++) {
		int found = key_of(d, l->name[i], &to[n], e);

		if (found < 0)
			ret = -1;
		else if (found > 0)
			n++;
		else
			*unkeyed = true;
	}
	return ret == 0 ? age_header_make(bytes, key, to, n, e) : -1;
}

/*
 * Sign the transaction that names this header, and add both.  The header comes
 * second, so that one that the rules refuse leaves none; should it fail then,
 * nothing of the whole is committed.
 */
static int
submit_header(struct decider *d, struct tx *tx, const struct buf *header,
    struct hash *txid, struct err *e)
{
	hash_bytes(&tx->header, header->p, header->len);
	if (submit_tx(d->pool, d->id, tx, d->now_ms, txid, e) != 0)
		return -1;
	if (object_batch_add(d->headers, buf_span(header), NULL, e) == 0)
		return 0;
	d->broken = *e;
	return -1;
}

static void
set_readers(struct tx *tx, const struct readers *l)
{
	tx->nreaders = l->n;
	memcpy(tx->reader, l->name, l->n * sizeof(l->name[0]));
	if (l->n > 0)
		qsort(tx->reader, l->n, sizeof(tx->reader[0]), by_name);
}

/* --- decisions ------------------------------------------------------------ */

static int
need_authorize(struct decider *d, struct err *e)
{
	if ((d->ring.perms & PERM_AUTHORIZE) != 0)
		return 0;
	return err_set(e, ERR_NO, "%s may not do this: permission \"%s\" is "
	    "missing", d->id->name, perm_name(PERM_AUTHORIZE));
}

/* Whose record it is and who signed it, whatever the disk has done to it. */
static int
check_doctor(struct decider *d, const struct waiting *w, struct err *e)
{
	struct state_view v;
	struct staged s;

	if (staged_parse(&s, buf_span(&w->manifest), repo_ledger(d->repo),
	    e) != 0)
		return -1;
	state_view_init(&v, d->repo, pool_db(d->pool));
	return rules_check_staged(&v.v, &s, d->now_ms, e);
}

/*
 * The key of a record that waits.  Nobody authorizes what cannot be opened:
 * age binds no body to a header, so a body that is another's, or none, would
 * otherwise pass.
 */
static int
open_waiting(struct decider *d, const struct waiting *w, struct age_key *key,
    struct err *e)
{
	struct meta meta = { .root = NULL };
	struct unseal u;
	int ret;

	if (check_doctor(d, w, e) != 0)
		return -1;
	if (unseal_key_of(key, buf_span(&w->header), &d->ring, e) != 0)
		return -1;
	ret = unseal_open(&u, d->repo, &w->body, key, e);
	if (ret == 0) {
		ret = payload_read_meta(&meta, unseal_read, &u, e);
		meta_free(&meta);
		unseal_close(&u);
	} else if (e->kind == ERR_NO)
		err_set(e, ERR_AGAIN, "its content is not here yet");
	if (ret != 0)
		hash_wipe(key, sizeof(*key));
	return ret;
}

int
decide_authorize(struct decider *d, const struct hash *record,
    const struct span *reader, size_t n, struct hash *txid, bool *unkeyed,
    struct err *e)
{
	struct waiting *w = find(d, record);
	struct readers l = { .n = 0 };
	struct tx tx = { .kind = TX_AUTHORIZE, .record = *record };
	struct buf header = BUF_INIT(AGE_HEADER_MAX);
	struct age_key key;
	bool keyless = false;
	int ret = 0;

	if (need_authorize(d, e) != 0)
		return -1;
	if (w == NULL)
		return err_set(e, ERR_NO, "no such record waits for you");
	for (size_t i = 0; i < n && ret == 0; i++)
		ret = add_reader(&l, reader[i], e);
	if (n == 0) {
		ret = add_reader(&l, span_str(w->author), e);
		if (ret == 0)
			ret = add_reader(&l, span_str("role:doctor"), e);
	}
	if (ret != 0 || open_waiting(d, w, &key, e) != 0)
		return -1;
	ret = make_header(&header, d, &key, &l, &keyless, e);
	hash_wipe(&key, sizeof(key));
	if (ret == 0) {
		set_readers(&tx, &l);
		tx.manifest = w->manifest;	/* lent */
		ret = submit_header(d, &tx, &header, txid, e);
	}
	if (ret == 0 && keyless && unkeyed != NULL)
		*unkeyed = true;
	buf_free(&header);
	return ret;
}

int
decide_reject(struct decider *d, const struct hash *record, struct hash *txid,
    struct err *e)
{
	struct tx tx = { .kind = TX_REJECT, .record = *record };

	if (need_authorize(d, e) != 0)
		return -1;
	if (find(d, record) == NULL)
		return err_set(e, ERR_NO, "no such record waits for you");
	return submit_tx(d->pool, d->id, &tx, d->now_ms, txid, e);
}

/* Those admitted now, and then the readers of the transaction. */
static int
readers_after(struct decider *d, bool grant, const struct hash *record,
    const struct readers *change, struct readers *after, struct err *e)
{
	struct readers now = { .n = 0 };

	if (lookup_readers(pool_db(d->pool), record, add_present, &now,
	    e) != 0)
		return -1;
	for (size_t i = 0; i < now.n; i++) {
		bool named = false;

		for (size_t k = 0; k < change->n; k++)
			named = named || span_eq(change->name[k], now.name[i]);
		if ((grant || !named) &&
		    add_reader(after, now.name[i], e) != 0)
			return -1;
	}
	for (size_t k = 0; grant && k < change->n; k++)
		if (add_reader(after, change->name[k], e) != 0)
			return -1;
	return 0;
}

int
decide_readers(struct decider *d, bool grant, const struct hash *record,
    const struct span *reader, size_t n, struct hash *txid, struct err *e)
{
	struct readers change = { .n = 0 }, after = { .n = 0 };
	struct tx tx = { .kind = grant ? TX_GRANT : TX_WITHDRAW,
	    .record = *record };
	struct buf header = BUF_INIT(AGE_HEADER_MAX);
	struct lookup_record rec;
	struct age_key key;
	bool unkeyed = false;
	int ret;

	if (need_authorize(d, e) != 0)
		return -1;
	ret = lookup_record(&rec, pool_db(d->pool), record, e);
	/* Of another patient's: not even that it exists. */
	if (ret == 0 || (ret == 1 && strcmp(rec.patient, d->id->name) != 0))
		return err_set(e, ERR_NO, "you have no such record");
	if (ret == 1 && rec.status != RECORD_AUTHORIZED)
		return err_set(e, ERR_NO, "the record was %s",
		    rec.status == RECORD_ERASED ? "erased" : "rejected");
	for (size_t i = 0; i < n && ret == 1; i++)
		if (add_reader(&change, reader[i], e) != 0)
			ret = -1;
	if (ret < 0 || readers_after(d, grant, record, &change, &after,
	    e) != 0 || unseal_key(&key, d->repo, &rec.header, &d->ring,
	    e) != 0)
		return -1;
	ret = make_header(&header, d, &key, &after, &unkeyed, e);
	hash_wipe(&key, sizeof(key));
	if (ret == 0 && grant && unkeyed)
		ret = err_set(e, ERR_AGAIN, "a role that is admitted has no "
		    "key yet: one of its members must run a command first");
	if (ret == 0) {
		set_readers(&tx, &change);
		ret = submit_header(d, &tx, &header, txid, e);
	}
	buf_free(&header);
	return ret;
}

int
decide_erase(struct decider *d, const struct hash *record, const char *reason,
    struct hash *txid, struct err *e)
{
	struct tx tx = { .kind = TX_ERASE, .record = *record,
	    .reason = span_str(reason) };

	if (!name_is_erase_reason(tx.reason))
		return err_set(e, ERR_NO, "\"%s\" is not a reason; see "
		    "ehr-authorize(1)", reason);
	return submit_tx(d->pool, d->id, &tx, d->now_ms, txid, e);
}
