/*
 * late: a link on which all that is said comes later.
 *
 *	late MS COMMAND ARGUMENT...
 *
 * Runs the command and passes on what comes on standard input to its, and its
 * standard output to ours, each byte MS milliseconds after it was read, in any
 * amount, as on a wire of that length that is never full.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define PIECE 65536

struct piece {
	struct piece *next;
	double due;
	size_t at, n;
	unsigned char p[];
};

struct way {
	int in, out;		/* -1: closed */
	struct piece *first, **last;
};

static double late_s;

static double
now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void
fail(const char *what)
{
	perror(what);
	exit(4);
}

static void
take(struct way *w)
{
	struct piece *q = malloc(sizeof(*q) + PIECE);
	ssize_t n;

	if (q == NULL)
		fail("late");
	n = read(w->in, q->p, PIECE);
	if (n <= 0) {
		free(q);
		if (n < 0 && (errno == EAGAIN || errno == EINTR))
			return;
		close(w->in);
		w->in = -1;
		return;
	}
	*q = (struct piece){ .due = now() + late_s, .n = (size_t)n };
	q = realloc(q, sizeof(*q) + (size_t)n);
	*w->last = q;
	w->last = &q->next;
}

static void
give(struct way *w)
{
	struct piece *q = w->first;
	ssize_t n = write(w->out, q->p + q->at, q->n - q->at);

	if (n < 0 && errno != EAGAIN && errno != EINTR) {
		/* Nobody reads there any more. */
		close(w->out);
		w->out = -1;
		return;
	}
	q->at += n > 0 ? (size_t)n : 0;
	if (q->at < q->n)
		return;
	w->first = q->next;
	if (w->first == NULL)
		w->last = &w->first;
	free(q);
}

/* What is due may be given; after the last piece, the end. */
static bool
is_due(struct way *w)
{
	if (w->first == NULL && w->in < 0 && w->out >= 0) {
		close(w->out);
		w->out = -1;
	}
	return w->out >= 0 && w->first != NULL && w->first->due <= now();
}

static int
next_ms(const struct way w[2])
{
	double least = -1, left;

	for (int i = 0; i < 2; i++) {
		if (w[i].out < 0 || w[i].first == NULL)
			continue;
		left = w[i].first->due - now();
		if (left > 0 && (least < 0 || left < least))
			least = left;
	}
	return least < 0 ? -1 : (int)(least * 1000) + 1;
}

static void
carry(struct way w[2])
{
	while (w[1].out >= 0) {
		struct pollfd fd[4];

		for (int i = 0; i < 2; i++) {
			fd[i] = (struct pollfd){ w[i].in, POLLIN, 0 };
			fd[2 + i] = (struct pollfd){ is_due(&w[i]) ? w[i].out :
			    -1, POLLOUT, 0 };
		}
		if (poll(fd, 4, next_ms(w)) < 0 && errno != EINTR)
			fail("poll");
		for (int i = 0; i < 2; i++) {
			if (fd[i].revents != 0)
				take(&w[i]);
			if (fd[2 + i].revents != 0)
				give(&w[i]);
		}
	}
}

int
main(int argc, char **argv)
{
	struct way w[2] = { { .in = 0 }, { .out = 1 } };
	int to[2], from[2], status;
	pid_t pid;

	if (argc < 3)
		return 2;
	late_s = atof(argv[1]) / 1000;
	signal(SIGPIPE, SIG_IGN);
	if (pipe2(to, O_CLOEXEC) != 0 || pipe2(from, O_CLOEXEC) != 0)
		fail("pipe");
	if ((pid = fork()) < 0)
		fail("fork");
	if (pid == 0) {
		dup2(to[0], 0);
		dup2(from[1], 1);
		execvp(argv[2], argv + 2);
		_exit(127);
	}
	close(to[0]);
	close(from[1]);
	w[0].out = to[1];
	w[1].in = from[0];
	for (int i = 0; i < 2; i++) {
		w[i].last = &w[i].first;
		fcntl(w[i].out, F_SETFL, O_NONBLOCK);
	}
	carry(w);
	close(to[1]);
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}
