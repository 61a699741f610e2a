#include "log/audit_base.h"

static const char *const names[AUDIT_CLASSES] = {
	[AUDIT_GENESIS] = "genesis",
	[AUDIT_BLOCKS] = "blocks",
	[AUDIT_TRANSACTIONS] = "transactions",
	[AUDIT_SIGNATURES] = "signatures",
	[AUDIT_OBJECTS] = "objects",
	[AUDIT_LOGS] = "logs",
	[AUDIT_TILES] = "tiles",
	[AUDIT_CHECKPOINTS] = "checkpoints",
	[AUDIT_STAGED] = "staged",
	[AUDIT_PENDING] = "pending",
	[AUDIT_STATE] = "state",
	[AUDIT_NODE] = "node",
	[AUDIT_BUNDLE] = "bundle"
};

static const char *const gaps[AUDIT_GAPS] = {
	[AUDIT_GAP_OUTSIDE] = "whether blocks were cut off at the end, or all "
	    "of it replaced: no checkpoint or policy from outside was given",
	[AUDIT_GAP_AFTER] = "what follows the first block that is broken or "
	    "absent",
	[AUDIT_GAP_LOGS] = "logs, tiles and checkpoints: not all blocks that "
	    "they follow from hold",
	[AUDIT_GAP_WAITING] = "whether the rules will allow what waits, and "
	    "the signatures in it of people who are not on the ledger",
	[AUDIT_GAP_SEALED] = "what is in sealed files: only those who can "
	    "open them can tell",
	[AUDIT_GAP_NODE] = "of this node's files: settings other than the "
	    "ledger's id and the node's name, earlier sealing keys, events, "
	    "evidence, hooks, quarantine, and what one process leaves for "
	    "another",
	[AUDIT_GAP_STRANGER] = "whether node.key and consensus/journal are "
	    "this node's: the ledger does not know it yet",
	[AUDIT_GAP_NO_KEY] = "the node's key: there is no node.key here",
	[AUDIT_GAP_LOCKED] = "what is in node.key: it has a passphrase, which "
	    "was not given",
	[AUDIT_GAP_SECRET] = "whether secret is what it was: it was written "
	    "without a check",
	[AUDIT_GAP_JOURNAL] = "what this node has voted: consensus/journal is "
	    "new and has no entry, and it does not vote before the others "
	    "were asked",
	[AUDIT_GAP_TORN] = "the end of consensus/journal: a part of a line, "
	    "as a crash leaves it, or a vote that is just being written",
	[AUDIT_GAP_SIGNED] = "what this node has signed of the tree: "
	    "consensus/signed is not there, or a copy of the file that it "
	    "was, and it signs nothing before that is renewed"
};

const char *
audit_class_name(enum audit_class c)
{
	return names[c];
}

const char *
audit_gap_text(enum audit_gap g)
{
	return gaps[g];
}

int
audit_report(struct audit *a, enum audit_class class, bool absent,
    const char *where, const char *what, struct err *e)
{
	struct audit_finding f = { class, absent, where, what };

	if (absent)
		a->count[class].absent++;
	else
		a->count[class].failed++;
	return a->finding(a->arg, &f, e);
}

int
audit_failed(struct audit *a, enum audit_class class, const char *where,
    const struct err *why, struct err *e)
{
	struct err copy = *why;		/* why may be e */

	if (copy.kind == ERR_SYS)
		return -1;
	return audit_report(a, class, false, where, copy.msg, e);
}

bool
audit_clean(const struct audit *a)
{
	uint64_t checked = 0;

	for (int i = 0; i < AUDIT_CLASSES; i++) {
		checked += a->count[i].checked;
		if (a->count[i].failed > 0 || a->count[i].absent > 0)
			return false;
	}
	return checked > 0;
}
