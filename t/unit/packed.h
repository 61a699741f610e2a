/* packed: payloads in memory, and a folder to work in. */
#ifndef UNIT_PACKED_H
#define UNIT_PACKED_H

#ifndef _GNU_SOURCE
#define _GNU_SOURCE	/* mkdtemp, O_* */
#endif

#include <assert.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "check.h"
#include "base/fs.h"
#include "record/payload.h"

static struct err e;
static struct buf packed = BUF_INIT(256 << 20);	/* the payload at hand */
static size_t packed_at;			/* how much of it was read */
static struct payload_writer *writer;
static char work[256];				/* the folder; we are in it */

static inline int
to_packed(void *arg, const void *p, size_t n, struct err *err)
{
	buf_add(arg, p, n);
	return buf_check(arg, "packed", err);
}

/* As an age_reader does, it gives some of the bytes at a time. */
static inline long
from_packed(void *arg, void *p, size_t n, struct err *err)
{
	(void)arg;
	(void)err;
	if (n > 5000)
		n = 5000;
	if (n > packed.len - packed_at)
		n = packed.len - packed_at;
	memcpy(p, packed.p + packed_at, n);
	packed_at += n;
	return (long)n;
}

static inline int
pack(const struct payload_input *in, size_t n)
{
	buf_reset(&packed);
	packed_at = 0;
	return payload_write(writer, in, n, span_str("a description"),
	    span_str("laboratory"), to_packed, &packed, &e);
}

/* Begin again at the start of the payload. */
static inline age_source *
packed_source(void)
{
	packed_at = 0;
	return from_packed;
}

/* A folder below the current one, empty; the caller closes it. */
static inline int
new_folder(void)
{
	static int serial;
	char name[32];
	int fd;

	snprintf(name, sizeof(name), "out%d", serial++);
	assert(mkdir(name, 0700) == 0);
	fd = open(name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert(fd >= 0);
	return fd;
}

/* Names in the folder, hidden ones too. */
static inline int
entries(int dirfd)
{
	char command[64];
	FILE *p;
	int n = -1;

	snprintf(command, sizeof(command), "ls -A /proc/%d/fd/%d/ | wc -l",
	    (int)getpid(), dirfd);
	if ((p = popen(command, "r")) != NULL) {
		if (fscanf(p, "%d", &n) != 1)
			n = -1;
		pclose(p);
	}
	return n;
}

static inline void
put_file(const char *path, const void *p, size_t n)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);

	if (fd < 0 || fs_write_all(fd, p, n) != 0 || close(fd) != 0) {
		perror(path);
		abort();
	}
}

static inline bool
file_is(int dirfd, const char *path, const void *p, size_t n)
{
	struct buf b = BUF_INIT(n + 1);
	struct err why;
	bool same = fs_read(&b, dirfd, path, &why) == 0 &&
	    span_eq(buf_span(&b), span_of(p, n));

	buf_free(&b);
	return same;
}

static inline void
packed_begin(void)
{
	const char *tmp = getenv("TMPDIR");

	snprintf(work, sizeof(work), "%s/ehr-packed.XXXXXX",
	    tmp != NULL ? tmp : "/tmp");
	assert(mkdtemp(work) != NULL && chdir(work) == 0);
	writer = payload_writer_new(&e);
	assert(writer != NULL);
}

static inline void
packed_end(void)
{
	char command[300];

	payload_writer_free(writer);
	buf_free(&packed);
	snprintf(command, sizeof(command), "rm -rf '%s'", work);
	assert(chdir("/") == 0 && system(command) == 0);
}

#endif
