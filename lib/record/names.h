/* names: under which names files go into a record. */
#ifndef RECORD_NAMES_H
#define RECORD_NAMES_H

#include "base/err.h"
#include "record/meta.h"

/* One file to be named. */
struct name_pick {
	const char *path;	/* of the file as it was given; or NULL */
	const char *name;	/* inside the record; NULL: made from path */
	char *made;		/* owned; NULL, or what name points to */
	size_t index;		/* the caller's, whose order is lost */
};

/*
 * Give each of n picks without a name the last part of its path; those that
 * would have one name in common get their paths, as given, without empty,
 * "." and ".." parts.  Sorts the picks by name, bytewise.
 *
 * ERR_BAD when a name is not meta_name_ok or a path is a directory's;
 * ERR_USAGE when two files still share a name, or one's name is the other's
 * folder.  names_free releases in either case.
 */
int names_pick(struct name_pick *p, size_t n, struct err *e);
void names_free(struct name_pick *p, size_t n);

#endif
