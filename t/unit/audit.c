/*
 * audit: a ledger is judged by its own bytes, nothing in the directory can
 * stop that or hide from it, and nothing is changed.
 */
#define _GNU_SOURCE
#include "post.h"

#include "log/audit.h"

static struct err e;
static struct post p;

static struct audit a;
static char last[1024];		/* "WHERE: WHAT" of the last finding */

static int
finding(void *arg, const struct audit_finding *f, struct err *err)
{
	(void)arg, (void)err;
	snprintf(last, sizeof(last), "%s: %s", f->where, f->what);
	return 0;
}

/* How many findings h0 has; a has the counts. */
static unsigned
findings(void)
{
	unsigned n = 0;

	memset(&a, 0, sizeof(a));
	last[0] = '\0';
	CHECK(repo_open(&a.repo, "h0", &e) == 0);
	a.finding = finding;
	CHECK(audit_run(&a, &e) == 0);
	for (int i = 0; i < AUDIT_CLASSES; i++)
		n += (unsigned)(a.count[i].failed + a.count[i].absent);
	CHECK(audit_clean(&a) == (n == 0));
	audit_close(&a);
	repo_close(a.repo);
	return n;
}

/* One finding, of these words. */
static bool
only(const char *words)
{
	unsigned n = findings();

	if (n == 1 && strstr(last, words) != NULL)
		return true;
	printf("%u findings, the last: %s\n", n, last);
	return false;
}

static void
nothing_changed(void)
{
	int before = scratch_entries("h0/.ehr");

	CHECK(findings() == 0);
	CHECK(a.count[AUDIT_STATE].checked == 1);
	CHECK(a.head.height == 2);
	CHECK(scratch_entries("h0/.ehr") == before);
	/* It needs no state.db, and makes none. */
	CHECK(rename("h0/.ehr/state.db", "state") == 0);
	CHECK(findings() == 0 && a.count[AUDIT_STATE].checked == 0);
	CHECK(a.count[AUDIT_LOGS].checked > 0);
	CHECK(access("h0/.ehr/state.db", F_OK) != 0);
	CHECK(rename("state", "h0/.ehr/state.db") == 0);
}

/* A state of other blocks, although it knows fewer than there are. */
static void
another_state(void)
{
	struct repo *r;
	struct head h;
	struct db *db;

	CHECK(repo_open(&r, "h0", &e) == 0 && chain_head(&h, r, &e) == 0);
	CHECK(db_of(&db, r, &e) == 0);
	h.height = 1;
	CHECK(state_set_head(db, &h, &e) == 0);
	repo_close(r);
	CHECK(only("tells of blocks that are not there"));
	CHECK(a.count[AUDIT_STATE].failed == 1);
	CHECK(unlink("h0/.ehr/state.db") == 0);
}

/* Each of these once kept the audit from coming to its end. */
static void
obstacles(void)
{
	scratch_text("h0/.ehr/logs/9999-12-31_23", "");
	CHECK(only("9999-12-31_23: is not a log of this chain"));
	CHECK(unlink("h0/.ehr/logs/9999-12-31_23") == 0);
	scratch_text("h0/.ehr/objects/stray", "");
	CHECK(only("objects/stray: is not a folder"));
	CHECK(unlink("h0/.ehr/objects/stray") == 0);
	scratch_text("h0/.ehr/blocks/stray", "");
	CHECK(only("blocks/stray: is not a folder"));
	CHECK(unlink("h0/.ehr/blocks/stray") == 0);
	CHECK(mkfifo("h0/.ehr/blocks/000000/000000003.gz", 0600) == 0);
	CHECK(only("000000003.gz: the block is not there"));
	CHECK(unlink("h0/.ehr/blocks/000000/000000003.gz") == 0);
}

/* An object where the store would not find it is not there. */
static void
misplaced(const struct hash *header)
{
	char hex[HASH_HEX], from[256], to[256];

	hash_format(hex, header);
	snprintf(from, sizeof(from), "h0/.ehr/objects/%.2s/%s", hex, hex);
	snprintf(to, sizeof(to), "h0/.ehr/objects/%.3s", hex);
	CHECK(mkdir(to, 0700) == 0);
	snprintf(to, sizeof(to), "h0/.ehr/objects/%.3s/%s", hex, hex);
	CHECK(rename(from, to) == 0);
	CHECK(findings() == 2 && a.count[AUDIT_OBJECTS].absent == 1);
	CHECK(rename(to, from) == 0);
	snprintf(to, sizeof(to), "h0/.ehr/objects/%.3s", hex);
	CHECK(rmdir(to) == 0);
}

/* What waits, with a signature that is another's; or alone. */
static void
waiting(void)
{
	struct buf text = BUF_INIT(TX_MAX), note = BUF_INIT(TX_MAX);
	struct tx tx = { .kind = TX_VOTE, .time_ms = clock_now_ms() };
	char name[SEGMENT_NAME_LEN], path[128];
	struct segment_writer *w;
	struct identity false_key;

	people_node(&false_key, "hospital-a", "another key");
	tx.author = span_str("hospital-a");
	tx.reader[tx.nreaders++] = span_str("hospital-b");
	tx_text(&text, &tx, repo_ledger(p.f.r[0]));
	CHECK(identity_sign(&note, buf_span(&text), &false_key, &e) == 0);
	CHECK(segment_open(&w, p.f.r[0]->dirfd, "pending", "pending",
	    &e) == 0);
	CHECK(segment_add(w, buf_span(&note), NULL, NULL, &e) == 0);
	CHECK(segment_commit(w, name, &e) == 0);
	CHECK(only("signature of hospital-a does not verify"));
	snprintf(path, sizeof(path), "h0/.ehr/pending/%s", name);
	CHECK(unlink(path) == 0);
	identity_wipe(&false_key);
	buf_free(&text);
	buf_free(&note);
}

static void
half_a_staged_record(void)
{
	struct buf manifest = BUF_INIT(STAGED_MAX), header = BUF_INIT(1 << 20);
	char name[SEGMENT_NAME_LEN], path[128];
	struct segment_writer *w;
	struct hash record;

	post_stage(&p, 0, 10, 2, &record);
	CHECK(findings() == 0 && a.count[AUDIT_STAGED].checked == 2);
	CHECK(staging_find(&manifest, &header, p.f.r[0], &record, &e) == 0);
	CHECK(segment_open(&w, p.f.r[0]->dirfd, "staging", "staging",
	    &e) == 0);
	CHECK(segment_add(w, buf_span(&manifest), NULL, NULL, &e) == 0);
	CHECK(segment_commit(w, name, &e) == 0);
	CHECK(only("a manifest without its header"));
	snprintf(path, sizeof(path), "h0/.ehr/staging/%s", name);
	CHECK(unlink(path) == 0);
	buf_free(&manifest);
	buf_free(&header);
}

int
main(void)
{
	struct hash record, header;

	alarm(60);		/* a FIFO, or a walk through all hours */
	scratch_open();
	post_open(&p);
	post_block(&p, 0, NULL);
	post_stage(&p, 0, 10, 1, &record);
	post_authorize(&p, 0, &record, &header);
	post_block(&p, 0, NULL);
	CHECK(hourly_roll(p.f.r[0], NULL, &e) == 0);
	/* So that no process has state.db open. */
	repo_close(p.f.r[0]);
	nothing_changed();
	another_state();
	CHECK(repo_open(&p.f.r[0], "h0", &e) == 0);
	obstacles();
	misplaced(&header);
	waiting();
	half_a_staged_record();
	post_close(&p);
	scratch_close();
	return check_done("audit");
}
