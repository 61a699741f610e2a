/* ehr-log-merkle: logs, tree, checkpoints, receipts; ehr-log-merkle(1). */
#define _GNU_SOURCE	/* AT_FDCWD */
#include <fcntl.h>
#include <stdio.h>

#include "base/clock.h"
#include "base/fs_batch.h"
#include "base/stamp.h"
#include "cli/items.h"
#include "cli/open.h"
#include "log/check.h"
#include "log/checkpoints.h"
#include "log/prove.h"
#include "log/tiles.h"
#include "net/cosign.h"
#include "store/lookup.h"

static const struct cli_spec spec = {
	.name = "ehr-log-merkle",
	.usage =
"usage: ehr-log-merkle [-C DIR] --roll\n"
"       ehr-log-merkle [-C DIR] --check [-n] [--full]\n"
"       ehr-log-merkle [-C DIR] --root [HOUR ...]\n"
"       ehr-log-merkle [-C DIR] --prove RECORD|TRANSACTION > FILE\n"
"       ehr-log-merkle [-C DIR] --prove -o FOLDER RECORD|TRANSACTION ...|-\n"
"       ehr-log-merkle [-C DIR] --policy\n"
"       ehr-log-merkle [-C DIR] --renew\n",
	.takes = CLI_DIR | CLI_NUL
};

#define BATCH 4096		/* receipts that are synced together */

/* Of --check, beside those of all commands. */
#define STATUS_REPAIRED 10
#define STATUS_OUTVOTED 11
#define STATUS_ALARM 12

struct merkle_cmd {
	struct ctx x;
	bool roll, check, root, prove, policy, renew;
	bool look, full;		/* -n, --full */
	const char *folder;		/* -o */
	unsigned bad;
	struct prover *prover;
	struct fs_batch batch;		/* of receipts */
};

/* --- rolling -------------------------------------------------------------- */

static int
roll(struct merkle_cmd *m, struct err *e)
{
	size_t logs, tiles = 0;
	bool made;

	if (hourly_roll(m->x.repo, &logs, e) != 0 || tiles_roll(m->x.repo,
	    m->x.db, &m->x.head, &tiles, e) != 0)
		return -1;
	cli_verbose(&m->x.cli, "%zu logs written", logs);
	cli_verbose(&m->x.cli, "%zu tiles written", tiles);
	if (checkpoints_roll(m->x.repo, m->x.db, &m->x.head, &made, e) != 0)
		return -1;
	if (made)
		cli_verbose(&m->x.cli, "a checkpoint signed");
	return 0;
}

/* --- checking ------------------------------------------------------------- */

static void
event(void *arg, enum event_kind kind, const char *path, const char *text)
{
	struct merkle_cmd *m = arg;
	struct err e;

	if (kind == EVENT_DAMAGED)
		err_set(&e, ERR_NO, "%s/%s %s", m->x.repo->path, path, text);
	else
		err_set(&e, ERR_NO, "%s: %s/%s %s", event_name(kind),
		    m->x.repo->path, path, text);
	cli_fail(&m->x.cli, &e);
}

static void
note(void *arg, const char *text)
{
	struct merkle_cmd *m = arg;

	cli_verbose(&m->x.cli, "%s", text);
}

/* A peer that is away gets its turn in five minutes. */
static void
said(void *arg, const char *peer, const struct err *why)
{
	struct merkle_cmd *m = arg;

	if (why == NULL)
		cli_verbose(&m->x.cli, "%s: asked to cosign", peer);
	else if (why->kind == ERR_AGAIN)
		cli_verbose(&m->x.cli, "%s", why->msg);
	else {
		m->bad++;
		cli_fail(&m->x.cli, why);
	}
}

/* The cosignatures that are still to come. */
static int
cosign(struct merkle_cmd *m, struct err *e)
{
	if (chain_head(&m->x.head, m->x.repo, e) != 0 ||
	    checkpoints_cosign(m->x.repo, m->x.db, said, m, e) != 0)
		return -1;
	return m->bad == 0 ? 0 : err_set(e, ERR_NO, "%u of the peers refused "
	    "to cosign", m->bad);
}

static int
judge(struct merkle_cmd *m, const struct check_result *res, struct err *e)
{
	cli_verbose(&m->x.cli, "%llu blocks, %llu objects, %llu logs, %llu "
	    "tiles and %llu checkpoints checked; %u of %u peers answered",
	    (unsigned long long)res->blocks, (unsigned long long)res->objects,
	    (unsigned long long)res->logs, (unsigned long long)res->tiles,
	    (unsigned long long)res->checkpoints, res->answered, res->asked);
	cli_verbose(&m->x.cli, "%llu blocks verified now, %llu as they were; "
	    "%llu objects hashed now", (unsigned long long)res->verified,
	    (unsigned long long)(res->blocks - res->verified),
	    (unsigned long long)res->hashed);
	if (res->bad > 0)
		return err_set(e, ERR_NO, "%u files are not what the blocks "
		    "give", res->bad);
	if (res->logs == 0 && res->alarms == 0)
		return err_set(e, ERR_NO, "no log has been rolled yet");
	return m->look || res->alarms > 0 ? 0 : cosign(m, e);
}

/* The exit status.  An alarm is the most serious; then what kept the check
 * from its end. */
static int
check(struct merkle_cmd *m)
{
	const struct check_options o = { .look = m->look, .full = m->full,
	    .now_ms = clock_now_ms(), .event = event, .note = note, .arg = m };
	struct check_result res;
	struct err e;
	int ret, status;

	/* Not more than this: what is damaged must not keep us out. */
	if (repo_open(&m->x.repo, m->x.cli.dir, &e) != 0)
		return ctx_end(&m->x, -1, &e);
	ret = check_run(&res, m->x.repo, &o, &e);
	if (ret == 0)
		ret = db_of(&m->x.db, m->x.repo, &e);
	if (ret == 0)
		ret = judge(m, &res, &e);
	status = ctx_end(&m->x, ret, &e);
	if (res.alarms > 0)
		return STATUS_ALARM;
	if (status != 0 && status != ERR_NO)
		return status;
	return res.outvoted > 0 ? STATUS_OUTVOTED :
	    res.repaired > 0 ? STATUS_REPAIRED : status;
}

/* --- printing ------------------------------------------------------------- */

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

static int
add_node(void *arg, const struct lookup_node *n, struct err *e)
{
	struct delegates *set = arg;

	(void)e;
	if (!n->active || set->n == GENESIS_NODES_MAX)
		return 0;
	memcpy(set->d[set->n].name, n->name, sizeof(n->name));
	set->d[set->n++].sign = n->sign;
	return 0;
}

static int
print_policy(struct merkle_cmd *m, struct err *e)
{
	static struct delegates nodes;
	struct buf text = BUF_INIT(POLICY_MAX);
	int ret = lookup_nodes(m->x.db, add_node, &nodes, e);

	if (ret == 0) {
		policy_text(&text, repo_ledger(m->x.repo), &nodes);
		ret = buf_check(&text, "policy", e);
	}
	if (ret == 0)
		cli_put(buf_span(&text));
	buf_free(&text);
	return ret;
}

/* --- receipts ------------------------------------------------------------- */

/* FOLDER/TRANSACTION.receipt. */
static int
keep(struct merkle_cmd *m, const struct hash *tx, struct span receipt,
    struct err *e)
{
	char path[FS_NAME_MAX], hex[HASH_HEX];

	hash_format(hex, tx);
	if ((size_t)snprintf(path, sizeof(path), "%s/%s.receipt", m->folder,
	    hex) >= sizeof(path))
		return err_set(e, ERR_USAGE, "%s: too long a path", m->folder);
	if (fs_batch_put(&m->batch, path, receipt, 0644, e) != 0)
		return -1;
	return m->batch.n < BATCH ? 0 : fs_batch_commit(&m->batch, e);
}

static int
prove_one(void *arg, const char *item, struct err *e)
{
	struct buf out = BUF_INIT(RECEIPT_MAX);
	struct merkle_cmd *m = arg;
	struct hash id, tx;
	int ret = ctx_hash(&id, item, e);

	if (ret == 0 && (ret = prove_id(&out, &tx, m->prover, &id, e)) != 0)
		err_wrap(e, "%s", item);
	if (ret == 0 && m->folder != NULL)
		ret = keep(m, &tx, buf_span(&out), e);
	else if (ret == 0)
		cli_put(buf_span(&out));
	buf_free(&out);
	return ret;
}

/* The exit status. */
static int
prove(struct merkle_cmd *m)
{
	struct err e;
	int status;

	if (prove_open(&m->prover, m->x.repo, m->x.db, &m->x.head, &e) != 0)
		return cli_fail(&m->x.cli, &e);
	fs_batch_init(&m->batch, AT_FDCWD, m->folder);
	status = items_each(&m->x.cli, prove_one, m);
	if (fs_batch_commit(&m->batch, &e) != 0)
		status = cli_worse(status, cli_fail(&m->x.cli, &e));
	fs_batch_free(&m->batch);
	prove_close(m->prover);
	return status;
}

static int
check_usage(struct merkle_cmd *m)
{
	struct cli *c = &m->x.cli;

	if (m->roll + m->check + m->root + m->prove + m->policy +
	    m->renew != 1)
		return cli_usage(c, "one of --roll, --check, --root, --prove, "
		    "--policy and --renew expected");
	if (m->look && !m->check)
		return cli_usage(c, "-n goes with --check");
	if (m->full && !m->check)
		return cli_usage(c, "--full goes with --check");
	if (m->folder != NULL && !m->prove)
		return cli_usage(c, "-o goes with --prove");
	if (m->prove && m->folder == NULL && (c->argc != 1 ||
	    strcmp(c->argv[0], "-") == 0))
		return cli_usage(c, "one record or transaction expected; -o "
		    "names a folder for more");
	if (c->argc > 0 && !m->prove && !m->root)
		return cli_usage(c, "no argument is expected");
	return 0;
}

int
main(int argc, char **argv)
{
	static struct merkle_cmd m;
	const struct cli_opt opt[] = {
		{ 0, "roll", CLI_FLAG, &m.roll, 0 },
		{ 0, "check", CLI_FLAG, &m.check, 0 },
		{ 0, "root", CLI_FLAG, &m.root, 0 },
		{ 0, "prove", CLI_FLAG, &m.prove, 0 },
		{ 0, "policy", CLI_FLAG, &m.policy, 0 },
		{ 0, "renew", CLI_FLAG, &m.renew, 0 },
		{ 'n', "dry-run", CLI_FLAG, &m.look, 0 },
		{ 0, "full", CLI_FLAG, &m.full, 0 },
		{ 'o', "output", CLI_TEXT, &m.folder, 0 },
		{ 0 }
	};
	struct err e;
	int ret;

	cli_parse(&m.x.cli, &spec, opt, argc, argv);
	if ((ret = check_usage(&m)) != 0)
		return ret;
	if (m.check)
		return check(&m);
	ret = ctx_open(&m.x, &e);
	if (ret == 0 && m.prove) {
		ret = prove(&m);
		return cli_worse(ret, ctx_end(&m.x, 0, NULL));
	}
	if (ret == 0 && m.roll)
		ret = roll(&m, &e);
	if (ret == 0 && m.root)
		ret = roots(&m, &e);
	if (ret == 0 && m.policy)
		ret = print_policy(&m, &e);
	if (ret == 0 && m.renew)
		ret = cosign_renew(m.x.repo, &e);
	return ctx_end(&m.x, ret, &e);
}
