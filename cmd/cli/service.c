#define _GNU_SOURCE	/* SOCK_CLOEXEC */
#include "cli/service.h"

#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/clock.h"

void
service_notify(const char *state)
{
	const char *path = getenv("NOTIFY_SOCKET");
	struct sockaddr_un to = { .sun_family = AF_UNIX };
	size_t n = path == NULL ? 0 : strlen(path);
	int fd;

	if (n < 2 || n >= sizeof(to.sun_path) ||
	    (path[0] != '/' && path[0] != '@'))
		return;
	memcpy(to.sun_path, path, n);
	if (path[0] == '@')
		to.sun_path[0] = '\0';	/* an abstract name */
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return;
	/* A manager that does not listen is no reason to stop. */
	if (sendto(fd, state, strlen(state), MSG_NOSIGNAL,
	    (const struct sockaddr *)&to,
	    (socklen_t)(offsetof(struct sockaddr_un, sun_path) + n)) < 0)
		n = 0;
	close(fd);
}

/* --- signals -------------------------------------------------------------- */

static volatile sig_atomic_t ended, reload;
static void (*volatile stop_now)(void);

static void
on_signal(int signo)
{
	if (signo == SIGHUP)
		reload = 1;
	else
		ended = 1;
	stop_now();
}

bool
service_ends(void)
{
	return ended;
}

bool
service_reloads(void)
{
	return reload;
}

static void
tell_reloading(void)
{
	char state[64];

	snprintf(state, sizeof(state), "RELOADING=1\nMONOTONIC_USEC=%lld",
	    (long long)clock_mono_ms() * 1000);
	service_notify(state);
}

int
service_run(int (*once)(struct cli *c, struct err *e), void (*stop)(void),
    struct cli *c, struct err *e)
{
	struct sigaction sa = { .sa_handler = on_signal };
	int ret;

	stop_now = stop;
	sigfillset(&sa.sa_mask);
	sigaction(SIGTERM, &sa, NULL);
	sigaction(SIGINT, &sa, NULL);
	sigaction(SIGHUP, &sa, NULL);
	do {
		if (reload)
			tell_reloading();
		reload = 0;
		ret = once(c, e);
	} while (ret == 0 && !ended);
	return ret;
}
