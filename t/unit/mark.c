/*
 * mark: who has read a record leaves a mark on the ledger, whatever is
 * withdrawn, revoked or erased before a block takes it.
 */
#define _GNU_SOURCE
#include "post.h"

#include "store/lookup.h"

static struct err e;
static struct post p;
static struct hash record;

/* A block of what waits at hospital i, taken by the other of the two. */
static void
block(unsigned i)
{
	struct buf text = BUF_INIT(CHAIN_FILE_MAX);

	post_block(&p, i, &text);
	CHECK(accept_block(p.f.r[1 - i], buf_span(&text), false,
	    clock_now_ms(), &e) == 0);
	buf_free(&text);
}

static int
count(void *arg, const struct lookup_tx *t, struct err *err)
{
	(void)err;
	if (strcmp(t->kind, "access") == 0)
		++*(unsigned *)arg;
	return 0;
}

/* How many marks the ledger of hospital 1 has. */
static unsigned
marks(void)
{
	unsigned n = 0;
	struct db *db;

	CHECK(db_of(&db, p.f.r[1], &e) == 0);
	CHECK(lookup_accesses(db, &record, count, &n, &e) == 0);
	return n;
}

/* May Kun open the record, and could he ever? */
static bool
kun(bool opens, bool opened)
{
	struct span name = span_str(p.kun.name);
	struct state_view v;
	struct db *db;

	CHECK(db_of(&db, p.f.r[0], &e) == 0);
	state_view_init(&v, p.f.r[0], db);
	return v.v.opens(v.v.arg, &record, name, &e) == opens &&
	    v.v.opened(v.v.arg, &record, name, &e) == opened;
}

static void
submit(unsigned i, enum tx_kind kind, const struct identity *author)
{
	static unsigned headers;
	struct tx tx = { .kind = kind, .record = record };
	char words[32];

	if (kind == TX_GRANT || kind == TX_WITHDRAW) {
		snprintf(words, sizeof(words), "header %u", headers++);
		little_object(&tx.header, words);
		tx.reader[tx.nreaders++] = span_str("role:doctor");
	}
	if (kind == TX_ERASE)
		tx.reason = span_str("patient-request");
	if (kind == TX_ROLE_REVOKE || kind == TX_ROLE_GRANT) {
		tx.user = span_str(p.kun.name);
		tx.role = span_str("doctor");
	}
	post_submit(&p, i, &tx, author);
}

/* Kun reads at hospital 0, while at the other this comes to a block. */
static void
meanwhile(enum tx_kind kind, const struct identity *author)
{
	unsigned before = marks();
	size_t n;

	submit(0, TX_ACCESS, &p.kun);
	submit(1, kind, author);
	block(1);
	CHECK(pool_count(p.f.r[0], &n, &e) == 0 && n == 1);
	block(0);
	CHECK(pool_count(p.f.r[0], &n, &e) == 0 && n == 0);
	CHECK(marks() == before + 1);
}

int
main(void)
{
	struct hash header;

	scratch_open();
	post_open(&p);
	block(0);
	CHECK(kun(false, false));
	post_stage(&p, 0, 10, 1, &record);
	post_authorize(&p, 0, &record, &header);
	block(0);
	CHECK(kun(true, true));
	meanwhile(TX_WITHDRAW, &p.bill);
	CHECK(kun(false, true));
	submit(1, TX_GRANT, &p.bill);
	block(1);
	CHECK(kun(true, true));
	meanwhile(TX_ROLE_REVOKE, &p.f.admin);
	CHECK(kun(false, true));
	submit(1, TX_ROLE_GRANT, &p.f.admin);
	block(1);
	CHECK(kun(true, true));
	meanwhile(TX_ERASE, &p.bill);
	post_close(&p);
	scratch_close();
	return check_done("mark");
}
