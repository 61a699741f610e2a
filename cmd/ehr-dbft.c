/* ehr-dbft: the consensus; see ehr-dbft(1). */
#include <stdio.h>
#include <unistd.h>

#include "cli/cli.h"
#include "net/round.h"

static const struct cli_spec spec = {
	.name = "ehr-dbft",
	.usage =
"usage: ehr-dbft [-C DIR] --once | --follow\n"
"       ehr-dbft [-C DIR] status [--json]\n"
"       ehr-dbft [-C DIR] renew [--floor HEIGHT]\n",
	.takes = CLI_DIR | CLI_JSON
};

#define CLOSE_MS 2000		/* for connections to end */

static void
say(void *arg, const char *line)
{
	cli_note(arg, "%s", line);
}

static int
report(struct cli *c, const struct round_result *res)
{
	char hex[HASH_HEX], line[HASH_HEX + 32];

	switch (res->end) {
	case ROUND_MADE:
		hash_format(hex, &res->id);
		snprintf(line, sizeof(line), "%llu %s\n",
		    (unsigned long long)res->height, hex);
		cli_put(span_str(line));
		return 0;
	case ROUND_NO_QUORUM:
		cli_note(c, "%s", res->why);
		return ERR_AGAIN;
	default:
		cli_verbose(c, "%s", res->why);
		return 0;
	}
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
		_exit(status);
	return status;
}

int
main(int argc, char **argv)
{
	bool do_once = false;
	const struct cli_opt opt[] = {
		{ 0, "once", CLI_FLAG, &do_once, 0 },
		{ 0 }
	};
	struct repo *r;
	struct cli c;
	struct err e;
	int status;

	cli_parse(&c, &spec, opt, argc, argv);
	if (!do_once)
		return cli_usage(&c, "--once?");
	if (repo_open(&r, c.dir, &e) != 0)
		return cli_fail(&c, &e);
	status = once(&c, r);
	repo_close(r);
	return status;
}
