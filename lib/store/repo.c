#define _GNU_SOURCE
#include "store/repo.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"

#define STALE_MS (24 * 3600 * 1000LL)	/* age of a forgotten file of tmp */

_Static_assert(FS_NAME_MAX >= PATH_MAX, "realpath needs the room");

/* Open BASE/NAME as r's directory: 1 it is not there, 0 it is, -1 error. */
static int
try_at(struct repo *r, const char *base, const char *name, struct err *e)
{
	char path[FS_NAME_MAX];

	if ((size_t)snprintf(path, sizeof(path), "%s/%s", base, name) >=
	    sizeof(path))
		return err_set(e, ERR_USAGE, "%s: too long a path", base);
	if (realpath(path, r->path) == NULL) {
		if (errno == ENOENT || errno == ENOTDIR)
			return 1;
		return err_sys(e, "%s", path);
	}
	r->dirfd = open(r->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (r->dirfd < 0)
		return errno == ENOTDIR ? 1 : err_sys(e, "%s", r->path);
	return 0;
}

/* The working directory and those above it. */
static int
find_above(struct repo *r, struct err *e)
{
	char at[PATH_MAX], *slash;
	int got;

	if (getcwd(at, sizeof(at)) == NULL)
		return err_sys(e, "working directory");
	for (;;) {
		if ((got = try_at(r, at, ".ehr", e)) <= 0)
			return got;
		slash = strrchr(at, '/');
		if (slash == NULL || at[0] == '\0')
			return err_set(e, ERR_NO,
			    "no ledger in this directory or above it");
		*slash = '\0';
	}
}

/* DIR/.ehr, or DIR when it is such a directory itself. */
static int
find(struct repo *r, const char *dir, struct err *e)
{
	char genesis[FS_NAME_MAX];
	int got;

	if (dir == NULL)
		dir = getenv("EHR_DIR");
	if (dir == NULL || dir[0] == '\0')
		return find_above(r, e);
	if ((got = try_at(r, dir, ".ehr", e)) <= 0)
		return got;
	snprintf(genesis, sizeof(genesis), "%s/genesis", dir);
	if (access(genesis, F_OK) == 0 && (got = try_at(r, dir, ".", e)) <= 0)
		return got;
	return err_set(e, ERR_NO, "%s: no ledger there", dir);
}

/* Does an entry of a list of trusted directories name path or its parent? */
static bool
names(struct span entry, const char *path)
{
	char text[FS_NAME_MAX], real[FS_NAME_MAX];
	const char *last = strrchr(path, '/');
	struct span parent = span_of(path, (size_t)(last - path)), s;

	if (span_is(entry, "*"))
		return true;
	if (entry.n == 0 || entry.n >= sizeof(text) || entry.p[0] != '/')
		return false;
	memcpy(text, entry.p, entry.n);
	text[entry.n] = '\0';
	if (realpath(text, real) == NULL)
		return false;
	s = span_str(real);
	return span_is(s, path) || (parent.n > 0 && span_eq(s, parent));
}

static bool
safe_by_environment(const char *path)
{
	const char *at = getenv("EHR_SAFE_DIRECTORY");

	while (at != NULL && *at != '\0') {
		size_t n = strcspn(at, ":");

		if (names(span_of(at, n), path))
			return true;
		at += at[n] == ':' ? n + 1 : n;
	}
	return false;
}

/* The directory's own config has no say in whether it is trusted. */
static int
safe_by_config(bool *yes, const char *path, struct err *e)
{
	struct config c = { NULL, 0 };
	int r = config_load(&c, -1, e);

	*yes = false;
	for (size_t i = 0; r == 0 && i < c.n; i++)
		if (strcmp(c.entry[i].key, "safe.directory") == 0 &&
		    names(span_str(c.entry[i].value), path))
			*yes = true;
	config_free(&c);
	return r;
}

static int
check_owner(const struct repo *r, struct err *e)
{
	struct stat st;
	bool safe;

	if (fstat(r->dirfd, &st) != 0)
		return err_sys(e, "%s", r->path);
	if (st.st_uid == geteuid() || safe_by_environment(r->path))
		return 0;
	if (safe_by_config(&safe, r->path, e) != 0)
		return -1;
	if (safe)
		return 0;
	return err_set(e, ERR_NO, "%s belongs to user %lu, not to you; "
	    "set EHR_SAFE_DIRECTORY to trust it", r->path,
	    (unsigned long)st.st_uid);
}

/* Read genesis and config, which must speak of the same ledger. */
static int
load(struct repo *r, struct err *e)
{
	const char *want;
	struct hash id;

	if (fs_read(&r->genesis_file, r->dirfd, "genesis", e) != 0) {
		if (e->kind == ERR_NO)
			e->kind = ERR_BAD;
		return err_wrap(e, "%s", r->path);
	}
	if (genesis_parse(r->genesis, buf_span(&r->genesis_file), e) != 0) {
		/* One bit is enough to spoil its signature. */
		if (e->kind == ERR_NO)
			e->kind = ERR_BAD;
		return err_wrap(e, "%s", r->path);
	}
	if (config_load(&r->config, r->dirfd, e) != 0)
		return -1;
	want = config_get(&r->config, "ledger.id");
	if (want == NULL || hash_parse(&id, span_str(want)) != 0)
		return err_set(e, ERR_BAD, "%s/config: ledger.id does not name "
		    "a ledger", r->path);
	if (!hash_eq(&id, repo_ledger(r)))
		return err_set(e, ERR_BAD, "%s: genesis was altered or "
		    "replaced, or ledger.id of config was", r->path);
	return 0;
}

int
repo_open(struct repo **out, const char *dir, struct err *e)
{
	struct repo *r = calloc(1, sizeof(*r));

	if (r == NULL)
		return err_set(e, ERR_SYS, "out of memory");
	r->dirfd = -1;
	buf_init(&r->genesis_file, GENESIS_MAX);
	if ((r->genesis = calloc(1, sizeof(*r->genesis))) == NULL)
		err_set(e, ERR_SYS, "out of memory");
	else if (find(r, dir, e) == 0 && check_owner(r, e) == 0 &&
	    load(r, e) == 0) {
		*out = r;
		return 0;
	}
	repo_close(r);
	return -1;
}

void
repo_close(struct repo *r)
{
	if (r == NULL)
		return;
	if (r->db != NULL)
		r->db_close(r->db);
	repo_forget_keys(r);
	config_free(&r->config);
	buf_free(&r->genesis_file);
	free(r->genesis);
	if (r->dirfd >= 0)
		close(r->dirfd);
	free(r);
}

const char *
repo_node_name(const struct repo *r)
{
	return config_get(&r->config, "node.name");
}

int
repo_lock(const struct repo *r, int wait_ms, struct err *e)
{
	return fs_lock(r->dirfd, "lock", wait_ms, e);
}

/* Was this file of tmp left behind by a process that died long ago? */
static bool
is_stale(int fd, const char *name)
{
	struct stat st;

	return strncmp(name, ".tmp-", 5) == 0 &&
	    fstatat(fd, name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
	    S_ISREG(st.st_mode) &&
	    clock_now_ms() - (int64_t)st.st_mtim.tv_sec * 1000 > STALE_MS;
}

int
repo_sweep(const struct repo *r, struct err *e)
{
	int fd = openat(r->dirfd, "tmp", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct dirent *d;
	int got = 0;
	DIR *dir;

	if (fd < 0)
		return err_sys(e, "%s/tmp", r->path);
	if ((dir = fdopendir(fd)) == NULL) {
		close(fd);
		return err_sys(e, "%s/tmp", r->path);
	}
	while (got == 0 && (errno = 0, d = readdir(dir)) != NULL)
		if (is_stale(fd, d->d_name) &&
		    unlinkat(fd, d->d_name, 0) != 0 && errno != ENOENT)
			got = err_sys(e, "%s/tmp/%s", r->path, d->d_name);
	if (got == 0 && errno != 0)
		got = err_sys(e, "%s/tmp", r->path);
	closedir(dir);
	return got;
}
