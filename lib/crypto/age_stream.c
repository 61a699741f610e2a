#include <assert.h>
#include <stdlib.h>

#include "crypto/age.h"
#include "crypto/stream.h"

struct age_writer {
	struct stream s;
	age_sink *sink;
	void *arg;
	bool done;		/* closed, or failed */
	size_t n;		/* bytes waiting */
	size_t used;		/* bytes of chunk that ever held plaintext */
	unsigned char chunk[STREAM_SEALED];
};

struct age_writer *
age_writer_open(const struct age_key *key, age_sink *sink, void *arg,
    struct err *e)
{
	unsigned char nonce[AGE_NONCE];
	struct age_writer *w = malloc(sizeof(*w));

	if (w == NULL) {
		err_sys(e, "age body");
		return NULL;
	}
	hash_random(nonce, sizeof(nonce));
	stream_start(&w->s, key, nonce, true);
	w->sink = sink;
	w->arg = arg;
	w->done = false;
	w->n = w->used = 0;
	if (sink(arg, nonce, sizeof(nonce), e) != 0) {
		age_writer_free(w);
		return NULL;
	}
	return w;
}

/* Seal a chunk, which may lie in w->chunk, and pass it on. */
static int
put_chunk(struct age_writer *w, struct span plain, bool last, struct err *e)
{
	stream_seal(&w->s, w->chunk, plain, last);
	w->n = 0;
	if (w->sink(w->arg, w->chunk, plain.n + AGE_TAG, e) != 0) {
		w->done = true;
		return -1;
	}
	return 0;
}

int
age_writer_add(struct age_writer *w, const void *p, size_t n, struct err *e)
{
	struct span in = span_of(p, n);

	if (w->done)
		return err_set(e, ERR_SYS, "age body: ended already");
	/* A full chunk stays until it is known whether it is the last. */
	while (in.n > 0) {
		size_t take = AGE_CHUNK - w->n < in.n ? AGE_CHUNK - w->n :
		    in.n;

		if (take == 0) {
			if (put_chunk(w, span_of(w->chunk, AGE_CHUNK), false,
			    e) != 0)
				return -1;
			continue;
		}
		if (take == AGE_CHUNK && in.n > take) {
			if (put_chunk(w, span_of(in.p, take), false, e) != 0)
				return -1;
		} else {
			memcpy(w->chunk + w->n, in.p, take);
			w->n += take;
			w->used = w->n > w->used ? w->n : w->used;
		}
		in = span_of(in.p + take, in.n - take);
	}
	return 0;
}

int
age_writer_close(struct age_writer *w, struct err *e)
{
	if (w->done)
		return err_set(e, ERR_SYS, "age body: ended already");
	if (put_chunk(w, span_of(w->chunk, w->n), true, e) != 0)
		return -1;
	w->done = true;
	return 0;
}

void
age_writer_free(struct age_writer *w)
{
	if (w == NULL)
		return;
	stream_end(&w->s);
	hash_wipe(w->chunk, w->used);
	free(w);
}

struct age_reader {
	struct stream s;
	age_source *source;
	void *arg;
	bool ended;		/* the last chunk was opened */
	bool failed;
	bool more;		/* the last byte of chunk starts the next one */
	size_t at, n;		/* plaintext of chunk: from at to n */
	size_t used;		/* bytes of chunk that ever held plaintext */
	unsigned char chunk[STREAM_SEALED + 1];
};

/* Read n bytes, fewer only at the end of the source. */
static int
fill(struct age_reader *r, unsigned char *p, size_t n, size_t *got,
    struct err *e)
{
	*got = 0;
	while (*got < n) {
		long more = r->source(r->arg, p + *got, n - *got, e);

		if (more < 0)
			return -1;
		if (more == 0)
			break;
		assert((size_t)more <= n - *got);
		*got += (size_t)more;
	}
	return 0;
}

struct age_reader *
age_reader_open(const struct age_key *key, age_source *source, void *arg,
    struct err *e)
{
	struct age_reader *r = malloc(sizeof(*r));
	unsigned char nonce[AGE_NONCE];
	size_t n;

	if (r == NULL) {
		err_sys(e, "age body");
		return NULL;
	}
	r->s.aead = NULL;
	r->source = source;
	r->arg = arg;
	r->ended = r->failed = r->more = false;
	r->at = r->n = r->used = 0;
	if (fill(r, nonce, sizeof(nonce), &n, e) != 0)
		goto fail;
	if (n != sizeof(nonce)) {
		err_set(e, ERR_BAD, "age body: cut off");
		goto fail;
	}
	stream_start(&r->s, key, nonce, false);
	return r;
fail:
	age_reader_free(r);
	return NULL;
}

/* Open the next chunk; that a byte follows it shows that it is not the last. */
static int
get_chunk(struct age_reader *r, struct err *e)
{
	size_t n, have = r->more;
	bool last;

	if (r->more)
		r->chunk[0] = r->chunk[STREAM_SEALED];
	r->at = r->n = 0;
	if (fill(r, r->chunk + have, sizeof(r->chunk) - have, &n, e) != 0)
		return -1;
	n += have;
	last = n <= STREAM_SEALED;
	if (!last)
		n = STREAM_SEALED;
	if (stream_open(&r->s, r->chunk, span_of(r->chunk, n), last, e) != 0)
		return -1;
	r->n = n - AGE_TAG;
	r->used = r->n > r->used ? r->n : r->used;
	r->more = !last;
	r->ended = last;
	return 0;
}

int
age_reader_read(struct age_reader *r, void *p, size_t n, size_t *got,
    struct err *e)
{
	*got = 0;
	assert(n > 0);
	if (r->failed)
		return err_set(e, ERR_BAD, "age body: failed before");
	if (r->at == r->n && !r->ended && get_chunk(r, e) != 0) {
		r->failed = true;
		return -1;
	}
	*got = r->n - r->at < n ? r->n - r->at : n;
	memcpy(p, r->chunk + r->at, *got);
	r->at += *got;
	return 0;
}

void
age_reader_free(struct age_reader *r)
{
	if (r == NULL)
		return;
	stream_end(&r->s);
	hash_wipe(r->chunk, r->used);
	free(r);
}
