#include "record/gzstream.h"

#include <limits.h>
#include <stdlib.h>
#include <zlib.h>

#include "crypto/hash.h"

#define GZIP 16			/* added to zlib's windowBits */
#define CHUNK 65536

struct gz_writer {
	z_stream normal;
	z_stream small;
	z_stream *z;		/* the one in use */
	age_sink *sink;
	void *arg;
	unsigned char out[CHUNK];
};

struct gz_reader {
	z_stream z;
	age_source *source;
	void *arg;
	bool end;		/* the member was read and nothing follows */
	unsigned char in[CHUNK];
};

struct gz_writer *
gz_writer_new(struct err *e)
{
	struct gz_writer *w = calloc(1, sizeof(*w));

	if (w != NULL && deflateInit2(&w->normal, 6, Z_DEFLATED, GZIP + 15, 8,
	    Z_DEFAULT_STRATEGY) == Z_OK) {
		/*
		 * A small hash table: clearing the large one takes longer
		 * than a small record.
		 */
		if (deflateInit2(&w->small, 1, Z_DEFLATED, GZIP + 12, 5,
		    Z_DEFAULT_STRATEGY) == Z_OK)
			return w;
		deflateEnd(&w->normal);
	}
	free(w);
	err_set(e, ERR_SYS, "zlib: out of memory");
	return NULL;
}

void
gz_writer_free(struct gz_writer *w)
{
	if (w == NULL)
		return;
	deflateEnd(&w->normal);
	deflateEnd(&w->small);
	hash_wipe(w, sizeof(*w));
	free(w);
}

void
gz_start(struct gz_writer *w, uint64_t n, age_sink *sink, void *arg)
{
	w->z = n < GZ_SMALL ? &w->small : &w->normal;
	w->sink = sink;
	w->arg = arg;
	deflateReset(w->z);
	w->z->next_out = w->out;
	w->z->avail_out = CHUNK;
}

static int
flush(struct gz_writer *w, struct err *e)
{
	size_t n = CHUNK - w->z->avail_out;

	w->z->next_out = w->out;
	w->z->avail_out = CHUNK;
	return n == 0 ? 0 : w->sink(w->arg, w->out, n, e);
}

int
gz_add(struct gz_writer *w, const void *p, size_t n, struct err *e)
{
	const unsigned char *at = p;

	while (n > 0) {
		size_t k = n < INT_MAX ? n : INT_MAX;

		w->z->next_in = (unsigned char *)(uintptr_t)at;
		w->z->avail_in = (uInt)k;
		while (w->z->avail_in > 0) {
			deflate(w->z, Z_NO_FLUSH);
			if (w->z->avail_out == 0 && flush(w, e) != 0)
				return -1;
		}
		at += k;
		n -= k;
	}
	return 0;
}

int
gz_finish(struct gz_writer *w, struct err *e)
{
	w->z->avail_in = 0;
	while (deflate(w->z, Z_FINISH) != Z_STREAM_END)
		if (flush(w, e) != 0)
			return -1;
	return flush(w, e);
}

struct gz_reader *
gz_reader_new(age_source *source, void *arg, struct err *e)
{
	struct gz_reader *r = calloc(1, sizeof(*r));

	if (r == NULL || inflateInit2(&r->z, GZIP + 15) != Z_OK) {
		free(r);
		err_set(e, ERR_SYS, "zlib: out of memory");
		return NULL;
	}
	r->source = source;
	r->arg = arg;
	return r;
}

void
gz_reader_free(struct gz_reader *r)
{
	if (r == NULL)
		return;
	inflateEnd(&r->z);
	hash_wipe(r, sizeof(*r));
	free(r);
}

/* Have at least a byte to inflate, or none because the source is at its end. */
static int
fill(struct gz_reader *r, struct err *e)
{
	long n;

	if (r->z.avail_in > 0)
		return 0;
	n = r->source(r->arg, r->in, CHUNK, e);
	if (n < 0)
		return -1;
	r->z.next_in = r->in;
	r->z.avail_in = (uInt)n;
	return 0;
}

int
gz_read(struct gz_reader *r, void *p, size_t n, size_t *got, struct err *e)
{
	int status = Z_OK;

	*got = 0;
	if (n > INT_MAX)
		n = INT_MAX;
	r->z.next_out = p;
	r->z.avail_out = (uInt)n;
	while (!r->end && r->z.avail_out == n) {
		if (fill(r, e) != 0)
			return -1;
		if (r->z.avail_in == 0)
			return err_set(e, ERR_BAD, "payload: cut short");
		status = inflate(&r->z, Z_NO_FLUSH);
		if (status == Z_MEM_ERROR)
			return err_set(e, ERR_SYS, "zlib: out of memory");
		if (status != Z_OK && status != Z_STREAM_END)
			return err_set(e, ERR_BAD, "payload: not gzip, or "
			    "corrupt");
		if (status != Z_STREAM_END)
			continue;
		/* Only now is it known that what came is the whole. */
		if (fill(r, e) != 0)
			return -1;
		if (r->z.avail_in > 0)
			return err_set(e, ERR_BAD, "payload: goes on after "
			    "its end");
		r->end = true;
	}
	*got = n - r->z.avail_out;
	return 0;
}
