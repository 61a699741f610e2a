/* gzstream: what goes in comes out, in whatever pieces; damage shows. */
#include <stdlib.h>

#include "check.h"
#include "base/buf.h"
#include "record/gzstream.h"

static struct err e;
static struct buf packed = BUF_INIT(64 << 20);
static size_t piece;			/* bytes that the source gives */
static size_t at;

static int
keep(void *arg, const void *p, size_t n, struct err *err)
{
	buf_add(arg, p, n);
	return buf_check(arg, "kept", err);
}

static int
refuse(void *arg, const void *p, size_t n, struct err *err)
{
	(void)arg;
	(void)p;
	return err_set(err, ERR_SYS, "no room for %zu", n);
}

static long
give(void *arg, void *p, size_t n, struct err *err)
{
	const struct buf *b = arg;

	(void)err;
	if (n > piece)
		n = piece;
	if (n > b->len - at)
		n = b->len - at;
	memcpy(p, b->p + at, n);
	at += n;
	return (long)n;
}

static long
give_error(void *arg, void *p, size_t n, struct err *err)
{
	if (at > 0)
		return err_set(err, ERR_NO, "the source has failed");
	return give(arg, p, n, err);
}

/* Read packed: 0 and the content in out, or -1. */
static int
unpack(struct buf *out, age_source *source)
{
	struct gz_reader *r = gz_reader_new(source, &packed, &e);
	unsigned char part[1000];
	size_t got;
	int status;

	at = 0;
	buf_reset(out);
	while ((status = gz_read(r, part, sizeof(part), &got, &e)) == 0 &&
	    got > 0)
		buf_add(out, part, got);
	if (status == 0)
		CHECK(gz_read(r, part, 1, &got, &e) == 0 && got == 0);
	gz_reader_free(r);
	return status;
}

static void
trip(struct gz_writer *w, size_t n, bool noise)
{
	struct buf plain = BUF_INIT(n + 1), out = BUF_INIT(n + 1);
	uint32_t x = 1;

	for (size_t i = 0; i < n; i++) {
		x = x * 1664525 + 1013904223;
		buf_addc(&plain, noise ? (unsigned char)(x >> 24) :
		    (unsigned char)(i / 100));
	}
	buf_reset(&packed);
	gz_start(w, n, keep, &packed);
	for (size_t i = 0; i < n; ) {
		size_t k = i % 7777 + 1 < n - i ? i % 7777 + 1 : n - i;

		CHECK(gz_add(w, plain.p + i, k, &e) == 0);
		i += k;
	}
	CHECK(gz_finish(w, &e) == 0);
	for (piece = 1; piece < 100000; piece = piece * 300 + 1) {
		CHECK(unpack(&out, give) == 0);
		CHECK(span_eq(buf_span(&out), buf_span(&plain)));
	}
	buf_free(&plain);
	buf_free(&out);
}

/* Every cut, more bytes, every byte another. */
static void
damage(struct gz_writer *w)
{
	struct buf out = BUF_INIT(1 << 20);
	size_t whole;

	piece = 100;
	buf_reset(&packed);
	gz_start(w, 13, keep, &packed);
	CHECK(gz_add(w, "some\ncontent\n", 13, &e) == 0);
	CHECK(gz_finish(w, &e) == 0);
	for (whole = packed.len, packed.len = 0; packed.len < whole;
	    packed.len++)
		CHECK(unpack(&out, give) == -1 && e.kind == ERR_BAD);
	for (size_t i = 10; i < whole; i++) {
		packed.p[i] ^= 0xff;
		CHECK(unpack(&out, give) == -1 && e.kind == ERR_BAD);
		packed.p[i] ^= 0xff;
	}
	CHECK(unpack(&out, give) == 0);
	/* The source fails, or goes on, when the member has been read. */
	piece = packed.len;
	CHECK(unpack(&out, give_error) == -1 && e.kind == ERR_NO);
	buf_addc(&packed, 0);
	CHECK(unpack(&out, give) == -1 && e.kind == ERR_BAD);
	piece++;
	CHECK(unpack(&out, give) == -1 && e.kind == ERR_BAD);
	piece = 5;
	CHECK(unpack(&out, give_error) == -1 && e.kind == ERR_NO);
	buf_free(&out);
}

int
main(void)
{
	struct gz_writer *w = gz_writer_new(&e);
	struct buf first = BUF_INIT(1 << 20);

	trip(w, 0, false);
	trip(w, 1, false);
	trip(w, 1000, false);
	buf_add(&first, packed.p, packed.len);
	trip(w, GZ_SMALL - 1, true);
	trip(w, GZ_SMALL, true);
	trip(w, 1000000, false);
	trip(w, 1000000, true);
	damage(w);
	/* A stream that was left is forgotten. */
	gz_start(w, 5000, refuse, NULL);
	CHECK(gz_add(w, first.p, first.len, &e) == 0);
	trip(w, 1000, false);
	CHECK(span_eq(buf_span(&packed), buf_span(&first)));
	gz_start(w, 5, refuse, NULL);
	CHECK(gz_add(w, "hello", 5, &e) == 0);
	CHECK(gz_finish(w, &e) == -1 && e.kind == ERR_SYS);
	gz_writer_free(w);
	gz_writer_free(NULL);
	gz_reader_free(NULL);
	buf_free(&first);
	buf_free(&packed);
	return check_done("gzstream");
}
