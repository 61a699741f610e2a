#define _GNU_SOURCE	/* faccessat */
#include "log/audit_node.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "log/audit_votes.h"
#include "net/known_file.h"
#include "store/lookup.h"
#include "store/signed.h"
#include "store/votes.h"

#define KEY "node.key"
#define SECRET "secret"
#define CONFIG "config"

static bool
is_there(const struct audit *a, const char *path)
{
	return faccessat(a->repo->dirfd, path, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

static int
failed(struct audit *a, const char *where, const char *what, struct err *e)
{
	return audit_report(a, AUDIT_NODE, false, where, what, e);
}

/* --- key and name --------------------------------------------------------- */

/* Are the keys those that the ledger has for the node? */
static int
check_keys(struct audit *a, const struct identity *id,
    const struct lookup_node *n, struct err *e)
{
	struct sign_pub sign;
	struct seal_pub seal;

	sign_public(&sign, id->sign);
	if (seal_public(&seal, &id->seal[0], e) != 0)
		return audit_failed(a, AUDIT_NODE, KEY, e, e);
	if (!sign_pub_eq(&sign, &n->sign))
		return failed(a, KEY, "its signature key is not the one that "
		    "the ledger has for this node", e);
	return memcmp(&seal, &n->seal, sizeof(seal)) == 0 ? 0 : failed(a, KEY,
	    "its sealing key is not the one that the ledger has for this "
	    "node", e);
}

/* Two names: which of the files is wrong? */
static int
other_name(struct audit *a, struct db *db, const char *key, const char *us,
    bool known, struct err *e)
{
	char what[2 * NOTE_NAME_MAX + 100];
	struct lookup_node n;
	int got = lookup_node(&n, db, span_str(key), e);

	if (got < 0)
		return -1;
	snprintf(what, sizeof(what), "node.key is of %s, and node.name of "
	    "config is %s", key, us);
	return failed(a, got == 1 && !known ? CONFIG : KEY, what, e);
}

static int
check_key(struct audit *a, struct db *db, const char *us,
    const struct lookup_node *n, bool known, struct err *e)
{
	struct identity id;
	bool locked;
	int ret;

	a->count[AUDIT_NODE].checked++;
	if (repo_node_key_look(a->repo, &id, &locked, e) != 0)
		return audit_failed(a, AUDIT_NODE, KEY, e, e);
	if (locked)
		a->gaps |= 1u << AUDIT_GAP_LOCKED;
	if (strcmp(id.name, us) != 0)
		ret = other_name(a, db, id.name, us, known, e);
	else
		ret = known && !locked ? check_keys(a, &id, n, e) : 0;
	identity_wipe(&id);
	return ret;
}

/* node.name of the config, and the key of that node. */
static int
check_name(struct audit *a, struct db *db, const char *us, struct err *e)
{
	struct audit_count *blocks = &a->count[AUDIT_BLOCKS];
	struct lookup_node n;
	bool known;
	int got;

	a->count[AUDIT_NODE].checked++;
	if (us == NULL)
		return is_there(a, KEY) || is_there(a, VOTES_PATH) ?
		    failed(a, CONFIG, "it has no node.name, and there are "
		    "files of a node", e) : 0;
	if ((got = lookup_node(&n, db, span_str(us), e)) < 0)
		return -1;
	known = got == 1;
	if (!known)
		a->gaps |= 1u << AUDIT_GAP_STRANGER;
	/* After a broken block, the ledger may have other keys by now. */
	if (blocks->failed > 0 || blocks->absent > 0)
		known = false;
	if (is_there(a, KEY))
		return check_key(a, db, us, &n, known, e);
	a->gaps |= 1u << AUDIT_GAP_NO_KEY;
	return got == 1 ? 0 : failed(a, CONFIG, "its node.name is no node of "
	    "this ledger", e);
}

/* --- the other files ------------------------------------------------------ */

/* Every node of the ledger has been given it. */
static int
check_secret(struct audit *a, struct db *db, const char *us, struct err *e)
{
	struct lookup_node n;
	bool checked;
	int got;

	if (is_there(a, SECRET)) {
		a->count[AUDIT_NODE].checked++;
		if (repo_secret_look(a->repo, &checked, e) != 0)
			return audit_failed(a, AUDIT_NODE, SECRET, e, e);
		if (!checked)
			a->gaps |= 1u << AUDIT_GAP_SECRET;
		return 0;
	}
	if (us == NULL || (got = lookup_node(&n, db, span_str(us), e)) == 0)
		return 0;
	if (got < 0)
		return -1;
	return !n.active ? 0 : audit_report(a, AUDIT_NODE, true, SECRET,
	    "the ledger's secret is not here: ehr-sync brings it", e);
}

static int
check_peers(struct audit *a, struct err *e)
{
	struct known *k;
	int ret = 0;

	if (!is_there(a, KNOWN_FILE))
		return 0;
	a->count[AUDIT_NODE].checked++;
	if ((k = malloc(sizeof(*k))) == NULL)
		return err_set(e, ERR_SYS, "out of memory");
	if (known_look(k, a->repo, e) != 0)
		ret = audit_failed(a, AUDIT_NODE, KNOWN_FILE, e, e);
	free(k);
	return ret;
}

/* Is it one of the names of ehr-repository(5)? */
static bool
is_known(const char *name)
{
	static const char *const known[] = { "genesis", CONFIG, KEY, SECRET,
	    "blocks", "objects", "staging", "pending", VOTES_DIR, "logs",
	    "tiles", "checkpoints", "quarantine", KNOWN_FILE, "hooks",
	    "events", "tmp", "checked", "checked.db", "state.db",
	    "state.db-wal", "state.db-shm", "state.db-journal", "lock",
	    "check.lock", "logs.lock", "state.lock", "sync.lock",
	    "verify.lock" };

	for (size_t i = 0; i < sizeof(known) / sizeof(*known); i++)
		if (strcmp(name, known[i]) == 0)
			return true;
	return false;
}

static int
check_names(struct audit *a, struct err *e)
{
	struct fs_names list;
	int ret = 0;

	if (fs_list(&list, a->repo->dirfd, ".", e) != 0)
		return -1;
	for (size_t i = 0; i < list.n && ret == 0; i++)
		if (!is_known(list.name[i]))
			ret = failed(a, list.name[i], "does not belong in a "
			    "ledger's directory", e);
	fs_names_free(&list);
	return ret;
}

int
audit_node(struct audit *a, struct db *db, struct err *e)
{
	const char *us = repo_node_name(a->repo);

	if (check_names(a, e) != 0 || audit_votes(a, db, us, e) != 0 ||
	    check_peers(a, e) != 0)
		return -1;
	if (us == NULL && !is_there(a, KEY) && !is_there(a, SECRET) &&
	    !is_there(a, VOTES_PATH) && !is_there(a, SIGNED_PATH))
		return 0;
	a->gaps |= 1u << AUDIT_GAP_NODE;
	return check_name(a, db, us, e) != 0 ||
	    check_secret(a, db, us, e) != 0 ? -1 : 0;
}
