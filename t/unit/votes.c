/* votes: the journal keeps what it acknowledged, drops what a crash tore, and
 * refuses what was damaged. */
#define _GNU_SOURCE
#include "scratch.h"

#include <sys/resource.h>

#include "store/bodies.h"
#include "store/votes.h"

#define JOURNAL "x/.ehr/consensus/journal"

static struct repo *r;

static void
fresh(void)
{
	struct err e;

	repo_close(r);
	scratch_remove("x");
	scratch_ledger("x");
	CHECK(repo_open(&r, "x", &e) == 0);
}

static int
add(struct votes *v, uint64_t height, const char *text)
{
	struct err e;

	if (votes_append(v, height, span_str(text), &e) != 0)
		return -1;
	return votes_sync(v, &e);
}

/* Open and lock: the handle, or NULL and *e. */
static struct votes *
locked(struct err *e)
{
	struct votes *v;

	e->kind = ERR_NONE;
	CHECK(votes_open(&v, r, e) == 0);
	if (votes_lock(v, 0, e) == 0)
		return v;
	votes_close(v);
	return NULL;
}

static void
fill(unsigned n)
{
	struct err e;
	struct votes *v = locked(&e);
	char text[64];

	CHECK(v != NULL);
	for (unsigned i = 0; i < n; i++) {
		snprintf(text, sizeof(text), "entry\t%u", i);
		CHECK(add(v, i / 2 + 1, text) == 0);
	}
	votes_close(v);
}

static bool
says(const struct votes *v, size_t i, uint64_t height, const char *text)
{
	struct votes_entry x = votes_get(v, i);

	return x.height == height && span_is(x.text, text);
}

static void
test_entries(void)
{
	struct hash last;
	struct votes *v;
	struct err e;

	fresh();
	v = locked(&e);
	CHECK(v != NULL && votes_count(v) == 0 && votes_floor(v) == 0);
	CHECK(add(v, 7, "one") == 0 && add(v, 7, "zwei \xc3\xa4\t\ttabs") == 0);
	CHECK(add(v, 8, "floor") == 0);
	last = votes_last(v);
	CHECK(votes_count(v) == 3 && votes_floor(v) == 8);
	votes_close(v);

	v = locked(&e);
	CHECK(v != NULL && votes_count(v) == 3 && votes_floor(v) == 8);
	CHECK(says(v, 0, 7, "one") && says(v, 1, 7, "zwei \xc3\xa4\t\ttabs"));
	CHECK(says(v, 2, 8, "floor"));
	CHECK(memcmp(&last, votes_last(v).b, HASH_LEN) == 0);
	last = votes_hash(v, 2);
	CHECK(memcmp(&last, votes_last(v).b, HASH_LEN) == 0);
	votes_close(v);
}

/* Two handles, as two processes: one at a time, and each sees the other's. */
static void
test_lock(void)
{
	struct votes *a, *b;
	struct err e;

	fresh();
	a = locked(&e);
	CHECK(a != NULL && add(a, 1, "by a") == 0);
	CHECK(votes_open(&b, r, &e) == 0);
	CHECK(votes_lock(b, 20, &e) == -1 && e.kind == ERR_AGAIN);
	votes_unlock(a);
	CHECK(votes_lock(b, 20, &e) == 0 && votes_count(b) == 1);
	CHECK(add(b, 1, "by b") == 0);
	votes_unlock(b);
	CHECK(votes_lock(a, 0, &e) == 0 && votes_count(a) == 2);
	CHECK(says(a, 1, 1, "by b"));
	votes_close(a);
	votes_close(b);
}

/* Cut the file after each byte: what is left of the last line goes. */
static void
test_torn(void)
{
	struct buf whole = BUF_INIT(1u << 20);
	size_t lines[8], n = 0, at = 0;
	struct votes *v;
	struct err e;

	fresh();
	fill(3);
	CHECK(fs_read(&whole, AT_FDCWD, JOURNAL, &e) == 0);
	for (size_t i = 0; i < whole.len; i++)
		if (whole.p[i] == '\n')
			lines[n++] = i + 1;
	CHECK(n == 4);
	for (size_t cut = lines[0]; cut <= whole.len; cut++) {
		bool newline = cut + 1 == lines[1] || cut + 1 == lines[2] ||
		    cut + 1 == lines[3];

		while (at + 1 < n && lines[at + 1] <= cut)
			at++;
		scratch_write(JOURNAL, whole.p, cut);
		v = locked(&e);
		/* A line that is whole but for its newline was not torn. */
		CHECK((v == NULL) == newline);
		if (v == NULL) {
			CHECK(e.kind == ERR_BAD);
			continue;
		}
		CHECK(votes_count(v) == at);
		if (cut % 9 != 0) {
			votes_close(v);
			continue;
		}
		CHECK(add(v, 9, "after") == 0);
		votes_close(v);
		v = locked(&e);
		CHECK(v != NULL && votes_count(v) == at + 1 &&
		    says(v, at, 9, "after"));
		votes_close(v);
	}
	buf_free(&whole);
}

/* A file system may have made the file longer, and not written its end. */
static void
test_zeros(void)
{
	static const char zeros[700];
	struct buf whole = BUF_INIT(1u << 20), now = BUF_INIT(1u << 20);
	struct votes *v;
	struct err e;

	fresh();
	fill(3);
	CHECK(fs_read(&whole, AT_FDCWD, JOURNAL, &e) == 0);
	for (size_t lost = 0; lost < 70; lost += lost == 0 ? 2 : 11) {
		buf_reset(&now);
		buf_add(&now, whole.p, whole.len - lost);
		buf_add(&now, zeros, sizeof(zeros));
		scratch_write(JOURNAL, now.p, now.len);
		v = locked(&e);
		CHECK(v != NULL && votes_count(v) == (lost > 0 ? 2 : 3));
		CHECK(add(v, 9, "after") == 0);
		votes_close(v);
		v = locked(&e);
		CHECK(v != NULL && votes_count(v) == (lost > 0 ? 3 : 4));
		votes_close(v);
	}
	/* Zeros with something after them are damage. */
	memset(whole.p + whole.len - 40, 0, 20);
	scratch_write(JOURNAL, whole.p, whole.len);
	CHECK(locked(&e) == NULL && e.kind == ERR_BAD);
	buf_free(&whole);
	buf_free(&now);
}

/* No bit of what was acknowledged changes unseen. */
static void
test_flipped(void)
{
	struct buf whole = BUF_INIT(1u << 20);
	struct err e;
	unsigned bad = 0;

	fresh();
	fill(2);
	CHECK(fs_read(&whole, AT_FDCWD, JOURNAL, &e) == 0);
	for (size_t i = 0; i < whole.len * 8; i++) {
		struct votes *v;

		whole.p[i / 8] ^= (unsigned char)(1 << i % 8);
		scratch_write(JOURNAL, whole.p, whole.len);
		v = locked(&e);
		bad += v == NULL && e.kind == ERR_BAD;
		votes_close(v);
		whole.p[i / 8] ^= (unsigned char)(1 << i % 8);
	}
	CHECK(bad == whole.len * 8);
	buf_free(&whole);
}

/* A line that is gone from the middle, or two that changed places. */
static void
test_moved(void)
{
	struct buf b = BUF_INIT(1u << 20), c = BUF_INIT(1u << 20);
	size_t line[8], n = 0;
	struct err e;

	fresh();
	fill(4);
	CHECK(fs_read(&b, AT_FDCWD, JOURNAL, &e) == 0);
	for (size_t i = 0; i < b.len; i++)
		if (b.p[i] == '\n')
			line[n++] = i + 1;
	buf_add(&c, b.p, line[1]);
	buf_add(&c, b.p + line[2], b.len - line[2]);
	scratch_write(JOURNAL, c.p, c.len);
	CHECK(locked(&e) == NULL && e.kind == ERR_BAD);
	buf_reset(&c);
	buf_add(&c, b.p, line[1]);
	buf_add(&c, b.p + line[2], line[3] - line[2]);
	buf_add(&c, b.p + line[1], line[2] - line[1]);
	buf_add(&c, b.p + line[3], b.len - line[3]);
	scratch_write(JOURNAL, c.p, c.len);
	CHECK(locked(&e) == NULL && e.kind == ERR_BAD);
	buf_free(&b);
	buf_free(&c);
}

static void
test_missing(void)
{
	struct hash other;
	uint64_t floor = 41;
	struct votes *v;
	struct err e;

	fresh();
	CHECK(votes_create(r->dirfd, repo_ledger(r), NULL, &e) == -1 &&
	    e.kind == ERR_NO);
	CHECK(unlink(JOURNAL) == 0);
	CHECK(locked(&e) == NULL && e.kind == ERR_NO);
	hash_bytes(&other, "other", 5);
	CHECK(votes_create(r->dirfd, &other, NULL, &e) == 0);
	CHECK(locked(&e) == NULL && e.kind == ERR_BAD);
	CHECK(unlink(JOURNAL) == 0);
	CHECK(votes_create(r->dirfd, repo_ledger(r), &floor, &e) == 0);
	v = locked(&e);
	CHECK(v != NULL && votes_count(v) == 1 && votes_floor(v) == 41);
	votes_close(v);
}

/* What is final need not be kept, but that it was voted on. */
static void
test_trim(void)
{
	struct votes *v, *other;
	char text[1001];
	struct err e;
	struct stat st;

	fresh();
	memset(text, 'x', 1000);
	text[1000] = '\0';
	v = locked(&e);
	for (unsigned i = 1; i <= 60; i++)
		CHECK(votes_append(v, i, span_str(text), &e) == 0);
	CHECK(votes_trim(v, 50, &e) == 0 && votes_count(v) == 60);
	for (unsigned i = 61; i <= 100; i++)
		CHECK(votes_append(v, i, span_str(text), &e) == 0);
	votes_unlock(v);
	CHECK(votes_open(&other, r, &e) == 0 && votes_lock(other, 0, &e) == 0);
	CHECK(votes_count(other) == 100);
	votes_unlock(other);
	CHECK(votes_lock(v, 0, &e) == 0 && votes_trim(v, 98, &e) == 0);
	CHECK(votes_count(v) == 3 && votes_floor(v) == 98);
	CHECK(says(v, 1, 99, text) && says(v, 2, 100, text));
	CHECK(add(v, 101, "on") == 0);
	votes_close(v);
	CHECK(stat(JOURNAL, &st) == 0 && st.st_size < 4000);
	CHECK(votes_lock(other, 0, &e) == 0 && votes_count(other) == 4);
	CHECK(says(other, 3, 101, "on"));
	votes_close(other);
}

/* A write that does not fit leaves the journal as it was. */
static void
test_full(void)
{
	struct rlimit old, tight;
	struct votes *v;
	struct stat st;
	struct err e;

	fresh();
	fill(3);
	CHECK(stat(JOURNAL, &st) == 0 && getrlimit(RLIMIT_FSIZE, &old) == 0);
	signal(SIGXFSZ, SIG_IGN);
	v = locked(&e);
	tight = old;
	tight.rlim_cur = (rlim_t)st.st_size + 30;
	CHECK(setrlimit(RLIMIT_FSIZE, &tight) == 0);
	CHECK(add(v, 2, "too much") == -1);
	/* Until it is locked anew, nothing more can be written. */
	CHECK(setrlimit(RLIMIT_FSIZE, &old) == 0);
	CHECK(add(v, 2, "too early") == -1);
	votes_unlock(v);
	CHECK(votes_lock(v, 0, &e) == 0 && votes_count(v) == 3);
	CHECK(add(v, 2, "now") == 0 && votes_count(v) == 4);
	votes_close(v);
	v = locked(&e);
	CHECK(v != NULL && votes_count(v) == 4 && says(v, 3, 2, "now"));
	votes_close(v);
}

/* Killed at any moment: what was acknowledged is there, perhaps one more. */
static void
work(void *arg, int fd)
{
	struct err e;
	struct votes *v = locked(&e);
	unsigned *n = arg;
	char text[32];

	for (unsigned i = *n; v != NULL && i < 100000; i++) {
		snprintf(text, sizeof(text), "%u", i);
		if (add(v, 1, text) != 0 || write(fd, &i, sizeof(i)) < 0)
			return;
	}
}

static void
test_killed(void)
{
	unsigned n = 0;

	fresh();
	for (int i = 0; i < 12; i++) {
		struct buf said = BUF_INIT(1u << 20);
		char text[32];
		struct votes *v;
		struct err e;

		scratch_kill_in(work, &n, 60, 3000, &said);
		n += (unsigned)(said.len / sizeof(unsigned));
		v = locked(&e);
		CHECK(v != NULL);
		if (v == NULL)
			break;
		CHECK(votes_count(v) == n || votes_count(v) == n + 1);
		n = (unsigned)votes_count(v);
		for (unsigned k = 0; k < n; k++) {
			snprintf(text, sizeof(text), "%u", k);
			CHECK(says(v, k, 1, text));
		}
		votes_close(v);
		buf_free(&said);
	}
	CHECK(n > 20);
}

static void
test_bodies(void)
{
	struct buf body = BUF_INIT(1u << 20), out = BUF_INIT(1u << 20);
	struct block_header h;
	struct little l;
	struct hash none;
	struct err e;

	fresh();
	little_open(&l);
	little_block(&body, &h, &l, span_of(NULL, 0));
	buf_addc(&body, '\n');
	hash_bytes(&none, "none", 4);
	CHECK(!bodies_has(r, 1, &h.id));
	CHECK(bodies_get(&out, r, 1, &h.id, &e) == -1 && e.kind == ERR_NO);
	CHECK(bodies_put(r, 1, &h.id, buf_span(&body), &e) == 0);
	CHECK(bodies_put(r, 1, &h.id, buf_span(&body), &e) == 0);
	CHECK(bodies_put(r, 1, &none, buf_span(&body), &e) == 0);
	CHECK(bodies_has(r, 1, &h.id) && !bodies_has(r, 2, &h.id));
	CHECK(bodies_get(&out, r, 1, &h.id, &e) == 0);
	CHECK(span_eq(buf_span(&out), buf_span(&body)));
	buf_reset(&out);
	CHECK(bodies_get(&out, r, 1, &none, &e) == -1 && e.kind == ERR_BAD);
	CHECK(bodies_sweep(r, 0, &e) == 0 && bodies_has(r, 1, &h.id));
	CHECK(bodies_sweep(r, 1, &e) == 0 && !bodies_has(r, 1, &h.id));
	CHECK(access(JOURNAL, F_OK) == 0);
	buf_free(&body);
	buf_free(&out);
	little_close(&l);
}

int
main(void)
{
	scratch_open();
	test_entries();
	test_lock();
	test_torn();
	test_zeros();
	test_flipped();
	test_moved();
	test_missing();
	test_trim();
	test_full();
	test_killed();
	test_bodies();
	repo_close(r);
	scratch_close();
	return check_done("votes");
}
