#include "log/activity.h"

#include <stdio.h>

#include "base/stamp.h"

#define DAY_MS (24 * STAMP_HOUR_MS)

/* Of the picture, in its own units. */
#define WIDTH 720
#define LEFT 56
#define TOP 12
#define HEIGHT 160

static const char *const units[] = { "hour", "day", "month", "year",
    "century" };

/* The number of the bar that a moment lies in. */
static int64_t
number(enum activity_unit unit, int64_t ms)
{
	char text[STAMP_LEN + 1];
	int year, month;

	if (unit == ACTIVITY_HOUR)
		return ms / STAMP_HOUR_MS;
	if (unit == ACTIVITY_DAY)
		return ms / DAY_MS;
	stamp_format(text, ms);
	if (sscanf(text, "%4d-%2d", &year, &month) != 2)
		return 0;
	return unit == ACTIVITY_MONTH ? year * 12 + month - 1 :
	    unit == ACTIVITY_YEAR ? year : year / 100;
}

static void
put(struct activity *a, int64_t ms, uint64_t blocks, uint64_t txs);

/* Each bar lies wholly in one of the next unit. */
static void
fold(struct activity *a)
{
	struct activity old = *a;

	memset(a, 0, sizeof(*a));
	a->unit = old.unit + 1;
	for (size_t i = 0; i < old.n; i++)
		if (old.bar[i].blocks > 0)
			put(a, old.bar[i].ms, old.bar[i].blocks,
			    old.bar[i].txs);
}

static void
put(struct activity *a, int64_t ms, uint64_t blocks, uint64_t txs)
{
	struct activity_bar *b;
	size_t i;

	if (a->n == 0)
		a->first = number(a->unit, ms);
	while (number(a->unit, ms) - a->first >= ACTIVITY_BARS)
		fold(a);
	i = (size_t)(number(a->unit, ms) - a->first);
	if (i >= a->n)
		a->n = i + 1;
	b = &a->bar[i];
	b->ms = ms;
	b->blocks += blocks;
	b->txs += txs;
}

void
activity_add(struct activity *a, int64_t ms, uint64_t txs)
{
	put(a, ms, 1, txs);
}

const char *
activity_unit_name(const struct activity *a)
{
	return units[a->unit];
}

void
activity_name(char out[ACTIVITY_NAME_LEN], const struct activity *a, size_t i)
{
	int64_t n = a->first + (int64_t)i;
	char text[STAMP_LEN + 1];

	if (a->unit == ACTIVITY_HOUR)
		stamp_hour_format(out, n * STAMP_HOUR_MS);
	else if (a->unit == ACTIVITY_DAY) {
		stamp_format(text, n * DAY_MS);
		snprintf(out, ACTIVITY_NAME_LEN, "%.10s", text);
	} else if (a->unit == ACTIVITY_MONTH)
		snprintf(out, ACTIVITY_NAME_LEN, "%04d-%02d", (int)(n / 12),
		    (int)(n % 12) + 1);
	else
		snprintf(out, ACTIVITY_NAME_LEN, a->unit == ACTIVITY_YEAR ?
		    "%04d" : "%02d00", (int)n);
}

/* --- the picture ---------------------------------------------------------- */

/* The least 1, 2 or 5 with zeros that is not less: what the axis ends at. */
static uint64_t
round_up(uint64_t most)
{
	static const unsigned steps[] = { 1, 2, 5 };

	for (uint64_t zeros = 1; zeros < UINT64_MAX / 100; zeros *= 10)
		for (int i = 0; i < 3; i++)
			if (steps[i] * zeros >= most)
				return steps[i] * zeros;
	return most;
}

static void
add_axis(struct buf *out, uint64_t top)
{
	for (unsigned i = 0; i <= 2; i++) {
		int y = TOP + HEIGHT - HEIGHT / 2 * (int)i;

		buf_addf(out, "<line class=\"grid\" x1=\"%d\" x2=\"%d\" "
		    "y1=\"%d\" y2=\"%d\"/>\n", LEFT, WIDTH, y, y);
		if (i != 1 || top % 2 == 0)
			buf_addf(out, "<text class=\"end\" x=\"%d\" y=\"%d\">"
			    "%llu</text>\n", LEFT - 6, y + 4,
			    (unsigned long long)(i == 1 ? top / 2 :
			    i == 2 ? top : 0));
	}
}

static void
add_bar(struct buf *out, const struct activity *a, size_t i, uint64_t top,
    double step)
{
	const struct activity_bar *b = &a->bar[i];
	double high = (double)b->txs / (double)top * HEIGHT;
	char name[ACTIVITY_NAME_LEN];

	if (b->blocks == 0)
		return;
	if (high < 1)		/* there was something */
		high = 1;
	activity_name(name, a, i);
	buf_addf(out, "<rect x=\"%.2f\" y=\"%.2f\" width=\"%.2f\" "
	    "height=\"%.2f\"><title>%s: transactions %llu, blocks %llu"
	    "</title></rect>\n", LEFT + step * (double)i, TOP + HEIGHT - high,
	    step * 0.85, high, name, (unsigned long long)b->txs,
	    (unsigned long long)b->blocks);
}

static void
add_name(struct buf *out, const struct activity *a, size_t i, double x,
    const char *class)
{
	char name[ACTIVITY_NAME_LEN];

	activity_name(name, a, i);
	buf_addf(out, "<text class=\"%s\" x=\"%.2f\" y=\"%d\">%s</text>\n",
	    class, x, TOP + HEIGHT + 18, name);
}

void
activity_svg(struct buf *out, const struct activity *a)
{
	double step = (WIDTH - LEFT) / (double)(a->n < 12 ? 12 : a->n);
	uint64_t top = 1;

	for (size_t i = 0; i < a->n; i++)
		if (a->bar[i].txs > top)
			top = a->bar[i].txs;
	top = round_up(top);
	buf_addf(out, "<svg viewBox=\"0 0 %d %d\" role=\"img\" "
	    "aria-label=\"Transactions by %s\">\n", WIDTH, TOP + HEIGHT + 24,
	    activity_unit_name(a));
	add_axis(out, top);
	for (size_t i = 0; i < a->n; i++)
		add_bar(out, a, i, top, step);
	if (a->n > 0)
		add_name(out, a, 0, LEFT, "start");
	if (a->n > 1)
		add_name(out, a, a->n - 1, LEFT + step * ((double)a->n - 0.15),
		    a->n < 6 ? "start" : "end");
	buf_adds(out, "</svg>\n");
}
