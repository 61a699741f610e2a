/*
 * gzstream: gzip (RFC 1952) as a stream, of which nothing is held in memory.
 *
 * One writer serves many streams, one after another: setting zlib up costs
 * more than to compress a small record.
 */
#ifndef RECORD_GZSTREAM_H
#define RECORD_GZSTREAM_H

#include "crypto/age.h"

/* Streams that are known to be shorter than this are compressed faster. */
#define GZ_SMALL (16u << 10)		/* bytes */

struct gz_writer;

/* NULL and *e when there is no memory.  gz_writer_free wipes; NULL is fine. */
struct gz_writer *gz_writer_new(struct err *e);
void gz_writer_free(struct gz_writer *w);

/*
 * Start a stream into sink, whose content will have about n bytes.  What came
 * before, finished or not, is forgotten.
 */
void gz_start(struct gz_writer *w, uint64_t n, age_sink *sink, void *arg);

/* Compress more; end the stream.  -1 with the sink's *e. */
int gz_add(struct gz_writer *w, const void *p, size_t n, struct err *e);
int gz_finish(struct gz_writer *w, struct err *e);

struct gz_reader;

/* Read the one gzip member that source gives. */
struct gz_reader *gz_reader_new(age_source *source, void *arg,
    struct err *e);
void gz_reader_free(struct gz_reader *r);

/*
 * Fill up to n bytes; *got is 0 at the end, when the checksum is right and
 * source had nothing more.  ERR_BAD when it is not gzip, cut, altered, or
 * goes on after the member; the source's error when it has one.
 */
int gz_read(struct gz_reader *r, void *p, size_t n, size_t *got,
    struct err *e);

#endif
