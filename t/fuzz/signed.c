/*
 * signed: the record of what a node has signed.  What is read is what was
 * written: any other file is refused, and a changed byte of one as well.
 */
#define _GNU_SOURCE
#include <assert.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/stamp.h"
#include "store/signed.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

static const struct hash ledger;
static char dir[4096];
static int dirfd = -1;

static void
clean(void)
{
	unlinkat(dirfd, SIGNED_PATH, 0);
	unlinkat(dirfd, "consensus", AT_REMOVEDIR);
	unlinkat(dirfd, "tmp", AT_REMOVEDIR);
	rmdir(dir);
}

static void
make_dir(void)
{
	const char *tmp = getenv("TMPDIR");

	if (access("/dev/shm", W_OK) == 0)
		tmp = "/dev/shm";	/* much faster */
	snprintf(dir, sizeof(dir), "%s/ehr-fuzz.XXXXXX",
	    tmp == NULL ? "/tmp" : tmp);
	if (mkdtemp(dir) == NULL ||
	    (dirfd = open(dir, O_RDONLY | O_DIRECTORY)) < 0 ||
	    mkdirat(dirfd, "consensus", 0700) != 0 ||
	    mkdirat(dirfd, "tmp", 0700) != 0)
		abort();
	atexit(clean);
}

/* In place, so that it is the same file. */
static void
put(size_t at, const uint8_t *p, size_t n, bool cut)
{
	int fd = openat(dirfd, SIGNED_PATH, O_WRONLY | O_CREAT, 0600);

	if (fd < 0 || pwrite(fd, p, n, (off_t)at) != (ssize_t)n ||
	    (cut && ftruncate(fd, (off_t)(at + n)) != 0))
		abort();
	close(fd);
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct signed_head in = { 0 }, h;
	struct stat st;
	struct err e;
	bool copy;
	uint8_t c;
	int fd;

	if (dirfd < 0)
		make_dir();
	if (n < 4)
		return 0;
	memcpy(in.root.b, p, n < HASH_LEN ? n : HASH_LEN);
	in.size = p[0] * 256u + p[1];
	in.time_ms = ((int64_t)p[2] << 24) + p[3];
	assert(signed_write(dirfd, &ledger, &in, &e) == 0);
	assert(signed_read(&h, &copy, dirfd, &ledger, &e) == 0 && !copy);
	assert(h.size == in.size && h.time_ms == in.time_ms &&
	    hash_eq(&h.root, &in.root));
	fd = openat(dirfd, SIGNED_PATH, O_RDONLY);
	assert(fd >= 0 && fstat(fd, &st) == 0);
	assert(pread(fd, &c, 1, (off_t)(p[0] + p[1]) % st.st_size) == 1);
	close(fd);
	c ^= p[2] == 0 ? 1 : p[2];
	put((size_t)(p[0] + p[1]) % (size_t)st.st_size, &c, 1, false);
	assert(signed_read(&h, &copy, dirfd, &ledger, &e) == -1);
	put(0, p, n, true);
	assert(signed_read(&h, &copy, dirfd, &ledger, &e) == -1);
	return 0;
}
