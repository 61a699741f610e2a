#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "base/clock.h"
#include "net/bundle.h"
#include "net/intake.h"
#include "net/parcel.h"
#include "net/waiting.h"
#include "store/accept.h"
#include "store/blocks.h"
#include "store/bundle_in.h"

#define TOGETHER 256		/* blocks that are applied at once, at most */
#define TOGETHER_BYTES (24u << 20)	/* of theirs */

struct applying {
	struct repo *repo;
	struct repo *from;	/* the bundle, unpacked */
	struct sync_result *res;
	const struct bundle_head *head;
	struct buf items;	/* of what waits, that were not taken yet */
	bool odd;		/* a manifest is in them, its header is next */
	int (*intake)(struct intake *in, struct repo *r, struct span items,
	    int flags, int64_t now_ms, struct err *e);
};

/* --- may it be taken at all? ---------------------------------------------- */

static int
begin(void *arg, const struct bundle_head *h, struct err *e)
{
	struct applying *a = arg;
	char hex[HASH_HEX];
	struct head ours;

	hash_format(hex, &h->ledger);
	if (!hash_eq(&h->ledger, repo_ledger(a->repo)))
		return err_set(e, ERR_NO, "bundle: it is of another ledger, "
		    "%s", hex);
	if (chain_head(&ours, a->repo, e) != 0)
		return -1;
	if (h->since > ours.height)
		return err_set(e, ERR_NO, "bundle: it begins after block %llu, "
		    "and the last one here is %llu: make it with --since %llu",
		    (unsigned long long)h->since,
		    (unsigned long long)ours.height,
		    (unsigned long long)ours.height);
	return 0;
}

static void
unpacked(void *arg, uint64_t entries, uint64_t bytes)
{
	struct applying *a = arg;

	tally_entries(a->res, entries, bytes);
}

/* --- blocks --------------------------------------------------------------- */

/* Where both have blocks, are they the same ones? */
static int
compare(struct applying *a, const struct head *ours, struct err *e)
{
	const struct bundle_head *h = a->head;
	struct blocks_item it;
	struct db *db;
	int got;

	if (h->height > ours->height || h->height == 0)
		return 0;	/* else the next block tells */
	if (db_of(&db, a->repo, e) != 0 ||
	    (got = blocks_get(&it, db, h->height, e)) < 0)
		return -1;
	if (got == 1 && hash_eq(&it.id, &h->head))
		return 0;
	return err_set(e, ERR_BAD, "bundle: its block %llu is another one than "
	    "ours", (unsigned long long)h->height);
}

/* Those from *height on, as many as go together. */
static int
apply_some(struct applying *a, uint64_t *height, struct err *e)
{
	struct chain_block all[TOGETHER];
	struct buf text[TOGETHER], packed[TOGETHER];
	size_t n = 0, bytes = 0, done = 0;
	int ret = 0;

	while (ret == 0 && n < TOGETHER && bytes < TOGETHER_BYTES &&
	    *height + n <= a->head->height) {
		buf_init(&text[n], CHAIN_FILE_MAX);
		buf_init(&packed[n], CHAIN_FILE_MAX);
		ret = chain_read(&text[n], a->from, *height + n, e);
		if (ret == 0)
			ret = chain_read_packed(&packed[n], a->from,
			    *height + n, e);
		all[n] = (struct chain_block){ .text = buf_span(&text[n]),
		    .packed = buf_span(&packed[n]) };
		bytes += text[n++].len;
	}
	if (ret == 0)
		ret = accept_blocks(a->repo, all, n, clock_now_ms(), &done, e);
	if (ret != 0 && e->kind != ERR_SYS)
		err_wrap(e, "bundle");
	a->res->pulled.blocks += done;
	*height += done;
	for (size_t i = 0; i < n; i++) {
		buf_free(&text[i]);
		buf_free(&packed[i]);
	}
	return ret;
}

static int
apply_blocks(struct applying *a, struct err *e)
{
	uint64_t height, base;
	struct head ours;
	int ret = 0;

	if (chain_head(&ours, a->repo, e) != 0 || compare(a, &ours, e) != 0)
		return -1;
	base = ours.height;
	for (height = base + 1; ret == 0 && height <= a->head->height;) {
		ret = apply_some(a, &height, e);
		tally_moved(a->res, "blocks", height - 1 - base,
		    a->head->height - base);
	}
	if (ret != 0 || chain_head(&ours, a->repo, e) != 0)
		return -1;
	if (ours.height < a->head->height)
		return err_set(e, ERR_BAD, "bundle: its block %llu is not what "
		    "it is named", (unsigned long long)ours.height + 1);
	return compare(a, &ours, e);
}

/* --- objects -------------------------------------------------------------- */

static int
next_part(void *arg, struct buf *part, uint64_t left, struct err *e)
{
	unsigned char *to;
	long n;

	buf_reset(part);
	to = buf_room(part, PKT_DATA_MAX);
	if (to == NULL)
		return buf_check(part, "object", e);
	n = object_file_read(arg, to, left < PKT_DATA_MAX ? (size_t)left :
	    PKT_DATA_MAX, e);
	if (n == 0)
		return err_set(e, ERR_BAD, "bundle: an object is cut short");
	if (n > 0)
		part->len += (size_t)n;
	return n < 0 ? -1 : 0;
}

/* One of those that are lacking here, if the bundle has it. */
static int
take_object(struct applying *a, struct parcel_sink *sink,
    const struct hash *id, uint64_t largest, struct err *e)
{
	struct object_file f;
	int got = 0;

	if (object_open(&f, a->from, id, e) != 0)
		return e->kind == ERR_NO || e->kind == ERR_BAD ? 0 : -1;
	if (f.left <= OBJECT_SMALL_MAX || f.left <= largest)
		got = parcel_take_from(sink, next_part, &f, id, f.left, e);
	if (got == 1) {
		a->res->pulled.objects++;
		a->res->pulled.bytes += f.left;
	} else if (got == 0)
		a->res->damaged++;
	object_file_close(&f);
	return got < 0 ? -1 : 0;
}

static int
take_objects(struct applying *a, const struct ids *l, uint64_t largest,
    struct err *e)
{
	struct parcel_sink sink;
	int ret = 0;

	parcel_start(&sink, a->repo);
	for (size_t i = 0; i < l->n && ret == 0; i++) {
		ret = take_object(a, &sink, &l->id[i], largest, e);
		tally_moved(a->res, "objects", i + 1, l->n);
	}
	if (ret == 0)
		ret = parcel_commit(&sink, e);
	parcel_abort(&sink);
	return ret;
}

static int
apply_objects(struct applying *a, struct err *e)
{
	struct ids l = IDS_INIT;
	uint64_t largest;
	int ret = waiting_wanted(&l, a->repo, SIZE_MAX, e);

	if (ret == 0)
		ret = waiting_largest(&largest, a->repo, e);
	if (ret == 0)
		ret = take_objects(a, &l, largest, e);
	l.n = 0;
	if (ret == 0)
		ret = waiting_wanted(&l, a->repo, SIZE_MAX, e);
	a->res->wanted = l.n;
	ids_free(&l);
	return ret;
}

/* --- what waits ----------------------------------------------------------- */

static int
take_items(struct applying *a, struct err *e)
{
	int64_t now_ms = clock_now_ms();
	struct intake in;
	int ret;

	intake_init(&in);
	ret = a->intake(&in, a->repo, buf_span(&a->items), 0, now_ms, e);
	if (ret == 0 && in.missing.n > 0) {
		ids_sort(&in.missing);
		ret = take_objects(a, &in.missing, in.largest, e);
		intake_free(&in);
		intake_init(&in);
		if (ret == 0)
			ret = a->intake(&in, a->repo, buf_span(&a->items),
			    INTAKE_PART, now_ms, e);
	}
	if (ret != 0 && e->kind == ERR_BAD)
		err_wrap(e, "bundle");
	a->res->declined += in.refused;
	if (a->intake == intake_staged)
		a->res->pulled.staged += in.fresh;
	else
		a->res->pulled.pending += in.fresh;
	intake_free(&in);
	buf_reset(&a->items);
	return ret;
}

static int
add_item(void *arg, const struct hash *id, uint64_t at, struct span data,
    struct err *e)
{
	struct applying *a = arg;

	(void)id, (void)at;
	proto_item_add(&a->items, data);
	if (buf_check(&a->items, "bundle", e) != 0)
		return -1;
	a->odd = !a->odd;
	if (a->items.len < PROTO_ANSWER_SOFT ||
	    (a->odd && a->intake == intake_staged))
		return 0;
	return take_items(a, e);
}

static int
apply_waiting(struct applying *a, const char *dir, struct err *e)
{
	struct fs_names list;
	char path[FS_NAME_MAX];
	int ret = 0;

	if (fs_list(&list, a->from->dirfd, dir, e) != 0)
		return -1;
	for (size_t i = 0; i < list.n && ret == 0; i++) {
		snprintf(path, sizeof(path), "%s/%s", dir, list.name[i]);
		a->odd = false;
		ret = segment_scan(a->from->dirfd, path, dir, true, add_item,
		    a, e);
		if (ret == 0 && a->items.len > 0)
			ret = take_items(a, e);
		tally_moved(a->res, dir, i + 1, list.n);
	}
	fs_names_free(&list);
	return ret;
}

/* -------------------------------------------------------------------------- */

int
bundle_take(struct repo *r, const char *dir, const struct bundle_head *h,
    struct sync_result *res, struct err *e)
{
	struct applying a = { .repo = r, .res = res, .head = h };
	int ret;

	if (repo_open(&a.from, dir, e) != 0)
		return -1;
	ret = apply_blocks(&a, e);
	if (ret == 0)
		ret = apply_objects(&a, e);
	buf_init(&a.items, PROTO_PUT_MAX);
	a.intake = intake_staged;
	if (ret == 0)
		ret = apply_waiting(&a, STAGING_DIR, e);
	a.intake = intake_pending;
	if (ret == 0)
		ret = apply_waiting(&a, POOL_DIR, e);
	buf_free(&a.items);
	repo_close(a.from);
	return ret;
}

int
bundle_apply(struct repo *r, int fd, struct sync_result *res, struct err *e)
{
	struct applying a = { .repo = r, .res = res };
	struct bundle_in in = { .begin = begin, .progress = unpacked,
	    .arg = &a };
	char name[BUNDLE_DIR_LEN], path[FS_NAME_MAX + BUNDLE_DIR_LEN];
	struct err later;
	int dir, ret;

	if (bundle_dir_sweep(r->dirfd, "tmp", e) != 0 ||
	    bundle_dir(&dir, name, r->dirfd, "tmp", e) != 0)
		return -1;
	snprintf(path, sizeof(path), "%s/%s", r->path, name);
	ret = bundle_unpack(&in, fd, dir, e);
	close(dir);
	if (ret == 0)
		ret = bundle_take(r, path, &in.head, res, e);
	if (bundle_dir_remove(r->dirfd, name, ret == 0 ? e : &later) != 0)
		ret = -1;
	return ret;
}
