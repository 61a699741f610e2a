/* base64: RFC 4648 section 4, with one valid encoding of each value. */
#ifndef BASE_BASE64_H
#define BASE_BASE64_H

#include "base/buf.h"

/* Characters that n bytes take, padding included, no NUL. */
#define BASE64_LEN(n) (((n) + 2) / 3 * 4)

/* Append the encoding of n bytes, padded (pad) or as age writes it (not). */
void base64_add(struct buf *out, const void *p, size_t n, bool pad);

/*
 * Decode into out, which has room for max bytes; *n is what was written.
 * Refuses line breaks, missing or extra padding, and non-zero trailing bits.
 * Returns 0, or -1 when text is not canonical or needs more than max bytes.
 */
int base64_decode(void *out, size_t max, size_t *n, struct span text,
    bool pad);

#endif
