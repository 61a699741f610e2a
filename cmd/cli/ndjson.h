/*
 * ndjson: lines of JSON on stdout for --json, by jansson.  A line is
 *
 *	ndjson_line(c, json_pack("{s:o,s:I}", "id", ndjson_hash(&id),
 *	    "size", (json_int_t)n));
 *
 * Members keep their order.  A failure to build one is one of memory: it ends
 * the command with exit status 4.
 */
#ifndef CLI_NDJSON_H
#define CLI_NDJSON_H

#include <jansson.h>

#include "cli/cli.h"
#include "crypto/hash.h"

/* Text; what is not UTF-8 in it becomes U+FFFD. */
json_t *ndjson_span(struct span s);

/* 64 hex digits; a time of milliseconds, as stamp.h writes it. */
json_t *ndjson_hash(const struct hash *h);
json_t *ndjson_time(int64_t ms);

/* Print the object on one line and release it. */
void ndjson_line(struct cli *c, json_t *object);

#endif
