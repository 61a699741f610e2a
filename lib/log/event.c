#define _GNU_SOURCE	/* O_CLOEXEC, pread */
#include "log/event.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/stamp.h"

#define PATIENCE_MS 60000	/* for the owner's program */

const char *
event_name(enum event_kind kind)
{
	static const char *const name[] = { "damaged", "repaired", "outvoted",
	    "alarm" };

	return name[kind];
}

/* --- the file ------------------------------------------------------------- */

/* Does it end in the middle of a line?  1, 0, -1. */
static int
is_torn(int fd, struct err *e)
{
	struct stat st;
	char last;

	if (fstat(fd, &st) != 0)
		return err_sys(e, EVENT_FILE);
	if (!S_ISREG(st.st_mode))
		return err_set(e, ERR_BAD, EVENT_FILE ": is not a file");
	if (st.st_size == 0)
		return 0;
	if (pread(fd, &last, 1, st.st_size - 1) != 1)
		return err_sys(e, EVENT_FILE);
	return last != '\n';
}

int
event_add(const struct repo *r, int64_t now_ms, enum event_kind kind,
    const char *path, const char *text, struct err *e)
{
	char time[STAMP_LEN + 1], line[FS_NAME_MAX + EVENT_TEXT_MAX + 64];
	int fd, n, torn;

	fd = openat(r->dirfd, EVENT_FILE, O_RDWR | O_APPEND | O_CREAT |
	    O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0600);
	if (fd < 0)
		return err_sys(e, "%s/" EVENT_FILE, r->path);
	stamp_format(time, now_ms);
	torn = is_torn(fd, e);
	n = snprintf(line, sizeof(line), "%s%s %s %s %.*s\n", torn == 1 ?
	    "\n" : "", time, event_name(kind), path, EVENT_TEXT_MAX - 1, text);
	if (torn >= 0 && (fs_write_all(fd, line, (size_t)n) != 0 ||
	    fsync(fd) != 0))
		torn = err_sys(e, "%s/" EVENT_FILE, r->path);
	close(fd);
	return torn < 0 ? -1 : fs_sync_parent(r->dirfd, EVENT_FILE, e);
}

/* --- the owner's program -------------------------------------------------- */

/* A name without a slash is one of hooks/. */
static int
hook_path(char out[FS_NAME_MAX], const struct repo *r, const char *hook,
    struct err *e)
{
	const char *home = getenv("HOME");
	int n;

	if (strncmp(hook, "~/", 2) == 0 && home != NULL)
		n = snprintf(out, FS_NAME_MAX, "%s%s", home, hook + 1);
	else if (strchr(hook, '/') != NULL)
		n = snprintf(out, FS_NAME_MAX, "%s", hook);
	else
		n = snprintf(out, FS_NAME_MAX, "%s/hooks/%s", r->path, hook);
	return n > 0 && n < FS_NAME_MAX ? 0 : err_set(e, ERR_NO,
	    "config: check.hook is too long");
}

/* Our environment, and EHR_DIR; owned by the caller, but for the strings. */
static char **
surroundings(char *dir)
{
	extern char **environ;
	size_t n = 0, at = 0;
	char **out;

	while (environ[n] != NULL)
		n++;
	out = calloc(n + 2, sizeof(*out));
	for (size_t i = 0; out != NULL && i < n; i++)
		if (strncmp(environ[i], "EHR_DIR=", 8) != 0)
			out[at++] = environ[i];
	if (out != NULL)
		out[at] = dir;
	return out;
}

/* Its standard input is empty, its output goes to our standard error. */
static int
start(pid_t *pid, const char *path, char *const *argv, char *const *env)
{
	posix_spawn_file_actions_t files;
	posix_spawnattr_t attr;
	sigset_t set;
	int r;

	if ((r = posix_spawn_file_actions_init(&files)) != 0)
		return r;
	if ((r = posix_spawnattr_init(&attr)) != 0) {
		posix_spawn_file_actions_destroy(&files);
		return r;
	}
	sigemptyset(&set);
	posix_spawnattr_setsigmask(&attr, &set);
	sigaddset(&set, SIGPIPE);
	posix_spawnattr_setsigdefault(&attr, &set);
	posix_spawnattr_setpgroup(&attr, 0);
	posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETSIGDEF |
	    POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETPGROUP);
	r = posix_spawn_file_actions_addopen(&files, 0, "/dev/null", O_RDONLY,
	    0);
	if (r == 0)
		r = posix_spawn_file_actions_adddup2(&files, 2, 1);
	if (r == 0)
		r = posix_spawn(pid, path, &files, &attr, argv, env);
	posix_spawnattr_destroy(&attr);
	posix_spawn_file_actions_destroy(&files);
	return r;
}

/* Wait for its end; what takes too long is ended, with all that it started. */
static int
finish(pid_t pid)
{
	const struct timespec nap = { 0, 5000000 };
	int64_t until = clock_mono_ms() + PATIENCE_MS;
	int status = 0;
	pid_t got;

	while ((got = waitpid(pid, &status, WNOHANG)) == 0 &&
	    clock_mono_ms() < until)
		nanosleep(&nap, NULL);
	if (got == 0) {
		kill(-pid, SIGKILL);
		while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
			;
	}
	return WIFEXITED(status) ? WEXITSTATUS(status) :
	    128 + WTERMSIG(status);
}

int
event_tell(const struct repo *r, enum event_kind kind, const char *path,
    const char *text, struct err *e)
{
	const char *hook = config_get(&r->config, "check.hook");
	char program[FS_NAME_MAX], dir[FS_NAME_MAX + 16];
	char *argv[] = { program, (char *)event_name(kind), (char *)path,
	    (char *)text, NULL };
	char **env;
	pid_t pid;
	int code;

	if (hook == NULL || hook[0] == '\0')
		return 0;
	if (hook_path(program, r, hook, e) != 0)
		return -1;
	snprintf(dir, sizeof(dir), "EHR_DIR=%s", r->path);
	if ((env = surroundings(dir)) == NULL)
		return err_set(e, ERR_SYS, "out of memory");
	code = start(&pid, program, argv, env);
	free(env);
	if (code != 0) {
		errno = code;
		err_sys(e, "check.hook %s", program);
		e->kind = ERR_NO;
		return -1;
	}
	if ((code = finish(pid)) != 0)
		return err_set(e, ERR_NO, "check.hook %s: ended with %d",
		    program, code);
	return 0;
}
