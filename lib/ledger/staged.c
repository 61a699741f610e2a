#include "ledger/staged.h"

#include "base/stamp.h"
#include "ledger/name.h"

static int
read_body(struct staged *s, struct text *t, struct err *e)
{
	struct span v;

	if (text_key(t, "body", &v, e) != 0)
		return -1;
	if (hash_parse(&s->body, text_word(&v)) != 0 ||
	    text_parse_u64(&s->body_size, v, STAGED_BODY_MAX) != 0)
		return text_bad(t, e, "\"body\" is not a hash and a size");
	return text_hash(t, "header", s->header.b, e);
}

static int
read_text(struct staged *s, const struct hash *ledger, struct err *e)
{
	struct text t;

	text_init(&t, s->note.text, "staged record");
	if (head_expect(&t, "record", ledger, e) != 0 ||
	    text_time(&t, "time", &s->time_ms, e) != 0 ||
	    text_key(&t, "author", &s->author, e) != 0 ||
	    text_key(&t, "patient", &s->patient, e) != 0 ||
	    text_key(&t, "label", &s->label, e) != 0 ||
	    read_body(s, &t, e) != 0)
		return -1;
	if (!name_is_handle(s->author) || !name_is_handle(s->patient))
		return text_bad(&t, e, "author or patient is not a handle");
	if (!name_is_label(s->label))
		return text_bad(&t, e, "\"%.*s\" is not a label",
		    SPAN_FMT(s->label));
	return text_done(&t, e);
}

int
staged_parse(struct staged *s, struct span whole, const struct hash *ledger,
    struct err *e)
{
	if (whole.n > STAGED_MAX)
		return err_set(e, ERR_BAD,
		    "staged record: longer than %d bytes", STAGED_MAX);
	if (note_parse(&s->note, whole, "staged record", e) != 0 ||
	    read_text(s, ledger, e) != 0)
		return -1;
	if (s->note.nsigs != 1 || !span_eq(s->note.sig[0].name, s->author))
		return err_set(e, ERR_BAD,
		    "staged record: exactly its author's signature expected");
	hash_bytes(&s->id, whole.p, whole.n);
	return 0;
}

void
staged_text(struct buf *out, const struct staged *s, const struct hash *ledger)
{
	char time[STAMP_LEN + 1], body[HASH_HEX], header[HASH_HEX];

	stamp_format(time, s->time_ms);
	hash_format(body, &s->body);
	hash_format(header, &s->header);
	head_add(out, "record", ledger);
	buf_addf(out, "time %s\nauthor %.*s\npatient %.*s\nlabel %.*s\n"
	    "body %s %llu\nheader %s\n", time, SPAN_FMT(s->author),
	    SPAN_FMT(s->patient), SPAN_FMT(s->label), body,
	    (unsigned long long)s->body_size, header);
}
