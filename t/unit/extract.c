/*
 * extract: what is extracted was verified: not what a block with a false
 * signature says, or what follows it; and not what was written to a block's
 * file since.
 */
#define _GNU_SOURCE
#include "post.h"

#include "log/audit.h"
#include "log/extract.h"

static struct err e;
static struct post p;
static uint64_t highest;	/* height of the last entry */

static int
ignore(void *arg, const struct audit_finding *f, struct err *err)
{
	(void)arg, (void)f, (void)err;
	return 0;
}

static int
note_height(void *arg, const struct extract_entry *x, struct err *err)
{
	(void)arg, (void)err;
	CHECK(x->height >= highest);
	highest = x->height;
	return 0;
}

/* An audit of h0, with its state, for as long as it lasts. */
static void
begin(struct audit *a)
{
	memset(a, 0, sizeof(*a));
	a->finding = ignore;
	CHECK(repo_open(&a->repo, "h0", &e) == 0);
	CHECK(audit_run(a, &e) == 0);
}

static void
end(struct audit *a)
{
	audit_close(a);
	repo_close(a->repo);
}

static int
extract(struct audit *a, const char *actor, uint64_t *found)
{
	struct extract x = { .until_ms = INT64_MAX, .entry = note_height,
	    .actor = actor };
	int ret;

	highest = 0;
	ret = extract_run(&x, a, &e);
	*found = x.found;
	return ret;
}

/* The body with one bit of the first transaction's signature changed. */
static void
falsify(struct buf *body, struct block_header *h, const struct head *before)
{
	struct merkle own, all = before->tree;
	struct span rest, note;
	struct hash id, leaf;

	rest = buf_span(body);
	CHECK(block_next_tx(&rest, &note) == 1);
	body->p[(size_t)(note.p - body->p) + note.n - 20] ^= 1;
	merkle_init(&own);
	for (rest = buf_span(body); block_next_tx(&rest, &note) == 1;) {
		hash_bytes(&id, note.p, note.n);
		merkle_leaf(&leaf, id.b, HASH_LEN);
		merkle_add(&own, &leaf);
		merkle_add(&all, &leaf);
	}
	merkle_root(&h->root, &own);
	merkle_root(&h->tree, &all);
}

/* A block that a quorum has signed, although a signature in it is false. */
static void
false_block(void)
{
	struct buf text = BUF_INIT(CHAIN_FILE_MAX), body = text, header = text;
	struct buf cert = BUF_INIT(BLOCK_CERT_MAX), say = cert, file = text;
	struct repo *r = p.f.r[0];
	struct head before;
	struct block b;
	struct hash id;

	CHECK(chain_head(&before, r, &e) == 0);
	post_make(&p, 0, 0, &text);
	CHECK(block_parse(&b, buf_span(&text), true, repo_ledger(r),
	    &e) == 0);
	buf_add(&body, b.body.p, b.body.n);
	falsify(&body, &b.h, &before);
	block_header_text(&header, &b.h, repo_ledger(r));
	hash_bytes(&id, header.p, header.len);
	certificate_text(&say, b.h.height, 0, &id, repo_ledger(r));
	buf_add(&cert, say.p, say.len);
	buf_addc(&cert, '\n');
	for (size_t k = 0; k < delegates_quorum(p.f.n); k++)
		CHECK(note_sign_line(&cert, buf_span(&say),
		    span_str(p.f.node[k].name), p.f.node[k].sign, &e) == 0);
	block_join(&file, buf_span(&header), buf_span(&cert),
	    buf_span(&body));
	CHECK(accept_block(r, buf_span(&file), true, clock_now_ms(),
	    &e) == 0);
	buf_free(&text);
	buf_free(&body);
	buf_free(&header);
	buf_free(&cert);
	buf_free(&say);
	buf_free(&file);
}

/* What was written to the file of a block after the audit. */
static void
changed_since(void)
{
	struct buf kept = BUF_INIT(CHAIN_FILE_MAX), other = kept;
	char path[CHAIN_PATH_LEN];
	struct audit a;
	uint64_t n;

	begin(&a);
	CHECK(chain_read_packed(&kept, a.repo, 2, &e) == 0);
	CHECK(chain_read_packed(&other, a.repo, 1, &e) == 0);
	chain_path(path, 2);
	CHECK(fs_write(a.repo->dirfd, path, "tmp", buf_span(&other), 0600,
	    false, &e) == 0);
	CHECK(extract(&a, NULL, &n) == -1 && e.kind == ERR_BAD);
	CHECK(strstr(e.msg, "000000002.gz: it has changed") != NULL);
	CHECK(highest == 1);
	CHECK(fs_write(a.repo->dirfd, path, "tmp", buf_span(&kept), 0600,
	    false, &e) == 0);
	/* And a second one, with the same state. */
	CHECK(extract(&a, NULL, &n) == 0 && n == 3 && highest == 2);
	end(&a);
	buf_free(&kept);
	buf_free(&other);
}

static void
false_signature(void)
{
	struct tx vote = { .kind = TX_VOTE };
	struct audit a;
	uint64_t n;

	post_submit(&p, 0, &vote, &p.f.node[1]);
	false_block();
	post_submit(&p, 0, &vote, &p.f.node[2]);
	post_block(&p, 0, NULL);
	begin(&a);
	CHECK(a.head.height == 4 && a.verified == 2);
	CHECK(a.count[AUDIT_SIGNATURES].failed == 1);
	CHECK(extract(&a, NULL, &n) == 0 && n == 3 && highest == 2);
	/* A node that is known, and has done nothing that holds. */
	CHECK(extract(&a, p.f.node[2].name, &n) == 0 && n == 0);
	end(&a);
}

int
main(void)
{
	struct hash record, header;
	struct audit a;
	uint64_t n;

	scratch_open();
	post_open(&p);
	post_block(&p, 0, NULL);
	post_stage(&p, 0, 10, 1, &record);
	post_authorize(&p, 0, &record, &header);
	post_block(&p, 0, NULL);
	begin(&a);
	CHECK(a.verified == 2);
	CHECK(extract(&a, NULL, &n) == 0 && n == 3);
	CHECK(extract(&a, p.kun.name, &n) == 0 && n == 1 && highest == 2);
	end(&a);
	changed_since();
	false_signature();
	post_close(&p);
	scratch_close();
	return check_done("extract");
}
