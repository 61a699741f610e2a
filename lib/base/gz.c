#include "base/gz.h"

#include <limits.h>
#include <zlib.h>

#define HEAD_LEN 20
#define TAIL_LEN 8
#define RATIO_MAX 1032		/* what deflate can make of one byte, at most */

/*
 * Magic, deflate, an extra field, no time, no hints, OS unknown; the field
 * has 8 bytes: its name, "EH", the length of its value, and the value, which
 * follows: the CRC-32 of all that comes after.
 */
static const unsigned char head[HEAD_LEN - 4] = {
	31, 139, 8, 4, 0, 0, 0, 0, 0, 255, 8, 0, 'E', 'H', 4, 0
};

static void
put32(unsigned char *p, uint32_t v)
{
	for (int i = 0; i < 4; i++)
		p[i] = (unsigned char)(v >> 8 * i);
}

static uint32_t
get32(const unsigned char *p)
{
	return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 |
	    (uint32_t)p[3] << 24;
}

static uint32_t
sum(const unsigned char *p, size_t n)
{
	return (uint32_t)crc32(crc32(0, NULL, 0), n == 0 ? head : p, (uInt)n);
}

/* Deflate all of in to to, which has room; 0 when zlib fails. */
static size_t
deflate_all(z_stream *z, unsigned char *to, size_t room, struct span in)
{
	z->next_in = (unsigned char *)(uintptr_t)in.p;
	z->avail_in = (uInt)in.n;
	z->next_out = to;
	z->avail_out = (uInt)room;
	return deflate(z, Z_FINISH) == Z_STREAM_END ? room - z->avail_out : 0;
}

int
gz_pack(struct buf *out, struct span in, struct err *e)
{
	z_stream z = { 0 };
	unsigned char *to;
	size_t room, n;

	if (in.n > INT_MAX / 2)
		return err_set(e, ERR_BAD, "too long to compress at once");
	if (deflateInit2(&z, 1, Z_DEFLATED, -15, 8, Z_DEFAULT_STRATEGY) != Z_OK)
		return err_set(e, ERR_SYS, "zlib: out of memory");
	room = deflateBound(&z, (uLong)in.n);
	to = buf_room(out, HEAD_LEN + room + TAIL_LEN);
	if (to == NULL) {
		deflateEnd(&z);
		return buf_check(out, "compressed data", e);
	}
	n = deflate_all(&z, to + HEAD_LEN, room, in);
	deflateEnd(&z);
	if (n == 0)
		return err_set(e, ERR_SYS, "zlib: cannot compress");
	memcpy(to, head, sizeof(head));
	put32(to + HEAD_LEN + n, sum(in.p, in.n));
	put32(to + HEAD_LEN + n + 4, (uint32_t)in.n);
	put32(to + sizeof(head), sum(to + HEAD_LEN, n + TAIL_LEN));
	out->len += HEAD_LEN + n + TAIL_LEN;
	return 0;
}

/* Inflate in, to its last byte, to exactly n bytes. */
static int
inflate_exactly(unsigned char *to, size_t n, struct span in)
{
	z_stream z = { 0 };
	int r;

	if (inflateInit2(&z, -15) != Z_OK)
		return -1;
	z.next_in = (unsigned char *)(uintptr_t)in.p;
	z.avail_in = (uInt)in.n;
	z.next_out = to;
	z.avail_out = (uInt)n;
	r = inflate(&z, Z_FINISH);
	inflateEnd(&z);
	return r == Z_STREAM_END && z.avail_in == 0 && z.avail_out == 0 ? 0 :
	    -1;
}

int
gz_unpack(struct buf *out, struct span in, const char *what, struct err *e)
{
	const unsigned char *tail;
	unsigned char *to;
	struct span packed;
	size_t n;

	if (in.n < HEAD_LEN + TAIL_LEN || in.n > INT_MAX ||
	    memcmp(in.p, head, sizeof(head)) != 0)
		return err_set(e, ERR_BAD, "%s: not a gzip file of ours", what);
	packed = span_of(in.p + HEAD_LEN, in.n - HEAD_LEN);
	if (get32(in.p + sizeof(head)) != sum(packed.p, packed.n))
		return err_set(e, ERR_BAD, "%s: altered or cut off", what);
	packed.n -= TAIL_LEN;
	tail = packed.p + packed.n;
	n = get32(tail + 4);
	if (n / RATIO_MAX > packed.n)
		return err_set(e, ERR_BAD, "%s: corrupt gzip data", what);
	if ((to = buf_room(out, n)) == NULL)
		return buf_check(out, what, e);
	if (inflate_exactly(to, n, packed) != 0)
		return err_set(e, ERR_BAD, "%s: corrupt gzip data", what);
	if (get32(tail) != sum(to, n))
		return err_set(e, ERR_BAD, "%s: gzip checksum is wrong", what);
	out->len += n;
	return 0;
}
