/* ehr-sync: exchange with peers, clone from one; see ehr-sync(1). */
#define _GNU_SOURCE	/* AT_FDCWD */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "cli/bundle.h"
#include "cli/ident.h"
#include "cli/ndjson.h"
#include "cli/progress.h"
#include "cli/service.h"
#include "net/clone.h"
#include "net/exchange.h"
#include "net/follow.h"
#include "net/waiting.h"
#include "store/chain.h"

static const struct cli_spec spec = {
	.name = "ehr-sync",
	.usage =
"usage: ehr-sync [-C DIR] [--pull | --push | --follow] [PEER ...]\n"
"       ehr-sync clone COMMAND DIR [--node-key FILE] [--ledger ID]\n"
"       ehr-sync [-C DIR] status [--json] [PEER ...]\n"
"       ehr-sync [-C DIR] bundle create FILE [--since HEIGHT]\n"
"       ehr-sync [-C DIR] bundle apply FILE\n",
	.takes = CLI_DIR | CLI_JSON
};

struct syncing {
	struct cli c;
	const char *node_key, *ledger;
	uint64_t since;		/* block, of a bundle */
	bool pull, push, follow;
	struct progress bar;
	const char *doing;	/* what the bar is about */
	uint64_t done, bytes;
};

/* --- what a person sees --------------------------------------------------- */

static void
end_bar(struct syncing *y)
{
	if (y->doing != NULL)
		progress_end(&y->bar);
	y->doing = NULL;
}

static void
watch(void *arg, const struct sync_result *res)
{
	struct syncing *y = arg;
	uint64_t bytes;

	if (res == NULL) {
		end_bar(y);
		return;
	}
	bytes = res->pulled.bytes + res->pushed.bytes + res->chain_bytes;
	if (y->doing != res->doing || res->done < y->done) {
		end_bar(y);
		progress_start(&y->bar, &y->c, res->doing, res->total);
		y->doing = res->doing;
		y->done = 0;
		y->bytes = bytes;
	}
	progress_add(&y->bar, res->done - y->done, bytes - y->bytes);
	y->done = res->done;
	y->bytes = bytes;
}

/* A peer's part begins. */
static void
begin(void *arg, struct peer *p)
{
	p->res.watch = watch;
	p->res.arg = arg;
}

static void
start_watch(struct syncing *y, struct exchange *x)
{
	x->begin = begin;
	x->arg = y;
	x->chain.watch = watch;
	x->chain.arg = y;
}

static void
narrate(struct syncing *y, const char *peer, const char *way,
    const struct sync_count *n)
{
	cli_verbose(&y->c, "%s: %s %llu blocks, %llu objects (%llu bytes), "
	    "%llu staged records, %llu transactions", peer, way,
	    (unsigned long long)n->blocks, (unsigned long long)n->objects,
	    (unsigned long long)n->bytes, (unsigned long long)n->staged,
	    (unsigned long long)n->pending);
}

/* What became of one peer: its exit status. */
static int
report(struct syncing *y, const struct peer *p)
{
	const struct sync_result *res = &p->res;
	struct err e = p->e;

	narrate(y, p->name, "pulled", &res->pulled);
	narrate(y, p->name, "pushed", &res->pushed);
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

/* --- clone ---------------------------------------------------------------- */

static int
read_key(struct syncing *y, struct clone *cl, struct buf *file,
    struct identity *key, struct err *e)
{
	if (y->node_key == NULL)
		return 0;
	if (ident_read(key, &y->c, y->node_key, e) != 0 ||
	    fs_read(file, AT_FDCWD, y->node_key, e) != 0)
		return -1;
	cl->key_file = buf_span(file);
	cl->key = key;
	return 0;
}

/* What the person sees of it: the exit status. */
static int
report_clone(struct syncing *y, const struct clone *cl,
    const struct peers *p, int ret, bool made, const struct hash *id,
    struct err *e)
{
	enum proto_access most = PROTO_CHAIN;
	struct err why = *e;
	char hex[HASH_HEX];

	for (size_t i = 0; i < p->n; i++) {
		narrate(y, p->v[i].name, "pulled", &p->v[i].res.pulled);
		if (p->v[i].res.access > most)
			most = p->v[i].res.access;
		if (ret == 0 && p->v[i].e.kind != ERR_NONE)
			cli_note(&y->c, "%s", p->v[i].e.msg);
	}
	if (ret != 0 && made)
		err_set(&why, e->kind, "%.400s; ehr-sync -C %.80s goes on from "
		    "here", e->msg, cl->dir);
	if (ret != 0)
		return cli_fail(&y->c, &why);
	if (cl->key != NULL && most < PROTO_READER)
		cli_note(&y->c, "%s is not known as a node there: only what "
		    "anybody may have was copied", cl->key->name);
	hash_format(hex, id);
	if (y->ledger == NULL)
		printf("%s\n", hex);
	return 0;
}

static int
clone(struct syncing *y)
{
	struct buf file = BUF_INIT(IDENTITY_FILE_MAX);
	struct identity key = { .sign = NULL };
	struct exchange x = { .flags = 0 };
	struct clone cl = { .key = NULL };
	struct peers p = { NULL, 0 };
	struct hash id;
	bool made = false;
	struct err e = { .kind = ERR_NONE };
	int ret;

	cl.command = cli_shift(&y->c);
	cl.dir = cli_shift(&y->c);
	if (cl.dir == NULL || y->c.argc > 0 || y->c.dir != NULL || y->pull ||
	    y->push || y->follow)
		return cli_usage(&y->c, "clone takes a COMMAND and a DIR");
	if (y->ledger != NULL && hash_parse(&id, span_str(y->ledger)) != 0)
		return cli_usage(&y->c, "%s: not the id of a ledger (64 hex "
		    "digits)", y->ledger);
	cl.ledger = y->ledger == NULL ? NULL : &id;
	start_watch(y, &x);
	ret = read_key(y, &cl, &file, &key, &e);
	if (ret == 0)
		ret = clone_run(&cl, &x, &p, &id, &made, &e);
	end_bar(y);
	ret = report_clone(y, &cl, &p, ret, made, &id, &e);
	peers_free(&p);
	identity_wipe(&key);
	buf_wipe(&file);
	return cli_close_stdout(&y->c, ret);
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

/* --- bundles -------------------------------------------------------------- */

static int
bundle(struct syncing *y)
{
	struct sync_result res = { .watch = watch, .arg = y };

	if (y->node_key != NULL || y->ledger != NULL || y->pull || y->push ||
	    y->follow)
		return cli_usage(&y->c, "these options do not go together");
	cli_shift(&y->c);
	return cli_close_stdout(&y->c, bundle_command(&y->c, y->since, &res));
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
	start_watch(y, &x);
	ret = exchange_run(&x, p, r, e);
	end_bar(y);
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

/* --- the service ---------------------------------------------------------- */

#define CLOSE_MS 3000		/* for connections to end */

static struct follow *volatile following;
static volatile sig_atomic_t ended, reload;

static void
on_signal(int signo)
{
	if (signo == SIGHUP)
		reload = 1;
	else
		ended = 1;
	if (following != NULL)
		follow_stop(following);
	else if (signo != SIGHUP)
		_exit(0);	/* at no moment is anything half-written */
}

static void
tell(void *arg, const char *peer, const struct err *e)
{
	struct syncing *y = arg;

	if (e != NULL)
		cli_note(&y->c, "%s", e->msg);
	else
		cli_note(&y->c, "%s: it is there again", peer);
}

/* Once with all together, then with each, until it is time to begin anew. */
static int
keep_up(struct syncing *y, struct repo *r, struct peers *p, struct err *e)
{
	const struct follow_options o = { tell, y };
	struct exchange x = { .flags = SYNC_ALL | SYNC_PULL | SYNC_PUSH,
	    .learn = y->c.argc == 0 };
	struct follow *f;
	int ret;

	if (exchange_run(&x, p, r, e) != 0 && e->kind != ERR_AGAIN)
		return -1;
	for (size_t i = 0; i < p->n; i++) {
		session_close(p->v[i].s);
		p->v[i].s = NULL;
	}
	if (follow_open(&f, r, p, &o, e) != 0)
		return -1;
	following = f;
	service_notify("READY=1");
	ret = reload ? 0 : follow_run(f, e);
	following = NULL;
	if (ended)
		service_notify("STOPPING=1");
	/* A thread that hangs on a silent peer ends with the process. */
	if (!follow_close(f, CLOSE_MS) && (ended || ret != 0)) {
		pipe_end_all();
		_exit(ret == 0 ? 0 : cli_fail(&y->c, e));
	}
	return ret;
}

static int
follow_once(struct syncing *y, struct err *e)
{
	struct peers p = { NULL, 0 };
	struct repo *r;
	int ret, lock;

	if (repo_open(&r, y->c.dir, e) != 0)
		return -1;
	ret = lock = fs_lock(r->dirfd, "sync.lock", 0, e);
	if (ret >= 0)
		ret = peers_of(&p, r, y->c.argv, clock_now_ms(), e);
	if (ret == 0)
		ret = keep_up(y, r, &p, e);
	peers_free(&p);
	if (lock >= 0)
		close(lock);
	repo_close(r);
	return ret;
}

static int
follow(struct syncing *y)
{
	struct err e;
	int ret;

	signal(SIGPIPE, SIG_IGN);
	service_signals(on_signal);
	do {
		if (reload)
			service_reloading();
		reload = 0;
		ret = follow_once(y, &e);
	} while (ret == 0 && !ended);
	return ret == 0 ? 0 : cli_fail(&y->c, &e);
}

int
main(int argc, char **argv)
{
	static struct syncing y;
	struct cli_opt opt[] = {
		{ 0, "pull", CLI_FLAG, &y.pull, 0 },
		{ 0, "push", CLI_FLAG, &y.push, 0 },
		{ 0, "follow", CLI_FLAG, &y.follow, 0 },
		{ 0, "node-key", CLI_TEXT, &y.node_key, 0 },
		{ 0, "ledger", CLI_TEXT, &y.ledger, 0 },
		{ 0, "since", CLI_NUMBER, &y.since, BLOCK_HEIGHT_MAX },
		{ 0, "passphrase-file", CLI_TEXT, &y.c.passphrase_file, 0 },
		{ 0 }
	};
	struct peers p = { NULL, 0 };
	struct repo *r = NULL;
	bool only_status;
	struct err e;
	int ret;

	cli_parse(&y.c, &spec, opt, argc, argv);
	if (y.c.argc > 0 && strcmp(y.c.argv[0], "clone") == 0) {
		cli_shift(&y.c);
		return clone(&y);
	}
	if (y.c.argc > 0 && strcmp(y.c.argv[0], "bundle") == 0)
		return bundle(&y);
	only_status = y.c.argc > 0 && strcmp(y.c.argv[0], "status") == 0;
	if (only_status)
		cli_shift(&y.c);
	if (y.node_key != NULL || y.ledger != NULL || y.since > 0 ||
	    (int)y.pull + y.push + y.follow + only_status > 1)
		return cli_usage(&y.c, "these options do not go together");
	if (y.follow)
		return follow(&y);
	if (repo_open(&r, y.c.dir, &e) != 0 ||
	    peers_of(&p, r, y.c.argv, clock_now_ms(), &e) != 0)
		ret = cli_fail(&y.c, &e);
	else if (only_status)
		ret = status(&y, r, &p, &e);
	else
		ret = exchange(&y, r, &p, &e);
	peers_free(&p);
	repo_close(r);
	return cli_close_stdout(&y.c, ret);
}
