/* payload_read: walk through a payload, entry by entry; see payload.h. */
#ifndef RECORD_PAYLOAD_READ_H
#define RECORD_PAYLOAD_READ_H

#include "record/payload.h"

struct payload_reader;

/* The file that payload_next came to. */
struct payload_entry {
	char name[META_NAME_MAX + 1];	/* without "files/"; meta_name_ok */
	uint64_t size;			/* bytes */
};

/*
 * Open, and read META.json.  NULL and *e when that is not there or not well.
 * payload_close releases; NULL is fine.
 */
struct payload_reader *payload_open(age_source *source, void *arg,
    struct err *e);
void payload_close(struct payload_reader *r);

/* Borrowed until payload_close. */
const struct meta *payload_meta(const struct payload_reader *r);

/*
 * Go to the next file.  1 when there is one; 0 when there is no more, the
 * source has been read to its end and everything was as it must be; -1.
 */
int payload_next(struct payload_reader *r, struct payload_entry *out,
    struct err *e);

/*
 * Give the content of the file that payload_next came to to sink, which may
 * be NULL.  Must be called once for each file.
 */
int payload_copy(struct payload_reader *r, age_sink *sink, void *sink_arg,
    struct err *e);

#endif
