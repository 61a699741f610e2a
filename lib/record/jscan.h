/*
 * jscan: walk through JSON text without reading it into memory.
 *
 * It finds where members, elements and values start and end, so that a small
 * part of a large document can be given to a parser.  It checks no grammar:
 * the parser does.
 */
#ifndef RECORD_JSCAN_H
#define RECORD_JSCAN_H

#include "base/span.h"

struct jscan {
	struct span rest;
	bool object;		/* members, not elements */
};

/*
 * Enter the object ('{') or array ('[') that doc holds, after blanks and a
 * byte order mark; false when it holds something else.
 */
bool jscan_enter(struct jscan *s, struct span doc, char bracket);

/*
 * The next member (key without its quotes, value) or element (value); false
 * after the last.  A value that is cut short reaches to the end of doc.
 */
bool jscan_next(struct jscan *s, struct span *key, struct span *value);

/*
 * Bytes that jansson allocates at most to read doc, by the sizes of its
 * objects on a 64-bit machine with glibc.
 */
size_t jscan_memory(struct span doc);

#endif
