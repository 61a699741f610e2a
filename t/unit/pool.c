/*
 * pool: what waits for a block, by its index: added without a look at all that
 * waits, asked about again when a block came, made again from the segments.
 */
#define _GNU_SOURCE
#include "post.h"

#include "store/work.h"

static struct err e;
static struct post p;
static struct buf sealed = BUF_INIT(CHAIN_FILE_MAX);

/* Bill rejects a record; every note is another one. */
static void
reject(struct buf *note, const struct hash *record)
{
	struct buf text = BUF_INIT(TX_MAX);
	struct tx tx = { .kind = TX_REJECT, .record = *record };
	static int64_t later;

	tx.time_ms = clock_now_ms() + ++later;
	tx.author = span_str(p.bill.name);
	tx_text(&text, &tx, repo_ledger(p.f.r[0]));
	buf_init(note, TX_MAX);
	little_ok(identity_sign(note, buf_span(&text), &p.bill, &e));
	buf_free(&text);
}

/* Add it at hospital i, alone: as pool_add; *fresh may be NULL. */
static int
add(unsigned i, const struct buf *note, bool *fresh)
{
	struct pool *pool;
	int ret;

	little_ok(pool_open_add(&pool, p.f.r[i], clock_now_ms(), &e));
	ret = pool_add(pool, buf_span(note), false, NULL, fresh, &e);
	if (ret == 0)
		little_ok(pool_commit(pool, &e));
	else
		pool_abort(pool);
	return ret;
}

static int
count_row(void *arg, const struct pool_row *row, struct err *err)
{
	(void)row, (void)err;
	++*(size_t *)arg;
	return 0;
}

/* How many wait at h0, how many of these stand, is there work for a block? */
static bool
waiting(size_t all, size_t standing, bool work)
{
	size_t n = 0, stand = 0;
	int64_t since;
	int got;

	CHECK(pool_count(p.f.r[0], &n, &e) == 0);
	CHECK(pool_standing(p.f.r[0], clock_now_ms(), NULL, count_row, &stand,
	    &e) == 0);
	got = work_waits(&since, p.f.r[0], clock_now_ms(), &e);
	if (n != all || stand != standing || got != work)
		printf("%zu wait, %zu stand, work %d\n", n, stand, got);
	return n == all && stand == standing && got == work;
}

/* Put the segments that wait at h1 among those of h0. */
static void
carry_over(void)
{
	struct fs_names l;
	char from[128], to[128];

	CHECK(fs_list(&l, p.f.r[1]->dirfd, POOL_DIR, &e) == 0);
	for (size_t i = 0; i < l.n; i++) {
		snprintf(from, sizeof(from), "h1/.ehr/pending/%.60s",
		    l.name[i]);
		snprintf(to, sizeof(to), "h0/.ehr/pending/%.60s", l.name[i]);
		CHECK(rename(from, to) == 0);
	}
	fs_names_free(&l);
}

/* A block of what waits at h0, for both. */
static void
next_block(void)
{
	buf_reset(&sealed);
	post_block(&p, 0, &sealed);
	CHECK(accept_block(p.f.r[1], buf_span(&sealed), false, clock_now_ms(),
	    &e) == 0);
}

/* --- the tests ------------------------------------------------------------ */

/* The users wait, too, and what they do is accepted on that. */
static void
on_what_waits(const struct hash *record)
{
	struct buf one, two;
	bool fresh;

	CHECK(waiting(2, 2, true));
	reject(&one, record);
	reject(&two, record);
	CHECK(add(0, &one, &fresh) == 0 && fresh);
	CHECK(waiting(3, 3, true));
	/* The same again waits already; another of that record is too late. */
	CHECK(add(0, &one, &fresh) == 0 && !fresh);
	CHECK(add(0, &two, NULL) == -1 && e.kind == ERR_NO);
	CHECK(strstr(e.msg, "rejected already") != NULL);
	CHECK(waiting(3, 3, true));
	buf_free(&one);
	buf_free(&two);
}

/* Of several that are added together, those about one record see each other;
 * there are enough for the table to grow. */
static void
together(const struct hash *record)
{
	struct buf note[200], again;
	struct pool *pool;
	struct hash other;
	bool fresh;

	little_ok(pool_open_add(&pool, p.f.r[0], clock_now_ms(), &e));
	for (size_t i = 0; i < 200; i++) {
		hash_bytes(&other, &i, sizeof(i));
		other.b[0] = 7;		/* they meet in the table */
		reject(&note[i], i == 100 ? record : &other);
		CHECK(pool_add(pool, buf_span(&note[i]), false, NULL, &fresh,
		    &e) == 0 && fresh);
	}
	reject(&again, record);
	CHECK(pool_add(pool, buf_span(&again), false, NULL, NULL, &e) == -1);
	CHECK(strstr(e.msg, "rejected already") != NULL);
	CHECK(pool_add(pool, buf_span(&note[100]), false, NULL, &fresh,
	    &e) == 0 && !fresh);
	pool_abort(pool);
	for (size_t i = 0; i < 200; i++)
		buf_free(&note[i]);
	buf_free(&again);
}

static void
made_again(size_t n)
{
	CHECK(unlink("h0/.ehr/state.db") == 0);
	unlink("h0/.ehr/state.db-wal");
	unlink("h0/.ehr/state.db-shm");
	repo_close(p.f.r[0]);
	little_ok(repo_open(&p.f.r[0], "h0", &e));
	CHECK(waiting(n, n, true));
}

/* Two that cannot both stand; which of them does is for the older to say. */
static void
rivals(const struct hash *record)
{
	struct buf here, there;

	reject(&here, record);
	reject(&there, record);
	CHECK(add(0, &here, NULL) == 0);
	usleep(2000);
	CHECK(add(1, &there, NULL) == 0);
	carry_over();
	CHECK(waiting(2, 1, true));
	CHECK(waiting(2, 1, true));
	next_block();
	CHECK(waiting(1, 0, false));
	buf_free(&here);
	buf_free(&there);
}

/* What waits here was verified when it came, and is not again. */
static void
verified_once(const struct hash *record)
{
	struct buf content = BUF_INIT(BLOCK_CONTENT_MAX), note, bad;
	struct segment_writer *w;
	char name[SEGMENT_NAME_LEN];

	/* The signature of something else. */
	reject(&note, record);
	reject(&bad, record);
	memcpy(bad.p + bad.len - 80, note.p + note.len - 80, 80);
	CHECK(add(0, &bad, NULL) == -1);
	CHECK(strstr(e.msg, "does not verify") != NULL);
	little_ok(segment_open(&w, p.f.r[0]->dirfd, POOL_DIR, "pending", &e));
	little_ok(segment_add(w, buf_span(&bad), NULL, NULL, &e));
	little_ok(segment_commit(w, name, &e));
	CHECK(propose_block(&content, p.f.r[0], p.f.node[0].name,
	    clock_now_ms(), NULL, &e) == 0);
	CHECK(chain_check(p.f.r[0], buf_span(&content), clock_now_ms(),
	    &e) == 0);
	CHECK(chain_check(p.f.r[1], buf_span(&content), clock_now_ms(),
	    &e) == -1);
	CHECK(strstr(e.msg, "does not verify") != NULL);
	buf_free(&note);
	buf_free(&bad);
	buf_free(&content);
}

/* What early says of a note of Bill's, with that key: 1, 0, -1. */
static int
said(const struct early *x, const struct buf *note, const struct identity *who)
{
	struct sign_pub pub;
	struct tx tx;
	int got;

	little_ok(tx_parse(&tx, buf_span(note), repo_ledger(p.f.r[0]), &e));
	sign_public(&pub, who->sign);
	got = early_said(x, &tx.note, tx.author, &pub);
	tx_free(&tx);
	return got;
}

/* Signatures are verified before the pool is open: good, bad, not asked. */
static void
verified_early(const struct hash *record)
{
	struct buf note[40], bad, other;
	struct early *x;
	struct pool *pool;
	struct tx tx;

	little_ok(early_open(&x, p.f.r[0], &e));
	for (size_t i = 0; i < 40; i++)
		reject(&note[i], record);
	reject(&bad, record);
	reject(&other, record);
	memcpy(bad.p + bad.len - 80, note[0].p + note[0].len - 80, 80);
	for (size_t i = 0; i <= 40; i++) {
		little_ok(tx_parse(&tx, buf_span(i < 40 ? &note[i] : &bad),
		    repo_ledger(p.f.r[0]), &e));
		CHECK(early_add(x, &tx, &e) == 0);
		tx_free(&tx);
	}
	CHECK(said(x, &note[0], &p.bill) == -1);
	CHECK(early_verify(x, &e) == 0);
	for (size_t i = 0; i < 40; i++)
		CHECK(said(x, &note[i], &p.bill) == 1);
	CHECK(said(x, &bad, &p.bill) == 0 && said(x, &other, &p.bill) == -1);
	CHECK(said(x, &note[0], &p.f.admin) == -1);
	little_ok(pool_open_add(&pool, p.f.r[0], clock_now_ms(), &e));
	pool_early(pool, x);
	CHECK(pool_add(pool, buf_span(&bad), false, NULL, NULL, &e) == -1);
	CHECK(strstr(e.msg, "does not verify") != NULL);
	CHECK(pool_add(pool, buf_span(&note[0]), false, NULL, NULL, &e) == 0);
	pool_abort(pool);
	early_free(x);
	for (size_t i = 0; i < 40; i++)
		buf_free(&note[i]);
	buf_free(&bad);
	buf_free(&other);
}

/* A byte that turns after the segment was read. */
static void
damaged(const struct hash *record)
{
	struct buf note, found = BUF_INIT(TX_MAX);
	struct fs_names l;
	struct hash id;
	char path[128];
	FILE *f;

	reject(&note, record);
	hash_bytes(&id, note.p, note.len);
	CHECK(add(0, &note, NULL) == 0);
	CHECK(waiting(2, 1, true));
	CHECK(pool_find(&found, p.f.r[0], &id, &e) == 0);
	CHECK(span_eq(buf_span(&found), buf_span(&note)));
	CHECK(fs_list(&l, p.f.r[0]->dirfd, POOL_DIR, &e) == 0 && l.n == 2);
	snprintf(path, sizeof(path), "h0/.ehr/pending/%.60s", l.name[1]);
	f = fopen(path, "r+");
	CHECK(f != NULL && fseek(f, 200, SEEK_SET) == 0);
	CHECK(fputc('#', f) == '#' && fclose(f) == 0);
	CHECK(pool_find(&found, p.f.r[0], &id, &e) == -1);
	CHECK(e.kind == ERR_NO);
	CHECK(scratch_entries("h0/.ehr/quarantine") == 1);
	CHECK(waiting(1, 0, false));
	fs_names_free(&l);
	buf_free(&found);
	buf_free(&note);
}

int
main(void)
{
	struct hash record[4];

	scratch_open();
	post_open(&p);
	for (unsigned i = 0; i < 4; i++)
		hash_bytes(&record[i], &i, sizeof(i));
	together(&record[0]);
	on_what_waits(&record[0]);
	made_again(3);
	next_block();
	CHECK(waiting(0, 0, false));
	CHECK(scratch_entries("h0/.ehr/pending") == 0);
	rivals(&record[1]);
	verified_early(&record[2]);
	damaged(&record[2]);
	verified_once(&record[3]);
	post_close(&p);
	buf_free(&sealed);
	scratch_close();
	return check_done("pool");
}
