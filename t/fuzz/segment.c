/*
 * segment: a file that passes the check, written again, has the same bytes;
 * and what the check accepts, the scan without it sees in the same way.
 */
#define _GNU_SOURCE
#include <assert.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "store/segment.h"

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

static char folder[4096];
static int dir = -1, file;

struct seen {
	struct buf again;	/* the file that the items make */
	size_t n;
	struct hash places;	/* of all that was seen */
};

static int
see(void *arg, const struct hash *id, uint64_t at, struct span data,
    struct err *e)
{
	struct seen *s = arg;
	struct span part[] = { span_of(&s->places, HASH_LEN),
	    span_of(id->b, HASH_LEN), span_of(&at, sizeof(at)),
	    span_of(&data.n, sizeof(data.n)) };
	char hex[HASH_HEX];

	(void)e;
	hash_spans(&s->places, part, 4);
	hash_format(hex, id);
	buf_addf(&s->again, "%s %zu\n", hex, data.n);
	if (data.p != NULL)
		buf_add(&s->again, data.p, data.n);
	else
		for (size_t i = 0; i < data.n; i++)
			buf_addc(&s->again, 0);
	buf_addc(&s->again, '\n');
	s->n++;
	return 0;
}

static int
scan(struct seen *s, bool check)
{
	struct err e;
	int r;

	memset(s, 0, sizeof(*s));
	buf_init(&s->again, 4u << 20);
	buf_adds(&s->again, "ehr.v1 segment objects\n");
	r = segment_scan(dir, "segment", SEGMENT_ERASABLE, check, see, s, &e);
	assert(r == 0 || (r == -1 && e.kind == ERR_BAD));
	buf_addf(&s->again, "end %zu\n", s->n);
	return r;
}

static void
leave(void)
{
	unlinkat(dir, "segment", 0);
	rmdir(folder);
}

static void
enter(void)
{
	const char *tmp = getenv("TMPDIR");

	snprintf(folder, sizeof(folder), "%s/ehr-fuzz.XXXXXX",
	    tmp == NULL ? "/tmp" : tmp);
	if (mkdtemp(folder) == NULL || atexit(leave) != 0)
		abort();
	dir = open(folder, O_RDONLY | O_DIRECTORY);
	file = openat(dir, "segment", O_WRONLY | O_CREAT, 0600);
	assert(dir >= 0 && file >= 0);
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct seen with, without;
	int r;

	if (dir < 0)
		enter();
	assert(pwrite(file, p, n, 0) == (ssize_t)n && ftruncate(file,
	    (off_t)n) == 0);
	r = scan(&with, true);
	if (r == 0) {
		assert(with.n > 0 && with.again.failed == 0);
		assert(span_eq(buf_span(&with.again), span_of(p, n)));
		assert(scan(&without, false) == 0);
		assert(with.n == without.n);
		assert(hash_eq(&with.places, &without.places));
	} else
		scan(&without, false);
	buf_free(&with.again);
	buf_free(&without.again);
	return 0;
}
