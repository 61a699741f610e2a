#define _GNU_SOURCE	/* openat */
#include "store/watch.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/inotify.h>
#include <unistd.h>

#include "store/chain.h"
#include "store/heard.h"
#include "store/pool.h"
#include "store/staging.h"

#define ARRIVED (IN_CREATE | IN_MOVED_TO)
#define CALLED_PATH VOTES_DIR "/called"

static int
add_path(int fd, const struct repo *r, const char *name, uint32_t events)
{
	char path[FS_NAME_MAX];

	if ((size_t)snprintf(path, sizeof(path), "%s/%s", r->path, name) >=
	    sizeof(path))
		return -1;
	return inotify_add_watch(fd, path, events);
}

static int
add(int fd, const struct repo *r, const char *dir)
{
	return add_path(fd, r, dir, ARRIVED | IN_ONLYDIR);
}

/* A file that is there to be watched, made if need be. */
static void
add_file(int fd, const struct repo *r, const char *name, uint32_t events)
{
	int file = openat(r->dirfd, name, O_RDONLY | O_CREAT | O_CLOEXEC |
	    O_NOFOLLOW, 0600);

	if (file >= 0)
		close(file);
	add_path(fd, r, name, events);
}

/* Votes that were heard: when who wrote them is done. */
static void
add_heard(int fd, const struct repo *r)
{
	if (genesis_all_to_all(r->genesis))
		add_file(fd, r, HEARD_PATH, IN_CLOSE_WRITE);
}

int
watch_open(const struct repo *r, struct err *e)
{
	int fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);

	if (fd < 0)
		return err_sys(e, "inotify");
	if (add(fd, r, POOL_DIR) < 0 || add(fd, r, "blocks") < 0) {
		err_sys(e, "inotify: %s", r->path);
		close(fd);
		return -1;
	}
	add_heard(fd, r);
	add_file(fd, r, CALLED_PATH, IN_MODIFY);
	return fd;
}

void
watch_height(int fd, const struct repo *r, uint64_t height)
{
	char path[CHAIN_PATH_LEN];

	chain_path(path, height);
	*strrchr(path, '/') = '\0';
	add(fd, r, path);
	add_heard(fd, r);
}

void
watch_staging(int fd, const struct repo *r)
{
	add(fd, r, STAGING_DIR);
}

int
watch_take(int fd)
{
	_Alignas(struct inotify_event) char buf[4096];
	const struct inotify_event *ev;
	int what = 0;
	ssize_t n;

	while ((n = read(fd, buf, sizeof(buf))) > 0)
		for (const char *p = buf; p < buf + n;
		    p += sizeof(*ev) + ev->len) {
			ev = (const struct inotify_event *)(const void *)p;
			if ((ev->mask & ARRIVED) != 0)
				what |= WATCH_ARRIVED;
			if ((ev->mask & IN_MODIFY) != 0)
				what |= WATCH_CALLED;
		}
	return what;
}

void
watch_ring(const struct repo *r)
{
	/* Cutting an empty file is an IN_MODIFY, too. */
	int fd = openat(r->dirfd, CALLED_PATH, O_WRONLY | O_TRUNC | O_CLOEXEC |
	    O_NOFOLLOW | O_NONBLOCK);

	if (fd >= 0)
		close(fd);
}
