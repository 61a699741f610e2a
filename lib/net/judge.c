#include "net/judge.h"

#include "crypto/note.h"

static int
read_msg(struct dbft_msg *m, struct note *n, struct span bytes,
    const struct hash *ledger, struct err *e)
{
	if (note_parse(n, bytes, "consensus message", e) != 0)
		return -1;
	return dbft_msg_parse(m, ledger, n->text, e);
}

int
judge_height(uint64_t *height, struct span bytes, const struct hash *ledger,
    struct err *e)
{
	struct dbft_msg m;
	struct note n;

	if (read_msg(&m, &n, bytes, ledger, e) != 0)
		return -1;
	*height = m.height;
	return 0;
}

int
judge_vote(struct dbft_signed *out, struct span bytes,
    const struct hash *ledger, const struct delegates *set, bool trust,
    struct err *e)
{
	struct note n;
	int who;

	if (read_msg(&out->msg, &n, bytes, ledger, e) != 0)
		return -1;
	if (n.nsigs != 1)
		return err_set(e, ERR_BAD, "consensus message: a vote has one "
		    "signature, this has %zu", n.nsigs);
	who = delegates_find(set, n.sig[0].name);
	if (who < 0)
		return err_set(e, ERR_NO, "consensus message: %.*s is no "
		    "delegate of height %llu", SPAN_FMT(n.sig[0].name),
		    (unsigned long long)out->msg.height);
	out->signer = (unsigned)who;
	return trust ? 0 : note_verify(&n, 0, n.sig[0].name,
	    &set->d[who].sign, e);
}

int
judge_cert(struct dbft_cert *out, enum dbft_kind kind, struct span bytes,
    const struct hash *ledger, const struct delegates *set, bool trust,
    struct err *e)
{
	struct dbft_msg m;
	struct note n;
	int last = -1;

	if (read_msg(&m, &n, bytes, ledger, e) != 0)
		return -1;
	if (m.kind != kind)
		return err_set(e, ERR_BAD, "consensus message: a certificate "
		    "of another kind");
	*out = (struct dbft_cert){ m.height, m.view, m.block, 0 };
	for (size_t i = 0; i < n.nsigs; i++) {
		int who = delegates_find(set, n.sig[i].name);

		if (who <= last)
			return err_set(e, ERR_BAD, "consensus message: %.*s "
			    "is no delegate, or out of order",
			    SPAN_FMT(n.sig[i].name));
		if (!trust && note_verify(&n, i, n.sig[i].name,
		    &set->d[who].sign, e) != 0)
			return -1;
		out->signers |= UINT64_C(1) << who;
		last = who;
	}
	if (n.nsigs < delegates_quorum(set->n))
		return err_set(e, ERR_NO, "consensus message: %zu signatures "
		    "are no quorum", n.nsigs);
	return 0;
}
