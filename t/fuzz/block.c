/*
 * block: a content or file that parses is joined again from its parts, and its
 * header is written again as it was.
 */
#include "../unit/little.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

static struct little l;

static void
parse(struct span in, bool with_cert)
{
	struct buf again = BUF_INIT(BLOCK_FILE_MAX), header = again;
	struct span body, tx;
	struct merkle tree;
	struct block b;
	struct err e;
	uint32_t txs = 0;
	int r;

	if (block_parse(&b, in, with_cert, &l.id, &e) != 0) {
		assert(e.kind == ERR_BAD);
		return;
	}
	assert((b.certificate.n > 0) == with_cert);
	block_join(&again, b.header, b.certificate, b.body);
	assert(span_eq(buf_span(&again), in));
	block_header_text(&header, &b.h, &l.id);
	assert(span_eq(buf_span(&header), b.header));
	for (body = b.body; (r = block_next_tx(&body, &tx)) == 1; txs++)
		assert(tx.n <= TX_MAX);
	assert(r == 0 && txs == b.h.txs);
	merkle_init(&tree);
	if (block_check_root(&b, &tree, &e) != 0)
		assert(e.kind == ERR_BAD);
	assert(tree.size == txs);
	buf_free(&again);
	buf_free(&header);
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	if (l.ruth.sign == NULL)
		little_open(&l);
	parse(span_of(p, n), false);
	parse(span_of(p, n), true);
	return 0;
}
