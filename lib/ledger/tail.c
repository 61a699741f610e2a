#include "ledger/tail.h"

#include "crypto/hash.h"

void
tail_add(struct buf *out, size_t start)
{
	char hex[HASH_HEX];
	struct hash sum;

	if (out->failed)
		return;
	hash_bytes(&sum, out->p + start, out->len - start);
	hash_format(hex, &sum);
	buf_addf(out, "check %s\n", hex);
}

int
tail_expect(struct text *t, struct span whole, struct err *e)
{
	struct hash said, sum;

	hash_bytes(&sum, whole.p, whole.n - t->rest.n);
	if (text_hash(t, "check", said.b, e) != 0 || text_done(t, e) != 0)
		return -1;
	return hash_eq(&sum, &said) ? 0 : text_bad(t, e, "does not fit the "
	    "lines before");
}
