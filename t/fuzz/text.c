/*
 * text: lines that were read, put together again, are the text; and so are
 * indented blocks.  Then the lines are read as keys with values.
 */
#include <assert.h>

#include "base/text.h"
#include "base/utf8.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

static void
lines(struct span in)
{
	struct buf again = BUF_INIT(in.n);
	struct span line;
	struct text t;
	struct err e;
	int r = 0;

	text_init(&t, in, "fuzz");
	while (!text_end(&t) && (r = text_line(&t, &line, &e)) == 0) {
		assert(line.n > 0 && utf8_line(line));
		assert(line.p[0] != ' ' && line.p[line.n - 1] != ' ');
		assert(memchr(line.p, '\n', line.n) == NULL);
		buf_add(&again, line.p, line.n);
		buf_addc(&again, '\n');
	}
	assert(again.failed == 0 && again.len <= in.n);
	assert(again.len == 0 || memcmp(again.p, in.p, again.len) == 0);
	assert(r != 0 || again.len == in.n);
	buf_free(&again);
}

static void
block(struct span in)
{
	struct buf out = BUF_INIT(in.n), again = BUF_INIT(in.n);
	struct text t;
	struct err e;

	text_init(&t, in, "fuzz");
	if (text_block(&t, &out, &e) == 0) {
		text_add_block(&again, buf_span(&out));
		assert(again.failed == 0 && again.len == in.n - t.rest.n);
		assert(memcmp(again.p, in.p, again.len) == 0);
	}
	buf_free(&out);
	buf_free(&again);
}

static void
keys(struct span in)
{
	struct span value, word;
	unsigned char hash[32];
	struct text t;
	struct err e = { 0 };
	uint64_t u;
	int64_t ms;

	text_init(&t, in, "fuzz");
	for (;;) {
		int r = text_next_is(&t, "n") ? text_u64(&t, "n", 100, &u, &e) :
		    text_next_is(&t, "t") ? text_time(&t, "t", &ms, &e) :
		    text_next_is(&t, "h") ? text_hash(&t, "h", hash, &e) :
		    text_key(&t, "k", &value, &e);

		if (r != 0)
			break;
	}
	assert(e.kind == ERR_BAD && utf8_line(span_str(e.msg)));
	for (word = in; word.n > 0;)
		text_word(&word);
	if (text_parse_u64(&u, in, UINT64_MAX) == 0) {
		struct buf b = BUF_INIT(32);

		buf_addf(&b, "%llu", (unsigned long long)u);
		assert(span_eq(buf_span(&b), in));
		buf_free(&b);
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	lines(span_of(p, n));
	block(span_of(p, n));
	keys(span_of(p, n));
	return 0;
}
