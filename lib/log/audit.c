#define _GNU_SOURCE	/* faccessat */
#include "log/audit.h"

#include <fcntl.h>
#include <unistd.h>

#include "log/audit_chain.h"
#include "log/audit_node.h"
#include "log/audit_objects.h"
#include "log/audit_outside.h"
#include "log/audit_store.h"

/* Is this the block of that height?  1, 0, -1.  db is of the blocks. */
static int
is_block(struct audit *a, struct db *db, const struct head *h, struct err *e)
{
	char path[CHAIN_PATH_LEN];
	sqlite3_stmt *s;
	struct hash id;
	int ret;

	if (h->height == 0)
		return hash_eq(&h->id, repo_ledger(a->repo));
	chain_path(path, h->height);
	/* One that came after we had read the others. */
	if (h->height > a->head.height)
		return faccessat(a->repo->dirfd, path, F_OK, 0) == 0;
	if (db_stmt(&s, db, "SELECT id FROM block WHERE height=?", e) != 0)
		return -1;
	db_bind_int(s, 1, (int64_t)h->height);
	if ((ret = db_step(db, s, e)) != 1)
		return ret;
	ret = db_column_hash(s, 0, &id) == 0 && hash_eq(&id, &h->id);
	sqlite3_reset(s);
	return ret;
}

/* Is the head that state.db tells one of the blocks? */
static int
audit_state(struct audit *a, struct db *db, struct err *e)
{
	struct db *state;
	struct head h;
	int ret = db_peek(&state, a->repo, e);

	if (ret == 0)
		return 0;	/* it will be made from the blocks */
	a->count[AUDIT_STATE].checked++;
	if (ret < 0)
		return audit_report(a, AUDIT_STATE, false, "state.db", e->msg,
		    e);
	ret = state_head(&h, state, e);
	if (ret < 0)
		ret = audit_failed(a, AUDIT_STATE, "state.db", e, e);
	else if (ret == 1 && (ret = is_block(a, db, &h, e)) >= 0)
		ret = ret == 1 ? 0 : audit_report(a, AUDIT_STATE, false,
		    "state.db", "tells of blocks that are not there", e);
	db_close(state);
	return ret;
}

int
audit_run(struct audit *a, struct err *e)
{
	struct db *db;
	int ret;

	/* repo_open has parsed and verified the genesis. */
	a->count[AUDIT_GENESIS].checked = 1;
	if (db_scratch(&a->db, e) != 0 || db_lean(a->db, true, e) != 0)
		return -1;
	db = a->db;
	ret = audit_chain(a, db, e);
	if (ret == 0)
		ret = audit_objects(a, db, e);
	if (ret == 0)
		ret = db_lean(db, false, e);
	if (ret == 0)
		ret = audit_waiting(a, db, e);
	if (ret == 0)
		ret = audit_state(a, db, e);
	if (ret == 0)
		ret = audit_logs(a, db, e);
	if (ret == 0)
		ret = audit_outside(a, db, e);
	if (ret == 0)
		ret = audit_node(a, db, e);
	if (a->count[AUDIT_OBJECTS].checked > 0)
		a->gaps |= 1u << AUDIT_GAP_SEALED;
	return ret;
}

void
audit_close(struct audit *a)
{
	db_close(a->db);
	a->db = NULL;
}
