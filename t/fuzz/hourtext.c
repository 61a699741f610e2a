/* hourtext: the parser of hourly logs; what it takes is one encoding only. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/stamp.h"
#include "log/hourtext.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The lines are copied: what they mean is in the ledger, not in the text. */
int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct hash ledger;
	struct hourtext_head h;
	struct merkle tree;
	struct buf back = BUF_INIT(1u << 22);
	struct span text = span_of(data, size);
	struct err e;
	size_t lines = 0;

	if (hourtext_parse(&h, &tree, text, &ledger, &e) != 0) {
		assert(e.kind == ERR_BAD);
		return 0;
	}
	hourtext_add_head(&back, &h, &ledger);
	assert(back.len <= size && memcmp(back.p, data, back.len) == 0);
	for (size_t i = back.len; i < size; i++)
		lines += data[i] == '\n';
	assert(lines == tree.size);
	assert(size == 0 || data[size - 1] == '\n');
	buf_free(&back);
	return 0;
}
