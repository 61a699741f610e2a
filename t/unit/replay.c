/*
 * replay: real conversations between the commands are recorded, and played
 * again to either side with one byte changed, or cut off.  Whatever it is, the
 * command ends in success or with one line, in time, in little memory; its
 * ledger passes an audit, and nothing that waited has been forgotten.
 *
 * Every n-th byte is tried, or with EHR_LONG all, each cut and each changed in
 * EHR_LONG ways (255 is all); with EHR_PART=K/N the part K, from 0, of N of
 * that, in one process.
 */
#define _GNU_SOURCE
#include "tape.h"
#include "again.h"
#include "outcome.h"

#include "base/parallel.h"
#include "store/config.h"

#define TRIES 24	/* of each kind, each way of each conversation, */
#define TRIES_DISK 10	/* and where each fsync waits for a disk */

static struct post p;
static size_t tries = TRIES_DISK;
static unsigned played[3], failed, could_fail;	/* by what was done */
static int64_t slowest_ms;

/* --- what is recorded ----------------------------------------------------- */

struct talk {
	const char *name;
	const char *dirs;	/* ledgers, with blanks between */
	const char *server;	/* that of whom is called */
	const char *client;	/* that of the caller, or what it makes */
	const char *caller;	/* its command, which runs the peer's */
	const char *mark, *then;	/* for tape_record */
	uint64_t height;	/* of both when all goes well */
	bool others;		/* the caller succeeds without this peer */
	struct waits before[2];	/* at the server, at the client */
	struct tape tape;
};

static char clone_command[2 * PATH_MAX];

static struct talk talks[] = {
	{ .name = "sync", .dirs = "h0 h1", .server = "h0", .client = "h1",
	  .caller = "exec ehr-sync -C h1", .height = 2 },
	{ .name = "clone", .dirs = "h0", .server = "h0", .client = "new",
	  .caller = clone_command, .height = 2 },
	/* What it proposes is in its journal by then and no vote yet, so that
	 * it is repeated when it is played to. */
	{ .name = "round", .dirs = "k0 k1 k2 k3", .server = "k0",
	  .client = "k1", .caller = "exec ehr-dbft -C k1 --once",
	  .mark = "consensus", .then = "cp -a k1 said && : >said.done",
	  .height = 1, .others = true }
};
#define NTALKS (sizeof(talks) / sizeof(*talks))

/* --- the peer of a command ------------------------------------------------ */

/* What the peer's command does when the caller runs it: the file role says. */
static int
act(void)
{
	char what[16], name[64], command[512] = "", mark[64] = "",
	    then[512] = "";
	struct tape_spoil s;
	struct identity key;
	struct tape t;
	FILE *f = fopen("role", "r");
	int n;

	if (f == NULL || fscanf(f, "%15s %63s", what, name) != 2)
		return 4;
	if (strcmp(what, "record") == 0) {
		if (fscanf(f, " %511[^\n] %63[^\n] %511[^\n]", command, mark,
		    then) < 1)
			return 4;
		strcat(mark, "\n");
		return tape_record(name, command, then[0] == '\0' ? NULL :
		    mark, then);
	}
	if (fscanf(f, "%d %zu %u", &n, &s.at, &s.by) != 3 ||
	    !tape_load(&t, name))
		return 4;
	s.what = (enum tape_what)n;
	fclose(f);
	people_node(&key, "hospital-a", "hospital-a");
	n = tape_serve(&t, &s, &key);
	identity_wipe(&key);
	tape_free(&t);
	return n;
}

/*
 * The command of another delegate: while the round is recorded, no message
 * gets through before that with the first peer is.
 */
static int
third(const char *dir)
{
	char command[64], name[64];

	snprintf(command, sizeof(command), "exec ehr-serve -C %s", dir);
	if (access("said.done", F_OK) == 0)
		return execl("/bin/sh", "sh", "-c", command, (char *)NULL);
	snprintf(name, sizeof(name), "third.%s", dir);
	return tape_record(name, command, "consensus\n",
	    "while ! [ -e said.done ]; do sleep 0.01; done");
}

/* --- playing -------------------------------------------------------------- */

static void
restore(const struct talk *t)
{
	char dirs[64], *rest = dirs, *d;

	snprintf(dirs, sizeof(dirs), "%s", t->dirs);
	while ((d = strsep(&rest, " ")) != NULL)
		again("o", d);
	scratch_remove("new");
}

/* As the caller, to ehr-serve. */
static bool
to_server(const struct talk *t, const struct tape_spoil *s)
{
	struct buf said = BUF_INIT(TAPE_MAX);
	char command[PATH_MAX];
	long kib = 0;
	int fd[2], status;
	uint64_t height;
	pid_t pid;

	snprintf(command, sizeof(command), "exec ehr-serve -C %s", t->server);
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fd) != 0)
		abort();
	pid = start(command, fd[1]);
	close(fd[1]);
	CHECK(tape_call(&t->tape, s, &p.f.node[1], fd[0], &said,
	    RUN_MS));
	status = finish(pid, &kib);
	buf_free(&said);
	ended_well(status, kib, MEMORY_KIB, true);
	height = check_ledger(t->server, &t->before[0]);
	CHECK(s->what != TAPE_KEEP || height == t->height);
	return status == 0;
}

/* As the server, to the command that calls it. */
static bool
to_caller(const struct talk *t, const struct tape_spoil *s)
{
	char role[200];
	long kib = 0;
	int status;
	uint64_t height;

	snprintf(role, sizeof(role), "play tape.%s %d %zu %u\n", t->name,
	    (int)s->what, s->at, s->by);
	scratch_text("role", role);
	status = finish(start(t->caller, -1), &kib);
	ended_well(status, kib, MEMORY_KIB, false);
	height = check_ledger(t->client, &t->before[1]);
	CHECK(!t->others || (status == 0 && height == t->height));
	CHECK(s->what != TAPE_KEEP || height == t->height);
	return status == 0;
}

/* Returns whether the command failed. */
static bool
play(const struct talk *t, int way, const struct tape_spoil *s)
{
	int64_t began_ms;
	int entries;
	bool ok;

	told = checks_failed;
	restore(t);
	scratch_text("role", "none\n");
	scratch_text("stderr", "");
	entries = count_entries(".");
	began_ms = clock_mono_ms();
	ok = way == TO_SERVER ? to_server(t, s) : to_caller(t, s);
	began_ms = clock_mono_ms() - began_ms;
	if (began_ms > slowest_ms)
		slowest_ms = began_ms;
	/* Outside of the ledgers there is what was there before. */
	CHECK(scratch_holds("outside", span_str("untouched\n")));
	CHECK(count_entries(".") == entries);
	if (checks_failed != told)
		printf("^ %s, to the %s, %s at %zu by %u\n", t->name,
		    way == TO_SERVER ? "server" : "caller",
		    s->what == TAPE_KEEP ? "as it was" :
		    s->what == TAPE_CUT ? "cut" : "changed", s->at, s->by);
	played[s->what]++;
	failed += !ok;
	could_fail += way == TO_SERVER || !t->others;
	return !ok;
}

/* Each n-th byte, cut and changed; n such that it is `tries` times. */
static void
sample(const struct talk *t, int way)
{
	size_t n = t->tape.way[way].len, step = n / tries + 1;

	for (size_t at = (size_t)random() % step; at < n; at += step) {
		struct tape_spoil change = { TAPE_CHANGE, at,
		    1 + (unsigned)(random() % 255) };
		struct tape_spoil cut = { TAPE_CUT, at, 0 };

		play(t, way, &change);
		/* The other half of the places. */
		if ((cut.at += step / 2) < n)
			play(t, way, &cut);
	}
}

/* Every byte: this process's share of them. */
static void
all(const struct talk *t, int way, unsigned ways, unsigned me, unsigned of)
{
	for (size_t at = me; at < t->tape.way[way].len; at += of) {
		struct tape_spoil s = { TAPE_CUT, at, 0 };

		play(t, way, &s);
		s.what = TAPE_CHANGE;
		for (unsigned i = 0; i < ways; i++) {
			s.by = ways >= 255 ? 1 + i :
			    1 + (unsigned)(random() % 255);
			play(t, way, &s);
		}
	}
}

/* --- recording ------------------------------------------------------------ */

static void
peer(unsigned i, const char *name, const char *command)
{
	char key[64];

	snprintf(key, sizeof(key), "peer.%s.command", name);
	little_ok(config_set(p.f.r[i]->dirfd, key, command, &e));
}

static void
put_away(const char *letter)
{
	shell("for i in 0 1 2 3; do cp -a h$i o/%s$i &&"
	    " rm -f o/%s$i/.ehr/state.db*; done", letter, letter);
}

/* The ledgers: k for a round, in which a block is to be made, and h, of which
 * each has something that the other lacks. */
static void
prepare(void)
{
	struct sync_result res = { .wanted = 0 };
	struct hash record, header;
	char command[PATH_MAX + 16], id[HASH_HEX];
	struct settings s;

	snprintf(command, sizeof(command), "exec %s act", self);
	settings_default(&s);
	/* However long ago it was recorded, it is the first view's time. */
	s.interval_ms = 0;
	s.timeout_ms = 3600000;
	post_open_with(&p, &s);
	if (mkdir("o", 0700) != 0)
		abort();
	peer(1, "hospital-a", command);
	snprintf(command, sizeof(command), "exec %s third k2", self);
	peer(1, "hospital-c", command);
	snprintf(command, sizeof(command), "exec %s third k3", self);
	peer(1, "hospital-d", command);
	CHECK(post_sync(&p, 1, 0, SYNC_ALL | SYNC_PULL, NULL, &res, &e) == 0);
	put_away("k");
	peer(1, "hospital-c", NULL);
	peer(1, "hospital-d", NULL);
	post_block(&p, 0, NULL);
	CHECK(post_sync(&p, 1, 0, SYNC_ALL | SYNC_PULL, NULL, &res, &e) == 0);
	post_stage(&p, 0, 2000, 'a', &record);
	post_authorize(&p, 0, &record, &header);
	post_block(&p, 0, NULL);
	post_stage(&p, 0, 700, 'b', &record);
	post_authorize(&p, 0, &record, &header);
	post_stage(&p, 0, 300, 'c', &record);
	post_stage(&p, 1, 900, 'd', &record);
	post_authorize(&p, 1, &record, &header);
	post_stage(&p, 1, 300, 'e', &record);
	put_away("h");
	shell("cp h1/.ehr/node.key key");
	scratch_text("outside", "untouched\n");
	hash_format(id, repo_ledger(p.f.r[0]));
	snprintf(clone_command, sizeof(clone_command), "exec ehr-sync clone "
	    "'exec %s act' new --node-key key --ledger %s", self, id);
}

static void
remember(struct waits *w, const char *dir)
{
	struct repo *r;

	if (repo_open(&r, dir, &e) != 0)
		return;
	look(&w->pending, &w->staged, r);
	repo_close(r);
}

/* What is put away is in order, and gets its state back by that: else each
 * command would make it anew. */
static void
keep(struct talk *t)
{
	char path[64];

	for (int i = 0; i < 2; i++) {
		snprintf(path, sizeof(path), "o/%s", i == 0 ? t->server :
		    t->client);
		if (access(path, F_OK) != 0)
			continue;
		check_ledger(path, &t->before[i]);
	}
}

static void
record(struct talk *t)
{
	char role[1024], name[32];
	long kib = 0;
	int status;

	restore(t);
	remember(&t->before[0], t->server);
	remember(&t->before[1], t->client);
	snprintf(role, sizeof(role), "record tape.%s exec ehr-serve -C %s\n"
	    "%s\n%s\n", t->name, t->server, t->mark == NULL ? "" : t->mark,
	    t->then == NULL ? "" : t->then);
	scratch_text("role", role);
	status = finish(start(t->caller, -1), &kib);
	CHECK(ended_well(status, kib, MEMORY_KIB, false));
	snprintf(name, sizeof(name), "tape.%s", t->name);
	CHECK(tape_load(&t->tape, name));
	if (t->mark != NULL)
		shell("rm -rf said/.ehr/state.db* o/%s && mv said o/%s",
		    t->client, t->client);
	keep(t);
}

/* What was done, by this process. */
static void
tell(void)
{
	printf("%zu conversations, %u changes, %u cuts, %u as they were; "
	    "%u times the command failed; %lld ms and %ld KiB at most\n",
	    NTALKS, played[TAPE_CHANGE], played[TAPE_CUT], played[TAPE_KEEP],
	    failed, (long long)slowest_ms, most_kib);
}

/* --- everything ----------------------------------------------------------- */

/* One part of it. */
static void
part_of_all(unsigned ways, unsigned me, unsigned of)
{
	srandom(me + 1);
	for (size_t i = 0; i < NTALKS; i++)
		for (int way = 0; way < 2; way++)
			all(&talks[i], way, ways, me, of);
}

/* In so many processes, each with ledgers of its own. */
static void
all_of_all(unsigned ways)
{
	unsigned of = parallel_width(), me;
	char dir[16];

	fflush(stdout);
	for (me = 0; me < of; me++)
		if (fork() == 0)
			break;
	if (me == of) {
		int status;

		while (wait(&status) > 0)
			CHECK(status == 0);
		return;
	}
	snprintf(dir, sizeof(dir), "w%u", me);
	shell("mkdir %s && cp -a o tape.* key outside said.done %s", dir, dir);
	if (chdir(dir) != 0)
		abort();
	part_of_all(ways, me, of);
	tell();
	fflush(stdout);
	_exit(checks_failed != 0);
}

/* All that the environment asks for, in so many ways. */
static void
full(unsigned ways)
{
	const char *part = getenv("EHR_PART");
	unsigned me, of;

	if (part == NULL)
		all_of_all(ways);
	else if (sscanf(part, "%u/%u", &me, &of) == 2 && me < of)
		part_of_all(ways, me, of);
	else
		CHECK(false);
}

int
main(int argc, char **argv)
{
	const struct tape_spoil keep = { .what = TAPE_KEEP };
	const char *ways = getenv("EHR_LONG");

	if (!find_commands())
		return 0;
	if (argc > 1)
		return strcmp(argv[1], "act") == 0 ? act() : third(argv[2]);
	srandom(20261124);
	scratch_open();
	if (work_in_memory())
		tries = TRIES;
	prepare();
	for (size_t i = 0; i < NTALKS; i++) {
		record(&talks[i]);
		/* Unspoilt, it is a success again. */
		for (int way = 0; way < 2; way++) {
			CHECK(!play(&talks[i], way, &keep));
			printf("%s %d: %zu bytes\n", talks[i].name, way,
			    talks[i].tape.way[way].len);
		}
	}
	if (ways != NULL && atoi(ways) > 0)
		full((unsigned)atoi(ways));
	else {
		for (size_t i = 0; i < 2 * NTALKS; i++)
			sample(&talks[i / 2], (int)(i % 2));
		/* Else nothing is spoilt. */
		CHECK(failed > could_fail / 2);
	}
	tell();
	for (size_t i = 0; i < NTALKS; i++) {
		for (int way = 0; way < 2; way++) {
			ids_free(&talks[i].before[way].pending);
			ids_free(&talks[i].before[way].staged);
		}
		tape_free(&talks[i].tape);
	}
	post_close(&p);
	work_done();
	return check_done("replay");
}
