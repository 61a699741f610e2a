#include "base/gz.h"

#include <limits.h>
#include <zlib.h>

/* Magic, deflate, no flags, no time, no hints, OS unknown. */
static const unsigned char head[10] = { 31, 139, 8, 0, 0, 0, 0, 0, 0, 255 };

static void
put32(unsigned char *p, uint32_t v)
{
	for (int i = 0; i < 4; i++)
		p[i] = (unsigned char)(v >> 8 * i);
}

int
gz_pack(struct buf *out, struct span in, struct err *e)
{
	z_stream z = { 0 };
	unsigned char tail[8];
	unsigned char *to;
	uLong bound;

	if (in.n > INT_MAX / 2)
		return err_set(e, ERR_BAD, "too long to compress at once");
	if (deflateInit2(&z, 6, Z_DEFLATED, -15, 8, Z_DEFAULT_STRATEGY) != Z_OK)
		return err_set(e, ERR_SYS, "zlib: out of memory");
	bound = deflateBound(&z, (uLong)in.n);
	buf_add(out, head, sizeof(head));
	if ((to = buf_room(out, bound)) != NULL) {
		z.next_in = (unsigned char *)(uintptr_t)in.p;
		z.avail_in = (uInt)in.n;
		z.next_out = to;
		z.avail_out = (uInt)bound;
		deflate(&z, Z_FINISH);
		out->len += z.total_out;
	}
	deflateEnd(&z);
	put32(tail, (uint32_t)crc32(0, in.p, (uInt)in.n));
	put32(tail + 4, (uint32_t)in.n);
	buf_add(out, tail, sizeof(tail));
	return buf_check(out, "compressed data", e);
}

/*
 * Inflate until the stream ends.  *unused is the number of padding bits in
 * its last byte, as zlib tells it at the end of a block.
 */
static int
inflate_all(struct buf *out, z_stream *z, int *unused)
{
	int r = Z_OK;

	*unused = 0;
	while (r == Z_OK) {
		size_t left = out->max - out->len;
		size_t room = left < 65536 ? left + 1 : 65536;
		unsigned char probe;
		unsigned char *to = left == 0 ? &probe : buf_room(out,
		    room > left ? left : room);

		if (to == NULL)
			return -1;
		z->next_out = to;
		z->avail_out = (uInt)(left == 0 ? 1 : room > left ? left : room);
		r = inflate(z, Z_BLOCK);
		if (to == &probe) {
			if (z->next_out != &probe) {
				out->failed = ERR_BAD;
				return -1;
			}
		} else
			out->len += (size_t)(z->next_out - to);
		if (r == Z_OK && (z->data_type & 128) != 0)
			*unused = z->data_type & 7;
		if (r == Z_BUF_ERROR && z->avail_in > 0)
			r = Z_OK;
	}
	if (r == Z_STREAM_END)
		*unused = z->data_type & 7;
	return r == Z_STREAM_END ? 0 : -1;
}

int
gz_unpack(struct buf *out, struct span in, const char *what, struct err *e)
{
	z_stream z = { 0 };
	unsigned char tail[8];
	size_t start = out->len;
	int r, unused;

	if (in.n < sizeof(head) + sizeof(tail) + 2 || in.n > INT_MAX ||
	    memcmp(in.p, head, sizeof(head)) != 0)
		return err_set(e, ERR_BAD, "%s: not a gzip file of ours", what);
	if (inflateInit2(&z, -15) != Z_OK)
		return err_set(e, ERR_SYS, "zlib: out of memory");
	z.next_in = (unsigned char *)(uintptr_t)in.p + sizeof(head);
	z.avail_in = (uInt)(in.n - sizeof(head));
	r = inflate_all(out, &z, &unused);
	inflateEnd(&z);
	if (buf_check(out, what, e) != 0)
		return -1;
	if (r != 0)
		return err_set(e, ERR_BAD, "%s: corrupt gzip data", what);
	if (z.avail_in != sizeof(tail))
		return err_set(e, ERR_BAD, "%s: bytes after the end, or cut",
		    what);
	if (unused > 0 && z.next_in[-1] >> (8 - unused) != 0)
		return err_set(e, ERR_BAD, "%s: padding bits are set", what);
	put32(tail, (uint32_t)crc32(0, out->p == NULL ? NULL :
	    out->p + start, (uInt)(out->len - start)));
	put32(tail + 4, (uint32_t)(out->len - start));
	if (memcmp(tail, z.next_in, sizeof(tail)) != 0)
		return err_set(e, ERR_BAD, "%s: gzip checksum is wrong", what);
	return 0;
}
