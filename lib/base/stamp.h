/*
 * stamp: points in time, as milliseconds since 1970-01-01T00:00:00Z without
 * leap seconds, and as text.  There is one text for each: RFC 3339 in UTC with
 * exactly three decimals, "2026-11-22T19:34:00.123Z".  Years 1970 to 9999.
 */
#ifndef BASE_STAMP_H
#define BASE_STAMP_H

#include "base/span.h"

#define STAMP_LEN 24			/* characters, no NUL */
#define STAMP_MAX_MS 253402300799999LL	/* 9999-12-31T23:59:59.999Z */
#define STAMP_HOUR_MS 3600000LL
#define STAMP_HOUR_LEN 13		/* "2026-11-22_19" */

/* Write text and a NUL; ms is from 0 to STAMP_MAX_MS. */
void stamp_format(char out[STAMP_LEN + 1], int64_t ms);

/* Returns 0, or -1 when text is not exactly such a time. */
int stamp_parse(int64_t *ms, struct span text);

/* The name of the UTC hour that ms lies in, and the start of a named hour. */
void stamp_hour_format(char out[STAMP_HOUR_LEN + 1], int64_t ms);
int stamp_hour_parse(int64_t *ms, struct span text);

#endif
