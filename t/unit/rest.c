/*
 * rest: a large object whose transfer was interrupted, at whatever byte, goes
 * on where it was; and whatever the first bytes were, and the server says of
 * the others, what is stored is the object or nothing.
 */
#define _GNU_SOURCE
#include "wire.h"

#include "store/object.h"

#define SIZE (3u << 20)		/* bytes of the object */
#define SLACK 100000		/* of all else that is said, and of a packet
				 * that did not come whole */
#define FLAGS (SYNC_ALL | SYNC_PULL)

static struct hash body;
static unsigned char bytes[SIZE];

/* --- what is kept --------------------------------------------------------- */

static const char *
part_path(void)
{
	static char path[128];
	char hex[HASH_HEX];

	hash_format(hex, &body);
	snprintf(path, sizeof(path), "h1/.ehr/tmp/.tmp-part-%s", hex);
	return path;
}

static long
kept(void)
{
	struct stat st;

	return stat(part_path(), &st) == 0 ? (long)st.st_size : -1;
}

static bool
has(unsigned i)
{
	return object_has(p.f.r[i], &body, &e) == 1 &&
	    object_check(p.f.r[i], &body, &e) == 0;
}

static const char *
object_at(unsigned i)
{
	static char path[128];
	char hex[HASH_HEX];

	hash_format(hex, &body);
	snprintf(path, sizeof(path), "h%u/.ehr/objects/%.2s/%s", i, hex, hex);
	return path;
}

/* Hospital 1 without the object again, so that a state that is made anew wants
 * it, and n bytes at `from` for a part. */
static void
again(const void *from, size_t n)
{
	repo_close(p.f.r[1]);
	remove(object_at(1));
	remove("h1/.ehr/state.db");
	remove("h1/.ehr/state.db-wal");
	remove("h1/.ehr/state.db-shm");
	little_ok(repo_open(&p.f.r[1], "h1", &e));
	remove(part_path());
	if (n > 0)
		scratch_write(part_path(), from, n);
}

/* An exchange over a wire; bytes that came, of all kinds. */
static uint64_t
moved(struct wire *w)
{
	int ret = wire_exchange(w, FLAGS, 10000, NULL);

	CHECK((ret == 0) == (w->what != CUT));
	if (ret != 0 && w->what != CUT)
		printf("%s\n", e.msg);
	return w->n[1];
}

/* --- the caller ----------------------------------------------------------- */

static void
interrupted(void)
{
	/* In the greeting; in the object: at its start, its middle, its end. */
	static const uint64_t at[] = { 300, 2 * SLACK, SIZE / 2, SIZE - 70000 };

	for (size_t i = 0; i < sizeof(at) / sizeof(*at); i++) {
		struct wire cut = { .what = CUT, .way = 1, .at = at[i] };
		struct wire good = { .what = KEEP };
		uint64_t n;
		long have;

		again(NULL, 0);
		moved(&cut);
		have = kept();
		CHECK(!has(1));
		CHECK(i == 0 ? have == -1 : have > (long)at[i] - SLACK &&
		    have < (long)at[i]);
		n = moved(&good);
		CHECK(has(1) && kept() == -1);
		CHECK(n < SIZE - (uint64_t)(have < 0 ? 0 : have) + SLACK);
		CHECK(n > SIZE - (uint64_t)(have < 0 ? 0 : have));
		CHECK(scratch_entries("h1/.ehr/tmp") == 0);
	}
}

/* Interrupted again and again, it is there in the end. */
static void
little_by_little(void)
{
	uint64_t sum = 0;
	int times;

	again(NULL, 0);
	for (times = 0; times < 50 && !has(1); times++) {
		struct wire cut = { .what = CUT, .way = 1, .at = SIZE / 5 };

		wire_exchange(&cut, FLAGS, 10000, NULL);
		sum += cut.n[1];
	}
	CHECK(times >= 5 && times <= 7);
	CHECK(has(1) && kept() == -1 && sum < SIZE + 7 * SLACK);
}

/* All came, and the process died before it was stored. */
static void
complete(void)
{
	struct wire good = { .what = KEEP };

	again(bytes, SIZE);
	CHECK(moved(&good) < SLACK);
	CHECK(has(1) && kept() == -1);
}

/* What is kept is another object's, or longer than this one. */
static void
wrong_part(void)
{
	static unsigned char other[SIZE + 1];
	struct wire good = { .what = KEEP };
	uint64_t n;

	memcpy(other, bytes, SIZE);
	other[7] ^= 1;
	again(other, SIZE / 2);
	n = moved(&good);
	CHECK(has(1) && kept() == -1);
	CHECK(n > SIZE + SIZE / 2 && n < SIZE + SIZE / 2 + SLACK);

	good = (struct wire){ .what = KEEP };
	again(other, SIZE + 1);
	n = moved(&good);
	CHECK(has(1) && kept() == -1 && n > SIZE && n < SIZE + SLACK);
}

/* A server that does not know the request. */
static void
older(void)
{
	struct wire old = { .what = SWAP, .was = "rest 1", .is = "west 1" };
	uint64_t n;

	again(bytes, SIZE / 2);
	n = moved(&old);
	CHECK(has(1) && kept() == -1 && n > SIZE && n < SIZE + SLACK);
}

/* One whose object is of another size, by what it says. */
static void
other_size(void)
{
	static const char *const sizes[] = { "2999999", "3145729", "0000000",
	    "1048577", "9999999" };

	for (size_t i = 0; i < sizeof(sizes) / sizeof(*sizes); i++) {
		struct wire w = { .what = SWAP, .way = 1, .was = "3145728",
		    .is = sizes[i] };

		again(bytes, SIZE - 3000);
		CHECK(wire_exchange(&w, FLAGS, 300, NULL) == -1);
		CHECK(e.kind == ERR_BAD || e.kind == ERR_AGAIN);
		CHECK(!has(1));
		/* An honest one repairs what came of it. */
		w = (struct wire){ .what = KEEP };
		moved(&w);
		CHECK(has(1) && scratch_entries("h1/.ehr/tmp") == 0);
	}
}

/* One whose object was changed: behind the offset, or before it. */
static void
changed(void)
{
	for (int i = 0; i < 2; i++) {
		struct sync_result res = { .wanted = 0 };
		struct wire w = { .what = KEEP };
		size_t at = i == 0 ? SIZE - 9 : 9;

		bytes[at] ^= 1;
		scratch_write(object_at(0), bytes, SIZE);
		bytes[at] ^= 1;
		again(bytes, SIZE / 2);
		CHECK(wire_exchange(&w, FLAGS, 10000, &res) == 0);
		CHECK(kept() == -1 && has(1) == (i == 1));
		CHECK(res.damaged == (i == 0) && res.wanted == (i == 0));
	}
	scratch_write(object_at(0), bytes, SIZE);
}

/* --- two at once, and an erasure ------------------------------------------ */

static void
writers(void)
{
	struct object_writer *a, *b;
	uint64_t at;

	again(bytes, 1000);
	CHECK(object_writer_part(&a, p.f.r[1], &body, false, &at, &e) == 0);
	CHECK(at == 1000);
	CHECK(object_writer_part(&b, p.f.r[1], &body, false, &at, &e) == 0);
	CHECK(at == 0);
	CHECK(object_writer_add(b, bytes, SIZE, &e) == 0);
	CHECK(object_writer_commit(b, &body, NULL, NULL, &e) == 0);
	CHECK(has(1) && kept() == 1000);
	CHECK(object_writer_add(a, bytes + 1000, 500, &e) == 0);
	object_writer_keep(a);
	CHECK(kept() == 1500);

	/* Where the object is deleted nothing of it stays. */
	CHECK(object_erase(p.f.r[1], &body, &e) == 0);
	CHECK(!has(1) && kept() == -1);

	/* Anew is from its start. */
	again(bytes, 1000);
	CHECK(object_writer_part(&a, p.f.r[1], &body, true, &at, &e) == 0);
	CHECK(at == 0 && object_writer_add(a, bytes, 3, &e) == 0);
	object_writer_keep(a);
	CHECK(kept() == 3);
	/* Nothing, and what is no file, is not kept. */
	CHECK(object_writer_part(&a, p.f.r[1], &body, true, &at, &e) == 0);
	object_writer_keep(a);
	CHECK(kept() == -1);
	CHECK(symlink("/dev/null", part_path()) == 0);
	CHECK(object_writer_part(&a, p.f.r[1], &body, true, &at, &e) == -1);
	remove(part_path());
}

int
main(void)
{
	struct sync_result res = { .wanted = 0 };
	struct hash record, header;

	scratch_open();
	post_open(&p);
	post_block(&p, 0, NULL);
	CHECK(post_sync(&p, 1, 0, FLAGS, NULL, &res, &e) == 0);
	memset(bytes, 'a', SIZE);
	hash_bytes(&body, bytes, SIZE);
	post_stage(&p, 0, SIZE, 'a', &record);
	post_authorize(&p, 0, &record, &header);
	post_block(&p, 0, NULL);
	interrupted();
	little_by_little();
	complete();
	wrong_part();
	older();
	other_size();
	changed();
	writers();
	post_close(&p);
	scratch_close();
	return check_done("rest");
}
