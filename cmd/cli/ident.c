#define _GNU_SOURCE	/* O_CLOEXEC and others */
#include "cli/ident.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fs.h"
#include "cli/pass.h"
#include "store/repo.h"

/* name, where "~/" is the home directory, into path. */
static int
expand(char *path, const char *name, struct err *e)
{
	const char *home = "";
	int n;

	if (strncmp(name, "~/", 2) == 0) {
		home = getenv("HOME");
		if (home == NULL)
			return err_set(e, ERR_USAGE, "%s: HOME is not set",
			    name);
		name++;
	}
	n = snprintf(path, FS_NAME_MAX, "%s%s", home, name);
	if (n < 0 || n >= FS_NAME_MAX)
		return err_set(e, ERR_USAGE, "a path of over %d bytes",
		    FS_NAME_MAX - 1);
	return 0;
}

/* user.identity of conf, of -C's ledger, or of the user; empty: not set. */
static int
from_config(char *path, const struct cli *c, const struct config *conf,
    struct err *e)
{
	struct config own = { NULL, 0 };
	struct repo *repo = NULL;
	const char *name;
	int r = 0;

	if (conf == NULL && c->dir != NULL) {
		if (repo_open(&repo, c->dir, e) != 0)
			return -1;
		conf = &repo->config;
	} else if (conf == NULL) {
		if (config_load(&own, -1, e) != 0)
			return -1;
		conf = &own;
	}
	name = config_get(conf, "user.identity");
	path[0] = '\0';
	if (name != NULL)
		r = expand(path, name, e);
	config_free(&own);
	repo_close(repo);
	return r;
}

int
ident_path(char *path, const struct cli *c, const struct config *conf,
    struct err *e)
{
	const char *name = getenv("EHR_IDENTITY");

	if (c->identity.n > 1)
		return err_set(e, ERR_USAGE, "one -i is enough");
	if (c->identity.n == 1)
		name = c->identity.v[0];
	if (name != NULL && name[0] != '\0') {
		if (strlen(name) >= FS_NAME_MAX)
			return err_set(e, ERR_USAGE, "a path of over %d bytes",
			    FS_NAME_MAX - 1);
		strcpy(path, name);
		return 0;
	}
	if (from_config(path, c, conf, e) != 0)
		return -1;
	if (path[0] == '\0')
		return err_set(e, ERR_USAGE, "no identity is named: "
		    "give -i FILE, or set EHR_IDENTITY or user.identity");
	return 0;
}

/* A secret that others can read is none; and a pipe cannot be checked. */
static int
check_file(int fd, const char *path, struct err *e)
{
	struct stat st;

	if (fstat(fd, &st) != 0)
		return err_sys(e, "%s", path);
	if (!S_ISREG(st.st_mode))
		return err_set(e, ERR_BAD, "%s: not a regular file", path);
	if ((st.st_mode & 077) != 0)
		return err_set(e, ERR_NO, "%s: mode %04o is too open for a "
		    "secret key; chmod 600 it", path,
		    (unsigned)st.st_mode & 07777);
	return 0;
}

static int
read_file(struct buf *out, const char *path, struct err *e)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	int r;

	if (fd < 0 && (errno == ENOENT || errno == ENOTDIR))
		return err_set(e, ERR_NO, "%s: no such file", path);
	if (fd < 0)
		return err_sys(e, "%s", path);
	r = check_file(fd, path, e);
	if (r == 0)
		r = fs_read_fd(out, fd, path, e);
	close(fd);
	return r;
}

int
ident_read(struct identity *out, struct cli *c, const char *path,
    struct err *e)
{
	struct buf file = BUF_INIT(IDENTITY_FILE_MAX);
	struct pass pass = { .n = 0 };
	struct span name;
	int r;

	memset(out, 0, sizeof(*out));
	if (read_file(&file, path, e) != 0) {
		buf_wipe(&file);
		return -1;
	}
	/* What is no key file at all is said before a passphrase is asked. */
	r = identity_name(&name, buf_span(&file), e);
	if (r != 0)
		err_wrap(e, "%s", path);
	else if (identity_is_encrypted(buf_span(&file)))
		r = pass_get(&pass, c, path, e);
	if (r == 0) {
		r = identity_parse(out, buf_span(&file), pass_span(&pass), e);
		if (r != 0)
			err_wrap(e, "%s", path);
	}
	pass_wipe(&pass);
	buf_wipe(&file);
	return r;
}

int
ident_get(struct identity *out, struct cli *c, const struct config *conf,
    struct err *e)
{
	char path[FS_NAME_MAX];

	memset(out, 0, sizeof(*out));
	if (ident_path(path, c, conf, e) != 0)
		return -1;
	return ident_read(out, c, path, e);
}
