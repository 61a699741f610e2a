/* proto: each line has one form, and what is read is written the same. */
#define _GNU_SOURCE
#include "check.h"
#include "base/stamp.h"
#include "net/ids.h"
#include "net/proto.h"

static struct err e;

#define HEX "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"
#define TIME "2026-11-22T19:34:00.123Z"
#define NONCE "0123456789abcdef0123456789abcdef"

static bool
is(struct buf *b, const char *text)
{
	bool same = span_is(buf_span(b), text);

	if (!same)
		printf("got \"%.*s\", want \"%s\"\n",
		    SPAN_FMT(buf_span(b)), text);
	buf_free(b);
	return same;
}

static void
version_same(const char *line)
{
	struct buf b = BUF_INIT(PROTO_LINE_MAX);
	struct proto_version v;

	CHECK(proto_version_parse(&v, span_str(line), &e) == 0);
	proto_version_format(&b, &v);
	CHECK(is(&b, line));
}

static void
versions(void)
{
	static const char *const bad[] = {
		"", "version", "version ", "version 1", "versio 1", "version x",
		"version 01 " HEX " 7 " HEX " " TIME " a " NONCE,
		"version 1 " HEX " 7 " HEX " " TIME " a",
		"version 1 " HEX " 7 " HEX " " TIME " a ",
		"version 1 " HEX " 7 " HEX " " TIME " a " NONCE " ",
		"version 1 " HEX " 7 " HEX " " TIME " a " NONCE "00",
		"version 1 " HEX " 7 " HEX " " TIME " A " NONCE,
		"version 1 " HEX " 7 " HEX " " TIME " u0123456789abcdef " NONCE,
		"version 1 " HEX " 07 " HEX " " TIME " a " NONCE,
		"version 1 " HEX " 1000000000 " HEX " " TIME " a " NONCE,
		"version 1 " HEX "  7 " HEX " " TIME " a " NONCE,
		"version 1 ABC 7 " HEX " " TIME " a " NONCE,
		"version 1 " HEX " 7 " HEX " 2026-11-22T19:34:00Z a " NONCE,
	};
	struct proto_version v;

	version_same("version 1 " HEX " 7 " HEX " " TIME " hospital-a " NONCE);
	version_same("version 1 " HEX " 0 - " TIME " - " NONCE);
	version_same("version 1 - 0 - " TIME " - " NONCE);
	CHECK(proto_version_parse(&v, span_str("version 1 " HEX " 7 " HEX " "
	    TIME " hospital-a " NONCE), &e) == 0);
	CHECK(v.version == 1 && v.has_ledger && v.has_head && v.height == 7);
	CHECK(v.ledger.b[1] == 0x11 && v.nonce[0] == 0x01);
	CHECK(v.time_ms == 1795376040123 && span_is(v.node, "hospital-a"));
	/* Of another version we know nothing. */
	CHECK(proto_version_parse(&v, span_str("version 23 and what follows"),
	    &e) == 0 && v.version == 23);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		CHECK(proto_version_parse(&v, span_str(bad[i]), &e) == -1 &&
		    e.kind == ERR_BAD);
	}
}

static void
hello(void)
{
	unsigned char nonce[PROTO_NONCE] = { 0xab, 0xcd };
	struct buf b = BUF_INIT(PROTO_HELLO_MAX);
	struct hash ledger;

	CHECK(hash_parse(&ledger, span_str(HEX)) == 0);
	proto_hello_text(&b, "hello", &ledger, "hospital-b", "-", nonce);
	CHECK(is(&b, "ehr.v1 hello " HEX "\nnode hospital-b\npeer -\n"
	    "nonce abcd0000000000000000000000000000\n"));
}

static void
requests(void)
{
	static const char *const good[] = {
		"addr", "blocks 1 1000", "bye", "cosign", "delegates 1",
		"genesis", "get-pending", "get-staged", "head", "headers 999999999 1",
		"keepalive", "objects",
		"pending 0", "put-block", "put-objects", "put-pending",
		"put-staged", "rest 0", "roots 2026-11-22_19 1000", "secret",
		"staged 65536", "wanted 0"
	};
	static const char *const bad[] = {
		"blocks", "blocks 1", "blocks 0 1", "blocks 1 0",
		"blocks 1 1001", "blocks 1  1", "blocks 01 1", "blocks 1 1 ",
		"blocks -1 1", "blocks 1000000000 1", "bye ", "bye bye",
		"pending", "pending ", "pending -1", "pending 1 2", "head 1",
		"headers 1 5 ", "headers 1 5 " HEX " ", "headers 0 5 " HEX,
		"headers 1 5 -", "headers 1 1001 " HEX, "blocks 1 5 " HEX,
		"delegates", "delegates 0", "delegates 1 1",
		"delegates 1000000000", "rest", "rest ", "rest -1",
		"rest 1 2", "rest 01", "rest 1099511627777", "roots", "roots 2026-11-22_19",
		"roots 2026-11-22_24 1", "roots 2026-11-22_19 0",
		"roots 2026-11-22_19 1001", "roots 2026-11-22_19 1 ",
		"roots 1 1", "addr ", "addr 1", "keepalive 1", "cosign ", "cosign 1"
	};
	struct proto_request r;

	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		struct buf b = BUF_INIT(PROTO_LINE_MAX);

		CHECK(proto_request_parse(&r, span_str(good[i]), &e) == 0);
		proto_request_format(&b, &r);
		CHECK(is(&b, good[i]));
	}
	CHECK(sizeof(good) / sizeof(good[0]) == PROTO_VERBS - 1);
	CHECK(proto_request_parse(&r, span_str("blocks 5 6"), &e) == 0 &&
	    r.verb == PROTO_BLOCKS && r.from == 5 && r.count == 6);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		CHECK(proto_request_parse(&r, span_str(bad[i]), &e) == -1 &&
		    e.kind == ERR_BAD);
	CHECK(proto_request_parse(&r, span_str("headers 2 3 " HEX), &e) == 0 &&
	    r.from == 2 && r.count == 3 && r.has_stop && r.stop.b[1] == 0x11);
	{
		struct buf b = BUF_INIT(PROTO_LINE_MAX);

		proto_request_format(&b, &r);
		CHECK(is(&b, "headers 2 3 " HEX));
	}
	CHECK(proto_request_parse(&r, span_str("headers 2 3"), &e) == 0 &&
	    !r.has_stop);
	CHECK(proto_request_parse(&r, span_str("rest 1099511627776"), &e) ==
	    0 && r.verb == PROTO_REST && r.from == 1ULL << 40);
	CHECK(proto_request_parse(&r, span_str("roots 2026-11-22_19 7"),
	    &e) == 0 && r.count == 7 && r.hour_ms == 1795374000000);
	/* The consensus reads its own lines. */
	CHECK(proto_request_parse(&r, span_str("consensus"), &e) == 0);
	CHECK(proto_request_parse(&r, span_str("consensus a b c"), &e) == 0 &&
	    r.verb == PROTO_CONSENSUS);
	/* Requests of later versions are told from malformed ones. */
	CHECK(proto_request_parse(&r, span_str("truths 1"), &e) == -1 &&
	    e.kind == ERR_NO);
	CHECK(proto_request_parse(&r, span_str("Bye"), &e) == -1 &&
	    e.kind == ERR_NO);
	CHECK(proto_request_parse(&r, span_str(""), &e) == -1);
}

static bool
answers_with(const char *line, enum proto_answer want, const char *rest)
{
	enum proto_answer a;
	struct span s;

	return proto_answer_parse(&a, &s, span_str(line), &e) == 0 &&
	    a == want && span_is(s, rest);
}

static void
answers(void)
{
	static const char *const bad[] = { "", "no", "no ", "again", "ok ",
	    "OK", "okay", "yes", " ok", "no a\tb", "no \xff" };
	struct buf b = BUF_INIT(PROTO_LINE_MAX);
	enum proto_answer a;
	struct span s;

	CHECK(answers_with("ok", PROTO_OK, ""));
	CHECK(answers_with("ok more", PROTO_OK, "more"));
	CHECK(answers_with("no such luck", PROTO_NO, "such luck"));
	CHECK(answers_with("again later", PROTO_AGAIN, "later"));
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		CHECK(proto_answer_parse(&a, &s, span_str(bad[i]), &e) == -1 &&
		    e.kind == ERR_BAD);
	err_set(&e, ERR_NO, "it is %s", "so");
	proto_refusal(&b, &e);
	CHECK(is(&b, "no it is so"));
	err_set(&e, ERR_BAD, "it is bad");
	proto_refusal(&b, &e);
	CHECK(is(&b, "no it is bad"));
	err_set(&e, ERR_AGAIN, "locked");
	proto_refusal(&b, &e);
	CHECK(is(&b, "again locked"));
	err_set(&e, ERR_SYS, "disk full");
	proto_refusal(&b, &e);
	CHECK(is(&b, "again disk full"));
}

static void
words(void)
{
	static const char *const bad_put[] = { " ", "need ", "needs",
	    "refused", "refused 0", "refused 01", "refused 1 ", "taken" };
	static const char *const bad_head[] = { "", "7", "7 ", "7 " HEX " ",
	    "07 " HEX, "7  " HEX };
	struct buf b = BUF_INIT(PROTO_LINE_MAX);
	enum proto_access access;
	enum proto_put put;
	struct hash id;
	uint64_t n;

	for (int i = 0; i < PROTO_ACCESSES; i++)
		CHECK(proto_access_parse(&access, span_str(proto_access_name(
		    (enum proto_access)i)), &e) == 0 && (int)access == i);
	CHECK(proto_access_parse(&access, span_str("root"), &e) == -1);
	CHECK(proto_access_parse(&access, span_str(""), &e) == -1);

	CHECK(proto_put_parse(&put, &n, span_str(""), &e) == 0 &&
	    put == PROTO_TAKEN);
	CHECK(proto_put_parse(&put, &n, span_str("need"), &e) == 0 &&
	    put == PROTO_NEED);
	CHECK(proto_put_parse(&put, &n, span_str("refused 12"), &e) == 0 &&
	    put == PROTO_REFUSED && n == 12);
	for (size_t i = 0; i < sizeof(bad_put) / sizeof(bad_put[0]); i++)
		CHECK(proto_put_parse(&put, &n, span_str(bad_put[i]), &e) ==
		    -1);
	proto_put_format(&b, PROTO_TAKEN, 0);
	CHECK(is(&b, "ok"));
	proto_put_format(&b, PROTO_NEED, 0);
	CHECK(is(&b, "ok need"));
	proto_put_format(&b, PROTO_REFUSED, 3);
	CHECK(is(&b, "ok refused 3"));

	CHECK(proto_head_parse(&n, &id, span_str("7 " HEX), &e) == 0 &&
	    n == 7);
	proto_head_format(&b, n, &id);
	CHECK(is(&b, "7 " HEX));
	for (size_t i = 0; i < sizeof(bad_head) / sizeof(bad_head[0]); i++)
		CHECK(proto_head_parse(&n, &id, span_str(bad_head[i]), &e) ==
		    -1);
}

static void
roots(void)
{
	static const char *const bad[] = { "", "2026-11-22_19", "2026-11-22_19 ",
	    "2026-11-22_19 7", "2026-11-22_19 7 ", "2026-11-22_19 7 " HEX " ",
	    "2026-11-22_19 07 " HEX, "2026-11-22 7 " HEX,
	    "2026-11-22_24 7 " HEX, "2026-11-22_19 -1 " HEX };
	struct buf b = BUF_INIT(PROTO_LINE_MAX);
	struct proto_root r;

	CHECK(proto_root_parse(&r, span_str("2026-11-22_19 7 " HEX), &e) == 0 &&
	    r.size == 7 && r.hour_ms == 1795374000000 && r.root.b[1] == 0x11);
	proto_root_format(&b, &r);
	CHECK(is(&b, "2026-11-22_19 7 " HEX));
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		CHECK(proto_root_parse(&r, span_str(bad[i]), &e) == -1 &&
		    e.kind == ERR_BAD);
}

static void
object(const char *line, bool with_id, bool good)
{
	struct buf b = BUF_INIT(PROTO_LINE_MAX);
	struct proto_object o;
	struct hash id;

	if (proto_object_parse(&o, with_id ? &id : NULL, span_str(line),
	    &e) != 0) {
		CHECK(!good && e.kind == ERR_BAD);
		return;
	}
	CHECK(good);
	proto_object_format(&b, &o, with_id ? &id : NULL);
	CHECK(is(&b, line));
}

static void
objects(void)
{
	object("absent", false, true);
	object("object 0", false, true);
	object("object 1099511627776", false, true);
	object("object 1099511627777", false, false);
	object("object", false, false);
	object("object ", false, false);
	object("object 1 ", false, false);
	object("object " HEX " 1", false, false);
	object("object " HEX " 1", true, true);
	object("object " HEX, true, false);
	object("object 1", true, false);
	object("absent", true, false);
	object("Absent", false, false);
}

static void
items(void)
{
	static const char *const bad[] = { "item", "item 3", "item 3\n",
	    "item 3\nab", "item 03\nabc", "item  3\nabc", "item -1\n",
	    "items 3\nabc", "\n", "item 99999999999999999999999999999\nabc",
	    "item 4294967296\nabc" };
	struct buf b = BUF_INIT(1000);
	struct span rest, item;

	proto_item_add(&b, span_str("first"));
	proto_item_add(&b, span_of(NULL, 0));
	proto_item_add(&b, span_str("a\nb\n"));
	rest = buf_span(&b);
	CHECK(proto_item_next(&rest, &item, 5, &e) == 1 &&
	    span_is(item, "first"));
	CHECK(proto_item_next(&rest, &item, 5, &e) == 1 && item.n == 0);
	CHECK(proto_item_next(&rest, &item, 5, &e) == 1 &&
	    span_is(item, "a\nb\n"));
	CHECK(proto_item_next(&rest, &item, 5, &e) == 0);
	CHECK(is(&b, "item 5\nfirstitem 0\nitem 4\na\nb\n"));
	rest = span_str("item 6\nsix or");
	CHECK(proto_item_next(&rest, &item, 5, &e) == -1 && e.kind == ERR_BAD);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		rest = span_str(bad[i]);
		CHECK(proto_item_next(&rest, &item, 100, &e) == -1 &&
		    e.kind == ERR_BAD);
	}
}

static void
lists(void)
{
	struct ids l = IDS_INIT, copy;
	struct hash h;
	struct span s;

	for (int i = 0; i < 200; i++) {
		memset(&h, 0, sizeof(h));
		h.b[0] = (unsigned char)(i * 7);
		CHECK(ids_add(&l, &h, &e) == 0);
	}
	CHECK(l.n == 200 && ids_copy_sorted(&copy, &l, &e) == 0);
	CHECK(copy.n == 200 && l.id[1].b[0] == 7 && copy.id[1].b[0] == 1);
	for (int i = 0; i < 256; i++) {
		bool in = false;

		h.b[0] = (unsigned char)i;
		for (int k = 0; k < 200; k++)
			in = in || (unsigned char)(k * 7) == i;
		CHECK(ids_has(&copy, &h) == in);
	}
	h.b[0] = 7;
	CHECK(ids_add(&copy, &h, &e) == 0 && copy.n == 201);
	ids_sort(&copy);
	CHECK(copy.n == 200);
	ids_free(&copy);
	CHECK(!ids_has(&copy, &h));
	s = ids_payload(&l, 198, 10);
	CHECK(s.n == 64 && s.p[0] == (unsigned char)(198 * 7));
	CHECK(ids_payload(&l, 200, 10).n == 0);
	CHECK(ids_payload(&l, 0, 3).n == 96);
	CHECK(ids_add_payload(&copy, s, 2, &e) == 0 && copy.n == 2);
	CHECK(ids_add_payload(&copy, s, 1, &e) == -1 && e.kind == ERR_BAD);
	CHECK(ids_add_payload(&copy, span_of(s.p, 33), 9, &e) == -1);
	CHECK(copy.n == 2);
	ids_free(&copy);
	ids_free(&l);
}

int
main(void)
{
	versions();
	hello();
	requests();
	answers();
	words();
	roots();
	objects();
	items();
	lists();
	return check_done("proto");
}
