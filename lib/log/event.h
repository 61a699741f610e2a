/*
 * event: what a check found and did, a line each in the file "events" of the
 * ledger directory (ehr-repository(5)), which only grows; and the owner's
 * program that is told of it (check.hook in ehr-config(5)).
 */
#ifndef LOG_EVENT_H
#define LOG_EVENT_H

#include "store/repo.h"

#define EVENT_FILE "events"
#define EVENT_TEXT_MAX 768	/* bytes of what is said, NUL included */

enum event_kind {
	EVENT_DAMAGED,		/* found, before anything is changed */
	EVENT_REPAIRED,		/* it is right again */
	EVENT_OUTVOTED,		/* so it is, and most peers had another copy */
	EVENT_ALARM		/* for people: nothing was changed */
};
const char *event_name(enum event_kind kind);

/*
 * Append a line, durably: the time, the kind, the path below the ledger
 * directory that it is about ("-" for none) and one line of text.  What a
 * crash left unfinished at the end of the file is closed by a newline first.
 */
int event_add(const struct repo *r, int64_t now_ms, enum event_kind kind,
    const char *path, const char *text, struct err *e);

/*
 * Run the configured program, if there is one, with the kind, the path and
 * the text as arguments, no shell between, and wait for it, for a minute at
 * most.  ERR_NO: it cannot be run, or did not end with 0.
 */
int event_tell(const struct repo *r, enum event_kind kind, const char *path,
    const char *text, struct err *e);

#endif
