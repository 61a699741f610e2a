/*
 * gz: gzip (RFC 1952) with one valid framing.
 *
 * We write one member with no name, no time and OS "unknown", and read only
 * that: any other header, a second member, bytes after the end, or non-zero
 * padding bits are refused, so that no bit of a stored file can change unseen.
 */
#ifndef BASE_GZ_H
#define BASE_GZ_H

#include "base/buf.h"

/* Append in, compressed, to out. */
int gz_pack(struct buf *out, struct span in, struct err *e);

/*
 * Append the content of in to out, whose ceiling limits it.  what names the
 * input in messages.  ERR_BAD when in is not such a file.
 */
int gz_unpack(struct buf *out, struct span in, const char *what,
    struct err *e);

#endif
