/*
 * gz: any bytes, once as they are, and once with the outer checksum put right,
 * so that what is behind it is reached; and what was packed comes back.
 */
#include <assert.h>
#include <stdlib.h>
#include <zlib.h>

#include "base/gz.h"

#define HEAD 20
#define MAX (1u << 20)

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

static void
unpack(struct span in)
{
	struct buf out = BUF_INIT(MAX), z = BUF_INIT(4 * MAX);
	struct buf again = BUF_INIT(MAX);
	struct err e;

	if (gz_unpack(&out, in, "fuzz", &e) == 0) {
		assert(gz_pack(&z, buf_span(&out), &e) == 0);
		assert(gz_unpack(&again, buf_span(&z), "fuzz", &e) == 0);
		assert(span_eq(buf_span(&out), buf_span(&again)));
	} else {
		assert(e.kind == ERR_BAD && out.len == 0);
	}
	buf_free(&out);
	buf_free(&again);
	buf_free(&z);
}

static void
packed(struct span in)
{
	struct buf z = BUF_INIT(4 * MAX), out = BUF_INIT(in.n);
	struct err e;
	size_t bit = in.n == 0 ? 0 : in.p[0];

	assert(gz_pack(&z, in, &e) == 0);
	assert(gz_unpack(&out, buf_span(&z), "fuzz", &e) == 0);
	assert(span_eq(buf_span(&out), in));
	buf_reset(&out);
	bit = bit * 2654435761u % (z.len * 8);
	z.p[bit / 8] ^= (unsigned char)(1 << bit % 8);
	assert(gz_unpack(&out, buf_span(&z), "fuzz", &e) != 0);
	buf_free(&z);
	buf_free(&out);
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	static const unsigned char head[16] = {
		31, 139, 8, 4, 0, 0, 0, 0, 0, 255, 8, 0, 'E', 'H', 4, 0
	};
	unsigned char *file;
	unsigned long sum;

	unpack(span_of(p, n));
	packed(span_of(p, n));
	if (n < HEAD)
		return 0;
	if ((file = malloc(n)) == NULL)
		return 0;
	memcpy(file, head, sizeof(head));
	memcpy(file + sizeof(head), p + sizeof(head), n - sizeof(head));
	sum = crc32(0, file + HEAD, (uInt)(n - HEAD));
	for (int i = 0; i < 4; i++)
		file[16 + i] = (unsigned char)(sum >> 8 * i);
	unpack(span_of(file, n));
	free(file);
	return 0;
}
