#include "store/staging.h"

#include <stdio.h>
#include <stdlib.h>

#include "crypto/age.h"
#include "ledger/rules.h"
#include "store/chain.h"
#include "store/settle.h"
#include "store/verify.h"

struct staging {
	struct repo *repo;
	struct state_view view;
	int64_t now_ms;
	struct segment_writer *out;
};

int
staging_open(struct staging **out, struct repo *r, int64_t now_ms,
    struct err *e)
{
	struct staging *s = calloc(1, sizeof(*s));
	struct db *db;

	if (s == NULL)
		return err_set(e, ERR_SYS, "out of memory");
	if (chain_catch_up(r, e) != 0 || db_of(&db, r, e) != 0 ||
	    segment_open(&s->out, r->dirfd, STAGING_DIR, "staging", e) != 0) {
		free(s);
		return -1;
	}
	s->repo = r;
	s->now_ms = now_ms;
	state_view_init(&s->view, r, db);
	*out = s;
	return 0;
}

int
staging_add(struct staging *s, struct span manifest, struct span header,
    bool ours, struct err *e)
{
	struct staged m;
	struct hash h;

	if (staged_parse(&m, manifest, repo_ledger(s->repo), e) != 0)
		return -1;
	if (header.n > AGE_HEADER_MAX)
		return err_set(e, ERR_BAD, "staged record: a header of over "
		    "%u bytes", AGE_HEADER_MAX);
	hash_bytes(&h, header.p, header.n);
	if (!hash_eq(&h, &m.header))
		return err_set(e, ERR_BAD,
		    "staged record: its header is another one's");
	s->view.verify = ours ? verify_never : rules_verify_now;
	if (rules_check_staged(&s->view.v, &m, s->now_ms, e) != 0 ||
	    segment_add(s->out, manifest, NULL, NULL, e) != 0)
		return -1;
	return segment_add(s->out, header, NULL, NULL, e);
}

int
staging_commit(struct staging *s, struct err *e)
{
	char name[SEGMENT_NAME_LEN];
	int ret = segment_commit(s->out, name, e);

	free(s);
	return ret;
}

void
staging_abort(struct staging *s)
{
	if (s == NULL)
		return;
	segment_abort(s->out);
	free(s);
}

/* --- reading -------------------------------------------------------------- */

struct reading {
	struct repo *repo;
	struct db *db;
	staging_fn *fn;
	void *arg;
	struct buf manifest;	/* the item before, until its header comes */
	bool failed;		/* not the segment's fault */
};

/* Items come in pairs: a manifest, then the header that it names. */
static int
read_item(void *arg, const struct hash *id, uint64_t at, struct span data,
    struct err *e)
{
	struct reading *rd = arg;
	struct staged m;
	int ret;

	(void)at;
	if (rd->manifest.len == 0) {
		buf_add(&rd->manifest, data.p, data.n);
		return buf_check(&rd->manifest, "staged record", e);
	}
	ret = staged_parse(&m, buf_span(&rd->manifest),
	    repo_ledger(rd->repo), e);
	if (ret == 0 && !hash_eq(&m.header, id))
		ret = err_set(e, ERR_BAD, "staged record without its header");
	if (ret == 0) {
		ret = settle_staged(rd->db, &m, e);
		if (ret == 0)
			ret = rd->fn(rd->arg, &m, data, e);
		else if (ret == 1)
			ret = 0;
		rd->failed = ret < 0;
	}
	buf_reset(&rd->manifest);
	return ret;
}

int
staging_each(struct repo *r, staging_fn *fn, void *arg, struct err *e)
{
	struct reading rd = { r, NULL, fn, arg, BUF_INIT(STAGED_MAX),
	    false };
	char path[FS_NAME_MAX];
	struct fs_names list;
	int ret = 0;

	if (chain_catch_up(r, e) != 0 || db_of(&rd.db, r, e) != 0 ||
	    fs_list(&list, r->dirfd, STAGING_DIR, e) != 0)
		return -1;
	for (size_t i = 0; i < list.n && ret == 0; i++) {
		snprintf(path, sizeof(path), "%s/%s", STAGING_DIR,
		    list.name[i]);
		buf_reset(&rd.manifest);
		ret = segment_scan(r->dirfd, path, "staging", true, read_item,
		    &rd, e);
		if (ret < 0 && !rd.failed && e->kind == ERR_NO)
			ret = 0;
		else if (ret < 0 && !rd.failed && e->kind == ERR_BAD)
			ret = settle_quarantine(r, path, e);
	}
	buf_free(&rd.manifest);
	fs_names_free(&list);
	return ret < 0 ? -1 : 0;
}

struct finding {
	const struct hash *id;
	struct buf *manifest, *header;
	bool found;
};

static int
find_one(void *arg, const struct staged *s, struct span header,
    struct err *e)
{
	struct finding *f = arg;

	(void)e;
	if (!hash_eq(&s->id, f->id))
		return 0;
	f->found = true;
	buf_add(f->manifest, s->note.whole.p, s->note.whole.n);
	buf_add(f->header, header.p, header.n);
	return 1;
}

int
staging_find(struct buf *manifest, struct buf *header, struct repo *r,
    const struct hash *id, struct err *e)
{
	struct finding f = { id, manifest, header, false };

	if (staging_each(r, find_one, &f, e) != 0)
		return -1;
	if (!f.found)
		return err_set(e, ERR_NO, "no such record waits");
	if (buf_check(manifest, "staged record", e) != 0)
		return -1;
	return buf_check(header, "header", e);
}
