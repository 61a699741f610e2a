#define _GNU_SOURCE	/* ppoll, sigaction */
#include "cli/tty.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "base/fs.h"
#include "crypto/hash.h"

/*
 * While the echo is off these are blocked, but for the moments of waiting in
 * ppoll: so a handler need only say which one came, and none slips through
 * between a look and a read.  SIGTTIN and SIGTTOU keep their default: they
 * stop us before we touch a terminal that is not ours at the moment.
 */
static const int caught[] = { SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGTSTP };
#define NCAUGHT (sizeof(caught) / sizeof(caught[0]))

static volatile sig_atomic_t came;	/* a handler has no other argument */

static void
on_signal(int sig)
{
	came = sig;
}

struct guard {
	struct sigaction old[NCAUGHT];
	sigset_t mask;			/* as it was */
	struct termios term;		/* as it was */
};

static void
guard_down(struct guard *g, int fd)
{
	while (tcsetattr(fd, TCSAFLUSH, &g->term) != 0 && errno == EINTR)
		;
	for (size_t i = 0; i < NCAUGHT; i++)
		sigaction(caught[i], &g->old[i], NULL);
	/* One that was caught arrives now, at its old handler. */
	if (came != 0)
		raise(came);
	sigprocmask(SIG_SETMASK, &g->mask, NULL);
}

static int
guard_up(struct guard *g, int fd, struct err *e)
{
	struct sigaction sa = { .sa_handler = on_signal };
	struct termios quiet;
	sigset_t block;

	if (tcgetattr(fd, &g->term) != 0)
		return err_sys(e, "/dev/tty");
	came = 0;
	sigemptyset(&sa.sa_mask);
	sigemptyset(&block);
	for (size_t i = 0; i < NCAUGHT; i++)
		sigaddset(&block, caught[i]);
	sigprocmask(SIG_BLOCK, &block, &g->mask);
	for (size_t i = 0; i < NCAUGHT; i++) {
		sigaction(caught[i], NULL, &g->old[i]);
		/* What nohup ignores stays ignored. */
		if (g->old[i].sa_handler != SIG_IGN)
			sigaction(caught[i], &sa, NULL);
	}
	quiet = g->term;
	quiet.c_lflag &= ~(tcflag_t)(ECHO | ECHOE | ECHOK | ECHONL);
	quiet.c_lflag |= ICANON | ISIG;
	while (tcsetattr(fd, TCSAFLUSH, &quiet) != 0) {
		if (errno == EINTR)
			continue;
		err_sys(e, "/dev/tty");
		guard_down(g, fd);
		return -1;
	}
	return 0;
}

/* A line of the terminal: its bytes, 0 at the end of file, -1 for a signal. */
static ssize_t
read_line(int fd, char *line, size_t max, const sigset_t *mask)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };
	ssize_t n;

	for (;;) {
		if (ppoll(&p, 1, NULL, mask) < 0) {
			if (came != 0)
				return -1;
			continue;
		}
		n = read(fd, line, max);
		if (n >= 0)
			return n;
		if (errno != EINTR)
			return 0;
	}
}

/* One question: 1 an answer, 0 a signal came and passed, -1 error. */
static int
ask(int fd, char *line, size_t max, size_t *n, const char *prompt,
    struct err *e)
{
	struct guard g;
	ssize_t got;
	int r;

	if (guard_up(&g, fd, e) != 0)
		return -1;
	if (fs_write_all(fd, prompt, strlen(prompt)) != 0)
		got = 0;
	else
		got = read_line(fd, line, max + 1, &g.mask);
	r = fs_write_all(fd, "\n", 1);
	guard_down(&g, fd);
	if (got < 0)
		return 0;
	if (got == 0 || r != 0)
		return err_set(e, ERR_NO, "no passphrase was given");
	if (line[got - 1] == '\n')
		got--;
	if ((size_t)got > max)
		return err_set(e, ERR_NO, "a passphrase of over %zu bytes",
		    max);
	*n = (size_t)got;
	return 1;
}

int
tty_ask(char *line, size_t max, size_t *n, const char *prompt, struct err *e)
{
	int fd = open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY);
	int r;

	if (fd < 0)
		return err_set(e, ERR_NO, "no terminal");
	while ((r = ask(fd, line, max, n, prompt, e)) == 0)
		;
	close(fd);
	if (r < 0)
		hash_wipe(line, max + 1);
	return r < 0 ? -1 : 0;
}
