/* ehr-sync: exchange with peers, clone from one; see ehr-sync(1). */
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "cli/bundle.h"
#include "cli/clone.h"
#include "cli/follow.h"
#include "cli/moving.h"
#include "cli/ndjson.h"
#include "net/waiting.h"
#include "store/chain.h"

static const struct cli_spec spec = {
	.name = "ehr-sync",
	.usage =
"usage: ehr-sync [-C DIR] [--pull | --push | --follow] [PEER ...]\n"
"       ehr-sync clone COMMAND DIR [--node-key FILE] [--ledger ID]\n"
"       ehr-sync clone --bundle FILE DIR [--node-key FILE] [--ledger ID]\n"
"       ehr-sync [-C DIR] status [--json] [PEER ...]\n"
"       ehr-sync [-C DIR] bundle create FILE [--since HEIGHT]\n"
"       ehr-sync [-C DIR] bundle apply FILE\n",
	.takes = CLI_DIR | CLI_JSON
};

struct syncing {
	struct cli c;
	struct clone_options clone;
	uint64_t since;		/* block, of a bundle */
	bool pull, push, follow;
	struct moving moving;
};

/* What became of one peer: its exit status. */
static int
report(struct syncing *y, const struct peer *p)
{
	const struct sync_result *res = &p->res;
	struct err e = p->e;

	moving_narrate(&y->moving, p->name, "pulled", &res->pulled);
	moving_narrate(&y->moving, p->name, "pushed", &res->pushed);
	if (res->declined > 0)
		cli_verbose(&y->c, "%s: %llu of its items are not for us",
		    p->name, (unsigned long long)res->declined);
	if (e.kind == ERR_NONE && res->refused > 0)
		err_set(&e, ERR_NO, "%s: refuses %llu of ours: %s", p->name,
		    (unsigned long long)res->refused, res->reason);
	else if (e.kind == ERR_NONE && res->damaged > 0)
		err_set(&e, ERR_BAD, "%s: %llu of its objects are damaged",
		    p->name, (unsigned long long)res->damaged);
	else if (e.kind == ERR_NONE && res->read_only && y->push)
		err_set(&e, ERR_NO, "%s: takes nothing: it is read-only",
		    p->name);
	return e.kind == ERR_NONE ? 0 : cli_fail(&y->c, &e);
}

/* --- status --------------------------------------------------------------- */

static void
show_peer(struct syncing *y, const char *name, uint64_t height,
    const struct hash *head, const char *error)
{
	char hex[HASH_HEX];

	if (y->c.json) {
		ndjson_line(&y->c, error != NULL ?
		    json_pack("{s:s,s:s}", "peer", name, "error", error) :
		    json_pack("{s:s,s:I,s:o}", "peer", name, "height",
		    (json_int_t)height, "head", ndjson_hash(head)));
		return;
	}
	hash_format(hex, head);
	if (error != NULL)
		printf("%s\t-\t%s\n", name, error);
	else
		printf("%s\t%llu\t%s\n", name, (unsigned long long)height,
		    hex);
}

static int
show_wanted(struct syncing *y, struct repo *r, struct err *e)
{
	struct ids wanted = IDS_INIT;
	char hex[HASH_HEX];
	int ret = waiting_wanted(&wanted, r, SIZE_MAX, e);

	for (size_t i = 0; i < wanted.n && ret == 0; i++) {
		hash_format(hex, &wanted.id[i]);
		if (y->c.json)
			ndjson_line(&y->c, json_pack("{s:s}", "wanted", hex));
		else
			printf("wanted\t%s\n", hex);
	}
	ids_free(&wanted);
	return ret;
}

static int
status(struct syncing *y, struct repo *r, struct peers *p, struct err *e)
{
	const char *us = repo_node_name(r);
	struct hash none = { { 0 } };
	size_t answered = 0;
	struct head h;

	if (chain_head(&h, r, e) != 0)
		return cli_fail(&y->c, e);
	show_peer(y, us == NULL ? "here" : us, h.height, &h.id, NULL);
	if (exchange_greet(p, r, e) != 0)
		return cli_fail(&y->c, e);
	for (size_t i = 0; i < p->n; i++) {
		const struct peer *v = &p->v[i];

		show_peer(y, v->name, v->s == NULL ? 0 : v->s->height,
		    v->s == NULL ? &none : &v->s->head,
		    v->s == NULL ? v->e.msg : NULL);
		answered += v->s != NULL;
	}
	if (show_wanted(y, r, e) != 0)
		return cli_fail(&y->c, e);
	return answered > 0 ? 0 : ERR_AGAIN;
}

/* --- bundles and clones --------------------------------------------------- */

/* Was an option given that only clone has? */
static bool
for_clone(const struct syncing *y)
{
	return y->clone.node_key != NULL || y->clone.ledger != NULL ||
	    y->clone.bundle != NULL;
}

static int
bundle(struct syncing *y)
{
	struct sync_result res = { .watch = moving_watch,
	    .arg = &y->moving };

	if (for_clone(y) || y->pull || y->push || y->follow)
		return cli_usage(&y->c, "these options do not go together");
	return bundle_command(&y->c, y->since, &res);
}

static int
clone(struct syncing *y)
{
	if (y->since > 0 || y->pull || y->push || y->follow)
		return cli_usage(&y->c, "these options do not go together");
	return clone_command(&y->c, &y->clone);
}

/* --- exchange ------------------------------------------------------------- */

/*
 * At the end of a pipe, what comes before us is done when its output ends.
 * Its ids are passed on.
 */
static void
pass_on_input(void)
{
	char part[4096];
	struct stat st;
	ssize_t n;

	if (fstat(STDIN_FILENO, &st) != 0 || !S_ISFIFO(st.st_mode))
		return;
	while ((n = read(STDIN_FILENO, part, sizeof(part))) > 0)
		cli_put(span_of(part, (size_t)n));
}

static int
exchange(struct syncing *y, struct repo *r, struct peers *p, struct err *e)
{
	struct exchange x = {
		.flags = SYNC_ALL | (y->push ? 0 : SYNC_PULL) |
		    (y->pull ? 0 : SYNC_PUSH),
		.learn = y->c.argc == 0
	};
	int worst = 0, lock, one, ret;
	size_t good = 0;

	if (y->push)
		pass_on_input();
	if ((lock = fs_lock(r->dirfd, "sync.lock", 0, e)) < 0)
		return cli_fail(&y->c, e);
	moving_start(&y->moving, &x);
	ret = exchange_run(&x, p, r, e);
	moving_end(&y->moving);
	if (ret != 0)
		worst = cli_fail(&y->c, e);
	for (size_t i = 0; i < p->n; i++) {
		one = report(y, &p->v[i]);
		good += one == 0;
		/* One that is away is no failure while others are there. */
		if (one != ERR_AGAIN)
			worst = cli_worse(worst, one);
	}
	close(lock);
	return worst != 0 || good > 0 ? worst : ERR_AGAIN;
}

static int
with_peers(struct syncing *y, int (*act)(struct syncing *y, struct repo *r,
    struct peers *p, struct err *e))
{
	struct peers p = { NULL, 0 };
	struct repo *r = NULL;
	struct err e;
	int ret;

	if (repo_open(&r, y->c.dir, &e) != 0 ||
	    peers_of(&p, r, y->c.argv, clock_now_ms(), &e) != 0)
		ret = cli_fail(&y->c, &e);
	else
		ret = act(y, r, &p, &e);
	peers_free(&p);
	repo_close(r);
	return ret;
}

/* --- what is to be done --------------------------------------------------- */

/* Is it the first argument?  Then take it. */
static bool
verb(struct cli *c, const char *word)
{
	if (c->argc == 0 || strcmp(c->argv[0], word) != 0)
		return false;
	cli_shift(c);
	return true;
}

static int
run(struct syncing *y)
{
	bool only_status;

	if (verb(&y->c, "clone"))
		return clone(y);
	if (verb(&y->c, "bundle"))
		return bundle(y);
	only_status = verb(&y->c, "status");
	if (for_clone(y) || y->since > 0 ||
	    (int)y->pull + y->push + y->follow + only_status > 1)
		return cli_usage(&y->c, "these options do not go together");
	if (y->follow)
		return follow_command(&y->c);
	return with_peers(y, only_status ? status : exchange);
}

int
main(int argc, char **argv)
{
	static struct syncing y = { .moving = { .c = &y.c } };
	struct cli_opt opt[] = {
		{ 0, "pull", CLI_FLAG, &y.pull, 0 },
		{ 0, "push", CLI_FLAG, &y.push, 0 },
		{ 0, "follow", CLI_FLAG, &y.follow, 0 },
		{ 0, "node-key", CLI_TEXT, &y.clone.node_key, 0 },
		{ 0, "bundle", CLI_TEXT, &y.clone.bundle, 0 },
		{ 0, "ledger", CLI_TEXT, &y.clone.ledger, 0 },
		{ 0, "since", CLI_NUMBER, &y.since, BLOCK_HEIGHT_MAX },
		{ 0, "passphrase-file", CLI_TEXT, &y.c.passphrase_file, 0 },
		{ 0 }
	};

	cli_parse(&y.c, &spec, opt, argc, argv);
	return cli_close_stdout(&y.c, run(&y));
}
