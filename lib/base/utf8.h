/* utf8: strict UTF-8 (RFC 3629) without control characters. */
#ifndef BASE_UTF8_H
#define BASE_UTF8_H

#include "base/span.h"

/* Is s well-formed: no overlong form, surrogate, or value over U+10FFFF? */
bool utf8_valid(struct span s);

/*
 * Is s well-formed and free of C0 and C1 controls, DEL, line and paragraph
 * separators, bidirectional controls and the byte order mark, so that one line
 * of it prints as one line that means what it shows?
 */
bool utf8_line(struct span s);

/* Make a string such a line: each byte that may not be in one becomes '?'. */
void utf8_make_line(char *line);

#endif
