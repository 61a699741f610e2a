/* hex: bytes as lower-case hex digits, the one encoding we accept. */
#ifndef BASE_HEX_H
#define BASE_HEX_H

#include "base/span.h"

/* Write 2 * n digits and a NUL to out. */
void hex_encode(char *out, const void *p, size_t n);

/*
 * Decode a span of exactly 2 * n lower-case digits into n bytes at out.
 * Returns 0, or -1 when the span is anything else.
 */
int hex_decode(void *out, size_t n, struct span digits);

#endif
