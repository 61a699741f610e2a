/*
 * receipt: what is taken apart is put together the same, and what verifies is
 * what somebody made: a receipt of the little ledger.  The input is tried as
 * it is, and as changes to a receipt that verifies.
 */
#include "../unit/proven.h"
#include "ledger/receipt_report.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

static struct little l;
static struct buf good = BUF_INIT(RECEIPT_MAX);

static void
check(struct span in)
{
	struct receipt_trust trust = { &l.id, NULL };
	struct buf out = BUF_INIT(RECEIPT_MAX);
	struct receipt r;
	struct err e;

	if (receipt_parse(&r, in, &e) != 0) {
		assert(e.kind == ERR_BAD);
		return;
	}
	receipt_text(&out, &r);
	assert(span_eq(buf_span(&out), in));
	buf_reset(&out);
	if (receipt_report(&out, in, &trust, in.n % 2 == 0, &e) == 0)
		assert(span_eq(in, buf_span(&good)) || in.n != good.len);
	else
		assert(e.kind == ERR_BAD || e.kind == ERR_NO);
	buf_free(&out);
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct buf other = BUF_INIT(RECEIPT_MAX);
	size_t at;

	if (l.ruth.sign == NULL) {
		little_open(&l);
		proven_example(&good, &l);
	}
	check(span_of(p, n));
	if (n < 3)
		return 0;
	/* The input in the place of as many bytes of a good one. */
	at = (p[0] + 256u * p[1]) % good.len;
	buf_add(&other, good.p, good.len);
	for (size_t i = 2; i < n && at + i - 2 < good.len; i++)
		other.p[at + i - 2] = p[i];
	check(buf_span(&other));
	buf_free(&other);
	return 0;
}
