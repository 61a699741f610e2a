/*
 * pty: run a command at a terminal, for tests of what it asks there.
 *
 *	pty [EXPECT SEND]... -- COMMAND ARGUMENT...
 *
 * Waits until the terminal shows EXPECT after what it waited for before, types
 * SEND, and so on; then prints all that the terminal showed.  A shell's part
 * is played too: COMMAND is a job of its own; when it stops, "<stopped>" is
 * shown and it is continued; when it ends, "<exit N>" or "<signal N>"; each
 * with "echo on" or "echo off", which is how it leaves the terminal.  Exit
 * status: COMMAND's, 128 + signal, or 124 when nothing happens for 20 s.
 */
#define _GNU_SOURCE
#include <poll.h>
#include <pty.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

static char shown[1 << 16];
static size_t nshown;

static void
tell(const char *what, int n)
{
	struct termios t;
	bool echo = tcgetattr(0, &t) == 0 && (t.c_lflag & ECHO) != 0;

	if (n >= 0)
		printf("<%s %d, echo %s>\n", what, n, echo ? "on" : "off");
	else
		printf("<%s, echo %s>\n", what, echo ? "on" : "off");
	fflush(stdout);
}

/* What a shell does with one job in the foreground. */
static int
shell(char **argv)
{
	int status;
	pid_t pid;

	signal(SIGTTOU, SIG_IGN);
	pid = fork();
	if (pid == 0) {
		setpgid(0, 0);
		tcsetpgrp(0, getpid());
		signal(SIGTTOU, SIG_DFL);
		execvp(argv[0], argv);
		_exit(127);
	}
	while (waitpid(pid, &status, WUNTRACED) == pid) {
		if (!WIFSTOPPED(status))
			break;
		tell("stopped", -1);
		kill(-pid, SIGCONT);
	}
	if (WIFSIGNALED(status)) {
		tell("signal", WTERMSIG(status));
		return 128 + WTERMSIG(status);
	}
	tell("exit", WEXITSTATUS(status));
	return WEXITSTATUS(status);
}

/* More of what is shown: 1, or 0 when that was all. */
static int
more(int fd)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };
	ssize_t n;

	if (poll(&p, 1, 20000) <= 0) {
		fwrite(shown, 1, nshown, stdout);
		puts("<nothing happens>");
		exit(124);
	}
	n = read(fd, shown + nshown, sizeof(shown) - 1 - nshown);
	if (n <= 0)
		return 0;
	nshown += (size_t)n;
	shown[nshown] = '\0';
	return 1;
}

int
main(int argc, char **argv)
{
	int fd, status, at = 1;
	size_t seen = 0;
	pid_t pid;
	char *hit;

	for (int i = 1; i < argc && strcmp(argv[i], "--") != 0; i += 2)
		at = i + 2;
	if (at + 1 >= argc) {
		fprintf(stderr, "usage: pty [EXPECT SEND]... -- COMMAND...\n");
		return 2;
	}
	pid = forkpty(&fd, NULL, NULL, NULL);
	if (pid == 0)
		_exit(shell(argv + at + 1));
	for (int i = 1; i < at; i += 2) {
		while ((hit = strstr(shown + seen, argv[i])) == NULL)
			if (!more(fd))
				break;
		if (hit == NULL)
			break;
		seen = (size_t)(hit - shown) + strlen(argv[i]);
		if (write(fd, argv[i + 1], strlen(argv[i + 1])) < 0)
			break;
	}
	while (more(fd))
		;
	fwrite(shown, 1, nshown, stdout);
	waitpid(pid, &status, 0);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 125;
}
