#include "dbft/msg.h"

#include <assert.h>

#include "base/hex.h"
#include "base/text.h"

static const char *const name_of[] = {
	[DBFT_CHANGE] = "change-view",
	[DBFT_PREPARE] = "prepare",
	[DBFT_COMMIT] = "commit"
};

/* "ehr.v1 KIND LEDGER" */
static int
parse_head(struct dbft_msg *m, const struct hash *ledger, struct text *t,
    struct err *e)
{
	struct span rest, word;
	struct hash of;

	if (text_key(t, "ehr.v1", &rest, e) != 0)
		return -1;
	word = text_word(&rest);
	for (int k = DBFT_CHANGE; k <= DBFT_COMMIT; k++)
		if (span_is(word, name_of[k]))
			m->kind = (enum dbft_kind)k;
	if (m->kind == DBFT_NONE)
		return text_bad(t, e, "not a message of the consensus");
	if (hex_decode(of.b, sizeof(of.b), rest) != 0)
		return text_bad(t, e, "no ledger id");
	if (!hash_eq(&of, ledger))
		return text_bad(t, e, "of another ledger");
	return 0;
}

/* "prepared none" or "prepared PV HEX64" */
static int
parse_claim(struct dbft_msg *m, struct text *t, struct err *e)
{
	struct span rest;
	uint64_t view;

	if (text_key(t, "prepared", &rest, e) != 0)
		return -1;
	if (span_is(rest, "none"))
		return 0;
	if (text_parse_u64(&view, text_word(&rest), m->view - 1) != 0)
		return text_bad(t, e, "\"prepared\" names no earlier view");
	if (hex_decode(m->block.b, sizeof(m->block.b), rest) != 0)
		return text_bad(t, e, "\"prepared\" names no block");
	m->prepared = true;
	m->prepared_view = (uint32_t)view;
	return 0;
}

int
dbft_msg_parse(struct dbft_msg *out, const struct hash *ledger,
    struct span whole, struct err *e)
{
	struct dbft_msg m;
	struct text t;
	uint64_t view;
	int rc;

	memset(&m, 0, sizeof(m));
	text_init(&t, whole, "consensus message");
	if (parse_head(&m, ledger, &t, e) != 0 ||
	    text_u64(&t, "height", DBFT_HEIGHT_MAX, &m.height, e) != 0 ||
	    text_u64(&t, "view", DBFT_VIEW_MAX, &view, e) != 0)
		return -1;
	m.view = (uint32_t)view;
	if (m.height == 0)
		return text_bad(&t, e, "nobody votes on the genesis");
	if (m.kind == DBFT_CHANGE && view == 0)
		return text_bad(&t, e, "no delegate moves to view 0");
	if (m.kind == DBFT_CHANGE)
		rc = parse_claim(&m, &t, e);
	else
		rc = text_hash(&t, "block", m.block.b, e);
	if (rc != 0 || text_done(&t, e) != 0)
		return -1;
	*out = m;
	return 0;
}

void
dbft_msg_format(struct buf *out, const struct hash *ledger,
    const struct dbft_msg *m)
{
	char of[HASH_HEX], block[HASH_HEX];

	assert(m->kind >= DBFT_CHANGE && m->kind <= DBFT_COMMIT);
	hex_encode(of, ledger->b, sizeof(ledger->b));
	hex_encode(block, m->block.b, sizeof(m->block.b));
	buf_addf(out, "ehr.v1 %s %s\nheight %llu\nview %u\n",
	    name_of[m->kind], of, (unsigned long long)m->height,
	    (unsigned)m->view);
	if (m->kind != DBFT_CHANGE)
		buf_addf(out, "block %s\n", block);
	else if (m->prepared)
		buf_addf(out, "prepared %u %s\n", (unsigned)m->prepared_view,
		    block);
	else
		buf_adds(out, "prepared none\n");
}
