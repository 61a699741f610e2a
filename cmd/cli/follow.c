#include "cli/follow.h"

#include <signal.h>
#include <unistd.h>

#include "base/clock.h"
#include "cli/service.h"
#include "net/follow.h"

#define CLOSE_MS 3000		/* for connections to end */

static struct follow *volatile following;

static void
stop(void)
{
	if (following != NULL)
		follow_stop(following);
	else if (service_ends())
		_exit(0);	/* at no moment is anything half-written */
}

static void
tell(void *arg, const char *peer, const struct err *e)
{
	struct cli *c = arg;

	if (e != NULL)
		cli_note(c, "%s", e->msg);
	else
		cli_note(c, "%s: it is there again", peer);
}

/* Until it is time to begin anew. */
static int
keep_up(struct cli *c, struct repo *r, struct peers *p, struct err *e)
{
	const struct follow_options o = { tell, c, c->argc == 0 };
	struct follow *f;
	int ret;

	if (follow_open(&f, r, p, &o, e) != 0)
		return -1;
	following = f;
	service_notify("READY=1");
	ret = service_reloads() ? 0 : follow_run(f, e);
	following = NULL;
	if (service_ends())
		service_notify("STOPPING=1");
	/* A thread that hangs on a silent peer ends with the process. */
	if (!follow_close(f, CLOSE_MS) && (service_ends() || ret != 0)) {
		pipe_end_all();
		_exit(ret == 0 ? 0 : cli_fail(c, e));
	}
	return ret;
}

static int
follow_once(struct cli *c, struct err *e)
{
	struct peers p = { NULL, 0 };
	struct repo *r;
	int ret, lock;

	if (repo_open(&r, c->dir, e) != 0)
		return -1;
	ret = lock = fs_lock(r->dirfd, "sync.lock", 0, e);
	if (ret >= 0)
		ret = peers_of(&p, r, c->argv, clock_now_ms(), e);
	if (ret == 0)
		ret = keep_up(c, r, &p, e);
	peers_free(&p);
	if (lock >= 0)
		close(lock);
	repo_close(r);
	return ret;
}

int
follow_command(struct cli *c)
{
	struct err e;

	signal(SIGPIPE, SIG_IGN);
	return service_run(follow_once, stop, c, &e) == 0 ? 0 :
	    cli_fail(c, &e);
}
