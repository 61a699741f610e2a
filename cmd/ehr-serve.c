/* ehr-serve: the other end of ehr-sync's pipe; see ehr-serve(1). */
#include <signal.h>
#include <unistd.h>

#include "base/heap.h"
#include "cli/cli.h"
#include "log/hourly.h"
#include "net/confine.h"
#include "net/consensus.h"
#include "net/serve.h"

#define GRACE 60	/* seconds from the end of time to the alarm */

static const struct cli_spec spec = {
	.name = "ehr-serve",
	.usage =
"usage: ehr-serve [-C DIR] [--read-only] [--no-consensus] [-v]\n",
	.takes = CLI_DIR
};

static void
tell(void *arg, const char *line)
{
	cli_verbose(arg, "%s", line);
}

/*
 * The kernel's part of the limits.  The alarm is for what never comes back to
 * look at its clock; whoever is killed by it has lost nothing that was "ok".
 */
static int
limit_process(uint64_t mib, int64_t life_ms, struct err *e)
{
	if (life_ms != 0)
		alarm((unsigned)(life_ms / 1000) + GRACE);
	return mib == 0 ? 0 : confine_memory(mib << 20, e);
}

/* A setting of seconds as milliseconds. */
static int
seconds(int64_t *ms, const struct repo *r, const char *key, int64_t def_ms,
    uint64_t most, struct err *e)
{
	uint64_t n;

	if (config_number(&r->config, key, (uint64_t)def_ms / 1000, most, &n,
	    e) != 0)
		return -1;
	*ms = (int64_t)n * 1000;
	return 0;
}

/* The limits of a connection; 0 is none. */
static int
read_limits(struct serve_options *o, const struct repo *r, struct err *e)
{
	int64_t timeout, idle;
	uint64_t mib;

	if (seconds(&timeout, r, "net.timeout", SERVE_TIMEOUT_MS, 86400,
	    e) != 0 ||
	    seconds(&idle, r, "net.idle", SERVE_IDLE_MS, 864000, e) != 0 ||
	    seconds(&o->life_ms, r, "serve.time", SERVE_LIFE_MS, 8640000,
	    e) != 0 ||
	    config_number(&r->config, "serve.bytes", SERVE_BYTES,
	    INT64_MAX, &o->bytes, e) != 0 ||
	    config_number(&r->config, "serve.objects", SERVE_OBJECTS,
	    INT64_MAX, &o->objects, e) != 0 ||
	    config_number(&r->config, "serve.memory", SERVE_MEMORY_MIB,
	    1 << 20, &mib, e) != 0)
		return -1;
	o->timeout_ms = timeout == 0 ? -1 : (int)timeout;
	o->idle_ms = idle == 0 ? -1 : (int)idle;
	return limit_process(mib, o->life_ms, e);
}

int
main(int argc, char **argv)
{
	struct serve_options o = { .in = STDIN_FILENO, .out = STDOUT_FILENO };
	bool no_consensus = false;
	struct cli_opt opt[] = {
		{ 0, "read-only", CLI_FLAG, &o.read_only, 0 },
		{ 0, "no-consensus", CLI_FLAG, &no_consensus, 0 },
		{ 0 }
	};
	struct repo *r = NULL;
	struct err e;
	struct cli c;
	int ret;

	cli_parse(&c, &spec, opt, argc, argv);
	if (c.argc > 0)
		return cli_usage(&c, "no argument is expected");
	heap_keep();
	/* A caller that goes away is an error like others. */
	signal(SIGPIPE, SIG_IGN);
	if (repo_open(&r, c.dir, &e) != 0 || read_limits(&o, r, &e) != 0 ||
	    confine(r, tell, &c, &e) != 0) {
		ret = cli_fail(&c, &e);
		repo_close(r);
		return ret;
	}
	o.consensus = no_consensus ? NULL : consensus_answer;
	o.roots = hourly_roots;
	o.tell = tell;
	o.arg = &c;
	ret = serve_run(r, &o, &e);
	repo_close(r);
	if (ret == 0)
		return 0;
	/* The caller has been told; a log need not fill with it. */
	cli_verbose(&c, "%s", e.msg);
	return (int)e.kind;
}
