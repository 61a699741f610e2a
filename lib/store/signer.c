#include "store/signer.h"

#include <stdio.h>
#include <unistd.h>

#include "store/blocks.h"

#define LOCK_WAIT_MS 10000

static const char how[] = "; ehr-log-merkle --renew asks the others, and "
    "begins again";

int
signer_root(struct hash *root, struct repo *r, struct db *db,
    const struct head *head, uint64_t size, struct err *e)
{
	struct buf text = BUF_INIT(CHAIN_FILE_MAX);
	struct block b;
	uint64_t height;
	int ret;

	hash_spans(root, NULL, 0);
	if (size == 0 || size > head->tree.size)
		return size == 0;
	if (blocks_at_size(&height, db, head->height, size, e) != 0)
		return -1;
	ret = chain_read(&text, r, height, e);
	if (ret == 0)
		ret = block_parse(&b, buf_span(&text), true, repo_ledger(r),
		    e);
	if (ret == 0 && b.h.size == size) {
		*root = b.h.tree;
		ret = 1;
	}
	buf_free(&text);
	return ret;
}

/* Is line i of the checkpoint by this key? */
static bool
is_ours(const struct checkpoint *c, size_t i, const struct hash *ledger,
    const struct sign_pub *pub)
{
	struct err ignored;
	uint64_t time_s;

	return checkpoint_verify(c, i, ledger, c->note.sig[i].name, pub,
	    &time_s, &ignored) == 0;
}

/* The newest checkpoint here: 1, 0: there is none, -1.  path is its file. */
static int
newest(struct checkpoint *c, struct buf *text, char path[FS_NAME_MAX],
    struct repo *r, struct err *e)
{
	struct fs_names list;
	int ret = 0;

	if (fs_list(&list, r->dirfd, CHECKPOINT_DIR, e) != 0)
		return -1;
	if (list.n > 0) {
		snprintf(path, FS_NAME_MAX, CHECKPOINT_DIR "/%s",
		    list.name[list.n - 1]);
		ret = fs_read(text, r->dirfd, path, e) == 0 ? 1 : -1;
		if (ret == 1 && checkpoint_parse(c, buf_span(text),
		    repo_ledger(r), e) != 0)
			ret = err_wrap(e, "%s", path);
	}
	fs_names_free(&list);
	return ret;
}

int
signer_knows(struct repo *r, const struct signed_head *last,
    const struct sign_pub *pub, struct err *e)
{
	struct buf text = BUF_INIT(CHECKPOINT_MAX);
	char path[FS_NAME_MAX];
	struct checkpoint c;
	int ret = newest(&c, &text, path, r, e);

	if (ret == 1 && c.size > last->size)
		for (size_t i = 0; ret == 1 && i < c.note.nsigs; i++)
			if (is_ours(&c, i, repo_ledger(r), pub))
				ret = err_set(e, ERR_NO, "%s has a signature "
				    "of this node over %llu transactions, and "
				    "%s knows only of %llu: it is an old copy"
				    "%s", path, (unsigned long long)c.size,
				    SIGNED_PATH,
				    (unsigned long long)last->size, how);
	buf_free(&text);
	return ret < 0 ? -1 : 0;
}

int
signer_fits(struct repo *r, struct db *db, const struct head *head,
    uint64_t size, const struct hash *root, struct err *e)
{
	struct hash ours;
	int got;

	if (size > head->tree.size)
		return err_set(e, ERR_AGAIN, "this node has signed a tree of "
		    "%llu transactions, and has %llu here: ehr-sync brings "
		    "the others", (unsigned long long)size,
		    (unsigned long long)head->tree.size);
	if ((got = signer_root(&ours, r, db, head, size, e)) < 0)
		return -1;
	if (got == 1 && hash_eq(&ours, root))
		return 0;
	return err_set(e, ERR_NO, "this node has signed a tree of %llu "
	    "transactions that is not the one of its blocks: it signs nothing "
	    "more; compare the blocks with those of others",
	    (unsigned long long)size);
}

int
signer_open(struct signer *s, struct repo *r, const struct sign_pub *pub,
    bool *lost, struct err *e)
{
	bool copy;
	int ret;

	*lost = false;
	s->repo = r;
	if (chain_head(&s->head, r, e) != 0 || db_of(&s->db, r, e) != 0)
		return -1;
	s->lock = fs_lock(r->dirfd, SIGNED_LOCK, LOCK_WAIT_MS, e);
	if (s->lock < 0)
		return -1;
	ret = signed_read(&s->last, &copy, r->dirfd, repo_ledger(r), e);
	if (ret != 0 && e->kind == ERR_NO && !copy)
		*lost = true;
	if (ret != 0 && (e->kind == ERR_NO || e->kind == ERR_BAD)) {
		enum err_kind kind = e->kind;
		struct err why = *e;

		err_set(e, kind, "what this node has signed is not known (%s)"
		    "%s", why.msg, how);
	}
	if (ret == 0)
		ret = signer_knows(r, &s->last, pub, e);
	if (ret == 0)
		ret = signer_fits(r, s->db, &s->head, s->last.size,
		    &s->last.root, e);
	if (ret != 0)
		signer_close(s);
	return ret;
}

void
signer_close(struct signer *s)
{
	close(s->lock);
}

int
signer_advance(struct signer *s, uint64_t size, const struct hash *root,
    int64_t now_ms, struct err *e)
{
	struct signed_head next = { size, *root, now_ms };
	struct hash ours;
	int got;

	if (size > s->head.tree.size)
		return err_set(e, ERR_AGAIN, "there are %llu transactions "
		    "here, not %llu yet",
		    (unsigned long long)s->head.tree.size,
		    (unsigned long long)size);
	got = signer_root(&ours, s->repo, s->db, &s->head, size, e);
	if (got < 0)
		return -1;
	if (got == 0 || !hash_eq(&ours, root))
		return err_set(e, ERR_NO, "no block here ends in this tree of "
		    "%llu transactions", (unsigned long long)size);
	if (size <= s->last.size)
		return 0;
	if (signed_write(s->repo->dirfd, repo_ledger(s->repo), &next, e) != 0)
		return -1;
	s->last = next;
	return 0;
}

int
signer_drop(struct signer *s, struct err *e)
{
	return fs_remove(s->repo->dirfd, SIGNED_PATH, e);
}

/* What is known of what was signed before fits the blocks? */
static int
check_before(struct repo *r, struct db *db, const struct head *head,
    struct err *e)
{
	struct buf text = BUF_INIT(CHECKPOINT_MAX);
	char path[FS_NAME_MAX];
	struct signed_head h;
	struct checkpoint c;
	bool copy;
	int ret;

	ret = signed_read(&h, &copy, r->dirfd, repo_ledger(r), e);
	if (ret == 0 || copy)
		ret = signer_fits(r, db, head, h.size, &h.root, e);
	else if (e->kind == ERR_NO || e->kind == ERR_BAD)
		ret = 0;
	if (ret == 0 && (ret = newest(&c, &text, path, r, e)) == 1)
		ret = signer_fits(r, db, head, c.size, &c.root, e);
	buf_free(&text);
	return ret;
}

int
signer_renew(struct repo *r, const struct head *head, int64_t now_ms,
    struct err *e)
{
	struct signed_head h = { .size = head->tree.size, .time_ms = now_ms };
	struct db *db;
	int lock, ret;

	if (db_of(&db, r, e) != 0)
		return -1;
	lock = fs_lock(r->dirfd, SIGNED_LOCK, LOCK_WAIT_MS, e);
	if (lock < 0)
		return -1;
	merkle_root(&h.root, &head->tree);
	ret = check_before(r, db, head, e);
	if (ret == 0)
		ret = signed_write(r->dirfd, repo_ledger(r), &h, e);
	close(lock);
	return ret;
}
