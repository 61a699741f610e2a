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

static struct known other;

/* What was read is read from its file as the same. */
static void
check_file(void)
{
	struct buf out = BUF_INIT(KNOWN_TEXT_MAX);
	struct err e;

	known_format_file(&out, &k, &ledger);
	assert(known_parse_file(&other, buf_span(&out), &ledger, &e) == 0);
	assert(other.n == k.n &&
	    memcmp(other.p, k.p, k.n * sizeof(k.p[0])) == 0);
	buf_free(&out);
}

/* And of a file that is read, each byte is as it would be written. */
static void
check_bytes(struct span in)
{
	struct buf out = BUF_INIT(KNOWN_TEXT_MAX);
	struct err e;

	if (known_parse_file(&other, in, &ledger, &e) == 0) {
		known_format_file(&out, &other, &ledger);
		assert(span_eq(buf_span(&out), in));
	} else
		assert(e.kind == ERR_BAD || e.kind == ERR_NO);
	buf_free(&out);
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct buf out = BUF_INIT(KNOWN_TEXT_MAX);
	struct err e;

	if (known_parse(&k, span_of(p, n), &ledger, &e) == 0) {
		check_all();
		check_file();
		known_format(&out, &k, &ledger);
		assert(span_eq(buf_span(&out), span_of(p, n)));
	} else
		assert(e.kind == ERR_BAD || e.kind == ERR_NO);
	check_bytes(span_of(p, n));
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
