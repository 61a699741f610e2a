/* staged: the text of a manifest that parses is written again as it was. */
#include "../unit/little.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

static struct little l;

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct buf again = BUF_INIT(2 * STAGED_MAX);
	struct staged s;
	struct err e;

	if (l.ruth.sign == NULL)
		little_open(&l);
	if (staged_parse(&s, span_of(p, n), &l.id, &e) != 0) {
		assert(e.kind == ERR_BAD);
		return 0;
	}
	staged_text(&again, &s, &l.id);
	assert(span_eq(buf_span(&again), s.note.text));
	assert(name_is_handle(s.author) && name_is_handle(s.patient));
	assert(s.body_size <= STAGED_BODY_MAX);
	buf_free(&again);
	return 0;
}
