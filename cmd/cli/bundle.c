#define _GNU_SOURCE	/* AT_FDCWD */
#include "cli/bundle.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "net/bundle.h"

int
bundle_open(const char *file, const char **name, struct err *e)
{
	int fd;

	*name = file;
	if (strcmp(file, "-") == 0) {
		*name = "standard input";
		return STDIN_FILENO;
	}
	fd = open(file, O_RDONLY | O_CLOEXEC);
	if (fd >= 0)
		return fd;
	return errno == ENOENT ? err_set(e, ERR_NO, "%s: no such file", file) :
	    err_sys(e, "%s", file);
}

/* To a temporary file beside FILE, which then gets its name; or to stdout. */
static int
create(const char *file, struct repo *r, uint64_t since,
    struct sync_result *res, struct bundle_head *h, struct err *e)
{
	struct fs_temp t;

	if (strcmp(file, "-") == 0)
		return bundle_make(h, r, STDOUT_FILENO, since, res, e);
	if (fs_temp_beside(&t, AT_FDCWD, file, 0600, e) != 0)
		return -1;
	if (bundle_make(h, r, t.fd, since, res, e) == 0)
		return fs_temp_commit(&t, file, false, e);
	fs_temp_abort(&t);
	return -1;
}

int
bundle_check(const char *name, const struct sync_result *res, struct err *e)
{
	return res->damaged == 0 ? 0 : err_set(e, ERR_BAD, "%s: %llu of its "
	    "objects are damaged", name, (unsigned long long)res->damaged);
}

static int
apply(const char *file, struct repo *r, struct sync_result *res,
    struct err *e)
{
	const char *name;
	int fd = bundle_open(file, &name, e), lock, ret = -1;

	if (fd < 0)
		return -1;
	if ((lock = fs_lock(r->dirfd, "sync.lock", 0, e)) >= 0) {
		ret = bundle_apply(r, fd, res, e);
		close(lock);
	}
	if (ret == 0)
		ret = bundle_check(name, res, e);
	if (fd != STDIN_FILENO)
		close(fd);
	return ret;
}

void
bundle_narrate(struct cli *c, const struct sync_result *res)
{
	const struct sync_count *n = &res->pulled;

	cli_verbose(c, "took %llu blocks, %llu objects (%llu bytes), %llu "
	    "staged records, %llu transactions", (unsigned long long)n->blocks,
	    (unsigned long long)n->objects, (unsigned long long)n->bytes,
	    (unsigned long long)n->staged, (unsigned long long)n->pending);
	if (res->declined > 0)
		cli_verbose(c, "%llu of its items are not for us",
		    (unsigned long long)res->declined);
	if (res->wanted > 0)
		cli_note(c, "%llu objects that the ledger names are not here: "
		    "see ehr-sync status", (unsigned long long)res->wanted);
}

int
bundle_command(struct cli *c, uint64_t since, struct sync_result *res)
{
	const char *verb = cli_shift(c), *file = cli_shift(c);
	bool make = verb != NULL && strcmp(verb, "create") == 0;
	struct bundle_head h;
	struct repo *r;
	struct err e;
	int ret;

	if (file == NULL || c->argc > 0 ||
	    (!make && (strcmp(verb, "apply") != 0 || since > 0)))
		return cli_usage(c, "bundle takes \"create FILE [--since "
		    "HEIGHT]\" or \"apply FILE\"");
	if (repo_open(&r, c->dir, &e) != 0)
		return cli_fail(c, &e);
	ret = make ? create(file, r, since, res, &h, &e) :
	    apply(file, r, res, &e);
	if (res->watch != NULL)
		res->watch(res->arg, NULL);
	repo_close(r);
	if (ret != 0)
		return cli_fail(c, &e);
	if (make)
		cli_verbose(c, "blocks %llu to %llu, %llu bytes",
		    (unsigned long long)h.since + 1,
		    (unsigned long long)h.height,
		    (unsigned long long)res->pushed.bytes);
	else
		bundle_narrate(c, res);
	return 0;
}
