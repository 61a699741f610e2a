/*
 * outcome: how a command ended, and what is true of its ledger then, whatever
 * a peer has said.
 */
#ifndef UNIT_OUTCOME_H
#define UNIT_OUTCOME_H

#include "post.h"

#include <dirent.h>
#include <sys/resource.h>

#include "log/audit.h"
#include "net/ids.h"
#include "store/settle.h"

#define RUN_MS 60000		/* that a command may take on a busy machine */
#define MEMORY_KIB 65536

static struct err e;
static int told;		/* failures that have been explained */
static long most_kib;		/* of memory, that a command has had */

static char self[PATH_MAX];	/* this program, to be run as a peer */

/* --- where ---------------------------------------------------------------- */

/* The commands are in PATH then, and self is set; or "skip" is printed. */
static inline bool
find_commands(void)
{
	ssize_t n = readlink("/proc/self/exe", self, sizeof(self) - 1);
	const char *bin = getenv("EHR_BIN");
	char path[3 * PATH_MAX];

	if (n < 0 || bin == NULL) {
		printf("skip: EHR_BIN does not say where the commands are\n");
		return false;
	}
	snprintf(path, sizeof(path), "%s:%s", bin, getenv("PATH"));
	setenv("PATH", path, 1);
	setvbuf(stdout, NULL, _IOLBF, 0);
	return true;
}

/* Where we may, work in a file system in memory: no fsync waits for a disk. */
static inline bool
work_in_memory(void)
{
	if (mkdir("memory", 0700) != 0 || unshare(CLONE_NEWNS) != 0 ||
	    mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0 ||
	    mount("ehr", "memory", "tmpfs", 0, "mode=700") != 0)
		return false;
	if (chdir("memory") != 0)
		abort();
	return true;
}

static inline void
work_done(void)
{
	if (chdir(scratch_path) == 0)
		umount("memory");
	scratch_close();
}

/* --- running -------------------------------------------------------------- */

static inline void
shell(const char *fmt, ...)
{
	char command[4 * PATH_MAX];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(command, sizeof(command), fmt, ap);
	va_end(ap);
	if (system(command) != 0) {
		printf("failed: %s\n", command);
		abort();
	}
}

/* Start sh -c command, its input and output on fd (-1: nothing). */
static inline pid_t
start(const char *command, int fd)
{
	int none = open("/dev/null", O_RDWR | O_CLOEXEC);
	int said = open("stderr", O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC,
	    0600);
	pid_t pid = fork();

	if (pid == 0) {
		dup2(fd < 0 ? none : fd, 0);
		dup2(fd < 0 ? none : fd, 1);
		dup2(said, 2);
		execl("/bin/sh", "sh", "-c", command, (char *)NULL);
		_exit(4);
	}
	close(none);
	close(said);
	return pid;
}

/* Its exit status, 128 and more for a signal or when it does not end. */
static inline int
finish(pid_t pid, long *kib)
{
	int64_t until = clock_mono_ms() + RUN_MS;
	const struct timespec nap = { 0, 1000000 };
	struct rusage use;
	int status;
	pid_t got;

	while ((got = wait4(pid, &status, WNOHANG, &use)) == 0) {
		if (clock_mono_ms() > until) {
			kill(pid, SIGKILL);
			waitpid(pid, &status, 0);
			return 300;
		}
		nanosleep(&nap, NULL);
	}
	*kib = use.ru_maxrss;
	return got != pid ? 301 : WIFSIGNALED(status) ?
	    128 + WTERMSIG(status) : WEXITSTATUS(status);
}

/* What waits at a ledger before it is played to. */
struct waits {
	struct ids pending, staged;
};

/* --- what is always true -------------------------------------------------- */

/* A recorded block may be signed by this very node, which voted for it in its
 * other life: so many findings of an audit say that. */
static uint64_t own_votes;

static inline int
see(void *arg, const struct audit_finding *f, struct err *err)
{
	(void)err;
	if (f->class == AUDIT_NODE &&
	    strncmp(f->what, "this node has signed block ", 27) == 0)
		own_votes++;
	else if (!f->absent)
		printf("audit of %s: %s: %s\n", (const char *)arg, f->where,
		    f->what);
	return 0;
}

/* Ids of what waits at a ledger, on its chain or not. */
static inline int
add_pending(void *arg, const struct hash *id, struct span note,
    struct err *err)
{
	(void)note;
	return ids_add(arg, id, err);
}

static inline int
add_staged(void *arg, const struct staged *s, struct span header,
    struct err *err)
{
	(void)header;
	return ids_add(arg, &s->id, err);
}

static inline void
look(struct ids *pending, struct ids *staged, struct repo *r)
{
	pending->n = staged->n = 0;
	CHECK(pool_each(r, add_pending, pending, &e) == 0);
	CHECK(staging_each(r, add_staged, staged, &e) == 0);
	ids_sort(pending);
	ids_sort(staged);
}

/* Nothing that waited there before has been forgotten. */
static inline void
check_waiting(const struct waits *b, struct repo *r)
{
	struct ids pending = IDS_INIT, staged = IDS_INIT;
	struct db *db;

	look(&pending, &staged, r);
	CHECK(db_of(&db, r, &e) == 0);
	for (size_t i = 0; i < b->pending.n; i++)
		CHECK(ids_has(&pending, &b->pending.id[i]) ||
		    settle_tx(db, &b->pending.id[i], &e) == 1);
	for (size_t i = 0; i < b->staged.n; i++)
		CHECK(ids_has(&staged, &b->staged.id[i]));
	ids_free(&pending);
	ids_free(&staged);
}

/* Entries of a folder, but those of what a clone makes. */
static inline int
count_entries(const char *path)
{
	struct dirent *d;
	DIR *dir = opendir(path);
	int n = 0;

	if (dir == NULL)
		return -1;
	while ((d = readdir(dir)) != NULL)
		n += strcmp(d->d_name, "new") != 0;
	closedir(dir);
	return n - 2;
}

/* The height of what it holds; 0 also when there is none. */
static inline uint64_t
check_ledger(const char *dir, const struct waits *b)
{
	struct audit a = { .finding = see, .arg = (void *)(uintptr_t)dir };
	char tmp[64];

	if (repo_open(&a.repo, dir, &e) != 0) {
		/* A clone that did not get so far. */
		CHECK(access(dir, F_OK) != 0 && b->pending.n == 0);
		return 0;
	}
	own_votes = 0;
	CHECK(audit_run(&a, &e) == 0);
	for (int i = 0; i < AUDIT_CLASSES; i++)
		CHECK(a.count[i].failed == (i == AUDIT_NODE ? own_votes : 0));
	check_waiting(b, a.repo);
	audit_close(&a);
	repo_close(a.repo);
	snprintf(tmp, sizeof(tmp), "%s/.ehr/tmp", dir);
	CHECK(count_entries(tmp) == 0);
	return a.head.height;
}

/* How a command ended: 0, or with one line that says why. */
static inline bool
ended_well(int status, long kib, long limit_kib, bool silent)
{
	struct buf said = BUF_INIT(65536);
	size_t lines = 0;

	CHECK(fs_read(&said, AT_FDCWD, "stderr", &e) == 0);
	for (size_t i = 0; i < said.len; i++)
		lines += said.p[i] == '\n';
	CHECK(status == 0 || status == ERR_NO || status == ERR_BAD ||
	    status == ERR_AGAIN);
	CHECK(silent ? lines == 0 : status == 0 || lines > 0);
#ifdef EHR_MEASURED	/* sanitizers have memory of their own */
	limit_kib = LONG_MAX;
#endif
	CHECK(kib < limit_kib);
	if (kib > most_kib)
		most_kib = kib;
	if (checks_failed != told) {
		printf("status %d, %ld KiB, said: %.*s\n", status, kib,
		    (int)said.len, (const char *)said.p);
	}
	buf_free(&said);
	return status == 0;
}

#endif
