#include "ledger/head.h"

void
head_add(struct buf *out, const char *kind, const struct hash *ledger)
{
	char id[HASH_HEX] = "-";

	if (ledger != NULL)
		hash_format(id, ledger);
	buf_addf(out, "ehr.v1 %s %s\n", kind, id);
}

int
head_read(struct text *t, struct span *kind, const struct hash *ledger,
    struct err *e)
{
	struct span rest;
	struct hash id;

	if (text_key(t, "ehr.v1", &rest, e) != 0)
		return -1;
	*kind = text_word(&rest);
	if (ledger == NULL) {
		if (!span_is(rest, "-"))
			return text_bad(t, e, "\"-\" for the ledger expected");
		return 0;
	}
	if (hash_parse(&id, rest) != 0)
		return text_bad(t, e, "no ledger id");
	if (!hash_eq(&id, ledger))
		return text_bad(t, e, "of another ledger");
	return 0;
}

int
head_expect(struct text *t, const char *kind, const struct hash *ledger,
    struct err *e)
{
	struct span is;

	if (head_read(t, &is, ledger, e) != 0)
		return -1;
	if (!span_is(is, kind))
		return text_bad(t, e, "\"%s\" expected, not \"%.*s\"", kind,
		    SPAN_FMT(is));
	return 0;
}

struct span
head_kind(struct span text)
{
	const unsigned char *nl = text.n == 0 ? NULL :
	    memchr(text.p, '\n', text.n);
	struct span line;

	if (nl == NULL || !span_starts(text, "ehr.v1 "))
		return span_of(NULL, 0);
	line = span_of(text.p + 7, (size_t)(nl - text.p) - 7);
	return text_word(&line);
}
