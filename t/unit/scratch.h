/*
 * scratch: a folder of its own for a test of files, and a ledger in it.
 *
 * The test works in the folder, which is also its HOME, and goes with it.
 */
#ifndef UNIT_SCRATCH_H
#define UNIT_SCRATCH_H

#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <limits.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "check.h"
#include "little.h"
#include "store/repo.h"

static char scratch_path[PATH_MAX];

static inline void
scratch_open(void)
{
	const char *tmp = getenv("TMPDIR");

	snprintf(scratch_path, sizeof(scratch_path), "%s/ehr-unit.XXXXXX",
	    tmp == NULL ? "/tmp" : tmp);
	if (mkdtemp(scratch_path) == NULL || chdir(scratch_path) != 0)
		abort();
	setenv("HOME", scratch_path, 1);
	unsetenv("EHR_DIR");
	unsetenv("EHR_SAFE_DIRECTORY");
	unsetenv("EHR_PASSPHRASE_FILE");
	unsetenv("CREDENTIALS_DIRECTORY");
}

static inline int
scratch_remove_one(const char *path, const struct stat *st, int flag,
    struct FTW *ftw)
{
	(void)st;
	(void)flag;
	(void)ftw;
	return remove(path);
}

/* Remove a file or folder with all that is in it. */
static inline void
scratch_remove(const char *path)
{
	nftw(path, scratch_remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

static inline void
scratch_close(void)
{
	if (chdir("/") == 0)
		scratch_remove(scratch_path);
}

/* Write a file, without caution. */
static inline void
scratch_write(const char *path, const void *p, size_t n)
{
	FILE *f = fopen(path, "w");

	CHECK(f != NULL && fwrite(p, 1, n, f) == n);
	if (f != NULL)
		fclose(f);
}

static inline void
scratch_text(const char *path, const char *text)
{
	scratch_write(path, text, strlen(text));
}

/* Is this what the file holds? */
static inline bool
scratch_holds(const char *path, struct span want)
{
	struct buf b = BUF_INIT(16u << 20);
	struct err e;
	bool same = fs_read(&b, AT_FDCWD, path, &e) == 0 &&
	    span_eq(buf_span(&b), want);

	buf_free(&b);
	return same;
}

/* How many entries a folder has, hidden ones too; -1 if there is none. */
static inline int
scratch_entries(const char *path)
{
	char command[PATH_MAX + 32];
	FILE *p;
	int n = -1;

	if (access(path, F_OK) != 0)
		return -1;
	snprintf(command, sizeof(command), "ls -A %s | wc -l", path);
	if ((p = popen(command, "r")) != NULL) {
		if (fscanf(p, "%d", &n) != 1)
			n = -1;
		pclose(p);
	}
	return n;
}

/* Flip one bit of a file. */
static inline void
scratch_flip(const char *path, long byte, int bit)
{
	int fd = open(path, O_RDWR);
	unsigned char c = 0;

	CHECK(fd >= 0 && pread(fd, &c, 1, byte) == 1);
	c ^= (unsigned char)(1 << bit);
	CHECK(pwrite(fd, &c, 1, byte) == 1);
	close(fd);
}

/* Make DIR/.ehr, a copy of the little ledger. */
static inline void
scratch_ledger(const char *dir)
{
	struct little l;
	struct repo_new n;
	struct err e;

	little_open(&l);
	n = (struct repo_new){ .genesis = buf_span(&l.genesis),
	    .secret = &l.secret, .node_name = "hospital-a" };
	CHECK(repo_create(dir, &n, &e) == 0);
	little_close(&l);
}

/*
 * Mount a small file system on the new folder path, in a mount namespace of
 * our own, which the kernel takes away with us.  False, and a line that says
 * so, where we may not.
 */
static inline bool
scratch_small_disk(const char *path, const char *size)
{
	char options[64];

	snprintf(options, sizeof(options), "size=%s,mode=700", size);
	if (mkdir(path, 0700) == 0 && unshare(CLONE_NEWNS) == 0 &&
	    mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0 &&
	    mount("ehr", path, "tmpfs", 0, options) == 0)
		return true;
	printf("skip the full disk: mounting needs root\n");
	return false;
}

/* Write a file that leaves so many bytes of its disk. */
static inline void
scratch_fill(const char *path, off_t left)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
	char p[4096] = "";
	off_t n = 0;

	while (write(fd, p, sizeof(p)) == (ssize_t)sizeof(p))
		n += (off_t)sizeof(p);
	CHECK(errno == ENOSPC && n > left && ftruncate(fd, n - left) == 0);
	close(fd);
}

/* Microseconds since some start. */
static inline long
scratch_us(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000000L + ts.tv_nsec / 1000;
}

/*
 * Run work(arg, fd) in a process of its own, and kill it: after it has written
 * some number of bytes to fd, up to most_bytes, and then some time, up to
 * most_us.  What it wrote is appended to said.
 */
static inline void
scratch_kill_in(void (*work)(void *arg, int fd), void *arg, long most_bytes,
    long most_us, struct buf *said)
{
	long bytes = random() % (most_bytes + 1);
	long us = random() % (most_us + 1);
	struct timespec nap = { us / 1000000, us % 1000000 * 1000 };
	int fd[2], status;
	struct err e;
	pid_t pid;
	char c;

	CHECK(pipe(fd) == 0);
	fflush(stdout);
	if ((pid = fork()) == 0) {
		close(fd[0]);
		work(arg, fd[1]);
		_exit(0);
	}
	close(fd[1]);
	while (bytes-- > 0 && read(fd[0], &c, 1) == 1)
		buf_addc(said, (unsigned char)c);
	nanosleep(&nap, NULL);
	kill(pid, SIGKILL);
	CHECK(waitpid(pid, &status, 0) == pid);
	CHECK(WIFSIGNALED(status) || WEXITSTATUS(status) == 0);
	CHECK(fs_read_fd(said, fd[0], "pipe", &e) == 0);
	close(fd[0]);
}

#endif
