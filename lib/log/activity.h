/*
 * activity: how many transactions each hour had, in bars that are folded into
 * days, months, years and centuries when there are too many of them.
 */
#ifndef LOG_ACTIVITY_H
#define LOG_ACTIVITY_H

#include "base/buf.h"

#define ACTIVITY_BARS 168	/* a week of hours */

enum activity_unit {
	ACTIVITY_HOUR,
	ACTIVITY_DAY,
	ACTIVITY_MONTH,
	ACTIVITY_YEAR,
	ACTIVITY_CENTURY	/* of these, times have not too many */
};

struct activity_bar {
	int64_t ms;		/* a moment in it; of an empty one, 0 */
	uint64_t blocks, txs;
};

/* Zeroed, it is empty. */
struct activity {
	enum activity_unit unit;
	int64_t first;		/* the number of the first bar */
	size_t n;		/* bars, from the first block's to the last's */
	struct activity_bar bar[ACTIVITY_BARS];
};

/* A block of that time, which is not before those added until now. */
void activity_add(struct activity *a, int64_t ms, uint64_t txs);

/* "hour", "day"... */
const char *activity_unit_name(const struct activity *a);

/* What bar i is called: "2026-11-22_19", "2026-11-22", "2026-11", ... */
#define ACTIVITY_NAME_LEN 16
void activity_name(char out[ACTIVITY_NAME_LEN], const struct activity *a,
    size_t i);

/* Append the picture, an SVG element as it stands in HTML. */
void activity_svg(struct buf *out, const struct activity *a);

#endif
