#include "log/audit.h"

#include "log/audit_chain.h"
#include "log/audit_objects.h"
#include "log/audit_store.h"

/* Does state.db tell the same head as the blocks? */
static int
audit_state(struct audit *a, struct err *e)
{
	struct head h;
	struct db *db;

	if (db_of(&db, a->repo, e) != 0)
		return audit_failed(a, AUDIT_STATE, "state.db", e, e);
	a->count[AUDIT_STATE].checked++;
	switch (state_head(&h, db, e)) {
	case 1:
		if (h.height > a->head.height || (h.height == a->head.height &&
		    !hash_eq(&h.id, &a->head.id)))
			return audit_report(a, AUDIT_STATE, false, "state.db",
			    "tells of blocks that are not there", e);
		return 0;
	case 0:
		return 0;	/* it will be made from the blocks */
	default:
		return audit_failed(a, AUDIT_STATE, "state.db", e, e);
	}
}

int
audit_run(struct audit *a, struct err *e)
{
	struct db *db;
	int ret;

	/* repo_open has parsed and verified the genesis. */
	a->count[AUDIT_GENESIS].checked = 1;
	if (db_scratch(&db, e) != 0)
		return -1;
	ret = audit_chain(a, db, e);
	if (ret == 0)
		ret = audit_objects(a, db, e);
	db_close(db);
	if (ret == 0)
		ret = audit_waiting(a, e);
	if (ret == 0)
		ret = audit_state(a, e);
	if (ret == 0)
		ret = audit_logs(a, e);
	return ret;
}
