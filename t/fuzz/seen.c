/* Whose votes were seen: what is read is written the same. */
#include <assert.h>
#include <stdio.h>

#include "net/seen.h"

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	static const struct hash ledger;
	struct buf out = BUF_INIT(SEEN_MAX);
	struct delegates set = { .n = 4 };
	struct seen s, again;
	struct err e;

	for (size_t i = 0; i < set.n; i++)
		snprintf(set.d[i].name, sizeof(set.d[i].name), "hospital-%c",
		    (char)('a' + i));
	if (seen_parse(&s, span_of(p, n), &ledger, &set, &e) == 0) {
		seen_format(&out, &s, &ledger, &set);
		assert(!out.failed);
		assert(seen_parse(&again, buf_span(&out), &ledger, &set,
		    &e) == 0);
		assert(memcmp(&s, &again, sizeof(s)) == 0);
	}
	buf_free(&out);
	return 0;
}
