/*
 * liar: one peer is silent, slow, stale, endless or lies; the commands that
 * call it end in time, with what the honest ones gave, and nothing else.
 */
#define _GNU_SOURCE
#include "liar.h"
#include "outcome.h"

#include "store/config.h"

/* An answer may have a block of 40 MiB, and memory is doubled as it grows. */
#define MOST_KIB (2 * MEMORY_KIB)

static struct post p;

/* Ways to be a bad peer. */
static const char *const lies[] = {
	"silent",	/* not a byte */
	"noise",	/* bytes that are no protocol */
	"mute",		/* a greeting, then nothing */
	"drip",		/* a byte now and then */
	"endless",	/* an answer without end */
	"length",	/* a packet that is announced and does not come */
	"tall",		/* a height that it does not have */
	"fork",		/* another block, with one signature */
	"ids",		/* lists of what there is not */
	"bytes",	/* objects of other bytes */
	"large",	/* objects of a tebibyte */
	"echo",		/* answers to other questions */
	"votes",	/* noise in the place of votes */
	"no", "again",	/* refusals of everything */
	"stale"		/* an old copy of the ledger, in good faith */
};
#define NLIES (sizeof(lies) / sizeof(*lies))

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

/*
 * k: hospital-b is to make the first block.  h: it lacks the second, which the
 * others have, and more that waits; and hospital-a is the liar, in both.
 */
static void
prepare(void)
{
	struct sync_result res = { .wanted = 0 };
	struct buf fork_text = BUF_INIT(CHAIN_FILE_MAX);
	struct hash record, header;
	char command[PATH_MAX + 64];
	struct settings s;

	settings_default(&s);
	s.interval_ms = 0;
	s.timeout_ms = 3600000;
	post_open_with(&p, &s);
	if (mkdir("o", 0700) != 0)
		abort();
	snprintf(command, sizeof(command), "exec %s lie k0", self);
	peer(1, "hospital-a", command);
	peer(1, "hospital-c", "exec ehr-serve -C k2");
	peer(1, "hospital-d", "exec ehr-serve -C k3");
	little_ok(config_set(p.f.r[1]->dirfd, "net.timeout", "1", &e));
	CHECK(post_sync(&p, 1, 0, SYNC_ALL | SYNC_PULL, NULL, &res, &e) == 0);
	put_away("k");
	snprintf(command, sizeof(command), "exec %s lie h0", self);
	peer(1, "hospital-a", command);
	peer(1, "hospital-c", "exec ehr-serve -C h2");
	peer(1, "hospital-d", NULL);
	post_block(&p, 0, NULL);
	CHECK(post_sync(&p, 1, 0, SYNC_ALL | SYNC_PULL, NULL, &res, &e) == 0);
	CHECK(post_sync(&p, 3, 0, SYNC_ALL | SYNC_PULL, NULL, &res, &e) == 0);
	shell("cp -a h0 o/old && rm -f o/old/.ehr/state.db*");
	post_stage(&p, 0, 2000, 'a', &record);
	post_authorize(&p, 0, &record, &header);
	post_make(&p, 0, 1, &fork_text);
	scratch_write("fork", fork_text.p, fork_text.len);
	usleep(2000);
	post_block(&p, 0, NULL);
	post_stage(&p, 0, 700, 'b', &record);
	post_authorize(&p, 0, &record, &header);
	post_stage(&p, 0, 300, 'c', &record);
	post_stage(&p, 1, 900, 'd', &record);
	post_authorize(&p, 1, &record, &header);
	CHECK(post_sync(&p, 2, 0, SYNC_ALL | SYNC_PULL, NULL, &res, &e) == 0);
	put_away("h");
	buf_free(&fork_text);
}

/* Run the command; check what it leaves in dir, which reaches that height. */
static void
try(const char *how, const char *command, const char *dirs, const char *dir,
    bool succeeds, uint64_t height)
{
	struct waits before = { IDS_INIT, IDS_INIT };
	int64_t start_ms, took_ms;
	struct repo *r;
	long kib = 0;
	int status;
	uint64_t got;

	told = checks_failed;
	shell("rm -rf h? k? old; for d in %s; do cp -a o/$d $d || exit; done",
	    dirs);
	little_ok(repo_open(&r, dir, &e));
	look(&before.pending, &before.staged, r);
	repo_close(r);
	scratch_text("how", how);
	start_ms = clock_mono_ms();
	status = finish(start(command, -1), &kib);
	took_ms = clock_mono_ms() - start_ms;
	ended_well(status, kib, MOST_KIB, false);
	CHECK(!succeeds || status == 0);
	got = check_ledger(dir, &before);
	CHECK(got == height);
	if (checks_failed != told)
		printf("^ %s, with a peer that is %s: status %d, height %llu, "
		    "%lld ms\n", command, how, status,
		    (unsigned long long)got, (long long)took_ms);
	ids_free(&before.pending);
	ids_free(&before.staged);
}

/* Nothing more is there than what honest hospitals have. */
static void
check_same(void)
{
	struct ids a = IDS_INIT, b = a, c = a, d = a;
	struct repo *r;

	little_ok(repo_open(&r, "h1", &e));
	look(&a, &b, r);
	repo_close(r);
	little_ok(repo_open(&r, "h2", &e));
	look(&c, &d, r);
	repo_close(r);
	/* What waits at hospital-c has come; what waited here is there. */
	CHECK(a.n == 2 && b.n == 3 && a.n == c.n && b.n == d.n);
	ids_free(&a);
	ids_free(&b);
	ids_free(&c);
	ids_free(&d);
}

static int
lie(const char *dir)
{
	char how[32];
	FILE *f = fopen("how", "r");

	if (f == NULL || fscanf(f, "%31s", how) != 1)
		return 4;
	fclose(f);
	if (strcmp(how, "stale") == 0)
		return execlp("ehr-serve", "ehr-serve", "-C",
		    strcmp(dir, "h0") == 0 ? "old" : dir, (char *)NULL);
	return liar_run(how, dir);
}

int
main(int argc, char **argv)
{
	if (!find_commands())
		return 0;
	if (argc > 1)
		return lie(argv[2]);
	scratch_open();
	work_in_memory();
	prepare();
	for (size_t i = 0; i < NLIES; i++) {
		/* The honest peer's block and all that waits there comes, */
		try(lies[i], "exec ehr-sync -C h1", "h0 h1 h2 old", "h1", false,
		    2);
		check_same();
		/* and what one delegate does stops no block. */
		try(lies[i], "exec ehr-dbft -C k1 --once", "k0 k1 k2 k3",
		    "k1", true, 1);
	}
	post_close(&p);
	work_done();
	return check_done("liar");
}
