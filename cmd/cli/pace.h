/*
 * pace: how far a long job is, how fast it goes and how long it will still
 * take, as a line of text.  It knows no clock and no terminal: it is told
 * counts and times.
 */
#ifndef CLI_PACE_H
#define CLI_PACE_H

#include <stdint.h>

#define PACE_WINDOW_MS 15000	/* what counts for a speed, about */
#define PACE_MARKS 16		/* one in a second */
#define PACE_TEXT_MAX 160	/* bytes of a line, NUL included */

struct pace {
	const char *what;		/* "blocks"; ASCII, borrowed */
	uint64_t done, total;		/* items; total 0: not known */
	uint64_t bytes;			/* 0: there is nothing to say of them */
	struct pace_mark {
		int64_t ms;
		uint64_t done, bytes;
	} mark[PACE_MARKS];		/* how it was, oldest first */
	unsigned n;			/* of them; at least 1 */
};

/* A job begins.  Times are milliseconds that never go back. */
void pace_start(struct pace *p, const char *what, int64_t now_ms);

/* So far it is. */
void pace_set(struct pace *p, uint64_t done, uint64_t total, uint64_t bytes,
    int64_t now_ms);

/*
 * "blocks: 120/400, 1.5 MiB, 310.2 KiB/s, 0:14 left" into out, in no more than
 * so many columns: what counts less is left out first.  The speed is that of
 * the last PACE_WINDOW_MS; items in a second, if there are no bytes.
 */
void pace_text(char out[PACE_TEXT_MAX], const struct pace *p, int64_t now_ms,
    unsigned columns);

#endif
