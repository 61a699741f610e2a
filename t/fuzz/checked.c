/*
 * checked: what a check remembers.  Nothing is read without the HMAC; with it,
 * what is read is written again as it was.
 */
#include <assert.h>
#include <stdlib.h>

#include "log/checked.h"

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

static const struct hash ledger, key = { { 1 } };

static void
look(const struct checked *c, struct span whole)
{
	struct buf out = BUF_INIT(CHECKED_MAX);

	for (size_t i = 0; i < c->groups.n; i++)
		assert(checked_find(&c->groups, c->groups.v[i].name) ==
		    &c->groups.v[i]);
	checked_format(&out, c, &ledger, &key);
	assert(span_eq(buf_span(&out), whole));
	buf_free(&out);
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct buf whole = BUF_INIT(CHECKED_MAX);
	struct span text = span_of(p, n);
	char hex[HASH_HEX];
	struct checked c;
	struct hash sum;
	struct err e;

	assert(checked_parse(&c, text, &ledger, &key, &e) != 0);
	assert(e.kind == ERR_BAD);
	checked_free(&c);
	hash_hmac(&sum, span_of(key.b, HASH_LEN), &text, 1);
	hash_format(hex, &sum);
	buf_add(&whole, p, n);
	buf_addf(&whole, "hmac %s\n", hex);
	if (checked_parse(&c, buf_span(&whole), &ledger, &key, &e) == 0)
		look(&c, buf_span(&whole));
	else
		assert(e.kind == ERR_BAD || e.kind == ERR_NO);
	checked_free(&c);
	/* And not with another key, or another byte. */
	whole.p[n / 2]++;
	assert(checked_parse(&c, buf_span(&whole), &ledger, &key, &e) != 0);
	checked_free(&c);
	buf_free(&whole);
	return 0;
}
