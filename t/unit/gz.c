/* gz: what is packed comes back, and no bit of it can change unseen. */
#include <stdlib.h>
#include <zlib.h>

#include "check.h"
#include "base/gz.h"

static struct err e;

/* Text as in a block: every line repeats much of those before it. */
static void
make_text(struct buf *out, int lines)
{
	for (int i = 0; i < lines; i++)
		buf_addf(out, "record %08x%08x laboratory "
		    "2026-11-22T19:%02d:00.000Z\nledger e3b0c44298fc1c149afbf4c8"
		    "996fb92427ae41e4649b934ca495991b7852b855\n",
		    (unsigned)i * 2654435761u, (unsigned)i * 40503u, i % 60);
}

static void
round_trip(struct span plain)
{
	struct buf z = BUF_INIT(1 << 24), out = BUF_INIT(plain.n + 1);
	struct buf exact = BUF_INIT(plain.n), less = BUF_INIT(plain.n - 1);

	buf_adds(&out, "x");		/* both append */
	buf_adds(&z, "y");
	CHECK(gz_pack(&z, plain, &e) == 0);
	CHECK(gz_unpack(&out, span_of(z.p + 1, z.len - 1), "z", &e) == 0);
	CHECK(out.len == plain.n + 1 && out.p[0] == 'x');
	CHECK(plain.n == 0 || memcmp(out.p + 1, plain.p, plain.n) == 0);
	CHECK(gz_unpack(&exact, span_of(z.p + 1, z.len - 1), "z", &e) == 0);
	CHECK(span_eq(buf_span(&exact), plain));
	if (plain.n > 0) {
		CHECK(gz_unpack(&less, span_of(z.p + 1, z.len - 1), "z", &e)
		    == -1 && e.kind == ERR_BAD);
		CHECK(less.len == 0);
	}
	buf_free(&z);
	buf_free(&out);
	buf_free(&exact);
	buf_free(&less);
}

/* Every bit, every cut, and more bytes. */
static void
no_change_unseen(struct span plain)
{
	struct buf z = BUF_INIT(1 << 20), out = BUF_INIT(1 << 20);

	CHECK(gz_pack(&z, plain, &e) == 0);
	for (size_t bit = 0; bit < z.len * 8; bit++) {
		unsigned char *p = &z.p[bit / 8];

		*p ^= (unsigned char)(1 << bit % 8);
		CHECK(gz_unpack(&out, buf_span(&z), "z", &e) == -1 &&
		    e.kind == ERR_BAD && out.len == 0);
		*p ^= (unsigned char)(1 << bit % 8);
	}
	for (size_t n = 0; n < z.len; n++)
		CHECK(gz_unpack(&out, span_of(z.p, n), "z", &e) == -1);
	CHECK(gz_unpack(&out, buf_span(&z), "z", &e) == 0);
	buf_reset(&out);
	buf_addc(&z, 0);
	CHECK(gz_unpack(&out, buf_span(&z), "z", &e) == -1);
	z.len--;
	CHECK(gz_pack(&z, plain, &e) == 0);	/* a second member */
	CHECK(gz_unpack(&out, buf_span(&z), "z", &e) == -1);
	buf_free(&z);
	buf_free(&out);
}

/* Any gzip program reads it. */
static void
zlib_reads(struct span plain)
{
	struct buf z = BUF_INIT(1 << 20);
	unsigned char *out = malloc(plain.n + 1);
	z_stream s = { 0 };

	CHECK(gz_pack(&z, plain, &e) == 0);
	CHECK(inflateInit2(&s, 15 + 16) == Z_OK);
	s.next_in = z.p;
	s.avail_in = (uInt)z.len;
	s.next_out = out;
	s.avail_out = (uInt)plain.n + 1;
	CHECK(inflate(&s, Z_FINISH) == Z_STREAM_END);
	CHECK(s.total_out == plain.n && s.avail_in == 0);
	CHECK(memcmp(out, plain.p, plain.n) == 0);
	inflateEnd(&s);
	free(out);
	buf_free(&z);
}

/* The sum over the packed bytes, put right after they were changed. */
static void
seal_again(struct buf *z)
{
	unsigned long sum = crc32(0, z->p + 20, (uInt)(z->len - 20));

	for (int i = 0; i < 4; i++)
		z->p[16 + i] = (unsigned char)(sum >> 8 * i);
}

/* Whoever puts the outer sum right meets the checks behind it. */
static void
forged(struct span plain)
{
	struct buf z = BUF_INIT(1 << 20), out = BUF_INIT(1 << 30);

	CHECK(gz_pack(&z, plain, &e) == 0);
	for (size_t i = 1; i <= 8; i++) {
		z.p[z.len - i] ^= 0x80;
		seal_again(&z);
		CHECK(gz_unpack(&out, buf_span(&z), "z", &e) == -1);
		z.p[z.len - i] ^= 0x80;
	}
	seal_again(&z);
	CHECK(gz_unpack(&out, buf_span(&z), "z", &e) == 0);
	/* One byte between the data and its sums. */
	buf_reset(&out);
	buf_addc(&z, 0);
	memmove(z.p + z.len - 8, z.p + z.len - 9, 8);
	seal_again(&z);
	CHECK(gz_unpack(&out, buf_span(&z), "z", &e) == -1);
	/* A claim of 4 GiB is refused before memory is asked for. */
	z.len--;
	memset(z.p + z.len - 4, 0xff, 4);
	seal_again(&z);
	CHECK(gz_unpack(&out, buf_span(&z), "z", &e) == -1);
	CHECK(out.failed == 0 && out.cap < 1 << 20);
	buf_free(&z);
	buf_free(&out);
}

int
main(void)
{
	static const unsigned char zeros[3 << 20];
	struct buf text = BUF_INIT(1 << 24);
	unsigned char noise[5000];
	uint32_t x = 1;

	make_text(&text, 40);
	for (size_t i = 0; i < sizeof(noise); i++)
		noise[i] = (x = x * 1664525 + 1013904223) >> 24;
	round_trip(span_of(NULL, 0));
	round_trip(span_of("a", 1));
	round_trip(buf_span(&text));
	round_trip(span_of(noise, sizeof(noise)));
	round_trip(span_of(zeros, sizeof(zeros)));
	no_change_unseen(span_of(NULL, 0));
	no_change_unseen(buf_span(&text));
	no_change_unseen(span_of(noise, 500));
	no_change_unseen(span_of(zeros, 70000));
	zlib_reads(buf_span(&text));
	forged(buf_span(&text));
	buf_free(&text);
	return check_done("gz");
}
