/* ehr-serve: the other end of ehr-sync's pipe; see ehr-serve(1). */
#include <signal.h>
#include <unistd.h>

#include "cli/cli.h"
#include "log/hourly.h"
#include "net/confine.h"
#include "net/consensus.h"
#include "net/serve.h"

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

/* Limits of time, in seconds; 0 is none. */
static int
read_limits(struct serve_options *o, struct repo *r, struct err *e)
{
	uint64_t timeout, idle;

	if (config_number(&r->config, "net.timeout", SERVE_TIMEOUT_MS / 1000,
	    86400, &timeout, e) != 0 || config_number(&r->config,
	    "net.idle", SERVE_IDLE_MS / 1000, 864000, &idle, e) != 0)
		return -1;
	o->timeout_ms = timeout == 0 ? -1 : (int)timeout * 1000;
	o->idle_ms = idle == 0 ? -1 : (int)idle * 1000;
	return 0;
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
