/*
 * log: the hourly logs of a ledger whose blocks lie in chosen hours.  Their
 * bytes are put together here by the words of ehr-log(5), and their roots by
 * those of RFC 6962.
 */
#include "past.h"

#include "log/hourly.h"
#include "net/proto.h"

#define EMPTY "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
#define HOUR(h) PAST_HOUR(h)

static struct past p;

/* Ruth enrols somebody as a patient, at that time; the id of it. */
static void
enrol(struct hash *id, struct buf *body, const struct identity *who,
    int64_t ms)
{
	past_enrol(&p, id, body, who, "patient", ms);
}

/* --- what the logs must be ------------------------------------------------ */

static void
add_head(struct buf *out, const char *hour, const char *previous)
{
	char id[HASH_HEX];

	hash_format(id, &p.l.id);
	buf_addf(out, "ehr.v1 log %s\nhour %s\nprevious %s\n", id, hour,
	    previous);
}

static void
add_line(struct buf *out, const struct identity *user, const char *time,
    const struct hash *tx)
{
	char id[HASH_HEX];

	hash_format(id, tx);
	buf_addf(out, "%s %s %s %s enroll patient\n", user->name, p.l.ruth.name,
	    time, id);
}

/* SHA-256 of a byte and one or two hashes. */
static void
node(struct hash *out, unsigned char tag, const struct hash *a,
    const struct hash *b)
{
	struct span part[3] = { span_of(&tag, 1), span_of(a->b, HASH_LEN),
	    span_of(b == NULL ? NULL : b->b, b == NULL ? 0 : HASH_LEN) };

	hash_spans(out, part, 3);
}

static bool
is_log(const char *hour, const struct buf *want)
{
	char path[64];

	snprintf(path, sizeof(path), ".ehr/logs/%s", hour);
	return scratch_holds(path, buf_span(want));
}

/* --- checks --------------------------------------------------------------- */

struct found {
	int n;
	char path[64], why[128];
};

static int
bad(void *arg, const char *path, const char *why, struct err *e)
{
	struct found *f = arg;

	(void)e;
	f->n++;
	snprintf(f->path, sizeof(f->path), "%s", path);
	snprintf(f->why, sizeof(f->why), "%s", why);
	return 0;
}

/* What the check says: how many findings, the last one in *f. */
static int
check(struct found *f, uint64_t hours)
{
	uint64_t checked;
	struct head head;
	struct db *db;
	struct err e;

	memset(f, 0, sizeof(*f));
	CHECK(chain_head(&head, p.r[0], &e) == 0);
	CHECK(db_of(&db, p.r[0], &e) == 0);
	CHECK(hourly_check(p.r[0], db, &head, &checked, bad, f, &e) == 0);
	CHECK(checked == hours);
	return f->n;
}

static const char *const name[] = { "2026-03-02_08", "2026-03-02_09",
    "2026-03-02_10", "2026-03-02_11" };

/* What a peer is told of the hours 1 to 4: 1 to 3 have logs, 2 is empty. */
static void
answered(int64_t hour_ms, const struct hash *first, const struct hash *third)
{
	struct buf answer = BUF_INIT(4096);
	struct proto_root root[3];
	struct span line;
	struct text t;
	struct err e;

	CHECK(hourly_roots(p.r[0], hour_ms, 4, &answer, &e) == 0);
	text_init(&t, buf_span(&answer), "roots");
	for (int i = 0; i < 3; i++) {
		CHECK(text_line(&t, &line, &e) == 0 &&
		    proto_root_parse(&root[i], line, &e) == 0);
		CHECK(root[i].hour_ms == hour_ms + i * STAMP_HOUR_MS);
	}
	CHECK(text_end(&t));
	CHECK(root[0].size == 1 && hash_eq(&root[0].root, first));
	CHECK(root[1].size == 0);
	CHECK(root[2].size == 2 && hash_eq(&root[2].root, third));
	buf_free(&answer);
}

/* Four hours: nothing, one, nothing, two; the last is open. */
static void
logs(void)
{
	struct buf body = BUF_INIT(1u << 20), want[4];
	struct hash tx[4], leaf[4], root;
	char hex[HASH_HEX];
	struct found f;
	uint64_t size;
	size_t written;
	struct err e;

	/* What was never rolled is not missing. */
	CHECK(check(&f, 0) == 0);
	enrol(&tx[0], &body, &p.l.bill, HOUR(1) + 5);
	past_block(&p, &body, HOUR(1) + 30000);
	buf_reset(&body);
	enrol(&tx[1], &body, &p.l.anne, HOUR(3));
	enrol(&tx[2], &body, &p.l.kun, HOUR(3) + 1);
	past_block(&p, &body, HOUR(3) + 600000);
	for (int i = 0; i < 4; i++)
		buf_init(&want[i], 4096);
	for (int i = 0; i < 3; i++)
		node(&leaf[i], 0, &tx[i], NULL);
	add_head(&want[0], name[0], EMPTY);
	add_head(&want[1], name[1], EMPTY);
	add_line(&want[1], &p.l.bill, "2026-03-02T09:00:00.005Z", &tx[0]);
	hash_format(hex, &leaf[0]);
	add_head(&want[2], name[2], hex);
	add_head(&want[3], name[3], EMPTY);
	add_line(&want[3], &p.l.anne, "2026-03-02T11:00:00.000Z", &tx[1]);
	add_line(&want[3], &p.l.kun, "2026-03-02T11:00:00.001Z", &tx[2]);
	CHECK(hourly_roll(p.r[0], &written, &e) == 0 && written == 4);
	for (int i = 0; i < 4; i++)
		CHECK(is_log(name[i], &want[i]));
	CHECK(scratch_entries(".ehr/logs") == 4);
	CHECK(check(&f, 4) == 0);

	CHECK(hourly_root(&root, &size, p.r[0], HOUR(1), &e) == 0);
	CHECK(size == 1 && hash_eq(&root, &leaf[0]));
	CHECK(hourly_root(&root, &size, p.r[0], HOUR(3), &e) == 0);
	node(&leaf[3], 1, &leaf[1], &leaf[2]);
	CHECK(size == 2 && hash_eq(&root, &leaf[3]));
	CHECK(hourly_root(&root, &size, p.r[0], HOUR(4), &e) == -1 &&
	    e.kind == ERR_NO);
	answered(HOUR(1), &leaf[0], &leaf[3]);

	/* Twice is once; a new block makes the open log grow, no other. */
	CHECK(hourly_roll(p.r[0], &written, &e) == 0 && written == 0);
	buf_reset(&body);
	enrol(&tx[3], &body, &p.l.other, HOUR(3));
	past_block(&p, &body, HOUR(4) - 1);
	CHECK(check(&f, 4) == 0);	/* it may have been open: no finding */
	CHECK(hourly_roll(p.r[0], &written, &e) == 0 && written == 1);
	add_line(&want[3], &p.l.other, "2026-03-02T11:00:00.000Z", &tx[3]);
	for (int i = 0; i < 4; i++)
		CHECK(is_log(name[i], &want[i]));

	/* From nothing, and without the state, the same bytes. */
	scratch_remove(".ehr/logs");
	CHECK(mkdir(".ehr/logs", 0700) == 0);
	CHECK(hourly_roll(p.r[0], &written, &e) == 0 && written == 4);
	for (int i = 0; i < 4; i++) {
		CHECK(is_log(name[i], &want[i]));
		buf_free(&want[i]);
	}
	buf_free(&body);
}

/* Every bit of every log counts. */
static void
alterations(void)
{
	struct found f;
	char path[64];

	for (int i = 0; i < 4; i++) {
		struct stat st;

		snprintf(path, sizeof(path), ".ehr/logs/%s", name[i]);
		CHECK(stat(path, &st) == 0);
		for (long at = 0; at < st.st_size; at += 7) {
			scratch_flip(path, at, (int)(at % 8));
			CHECK(check(&f, 4) == 1);
			CHECK_STR(f.path, path + 5);
			scratch_flip(path, at, (int)(at % 8));
		}
		CHECK(check(&f, 4) == 0);
	}
}

/* Logs that are cut, gone, another's, or too many. */
static void
damage(void)
{
	struct buf keep = BUF_INIT(1u << 20);
	struct found f;
	struct err e;

	CHECK(fs_read(&keep, AT_FDCWD, ".ehr/logs/2026-03-02_09", &e) == 0);
	scratch_write(".ehr/logs/2026-03-02_09", keep.p, keep.len - 1);
	CHECK(check(&f, 4) == 1);
	CHECK(unlink(".ehr/logs/2026-03-02_09") == 0);
	CHECK(check(&f, 4) == 1);
	CHECK_STR(f.why, "is missing");
	scratch_write(".ehr/logs/2026-03-02_09", keep.p, keep.len);
	CHECK(check(&f, 4) == 0);

	/* The newest may be cut at a line, as if its hour were open still. */
	buf_reset(&keep);
	CHECK(fs_read(&keep, AT_FDCWD, ".ehr/logs/2026-03-02_11", &e) == 0);
	for (size_t n = 0; n < keep.len; n++) {
		bool line = n > 0 && keep.p[n - 1] == '\n';

		scratch_write(".ehr/logs/2026-03-02_11", keep.p, n);
		CHECK(check(&f, 4) == !line);
	}
	scratch_write(".ehr/logs/2026-03-02_11", keep.p, keep.len);

	scratch_write(".ehr/logs/2026-03-02_07", keep.p, keep.len);
	CHECK(check(&f, 4) == 1);
	CHECK_STR(f.path, "logs/2026-03-02_07");
	CHECK(unlink(".ehr/logs/2026-03-02_07") == 0);
	scratch_text(".ehr/logs/notes", "");
	CHECK(check(&f, 4) == 1);
	CHECK(unlink(".ehr/logs/notes") == 0);
	/* A log of an hour that no block has reached. */
	scratch_write(".ehr/logs/2026-03-02_12", keep.p, keep.len);
	CHECK(check(&f, 4) == 1);
	CHECK_STR(f.path, "logs/2026-03-02_12");
	CHECK(unlink(".ehr/logs/2026-03-02_12") == 0);
	CHECK(check(&f, 4) == 0);
	buf_free(&keep);
}

/* --- the text alone ------------------------------------------------------- */

#define LINE "- hospital-a 2026-03-02T09:00:00.000Z " EMPTY " vote\n"
#define HANDLE "u0123456789abcdef"

/* Parse head and lines; how many leaves, or -1 when malformed. */
static int
parse(const char *rest)
{
	struct buf text = BUF_INIT(65536);
	struct hourtext_head h;
	struct merkle tree;
	char id[HASH_HEX];
	struct err e;
	int ret;

	hash_format(id, &p.l.id);
	buf_addf(&text, "ehr.v1 log %s\n%s", id, rest);
	ret = hourtext_parse(&h, &tree, buf_span(&text), &p.l.id, &e);
	CHECK(ret == 0 || e.kind == ERR_BAD);
	buf_free(&text);
	return ret == 0 ? (int)tree.size : -1;
}

static void
texts(void)
{
	static const char *const no[] = {
		"",
		"hour 2026-03-02_09\n",
		"previous " EMPTY "\nhour 2026-03-02_09\n",
		"hour 2026-03-02_9\nprevious " EMPTY "\n",
		"hour 2026-03-02_24\nprevious " EMPTY "\n",
		"hour 2026-02-30_09\nprevious " EMPTY "\n",
		"hour 2026-03-02_09\r\nprevious " EMPTY "\n",
		"hour 2026-03-02_09\nprevious abc\n",
		"hour 2026-03-02_09\nprevious " EMPTY,
	};
	static const char *const bad_line[] = {
		"\n",
		"x\n",
		"- hospital-a 2026-03-02T09:00:00.000Z " EMPTY "\n",
		"- hospital-a 2026-03-02T09:00:00.000Z " EMPTY " \n",
		"- hospital-a 2026-03-02T09:00:00Z " EMPTY " vote\n",
		"- hospital-a 2026-03-02T09:00:00.000Z e3b0 vote\n",
		"-- hospital-a 2026-03-02T09:00:00.000Z " EMPTY " vote\n",
		"- - 2026-03-02T09:00:00.000Z " EMPTY " vote\n",
		" - hospital-a 2026-03-02T09:00:00.000Z " EMPTY " vote\n",
		"-  hospital-a 2026-03-02T09:00:00.000Z " EMPTY " vote\n",
		"- Hospital 2026-03-02T09:00:00.000Z " EMPTY " vote\n",
		"- hospital-a 2026-03-02T09:00:00.000Z " EMPTY " vote",
		"- hospital-a\t2026-03-02T09:00:00.000Z " EMPTY " vote\n",
	};
	char text[1024];

	CHECK(parse("hour 2026-03-02_09\nprevious " EMPTY "\n") == 0);
	CHECK(parse("hour 2026-03-02_09\nprevious " EMPTY "\n" LINE) == 1);
	CHECK(parse("hour 2026-03-02_09\nprevious " EMPTY "\n" LINE LINE) == 2);
	CHECK(parse("hour 2026-03-02_09\nprevious " EMPTY "\n" HANDLE " "
	    HANDLE " 2026-03-02T09:00:00.000Z " EMPTY " erase x y\n") == 1);
	for (size_t i = 0; i < sizeof(no) / sizeof(no[0]); i++)
		CHECK(parse(no[i]) == -1);
	for (size_t i = 0; i < sizeof(bad_line) / sizeof(bad_line[0]); i++) {
		snprintf(text, sizeof(text), "hour 2026-03-02_09\n"
		    "previous " EMPTY "\n" LINE "%s", bad_line[i]);
		if (parse(text) != -1)
			CHECK_STR(bad_line[i], "refused");
		if (strchr(bad_line[i], '\n') == NULL)
			continue;
		snprintf(text, sizeof(text), "hour 2026-03-02_09\n"
		    "previous " EMPTY "\n%s" LINE, bad_line[i]);
		CHECK(parse(text) == -1);
	}
}

/* What each kind of transaction is called. */
static void
words(void)
{
	static const char *const want[TX_KINDS] = {
		[TX_ENROLL] = "enroll doctor",
		[TX_REKEY] = "rekey",
		[TX_ROLE_DEFINE] = "role-define doctor",
		[TX_ROLE_GRANT] = "role-grant doctor",
		[TX_ROLE_REVOKE] = "role-revoke doctor",
		[TX_ROLE_KEY] = "role-key doctor",
		[TX_NODE_ADMIT] = "node-admit hospital-e",
		[TX_NODE_REMOVE] = "node-remove hospital-e",
		[TX_VOTE] = "vote",
		[TX_AUTHORIZE] = "authorize laboratory",
		[TX_REJECT] = "reject",
		[TX_GRANT] = "grant",
		[TX_WITHDRAW] = "withdraw",
		[TX_ACCESS] = "access",
		[TX_ERASE] = "erase patient-request",
	};

	for (int k = 0; k < TX_KINDS; k++) {
		struct buf note = BUF_INIT(TX_MAX), line = BUF_INIT(1024);
		char expect[256], id[HASH_HEX], time[STAMP_LEN + 1];
		struct err e;
		struct tx tx;

		little_note(&note, &p.l, (enum tx_kind)k);
		CHECK(tx_parse(&tx, buf_span(&note), &p.l.id, &e) == 0);
		hourtext_add_line(&line, &tx, k % 2 == 0 ? span_str("") :
		    span_str(HANDLE));
		hash_format(id, &tx.id);
		stamp_format(time, tx.time_ms);
		snprintf(expect, sizeof(expect), "%s %.*s %s %s %s\n",
		    k % 2 == 0 ? "-" : HANDLE, SPAN_FMT(tx.author), time, id,
		    want[k]);
		buf_addc(&line, '\0');
		CHECK_STR((const char *)line.p, expect);
		tx_free(&tx);
		buf_free(&note);
		buf_free(&line);
	}
}

int
main(void)
{
	scratch_open();
	past_open(&p);
	past_add(&p, ".", 0);
	logs();
	alterations();
	damage();
	texts();
	words();
	past_close(&p);
	scratch_close();
	return check_done("log");
}
