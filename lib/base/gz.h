/*
 * gz: gzip (RFC 1952) with one valid framing.
 *
 * We write one member with no name, no time and OS "unknown", and read only
 * that: any other header, a second member, or bytes after the end are refused.
 * zcat reads it.  gzip's own checksum is over the content, and some bits of
 * compressed data can change without changing that (padding; a match that is
 * found at two distances).  So that no bit of a stored file can change unseen,
 * there is a second checksum, over the compressed bytes, in an extra field:
 *
 *	1f 8b 08 04  00 00 00 00  00 ff	 header, with an extra field
 *	08 00  45 48  04 00		 its length; "EH"; its value's length
 *	CRC-32, 4 bytes, little endian	 of all that follows
 *	deflate data; CRC-32 and length of the content, little endian
 */
#ifndef BASE_GZ_H
#define BASE_GZ_H

#include "base/buf.h"

/*
 * Append in, at most 1 GiB, compressed, to out.  The bytes may differ from one
 * version of zlib to another: they name nothing and are not signed.
 */
int gz_pack(struct buf *out, struct span in, struct err *e);

/*
 * Append the content of in to out, whose ceiling limits it.  what names the
 * input in messages.  ERR_BAD when in is not such a file; out is then as it
 * was, but for a passed ceiling, which marks it (buf.h).
 */
int gz_unpack(struct buf *out, struct span in, const char *what,
    struct err *e);

#endif
