#include "net/entry.h"

#include "base/stamp.h"
#include "base/text.h"
#include "crypto/note.h"

#define CERTIFICATE "certificate "
#define PROPOSAL "proposal "

static const struct {
	const char *name;
	enum dbft_kind kind;
} words[] = {
	{ "change-view", DBFT_CHANGE },
	{ "commit", DBFT_COMMIT },
	{ "entered", DBFT_NONE },
	{ "prepare", DBFT_PREPARE }
};
#define NWORDS (sizeof(words) / sizeof(*words))

void
entry_format(struct buf *out, const struct dbft_record *r)
{
	char time[STAMP_LEN + 1], hex[HASH_HEX];
	size_t i = 0;

	stamp_format(time, r->at_ms);
	hash_format(hex, &r->msg.block);
	while (words[i].kind != r->msg.kind)
		i++;
	buf_addf(out, "%s %s %u", time, words[i].name, (unsigned)r->msg.view);
	if (r->msg.kind == DBFT_NONE)
		return;
	if (r->msg.kind != DBFT_CHANGE)
		buf_addf(out, " %s", hex);
	else if (r->msg.prepared)
		buf_addf(out, " %u %s", (unsigned)r->msg.prepared_view, hex);
	else
		buf_adds(out, " none");
}

void
entry_certificate(struct buf *out, struct span note)
{
	buf_adds(out, CERTIFICATE);
	note_fold(out, note);
}

void
entry_proposal(struct buf *out, struct span note)
{
	buf_adds(out, PROPOSAL);
	note_fold(out, note);
}

/* The note after a word; false if the text has another word. */
static bool
parse_note(struct buf *note, struct span text, const char *word)
{
	size_t n = strlen(word);

	if (!span_starts(text, word))
		return false;
	note_unfold(note, span_of(text.p + n, text.n - n));
	return true;
}

/* What follows the view: 0, or -1. */
static int
parse_rest(struct dbft_msg *m, struct span rest)
{
	uint64_t view;

	if (m->kind == DBFT_NONE)
		return rest.n == 0 ? 0 : -1;
	if (m->kind == DBFT_CHANGE) {
		if (m->view == 0)
			return -1;
		if (span_is(rest, "none"))
			return 0;
		if (text_parse_u64(&view, text_word(&rest), m->view - 1) != 0)
			return -1;
		m->prepared = true;
		m->prepared_view = (uint32_t)view;
	}
	return hash_parse(&m->block, rest);
}

static int
parse_record(struct dbft_record *r, uint64_t height, struct span text)
{
	struct span rest = text, word;
	uint64_t view;
	size_t i;

	memset(r, 0, sizeof(*r));
	r->msg.height = height;
	if (stamp_parse(&r->at_ms, text_word(&rest)) != 0)
		return -1;
	word = text_word(&rest);
	for (i = 0; i < NWORDS; i++)
		if (span_is(word, words[i].name))
			break;
	if (i == NWORDS ||
	    text_parse_u64(&view, text_word(&rest), DBFT_VIEW_MAX) != 0)
		return -1;
	r->msg.kind = words[i].kind;
	r->msg.view = (uint32_t)view;
	return parse_rest(&r->msg, rest);
}

int
entry_parse(enum entry_kind *kind, struct dbft_record *r, struct buf *note,
    const struct votes_entry *x, struct err *e)
{
	if (span_is(x->text, "floor"))
		*kind = ENTRY_FLOOR;
	else if (parse_note(note, x->text, CERTIFICATE))
		*kind = ENTRY_CERTIFICATE;
	else if (parse_note(note, x->text, PROPOSAL))
		*kind = ENTRY_PROPOSAL;
	else if (parse_record(r, x->height, x->text) == 0)
		*kind = ENTRY_RECORD;
	else
		return err_set(e, ERR_BAD, "%s: an entry of height %llu says "
		    "nothing that this version knows", VOTES_PATH,
		    (unsigned long long)x->height);
	return buf_check(note, VOTES_PATH, e);
}
