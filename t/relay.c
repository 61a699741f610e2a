/*
 * relay: stands between two nodes, in the place of a peer's command, and
 * passes on what they say, message by message (up to a flush of the protocol).
 *
 *	relay LOG [-k N] COMMAND ARGUMENT...
 *
 * All that goes either way is appended to the file LOG.PID before it is passed
 * on, without the protocol's own lengths, so that grep finds whole lines.
 * With -k, the process that started us is killed as soon as N messages were
 * passed on, from the first request about consensus on: -k 0 before that.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

struct way {
	int in, out;		/* out is -1 when nobody reads there any more */
	unsigned char *p;
	size_t n, cap;
	size_t seen;		/* bytes that were taken apart */
};

static int log_fd;
static pid_t caller;	/* 0: it is not to be killed */
static long kill_at;		/* messages */
static long passed = -1;	/* -1: none about consensus yet */

static void
fail(const char *what)
{
	perror(what);
	exit(4);
}

/* False: the other end is gone. */
static bool
write_all(int fd, const unsigned char *p, size_t n)
{
	while (n > 0) {
		ssize_t w = write(fd, p, n);

		if (w < 0)
			return false;
		p += w;
		n -= (size_t)w;
	}
	return true;
}

/* The length of the packet at p, its four digits included; 0 is a flush. */
static size_t
length(const unsigned char *p)
{
	char digits[5] = { 0 };

	memcpy(digits, p, 4);
	return strtoul(digits, NULL, 16);
}

static void
count(void)
{
	if (caller != 0 && passed == kill_at) {
		kill(caller, SIGKILL);
		caller = 0;
	}
}

/* Pass on the first `end` bytes, a whole message. */
static void
pass(struct way *w, size_t end)
{
	for (size_t at = 0; at < end;) {
		size_t n = length(w->p + at);

		if (n > 4 && !write_all(log_fd, w->p + at + 4, n - 4))
			fail("relay: log");
		at += n == 0 ? 4 : n;
	}
	if (passed < 0 && end > 14 && memcmp(w->p + 4, "consensus\n", 10) == 0)
		passed = 0;
	count();
	if (w->out >= 0 && !write_all(w->out, w->p, end)) {
		close(w->out);
		w->out = -1;
	}
	if (passed >= 0) {
		passed++;
		count();
	}
	memmove(w->p, w->p + end, w->n - end);
	w->n -= end;
	w->seen = 0;
}

/* Take what came; false at its end. */
static bool
take(struct way *w)
{
	ssize_t got;

	if (w->cap - w->n < 65536) {
		w->cap = 2 * w->cap + 65536;
		if ((w->p = realloc(w->p, w->cap)) == NULL)
			fail("relay");
	}
	got = read(w->in, w->p + w->n, w->cap - w->n);
	if (got <= 0)
		return false;
	w->n += (size_t)got;
	while (w->n - w->seen >= 4) {
		size_t n = length(w->p + w->seen);

		if (n == 0)
			pass(w, w->seen + 4);
		else if (w->n - w->seen < n)
			break;
		else
			w->seen += n;
	}
	return true;
}

static pid_t
start(char **argv, int *to, int *from)
{
	int in[2], out[2];
	pid_t pid;

	if (pipe2(in, O_CLOEXEC) != 0 || pipe2(out, O_CLOEXEC) != 0 ||
	    (pid = fork()) < 0)
		fail("relay");
	if (pid == 0) {
		dup2(in[0], 0);
		dup2(out[1], 1);
		execvp(argv[0], argv);
		_exit(127);
	}
	close(in[0]);
	close(out[1]);
	*to = in[1];
	*from = out[0];
	return pid;
}

static void
run(struct way *ask, struct way *answer)
{
	struct pollfd p[2] = {
		{ .fd = ask->in, .events = POLLIN },
		{ .fd = answer->in, .events = POLLIN }
	};

	for (;;) {
		if (poll(p, 2, -1) < 0)
			fail("relay: poll");
		if (p[0].revents != 0 && !take(ask)) {
			p[0].fd = -1;
			if (ask->out >= 0)
				close(ask->out);
			ask->out = -1;
		}
		if (p[1].revents != 0 && !take(answer))
			return;
	}
}

int
main(int argc, char **argv)
{
	struct way ask = { .in = 0 }, answer = { .out = 1 };
	int at = 2, status;
	char name[4096];
	pid_t pid;

	if (argc > 4 && strcmp(argv[2], "-k") == 0) {
		kill_at = atol(argv[3]);
		caller = getppid();
		at = 4;
	}
	if (at >= argc) {
		fprintf(stderr, "usage: relay LOG [-k N] COMMAND...\n");
		return 2;
	}
	signal(SIGPIPE, SIG_IGN);
	snprintf(name, sizeof(name), "%s.%d", argv[1], (int)getpid());
	log_fd = open(name, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	if (log_fd < 0)
		fail(name);
	pid = start(argv + at, &ask.out, &answer.in);
	run(&ask, &answer);
	close(1);
	waitpid(pid, &status, 0);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 125;
}
