/* serve: what each caller may do, and how little a bad one can. */
#define _GNU_SOURCE
#include "post.h"

#include "base/gz.h"
#include "crypto/age.h"
#include "net/ids.h"
#include "net/pkt.h"

static struct err e;
static struct post p;

/* --- a caller that speaks raw packets ------------------------------------- */

struct caller {
	struct post_server v;
	struct pkt pkt;
	struct buf status;		/* of the last answer, whole line */
	struct buf answer;
	struct proto_version them;
	char node[NAME_MAX_LEN + 1];
};

static void
dial(struct caller *c, unsigned i, const struct serve_options *o)
{
	int fd;

	memset(c, 0, sizeof(*c));
	fd = post_serve(&c->v, i, o);
	pkt_init(&c->pkt, fd, fd, 5000);
	buf_init(&c->status, PROTO_LINE_MAX);
	buf_init(&c->answer, PROTO_BODY_MAX);
}

/* Hang up: what serve_run returned; c->v.e says why. */
static int
hang_up(struct caller *c)
{
	int ret;

	shutdown(c->pkt.in, SHUT_WR);
	ret = post_served(&c->v);
	close(c->pkt.in);
	pkt_free(&c->pkt);
	buf_free(&c->status);
	buf_free(&c->answer);
	return ret;
}

/* The first line of the next answer, and its payload; false: it hung up. */
static bool
hear(struct caller *c)
{
	buf_reset(&c->answer);
	if (pkt_read_line(&c->pkt, &c->status, &e) != 0) {
		buf_reset(&c->status);
		return false;
	}
	return pkt_read_all(&c->pkt, &c->answer, &e) == 0;
}

static bool
ask(struct caller *c, const char *request, struct span body)
{
	return pkt_line(&c->pkt, &e, "%s", request) == 0 &&
	    pkt_write(&c->pkt, body, &e) == 0 &&
	    pkt_flush(&c->pkt, &e) == 0 && hear(c);
}

static const struct span nothing = { NULL, 0 };

/* Does the last answer begin so? */
static bool
said(const struct caller *c, const char *start)
{
	if (span_starts(buf_span(&c->status), start))
		return true;
	printf("it said: %.*s\n", (int)c->status.len,
	    c->status.p == NULL ? "" : (const char *)c->status.p);
	return false;
}

static void
our_version(struct proto_version *v, const char *node)
{
	memset(v, 0, sizeof(*v));
	v->version = 1;
	v->has_ledger = v->has_head = true;
	v->ledger = v->head = *repo_ledger(p.f.r[0]);
	v->time_ms = clock_now_ms();
	v->node = span_str(node);
	memset(v->nonce, 7, sizeof(v->nonce));
}

/* Say VERSION; false when it was refused. */
static bool
greet(struct caller *c, const struct proto_version *v)
{
	struct buf line = BUF_INIT(PROTO_LINE_MAX);
	bool yes;

	proto_version_format(&line, v);
	buf_addc(&line, '\0');
	yes = ask(c, (const char *)line.p, nothing) &&
	    proto_version_parse(&c->them, buf_span(&c->status), &e) == 0;
	if (yes)
		snprintf(c->node, sizeof(c->node), "%.*s",
		    SPAN_FMT(c->them.node));
	buf_free(&line);
	return yes;
}

/* A proof by key, as that node, for peer, over nonce. */
static void
prove(struct buf *note, const char *kind, const struct identity *key,
    const char *peer, const unsigned char *nonce)
{
	struct buf text = BUF_INIT(PROTO_HELLO_MAX);

	proto_hello_text(&text, kind, repo_ledger(p.f.r[0]), key->name, peer,
	    nonce);
	little_ok(identity_sign(note, buf_span(&text), key, &e));
	buf_free(&text);
}

/* A whole greeting as hospital i (-1: nobody), to hospital 0. */
static void
enter(struct caller *c, const struct serve_options *o, int i)
{
	struct buf note = BUF_INIT(PROTO_HELLO_MAX);
	struct proto_version v;

	dial(c, 0, o);
	our_version(&v, i < 0 ? "" : p.f.node[i].name);
	CHECK(greet(c, &v));
	CHECK_STR(c->node, "hospital-a");
	if (i >= 0)
		prove(&note, HELLO_CALLER, &p.f.node[i], "hospital-a",
		    c->them.nonce);
	CHECK(ask(c, "verack", buf_span(&note)));
	buf_free(&note);
}

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
    "blocks 1 5" };
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

static void
ranges(void)
{
	struct buf text = BUF_INIT(CHAIN_FILE_MAX);
	struct span rest, item;
	struct block b;
	struct caller c;

	enter(&c, NULL, -1);
	CHECK(ask(&c, "head", nothing) && said(&c, "ok 1 "));
	CHECK(ask(&c, "genesis", nothing) && span_eq(buf_span(&c.answer),
	    buf_span(&p.f.r[0]->genesis_file)));
	CHECK(ask(&c, "blocks 1 1000", nothing) && said(&c, "ok"));
	rest = buf_span(&c.answer);
	CHECK(proto_item_next(&rest, &item, CHAIN_FILE_MAX, &e) == 1);
	CHECK(rest.n == 0 && gz_unpack(&text, item, "block", &e) == 0);
	CHECK(block_parse(&b, buf_span(&text), true, repo_ledger(p.f.r[0]),
	    &e) == 0 && b.h.height == 1);
	CHECK(ask(&c, "headers 1 1", nothing) && said(&c, "ok"));
	rest = buf_span(&c.answer);
	CHECK(proto_item_next(&rest, &item, 65536, &e) == 1);
	CHECK(span_eq(item, b.header));
	CHECK(proto_item_next(&rest, &item, 65536, &e) == 1);
	CHECK(span_eq(item, b.certificate) && rest.n == 0);
	CHECK(ask(&c, "blocks 2 5", nothing) && said(&c, "ok"));
	CHECK(c.answer.len == 0);
	CHECK(hang_up(&c) == 0);
	buf_free(&text);
}

/* --- what is brought ------------------------------------------------------ */

/* "object ID SIZE" and its bytes, as one put. */
static bool
put_object(struct caller *c, const struct hash *id, uint64_t size,
    struct span bytes)
{
	char hex[HASH_HEX];

	hash_format(hex, id);
	return pkt_line(&c->pkt, &e, "put-objects") == 0 &&
	    pkt_line(&c->pkt, &e, "object %s %llu", hex,
	    (unsigned long long)size) == 0 &&
	    pkt_write(&c->pkt, bytes, &e) == 0 &&
	    pkt_flush(&c->pkt, &e) == 0 && hear(c);
}

static void
unwanted(void)
{
	struct hash id;
	struct caller c;

	hash_bytes(&id, "spam", 4);
	enter(&c, NULL, 1);
	CHECK(put_object(&c, &id, 4, span_str("spam")));
	CHECK(said(&c, "no object ") && !ask(&c, "head", nothing));
	CHECK(hang_up(&c) == -1);
	CHECK(object_has(p.f.r[0], &id, &e) == 0);
	CHECK(scratch_entries("h0/.ehr/tmp") == 0);
}

/* The manifest of a record that is at hospital i only, as items. */
static void
items_of(struct buf *items, unsigned i, const struct hash *record,
    struct hash *body)
{
	struct buf manifest = BUF_INIT(STAGED_MAX), header = BUF_INIT(1024);
	struct staged s;

	little_ok(staging_find(&manifest, &header, p.f.r[i], record, &e));
	little_ok(staged_parse(&s, buf_span(&manifest),
	    repo_ledger(p.f.r[i]), &e));
	*body = s.body;
	proto_item_add(items, buf_span(&manifest));
	proto_item_add(items, buf_span(&header));
	buf_free(&manifest);
	buf_free(&header);
}

static bool
waits(unsigned i, const struct hash *record)
{
	struct buf a = BUF_INIT(STAGED_MAX), b = BUF_INIT(1024);
	bool yes = staging_find(&a, &b, p.f.r[i], record, &e) == 0;

	buf_free(&a);
	buf_free(&b);
	return yes;
}

/* A manifest is not acknowledged before its body is here. */
static void
body_first(void)
{
	struct buf items = BUF_INIT(65536);
	struct hash record, body;
	char bytes[300];
	struct caller c;

	post_stage(&p, 1, sizeof(bytes), 'x', &record);
	memset(bytes, 'x', sizeof(bytes));
	items_of(&items, 1, &record, &body);
	enter(&c, NULL, 1);
	CHECK(ask(&c, "put-staged", buf_span(&items)));
	CHECK(said(&c, "ok need") && span_eq(buf_span(&c.answer),
	    span_of(body.b, HASH_LEN)));
	CHECK(!waits(0, &record));
	/* Twice the same: still nothing. */
	CHECK(ask(&c, "put-staged", buf_span(&items)) && said(&c, "ok need"));
	CHECK(put_object(&c, &body, sizeof(bytes),
	    span_of(bytes, sizeof(bytes))) && said(&c, "ok"));
	CHECK(object_check(p.f.r[0], &body, &e) == 0 && !waits(0, &record));
	CHECK(ask(&c, "put-staged", buf_span(&items)));
	CHECK(span_is(buf_span(&c.status), "ok") && waits(0, &record));
	/* Once more is no error, and is not kept twice. */
	CHECK(ask(&c, "put-staged", buf_span(&items)));
	CHECK(span_is(buf_span(&c.status), "ok"));
	CHECK(scratch_entries("h0/.ehr/staging") == 1);
	CHECK(hang_up(&c) == 0);
	buf_free(&items);
}

/* Other bytes than the id says; more than the manifest says. */
static void
wrong_bytes(void)
{
	struct buf items = BUF_INIT(65536);
	struct hash record, body;
	struct caller c;

	post_stage(&p, 1, 400, 'y', &record);
	items_of(&items, 1, &record, &body);
	enter(&c, NULL, 1);
	CHECK(ask(&c, "put-staged", buf_span(&items)) && said(&c, "ok need"));
	CHECK(put_object(&c, &body, 5, span_str("wrong")));
	CHECK(said(&c, "no an object has other bytes"));
	CHECK(hang_up(&c) == -1 && object_has(p.f.r[0], &body, &e) == 0);

	enter(&c, NULL, 1);
	CHECK(ask(&c, "put-staged", buf_span(&items)) && said(&c, "ok need"));
	CHECK(put_object(&c, &body, 1ULL << 39, span_str("much")));
	CHECK(said(&c, "no object "));
	CHECK(hang_up(&c) == -1);

	/* More bytes than the object is to have. */
	enter(&c, NULL, 1);
	CHECK(ask(&c, "put-staged", buf_span(&items)) && said(&c, "ok need"));
	CHECK(put_object(&c, &body, 5, span_str("too long a text")));
	CHECK(said(&c, "no not the protocol"));
	CHECK(hang_up(&c) == -1);

	/* A stream that ends before the object does. */
	enter(&c, NULL, 1);
	CHECK(ask(&c, "put-staged", buf_span(&items)) && said(&c, "ok need"));
	CHECK(put_object(&c, &body, 400, span_str("too short")));
	CHECK(said(&c, "no not the protocol"));
	CHECK(hang_up(&c) == -1);
	CHECK(scratch_entries("h0/.ehr/tmp") == 0);
	buf_free(&items);
}

/* One of three is refused; the others stay. */
static void
refused_ones(void)
{
	struct tx tx = { .kind = TX_ROLE_DEFINE, .role = span_str("clerk"),
	    .perms = PERM_VIEW_OWN, .time_ms = clock_now_ms() };
	struct buf items = BUF_INIT(65536);
	struct buf text = BUF_INIT(TX_MAX), note = BUF_INIT(TX_MAX);
	struct caller c;

	for (int i = 0; i < 3; i++) {
		const struct identity *by = i == 1 ? &p.bill : &p.f.admin;

		buf_reset(&text);
		buf_reset(&note);
		tx.time_ms += i;
		tx.author = span_str(by->name);
		tx_text(&text, &tx, repo_ledger(p.f.r[0]));
		little_ok(identity_sign(&note, buf_span(&text), by, &e));
		proto_item_add(&items, buf_span(&note));
	}
	proto_item_add(&items, span_str("no transaction at all"));
	enter(&c, NULL, 1);
	CHECK(ask(&c, "put-pending", buf_span(&items)));
	CHECK(said(&c, "ok refused 2"));
	CHECK(c.answer.len > 0 && c.answer.p[c.answer.len - 1] == '\n');
	CHECK(ask(&c, "pending 0", nothing) && c.answer.len == 2 * HASH_LEN);
	CHECK(hang_up(&c) == 0);
	buf_free(&items);
	buf_free(&text);
	buf_free(&note);
}

/* A block without a quorum, with another's, or none at all. */
static void
bad_blocks(void)
{
	struct buf text = BUF_INIT(CHAIN_FILE_MAX);
	struct buf packed = BUF_INIT(CHAIN_FILE_MAX);
	struct caller c;
	unsigned char *at;

	post_block(&p, 0, &text);
	enter(&c, NULL, 1);
	CHECK(gz_pack(&packed, buf_span(&text), &e) == 0);
	CHECK(ask(&c, "put-block", buf_span(&packed)) && said(&c, "ok"));
	CHECK(hang_up(&c) == 0);

	/* The same for one who lacks it, but a signer less. */
	at = memmem(text.p, text.len, "hospital-c ", 11);
	CHECK(at != NULL);
	if (at != NULL)
		at[9] = 'd';
	buf_reset(&packed);
	CHECK(gz_pack(&packed, buf_span(&text), &e) == 0);
	{
		struct hello me;
		struct session *s;
		struct post_server v;
		struct buf status = BUF_INIT(PROTO_LINE_MAX);
		int fd = post_serve(&v, 1, NULL);

		little_ok(hello_of(&me, p.f.r[0], &p.f.node[0], &e));
		CHECK(session_over(&s, &me, "hospital-b", fd, dup(fd), 5000,
		    &e) == 0);
		CHECK(session_ask(s, "put-block", buf_span(&packed), &status,
		    NULL, &e) != 0 && (e.kind == ERR_NO));
		CHECK(session_ask(s, "put-block", span_str("junk"), &status,
		    NULL, &e) != 0 && e.kind == ERR_NO);
		CHECK(!s->broken);
		session_close(s);
		CHECK(post_served(&v) == 0);
		buf_free(&status);
	}
	CHECK(four_height(&p.f, 1) == 1);
	buf_free(&text);
	buf_free(&packed);
}

/* --- who does not speak the protocol -------------------------------------- */

static void
later_requests(void)
{
	struct caller c;

	enter(&c, NULL, 1);
	CHECK(ask(&c, "roots 2026-11-22_19", span_str("payload")));
	CHECK(said(&c, "no there is no request \"roots\""));
	CHECK(ask(&c, "head", nothing) && said(&c, "ok 1 "));
	CHECK(ask(&c, "head of state", nothing) && said(&c, "no malformed"));
	CHECK(hang_up(&c) == -1 && c.v.e.kind == ERR_BAD);

	enter(&c, NULL, 1);
	CHECK(ask(&c, "head", span_str("with a payload")));
	CHECK(said(&c, "no ") && hang_up(&c) == -1);
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
	secret();
	ranges();
	unwanted();
	body_first();
	wrong_bytes();
	refused_ones();
	later_requests();
	garbage();
	drip();
	flood();
	bad_blocks();
	post_close(&p);
	scratch_close();
	return check_done("serve");
}
