#include "base/stamp.h"

#define DAY_MS (24 * STAMP_HOUR_MS)

/* Days since 1970-01-01 of a civil date (H. Hinnant, days_from_civil). */
static int64_t
days_of(int64_t y, int64_t m, int64_t d)
{
	int64_t era, yoe, doy, doe;

	y -= m <= 2;
	era = y / 400;
	yoe = y - era * 400;
	doy = (153 * (m + (m > 2 ? -3 : 9)) + 2) / 5 + d - 1;
	doe = yoe * 365 + yoe / 4 - yoe / 100 + doy;
	return era * 146097 + doe - 719468;
}

/* The inverse (H. Hinnant, civil_from_days). */
static void
date_of(int64_t days, int *y, int *m, int *d)
{
	int64_t z = days + 719468;
	int64_t era = z / 146097;
	int64_t doe = z - era * 146097;
	int64_t yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
	int64_t doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
	int64_t mp = (5 * doy + 2) / 153;

	*d = (int)(doy - (153 * mp + 2) / 5 + 1);
	*m = (int)(mp < 10 ? mp + 3 : mp - 9);
	*y = (int)(yoe + era * 400 + (*m <= 2));
}

/* Write v as exactly n decimal digits; return where they end. */
static char *
put(char *p, int64_t v, int n)
{
	for (int i = n; i-- > 0; v /= 10)
		p[i] = (char)('0' + v % 10);
	return p + n;
}

static char *
put_date(char *p, int64_t ms)
{
	int y, m, d;

	date_of(ms / DAY_MS, &y, &m, &d);
	p = put(p, y, 4);
	*p++ = '-';
	p = put(p, m, 2);
	*p++ = '-';
	return put(p, d, 2);
}

void
stamp_format(char out[STAMP_LEN + 1], int64_t ms)
{
	char *p = put_date(out, ms);

	*p++ = 'T';
	p = put(p, ms / STAMP_HOUR_MS % 24, 2);
	*p++ = ':';
	p = put(p, ms / 60000 % 60, 2);
	*p++ = ':';
	p = put(p, ms / 1000 % 60, 2);
	*p++ = '.';
	p = put(p, ms % 1000, 3);
	*p++ = 'Z';
	*p = '\0';
}

void
stamp_hour_format(char out[STAMP_HOUR_LEN + 1], int64_t ms)
{
	char *p = put_date(out, ms);

	*p++ = '_';
	p = put(p, ms / STAMP_HOUR_MS % 24, 2);
	*p = '\0';
}

/* n decimal digits at p, at most max; -1 when there is something else. */
static int
get(const unsigned char *p, int n, int max)
{
	int v = 0;

	for (int i = 0; i < n; i++) {
		if (p[i] < '0' || p[i] > '9')
			return -1;
		v = v * 10 + (p[i] - '0');
	}
	return v <= max ? v : -1;
}

/* Milliseconds at the start of the date "YYYY-MM-DD" at p, or -1. */
static int64_t
get_date(const unsigned char *p)
{
	int y = get(p, 4, 9999), m = get(p + 5, 2, 12), d = get(p + 8, 2, 31);
	int y2, m2, d2;
	int64_t days;

	if (y < 1970 || m < 1 || d < 1 || p[4] != '-' || p[7] != '-')
		return -1;
	days = days_of(y, m, d);
	date_of(days, &y2, &m2, &d2);
	if (y2 != y || m2 != m || d2 != d)	/* such as 30 February */
		return -1;
	return days * DAY_MS;
}

int
stamp_parse(int64_t *ms, struct span t)
{
	int64_t day;
	int h, m, s, f;

	if (t.n != STAMP_LEN || t.p[10] != 'T' || t.p[13] != ':' ||
	    t.p[16] != ':' || t.p[19] != '.' || t.p[23] != 'Z')
		return -1;
	day = get_date(t.p);
	h = get(t.p + 11, 2, 23);
	m = get(t.p + 14, 2, 59);
	s = get(t.p + 17, 2, 59);
	f = get(t.p + 20, 3, 999);
	if (day < 0 || h < 0 || m < 0 || s < 0 || f < 0)
		return -1;
	*ms = day + h * STAMP_HOUR_MS + m * 60000LL + s * 1000LL + f;
	return 0;
}

int
stamp_hour_parse(int64_t *ms, struct span t)
{
	int64_t day;
	int h;

	if (t.n != STAMP_HOUR_LEN || t.p[10] != '_')
		return -1;
	day = get_date(t.p);
	h = get(t.p + 11, 2, 23);
	if (day < 0 || h < 0)
		return -1;
	*ms = day + h * STAMP_HOUR_MS;
	return 0;
}
