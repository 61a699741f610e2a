/*
 * tiles: the tree on disk.  What each file must hold is put together here by
 * the words of c2sp.org/tlog-tiles and RFC 6962.
 */
#include "past.h"

#include "log/prove.h"
#include "log/tiles.h"

#define MOST 1000

static struct past p;
static struct err e;
static struct hash id[MOST], leaf[MOST];
static size_t n;			/* transactions so far */

/* --- a chain -------------------------------------------------------------- */

static void
take_ids(const struct buf *body)
{
	struct span rest = buf_span(body), note;

	while (block_next_tx(&rest, &note) == 1) {
		hash_bytes(&id[n], note.p, note.n);
		merkle_leaf(&leaf[n], id[n].b, HASH_LEN);
		n++;
	}
}

/* So many more, in that hour. */
static void
grow(unsigned more, int hour)
{
	struct buf body = BUF_INIT(32u << 20);

	while (more-- > 0)
		past_access(&p, NULL, &body);
	take_ids(&body);
	past_block(&p, &body, PAST_HOUR(hour) + 600000 + (int64_t)n);
	buf_free(&body);
}

/* The first five, whose bytes are in the blocks. */
static void
first_ids(void)
{
	for (uint64_t height = 1; height <= 2; height++) {
		struct buf text = BUF_INIT(CHAIN_FILE_MAX);
		struct buf body = BUF_INIT(CHAIN_FILE_MAX);
		struct block b;

		CHECK(chain_read(&text, p.r[0], height, &e) == 0);
		CHECK(block_parse(&b, buf_span(&text), true, &p.l.id,
		    &e) == 0);
		buf_add(&body, b.body.p, b.body.n);
		take_ids(&body);
		buf_free(&text);
		buf_free(&body);
	}
}

static void
at(struct head *head, struct db **db)
{
	CHECK(chain_head(head, p.r[0], &e) == 0);
	CHECK(db_of(db, p.r[0], &e) == 0);
}

static size_t
roll(void)
{
	size_t written = 0;
	struct head head;
	struct db *db;

	at(&head, &db);
	CHECK(hourly_roll(p.r[0], NULL, &e) == 0);
	CHECK(tiles_roll(p.r[0], db, &head, &written, &e) == 0);
	return written;
}

/* --- what must be there --------------------------------------------------- */

/* Root of the leaves from, by RFC 6962; count is a power of two. */
static void
root_of(struct hash *out, size_t from, size_t count)
{
	struct hash left, right;

	if (count == 1) {
		*out = leaf[from];
		return;
	}
	root_of(&left, from, count / 2);
	root_of(&right, from + count / 2, count / 2);
	merkle_node(out, &left, &right);
}

static bool
holds(const char *path, const struct buf *want)
{
	char full[100];

	snprintf(full, sizeof(full), ".ehr/tiles/%s", path);
	return scratch_holds(full, buf_span(want));
}

/* Width hashes of level 0 or 1 from that one on are the file's content. */
static bool
is_tile(const char *path, int level, size_t from, unsigned width)
{
	struct buf want = BUF_INIT(8192);
	size_t each = level == 0 ? 1 : 256;
	struct hash h;
	bool yes;

	for (unsigned i = 0; i < width; i++) {
		root_of(&h, (from + i) * each, each);
		buf_add(&want, h.b, HASH_LEN);
	}
	yes = holds(path, &want);
	buf_free(&want);
	return yes;
}

static bool
is_bundle(const char *path, size_t from, unsigned width)
{
	struct buf want = BUF_INIT(256 * 34);
	bool yes;

	for (unsigned i = 0; i < width; i++) {
		buf_add(&want, "\0\x20", 2);
		buf_add(&want, id[from + i].b, HASH_LEN);
	}
	yes = holds(path, &want);
	buf_free(&want);
	return yes;
}

/* How many files there are in all. */
static int
files(void)
{
	FILE *f = popen("find .ehr/tiles -type f | wc -l", "r");
	int count = -1;

	CHECK(f != NULL && fscanf(f, "%d", &count) == 1);
	if (f != NULL)
		pclose(f);
	return count;
}

/* --- checks --------------------------------------------------------------- */

struct found {
	int n;
	char path[100], why[100];
};

static int
bad(void *arg, const char *path, const char *why, struct err *unused)
{
	struct found *f = arg;

	(void)unused;
	f->n++;
	snprintf(f->path, sizeof(f->path), "%s", path);
	snprintf(f->why, sizeof(f->why), "%s", why);
	return 0;
}

static int
check(struct found *f, uint64_t checked)
{
	uint64_t got;
	struct head head;
	struct db *db;

	memset(f, 0, sizeof(*f));
	at(&head, &db);
	CHECK(tiles_check(p.r[0], db, &head, &got, bad, f, &e) == 0);
	CHECK(checked == 0 || got == checked);
	return f->n;
}

static void
growing(void)
{
	struct found f;

	/* Nothing before an hour is over; and what is not there is not bad. */
	CHECK(check(&f, 0) == 0);
	CHECK(roll() == 0 && files() == 0);
	grow(295, 1);				/* 300, of hour 1 */
	CHECK(roll() == 2 && files() == 2);	/* tile 0 is whole */
	CHECK(is_tile("tile/0/000", 0, 0, 256));
	CHECK(is_bundle("tile/entries/000", 0, 256));
	grow(100, 2);				/* 400, of hour 2 */
	CHECK(check(&f, 2) == 0);
	CHECK(roll() == 3 && files() == 5);
	CHECK(is_tile("tile/0/001.p/44", 0, 256, 44));
	CHECK(is_tile("tile/1/000.p/1", 1, 0, 1));
	CHECK(is_bundle("tile/entries/001.p/44", 256, 44));
	CHECK(roll() == 0 && check(&f, 5) == 0);
	grow(122, 3);				/* 522, of hour 3 */
	CHECK(check(&f, 5) == 0);
	CHECK(roll() == 2 && files() == 5);	/* the parts are gone */
	CHECK(is_tile("tile/0/001", 0, 256, 256));
	CHECK(is_bundle("tile/entries/001", 256, 256));
	CHECK(check(&f, 5) == 0);
	grow(5, 5);				/* hour 4 has nothing */
	CHECK(roll() == 3 && files() == 8);
	CHECK(is_tile("tile/0/002.p/10", 0, 512, 10));
	CHECK(is_tile("tile/1/000.p/2", 1, 0, 2));
	CHECK(is_bundle("tile/entries/002.p/10", 512, 10));
	CHECK(check(&f, 8) == 0);
}

/* From nothing, the same bytes. */
static void
again(void)
{
	CHECK(system("cp -r .ehr/tiles before") == 0);
	scratch_remove(".ehr/tiles");
	CHECK(roll() == 8);
	CHECK(system("diff -r .ehr/tiles before") == 0);
	/* And one that a crash has cut. */
	CHECK(truncate(".ehr/tiles/tile/0/001", 4096) == 0);
	CHECK(unlink(".ehr/tiles/tile/1/000.p/2") == 0);
	CHECK(roll() == 2);
	CHECK(system("diff -r .ehr/tiles before") == 0);
}

/* Whatever hash is asked for, it is that of the definition. */
static void
nodes(void)
{
	struct merkle m;
	struct hash want, got;
	struct head head;
	struct tree *t;
	struct db *db;

	at(&head, &db);
	CHECK(tree_open(&t, p.r[0], db, &e) == 0);
	merkle_init(&m);
	for (size_t size = 0; size <= n; size++) {
		merkle_root(&want, &m);
		CHECK(merkle_root_at(&got, size, tree_node, t, &e) == 0);
		CHECK(hash_eq(&want, &got));
		if (size < n)
			merkle_add(&m, &leaf[size]);
	}
	CHECK(tree_node(t, 0, n, &got, &e) == -1 && e.kind == ERR_BAD);
	tree_close(t);
}

static void
damage(void)
{
	static const char *const file[] = { "tile/0/000", "tile/0/001",
	    "tile/0/002.p/10", "tile/1/000.p/1", "tile/1/000.p/2",
	    "tile/entries/000", "tile/entries/001", "tile/entries/002.p/10" };
	char path[100];
	struct found f;
	struct stat st;

	for (size_t i = 0; i < sizeof(file) / sizeof(*file); i++) {
		snprintf(path, sizeof(path), ".ehr/tiles/%s", file[i]);
		CHECK(stat(path, &st) == 0);
		for (long at_byte = 0; at_byte < st.st_size;
		    at_byte += 1 + st.st_size / 20) {
			scratch_flip(path, at_byte, (int)(at_byte % 8));
			CHECK(check(&f, 8) == 1);
			CHECK_STR(f.path, path + 5);
			scratch_flip(path, at_byte, (int)(at_byte % 8));
		}
		CHECK(rename(path, "aside") == 0);
		CHECK(check(&f, 7) == (i != 3));	/* of an older tree */
		if (i != 3)
			CHECK_STR(f.why, "is missing");
		CHECK(mkdir(path, 0700) == 0);
		CHECK(check(&f, 0) >= 1);
		CHECK(rmdir(path) == 0 && rename("aside", path) == 0);
	}
	CHECK(check(&f, 8) == 0);
}

/* What is not a tile of this tree. */
static void
surplus(void)
{
	static const char *const no[] = { "tile/0/003", "tile/0/002",
	    "tile/0/002.p/16", "tile/1/000", "tile/1/000.p/3", "tile/0/notes",
	    "tile/0/000.p/0", "tile/2/000", "tile/entries/003.p/1" };
	char path[100], dir[100];
	struct found f;

	for (size_t i = 0; i < sizeof(no) / sizeof(*no); i++) {
		bool made;

		snprintf(path, sizeof(path), ".ehr/tiles/%s", no[i]);
		snprintf(dir, sizeof(dir), "%s", path);
		*strrchr(dir, '/') = '\0';
		made = mkdir(dir, 0700) == 0;
		scratch_text(path, "x");
		if (check(&f, 0) != 1)
			CHECK_STR(no[i], "found");
		CHECK_STR(f.path, path + 5);
		CHECK_STR(f.why, "is not a tile of this chain");
		CHECK(unlink(path) == 0);
		if (made)
			CHECK(rmdir(dir) == 0);
	}
	/* A part with the right bytes does no harm, of whatever width. */
	CHECK(system("head -c 96 .ehr/tiles/tile/0/002.p/10 "
	    ">.ehr/tiles/tile/0/002.p/3") == 0);
	CHECK(check(&f, 9) == 0);
	scratch_flip(".ehr/tiles/tile/0/002.p/3", 95, 0);
	CHECK(check(&f, 9) == 1);
	CHECK(unlink(".ehr/tiles/tile/0/002.p/3") == 0);
}

/* No receipt is made from a damaged tile, whichever hash it is. */
static void
no_proof(void)
{
	struct buf out = BUF_INIT(RECEIPT_MAX);
	struct prover *prover;
	struct head head;
	struct hash tx;
	struct db *db;

	at(&head, &db);
	for (int i = 0; i < 256; i += 5) {
		scratch_flip(".ehr/tiles/tile/0/001", 32L * i, i % 8);
		CHECK(prove_open(&prover, p.r[0], db, &head, &e) == 0);
		buf_reset(&out);
		CHECK(prove_id(&out, &tx, prover, &id[526], &e) == -1 &&
		    e.kind == ERR_BAD);
		prove_close(prover);
		scratch_flip(".ehr/tiles/tile/0/001", 32L * i, i % 8);
	}
	CHECK(prove_open(&prover, p.r[0], db, &head, &e) == 0);
	CHECK(prove_id(&out, &tx, prover, &id[526], &e) == 0);
	buf_reset(&out);
	little_object(&tx, "of nobody");
	CHECK(prove_id(&out, &tx, prover, &tx, &e) == -1 &&
	    e.kind == ERR_NO);
	prove_close(prover);
	buf_free(&out);
}

int
main(void)
{
	scratch_open();
	past_open(&p);
	past_add(&p, ".", 0);
	past_begin(&p);
	first_ids();
	growing();
	again();
	nodes();
	damage();
	surplus();
	no_proof();
	past_close(&p);
	scratch_close();
	return check_done("tiles");
}
