/*
 * genesis: what parses is written again as it was.  The input is tried as it
 * is, and as a text that hospital-a signs.
 */
#include "../unit/little.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

static struct little l;
static struct genesis g;	/* large */

static void
parse(struct span whole)
{
	struct buf again = BUF_INIT(2 * NOTE_MAX);
	struct settings s;
	struct err e;
	struct note n;

	if (genesis_parse(&g, whole, &e) != 0) {
		assert(e.kind == ERR_BAD || e.kind == ERR_NO);
		return;
	}
	assert(note_parse(&n, whole, "genesis", &e) == 0);
	genesis_text(&again, &g);
	assert(span_eq(buf_span(&again), n.text));
	s = g.settings;
	assert(settings_check(&s, &e) == 0);
	buf_free(&again);
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct buf note = BUF_INIT(NOTE_MAX);
	struct err e;

	if (l.ruth.sign == NULL)
		little_open(&l);
	parse(span_of(p, n));
	if (identity_sign(&note, span_of(p, n), &l.node[0], &e) == 0)
		parse(buf_span(&note));
	buf_free(&note);
	return 0;
}
