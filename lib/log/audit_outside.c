#include "log/audit_outside.h"

#include <stdio.h>

#include "log/checkpoints.h"
#include "store/signer.h"

#define GIVEN "the checkpoint that was given"

static int
failed(struct audit *a, const char *where, const char *what, struct err *e)
{
	return audit_report(a, AUDIT_CHECKPOINTS, false, where, what, e);
}

/* Is it a start of the ledger? */
static int
check_root(struct audit *a, struct db *db, const struct checkpoint *c,
    struct err *e)
{
	struct hash root;
	char what[160];
	int got;

	if (c->size > a->head.tree.size) {
		snprintf(what, sizeof(what), "the ledger was cut, or cannot be "
		    "checked to its end: it speaks of %llu transactions, and "
		    "%llu hold here", (unsigned long long)c->size,
		    (unsigned long long)a->head.tree.size);
		return failed(a, GIVEN, what, e);
	}
	if ((got = signer_root(&root, a->repo, db, &a->head, c->size, e)) < 0)
		return -1;
	return got == 1 && hash_eq(&root, &c->root) ? 0 : failed(a, GIVEN,
	    "the ledger was replaced: its first transactions are others", e);
}

/* Signatures: as the policy asks; without one, any of a node. */
static int
check_signed(struct audit *a, struct db *db, const struct checkpoint *c,
    const char *where, struct err *e)
{
	int got;

	if (a->policy != NULL)
		return policy_accepts(a->policy, c, e) == 0 ? 0 :
		    audit_failed(a, AUDIT_CHECKPOINTS, where, e, e);
	if ((got = checkpoints_signed(db, c, repo_ledger(a->repo), e)) < 0)
		return -1;
	return got == 1 ? 0 : failed(a, where, "has no signature of a node "
	    "that the ledger knows", e);
}

static int
check_given(struct audit *a, struct db *db, struct err *e)
{
	struct checkpoint c;

	a->count[AUDIT_CHECKPOINTS].checked++;
	if (checkpoint_parse(&c, a->checkpoint, repo_ledger(a->repo), e) != 0)
		return audit_failed(a, AUDIT_CHECKPOINTS, GIVEN, e, e);
	if (check_root(a, db, &c, e) != 0)
		return -1;
	return check_signed(a, db, &c, GIVEN, e);
}

static int
check_newest(struct audit *a, struct db *db, struct err *e)
{
	struct buf text = BUF_INIT(CHECKPOINT_MAX);
	struct checkpoint c;
	struct fs_names list;
	int ret;

	if (fs_list(&list, a->repo->dirfd, CHECKPOINT_DIR, e) != 0)
		return -1;
	if (list.n == 0)
		ret = audit_report(a, AUDIT_CHECKPOINTS, true, CHECKPOINT_DIR,
		    "there is none that could satisfy the policy", e);
	else if (checkpoints_read(&c, &text, a->repo, list.name[list.n - 1],
	    e) != 0)
		ret = e->kind == ERR_SYS ? -1 : 0;	/* it was named */
	else
		ret = check_signed(a, db, &c, list.name[list.n - 1], e);
	fs_names_free(&list);
	buf_free(&text);
	return ret;
}

int
audit_outside(struct audit *a, struct db *db, struct err *e)
{
	if (a->checkpoint.n > 0)
		return check_given(a, db, e);
	if (a->policy != NULL)
		return check_newest(a, db, e);
	a->gaps |= 1u << AUDIT_GAP_OUTSIDE;
	return 0;
}
