/* note: a text, an empty line and signature lines are the whole note. */
#include <assert.h>

#include "base/utf8.h"
#include "crypto/note.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct buf again = BUF_INIT(NOTE_MAX);
	struct sign_pub pub = { SIGN_ED25519, 32, { 0x58, 0x66, 0x66 } };
	struct note note;
	struct err e;

	if (note_parse(&note, span_of(p, n), "fuzz", &e) != 0) {
		assert(e.kind == ERR_BAD && utf8_line(span_str(e.msg)));
		return 0;
	}
	assert(note.nsigs >= 1 && note.nsigs <= NOTE_SIGS_MAX);
	assert(note.text.n > 0 && note.text.p[note.text.n - 1] == '\n');
	buf_add(&again, note.text.p, note.text.n);
	buf_addc(&again, '\n');
	for (size_t i = 0; i < note.nsigs; i++) {
		struct note_sig *s = &note.sig[i];
		int first = note_find(&note, s->name);

		assert(note_name_ok(s->name));
		assert(first >= 0 && (size_t)first <= i);
		buf_add(&again, s->line.p, s->line.n);
		if (note_verify(&note, i, s->name, &pub, &e) != 0)
			assert(e.kind == ERR_BAD || e.kind == ERR_NO);
	}
	assert(span_eq(buf_span(&again), span_of(p, n)));
	buf_free(&again);
	return 0;
}
