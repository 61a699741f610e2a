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
	[AUDIT_STATE] = "state"
};

const char *
audit_class_name(enum audit_class c)
{
	return names[c];
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
