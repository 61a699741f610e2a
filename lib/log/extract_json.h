/* extract_json: values of JSON, of what extracts are made. */
#ifndef LOG_EXTRACT_JSON_H
#define LOG_EXTRACT_JSON_H

#include <jansson.h>

#include "base/buf.h"
#include "crypto/hash.h"

/* Text; a time as stamp.h has it; 64 hex digits. */
json_t *extract_json_text(struct span s);
json_t *extract_json_time(int64_t ms);
json_t *extract_json_hash(const struct hash *h);

/* Append value on one line, without a newline, and release it.  NULL, or a
 * failure, is one of memory: -1. */
int extract_json_add(struct buf *out, json_t *value, struct err *e);

#endif
