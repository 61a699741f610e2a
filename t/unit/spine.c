/* spine: headers with certificates from the genesis on, and nothing else. */
#define _GNU_SOURCE
#include "post.h"

#include "net/spine.h"

#define BLOCKS 6

static struct err e;
static struct post p;
static struct spine s;
static struct buf all[BLOCKS + 1];	/* header and certificate of each */
static struct block_header head[BLOCKS + 1];
static struct delegates first, later;

static const struct hash *
ledger(void)
{
	return repo_ledger(p.f.r[0]);
}

static void
load(uint64_t height)
{
	static struct buf text[BLOCKS + 1];
	struct block b;

	buf_init(&text[height], CHAIN_FILE_MAX);
	buf_init(&all[height], 1u << 20);
	little_ok(chain_read(&text[height], p.f.r[0], height, &e));
	little_ok(block_parse(&b, buf_span(&text[height]), true, ledger(),
	    &e));
	head[height] = b.h;
	proto_item_add(&all[height], b.header);
	proto_item_add(&all[height], b.certificate);
}

static void
begin(void)
{
	spine_free(&s);
	spine_init(&s, ledger(), 0, ledger(),
	    p.f.r[0]->genesis->time_ms, &first);
}

/* Blocks a to b, as one answer to a request from that height on. */
static int
give(uint64_t from, uint64_t a, uint64_t b, size_t most)
{
	struct buf items = BUF_INIT(1u << 20);
	int ret;

	for (; a <= b; a++)
		buf_add(&items, all[a].p, all[a].len);
	ret = spine_add(&s, from, buf_span(&items), most, &e);
	buf_free(&items);
	return ret;
}

static int
give_set(const struct delegates *set)
{
	struct buf text = BUF_INIT(DELEGATES_TEXT_MAX);
	int ret;

	delegates_text(&text, set);
	ret = spine_delegates(&s, buf_span(&text), &e);
	buf_free(&text);
	return ret;
}

static void
in_order(void)
{
	struct hash cert;
	struct span rest, item;

	begin();
	CHECK(spine_at(&s, 1) == NULL && spine_at(&s, 0) == NULL);
	CHECK(give(1, 1, 2, 1000) == 0 && s.height == 2);
	/* Some are here already; some leave a gap. */
	CHECK(give(1, 1, 3, 3) == 0 && s.height == 3);
	CHECK(give(5, 5, 5, 1) == 0 && s.height == 3);
	CHECK(hash_eq(&spine_at(&s, 2)->id, &head[2].id));
	CHECK(spine_at(&s, 4) == NULL);
	rest = buf_span(&all[2]);
	CHECK(proto_item_next(&rest, &item, 1u << 20, &e) == 1 &&
	    proto_item_next(&rest, &item, 1u << 20, &e) == 1);
	hash_bytes(&cert, item.p, item.n);
	CHECK(hash_eq(&cert, &spine_at(&s, 2)->certificate));
	/* Nothing is nothing. */
	CHECK(give(4, 2, 1, 5) == 0 && s.height == 3);
}

/* After block 4 others vote: their set must come, and be the right one. */
static void
delegates_change(void)
{
	begin();
	CHECK(give(1, 1, 6, 1000) == 0 && s.height == 4 && spine_lacks(&s));
	CHECK(give(5, 5, 6, 1000) == 0 && s.height == 4);
	CHECK(give_set(&first) == -1 && e.kind == ERR_BAD);
	CHECK(spine_delegates(&s, span_str("junk\n"), &e) == -1);
	CHECK(spine_lacks(&s));
	CHECK(give_set(&later) == 0 && !spine_lacks(&s));
	CHECK(give(5, 5, 6, 1000) == 0 && s.height == 6);
	CHECK(hash_eq(&s.id, &head[6].id));
	/* From a block in the middle. */
	spine_free(&s);
	spine_init(&s, ledger(), 4, &head[4].id, head[4].time_ms, &later);
	CHECK(give(5, 5, 6, 2) == 0 && s.height == 6 && s.base == 4);
	CHECK(spine_at(&s, 4) == NULL && spine_at(&s, 5) != NULL);
}

static void
wrong(void)
{
	struct buf items = BUF_INIT(1u << 20);
	struct hash other;

	begin();
	/* Another height, more than asked for, one that does not follow. */
	CHECK(give(1, 2, 2, 1000) == -1 && e.kind == ERR_BAD &&
	    strstr(e.msg, "header 2 came for header 1") != NULL);
	CHECK(give(1, 1, 3, 2) == -1 && strstr(e.msg, "more headers") != NULL);
	CHECK(s.height == 2);
	hash_bytes(&other, "x", 1);
	spine_free(&s);
	spine_init(&s, ledger(), 2, &other, 0, &first);
	CHECK(give(3, 3, 3, 1) == -1 && e.kind == ERR_BAD &&
	    strstr(e.msg, "forked") != NULL && s.height == 2);
	spine_free(&s);
	spine_init(&s, ledger(), 2, &head[2].id, head[3].time_ms, &first);
	CHECK(give(3, 3, 3, 1) == -1 && strstr(e.msg, "not later") != NULL);
	/* A header alone, bytes that are none, half an item. */
	begin();
	buf_add(&items, all[1].p, all[1].len);
	CHECK(spine_add(&s, 1, span_of(items.p, items.len - 1), 9, &e) == -1);
	buf_adds(&items, "item 4\nabcd");
	CHECK(spine_add(&s, 1, buf_span(&items), 9, &e) == -1 &&
	    s.height == 1);
	buf_free(&items);
}

/* Each byte of header and certificate counts. */
static void
forged(void)
{
	struct buf items = BUF_INIT(1u << 20);

	buf_add(&items, all[1].p, all[1].len);
	for (size_t i = 0; i < items.len; i++) {
		begin();
		items.p[i] ^= 1;
		CHECK(spine_add(&s, 1, buf_span(&items), 1, &e) == -1 &&
		    s.height == 0);
		items.p[i] ^= 1;
	}
	/* Good ones before a bad one are taken. */
	buf_reset(&items);
	for (int i = 1; i <= 3; i++)
		buf_add(&items, all[i].p, all[i].len);
	items.p[all[1].len + all[2].len + all[3].len - 5] ^= 1;
	begin();
	CHECK(spine_add(&s, 1, buf_span(&items), 9, &e) == -1 &&
	    e.kind == ERR_BAD && s.height == 2);
	CHECK(hash_eq(&s.id, &head[2].id));
	/* A quorum of the wrong delegates is none. */
	begin();
	s.set.d[0].sign = first.d[3].sign;
	CHECK(give(1, 1, 1, 1) == -1 && e.kind == ERR_BAD && s.height == 0);
	buf_free(&items);
}

/* One of the four is removed, and three are left. */
static void
change_delegates(void)
{
	struct tx tx = { .kind = TX_NODE_REMOVE };
	struct identity *admin = &p.f.admin;

	tx.node = span_str(p.f.node[3].name);
	post_submit(&p, 0, &tx, admin);
}

int
main(void)
{
	struct db *db;

	scratch_open();
	post_open(&p);
	little_ok(db_of(&db, p.f.r[0], &e));
	little_ok(chain_catch_up(p.f.r[0], &e));
	for (int i = 1; i <= BLOCKS; i++) {
		usleep(2000);
		if (i == 4)
			change_delegates();
		four_enroll(&p.f, 1);
		post_block(&p, 0, NULL);
		load((uint64_t)i);
	}
	little_ok(state_delegates(&first, db, 1, &e));
	little_ok(state_delegates(&later, db, 5, &e));
	CHECK(first.n == 4 && later.n == 3);
	in_order();
	delegates_change();
	wrong();
	forged();
	spine_free(&s);
	for (int i = 1; i <= BLOCKS; i++)
		buf_free(&all[i]);
	post_close(&p);
	scratch_close();
	return check_done("spine");
}
