/* ehr-log-merkle: the hourly logs; see ehr-log-merkle(1). */
#include "base/stamp.h"
#include "cli/open.h"
#include "log/hourly.h"

static const struct cli_spec spec = {
	.name = "ehr-log-merkle",
	.usage =
"usage: ehr-log-merkle [-C DIR] --roll\n"
"       ehr-log-merkle [-C DIR] --check\n"
"       ehr-log-merkle [-C DIR] --root [HOUR ...]\n",
	.takes = CLI_DIR
};

struct merkle_cmd {
	struct ctx x;
	bool roll, check, root;
	unsigned bad;
};

static int
report(void *arg, const char *path, const char *why, struct err *e)
{
	struct merkle_cmd *m = arg;

	m->bad++;
	err_set(e, ERR_NO, "%s/%s %s", m->x.repo->path, path, why);
	cli_fail(&m->x.cli, e);
	return 0;
}

/* The log against the blocks, and state.db against both. */
static int
check(struct merkle_cmd *m, struct err *e)
{
	uint64_t checked;

	if (hourly_check(m->x.repo, m->x.db, &m->x.head, &checked, report, m,
	    e) != 0)
		return -1;
	cli_verbose(&m->x.cli, "%llu logs checked",
	    (unsigned long long)checked);
	if (m->bad > 0)
		return err_set(e, ERR_NO, "%u of %llu logs are not what the "
		    "blocks give", m->bad, (unsigned long long)checked);
	if (checked == 0)
		return err_set(e, ERR_NO, "no log has been rolled yet");
	return 0;
}

static int
print_root(struct merkle_cmd *m, const char *hour, struct err *e)
{
	struct buf line = BUF_INIT(256);
	char hex[HASH_HEX];
	struct hash root;
	uint64_t size;
	int64_t ms;

	if (stamp_hour_parse(&ms, span_str(hour)) != 0)
		return err_set(e, ERR_USAGE, "%s: not an hour "
		    "(YYYY-MM-DD_HH)", hour);
	if (hourly_root(&root, &size, m->x.repo, ms, e) != 0)
		return -1;
	hash_format(hex, &root);
	buf_addf(&line, "%s %llu %s\n", hour, (unsigned long long)size, hex);
	cli_put(buf_span(&line));
	buf_free(&line);
	return 0;
}

static int
roots(struct merkle_cmd *m, struct err *e)
{
	struct fs_names list;
	int ret = 0;

	for (int i = 0; i < m->x.cli.argc; i++)
		if (print_root(m, m->x.cli.argv[i], e) != 0)
			return -1;
	if (m->x.cli.argc > 0)
		return 0;
	if (fs_list(&list, m->x.repo->dirfd, "logs", e) != 0)
		return -1;
	for (size_t i = 0; i < list.n && ret == 0; i++)
		ret = print_root(m, list.name[i], e);
	fs_names_free(&list);
	return ret;
}

int
main(int argc, char **argv)
{
	static struct merkle_cmd m;
	const struct cli_opt opt[] = {
		{ 0, "roll", CLI_FLAG, &m.roll, 0 },
		{ 0, "check", CLI_FLAG, &m.check, 0 },
		{ 0, "root", CLI_FLAG, &m.root, 0 },
		{ 0 }
	};
	size_t written = 0;
	struct err e;
	int ret;

	cli_parse(&m.x.cli, &spec, opt, argc, argv);
	if (m.roll + m.check + m.root != 1)
		return cli_usage(&m.x.cli, "one of --roll, --check and --root "
		    "expected");
	ret = ctx_open(&m.x, &e);
	if (ret == 0 && m.roll)
		ret = hourly_roll(m.x.repo, &written, &e);
	if (ret == 0 && m.check)
		ret = check(&m, &e);
	if (ret == 0 && m.root)
		ret = roots(&m, &e);
	if (ret == 0 && m.roll)
		cli_verbose(&m.x.cli, "%zu logs written", written);
	return ctx_end(&m.x, ret, &e);
}
