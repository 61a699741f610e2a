/* tx: the text of a transaction that parses is written again as it was. */
#include "../unit/little.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

static struct little l;

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct buf again = BUF_INIT(2 * TX_MAX), said = BUF_INIT(200);
	struct err e;
	struct tx tx;

	if (l.ruth.sign == NULL)
		little_open(&l);
	if (tx_parse(&tx, span_of(p, n), &l.id, &e) != 0) {
		assert(e.kind == ERR_BAD && tx.manifest.p == NULL);
		return 0;
	}
	tx_text(&again, &tx, &l.id);
	assert(span_eq(buf_span(&again), tx.note.text));
	assert(tx.nreaders <= TX_READERS_MAX);
	assert(tx.kind != TX_AUTHORIZE || hash_eq(&tx.record, &tx.staged.id));
	tx_describe(&said, &tx);
	assert(said.len > 0 && !said.failed);
	assert(memchr(said.p, '\n', said.len) == NULL);
	tx_free(&tx);
	buf_free(&again);
	buf_free(&said);
	return 0;
}
