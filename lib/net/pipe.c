#define _GNU_SOURCE	/* pipe2 */
#include "net/pipe.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"

#define TERM_MS 2000		/* from SIGTERM to SIGKILL */

extern char **environ;

/*
 * Commands that run, for pipe_end_all.  One that finds no room is ended only
 * by whoever started it.
 */
#define RUNNING_MAX 128
static struct pipe_command running[RUNNING_MAX];
static size_t nrunning;
static pthread_mutex_t running_lock = PTHREAD_MUTEX_INITIALIZER;

static void
remember(const struct pipe_command *c)
{
	pthread_mutex_lock(&running_lock);
	if (nrunning < RUNNING_MAX)
		running[nrunning++] = *c;
	pthread_mutex_unlock(&running_lock);
}

static void
forget(pid_t pid)
{
	pthread_mutex_lock(&running_lock);
	for (size_t i = 0; i < nrunning; i++)
		if (running[i].pid == pid) {
			running[i] = running[--nrunning];
			break;
		}
	pthread_mutex_unlock(&running_lock);
}

/* Are we what runs in the foreground of a terminal? */
static bool
at_terminal(void)
{
	int fd = open("/dev/tty", O_RDONLY | O_CLOEXEC | O_NOCTTY);
	bool yes;

	if (fd < 0)
		return false;
	yes = tcgetpgrp(fd) == getpgrp();
	close(fd);
	return yes;
}

/* Start it; its ends of the pipes are in and out.  0 or an errno. */
static int
start(struct pipe_command *c, const char *command, int in, int out)
{
	char *argv[] = { (char *)"sh", (char *)"-c", (char *)"--",
	    (char *)command, NULL };
	posix_spawn_file_actions_t files;
	posix_spawnattr_t attr;
	short flags = POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK;
	sigset_t set;
	int r;

	if ((r = posix_spawn_file_actions_init(&files)) != 0)
		return r;
	if ((r = posix_spawnattr_init(&attr)) != 0) {
		posix_spawn_file_actions_destroy(&files);
		return r;
	}
	if (c->group)
		flags |= POSIX_SPAWN_SETPGROUP;
	sigemptyset(&set);
	posix_spawnattr_setsigmask(&attr, &set);
	sigaddset(&set, SIGPIPE);
	posix_spawnattr_setsigdefault(&attr, &set);
	posix_spawnattr_setpgroup(&attr, 0);
	posix_spawnattr_setflags(&attr, flags);
	/* dup2 leaves the new descriptor open over the exec. */
	if ((r = posix_spawn_file_actions_adddup2(&files, in, 0)) == 0 &&
	    (r = posix_spawn_file_actions_adddup2(&files, out, 1)) == 0)
		r = posix_spawn(&c->pid, "/bin/sh", &files, &attr, argv,
		    environ);
	posix_spawnattr_destroy(&attr);
	posix_spawn_file_actions_destroy(&files);
	return r;
}

int
pipe_open(struct pipe_command *c, const char *command, struct err *e)
{
	int to[2], from[2], r;

	*c = (struct pipe_command){ -1, !at_terminal(), -1, -1 };
	if (pipe2(to, O_CLOEXEC) != 0)
		return err_sys(e, "pipe");
	if (pipe2(from, O_CLOEXEC) != 0) {
		err_sys(e, "pipe");
		close(to[0]);
		close(to[1]);
		return -1;
	}
	signal(SIGPIPE, SIG_IGN);
	r = start(c, command, to[0], from[1]);
	close(to[0]);
	close(from[1]);
	c->to = to[1];
	c->from = from[0];
	if (r == 0 && (fcntl(c->to, F_SETFL, O_NONBLOCK) != 0 ||
	    fcntl(c->from, F_SETFL, O_NONBLOCK) != 0))
		r = errno;
	if (r == 0) {
		remember(c);
		return 0;
	}
	pipe_close(c, 0, NULL);
	errno = r;
	return err_sys(e, "/bin/sh");
}

static void
end_with(const struct pipe_command *c, int signo)
{
	/* It is not reaped yet, so the number is still its own. */
	kill(c->group ? -c->pid : c->pid, signo);
}

/* Has it ended, within so long?  Leaves it to be reaped. */
static bool
ended(const struct pipe_command *c, int wait_ms)
{
	const struct timespec nap = { 0, 2000000 };
	int64_t until = clock_mono_ms() + wait_ms;

	for (;;) {
		siginfo_t info = { .si_pid = 0 };

		if (waitid(P_PID, (id_t)c->pid, &info,
		    WEXITED | WNOHANG | WNOWAIT) != 0 && errno != EINTR)
			return true;	/* somebody else reaped it */
		if (info.si_pid != 0)
			return true;
		if (clock_mono_ms() >= until)
			return false;
		nanosleep(&nap, NULL);
	}
}

void
pipe_close(struct pipe_command *c, int grace_ms, int *status)
{
	int st = 0;

	if (status != NULL)
		*status = 0;
	if (c->to >= 0)
		close(c->to);
	if (c->from >= 0)
		close(c->from);
	c->to = c->from = -1;
	if (c->pid < 0)
		return;
	if (!ended(c, grace_ms)) {
		end_with(c, SIGTERM);
		if (!ended(c, TERM_MS))
			end_with(c, SIGKILL);
	}
	forget(c->pid);
	while (waitpid(c->pid, &st, 0) < 0 && errno == EINTR)
		;
	c->pid = -1;
	if (status != NULL)
		*status = WIFSIGNALED(st) ? 128 + WTERMSIG(st) :
		    WEXITSTATUS(st);
}

void
pipe_end_all(void)
{
	const struct timespec nap = { 0, 100000000 };

	pthread_mutex_lock(&running_lock);
	for (size_t i = 0; i < nrunning; i++)
		end_with(&running[i], SIGTERM);
	if (nrunning > 0)
		nanosleep(&nap, NULL);
	for (size_t i = 0; i < nrunning; i++)
		end_with(&running[i], SIGKILL);
	pthread_mutex_unlock(&running_lock);
}
