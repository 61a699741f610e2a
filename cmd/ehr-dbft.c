/* ehr-dbft: the consensus; see ehr-dbft(1). */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/heap.h"
#include "cli/service.h"
#include "cli/standing.h"
#include "net/pipe.h"
#include "net/renew.h"
#include "net/round.h"

static const struct cli_spec spec = {
	.name = "ehr-dbft",
	.usage =
"usage: ehr-dbft [-C DIR] --once | --follow\n"
"       ehr-dbft [-C DIR] [--json] [--local] status\n"
"       ehr-dbft [-C DIR] [--floor HEIGHT] renew\n",
	.takes = CLI_DIR | CLI_JSON
};

#define CLOSE_MS 3000		/* for connections to end */

static void
say(void *arg, const char *line)
{
	cli_note(arg, "%s", line);
}

static void
print_block(uint64_t height, const struct hash *id)
{
	char hex[HASH_HEX];

	hash_format(hex, id);
	printf("%llu %s\n", (unsigned long long)height, hex);
}

static int
report(struct cli *c, const struct round_result *res)
{
	if (res->end == ROUND_MADE)
		print_block(res->height, &res->id);
	else if (res->end == ROUND_NO_QUORUM)
		cli_note(c, "%s", res->why);
	else
		cli_verbose(c, "%s", res->why);
	return res->end == ROUND_NO_QUORUM ? ERR_AGAIN : 0;
}

/* A thread that hangs on a silent peer ends with the process. */
static _Noreturn void
leave(int status)
{
	pipe_end_all();
	_exit(status);
}

static int
once(struct cli *c, struct repo *r)
{
	struct round_result res;
	struct round *rd;
	struct err e;
	int status;

	if (round_open(&rd, r, false, say, c, &e) != 0)
		return cli_fail(c, &e);
	status = round_once(rd, &res, &e) != 0 ? cli_fail(c, &e) :
	    report(c, &res);
	status = cli_close_stdout(c, status);
	if (!round_close(rd, CLOSE_MS))
		leave(status);
	return status;
}

/* --- the service ---------------------------------------------------------- */

static struct round *following;

static void
stop(void)
{
	if (following != NULL)
		round_stop(following);
}

static void
started(void *arg)
{
	(void)arg;
	service_notify("READY=1");
}

static void
made(void *arg, uint64_t height, const struct hash *id)
{
	(void)arg;
	print_block(height, id);
	fflush(stdout);
}

/* Until a signal ends it, or asks for the config to be read again. */
static int
follow_one(struct cli *c, struct err *e)
{
	const struct round_events ev = { started, made, NULL };
	struct round *rd;
	struct repo *r;
	int ret;

	if (repo_open(&r, c->dir, e) != 0)
		return -1;
	ret = round_open(&rd, r, true, say, c, e);
	if (ret == 0) {
		following = rd;
		if (!service_ends() && !service_reloads())
			ret = round_follow(rd, &ev, e);
		following = NULL;
		if (service_ends())
			service_notify("STOPPING=1");
		/* What could not be released stays until the end. */
		if (!round_close(rd, CLOSE_MS))
			return ret;
	}
	repo_close(r);
	return ret;
}

static int
follow(struct cli *c)
{
	struct err e;
	int ret;

	heap_keep();
	ret = service_run(follow_one, stop, c, &e);
	leave(cli_close_stdout(c, ret == 0 ? 0 : cli_fail(c, &e)));
}

/* --- the verbs ------------------------------------------------------------ */

static int
show_status(struct cli *c, struct repo *r, bool local)
{
	static struct status st;
	struct err e;

	if (status_get(&st, r, local, &e) != 0)
		return cli_fail(c, &e);
	standing_print(c, &st);
	status_free(&st);
	return cli_close_stdout(c, 0);
}

static int
renew(struct cli *c, struct repo *r, uint64_t floor)
{
	struct err e;
	int ret;

	if (floor != UINT64_MAX)
		ret = renew_with_floor(r, floor, &e);
	else
		ret = renew_journal(&floor, r, &e);
	if (ret != 0)
		return cli_fail(c, &e);
	cli_note(c, "this node votes again from height %llu on",
	    (unsigned long long)floor + 1);
	return 0;
}

int
main(int argc, char **argv)
{
	bool do_once = false, do_follow = false, local = false;
	uint64_t floor = UINT64_MAX;
	const struct cli_opt opt[] = {
		{ 0, "once", CLI_FLAG, &do_once, 0 },
		{ 0, "follow", CLI_FLAG, &do_follow, 0 },
		{ 0, "local", CLI_FLAG, &local, 0 },
		{ 0, "floor", CLI_NUMBER, &floor, VOTES_HEIGHT_MAX },
		{ 0 }
	};
	const char *verb;
	struct repo *r;
	struct cli c;
	struct err e;
	int status;

	cli_parse(&c, &spec, opt, argc, argv);
	verb = cli_shift(&c);
	if ((int)do_once + (int)do_follow + (verb != NULL) != 1 || c.argc > 0)
		return cli_usage(&c, "one of --once, --follow, status and "
		    "renew is expected");
	if (do_follow)
		return follow(&c);
	if (verb != NULL && strcmp(verb, "status") != 0 &&
	    strcmp(verb, "renew") != 0)
		return cli_usage(&c, "no verb \"%s\"", verb);
	if (repo_open(&r, c.dir, &e) != 0)
		return cli_fail(&c, &e);
	status = do_once ? once(&c, r) :
	    verb[0] == 's' ? show_status(&c, r, local) : renew(&c, r, floor);
	repo_close(r);
	return status;
}
