/* ehr-node: nodes of the ledger, votes, and peers; see ehr-node(1). */
#define _GNU_SOURCE	/* AT_FDCWD */
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "cli/items.h"
#include "cli/ndjson.h"
#include "cli/open.h"
#include "ledger/card.h"

static const struct cli_spec spec = {
	.name = "ehr-node",
	.usage =
"usage: ehr-node [-C DIR] list [--json]\n"
"       ehr-node [-C DIR] peer [--json]\n"
"       ehr-node [-C DIR] peer NAME COMMAND\n"
"       ehr-node [-C DIR] peer --remove NAME\n"
"       ehr-node [-C DIR] admit CARD ... | - -i ADMIN\n"
"       ehr-node [-C DIR] remove NAME ... | - -i ADMIN\n"
"       ehr-node [-C DIR] vote NAME ...\n",
	.takes = CLI_DIR | CLI_IDENTITY | CLI_JSON | CLI_NUL
};

struct node {
	struct ctx x;
	struct pool *pool;
	struct delegates set;	/* that vote on the next block */
	bool remove;
	struct buf out;
};

/* --- peers: how this node reaches others ---------------------------------- */

static int
list_peers(struct node *n)
{
	const struct config *conf = &n->x.repo->config;
	const char *command;
	struct span name;
	size_t at = 0;

	while (config_next(conf, "peer", "command", &at, &name, &command)) {
		if (n->x.cli.json) {
			ndjson_line(&n->x.cli, json_pack("{s:o,s:s}", "peer",
			    ndjson_span(name), "command", command));
			continue;
		}
		buf_addf(&n->out, "%.*s\t%s\n", SPAN_FMT(name), command);
	}
	cli_put(buf_span(&n->out));
	return ctx_end(&n->x, 0, NULL);
}

static int
set_peer(struct node *n, const char *name, const char *command)
{
	char key[NAME_MAX_LEN + 32];
	struct err e;
	int lock, ret;

	if (!name_is_node(span_str(name)))
		return cli_usage(&n->x.cli, "%s: not a name for a node", name);
	if (command != NULL && command[0] == '\0')
		return cli_usage(&n->x.cli, "an empty command");
	snprintf(key, sizeof(key), "peer.%s.command", name);
	if ((lock = repo_lock(n->x.repo, 10000, &e)) < 0)
		return ctx_end(&n->x, -1, &e);
	if (command == NULL && config_get(&n->x.repo->config, key) == NULL)
		ret = err_set(&e, ERR_NO, "%s: no such peer", name);
	else
		ret = config_set(n->x.repo->dirfd, key, command, &e);
	close(lock);
	return ctx_end(&n->x, ret, &e);
}

static int
peer(struct node *n)
{
	const char *name = cli_shift(&n->x.cli);
	const char *command = cli_shift(&n->x.cli);

	if (name == NULL && !n->remove)
		return list_peers(n);
	if (name == NULL || (command != NULL) == n->remove ||
	    n->x.cli.argc > 0)
		return cli_usage(&n->x.cli, "NAME and COMMAND, or --remove "
		    "NAME, expected");
	return set_peer(n, name, command);
}

/* --- nodes on the ledger -------------------------------------------------- */

static int
list_one(void *arg, const struct lookup_node *node, struct err *e)
{
	struct node *n = arg;
	int seat = delegates_find(&n->set, span_str(node->name));
	const char *status = !node->active ? "removed" : seat >= 0 ?
	    "delegate" : "node";

	(void)e;
	if (n->x.cli.json)
		ndjson_line(&n->x.cli, json_pack("{s:s,s:s}", "node",
		    node->name, "status", status));
	else
		buf_addf(&n->out, "%s\t%s\n", node->name, status);
	return 0;
}

static int
list(struct node *n)
{
	struct err e;
	int ret;

	if (n->x.cli.argc > 0)
		return cli_usage(&n->x.cli, "list takes no argument");
	ret = state_delegates(&n->set, n->x.db, n->x.head.height + 1, &e);
	if (ret == 0)
		ret = lookup_nodes(n->x.db, list_one, n, &e);
	cli_put(buf_span(&n->out));
	return ctx_end(&n->x, ret, &e);
}

static int
admit_one(void *arg, const char *path, struct err *e)
{
	struct tx tx = { .kind = TX_NODE_ADMIT };
	struct buf bytes = BUF_INIT(CARD_MAX);
	struct node *n = arg;
	struct card c;
	int ret;

	if (fs_read(&bytes, AT_FDCWD, path, e) != 0)
		return -1;
	ret = card_parse(&c, buf_span(&bytes), false, e);
	if (ret == 0 && c.kind != CARD_NODE)
		ret = err_set(e, ERR_NO, "it is the card of a user, not of a "
		    "node");
	if (ret == 0) {
		tx.node = c.name;
		tx.sign = c.sign;
		tx.seal = c.seal;
		ret = submit_tx(n->pool, &n->x.id, &tx, n->x.now_ms, NULL, e);
	}
	buf_free(&bytes);
	return ret == 0 ? 0 : err_wrap(e, "%s", path);
}

static int
remove_one(void *arg, const char *name, struct err *e)
{
	struct tx tx = { .kind = TX_NODE_REMOVE, .node = span_str(name) };
	struct node *n = arg;

	if (!name_is_node(tx.node))
		return err_set(e, ERR_NO, "%s: not a node's name", name);
	if (submit_tx(n->pool, &n->x.id, &tx, n->x.now_ms, NULL, e) != 0)
		return err_wrap(e, "%s", name);
	return 0;
}

static int
begin(void *arg, struct err *e)
{
	struct node *n = arg;

	return pool_open(&n->pool, n->x.repo, n->x.now_ms, e);
}

static int
end(void *arg, struct err *e)
{
	struct node *n = arg;

	return pool_commit(n->pool, e);
}

static int
change(struct node *n, items_fn *fn)
{
	const struct items_work work = { begin, fn, end };
	struct err e;
	int status;

	if (ctx_identity(&n->x, &e) != 0)
		return ctx_end(&n->x, -1, &e);
	status = items_together(&n->x.cli, &work, n);
	return cli_worse(status, ctx_end(&n->x, 0, NULL));
}

static int
by_name(const void *a, const void *b)
{
	return name_cmp(*(const struct span *)a, *(const struct span *)b);
}

/* This node's vote: who shall be the delegates.  No name takes it back. */
static int
cast_vote(struct node *n, struct err *e)
{
	struct tx tx = { .kind = TX_VOTE };
	int ret;

	if (n->x.cli.argc > TX_VOTES_MAX)
		return err_set(e, ERR_USAGE, "over %d names", TX_VOTES_MAX);
	for (int i = 0; i < n->x.cli.argc; i++) {
		tx.reader[tx.nreaders] = span_str(n->x.cli.argv[i]);
		if (!name_is_node(tx.reader[tx.nreaders++]))
			return err_set(e, ERR_NO, "%s: not a node's name",
			    n->x.cli.argv[i]);
	}
	qsort(tx.reader, tx.nreaders, sizeof(tx.reader[0]), by_name);
	if (repo_node_key(n->x.repo, &n->x.id, e) != 0 ||
	    pool_open(&n->pool, n->x.repo, n->x.now_ms, e) != 0)
		return -1;
	ret = submit_tx(n->pool, &n->x.id, &tx, n->x.now_ms, NULL, e);
	if (ret == 0)
		return pool_commit(n->pool, e);
	pool_abort(n->pool);
	return -1;
}

int
main(int argc, char **argv)
{
	static struct node n = { .out = BUF_INIT(1u << 20) };
	const struct cli_opt opt[] = {
		{ 0, "remove", CLI_FLAG, &n.remove, 0 },
		{ 0 }
	};
	const char *verb;
	struct err e;
	int ret;

	cli_parse(&n.x.cli, &spec, opt, argc, argv);
	if ((verb = cli_shift(&n.x.cli)) == NULL)
		return cli_usage(&n.x.cli, "list, peer, admit, remove or vote "
		    "expected");
	if (ctx_open(&n.x, &e) != 0)
		return ctx_end(&n.x, -1, &e);
	if (strcmp(verb, "list") == 0)
		return list(&n);
	if (strcmp(verb, "peer") == 0)
		return peer(&n);
	if (strcmp(verb, "admit") == 0)
		return change(&n, admit_one);
	if (strcmp(verb, "remove") == 0)
		return change(&n, remove_one);
	if (strcmp(verb, "vote") == 0) {
		ret = cast_vote(&n, &e);
		return ctx_end(&n.x, ret, &e);
	}
	return cli_usage(&n.x.cli, "%s: no such verb", verb);
}
