/*
 * spine: whatever is given as headers, nothing is taken that the delegates of
 * the genesis have not signed; a real chain's first header is tried with the
 * fuzzer's bytes in it.
 */
#include "../unit/little.h"

#include "net/proto.h"
#include "net/spine.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

static struct little l;
static struct spine s;
static struct buf header = BUF_INIT(BLOCK_HEADER_MAX);
static struct buf cert = BUF_INIT(BLOCK_CERT_MAX);

static void
enter(void)
{
	struct buf text = BUF_INIT(1024);
	struct block_header h = { .height = 1, .time_ms = little_time(60),
	    .txs = 1, .size = 1 };
	struct err e;

	little_open(&l);
	h.parent = l.id;
	h.proposer = span_str(l.node[0].name);
	delegates_digest(&h.delegates, &l.delegates);
	block_header_text(&header, &h, &l.id);
	hash_bytes(&h.id, header.p, header.len);
	certificate_text(&text, 1, 0, &h.id, &l.id);
	buf_add(&cert, text.p, text.len);
	buf_addc(&cert, '\n');
	for (int i = 0; i < 3; i++)
		little_ok(note_sign_line(&cert, buf_span(&text),
		    span_str(l.node[i].name), l.node[i].sign, &e));
	buf_free(&text);
}

static void
give(struct span items)
{
	struct err e;

	spine_init(&s, &l.id, 0, &l.id, little_time(0), &l.delegates);
	if (spine_add(&s, 1, items, 1000, &e) != 0)
		assert(e.kind == ERR_BAD);
	/* Only the one that was signed. */
	assert(s.height <= 1 && s.height >= s.base);
	if (s.height == 1) {
		struct hash id;

		hash_bytes(&id, header.p, header.len);
		assert(hash_eq(&spine_at(&s, 1)->id, &id));
	}
	if (spine_delegates(&s, items, &e) != 0)
		assert(e.kind == ERR_BAD);
	spine_free(&s);
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct buf items = BUF_INIT(4u << 20);

	if (header.len == 0)
		enter();
	give(span_of(p, n));
	/* The good header, then the fuzzer's certificate or rest. */
	proto_item_add(&items, buf_span(&header));
	proto_item_add(&items, span_of(p, n));
	give(buf_span(&items));
	buf_reset(&items);
	proto_item_add(&items, buf_span(&header));
	proto_item_add(&items, buf_span(&cert));
	buf_add(&items, p, n);
	give(buf_span(&items));
	buf_free(&items);
	return 0;
}
