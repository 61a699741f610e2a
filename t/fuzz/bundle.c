/*
 * bundle: what is read as the text of a bundle is written again as it was; and
 * whatever is unpacked as one, all that it makes is in its folder, under names
 * that a bundle may have, and a bundle that came whole ends as it must.
 */
#define _GNU_SOURCE
#include <assert.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "ledger/block.h"
#include "store/bundle_in.h"
#include "store/bundle_out.h"

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

static char folder[4096];
static int top = -1, file;

static void
leave(void)
{
	unlinkat(top, "bundle", 0);
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
	top = open(folder, O_RDONLY | O_DIRECTORY);
	file = openat(top, "bundle", O_RDWR | O_CREAT, 0600);
	assert(top >= 0 && file >= 0);
}

static void
check_text(struct span in)
{
	struct buf out = BUF_INIT(BUNDLE_TEXT_MAX);
	struct bundle_head h;
	struct err e;

	if (bundle_parse(&h, in, &e) == 0) {
		assert(h.since <= h.height && h.height <= BLOCK_HEIGHT_MAX);
		bundle_format(&out, &h);
		assert(span_eq(buf_span(&out), in));
	} else
		assert(e.kind == ERR_BAD);
	buf_free(&out);
	if (bundle_name(in) >= 0) {
		assert(in.n <= BUNDLE_NAME_MAX && in.p[0] != '/' &&
		    in.p[0] != '.' && in.p[in.n - 1] != '/');
		assert(memmem(in.p, in.n, "/.", 2) == NULL &&
		    memmem(in.p, in.n, "//", 2) == NULL);
		assert(bundle_cmp(in, in) == 0);
	}
}

static void
check_unpack(struct span in)
{
	struct bundle_in b = { .begin = NULL };
	unsigned char tail[BUNDLE_TAIL];
	char name[BUNDLE_DIR_LEN];
	struct hash before;
	struct err e;
	int dir;

	assert(lseek(file, 0, SEEK_SET) == 0 && ftruncate(file, 0) == 0);
	assert(pwrite(file, in.p, in.n, 0) == (ssize_t)in.n);
	assert(bundle_dir(&dir, name, top, ".", &e) == 0);
	if (bundle_unpack(&b, file, dir, &e) == 0) {
		assert(b.begun && b.genesis && b.bytes == in.n);
		hash_bytes(&before, in.p, in.n - BUNDLE_TAIL);
		assert(bundle_tail(tail, &before, &e) == 0);
		assert(memcmp(in.p + in.n - BUNDLE_TAIL, tail,
		    BUNDLE_TAIL) == 0);
	} else
		assert(e.kind == ERR_BAD);
	close(dir);
	assert(bundle_dir_remove(top, name, &e) == 0);
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	if (top < 0)
		enter();
	check_text(span_of(p, n));
	check_unpack(span_of(p, n));
	return 0;
}
