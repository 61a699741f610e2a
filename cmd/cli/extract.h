/* extract: what ehr-audit was asked to extract, and where to. */
#ifndef CLI_EXTRACT_H
#define CLI_EXTRACT_H

#include "cli/cli.h"
#include "log/extract.h"

struct extraction {
	/* As given; NULL is not given. */
	const char *format, *file, *since, *until;
	struct extract x;	/* patient and actor, as given */
	int kind;		/* of the formats; 0: nothing is extracted */
};

/* Check the options.  ERR_USAGE. */
int extraction_options(struct extraction *n, struct err *e);

/* Does it go to stdout? */
bool extraction_on_stdout(const struct extraction *n);

/*
 * Extract from what a has verified, unless nothing was asked for.  A file
 * appears whole, or not at all.
 */
int extraction_run(struct extraction *n, struct audit *a, struct err *e);

#endif
