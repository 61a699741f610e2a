/* media: which type a file has, by its content first and its name second. */
#ifndef RECORD_MEDIA_H
#define RECORD_MEDIA_H

#include "record/fields.h"

/*
 * The media type (RFC 6838) of a file of this name whose first bytes are
 * head, at most FIELDS_LOOK_MAX of them.  Static; never NULL:
 * "application/octet-stream" when nothing fits.
 */
const char *media_type(struct span head, const char *name);

/* The same, and add to out the fields that the content yields. */
const char *media_look(struct fields *out, struct span head, const char *name);

#endif
