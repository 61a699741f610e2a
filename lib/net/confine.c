#include "net/confine.h"

#include <sys/prctl.h>
#include <sys/resource.h>

#include "net/confine_part.h"
#include "store/db.h"

/* After this, serving opens nothing that it may not open any more. */
static int
open_first(struct repo *r, struct err *e)
{
	struct db *db;

	if (repo_keep_keys(r, e) != 0 || db_of(&db, r, e) != 0)
		return -1;
	return db_stay(db, e);
}

int
confine(struct repo *r, void (*tell)(void *arg, const char *line), void *arg,
    struct err *e)
{
	int files, calls;

	if (open_first(r, e) != 0)
		return -1;
	/* Else neither half may be used by who is not root. */
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
		return err_sys(e, "no_new_privs");
	if ((files = confine_files(r, e)) < 0 ||
	    (calls = confine_calls(e)) < 0)
		return -1;
	if (files == 0 && tell != NULL)
		tell(arg, "not confined to the ledger's files: no Landlock "
		    "here");
	if (calls == 0 && tell != NULL)
		tell(arg, "not confined to few system calls: no seccomp here");
	return 0;
}

int
confine_memory(uint64_t bytes, struct err *e)
{
	struct rlimit l;

	if (CONFINE_NEVER)
		return 0;
	if (getrlimit(RLIMIT_DATA, &l) != 0)
		return err_sys(e, "limit of memory");
	if (l.rlim_max > bytes)
		l.rlim_max = bytes;
	if (l.rlim_cur > bytes)
		l.rlim_cur = bytes;
	return setrlimit(RLIMIT_DATA, &l) == 0 ? 0 :
	    err_sys(e, "limit of memory");
}
