/* bech32 (BIP 173), as age writes its keys: no 90-character limit. */
#ifndef CRYPTO_BECH32_H
#define CRYPTO_BECH32_H

#include "base/buf.h"

/* Append the encoding of n <= 64 bytes under the lower-case prefix hrp. */
void bech32_add(struct buf *out, const char *hrp, const void *p, size_t n);

/*
 * Decode text, whose prefix must be hrp (lower case; text may be all upper or
 * all lower case), into exactly n bytes.  Returns 0, or -1 when it is not the
 * one valid encoding of n bytes.
 */
int bech32_decode(void *out, size_t n, const char *hrp, struct span text);

#endif
