/* What is read as a consensus message is written as the same bytes. */
#include <stdlib.h>

#include "dbft/msg.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct buf out = BUF_INIT(DBFT_MSG_MAX);
	struct hash ledger;
	struct dbft_msg m;
	struct err e;

	memset(ledger.b, 0xaa, sizeof(ledger.b));
	if (dbft_msg_parse(&m, &ledger, span_of(data, n), &e) == 0) {
		dbft_msg_format(&out, &ledger, &m);
		if (buf_check(&out, "message", &e) != 0 ||
		    !span_eq(buf_span(&out), span_of(data, n)))
			abort();
		if (m.kind == DBFT_CHANGE && m.prepared &&
		    m.prepared_view >= m.view)
			abort();
	}
	buf_free(&out);
	return 0;
}
