#include "cli/pace.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define MARK_MS 1000		/* between two marks */
#define SPEED_MS 500		/* in less time there is no speed */
#define PART_MAX 48

void
pace_start(struct pace *p, const char *what, int64_t now_ms)
{
	memset(p, 0, sizeof(*p));
	p->what = what;
	p->mark[0].ms = now_ms;
	p->n = 1;
}

void
pace_set(struct pace *p, uint64_t done, uint64_t total, uint64_t bytes,
    int64_t now_ms)
{
	p->done = done;
	p->total = total;
	p->bytes = bytes;
	if (now_ms - p->mark[p->n - 1].ms < MARK_MS)
		return;
	if (p->n == PACE_MARKS)
		memmove(p->mark, p->mark + 1,
		    --p->n * sizeof(p->mark[0]));
	p->mark[p->n++] = (struct pace_mark){ now_ms, done, bytes };
}

/* The oldest mark that counts; the last one before that, when nothing has
 * moved for longer. */
static const struct pace_mark *
base(const struct pace *p, int64_t now_ms)
{
	unsigned i = 0;

	while (i + 1 < p->n && now_ms - p->mark[i].ms > PACE_WINDOW_MS)
		i++;
	/* One that was made just now tells nothing. */
	if (i > 0 && now_ms - p->mark[i].ms < SPEED_MS)
		i--;
	return &p->mark[i];
}

/* "12.3 MiB" */
static void
size_text(char out[PART_MAX], double bytes, const char *per)
{
	static const char *const unit[] = { "B", "KiB", "MiB", "GiB", "TiB" };
	size_t u = 0;

	while (bytes >= 1023.95 && u < 4) {
		bytes /= 1024;
		u++;
	}
	snprintf(out, PART_MAX, u == 0 ? "%.0f %s%s" : "%.1f %s%s", bytes,
	    unit[u], per);
}

static void
speed_text(char out[PART_MAX], const struct pace *p, int64_t now_ms)
{
	const struct pace_mark *b = base(p, now_ms);
	double seconds = (double)(now_ms - b->ms) / 1000;

	out[0] = '\0';
	if (now_ms - b->ms < SPEED_MS)
		return;
	if (p->bytes > 0)
		size_text(out, (double)(p->bytes - b->bytes) / seconds, "/s");
	else
		snprintf(out, PART_MAX, "%.0f/s",
		    (double)(p->done - b->done) / seconds);
}

static void
left_text(char out[PART_MAX], const struct pace *p, int64_t now_ms)
{
	const struct pace_mark *b = base(p, now_ms);
	uint64_t s;
	double left;

	out[0] = '\0';
	if (p->done >= p->total || p->done <= b->done ||
	    now_ms - b->ms < SPEED_MS)
		return;
	left = (double)(p->total - p->done) * (double)(now_ms - b->ms) /
	    (double)(p->done - b->done) / 1000 + 0.5;
	if (left >= 100 * 86400.0)
		return;
	s = (uint64_t)left;
	if (s < 3600)
		snprintf(out, PART_MAX, "%" PRIu64 ":%02" PRIu64 " left",
		    s / 60, s % 60);
	else if (s < 86400)
		snprintf(out, PART_MAX, "%" PRIu64 ":%02" PRIu64 ":%02" PRIu64
		    " left", s / 3600, s / 60 % 60, s % 60);
	else
		snprintf(out, PART_MAX, "%" PRIu64 " days left", s / 86400);
}

static size_t
head_text(char out[PACE_TEXT_MAX], const struct pace *p)
{
	size_t n = (size_t)snprintf(out, PACE_TEXT_MAX, "%.40s: %" PRIu64,
	    p->what, p->done);

	if (p->total > 0)
		n += (size_t)snprintf(out + n, PACE_TEXT_MAX - n, "/%" PRIu64,
		    p->total);
	return n;
}

enum { SIZE, SPEED, LEFT, PARTS };	/* what counts less stands first */

/* Of the parts from first on, with what is between them. */
static size_t
length(char part[PARTS][PART_MAX], int first)
{
	size_t n = 0;

	for (int i = first; i < PARTS; i++)
		n += part[i][0] == '\0' ? 0 : 2 + strlen(part[i]);
	return n;
}

void
pace_text(char out[PACE_TEXT_MAX], const struct pace *p, int64_t now_ms,
    unsigned columns)
{
	char part[PARTS][PART_MAX] = { "" };
	size_t n = head_text(out, p);
	int first = SIZE;

	if (columns >= PACE_TEXT_MAX)
		columns = PACE_TEXT_MAX - 1;
	if (p->bytes > 0)
		size_text(part[SIZE], (double)p->bytes, "");
	speed_text(part[SPEED], p, now_ms);
	left_text(part[LEFT], p, now_ms);
	while (first < PARTS && n + length(part, first) > columns)
		first++;
	for (int i = first; i < PARTS; i++)
		if (part[i][0] != '\0')
			n += (size_t)snprintf(out + n, PACE_TEXT_MAX - n,
			    ", %s", part[i]);
	if (n > columns)
		out[columns] = '\0';
}
