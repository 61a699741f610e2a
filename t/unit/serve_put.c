/* serve_put: what is asked for and given, and what of it is refused. */
#define _GNU_SOURCE
#include "caller.h"

#include "base/gz.h"

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

/* Of another length than its manifest says, or twice in one put. */
static void
odd_records(void)
{
	struct staged s = { .time_ms = clock_now_ms(), .body_size = 301 };
	struct buf items = BUF_INIT(65536);
	struct buf text = BUF_INIT(STAGED_MAX), note = BUF_INIT(STAGED_MAX);
	struct hash record, body;
	char bytes[300];
	struct caller c;

	memset(bytes, 'z', sizeof(bytes));
	little_ok(object_put(p.f.r[0], span_of(bytes, sizeof(bytes)), &s.body,
	    &e));
	s.author = span_str(p.kun.name);
	s.patient = span_str(p.bill.name);
	s.label = span_str("laboratory");
	hash_bytes(&s.header, "header", 6);
	staged_text(&text, &s, repo_ledger(p.f.r[0]));
	little_ok(identity_sign(&note, buf_span(&text), &p.kun, &e));
	hash_bytes(&record, note.p, note.len);
	proto_item_add(&items, buf_span(&note));
	proto_item_add(&items, span_str("header"));
	enter(&c, NULL, 1);
	CHECK(ask(&c, "put-staged", buf_span(&items)));
	CHECK(said(&c, "ok refused 1") && !waits(0, &record));
	CHECK(memmem(c.answer.p, c.answer.len, "its body has 300 bytes", 22) !=
	    NULL);

	buf_reset(&items);
	post_stage(&p, 1, 800, 'w', &record);
	items_of(&items, 1, &record, &body);
	items_of(&items, 1, &record, &body);
	CHECK(ask(&c, "put-staged", buf_span(&items)));
	CHECK(said(&c, "no a record is there twice"));
	buf_reset(&items);
	proto_item_add(&items, buf_span(&note));
	CHECK(ask(&c, "put-staged", buf_span(&items)));
	CHECK(said(&c, "no not the protocol: a manifest without"));
	CHECK(hang_up(&c) == 0);
	buf_free(&items);
	buf_free(&text);
	buf_free(&note);
}

/* A node that is removed while it is connected is one no more. */
static void
removed(void)
{
	struct tx tx = { .kind = TX_NODE_REMOVE,
	    .node = span_str("hospital-d") };
	struct caller c;

	enter(&c, NULL, 3);
	CHECK(ask(&c, "pending 0", nothing) && said(&c, "ok"));
	post_submit(&p, 0, &tx, &p.f.admin);
	post_block(&p, 0, NULL);
	CHECK(ask(&c, "pending 0", nothing));
	CHECK(said(&c, "no hospital-d is no node of this ledger any more"));
	CHECK(ask(&c, "put-staged", nothing) && said(&c, "no hospital-d"));
	CHECK(ask(&c, "head", nothing) && said(&c, "ok 3 "));
	CHECK(hang_up(&c) == 0);
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
	CHECK(ask(&c, "truths 2026-11-22_19", span_str("payload")));
	CHECK(said(&c, "no there is no request \"truths\""));
	CHECK(ask(&c, "head", nothing) && said(&c, "ok 1 "));
	CHECK(ask(&c, "head of state", nothing) && said(&c, "no malformed"));
	CHECK(hang_up(&c) == -1 && c.v.e.kind == ERR_BAD);

	enter(&c, NULL, 1);
	CHECK(ask(&c, "head", span_str("with a payload")));
	CHECK(said(&c, "no ") && hang_up(&c) == -1);
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
	ranges();
	unwanted();
	body_first();
	wrong_bytes();
	odd_records();
	refused_ones();
	later_requests();
	bad_blocks();
	removed();
	post_close(&p);
	scratch_close();
	return check_done("serve_put");
}
