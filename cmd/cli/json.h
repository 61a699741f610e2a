/*
 * json: NDJSON on stdout for --json, by jansson.  A line is
 *
 *	json_line(c, json_pack("{s:o,s:I}", "id", json_hash(&id),
 *	    "size", (json_int_t)n));
 *
 * Members keep their order.  A failure to build one is one of memory: it ends
 * the command with exit status 4.
 */
#ifndef CLI_JSON_H
#define CLI_JSON_H

#include <jansson.h>

#include "cli/cli.h"
#include "crypto/hash.h"

/* Text; what is not UTF-8 in it becomes U+FFFD. */
json_t *json_span(struct span s);

/* 64 hex digits; a time of milliseconds, as stamp.h writes it. */
json_t *json_hash(const struct hash *h);
json_t *json_time(int64_t ms);

/* Print the object on one line and release it. */
void json_line(struct cli *c, json_t *object);

#endif
