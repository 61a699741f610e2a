/*
 * age_body: STREAM, at every boundary, by the writer, the reader and at once.
 * The chunks are made with crypto/stream, so that wrong ones can be made too.
 */
#include <stdlib.h>

#include "check.h"
#include "crypto/age.h"
#include "crypto/stream.h"

#define MAX (1u << 20)

static struct err e;
static struct age_key key;
static unsigned char plain[5 * AGE_CHUNK];

/* A sink that keeps what comes, up to the ceiling of its buffer. */
static int
keep(void *arg, const void *p, size_t n, struct err *why)
{
	struct buf *b = arg;

	buf_add(b, p, n);
	return buf_check(b, "sink", why);
}

/* A source that gives bytes in pieces, and fails when it comes to fail_at. */
struct source {
	struct span rest;
	size_t piece;
	size_t fail_at;		/* bytes given, or SIZE_MAX */
	size_t given;
};

static long
give(void *arg, void *p, size_t n, struct err *why)
{
	struct source *s = arg;

	if (s->given >= s->fail_at)
		return err_set(why, ERR_SYS, "source");
	n = n < s->piece ? n : s->piece;
	n = n < s->rest.n ? n : s->rest.n;
	if (n > 0)
		memcpy(p, s->rest.p, n);
	s->rest = span_of(n == 0 ? NULL : s->rest.p + n, s->rest.n - n);
	s->given += n;
	return (long)n;
}

/* Read all of a body in pieces: 0 and the content, or -1. */
static int
read_all(struct buf *out, struct span body, size_t piece, size_t want)
{
	struct source s = { body, piece, SIZE_MAX, 0 };
	struct age_reader *r = age_reader_open(&key, give, &s, &e);
	size_t got;
	int result = -1;

	buf_reset(out);
	if (r == NULL)
		return -1;
	for (;;) {
		unsigned char *to = buf_room(out, want);

		if (to == NULL || age_reader_read(r, to, want, &got, &e) != 0)
			break;
		out->len += got;
		if (got == 0) {
			result = 0;
			break;
		}
	}
	/* A reader that failed stays so, one at the end too. */
	CHECK(age_reader_read(r, plain, 1, &got, &e) == result &&
	    got == 0);
	age_reader_free(r);
	return result;
}

static const size_t size[] = {
	0, 1, 15, 16, 17, AGE_CHUNK - 1, AGE_CHUNK, AGE_CHUNK + 1,
	2 * AGE_CHUNK - 1, 2 * AGE_CHUNK, 2 * AGE_CHUNK + 1, 3 * AGE_CHUNK,
	5 * AGE_CHUNK
};
#define SIZES (sizeof(size) / sizeof(size[0]))

/* A body made by the writer, of pieces of one size. */
static void
write_all(struct buf *out, struct span in, size_t piece)
{
	struct age_writer *w = age_writer_open(&key, keep, out, &e);

	CHECK(w != NULL);
	while (in.n > 0) {
		size_t n = in.n < piece ? in.n : piece;

		CHECK(age_writer_add(w, in.p, n, &e) == 0);
		in = span_of(in.p + n, in.n - n);
	}
	CHECK(age_writer_add(w, NULL, 0, &e) == 0);
	CHECK(age_writer_close(w, &e) == 0);
	CHECK(age_writer_close(w, &e) != 0);
	CHECK(age_writer_add(w, "x", 1, &e) != 0);
	age_writer_free(w);
}

static void
sizes(void)
{
	static const size_t piece[] = { 1000, AGE_CHUNK - 1, AGE_CHUNK,
	    AGE_CHUNK + 1, 3 * AGE_CHUNK, MAX };
	struct buf b = BUF_INIT(MAX), got = BUF_INIT(4 * MAX);

	for (size_t i = 0; i < SIZES; i++)
		for (size_t k = 0; k < 6; k++) {
			struct span in = span_of(plain, size[i]);

			buf_reset(&b);
			write_all(&b, in, piece[k]);
			CHECK(b.len == age_body_size(in.n));
			buf_reset(&got);
			CHECK(age_body_open(&got, &key, buf_span(&b), &e)
			    == 0 && span_eq(buf_span(&got), in));
			CHECK(read_all(&got, buf_span(&b), piece[k],
			    piece[5 - k]) == 0 && span_eq(buf_span(&got), in));
			buf_reset(&b);
			CHECK(age_body_make(&b, &key, in, &e) == 0);
			CHECK(b.len == age_body_size(in.n));
			CHECK(read_all(&got, buf_span(&b), 777, 5000) == 0 &&
			    span_eq(buf_span(&got), in));
		}
	CHECK(age_body_size(0) == 32 && age_body_size(1) == 33);
	CHECK(age_body_size(65536) == 65536 + 32);
	CHECK(age_body_size(65537) == 65537 + 48);
	CHECK(age_body_size((uint64_t)1 << 40) ==
	    ((uint64_t)1 << 40) + 16 + 16 * ((uint64_t)1 << 24));
	buf_free(&b);
	buf_free(&got);
}

/* Neither way opens it, and no more than good bytes come out before. */
static void
refused(struct span body, size_t good)
{
	struct buf got = BUF_INIT(4 * MAX);

	buf_adds(&got, "before");
	CHECK(age_body_open(&got, &key, body, &e) != 0 && e.kind == ERR_BAD);
	CHECK(span_is(buf_span(&got), "before"));
	CHECK(read_all(&got, body, MAX, 5000) != 0 && e.kind == ERR_BAD);
	CHECK(got.len <= good && memcmp(got.p, plain, got.len) == 0);
	buf_free(&got);
}

/* One byte less and more, at each boundary; a flip in each part of a chunk. */
static void
altered(void)
{
	static const size_t at[] = { 0, 15, 16, 100, 16 + AGE_CHUNK - 1,
	    16 + AGE_CHUNK, 16 + AGE_CHUNK + 15, 16 + AGE_CHUNK + 16 };

	for (size_t i = 0; i < SIZES; i++) {
		struct buf b = BUF_INIT(MAX);

		CHECK(age_body_make(&b, &key, span_of(plain, size[i]), &e)
		    == 0);
		refused(span_of(b.p, b.len - 1), size[i]);
		for (size_t k = 0; k < 8; k++) {
			refused(span_of(b.p, at[k] < b.len ? at[k] : 0),
			    size[i]);
			if (at[k] >= b.len)
				continue;
			b.p[at[k]] ^= 0x10;
			refused(buf_span(&b), size[i]);
			b.p[at[k]] ^= 0x10;
		}
		b.p[b.len - 1] ^= 1;
		refused(buf_span(&b), size[i]);
		b.p[b.len - 1] ^= 1;
		buf_addc(&b, 0);
		refused(buf_span(&b), size[i]);
		buf_free(&b);
	}
}

/* A body of chunks as told: s a short one, f a full one, e an empty one; in
 * capitals those that say that they are the last. */
static void
chunks(struct buf *b, const char *how)
{
	unsigned char nonce[AGE_NONCE] = { 1 };
	struct stream s;
	size_t from = 0;

	stream_start(&s, &key, nonce, true);
	buf_reset(b);
	buf_add(b, nonce, sizeof(nonce));
	for (; *how != '\0'; how++) {
		bool last = *how < 'a';
		size_t n = *how == 's' || *how == 'S' ? 10 : *how == 'f' ||
		    *how == 'F' ? AGE_CHUNK : 0;

		stream_seal(&s, buf_room(b, n + AGE_TAG),
		    span_of(plain + from, n), last);
		b->len += n + AGE_TAG;
		from += n;
	}
	stream_end(&s);
}

static void
streams(void)
{
	static const char *const good[] = { "E", "S", "F", "fS", "fF", "ffS" };
	static const char *const bad[] = {
		"", "e", "s", "f", "ff", "fs", "fE", "ffE", "sS", "SS", "SE",
		"EE", "ES", "FS", "FF", "FE", "fSS", "fSF", "fFS", "fFF", "sF",
		"fe", "eF"
	};
	struct buf b = BUF_INIT(MAX), got = BUF_INIT(4 * MAX);

	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		chunks(&b, good[i]);
		CHECK(read_all(&got, buf_span(&b), MAX, 5000) == 0);
		CHECK(age_body_open(&got, &key, buf_span(&b), &e) == 0);
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		chunks(&b, bad[i]);
		refused(buf_span(&b), MAX);
	}
	/* Two chunks that change places. */
	chunks(&b, "ffS");
	for (size_t i = 0; i < STREAM_SEALED; i++) {
		unsigned char c = b.p[16 + i];

		b.p[16 + i] = b.p[16 + STREAM_SEALED + i];
		b.p[16 + STREAM_SEALED + i] = c;
	}
	refused(buf_span(&b), 0);
	buf_free(&b);
	buf_free(&got);
}

/* A sink or a source that fails, says why, and is not asked again. */
static void
failures(void)
{
	struct buf b = BUF_INIT(100), body = BUF_INIT(MAX);
	struct source s = { span_of(NULL, 0), 100, SIZE_MAX, 0 };
	struct age_writer *w = age_writer_open(&key, keep, &b, &e);
	struct age_reader *r;
	size_t got;

	CHECK(w != NULL);
	CHECK(age_writer_add(w, plain, AGE_CHUNK, &e) == 0);
	CHECK(age_writer_add(w, plain, 1, &e) != 0 && e.kind == ERR_BAD);
	CHECK(strncmp(e.msg, "sink", 4) == 0);
	CHECK(age_writer_close(w, &e) != 0 && e.kind == ERR_SYS);
	age_writer_free(w);
	age_writer_free(NULL);
	b.max = 15;
	buf_reset(&b);
	CHECK(age_writer_open(&key, keep, &b, &e) == NULL);
	CHECK(age_body_make(&b, &key, span_of(plain, 1), &e) != 0 &&
	    e.kind == ERR_BAD);
	CHECK(age_body_make(&body, &key, span_of(plain, MAX / 4), &e) == 0);
	buf_reset(&b);
	CHECK(age_body_open(&b, &key, buf_span(&body), &e) != 0 &&
	    e.kind == ERR_BAD);
	s.rest = buf_span(&body);
	s.fail_at = 0;
	CHECK(age_reader_open(&key, give, &s, &e) == NULL);
	s.fail_at = 1000;
	CHECK((r = age_reader_open(&key, give, &s, &e)) != NULL);
	CHECK(age_reader_read(r, plain, 100, &got, &e) != 0);
	CHECK_STR(e.msg, "source");
	age_reader_free(r);
	age_reader_free(NULL);
	buf_free(&b);
	buf_free(&body);
}

int
main(void)
{
	for (size_t i = 0; i < sizeof(plain); i++)
		plain[i] = (unsigned char)(i * 2654435761u >> 13);
	age_key_generate(&key);
	sizes();
	altered();
	streams();
	failures();
	return check_done("age_body");
}
