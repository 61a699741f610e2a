#include "store/watch.h"

#include <stdio.h>
#include <string.h>
#include <sys/inotify.h>
#include <unistd.h>

#include "store/chain.h"
#include "store/pool.h"

#define EVENTS (IN_CREATE | IN_MOVED_TO)

static int
add(int fd, const struct repo *r, const char *dir)
{
	char path[FS_NAME_MAX];

	if ((size_t)snprintf(path, sizeof(path), "%s/%s", r->path, dir) >=
	    sizeof(path))
		return -1;
	return inotify_add_watch(fd, path, EVENTS | IN_ONLYDIR);
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
	return fd;
}

void
watch_height(int fd, const struct repo *r, uint64_t height)
{
	char path[CHAIN_PATH_LEN];

	chain_path(path, height);
	*strrchr(path, '/') = '\0';
	add(fd, r, path);
}

bool
watch_take(int fd)
{
	char sink[4096];
	bool any = false;

	while (read(fd, sink, sizeof(sink)) > 0)
		any = true;
	return any;
}
