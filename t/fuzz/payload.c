/*
 * payload: the first byte says whether the rest is a gzip file, a tar, or a
 * list of entries from which a tar with good checksums is made.  Whatever is
 * listed has names in order and comes out in the length that it told.
 */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

#include "record/gzstream.h"
#include "record/payload.h"

#define MAX (4u << 20)

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

static struct buf packed = BUF_INIT(MAX);
static struct buf tar = BUF_INIT(MAX);
static size_t at;

struct listed {
	size_t n;
	uint64_t size;			/* of the last */
	char name[META_NAME_MAX + 1];	/* of the last */
};

static int
keep(void *arg, const void *p, size_t n, struct err *e)
{
	buf_add(arg, p, n);
	return buf_check(arg, "kept", e);
}

static long
give(void *arg, void *p, size_t n, struct err *e)
{
	(void)arg;
	(void)e;
	n = n < 777 ? n : 777;
	n = n < packed.len - at ? n : packed.len - at;
	memcpy(p, packed.p + at, n);
	at += n;
	return (long)n;
}

static int
list(void *arg, struct span name, uint64_t size, struct err *e)
{
	struct listed *l = arg;

	(void)e;
	assert(meta_name_ok(name));
	assert(l->n == 0 || strcmp((const char *)name.p, l->name) > 0);
	memcpy(l->name, name.p, name.n);
	l->name[name.n] = '\0';
	l->size = size;
	l->n++;
	return 0;
}

static void
put_entry(unsigned char type, struct span name, struct span data)
{
	unsigned char *h = buf_room(&tar, 512);
	unsigned sum = 8 * ' ';

	assert(h != NULL);
	memset(h, 0, 512);
	memcpy(h, name.p, name.n < 100 ? name.n : 100);
	sprintf((char *)h + 100, "%07o", 0600);
	sprintf((char *)h + 124, "%011zo", data.n);
	sprintf((char *)h + 136, "%011o", 0);
	h[156] = type;
	memcpy(h + 257, "ustar\00000", 8);
	for (int i = 0; i < 512; i++)
		sum += h[i];
	sprintf((char *)h + 148, "%06o", sum);
	tar.len += 512;
	buf_add(&tar, data.p, data.n);
	while (tar.len % 512 != 0)
		buf_addc(&tar, 0);
}

/* Entries: type, length of name, length of data / 2, name, data. */
static void
make_tar(struct span in)
{
	while (in.n >= 3) {
		unsigned char type = in.p[0];
		size_t name = in.p[1], data = 2u * in.p[2];
		struct span rest = span_of(in.p + 3, in.n - 3);

		if (name > rest.n)
			name = rest.n;
		if (data > rest.n - name)
			data = rest.n - name;
		put_entry(type, span_of(rest.p, name),
		    span_of(rest.p + name, data));
		in = span_of(rest.p + name + data, rest.n - name - data);
	}
	for (int i = 0; i < 1024; i++)
		buf_addc(&tar, 0);
}

static void
compress(void)
{
	static struct gz_writer *w;
	struct err e;

	if (w == NULL)
		w = gz_writer_new(&e);
	assert(w != NULL);
	gz_start(w, 0, keep, &packed);
	assert(gz_add(w, tar.p, tar.len, &e) == 0);
	assert(gz_finish(w, &e) == 0);
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct buf out = BUF_INIT(MAX);
	struct listed l = { .n = 0 };
	struct err e;

	if (n == 0)
		return 0;
	buf_reset(&packed);
	buf_reset(&tar);
	if (p[0] == 'g')
		buf_add(&packed, p + 1, n - 1);
	else if (p[0] == 't')
		buf_add(&tar, p + 1, n - 1);
	else
		make_tar(span_of(p + 1, n - 1));
	if (p[0] != 'g')
		compress();
	at = 0;
	e.kind = ERR_NONE;
	if (payload_list(give, NULL, list, &l, &e) != 0) {
		assert(e.kind == ERR_BAD);
		return 0;
	}
	assert(l.n > 0 && at == packed.len);
	at = 0;
	assert(payload_stream(give, NULL, l.name, keep, &out, &e) == 0);
	assert(out.len == l.size);
	buf_free(&out);
	return 0;
}
