/*
 * heard: votes that one process of a node leaves for another.  Whatever the
 * file holds, it is read to the end, and what is added after it is found.
 */
#define _GNU_SOURCE
#include <assert.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "store/heard.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

static char dir[4096];
static int dirfd = -1;

static void
clean(void)
{
	unlinkat(dirfd, HEARD_PATH, 0);
	unlinkat(dirfd, VOTES_DIR, AT_REMOVEDIR);
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
	    mkdirat(dirfd, VOTES_DIR, 0700) != 0)
		abort();
	atexit(clean);
}

/* The file has these bytes. */
static struct repo *
repo(const uint8_t *p, size_t n)
{
	static struct genesis g;	/* its id is all zeros */
	static struct repo r;
	int fd;

	if (dirfd < 0)
		make_dir();
	r.dirfd = dirfd;
	r.genesis = &g;
	fd = openat(dirfd, HEARD_PATH, O_WRONLY | O_CREAT | O_TRUNC, 0600);
	if (fd < 0 || (n > 0 && write(fd, p, n) != (ssize_t)n))
		abort();
	close(fd);
	return &r;
}

static size_t
count(struct heard *h, struct buf *note, bool anew)
{
	struct err e;
	size_t n = 0;
	int got;

	assert(heard_look(h, 7, anew, &e) == 0);
	while ((got = heard_next(h, note, &e)) == 1) {
		assert(note->len > 0 && note->p[note->len - 1] == '\n');
		assert(memchr(note->p, '\t', note->len) == NULL);
		n++;
	}
	assert(got == 0);
	return n;
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct buf note = BUF_INIT(HEARD_NOTE_MAX);
	struct repo *r = repo(p, n);
	struct heard *a = heard_open(r), *b = heard_open(r);
	size_t before = count(a, &note, true);
	struct err e;

	count(b, &note, true);
	assert(heard_add(a, span_str("a vote\n"), &e) == 0);
	assert(count(b, &note, false) == 1);
	assert(count(b, &note, true) == before + 1);
	heard_close(a);
	heard_close(b);
	buf_free(&note);
	return 0;
}
