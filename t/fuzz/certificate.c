/*
 * certificate: what is accepted is the commit statement of one view to the
 * block, and a quorum signed it.  The input is tried as it is, and as a text
 * that the delegates of its first byte sign.
 */
#include "../unit/little.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

static struct little l;
static struct block_header h;

static void
check(struct span note, int signed_by)
{
	struct buf want = BUF_INIT(1024);
	struct span text;
	struct text t;
	struct note n;
	struct err e;
	uint64_t signers, view;

	if (certificate_check(note, &h, &l.delegates, &l.id, &signers,
	    &e) != 0) {
		assert(e.kind == ERR_BAD || e.kind == ERR_NO);
		return;
	}
	assert(__builtin_popcountll(signers) >= 3 && signers < 16);
	assert(signed_by < 0 || signers == (uint64_t)signed_by);
	assert(note_parse(&n, note, "certificate", &e) == 0);
	assert(n.nsigs == (size_t)__builtin_popcountll(signers));
	text = n.text;
	text_init(&t, text, "certificate");
	while (!text_next_is(&t, "view"))
		assert(text_line(&t, &text, &e) == 0);
	assert(text_u64(&t, "view", BLOCK_VIEW_MAX, &view, &e) == 0);
	certificate_text(&want, h.height, (uint32_t)view, &h.id, &l.id);
	assert(span_eq(buf_span(&want), n.text));
	buf_free(&want);
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct buf note = BUF_INIT(BLOCK_CERT_MAX);
	struct err e;

	if (l.ruth.sign == NULL) {
		little_open(&l);
		h.height = 1;
		little_object(&h.id, "a block");
	}
	check(span_of(p, n), -1);
	if (n < 2)
		return 0;
	buf_add(&note, p + 1, n - 1);
	buf_addc(&note, '\n');
	for (int i = 0; i < LITTLE_NODES; i++)
		if ((p[0] & 1 << i) != 0)
			little_ok(note_sign_line(&note, span_of(p + 1, n - 1),
			    span_str(l.node[i].name), l.node[i].sign, &e));
	if (!note.failed)
		check(buf_span(&note), p[0] & 15);
	buf_free(&note);
	return 0;
}
