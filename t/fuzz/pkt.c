/* pkt: packets that are read, written again, are the same bytes. */
#define _GNU_SOURCE
#include <assert.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/fs.h"
#include "net/pkt.h"

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

static void
check_same(int fd, struct span in)
{
	struct buf all = BUF_INIT(4u << 20);
	struct err e;

	if (lseek(fd, 0, SEEK_SET) != 0 ||
	    fs_read_fd(&all, fd, "written", &e) != 0)
		abort();
	assert(all.len <= in.n && (all.len == 0 ||
	    memcmp(all.p, in.p, all.len) == 0));
	buf_free(&all);
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
	int in = memfd_create("in", 0), out = memfd_create("out", 0), got;
	struct buf b = BUF_INIT(PKT_DATA_MAX);
	struct pkt p;
	struct err e;

	if (in < 0 || out < 0 || fs_write_all(in, bytes, n) != 0 ||
	    lseek(in, 0, SEEK_SET) != 0)
		abort();
	pkt_init(&p, in, out, 1000);
	while ((got = pkt_read(&p, &b, &e)) >= 0)
		if ((got == 1 ? pkt_write(&p, buf_span(&b), &e) :
		    pkt_flush(&p, &e)) != 0)
			abort();
	assert(e.kind == ERR_BAD || e.kind == ERR_AGAIN);
	if (pkt_send(&p, &e) != 0)
		abort();
	check_same(out, span_of(bytes, n));
	/* The same as lines: no other outcome than these. */
	if (lseek(in, 0, SEEK_SET) != 0)
		abort();
	p.ended = false;
	p.ahead.at = p.ahead.n = 0;
	while (pkt_read_line(&p, &b, &e) == 0)
		assert(b.len > 0 && memchr(b.p, '\n', b.len) == NULL);
	assert(e.kind == ERR_BAD || e.kind == ERR_AGAIN);
	pkt_free(&p);
	buf_free(&b);
	close(in);
	close(out);
	return 0;
}
