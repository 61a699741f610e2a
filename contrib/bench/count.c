/*
 * count: counts what a process does, for the benchmarks: loaded into it before
 * its own libraries (LD_PRELOAD), so that nothing is slowed down by a tracer.
 * The counters lie in the file that EHR_COUNT names, shared by all processes:
 * struct count of count.h.
 *
 * Messages are what ehr-serve reads and writes on its pipe, up to a flush
 * (ehr-protocol(5)).
 */
#define _GNU_SOURCE	/* RTLD_NEXT, program_invocation_short_name */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "count.h"

/* Where a stream of packets is: in a head, or so many bytes before one. */
struct stream {
	unsigned head, digits;
	size_t left;
};

static struct count dummy, *count = &dummy;
static struct stream stream[2];
static bool is_serve;
static ssize_t (*real_read)(int, void *, size_t);
static ssize_t (*real_write)(int, const void *, size_t);
static int (*real_fsync)(int), (*real_fdatasync)(int);

__attribute__((constructor)) static void
begin(void)
{
	const char *path = getenv("EHR_COUNT");
	int fd;

	/* dlsym gives no function pointers; POSIX says to write it so. */
	*(void **)&real_read = dlsym(RTLD_NEXT, "read");
	*(void **)&real_write = dlsym(RTLD_NEXT, "write");
	*(void **)&real_fsync = dlsym(RTLD_NEXT, "fsync");
	*(void **)&real_fdatasync = dlsym(RTLD_NEXT, "fdatasync");
	is_serve = strcmp(program_invocation_short_name, "ehr-serve") == 0;
	if (path == NULL || (fd = open(path, O_RDWR | O_CLOEXEC)) < 0)
		return;
	count = mmap(NULL, sizeof(*count), PROT_READ | PROT_WRITE, MAP_SHARED,
	    fd, 0);
	if (count == MAP_FAILED)
		count = &dummy;
	close(fd);
}

static void
follow(struct stream *s, const unsigned char *p, size_t n)
{
	count->bytes += n;
	while (n > 0) {
		size_t skip = s->left < n ? s->left : n;

		s->left -= skip;
		p += skip;
		n -= skip;
		if (n == 0)
			break;
		s->head = s->head * 16 + (*p <= '9' ? *p - '0' : *p - 'a' + 10);
		p++;
		n--;
		if (++s->digits < 4)
			continue;
		if (s->head == 0)
			count->messages++;
		s->left = s->head < 4 ? 0 : s->head - 4;
		s->head = s->digits = 0;
	}
}

ssize_t
read(int fd, void *p, size_t n)
{
	ssize_t got = real_read(fd, p, n);

	if (is_serve && fd == STDIN_FILENO && got > 0)
		follow(&stream[0], p, (size_t)got);
	return got;
}

ssize_t
write(int fd, const void *p, size_t n)
{
	ssize_t got = real_write(fd, p, n);

	if (is_serve && fd == STDOUT_FILENO && got > 0)
		follow(&stream[1], p, (size_t)got);
	return got;
}

int
fsync(int fd)
{
	count->fsyncs++;
	return real_fsync(fd);
}

int
fdatasync(int fd)
{
	count->fsyncs++;
	return real_fdatasync(fd);
}
