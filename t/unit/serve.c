/* serve: what each caller may do, and how little a bad one can. */
#define _GNU_SOURCE
#include "caller.h"

#include "store/watch.h"

/* --- who is let in -------------------------------------------------------- */

static void
versions(void)
{
	struct proto_version v;
	struct caller c;

	dial(&c, 0, NULL);
	our_version(&v, "");
	v.ledger.b[0] ^= 1;
	CHECK(!greet(&c, &v) && said(&c, "no ledger "));
	CHECK(hang_up(&c) == -1 && c.v.e.kind == ERR_NO);

	dial(&c, 0, NULL);
	our_version(&v, "");
	v.time_ms += p.f.r[0]->genesis->settings.skew_ms + 5000;
	CHECK(!greet(&c, &v) && said(&c, "no the clocks are "));
	CHECK(hang_up(&c) == -1 && c.v.e.kind == ERR_NO);
	dial(&c, 0, NULL);
	v.time_ms -= 2 * (int64_t)p.f.r[0]->genesis->settings.skew_ms + 10000;
	CHECK(!greet(&c, &v) && said(&c, "no the clocks are "));
	CHECK(hang_up(&c) == -1);

	dial(&c, 0, NULL);
	CHECK(ask(&c, "version 2 whatever comes then", nothing));
	CHECK(said(&c, "no protocol version 2 meets version 1"));
	CHECK(hang_up(&c) == -1 && c.v.e.kind == ERR_NO);

	/* A clone knows no ledger yet. */
	dial(&c, 0, NULL);
	our_version(&v, "");
	v.has_ledger = v.has_head = false;
	CHECK(greet(&c, &v) && c.them.has_ledger && c.them.has_head);
	CHECK(hash_eq(&c.them.ledger, repo_ledger(p.f.r[0])));
	CHECK(c.them.height == 1);
	CHECK(ask(&c, "verack", nothing) && said(&c, "ok chain"));
	CHECK(hang_up(&c) == 0);

	/* Who says nothing is told what this is. */
	dial(&c, 0, NULL);
	shutdown(c.pkt.out, SHUT_WR);
	CHECK(hear(&c) && said(&c, "no nobody spoke"));
	CHECK(hang_up(&c) == -1 && c.v.e.kind == ERR_NO);
}

/* The server proves itself in turn, for whom it knows us to be. */
static void
welcome(void)
{
	struct caller c;

	enter(&c, NULL, 1);
	CHECK(said(&c, "ok node"));
	CHECK(hello_proves(p.f.r[1], buf_span(&c.answer), HELLO_CALLED,
	    "hospital-a", "hospital-b", (const unsigned char *)
	    "\7\7\7\7\7\7\7\7\7\7\7\7\7\7\7\7", &e) == 1);
	/* It is no proof of anybody to a third one. */
	CHECK(hello_proves(p.f.r[1], buf_span(&c.answer), HELLO_CALLER,
	    "hospital-a", "hospital-b", (const unsigned char *)
	    "\7\7\7\7\7\7\7\7\7\7\7\7\7\7\7\7", &e) == -1);
	CHECK(hello_proves(p.f.r[1], buf_span(&c.answer), HELLO_CALLED,
	    "hospital-a", "hospital-c", (const unsigned char *)
	    "\7\7\7\7\7\7\7\7\7\7\7\7\7\7\7\7", &e) == -1);
	CHECK(hello_proves(p.f.r[1], buf_span(&c.answer), HELLO_CALLED,
	    "hospital-a", "hospital-b", (const unsigned char *)
	    "\7\7\7\7\7\7\7\7\7\7\7\7\7\7\7\6", &e) == -1);
	CHECK(hang_up(&c) == 0);
}

/* Present this proof as hospital-b; does it get in as a node? */
static bool
gets_in(const char *kind, const struct identity *key, const char *peer,
    bool right_nonce)
{
	struct buf note = BUF_INIT(PROTO_HELLO_MAX);
	unsigned char old[PROTO_NONCE] = { 0 };
	struct proto_version v;
	struct caller c;
	bool in;

	dial(&c, 0, NULL);
	our_version(&v, "hospital-b");
	CHECK(greet(&c, &v));
	prove(&note, kind, key, peer, right_nonce ? c.them.nonce : old);
	in = ask(&c, "verack", buf_span(&note)) &&
	    span_is(buf_span(&c.status), "ok node");
	/* Who fails is told so, and it is over. */
	CHECK(in || (said(&c, "no ") && !ask(&c, "head", nothing)));
	CHECK(hang_up(&c) == (in ? 0 : -1));
	buf_free(&note);
	return in;
}

static void
proofs(void)
{
	struct proto_version v;
	struct identity b;
	struct caller c;

	CHECK(gets_in(HELLO_CALLER, &p.f.node[1], "hospital-a", true));
	CHECK(!gets_in(HELLO_CALLER, &p.f.node[1], "hospital-a", false));
	CHECK(!gets_in(HELLO_CALLER, &p.f.node[1], "hospital-c", true));
	CHECK(!gets_in(HELLO_CALLER, &p.f.node[1], "-", true));
	CHECK(!gets_in(HELLO_CALLED, &p.f.node[1], "hospital-a", true));
	CHECK(!gets_in(HELLO_CALLER, &p.f.node[2], "hospital-a", true));
	people_node(&b, "hospital-b", "a thief");
	CHECK(!gets_in(HELLO_CALLER, &b, "hospital-a", true));
	identity_wipe(&b);

	/* A name without a proof is no name; nor is one that is unknown. */
	dial(&c, 0, NULL);
	our_version(&v, "hospital-b");
	CHECK(greet(&c, &v) && ask(&c, "verack", nothing));
	CHECK(said(&c, "ok chain"));
	CHECK(hang_up(&c) == 0);
	dial(&c, 0, NULL);
	our_version(&v, "hospital-x");
	CHECK(greet(&c, &v) && ask(&c, "verack", span_str("anything")));
	CHECK(said(&c, "ok chain"));
	CHECK(hang_up(&c) == 0);
}

/* --- what they may do ----------------------------------------------------- */

static const char *const for_all[] = { "head", "genesis", "headers 1 5",
    "blocks 1 5", "addr", "delegates 1", "keepalive" };
static const char *const for_nodes[] = { "pending 0", "staged 0",
    "wanted 0", "get-pending", "get-staged", "secret" };
static const char *const for_writers[] = { "put-block", "put-pending",
    "put-staged", "consensus" };

static int
agree_to_all(struct repo *r, struct span from, struct span line,
    struct span payload, struct buf *status, struct buf *answer,
    struct err *err)
{
	(void)r, (void)err;
	buf_addf(status, "ok %.*s %.*s", SPAN_FMT(from), SPAN_FMT(line));
	buf_add(answer, payload.p, payload.n);
	return 0;
}

static void
may(struct caller *c, const char *const *request, size_t n, bool yes)
{
	for (size_t i = 0; i < n; i++) {
		CHECK(ask(c, request[i], nothing));
		/* What is wrong with an empty put is another matter. */
		if (yes)
			CHECK(!span_starts(buf_span(&c->status), "no \""));
		else
			CHECK(said(c, "no \""));
	}
}
#define MAY(c, list, yes) may(c, list, sizeof(list) / sizeof(list[0]), yes)

static void
access_of(int who, const struct serve_options *o, const char *name,
    bool objects, bool reads, bool writes)
{
	struct caller c;

	enter(&c, o, who);
	CHECK(said(&c, name));
	MAY(&c, for_all, true);
	CHECK(ask(&c, "objects", nothing));
	CHECK(said(&c, objects ? "ok" : "no \"objects\""));
	CHECK(ask(&c, "rest 0", span_of(repo_ledger(p.f.r[0])->b, HASH_LEN)));
	CHECK(said(&c, objects ? "ok" : "no \"rest\""));
	MAY(&c, for_nodes, reads);
	MAY(&c, for_writers, writes);
	CHECK(ask(&c, "put-objects", nothing));
	CHECK(said(&c, writes ? "ok" : "no \"put-objects\""));
	if (writes) {
		CHECK(ask(&c, "bye", nothing) && said(&c, "ok"));
		CHECK(hang_up(&c) == 0);
	} else
		hang_up(&c);
}

/* The object of that id, from an offset on: its size, -1 absent, -2 refused;
 * what came of it is right. */
static long
rest_of(struct caller *c, const struct hash *id, unsigned long long at,
    struct span whole)
{
	struct proto_object o;
	struct buf line = BUF_INIT(PROTO_LINE_MAX);
	struct buf part = BUF_INIT(8u << 20);
	long size = -2;

	CHECK(pkt_line(&c->pkt, &e, "rest %llu", at) == 0 &&
	    pkt_write(&c->pkt, span_of(id->b, HASH_LEN), &e) == 0 &&
	    pkt_flush(&c->pkt, &e) == 0);
	CHECK(pkt_read_line(&c->pkt, &line, &e) == 0);
	if (span_is(buf_span(&line), "ok") &&
	    pkt_read_line(&c->pkt, &line, &e) == 0 &&
	    proto_object_parse(&o, NULL, buf_span(&line), &e) == 0)
		size = o.absent ? -1 : (long)o.size;
	CHECK(pkt_read_all(&c->pkt, &part, &e) == 0);
	CHECK(size < 0 ? part.len == 0 : at <= whole.n &&
	    span_eq(buf_span(&part), span_of(whole.p + at, whole.n - at)));
	buf_free(&line);
	buf_free(&part);
	return size;
}

static void
rests(void)
{
	static unsigned char large[(1u << 20) + 70001];
	unsigned char two[2 * HASH_LEN] = "of which one is too many";
	struct span of[2] = { span_of(large, sizeof(large)),
	    span_str("a small object") };
	struct hash id, none;
	struct caller c;

	memset(large, 'r', sizeof(large));
	hash_bytes(&none, "nothing", 7);
	enter(&c, NULL, 1);
	for (int i = 0; i < 2; i++) {
		long n = (long)of[i].n;

		CHECK(object_put(p.f.r[0], of[i], &id, &e) == 0);
		for (long at = 0; at < 10; at++) {
			CHECK(rest_of(&c, &id, (uint64_t)at, of[i]) == n);
			CHECK(rest_of(&c, &id, (uint64_t)(n - at), of[i]) ==
			    n);
		}
		CHECK(rest_of(&c, &id, (uint64_t)n + 1, of[i]) == -1);
		CHECK(rest_of(&c, &id, OBJECT_MAX, of[i]) == -1);
		CHECK(rest_of(&c, &none, (uint64_t)n, of[i]) == -1);
		little_ok(object_erase(p.f.r[0], &id, &e));
		CHECK(rest_of(&c, &id, 1, of[i]) == -1);
	}
	/* One id, and whole. */
	CHECK(ask(&c, "rest 1", nothing) && said(&c, "no not the protocol"));
	CHECK(ask(&c, "rest 1", span_of(two, 31)) && said(&c, "no "));
	CHECK(ask(&c, "head", nothing) && said(&c, "ok"));
	CHECK(ask(&c, "rest 1", span_of(two, 64)) && said(&c, "no "));
	CHECK(hang_up(&c) == -1);
	enter(&c, NULL, 1);
	CHECK(ask(&c, "rest 1099511627777", span_of(two, 32)));
	CHECK(said(&c, "no malformed request"));
	CHECK(hang_up(&c) == -1);
}

static void
accesses(void)
{
	struct serve_options node = { .consensus = agree_to_all };
	struct serve_options reader = { .consensus = agree_to_all,
	    .read_only = true };
	struct caller c;

	access_of(-1, &node, "ok chain", false, false, false);
	access_of(1, &reader, "ok reader", true, true, false);
	access_of(1, &node, "ok node", true, true, true);
	CHECK(config_set(p.f.r[0]->dirfd, "serve.public", "true", &e) == 0);
	access_of(-1, &node, "ok public", true, false, false);
	CHECK(config_set(p.f.r[0]->dirfd, "serve.public", NULL, &e) == 0);

	enter(&c, &node, 1);
	CHECK(ask(&c, "consensus of opinion", span_str("payload")));
	CHECK(said(&c, "ok hospital-b consensus of opinion"));
	CHECK(span_is(buf_span(&c.answer), "payload"));
	CHECK(hang_up(&c) == 0);
	enter(&c, NULL, 1);
	CHECK(ask(&c, "consensus", nothing) && said(&c, "no no consensus"));
	CHECK(hang_up(&c) == 0);
	/* Each learns why: it is no node, or this is read-only. */
	enter(&c, &node, -1);
	CHECK(ask(&c, "put-block", nothing) &&
	    said(&c, "no \"put-block\" is only for nodes"));
	CHECK(hang_up(&c) == 0);
	enter(&c, &reader, 1);
	CHECK(ask(&c, "put-block", nothing) &&
	    said(&c, "no \"put-block\": this is a read-only"));
	CHECK(hang_up(&c) == 0);
}

static void
secret(void)
{
	struct buf text = BUF_INIT(100);
	struct hash s;
	struct caller c;
	char hex[HASH_HEX];

	CHECK(unlink("h0/.ehr/secret") == 0);
	enter(&c, NULL, 1);
	CHECK(ask(&c, "secret", nothing) && said(&c, "no this copy has no"));
	hash_random(&s, sizeof(s));
	CHECK(repo_secret_set(p.f.r[0], &s, &e) == 0);
	CHECK(ask(&c, "secret", nothing) && said(&c, "ok"));
	CHECK(age_open(&text, buf_span(&c.answer), p.f.node[1].seal, 1,
	    &e) == 0);
	hash_format(hex, &s);
	CHECK(text.len == 65 && memcmp(text.p, hex, 64) == 0 &&
	    text.p[64] == '\n');
	buf_reset(&text);
	CHECK(age_open(&text, buf_span(&c.answer), p.f.node[2].seal, 1,
	    &e) != 0);
	CHECK(hang_up(&c) == 0);
	buf_free(&text);
}

/* Raw bytes after the greeting; the server ends within so long. */
static void
raw(const char *bytes, int most_ms, enum err_kind kind)
{
	struct serve_options o = { .timeout_ms = 300, .idle_ms = 600 };
	int64_t start = clock_mono_ms();
	struct caller c;

	enter(&c, &o, 1);
	CHECK(write(c.pkt.out, bytes, strlen(bytes)) ==
	    (ssize_t)strlen(bytes));
	while (hear(&c))
		;
	CHECK(post_served(&c.v) == -1 && c.v.e.kind == kind);
	if (c.v.e.kind != kind)
		printf("after %s: %s\n", bytes, c.v.e.msg);
	CHECK(clock_mono_ms() - start < most_ms);
	close(c.pkt.in);
	pkt_free(&c.pkt);
	buf_free(&c.status);
	buf_free(&c.answer);
}

static void
garbage(void)
{
	raw("GET / HTTP/1.1\r\n\r\n", 5000, ERR_BAD);
	raw("0000", 5000, ERR_BAD);
	raw("0004", 5000, ERR_BAD);
	raw("0001", 5000, ERR_BAD);
	raw("fff1", 5000, ERR_BAD);
	raw("000Ahead\n0000", 5000, ERR_BAD);
	raw("0008head", 5000, ERR_BAD);
	raw("000ahe\tad\n", 5000, ERR_BAD);
	/* It falls silent: in a packet, in a message, between two. */
	raw("00ff", 3000, ERR_AGAIN);
	raw("0009head\n", 3000, ERR_AGAIN);
	raw("", 3000, ERR_AGAIN);
}

/* Byte after byte, each in time, and never an end. */
static void
drip(void)
{
	struct serve_options o = { .timeout_ms = 400, .idle_ms = 10000 };
	int64_t start = clock_mono_ms();
	struct caller c;
	int n = 0;

	enter(&c, &o, 1);
	CHECK(write(c.pkt.out, "0010put-pending\n", 16) == 16);
	while (n < 100 && write(c.pkt.out, "0005x", 5) == 5) {
		usleep(50000);
		n++;
	}
	CHECK(n < 30 && clock_mono_ms() - start < 3000);
	CHECK(hang_up(&c) == -1 && c.v.e.kind == ERR_AGAIN);
}

/* More than a request may have: it ends, and not with all of it in memory. */
static void
flood(void)
{
	unsigned char *much = calloc(1, 1u << 20);
	int64_t sent = 0;
	struct caller c;

	enter(&c, NULL, 1);
	CHECK(pkt_line(&c.pkt, &e, "put-pending") == 0);
	while (sent < 64 && pkt_write(&c.pkt, span_of(much, 1u << 20),
	    &e) == 0)
		sent++;
	CHECK(sent >= 15 && sent < 20);
	CHECK(hear(&c) ? said(&c, "no ") : true);
	CHECK(hang_up(&c) == -1 && c.v.e.kind == ERR_BAD);
	free(much);
}

/* Not wanted for the votes that it is for, and never called here. */
static int
no_votes(struct repo *r, struct span from, struct span line, struct span body,
    struct buf *status, struct buf *answer, struct err *err)
{
	(void)r, (void)from, (void)line, (void)body, (void)status;
	(void)answer;
	return err_set(err, ERR_NO, "not asked for");
}

/* A node that may vote here, and nobody else, is told of by its call. */
static void
rings(void)
{
	struct serve_options votes = { .consensus = no_votes },
	    reads = { .consensus = no_votes, .read_only = true };
	const struct {
		const struct serve_options *o;
		int who, rung;
	} call[] = {
		{ &votes, 1, WATCH_CALLED }, { &votes, -1, 0 },
		{ &reads, 1, 0 }, { NULL, 1, 0 }
	};
	int fd = watch_open(p.f.r[0], &e);
	struct caller c;

	CHECK(fd >= 0);
	for (size_t i = 0; i < sizeof(call) / sizeof(*call); i++) {
		enter(&c, call[i].o, call[i].who);
		CHECK(hang_up(&c) == 0);
		CHECK(watch_take(fd) == call[i].rung);
	}
	close(fd);
}

int
main(void)
{
	scratch_open();
	post_open(&p);
	post_block(&p, 0, NULL);
	{
		struct sync_result res = { .wanted = 0 };

		CHECK(post_sync(&p, 1, 0, SYNC_ALL | SYNC_PULL, NULL, &res,
		    &e) == 0);
	}
	versions();
	welcome();
	proofs();
	accesses();
	rests();
	secret();
	rings();
	garbage();
	drip();
	flood();
	post_close(&p);
	scratch_close();
	return check_done("serve");
}
