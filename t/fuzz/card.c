/*
 * card: what parses is what its owner would make again; and so is a profile.
 * The input is tried as it is, and as a text that Kun or a hospital signs.
 */
#include "../unit/little.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

static struct little l;

static void
signed_by(const struct identity *id, struct span text)
{
	struct buf note = BUF_INIT(NOTE_MAX), again = BUF_INIT(NOTE_MAX);
	struct card c;
	struct err e;

	if (identity_sign(&note, text, id, &e) == 0) {
		if (card_parse(&c, buf_span(&note), true, &e) == 0) {
			assert(span_is(c.name, id->name));
			assert(card_make(&again, &c, id, &e) == 0);
			assert(span_eq(buf_span(&note), buf_span(&again)));
		} else
			assert(e.kind == ERR_BAD || e.kind == ERR_NO);
	}
	buf_free(&note);
	buf_free(&again);
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct span in = span_of(p, n);
	struct buf again = BUF_INIT(2 * n + 200);
	struct card c;
	struct err e;

	if (l.ruth.sign == NULL)
		little_open(&l);
	if (card_parse(&c, in, false, &e) != 0)
		assert(e.kind == ERR_BAD || e.kind == ERR_NO);
	signed_by(&l.kun, in);
	signed_by(&l.node[0], in);
	if (card_profile_parse(&c, in, &e) == 0) {
		card_profile(&again, &c);
		assert(span_eq(buf_span(&again), in));
	} else
		assert(e.kind == ERR_BAD);
	buf_free(&again);
	return 0;
}
