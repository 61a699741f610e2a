/*
 * age_body: the first bytes say how long a body is made, in what pieces it is
 * read, and what is done to it before.  It opens if nothing was, and only then;
 * reading it in pieces and opening it at once agree.  Then the input itself is
 * taken for a body.
 */
#include <assert.h>
#include <stdlib.h>

#include "crypto/age.h"

#define MAX (4 * AGE_CHUNK)

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

static const struct age_key key = { "0123456789abcde" };

struct source {
	struct span rest;
	size_t piece;
};

static long
give(void *arg, void *p, size_t n, struct err *e)
{
	struct source *s = arg;

	(void)e;
	n = n < s->piece ? n : s->piece;
	n = n < s->rest.n ? n : s->rest.n;
	if (n > 0)
		memcpy(p, s->rest.p, n);
	s->rest = span_of(n == 0 ? NULL : s->rest.p + n, s->rest.n - n);
	return (long)n;
}

static int
read_all(struct buf *out, struct span body, size_t piece)
{
	struct source s = { body, piece };
	struct err e;
	struct age_reader *r = age_reader_open(&key, give, &s, &e);
	unsigned char part[5000];
	size_t got = 0;
	int result = r == NULL ? -1 : 0;

	while (result == 0) {
		result = age_reader_read(r, part, sizeof(part), &got, &e);
		if (got == 0)
			break;
		buf_add(out, part, got);
	}
	assert(result == 0 || (e.kind == ERR_BAD && got == 0));
	age_reader_free(r);
	return result;
}

/* Open a body both ways, which must agree. */
static int
open_both(struct buf *out, struct span body, size_t piece)
{
	struct buf parts = BUF_INIT(MAX);
	struct err e;
	int r = age_body_open(out, &key, body, &e);

	assert(read_all(&parts, body, piece) == r);
	assert(r != 0 || span_eq(buf_span(out), buf_span(&parts)));
	assert(r == 0 || (e.kind == ERR_BAD && out->len == 0));
	buf_free(&parts);
	return r;
}

static unsigned
take(const uint8_t **p)
{
	unsigned v = (unsigned)(*p)[0] | (unsigned)(*p)[1] << 8 |
	    (unsigned)(*p)[2] << 16;

	*p += 3;
	return v;
}

/* 1 when the body is not what it was. */
static int
do_harm(struct buf *b, unsigned how, unsigned where, unsigned char with)
{
	where %= (unsigned)b->len;
	switch (how % 4) {
	case 1:
		b->p[where] ^= with;
		return with != 0;
	case 2:
		b->len = where;
		return 1;
	case 3:
		buf_addc(b, with);
		return 1;
	default:
		return 0;
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	static unsigned char plain[MAX / 2];
	struct buf body = BUF_INIT(MAX), out = BUF_INIT(MAX);
	unsigned length, piece, where;
	struct err e;

	open_both(&out, span_of(p, n), 100);
	if (n < 11)
		goto done;
	length = take(&p) % (sizeof(plain) + 1);
	piece = take(&p) % sizeof(plain) + 1;
	where = take(&p);
	memset(plain, p[1], length);
	assert(age_body_make(&body, &key, span_of(plain, length), &e) == 0);
	assert(body.len == age_body_size(length));
	if (do_harm(&body, p[0], where, p[1]))
		assert(open_both(&out, buf_span(&body), piece) != 0);
	else {
		assert(open_both(&out, buf_span(&body), piece) == 0);
		assert(span_eq(buf_span(&out), span_of(plain, length)));
	}
done:
	buf_free(&body);
	buf_free(&out);
	return 0;
}
