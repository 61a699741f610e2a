/* serve: what it answers about the chain, its hours and other nodes. */
#define _GNU_SOURCE
#include "caller.h"

#include "ledger/certificate.h"

/* How many items the last answer has; item i of it in *out. */
static size_t
items(const struct caller *c, size_t i, struct span *out)
{
	struct span rest = buf_span(&c->answer), item;
	size_t n = 0;

	while (proto_item_next(&rest, &item, 1u << 20, &e) == 1)
		if (n++ == i)
			*out = item;
	return n;
}

static void
headers(void)
{
	char request[200], hex[HASH_HEX];
	struct block_header h;
	struct span one = { NULL, 0 };
	struct caller c;

	enter(&c, NULL, -1);
	CHECK(ask(&c, "headers 1 1000", nothing) && said(&c, "ok"));
	CHECK(items(&c, 0, &one) == 6);
	CHECK(block_header_parse(&h, one, repo_ledger(p.f.r[0]), &e) == 0 &&
	    h.height == 1 && hash_eq(&h.parent, repo_ledger(p.f.r[0])));
	CHECK(ask(&c, "headers 2 1", nothing) && items(&c, 0, &one) == 2);
	CHECK(block_header_parse(&h, one, repo_ledger(p.f.r[0]), &e) == 0 &&
	    h.height == 2);
	CHECK(ask(&c, "headers 4 1", nothing) && items(&c, 0, &one) == 0);
	/* Up to a block, which is the last then. */
	hash_format(hex, &h.id);
	snprintf(request, sizeof(request), "headers 1 1000 %s", hex);
	CHECK(ask(&c, request, nothing) && items(&c, 0, &one) == 4);
	/* A block that is not there stops nothing. */
	hash_format(hex, &h.root);
	snprintf(request, sizeof(request), "headers 1 1000 %s", hex);
	CHECK(ask(&c, request, nothing) && items(&c, 0, &one) == 6);
	CHECK(hang_up(&c) == 0);
}

static void
delegates(void)
{
	struct delegates set;
	struct block_header h;
	struct span one = { NULL, 0 };
	struct caller c;
	struct hash digest;

	enter(&c, NULL, -1);
	CHECK(ask(&c, "headers 3 1", nothing) && items(&c, 0, &one) == 2);
	CHECK(block_header_parse(&h, one, repo_ledger(p.f.r[0]), &e) == 0);
	CHECK(ask(&c, "delegates 4", nothing) && said(&c, "ok"));
	/* What a header promises can be had, and read. */
	hash_bytes(&digest, c.answer.p, c.answer.len);
	CHECK(hash_eq(&digest, &h.delegates));
	CHECK(delegates_parse(&set, buf_span(&c.answer), &e) == 0 &&
	    set.n == 4);
	CHECK(ask(&c, "delegates 5", nothing) &&
	    said(&c, "no who votes at height 5"));
	CHECK(hang_up(&c) == 0);
}

static void
addresses(void)
{
	static const struct { const char *key, *value; } set[] = {
		{ "node.address", "ehr@a.example.org" },
		{ "peer.hospital-b.command", "ssh ehr@b.example.org ehr-serve" },
		{ "peer.hospital-c.command", "ssh -i key c ehr-serve" },
		{ "peer.hospital-d.command", "ehr-serve -C D" },
		{ "peer.hospital-d.address", "ssh://ehr@d:2222" },
		{ "peer.hospital-e.command", "ssh $(reboot) ehr-serve" }
	};
	struct caller c;

	enter(&c, NULL, -1);
	CHECK(ask(&c, "addr", nothing) && said(&c, "ok"));
	CHECK(c.answer.len == 0);
	hang_up(&c);
	for (size_t i = 0; i < sizeof(set) / sizeof(set[0]); i++)
		CHECK(config_set(p.f.r[0]->dirfd, set[i].key, set[i].value,
		    &e) == 0);
	enter(&c, NULL, -1);
	CHECK(ask(&c, "addr", nothing) && said(&c, "ok"));
	CHECK(span_is(buf_span(&c.answer), "hospital-a ehr@a.example.org\n"
	    "hospital-b ehr@b.example.org\nhospital-d ssh://ehr@d:2222\n"));
	CHECK(hang_up(&c) == 0);
	for (size_t i = 0; i < sizeof(set) / sizeof(set[0]); i++)
		CHECK(config_set(p.f.r[0]->dirfd, set[i].key, NULL, &e) == 0);
}

static int
some_roots(struct repo *r, int64_t hour_ms, uint64_t count,
    struct buf *answer, struct err *err)
{
	struct proto_root root = { hour_ms, count, *repo_ledger(r) };

	(void)err;
	proto_root_format(answer, &root);
	buf_addc(answer, '\n');
	return 0;
}

static void
roots(void)
{
	struct serve_options o = { .roots = some_roots };
	struct proto_root root;
	struct caller c;

	enter(&c, NULL, -1);
	CHECK(ask(&c, "roots 2026-11-22_19 5", nothing) &&
	    said(&c, "no no roots"));
	hang_up(&c);
	enter(&c, &o, -1);
	CHECK(ask(&c, "roots 2026-11-22_19 5", nothing) && said(&c, "ok"));
	CHECK(c.answer.len > 1 && proto_root_parse(&root, span_of(c.answer.p,
	    c.answer.len - 1), &e) == 0 && root.size == 5);
	CHECK(hang_up(&c) == 0);
}

/* Requests may be sent ahead of the answers, which come in turn. */
static void
ahead(void)
{
	struct caller c;

	enter(&c, NULL, -1);
	for (int i = 0; i < 16; i++)
		CHECK(pkt_line(&c.pkt, &e, i % 2 == 0 ? "keepalive" :
		    "headers %d 1", i / 8 + 1) == 0 &&
		    pkt_flush(&c.pkt, &e) == 0);
	for (int i = 0; i < 16; i++) {
		CHECK(hear(&c) && said(&c, "ok"));
		CHECK((c.answer.len == 0) == (i % 2 == 0));
	}
	CHECK(hang_up(&c) == 0);
}

int
main(void)
{
	scratch_open();
	post_open(&p);
	post_block(&p, 0, NULL);
	for (int i = 0; i < 2; i++) {
		usleep(2000);
		four_enroll(&p.f, 1);
		post_block(&p, 0, NULL);
	}
	headers();
	delegates();
	addresses();
	roots();
	ahead();
	post_close(&p);
	scratch_close();
	return check_done("serve_chain");
}
