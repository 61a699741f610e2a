/*
 * meta: META.json, the first entry of a record's payload.
 *
 * It says what the record holds, so that an index needs only the start of
 * the payload; see ehr-record(5).
 */
#ifndef RECORD_META_H
#define RECORD_META_H

#include "base/buf.h"
#include "record/fields.h"

#define META_MAX (64u << 10)		/* bytes that a reader accepts */
#define META_WRITE_MAX (48u << 10)	/* bytes that a writer makes */
#define META_DESCRIPTION_MAX 1024	/* bytes */
#define META_LABEL_MAX 64		/* bytes */
#define META_NAME_MAX 1024		/* bytes of a file's name */
#define META_PART_MAX 255		/* bytes of one part of it */
#define META_TYPE_MAX 128		/* bytes of a media type */

/*
 * May name be that of a file in a record: UTF-8 without control characters,
 * parts divided by '/', each of 1 to 255 bytes and neither "." nor ".."?
 */
bool meta_name_ok(struct span name);

struct json_t;

/* One META.json in the making. */
struct meta_writer;

/*
 * Start.  description and label are one line of UTF-8 each, description may
 * be empty.  ERR_BAD when they are not or are too long.  The writer is freed
 * by meta_writer_free (NULL does nothing).
 */
struct meta_writer *meta_writer_new(struct span description,
    struct span label, struct err *e);
void meta_writer_free(struct meta_writer *w);

/*
 * Add a file, whose name must be meta_name_ok, with its media type, its size
 * in bytes and its fields.  Files come in the order in which they follow in
 * the payload.
 */
int meta_add(struct meta_writer *w, struct span name, const char *type,
    uint64_t size, const struct fields *fields, struct err *e);

/*
 * Append the JSON to out, at most META_WRITE_MAX bytes: fields for as many
 * files as there is room for; when not even all files fit, no fields, as many
 * files as fit, and "truncated":true.
 */
int meta_finish(struct meta_writer *w, struct buf *out, struct err *e);

/* One META.json that was read. */
struct meta {
	struct span description;	/* borrowed from root */
	struct span label;
	bool truncated;			/* files does not tell them all */
	size_t nfiles;
	struct json_t *root;		/* owned */
};

/* One of its files; all borrowed from the meta. */
struct meta_file {
	struct span name;
	struct span type;
	uint64_t size;			/* bytes */
	struct json_t *fields;
};

/*
 * Read json.  ERR_BAD when it is not a META.json of version 1 that keeps all
 * limits: unknown or repeated members, a name twice, control characters.
 * On success the caller owns *m and releases it with meta_free, which also
 * takes a zeroed one.
 */
int meta_parse(struct meta *m, struct span json, struct err *e);
void meta_free(struct meta *m);

/* File i < m->nfiles. */
void meta_file(struct meta_file *out, const struct meta *m, size_t i);

/* Call each for every field of f, in order, until it returns not 0; that. */
typedef int meta_field_fn(void *arg, const char *key, struct span value);
int meta_fields(const struct meta_file *f, meta_field_fn *each, void *arg);

#endif
