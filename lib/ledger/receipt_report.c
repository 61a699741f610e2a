#include "ledger/receipt_report.h"

#include <stdlib.h>

#include "base/stamp.h"

/* --- names ---------------------------------------------------------------- */

/* Who is in a bit set of the delegates; before is what stands before each. */
static void
add_set(struct buf *out, const struct receipt_facts *f, uint64_t set,
    const char *before)
{
	for (size_t i = 0; i < f->set.n; i++)
		if ((set >> i & 1) != 0)
			buf_addf(out, "%s%s", before, f->set.d[i].name);
}

/* Who has signed (for the ledger) or cosigned the checkpoint. */
static void
add_signers(struct buf *out, const struct receipt_facts *f, bool log,
    const char *before)
{
	const struct note *n = &f->checkpoint.note;
	char origin[HASH_HEX];

	hash_format(origin, &f->genesis.id);
	for (size_t i = 0; i < n->nsigs; i++) {
		char time[STAMP_LEN + 1];

		if (span_is(n->sig[i].name, origin) != log)
			continue;
		buf_addf(out, "%s%s", before, f->signer[i] < 0 ?
		    "a key of the policy" : f->set.d[f->signer[i]].name);
		if (f->time_s[i] == 0)
			continue;
		stamp_format(time, (int64_t)f->time_s[i] * 1000);
		buf_addf(out, " (%s)", time);
	}
}

static size_t
count_signers(const struct receipt_facts *f, bool log)
{
	char origin[HASH_HEX];
	size_t n = 0;

	hash_format(origin, &f->genesis.id);
	for (size_t i = 0; i < f->checkpoint.note.nsigs; i++)
		n += span_is(f->checkpoint.note.sig[i].name, origin) == log;
	return n;
}

static const char *
believed(const struct receipt_trust *t)
{
	return t->policy == NULL ? "the ledger's genesis" :
	    t->ledger == NULL ? "the keys of the policy" :
	    "the ledger's genesis and the keys of the policy";
}

/* --- in short ------------------------------------------------------------- */

static void
add_summary(struct buf *out, const struct receipt_facts *f,
    const struct receipt_trust *t)
{
	char id[HASH_HEX], time[STAMP_LEN + 1];

	hash_format(id, &f->tx.id);
	stamp_format(time, f->tx.time_ms);
	buf_addf(out, "transaction %s %s %s, by %.*s\n", id,
	    tx_kind_name(f->tx.kind), time, SPAN_FMT(f->tx.author));
	hash_format(id, &f->genesis.id);
	buf_addf(out, "number %llu on the ledger %s \"%.*s\"\n",
	    (unsigned long long)f->index, id, SPAN_FMT(f->genesis.name));
	hash_format(id, &f->block.id);
	stamp_format(time, f->block.time_ms);
	buf_addf(out, "in the tree of block %llu %s %s\ncertified by",
	    (unsigned long long)f->block.height, id, time);
	add_set(out, f, f->signers, " ");
	buf_addf(out, " (%zu of %zu delegates needed)\n",
	    delegates_quorum(f->set.n), f->set.n);
	if (f->has_checkpoint && count_signers(f, true) > 0) {
		buf_adds(out, "checkpoint signed by");
		add_signers(out, f, true, " ");
		buf_addc(out, '\n');
	}
	if (f->has_checkpoint && count_signers(f, false) > 0) {
		buf_adds(out, "checkpoint cosigned by");
		add_signers(out, f, false, " ");
		buf_addc(out, '\n');
	}
	if (!f->has_checkpoint)
		buf_adds(out, "no checkpoint yet\n");
	buf_addf(out, "verified with %s\n", believed(t));
}

/* --- as a page ------------------------------------------------------------ */

static void
add_record(struct buf *out, const struct hash *id)
{
	char hex[HASH_HEX];

	hash_format(hex, id);
	buf_addf(out, " the record\n%s", hex);
}

static void
add_readers(struct buf *out, const struct tx *tx)
{
	for (size_t i = 0; i < tx->nreaders; i++)
		buf_addf(out, "%s%.*s", i == 0 ? "" : i + 1 < tx->nreaders ?
		    ", " : " and ", SPAN_FMT(tx->reader[i]));
	if (tx->nreaders == 0)
		buf_adds(out, "nobody");
}

/* What was stated, after "AUTHOR stated:". */
static void
add_statement(struct buf *out, const struct tx *tx)
{
	switch (tx->kind) {
	case TX_AUTHORIZE:
		buf_adds(out, "I authorize");
		add_record(out, &tx->record);
		buf_addf(out, ",\nwhich %.*s added for me (%.*s); it may be "
		    "opened by\n", SPAN_FMT(tx->staged.author),
		    SPAN_FMT(tx->staged.label));
		add_readers(out, tx);
		break;
	case TX_REJECT:
		buf_adds(out, "I reject");
		add_record(out, &tx->record);
		break;
	case TX_GRANT:
		buf_adds(out, "I admit ");
		add_readers(out, tx);
		buf_adds(out, " to");
		add_record(out, &tx->record);
		break;
	case TX_WITHDRAW:
		buf_adds(out, "I dismiss ");
		add_readers(out, tx);
		buf_adds(out, " from");
		add_record(out, &tx->record);
		break;
	case TX_ACCESS:
		buf_adds(out, "I open");
		add_record(out, &tx->record);
		break;
	case TX_ERASE:
		buf_adds(out, "the content is to be deleted of");
		add_record(out, &tx->record);
		buf_addf(out, "\n(%.*s)", SPAN_FMT(tx->reason));
		break;
	default:
		tx_describe(out, tx);
		if (tx->user.n > 0)
			buf_addf(out, ", about %.*s", SPAN_FMT(tx->user));
		break;
	}
	buf_adds(out, ".\n");
}

static void
add_checkpoint(struct buf *out, const struct receipt_facts *f)
{
	if (!f->has_checkpoint) {
		buf_adds(out, "This receipt has no checkpoint: the hour was "
		    "not over when it was made.\nOne that is made later has "
		    "the signatures of more hospitals.\n\n");
		return;
	}
	buf_adds(out, "The ledger's checkpoint, a fingerprint of all its "
	    "transactions, was signed by");
	add_signers(out, f, true, "\n    ");
	if (count_signers(f, true) == 0)
		buf_adds(out, "\n    nobody who was a delegate then");
	buf_adds(out, "\n\nand cosigned by these, who had seen that it "
	    "contains what they cosigned before:");
	add_signers(out, f, false, "\n    ");
	if (count_signers(f, false) == 0)
		buf_adds(out, "\n    nobody");
	buf_adds(out, "\n\n");
}

static void
add_subject(struct buf *out, const struct receipt_facts *f)
{
	char id[HASH_HEX], time[STAMP_LEN + 1];

	hash_format(id, &f->genesis.id);
	buf_addf(out, "RECEIPT\n\nof the ledger \"%.*s\"\n%s\n\n",
	    SPAN_FMT(f->genesis.name), id);
	stamp_format(time, f->tx.time_ms);
	buf_addf(out, "What it is about\n\nOn %s, %.*s stated:\n", time,
	    SPAN_FMT(f->tx.author));
	add_statement(out, &f->tx);
	hash_format(id, &f->tx.id);
	buf_addf(out, "\nThis statement is the transaction\n%s\n\n", id);
}

static void
add_page(struct buf *out, const struct receipt_facts *f,
    const struct receipt_trust *t)
{
	char time[STAMP_LEN + 1];

	add_subject(out, f);
	stamp_format(time, f->block.time_ms);
	buf_addf(out, "What this proves\n\nThe ledger had this transaction, "
	    "with these very bytes, by\n%s.  It is number %llu; the first is "
	    "0.\nNobody can take it back or alter it unless these hospitals "
	    "contradict their own\nsignatures:", time,
	    (unsigned long long)f->index);
	add_set(out, f, f->signers, "\n    ");
	buf_addf(out, "\n\nThey certified block %llu; %zu of %zu delegates had "
	    "to.\n\n", (unsigned long long)f->block.height,
	    delegates_quorum(f->set.n), f->set.n);
	add_checkpoint(out, f);
	buf_addf(out, "How that was checked\n\nFrom %s,\nwithout a network "
	    "and without the ledger: %zu change%s of delegates since\nthe "
	    "ledger began, each certified by those before; the block, by those "
	    "of its\ntime; the place of the transaction in the tree of %llu "
	    "transactions, by its\nhashes; and each signature above.\n\n",
	    believed(t), f->changes, f->changes == 1 ? "" : "s",
	    (unsigned long long)f->block.size);
	buf_adds(out, "What this does not prove\n\nThat what the record says "
	    "is true: only its fingerprint is on the ledger.\nWho somebody "
	    "named like u0123456789abcdef is: the hospitals know that.\nThat "
	    "nothing was stated since: the ledger itself would tell.\n");
}

/* --- the report ----------------------------------------------------------- */

static int
check_trust(const struct receipt_facts *f, const struct receipt_trust *t,
    struct err *e)
{
	char is[HASH_HEX], want[HASH_HEX];

	if (t->ledger != NULL && !hash_eq(t->ledger, &f->genesis.id)) {
		hash_format(is, &f->genesis.id);
		hash_format(want, t->ledger);
		return err_set(e, ERR_NO, "receipt: of ledger %s, not %s", is,
		    want);
	}
	if (t->policy == NULL)
		return 0;
	if (!f->has_checkpoint)
		return err_set(e, ERR_NO, "receipt: has no checkpoint, which "
		    "the policy is about");
	return policy_accepts(t->policy, &f->checkpoint, e);
}

int
receipt_report(struct buf *out, struct span bytes,
    const struct receipt_trust *trust, bool page, struct err *e)
{
	struct receipt_facts *f;
	struct receipt r;
	int ret;

	if (trust->ledger == NULL && trust->policy == NULL)
		return err_set(e, ERR_USAGE, "receipt: what it is to be "
		    "verified with is not given");
	if (trust->ledger == NULL && trust->policy->nlogs == 0)
		return err_set(e, ERR_NO, "the policy names no log, so that "
		    "nothing says which ledger is meant");
	if (receipt_parse(&r, bytes, e) != 0)
		return -1;
	if ((f = malloc(sizeof(*f))) == NULL)
		return err_set(e, ERR_SYS, "out of memory");
	ret = receipt_verify(f, &r, trust->policy, e);
	if (ret == 0) {
		ret = check_trust(f, trust, e);
		if (ret == 0)
			(page ? add_page : add_summary)(out, f, trust);
		receipt_facts_free(f);
	}
	free(f);
	return ret == 0 ? buf_check(out, "report", e) : -1;
}
