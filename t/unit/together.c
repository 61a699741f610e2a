/*
 * together: blocks that are added at once leave the same as one after another;
 * and if one of them is wrong, those before it and nothing else.
 */
#define _GNU_SOURCE
#include "post.h"

#include "base/fs_batch.h"
#include "base/gz.h"

#define BLOCKS 12

static struct err e;
static struct post p;
static struct buf text[BLOCKS], packed[BLOCKS];

static struct chain_block
block(size_t i)
{
	return (struct chain_block){ .text = buf_span(&text[i]),
	    .packed = buf_span(&packed[i]) };
}

static void
start_over(void)
{
	struct buf genesis = BUF_INIT(GENESIS_MAX);

	buf_add(&genesis, p.f.r[0]->genesis_file.p,
	    p.f.r[0]->genesis_file.len);
	repo_close(p.f.r[1]);
	scratch_remove("h1");
	four_create(&p.f, 1, buf_span(&genesis));
	buf_free(&genesis);
}

static int
files(void)
{
	return scratch_entries("h1/.ehr/blocks/000000");
}

static void
all_at_once(void)
{
	struct chain_block all[BLOCKS];
	struct buf back = BUF_INIT(CHAIN_FILE_MAX);
	size_t done;

	start_over();
	for (size_t i = 0; i < BLOCKS; i++)
		all[i] = block(i);
	CHECK(accept_blocks(p.f.r[1], all, BLOCKS, clock_now_ms(), &done,
	    &e) == 0 && done == BLOCKS);
	CHECK(four_agree(&p.f, 3, BLOCKS) && files() == BLOCKS);
	/* The files are what came. */
	for (size_t i = 0; i < BLOCKS; i++) {
		buf_reset(&back);
		CHECK(chain_read_packed(&back, p.f.r[1], i + 1, &e) == 0);
		CHECK(span_eq(buf_span(&back), buf_span(&packed[i])));
	}
	/* Again: they are there. */
	CHECK(accept_blocks(p.f.r[1], all, BLOCKS, clock_now_ms(), &done,
	    &e) == 0 && done == BLOCKS);
	CHECK(four_agree(&p.f, 3, BLOCKS));
	/* Without what is compressed it is made here. */
	start_over();
	for (size_t i = 0; i < BLOCKS; i++)
		all[i].packed = span_of(NULL, 0);
	CHECK(accept_blocks(p.f.r[1], all, BLOCKS, clock_now_ms(), &done,
	    &e) == 0 && four_agree(&p.f, 3, BLOCKS));
	buf_free(&back);
	CHECK(scratch_entries("h1/.ehr/tmp") == 0);
}

/* Number k has one wrong byte, n from its end or, if n < 0, of its front. */
static void
one_wrong(size_t k, long n, enum err_kind kind)
{
	struct chain_block all[BLOCKS];
	size_t done, at = n > 0 ? text[k].len - (size_t)n : (size_t)-n;

	start_over();
	for (size_t i = 0; i < BLOCKS; i++)
		all[i] = block(i);
	text[k].p[at] = text[k].p[at] == 'A' ? 'B' : 'A';
	CHECK(accept_blocks(p.f.r[1], all, BLOCKS, clock_now_ms(), &done,
	    &e) == -1 && done == k);
	CHECK(e.kind == kind || e.kind == ERR_BAD);
	CHECK(four_agree(&p.f, 1, BLOCKS) && four_height(&p.f, 1) == k);
	CHECK(k == 0 ? files() <= 0 : files() == (int)k);
	CHECK(scratch_entries("h1/.ehr/tmp") == 0);
	repo_close(p.f.r[1]);
	little_ok(repo_open(&p.f.r[1], "h1", &e));
	CHECK(four_height(&p.f, 1) == k);
}

static void
wrong_ones(void)
{
	static struct buf keep;
	static const size_t which[] = { 0, 1, 5, BLOCKS - 1 };

	for (size_t i = 0; i < 4; i++) {
		size_t k = which[i];

		keep = text[k];
		buf_init(&text[k], CHAIN_FILE_MAX);
		buf_add(&text[k], keep.p, keep.len);
		/* A signature's end; the kind of text; the certificate. */
		one_wrong(k, 9, ERR_NO);
		one_wrong(k, -9, ERR_BAD);
		one_wrong(k, -900, ERR_NO);
		buf_free(&text[k]);
		text[k] = keep;
	}
}

/*
 * A transaction whose signature is wrong, in a block that is in order else and
 * that a quorum has certified: no block with it is taken, wherever it stands.
 */
static void
certified_lie(void)
{
	struct chain_block all[BLOCKS + 1];
	struct buf header = BUF_INIT(BLOCK_HEADER_MAX);
	struct buf cert = BUF_INIT(BLOCK_CERT_MAX), say = BUF_INIT(1024);
	struct buf body = BUF_INIT(BLOCK_CONTENT_MAX);
	struct buf file = BUF_INIT(CHAIN_FILE_MAX);
	struct merkle own, tree;
	struct hash id, leaf;
	struct span rest, note;
	struct head h;
	struct block b;
	size_t done;

	/* A sibling of the last block, with one letter changed. */
	start_over();
	for (size_t i = 0; i < BLOCKS; i++)
		all[i] = block(i);
	little_ok(accept_blocks(p.f.r[1], all, BLOCKS - 1, clock_now_ms(),
	    &done, &e));
	little_ok(chain_head(&h, p.f.r[1], &e));
	little_ok(block_parse(&b, buf_span(&text[BLOCKS - 1]), true,
	    repo_ledger(p.f.r[1]), &e));
	buf_add(&body, b.body.p, b.body.n);
	body.p[body.len - 9] = body.p[body.len - 9] == 'A' ? 'B' : 'A';
	merkle_init(&own);
	tree = h.tree;
	rest = buf_span(&body);
	while (block_next_tx(&rest, &note) == 1) {
		hash_bytes(&id, note.p, note.n);
		merkle_leaf(&leaf, id.b, HASH_LEN);
		merkle_add(&own, &leaf);
		merkle_add(&tree, &leaf);
	}
	merkle_root(&b.h.root, &own);
	merkle_root(&b.h.tree, &tree);
	block_header_text(&header, &b.h, repo_ledger(p.f.r[1]));
	hash_bytes(&b.h.id, header.p, header.len);
	certificate_text(&say, b.h.height, 0, &b.h.id,
	    repo_ledger(p.f.r[1]));
	buf_add(&cert, say.p, say.len);
	buf_addc(&cert, '\n');
	for (unsigned k = 0; k < 3; k++)
		little_ok(note_sign_line(&cert, buf_span(&say),
		    span_str(p.f.node[k].name), p.f.node[k].sign, &e));
	block_join(&file, buf_span(&header), buf_span(&cert),
	    buf_span(&body));
	for (size_t before = 0; before < BLOCKS; before += 6) {
		size_t first = BLOCKS - 1 - before;

		start_over();
		if (first > 0)
			little_ok(accept_blocks(p.f.r[1], all, first,
			    clock_now_ms(), &done, &e));
		all[BLOCKS - 1] = (struct chain_block){
		    .text = buf_span(&file), .certified = true };
		CHECK(accept_blocks(p.f.r[1], all + first, before + 1,
		    clock_now_ms(), &done, &e) == -1 && done == before);
		CHECK(e.kind == ERR_NO &&
		    strstr(e.msg, "does not verify") != NULL);
		CHECK(four_height(&p.f, 1) == BLOCKS - 1);
		CHECK(files() == BLOCKS - 1);
	}
	buf_free(&header);
	buf_free(&cert);
	buf_free(&say);
	buf_free(&body);
	buf_free(&file);
}

/* One that is certified, as its caller says: its certificate is not looked at,
 * but all else is. */
static void
certified(void)
{
	struct chain_block one = block(0);
	struct buf other = BUF_INIT(CHAIN_FILE_MAX);
	struct block b;
	size_t done;

	little_ok(block_parse(&b, buf_span(&text[0]), true,
	    repo_ledger(p.f.r[0]), &e));
	block_join(&other, b.header, span_str("any text\n"), b.body);
	one = (struct chain_block){ .text = buf_span(&other) };
	start_over();
	CHECK(accept_blocks(p.f.r[1], &one, 1, clock_now_ms(), &done,
	    &e) == -1 && done == 0);
	one.certified = true;
	CHECK(accept_blocks(p.f.r[1], &one, 1, clock_now_ms(), &done,
	    &e) == 0 && done == 1);
	buf_free(&other);
	start_over();
	one = block(1);
	one.certified = true;
	CHECK(accept_blocks(p.f.r[1], &one, 1, clock_now_ms(), &done,
	    &e) == -1 && e.kind == ERR_AGAIN);
}

/* --- files, with one wait for the disk ------------------------------------ */

static bool
holds(const char *path, const char *want)
{
	struct buf b = BUF_INIT(1000);
	bool same = fs_read(&b, AT_FDCWD, path, &e) == 0 &&
	    span_is(buf_span(&b), want);

	buf_free(&b);
	return same;
}

static void
groups(void)
{
	struct fs_batch g;
	char path[32], want[32];

	for (int n = 1; n <= 300; n += n < 6 ? 1 : 147) {
		little_ok(mkdir("d", 0700));
		little_ok(mkdir("d/a", 0700));
		little_ok(mkdir("d/b", 0700));
		fs_batch_init(&g, AT_FDCWD, "d");
		for (int i = 0; i < n; i++) {
			snprintf(path, sizeof(path), "d/%c/%d", "ab"[i % 2], i);
			snprintf(want, sizeof(want), "file %d", i);
			CHECK(fs_batch_put(&g, path, span_str(want), 0600,
			    &e) == 0);
		}
		CHECK(fs_batch_sync(&g, &e) == 0);
		CHECK(scratch_entries("d/a") == 0);
		CHECK(fs_batch_commit(&g, &e) == 0);
		CHECK((int)(scratch_entries("d/a") + scratch_entries("d/b")) ==
		    n);
		for (int i = 0; i < n; i++) {
			snprintf(path, sizeof(path), "d/%c/%d", "ab"[i % 2], i);
			snprintf(want, sizeof(want), "file %d", i);
			CHECK(holds(path, want));
		}
		/* Another group that is given up leaves nothing. */
		CHECK(fs_batch_put(&g, "d/a/0", span_str("other"), 0600,
		    &e) == 0);
		fs_batch_free(&g);
		CHECK(holds("d/a/0", "file 0") && scratch_entries("d") == 2);
		scratch_remove("d");
	}
	fs_batch_init(&g, AT_FDCWD, "no-such-dir");
	CHECK(fs_batch_put(&g, "x", span_str("x"), 0600, &e) == -1);
	CHECK(fs_batch_commit(&g, &e) == 0);
	fs_batch_free(&g);
	fs_batch_init(&g, AT_FDCWD, ".");
	CHECK(fs_batch_put(&g, "no-such-dir/x", span_str("x"), 0600,
	    &e) == 0);
	CHECK(fs_batch_commit(&g, &e) == -1 && e.kind == ERR_SYS);
	fs_batch_free(&g);
}

int
main(void)
{
	scratch_open();
	post_open(&p);
	for (size_t i = 0; i < BLOCKS; i++) {
		usleep(2000);
		for (int k = 0; k < 5; k++)
			four_enroll(&p.f, 1);
		buf_init(&text[i], CHAIN_FILE_MAX);
		buf_init(&packed[i], CHAIN_FILE_MAX);
		post_block(&p, 0, &text[i]);
		little_ok(chain_read_packed(&packed[i], p.f.r[0], i + 1, &e));
	}
	all_at_once();
	wrong_ones();
	certified_lie();
	certified();
	groups();
	for (size_t i = 0; i < BLOCKS; i++) {
		buf_free(&text[i]);
		buf_free(&packed[i]);
	}
	post_close(&p);
	scratch_close();
	return check_done("together");
}
