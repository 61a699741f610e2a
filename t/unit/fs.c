/* fs: a file appears whole under its name or not at all; locks. */
#define _GNU_SOURCE	/* mkdtemp */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "check.h"
#include "base/clock.h"
#include "base/fs.h"

static struct err e;
static int dir;

static bool
holds(const char *path, const char *text)
{
	struct buf b = BUF_INIT(1 << 20);
	bool same = fs_read(&b, dir, path, &e) == 0 &&
	    span_is(buf_span(&b), text);

	buf_free(&b);
	return same;
}

/* How many entries, hidden ones too: no temporary file may be left. */
static int
entries(const char *path)
{
	char command[64];
	FILE *p;
	int n = -1;

	snprintf(command, sizeof(command), "ls -A %s | wc -l", path);
	if ((p = popen(command, "r")) != NULL) {
		if (fscanf(p, "%d", &n) != 1)
			n = -1;
		pclose(p);
	}
	return n;
}

static void
write_and_read(void)
{
	struct buf b = BUF_INIT(3);
	struct stat st;

	CHECK(fs_write(dir, "f", NULL, span_str("one"), 0640, true, &e) == 0);
	CHECK(holds("f", "one"));
	CHECK(fstatat(dir, "f", &st, 0) == 0 && (st.st_mode & 0777) == 0640);
	CHECK(fs_write(dir, "f", NULL, span_str("two"), 0600, true, &e) != 0 &&
	    e.kind == ERR_NO);
	CHECK(holds("f", "one"));
	CHECK(fs_write(dir, "f", NULL, span_str("three"), 0600, false, &e)
	    == 0);
	CHECK(holds("f", "three"));
	CHECK(fs_read(&b, dir, "f", &e) != 0 && e.kind == ERR_BAD);
	buf_free(&b);
	CHECK(fs_write(dir, "f", NULL, span_str("abc"), 0600, false, &e) == 0);
	CHECK(fs_read(&b, dir, "f", &e) == 0 && span_is(buf_span(&b), "abc"));
	buf_free(&b);
	CHECK(fs_read(&b, dir, "none", &e) != 0 && e.kind == ERR_NO);
	CHECK(fs_read(&b, dir, "f/x", &e) != 0 && e.kind == ERR_NO);
	CHECK(fs_read(&b, dir, ".", &e) != 0 && e.kind == ERR_BAD);
	CHECK(fs_write(dir, "no/f", NULL, span_str("x"), 0600, false, &e) != 0
	    && e.kind == ERR_SYS && e.errnum == ENOENT);
	CHECK(fs_mkdir(dir, "sub", 0700, &e) == 0);
	CHECK(fs_mkdir(dir, "sub", 0700, &e) == 0);
	CHECK(fs_mkdir(dir, "f", 0700, &e) != 0 && e.errnum == ENOTDIR);
	CHECK(fs_write(dir, "sub/g", ".", span_str("x"), 0600, true, &e) == 0);
	CHECK(holds("sub/g", "x"));
	/* A directory does not give way to a file. */
	CHECK(fs_write(dir, "sub", NULL, span_str("x"), 0600, false, &e) != 0);
	CHECK(entries(".") == 2 && entries("sub") == 1);
	CHECK(fs_remove(dir, "f", &e) == 0 && fs_remove(dir, "f", &e) == 0);
	CHECK(!holds("f", "abc"));
	CHECK(fs_sync_dir(dir, "none", &e) != 0 && e.kind == ERR_SYS);
}

static void
temporary(void)
{
	struct fs_temp t, u;

	CHECK(fs_temp_open(&t, dir, ".", 0600, &e) == 0);
	CHECK(fs_temp_open(&u, dir, ".", 0600, &e) == 0);
	CHECK(strcmp(t.name, u.name) != 0);
	CHECK(fs_write_all(t.fd, "half", 4) == 0);
	CHECK(entries(".") == 3);
	fs_temp_abort(&t);
	fs_temp_abort(&t);
	CHECK(fs_write_all(u.fd, "whole", 5) == 0);
	CHECK(fs_temp_commit(&u, "w", true, &e) == 0);
	fs_temp_abort(&u);		/* does nothing any more */
	CHECK(holds("w", "whole"));
	CHECK(entries(".") == 2);
	CHECK(fs_remove(dir, "w", &e) == 0);
	CHECK(fs_temp_open(&t, dir, "none", 0600, &e) != 0 &&
	    e.kind == ERR_SYS);
	CHECK(fs_write_all(-1, "x", 1) != 0 && errno == EBADF);
}

static void
listing(void)
{
	static const char *const name[] = { "b", "a", "\xc3\xa9", "B", ".dot" };
	struct fs_names l;

	CHECK(fs_list(&l, dir, "none", &e) == 0 && l.n == 0);
	CHECK(fs_mkdir(dir, "list", 0700, &e) == 0);
	CHECK(fs_list(&l, dir, "list", &e) == 0 && l.n == 0);
	for (size_t i = 0; i < 5; i++) {
		char path[32];

		snprintf(path, sizeof(path), "list/%s", name[i]);
		CHECK(fs_write(dir, path, NULL, span_str(""), 0600, true, &e)
		    == 0);
	}
	CHECK(fs_list(&l, dir, "list", &e) == 0 && l.n == 4);
	if (l.n == 4) {
		CHECK_STR(l.name[0], "B");
		CHECK_STR(l.name[1], "a");
		CHECK_STR(l.name[2], "b");
		CHECK_STR(l.name[3], "\xc3\xa9");
	}
	fs_names_free(&l);
	CHECK(fs_list(&l, dir, "list/a", &e) != 0 && e.kind == ERR_SYS);
}

/* A pipe stands for a file; and one that never ends meets the ceiling. */
static void
pipes(void)
{
	struct buf b = BUF_INIT(100000);
	char path[32];
	int fd[2];

	CHECK(pipe(fd) == 0);
	CHECK(write(fd[1], "from a pipe", 11) == 11);
	close(fd[1]);
	snprintf(path, sizeof(path), "/dev/fd/%d", fd[0]);
	CHECK(fs_read(&b, AT_FDCWD, path, &e) == 0);
	CHECK(span_is(buf_span(&b), "from a pipe"));
	close(fd[0]);
	buf_reset(&b);
	CHECK(fs_read(&b, AT_FDCWD, "/dev/zero", &e) != 0 &&
	    e.kind == ERR_BAD);
	buf_free(&b);
	CHECK(fs_read_fd(&b, -1, "x", &e) != 0 && e.errnum == EBADF);
	buf_free(&b);
}

/* The write fails, so nothing appears, and nothing is left behind. */
static void
full_disk(void)
{
	int fd = open("/dev/full", O_WRONLY | O_CLOEXEC);

	CHECK(fd >= 0);
	CHECK(fs_write_all(fd, "x", 1) != 0 && errno == ENOSPC);
	close(fd);
}

/*
 * In a child that holds the lock until its end of the pipe is closed: by a
 * kill, as when power fails.
 */
static pid_t
holder(int *ready)
{
	int fd[2];
	pid_t pid;
	char c;

	if (pipe(fd) != 0)
		return -1;
	if ((pid = fork()) == 0) {
		if (fs_lock(dir, "lock", 0, &e) >= 0 &&
		    write(fd[1], "x", 1) == 1)
			pause();
		_exit(1);
	}
	close(fd[1]);
	*ready = read(fd[0], &c, 1) == 1;
	close(fd[0]);
	return pid;
}

static void
locks(void)
{
	char want[64];
	int64_t start;
	int fd, ready = 0, status;
	pid_t pid = holder(&ready);

	CHECK(pid > 0 && ready);
	CHECK(fs_lock(dir, "lock", 0, &e) < 0 && e.kind == ERR_AGAIN);
	snprintf(want, sizeof(want), "lock: locked by process %d", (int)pid);
	CHECK_STR(e.msg, want);
	start = clock_mono_ms();
	CHECK(fs_lock(dir, "lock", 50, &e) < 0);
	CHECK(clock_mono_ms() - start >= 50);
	kill(pid, SIGKILL);
	waitpid(pid, &status, 0);
	CHECK((fd = fs_lock(dir, "lock", 0, &e)) >= 0);
	snprintf(want, sizeof(want), "%-10d\n", (int)getpid());
	CHECK(holds("lock", want));
	CHECK(fs_lock(dir, "lock", 0, &e) < 0);
	close(fd);
	CHECK((fd = fs_lock(dir, "lock", 0, &e)) >= 0);
	close(fd);
	CHECK(symlinkat("lock", dir, "link") == 0);
	CHECK(fs_lock(dir, "link", 0, &e) < 0 && e.kind == ERR_SYS);
}

int
main(void)
{
	const char *tmp = getenv("TMPDIR");
	char name[1000], command[1100];

	snprintf(name, sizeof(name), "%s/ehr-fs-XXXXXX",
	    tmp == NULL ? "/tmp" : tmp);
	if (mkdtemp(name) == NULL || chdir(name) != 0)
		return 1;
	dir = open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	write_and_read();
	temporary();
	listing();
	pipes();
	full_disk();
	locks();
	close(dir);
	snprintf(command, sizeof(command), "rm -r '%s'", name);
	CHECK(chdir("/") == 0 && system(command) == 0);
	return check_done("fs");
}
