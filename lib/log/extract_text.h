/* extract_text: an extract as CSV (RFC 4180) and NDJSON (ehr-extract(5)). */
#ifndef LOG_EXTRACT_TEXT_H
#define LOG_EXTRACT_TEXT_H

#include "log/extract.h"

/* The names of the columns, and the line of an entry. */
void extract_csv_head(struct buf *out);
void extract_csv(struct buf *out, const struct extract_entry *x);

/* An object on a line.  -1: out of memory. */
int extract_ndjson(struct buf *out, const struct extract_entry *x,
    struct err *e);

#endif
