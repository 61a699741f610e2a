#include "ledger/checkpoint.h"

#include "base/base64.h"
#include "base/text.h"
#include "crypto/cosign.h"

void
checkpoint_text(struct buf *out, const struct hash *ledger, uint64_t size,
    const struct hash *root)
{
	char origin[HASH_HEX];

	hash_format(origin, ledger);
	buf_addf(out, "%s\n%llu\n", origin, (unsigned long long)size);
	base64_add(out, root->b, HASH_LEN, true);
	buf_addc(out, '\n');
}

int
checkpoint_parse_text(uint64_t *size, struct hash *root, struct span text,
    const struct hash *ledger, struct err *e)
{
	struct span line;
	struct hash origin;
	struct text t;
	size_t n;

	text_init(&t, text, "checkpoint");
	if (text_line(&t, &line, e) != 0)
		return -1;
	if (hash_parse(&origin, line) != 0 || !hash_eq(&origin, ledger))
		return text_bad(&t, e, "not the id of this ledger");
	if (text_line(&t, &line, e) != 0)
		return -1;
	if (text_parse_u64(size, line, INT64_MAX) != 0)
		return text_bad(&t, e, "not a number of transactions");
	if (text_line(&t, &line, e) != 0)
		return -1;
	if (base64_decode(root->b, HASH_LEN, &n, line, true) != 0 ||
	    n != HASH_LEN)
		return text_bad(&t, e, "not a root in base64");
	return text_done(&t, e);
}

int
checkpoint_parse(struct checkpoint *c, struct span whole,
    const struct hash *ledger, struct err *e)
{
	if (whole.n > CHECKPOINT_MAX)
		return err_set(e, ERR_BAD, "checkpoint: longer than %d bytes",
		    CHECKPOINT_MAX);
	if (note_parse(&c->note, whole, "checkpoint", e) != 0)
		return -1;
	return checkpoint_parse_text(&c->size, &c->root, c->note.text, ledger,
	    e);
}

int
checkpoint_sign_line(struct buf *out, struct span text,
    const struct hash *ledger, const struct sign_key *k, struct err *e)
{
	char origin[HASH_HEX];

	hash_format(origin, ledger);
	return note_sign_line(out, text, span_str(origin), k, e);
}

bool
checkpoint_is_log(const struct checkpoint *c, size_t i,
    const struct hash *ledger)
{
	char origin[HASH_HEX];

	hash_format(origin, ledger);
	return span_is(c->note.sig[i].name, origin);
}

int
checkpoint_verify(const struct checkpoint *c, size_t i,
    const struct hash *ledger, struct span name, const struct sign_pub *pub,
    uint64_t *time_s, struct err *e)
{
	char origin[HASH_HEX];

	if (!checkpoint_is_log(c, i, ledger))
		return cosign_verify(&c->note, i, name, pub, time_s, e);
	*time_s = 0;
	hash_format(origin, ledger);
	return note_verify(&c->note, i, span_str(origin), pub, e);
}
