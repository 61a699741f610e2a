#define _GNU_SOURCE
#include "store/repo.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "ledger/secret.h"

#define PASS_MAX 1024		/* bytes of a passphrase file's first line */

/* What repo_keep_keys found. */
struct repo_keys {
	struct identity node;
	struct err node_e;		/* kind ERR_NONE: it is there */
	struct hash secret;
	struct err secret_e;
};

/*
 * Read a file that nobody but its owner may read.  A key that others could
 * read must be taken for lost: better to stop than to go on using it.
 */
static int
read_private(struct buf *out, const struct repo *r, const char *name,
    struct err *e)
{
	struct stat st;
	int fd, got = -1;

	fd = openat(r->dirfd, name, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0)
		return errno == ENOENT ?
		    err_set(e, ERR_NO, "%s/%s: no such file", r->path, name) :
		    err_sys(e, "%s/%s", r->path, name);
	if (fstat(fd, &st) != 0)
		err_sys(e, "%s/%s", r->path, name);
	else if (!S_ISREG(st.st_mode))
		err_set(e, ERR_BAD, "%s/%s: not a file", r->path, name);
	else if ((st.st_mode & 077) != 0)
		err_set(e, ERR_NO, "%s/%s: mode %04o lets others read it; "
		    "make it 0600", r->path, name, st.st_mode & 07777);
	else
		got = fs_read_fd(out, fd, name, e);
	close(fd);
	return got;
}

static int
read_secret(const struct repo *r, struct hash *out, bool *checked,
    struct err *e)
{
	struct buf text = BUF_INIT(SECRET_MAX);
	int got = read_private(&text, r, "secret", e);

	*checked = false;
	if (got == 0)
		got = secret_parse(out, checked, buf_span(&text), e);
	buf_wipe(&text);
	return got;
}

int
repo_secret_look(const struct repo *r, bool *checked, struct err *e)
{
	struct hash secret;
	int got = read_secret(r, &secret, checked, e);

	hash_wipe(&secret, sizeof(secret));
	return got;
}

int
repo_secret(const struct repo *r, struct hash *out, struct err *e)
{
	const struct repo_keys *k = r->keys;
	bool checked;

	if (k == NULL)
		return read_secret(r, out, &checked, e);
	if (k->secret_e.kind != ERR_NONE) {
		*e = k->secret_e;
		return -1;
	}
	*out = k->secret;
	return 0;
}

int
repo_secret_set(const struct repo *r, const struct hash *s, struct err *e)
{
	bool same, checked;
	struct hash old;

	if (read_secret(r, &old, &checked, e) == 0) {
		same = hash_secret_eq(&old, s, HASH_LEN);
		hash_wipe(&old, sizeof(old));
		return same ? 0 : err_set(e, ERR_NO,
		    "%s/secret: there is another one already", r->path);
	}
	if (faccessat(r->dirfd, "secret", F_OK, AT_SYMLINK_NOFOLLOW) == 0)
		return -1;
	return repo_secret_write(r->dirfd, s, e);
}

/* The file with the node's key: systemd's credential, else our own. */
static int
read_key_file(struct buf *out, const struct repo *r, struct err *e)
{
	const char *dir = getenv("CREDENTIALS_DIRECTORY");
	char path[FS_NAME_MAX];

	if (dir != NULL && dir[0] == '/' &&
	    (size_t)snprintf(path, sizeof(path), "%s/node.key", dir) <
	    sizeof(path)) {
		if (fs_read(out, AT_FDCWD, path, e) == 0)
			return 0;
		if (e->kind != ERR_NO)
			return -1;
	}
	return read_private(out, r, "node.key", e);
}

/* The first line of the passphrase file, without its newline. */
static int
read_pass(struct buf *out, const struct repo *r, struct err *e)
{
	const char *file = getenv("EHR_PASSPHRASE_FILE");
	const unsigned char *nl;

	if (file == NULL || file[0] == '\0')
		file = config_get(&r->config, "passphrase.file");
	if (file == NULL || file[0] == '\0')
		return err_set(e, ERR_NO, "the node's key has a passphrase: "
		    "set EHR_PASSPHRASE_FILE");
	if (fs_read(out, AT_FDCWD, file, e) != 0)
		return -1;
	nl = out->len == 0 ? NULL : memchr(out->p, '\n', out->len);
	if (nl != NULL)
		out->len = (size_t)(nl - out->p);
	return 0;
}

static int
read_node_key(const struct repo *r, struct identity *id, struct err *e)
{
	struct buf file = BUF_INIT(IDENTITY_FILE_MAX);
	struct buf pass = BUF_INIT(PASS_MAX);
	int got = -1;

	memset(id, 0, sizeof(*id));
	if (read_key_file(&file, r, e) == 0 &&
	    (!identity_is_encrypted(buf_span(&file)) ||
	    read_pass(&pass, r, e) == 0))
		got = identity_parse(id, buf_span(&file), buf_span(&pass), e);
	buf_wipe(&file);
	buf_wipe(&pass);
	return got;
}

int
repo_node_key_look(const struct repo *r, struct identity *id, bool *locked,
    struct err *e)
{
	struct buf file = BUF_INIT(IDENTITY_FILE_MAX);
	struct buf pass = BUF_INIT(PASS_MAX);
	struct span name;
	int got;

	memset(id, 0, sizeof(*id));
	*locked = false;
	got = read_private(&file, r, "node.key", e);
	if (got == 0 && identity_is_encrypted(buf_span(&file)) &&
	    read_pass(&pass, r, e) != 0)
		*locked = true;
	if (got == 0 && !*locked)
		got = identity_parse(id, buf_span(&file), buf_span(&pass), e);
	else if (got == 0 && (got = identity_name(&name, buf_span(&file),
	    e)) == 0)
		memcpy(id->name, name.p, name.n);
	buf_wipe(&file);
	buf_wipe(&pass);
	return got;
}

int
repo_node_key(const struct repo *r, struct identity *id, struct err *e)
{
	const struct repo_keys *k = r->keys;

	if (k == NULL)
		return read_node_key(r, id, e);
	if (k->node_e.kind == ERR_NONE)
		return identity_copy(id, &k->node, e);
	memset(id, 0, sizeof(*id));
	*e = k->node_e;
	return -1;
}

int
repo_keep_keys(struct repo *r, struct err *e)
{
	struct repo_keys *k = calloc(1, sizeof(*k));
	bool checked;

	if (k == NULL)
		return err_set(e, ERR_SYS, "out of memory");
	/* What fails leaves its reason, which is an answer too. */
	(void)read_node_key(r, &k->node, &k->node_e);
	(void)read_secret(r, &k->secret, &checked, &k->secret_e);
	repo_forget_keys(r);
	r->keys = k;
	return 0;
}

void
repo_forget_keys(struct repo *r)
{
	if (r->keys == NULL)
		return;
	identity_wipe(&r->keys->node);
	hash_wipe(r->keys, sizeof(*r->keys));
	free(r->keys);
	r->keys = NULL;
}
