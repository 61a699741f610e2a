/*
 * audit_bundle: an audit of a bundle (ehr-bundle(5)), which is unpacked for
 * it.
 */
#ifndef LOG_AUDIT_BUNDLE_H
#define LOG_AUDIT_BUNDLE_H

#include "log/audit.h"
#include "store/bundle_in.h"

struct audit_bundle {
	struct bundle_in in;	/* its progress and arg may be set before */
	char dir[BUNDLE_DIR_LEN];	/* what was unpacked */
	struct err damage;	/* ERR_NONE: it came whole */
};

/*
 * Unpack the bundle of fd into a folder of its own in the folder tmp, and open
 * it.  A damaged one is opened as far as it can be.  ERR_BAD: not even the
 * genesis can be read; ERR_NO: it is not whole, but begins after some block.
 * audit_bundle_close in any case.
 */
int audit_bundle_open(struct audit_bundle *b, struct repo **r, int fd,
    const char *tmp, struct err *e);

/* After audit_run: the bundle itself, and whether its head is that of the
 * blocks. */
int audit_bundle_check(struct audit_bundle *b, struct audit *a,
    struct err *e);

/* Remove what was unpacked; r is closed by then. */
int audit_bundle_close(struct audit_bundle *b, struct err *e);

#endif
