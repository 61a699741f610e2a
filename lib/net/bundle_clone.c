/* A new ledger directory from a bundle. */
#define _GNU_SOURCE	/* renameat2 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "ledger/genesis.h"
#include "net/bundle.h"
#include "store/bundle_in.h"

#define PACKED "bundle"		/* folders in the temporary one: the bundle, */
#define NEW "new"		/* and what has the .ehr to be */

struct cloning {
	const struct clone *c;
	struct sync_result *res;
	struct bundle_in in;
	int parent, dir;	/* c->dir, and the temporary folder in it */
	char name[BUNDLE_DIR_LEN];	/* of that, in c->dir */
};

/* The path of something in the temporary folder. */
static int
path_of(char out[FS_NAME_MAX], const struct cloning *k, const char *what,
    struct err *e)
{
	if ((size_t)snprintf(out, FS_NAME_MAX, "%s/%s/%s", k->c->dir, k->name,
	    what) < FS_NAME_MAX)
		return 0;
	return err_set(e, ERR_USAGE, "%s: too long a path", k->c->dir);
}

static int
begin(void *arg, const struct bundle_head *h, struct err *e)
{
	struct cloning *k = arg;
	char hex[HASH_HEX];

	hash_format(hex, &h->ledger);
	if (k->c->ledger != NULL && !hash_eq(&h->ledger, k->c->ledger))
		return err_set(e, ERR_NO, "bundle: it is of another ledger, "
		    "%s", hex);
	if (h->since > 0)
		return err_set(e, ERR_NO, "bundle: it is not whole, but begins "
		    "after block %llu: make it without --since",
		    (unsigned long long)h->since);
	return 0;
}

static void
unpacked(void *arg, uint64_t entries, uint64_t bytes)
{
	struct cloning *k = arg;

	tally_entries(k->res, entries, bytes);
}

static int
unpack(struct cloning *k, int fd, struct err *e)
{
	int to, ret;

	k->in = (struct bundle_in){ .begin = begin, .progress = unpacked,
	    .arg = k };
	if (mkdirat(k->dir, PACKED, 0700) != 0 ||
	    mkdirat(k->dir, NEW, 0700) != 0)
		return err_sys(e, "%s/%s", k->c->dir, k->name);
	to = openat(k->dir, PACKED, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (to < 0)
		return err_sys(e, "%s/%s", k->c->dir, k->name);
	ret = bundle_unpack(&k->in, fd, to, e);
	close(to);
	if (ret == 0 && !k->in.genesis)
		ret = err_set(e, ERR_BAD, "bundle: it has no genesis");
	return ret;
}

/* A directory that has only the genesis, and then the rest. */
static int
fill(struct cloning *k, struct err *e)
{
	struct buf genesis = BUF_INIT(GENESIS_MAX);
	char new[FS_NAME_MAX], packed[FS_NAME_MAX];
	struct repo *r = NULL;
	int ret;

	if (path_of(new, k, NEW, e) != 0 || path_of(packed, k, PACKED, e) != 0)
		return -1;
	ret = fs_read(&genesis, k->dir, PACKED "/genesis", e);
	if (ret == 0)
		ret = clone_create(k->c, new, buf_span(&genesis),
		    k->in.head.height > 0, e);
	buf_free(&genesis);
	if (ret == 0)
		ret = repo_open(&r, new, e);
	if (ret == 0)
		ret = bundle_take(r, packed, &k->in.head, k->res, e);
	repo_close(r);
	return ret;
}

/* All is there: it gets its name. */
static int
appear(struct cloning *k, struct err *e)
{
	if (renameat2(k->dir, NEW "/.ehr", k->parent, ".ehr",
	    RENAME_NOREPLACE) != 0)
		return errno == EEXIST ? err_set(e, ERR_NO, "%s/.ehr: exists "
		    "already", k->c->dir) : err_sys(e, "%s/.ehr", k->c->dir);
	return fs_sync_dir(k->parent, ".", e);
}

/* In c->dir, which nobody else works on. */
static int
run(struct cloning *k, int fd, struct err *e)
{
	struct err later;
	int ret;

	if (flock(k->parent, LOCK_EX | LOCK_NB) != 0)
		return errno == EWOULDBLOCK ? err_set(e, ERR_AGAIN, "%s: "
		    "another process makes a copy there", k->c->dir) :
		    err_sys(e, "%s", k->c->dir);
	if (bundle_dir_sweep(k->parent, ".", e) != 0 ||
	    bundle_dir(&k->dir, k->name, k->parent, ".", e) != 0)
		return -1;
	ret = unpack(k, fd, e);
	if (ret == 0)
		ret = fill(k, e);
	if (ret == 0)
		ret = appear(k, e);
	close(k->dir);
	if (bundle_dir_remove(k->parent, k->name, ret == 0 ? e : &later) != 0)
		ret = -1;
	return ret;
}

int
bundle_clone(const struct clone *c, int fd, struct hash *id,
    struct sync_result *res, struct err *e)
{
	struct cloning k = { .c = c, .res = res };
	bool made;
	int ret;

	if (clone_check(c, e) != 0)
		return -1;
	made = mkdir(c->dir, 0755) == 0;
	if (!made && errno != EEXIST)
		return err_sys(e, "%s", c->dir);
	k.parent = open(c->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (k.parent < 0)
		return err_sys(e, "%s", c->dir);
	ret = run(&k, fd, e);
	if (ret == 0 && made)
		ret = fs_sync_dir(k.parent, "..", e);
	close(k.parent);
	if (ret != 0 && made)
		rmdir(c->dir);
	*id = k.in.head.ledger;
	return ret;
}
