#include "cli/progress.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/clock.h"

#define REDRAW_MS 100

void
progress_start(struct progress *p, struct cli *c, const char *what,
    uint64_t total)
{
	const char *term = getenv("TERM");

	memset(p, 0, sizeof(*p));
	p->c = c;
	p->what = what;
	p->total = total;
	p->start_ms = p->drawn_ms = clock_mono_ms();
	p->on = !c->quiet && isatty(STDERR_FILENO) &&
	    (term == NULL || strcmp(term, "dumb") != 0);
}

/* "12.3 MiB" */
static void
size_text(char out[32], double bytes)
{
	static const char *const unit[] = { "B", "KiB", "MiB", "GiB", "TiB" };
	size_t u = 0;

	while (bytes >= 1024 && u < 4) {
		bytes /= 1024;
		u++;
	}
	snprintf(out, 32, u == 0 ? "%.0f %s" : "%.1f %s", bytes, unit[u]);
}

static void
draw(struct progress *p, int64_t now_ms)
{
	double seconds = (double)(now_ms - p->start_ms) / 1000;
	char size[32], rate[32];

	if (p->bytes > 0) {
		size_text(size, (double)p->bytes);
		size_text(rate, (double)p->bytes / seconds);
	}
	fprintf(stderr, "\r\033[K%s: %" PRIu64, p->what, p->done);
	if (p->total > 0)
		fprintf(stderr, "/%" PRIu64, p->total);
	if (p->bytes > 0)
		fprintf(stderr, ", %s, %s/s", size, rate);
	fflush(stderr);
	p->drawn_ms = now_ms;
	p->c->progress_up = true;
}

void
progress_add(struct progress *p, uint64_t items, uint64_t bytes)
{
	int64_t now_ms;

	p->done += items;
	p->bytes += bytes;
	if (!p->on)
		return;
	now_ms = clock_mono_ms();
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
