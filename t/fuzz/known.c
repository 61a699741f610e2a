/*
 * known: what is read as a list of peers is written again as it was, and an
 * address has nothing in it that a shell or an option parser would see.
 */
#include <assert.h>

#include "net/known.h"

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

static struct known k;
static const struct hash ledger;

static void
check_all(void)
{
	for (size_t i = 0; i < k.n; i++) {
		const char *a = k.p[i].address;

		assert(a[0] != '-' && strlen(a) <= KNOWN_ADDRESS_MAX);
		assert(strpbrk(a, " \t\n'\"`$;&|<>(){}[]*?!~#\\%=+,") == NULL);
		assert(strstr(a, "@-") == NULL && strstr(a, "/-") == NULL);
		assert(i == 0 || strcmp(k.p[i - 1].name, k.p[i].name) < 0);
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct buf out = BUF_INIT(KNOWN_TEXT_MAX);
	struct err e;

	if (known_parse(&k, span_of(p, n), &ledger, &e) == 0) {
		check_all();
		known_format(&out, &k, &ledger);
		assert(span_eq(buf_span(&out), span_of(p, n)));
	} else
		assert(e.kind == ERR_BAD || e.kind == ERR_NO);
	buf_reset(&out);
	if (known_parse_answer(&k, span_of(p, n), &e) == 0) {
		check_all();
		known_format_answer(&out, &k);
		assert(span_eq(buf_span(&out), span_of(p, n)));
	} else
		assert(e.kind == ERR_BAD);
	buf_free(&out);
	return 0;
}
