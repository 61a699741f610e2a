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
	    "open them can tell"
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
