#define _GNU_SOURCE	/* O_PATH */
#include <errno.h>
#include <fcntl.h>
#include <linux/landlock.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "net/confine_part.h"

/*
 * Rights by the Landlock version that has them; the headers of Debian 12 end
 * with the second.  Before that, renaming from one folder into another was
 * always refused, which is how everything here becomes durable.
 */
#define VERSION_MIN 2
#define FS_V2 ((1ULL << 14) - 1)		/* up to REFER */
#define FS_TRUNCATE (1ULL << 14)		/* 3 */
#define FS_IOCTL_DEV (1ULL << 15)		/* 5 */
#define NET_V4 3ULL				/* bind and connect */
#define SCOPE_V6 3ULL				/* abstract sockets, signals */

/* struct landlock_ruleset_attr as it is today. */
struct ruleset {
	uint64_t fs, net, scope;
};
#define SIZE_V1 8
#define SIZE_V4 16
#define SIZE_V6 24

#define READ_FILES (LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR)
#define WRITE_FILES (READ_FILES | LANDLOCK_ACCESS_FS_WRITE_FILE | \
	LANDLOCK_ACCESS_FS_MAKE_REG | LANDLOCK_ACCESS_FS_MAKE_DIR | \
	LANDLOCK_ACCESS_FS_REMOVE_FILE | LANDLOCK_ACCESS_FS_REMOVE_DIR | \
	LANDLOCK_ACCESS_FS_REFER | FS_TRUNCATE)
#define WRITE_FILE (LANDLOCK_ACCESS_FS_READ_FILE | \
	LANDLOCK_ACCESS_FS_WRITE_FILE | FS_TRUNCATE)

/*
 * What serving needs of a ledger directory.  Not genesis, config, node.key,
 * secret and state.db, which are read or open by now, and not hooks.
 */
static const struct {
	const char *name;
	int flags;
	uint64_t access;
} parts[] = {
	/* SQLite syncs the folder of its files. */
	{ ".", O_PATH | O_DIRECTORY, LANDLOCK_ACCESS_FS_READ_DIR },
	{ "blocks", O_PATH | O_DIRECTORY, WRITE_FILES },
	{ "checkpoints", O_PATH | O_DIRECTORY, READ_FILES },
	{ "consensus", O_PATH | O_DIRECTORY, WRITE_FILES },
	{ "lock", O_RDWR | O_CREAT, WRITE_FILE },
	{ "logs", O_PATH | O_DIRECTORY, READ_FILES },
	{ "objects", O_PATH | O_DIRECTORY, WRITE_FILES },
	/* As it is now: one that replaces it may not be read. */
	{ "peers", O_RDONLY | O_NONBLOCK, LANDLOCK_ACCESS_FS_READ_FILE },
	{ "pending", O_PATH | O_DIRECTORY, WRITE_FILES },
	{ "quarantine", O_PATH | O_DIRECTORY, WRITE_FILES },
	{ "staging", O_PATH | O_DIRECTORY, WRITE_FILES },
	{ "state.lock", O_RDWR | O_CREAT, WRITE_FILE },
	{ "tiles", O_PATH | O_DIRECTORY, READ_FILES },
	{ "tmp", O_PATH | O_DIRECTORY, WRITE_FILES },
	{ "verify.lock", O_RDWR | O_CREAT, WRITE_FILE }
};
#define NPARTS (sizeof(parts) / sizeof(*parts))

/* A descriptor; -2 it is not there; -1. */
static int
open_part(const struct repo *r, size_t i, struct err *e)
{
	int fd = openat(r->dirfd, parts[i].name,
	    parts[i].flags | O_NOFOLLOW | O_CLOEXEC, 0600);

	if (fd >= 0)
		return fd;
	if (errno == ENOENT)
		return -2;
	if (errno == ENOTDIR || errno == ELOOP)
		return err_set(e, ERR_NO, "%s/%s: a symbolic link, which leads "
		    "out of the ledger directory", r->path, parts[i].name);
	return err_sys(e, "%s/%s", r->path, parts[i].name);
}

/* A ruleset without a rule, all that this kernel knows refused: 1 and it,
 * 0 there is no Landlock, -1. */
static int
make_ruleset(int *out, struct ruleset *a, struct err *e)
{
	long version = syscall(SYS_landlock_create_ruleset, NULL, 0,
	    LANDLOCK_CREATE_RULESET_VERSION);
	size_t size = version >= 6 ? SIZE_V6 : version >= 4 ? SIZE_V4 :
	    SIZE_V1;

	*out = -1;
	if (CONFINE_NEVER || version < VERSION_MIN)
		return 0;
	*a = (struct ruleset){ FS_V2, NET_V4, SCOPE_V6 };
	if (version >= 3)
		a->fs |= FS_TRUNCATE;
	if (version >= 5)
		a->fs |= FS_IOCTL_DEV;
	*out = (int)syscall(SYS_landlock_create_ruleset, a, size, 0);
	return *out < 0 ? err_sys(e, "Landlock") : 1;
}

static int
allow(int ruleset, int fd, uint64_t access, struct err *e)
{
	struct landlock_path_beneath_attr rule = { access, fd };

	return syscall(SYS_landlock_add_rule, ruleset,
	    LANDLOCK_RULE_PATH_BENEATH, &rule, 0) == 0 ? 0 :
	    err_sys(e, "Landlock");
}

int
confine_files(struct repo *r, struct err *e)
{
	struct ruleset a = { 0, 0, 0 };
	int ruleset, fd, got = make_ruleset(&ruleset, &a, e);

	for (size_t i = 0; i < NPARTS && got >= 0; i++) {
		if ((fd = open_part(r, i, e)) == -1)
			got = -1;
		if (fd < 0)
			continue;
		if (got == 1 &&
		    allow(ruleset, fd, parts[i].access & a.fs, e) != 0)
			got = -1;
		close(fd);
	}
	if (got == 1 && syscall(SYS_landlock_restrict_self, ruleset, 0) != 0)
		got = err_sys(e, "Landlock");
	if (ruleset >= 0)
		close(ruleset);
	return got;
}
