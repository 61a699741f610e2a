#include "cli/progress.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/types.h>
#include <unistd.h>

#include "base/clock.h"

#define REDRAW_MS 200
#define COLUMNS 80		/* of a terminal that does not say */

void
progress_start(struct progress *p, struct cli *c, const char *what)
{
	const char *term = getenv("TERM");

	p->c = c;
	p->drawn_ms = clock_mono_ms();
	p->on = !c->quiet && isatty(STDERR_FILENO) &&
	    (term == NULL || strcmp(term, "dumb") != 0);
	pace_start(&p->pace, what, p->drawn_ms);
}

/* The last column stays free: some terminals begin a new line after it. */
static unsigned
columns(void)
{
	struct winsize w;

	if (ioctl(STDERR_FILENO, TIOCGWINSZ, &w) != 0 || w.ws_col == 0)
		return COLUMNS - 1;
	return w.ws_col - 1u;
}

static bool
in_background(void)
{
	pid_t group = tcgetpgrp(STDERR_FILENO);

	return group >= 0 && group != getpgrp();
}

static void
draw(struct progress *p, int64_t now_ms)
{
	char line[PACE_TEXT_MAX];

	p->drawn_ms = now_ms;
	if (in_background())
		return;
	pace_text(line, &p->pace, now_ms, columns());
	/* What stands on stdout, at the same terminal, comes first. */
	fflush(stdout);
	fprintf(stderr, "\r\033[K%s", line);
	fflush(stderr);
	p->c->progress_up = true;
}

void
progress_set(struct progress *p, uint64_t done, uint64_t total,
    uint64_t bytes)
{
	int64_t now_ms;

	if (!p->on)
		return;
	now_ms = clock_mono_ms();
	pace_set(&p->pace, done, total, bytes, now_ms);
	if (now_ms - p->drawn_ms >= REDRAW_MS)
		draw(p, now_ms);
}

void
progress_end(struct progress *p)
{
	if (p->c->progress_up)
		fputs("\r\033[K", stderr);
	p->c->progress_up = false;
}
