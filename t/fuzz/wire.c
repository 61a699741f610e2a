/* wire: what parses as messages of the consensus is written the same. */
#include <assert.h>

#include "net/judge.h"
#include "net/wire.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	static struct delegates set;
	struct buf again = BUF_INIT(WIRE_PAYLOAD_MAX);
	struct span rest = span_of(p, n);
	struct hash ledger = { { 0 } };
	struct dbft_signed v;
	struct dbft_cert c;
	struct wire_msg m;
	uint64_t height;
	struct err e;
	int got;

	set.n = 4;
	strcpy(set.d[1].name, "hospital-b");
	while ((got = wire_next(&m, &rest, &e)) == 1) {
		assert(m.n >= 1 && m.n <= WIRE_PARTS_MAX);
		wire_add(&again, &m);
		for (size_t i = 0; i < m.n; i++) {
			struct span data = m.part[i].data;

			assert(data.n > 0 && data.p >= p &&
			    data.p + data.n <= p + n);
			if (judge_height(&height, data, &ledger, &e) == 0)
				assert(height <= DBFT_HEIGHT_MAX);
			/* Nobody has signed for these keys. */
			assert(judge_vote(&v, data, &ledger, &set, false,
			    &e) != 0);
			assert(judge_cert(&c, DBFT_PREPARE, data, &ledger,
			    &set, false, &e) != 0);
		}
	}
	if (got == 0)
		assert(span_eq(buf_span(&again), span_of(p, n)));
	else
		assert(e.kind == ERR_BAD);
	buf_free(&again);
	return 0;
}
