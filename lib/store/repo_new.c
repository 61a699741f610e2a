#define _GNU_SOURCE	/* renameat2 */
#include "store/repo.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/hex.h"
#include "ledger/name.h"
#include "ledger/secret.h"
#include "store/signed.h"
#include "store/votes.h"

static const char *const folders[] = {
	"tmp", "blocks", "objects", "objects/seg", "staging", "pending",
	"consensus", "logs", "tiles", "checkpoints", "quarantine", "hooks"
};
#define NFOLDERS (sizeof(folders) / sizeof(*folders))

static const char *const files[] = { "genesis", "config", "node.key",
    "secret", VOTES_PATH, SIGNED_PATH };
#define NFILES (sizeof(files) / sizeof(*files))

/* Parse the genesis only to refuse one that repo_open would refuse. */
static int
check_new(struct hash *id, const struct repo_new *n, struct err *e)
{
	struct genesis *g = malloc(sizeof(*g));
	int r;

	if (g == NULL)
		return err_set(e, ERR_SYS, "out of memory");
	r = genesis_parse(g, n->genesis, e);
	*id = g->id;
	free(g);
	if (r == 0 && n->node_name != NULL &&
	    !name_is_node(span_str(n->node_name)))
		return err_set(e, ERR_USAGE, "%s: not a name for a node",
		    n->node_name);
	return r;
}

static int
write_config(int fd, const struct hash *id, const char *node, struct err *e)
{
	struct buf text = BUF_INIT(CONFIG_MAX);
	char hex[HASH_HEX];
	int r;

	hash_format(hex, id);
	buf_addf(&text, "[ledger]\n\tid = %s\n", hex);
	if (node != NULL)
		buf_addf(&text, "[node]\n\tname = %s\n", node);
	r = buf_check(&text, "config", e);
	if (r == 0)
		r = fs_write(fd, "config", "tmp", buf_span(&text), 0600, true,
		    e);
	buf_free(&text);
	return r;
}

int
repo_secret_write(int dirfd, const struct hash *s, struct err *e)
{
	struct buf text = BUF_INIT(SECRET_MAX);
	int r;

	secret_text(&text, s);
	r = buf_check(&text, "secret", e);
	if (r == 0)
		r = fs_write(dirfd, "secret", "tmp", buf_span(&text), 0600,
		    false, e);
	buf_wipe(&text);
	return r;
}

#define OBJECT_PATH_LEN (16 + HASH_HEX)

static void
object_path(char out[OBJECT_PATH_LEN], struct span data)
{
	char hex[HASH_HEX];
	struct hash id;

	hash_bytes(&id, data.p, data.n);
	hash_format(hex, &id);
	snprintf(out, OBJECT_PATH_LEN, "objects/%.2s/%s", hex, hex);
}

static int
put_object(int fd, struct span data, struct err *e)
{
	char path[OBJECT_PATH_LEN], dir[OBJECT_PATH_LEN];

	object_path(path, data);
	memcpy(dir, path, sizeof(dir));
	*strrchr(dir, '/') = '\0';
	if (fs_mkdir(fd, dir, 0700, e) != 0)
		return -1;
	return fs_write(fd, path, "tmp", data, 0600, false, e);
}

static int
start_signed(int fd, const struct hash *id, struct err *e)
{
	struct signed_head none;

	signed_none(&none, clock_now_ms());
	return signed_write(fd, id, &none, e);
}

/* Put everything into the new, empty directory fd, durably. */
static int
fill(int fd, const struct repo_new *n, const struct hash *id, struct err *e)
{
	for (size_t i = 0; i < NFOLDERS; i++)
		if (mkdirat(fd, folders[i], 0700) != 0)
			return err_sys(e, "%s", folders[i]);
	if (fs_write(fd, "genesis", "tmp", n->genesis, 0600, true, e) != 0 ||
	    write_config(fd, id, n->node_name, e) != 0)
		return -1;
	if (n->key_file.n > 0 && fs_write(fd, "node.key", "tmp", n->key_file,
	    0600, true, e) != 0)
		return -1;
	if (n->secret != NULL && repo_secret_write(fd, n->secret, e) != 0)
		return -1;
	for (size_t i = 0; i < n->nobjects; i++)
		if (put_object(fd, n->object[i], e) != 0)
			return -1;
	if (n->node_name != NULL && (votes_create(fd, id, NULL, e) != 0 ||
	    (!n->late && start_signed(fd, id, e) != 0)))
		return -1;
	for (size_t i = 0; i < NFOLDERS; i++)
		if (fs_sync_dir(fd, folders[i], e) != 0)
			return -1;
	return fs_sync_dir(fd, ".", e);
}

/* Remove what fill() made, whole or in part. */
static void
remove_new(int parent, const char *name, int fd, const struct repo_new *n)
{
	for (size_t i = 0; i < n->nobjects; i++) {
		char path[OBJECT_PATH_LEN];

		object_path(path, n->object[i]);
		unlinkat(fd, path, 0);
		*strrchr(path, '/') = '\0';
		unlinkat(fd, path, AT_REMOVEDIR);
	}
	for (size_t i = 0; i < NFILES; i++)
		unlinkat(fd, files[i], 0);
	for (size_t i = NFOLDERS; i-- > 0;)
		unlinkat(fd, folders[i], AT_REMOVEDIR);
	unlinkat(parent, name, AT_REMOVEDIR);
}

static int
build(int parent, const char *dir, const struct repo_new *n,
    const struct hash *id, struct err *e)
{
	char name[32], hex[17];
	unsigned char random[8];
	int fd;

	hash_random(random, sizeof(random));
	hex_encode(hex, random, sizeof(random));
	snprintf(name, sizeof(name), ".tmp-ehr-%s", hex);
	if (mkdirat(parent, name, 0700) != 0)
		return err_sys(e, "%s/%s", dir, name);
	fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0) {
		err_sys(e, "%s/%s", dir, name);
		unlinkat(parent, name, AT_REMOVEDIR);
		return -1;
	}
	if (fill(fd, n, id, e) != 0) {
		err_wrap(e, "%s/.ehr", dir);
		goto fail;
	}
	if (renameat2(parent, name, parent, ".ehr", RENAME_NOREPLACE) != 0) {
		if (errno == EEXIST)
			err_set(e, ERR_NO, "%s/.ehr: exists already", dir);
		else
			err_sys(e, "%s/.ehr", dir);
		goto fail;
	}
	close(fd);
	return fs_sync_dir(parent, ".", e);
fail:
	remove_new(parent, name, fd, n);
	close(fd);
	return -1;
}

int
repo_create(const char *dir, const struct repo_new *n, struct err *e)
{
	bool made = false;
	struct hash id;
	struct stat st;
	int parent, r;

	if (check_new(&id, n, e) != 0)
		return -1;
	if (mkdir(dir, 0755) == 0)
		made = true;
	else if (errno != EEXIST)
		return err_sys(e, "%s", dir);
	parent = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (parent < 0)
		return err_sys(e, "%s", dir);
	if (fstatat(parent, ".ehr", &st, AT_SYMLINK_NOFOLLOW) == 0)
		r = err_set(e, ERR_NO, "%s/.ehr: exists already", dir);
	else
		r = build(parent, dir, n, &id, e);
	if (r == 0 && made)
		r = fs_sync_dir(parent, "..", e);
	close(parent);
	if (r != 0 && made)
		rmdir(dir);
	return r;
}
