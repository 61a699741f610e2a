/* when: a point in time, as options take it. */
#ifndef CLI_WHEN_H
#define CLI_WHEN_H

#include "base/err.h"
#include "base/span.h"

/*
 * The start of a day, YYYY-MM-DD, or of an hour, YYYY-MM-DD_HH, or an instant,
 * YYYY-MM-DDTHH:MM:SS.mmmZ: milliseconds since 1970, UTC.  ERR_USAGE.
 */
int when_parse(int64_t *ms, const char *text, struct err *e);

#endif
