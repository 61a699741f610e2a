/*
 * repo: a ledger directory, .ehr (ehr-repository(5)).
 *
 * Finding it: -C DIR, else EHR_DIR, else the working directory and those
 * above it.  It is used only by its owner: a directory of somebody else's
 * could name commands for us to run (as peers or hooks).
 */
#ifndef STORE_REPO_H
#define STORE_REPO_H

#include "base/fs.h"
#include "crypto/identity.h"
#include "ledger/genesis.h"
#include "store/config.h"

struct repo {
	int dirfd;			/* of .ehr */
	char path[FS_NAME_MAX];		/* of .ehr, for messages */
	struct buf genesis_file;
	struct genesis *genesis;	/* parsed; its id is the ledger's */
	struct config config;
	struct db *db;			/* opened by db_of(), owned */
	void (*db_close)(struct db *);	/* set by db_of() */
	int64_t seg_seen_ns;		/* time of objects/seg, last seen */
	struct repo_keys *keys;		/* owned; NULL until repo_keep_keys */
};

/*
 * Open the ledger directory.  dir is -C's value or NULL; it holds .ehr or is
 * one.  ERR_NO: none found, or it belongs to somebody else (unless
 * EHR_SAFE_DIRECTORY or safe.directory in the user's or the system's config
 * names it, its parent, or "*"); ERR_BAD: its genesis is damaged or not the
 * ledger that config names.
 */
int repo_open(struct repo **out, const char *dir, struct err *e);
void repo_close(struct repo *r);	/* NULL does nothing */

/* The ledger's id. */
static inline const struct hash *
repo_ledger(const struct repo *r)
{
	return &r->genesis->id;
}

/*
 * Make DIR/.ehr with its folders, genesis, config (ledger id, node name) and,
 * when given, node key file and secret; DIR itself may be new.  Everything is
 * built under a temporary name and renamed: there is a whole .ehr or none.
 * ERR_NO when there is one already.  key_file, secret and objects may be empty.
 */
struct repo_new {
	struct span genesis;
	struct span key_file;		/* becomes node.key, 0600 */
	const struct hash *secret;	/* becomes secret, 0600; or NULL */
	const char *node_name;		/* or NULL: a copy that is no node */
	bool late;			/* the ledger has blocks: the node may
					 * have signed some, elsewhere */
	const struct span *object;	/* the first nobjects objects */
	size_t nobjects;
};
int repo_create(const char *dir, const struct repo_new *n, struct err *e);

/*
 * The ledger secret: ERR_NO when this copy does not have it, or others can
 * read its file.  Wipe it.  Setting it is ERR_NO when there is another one.
 */
int repo_secret(const struct repo *r, struct hash *out, struct err *e);
int repo_secret_set(const struct repo *r, const struct hash *s,
    struct err *e);

/*
 * For an audit: is the secret's file well-formed, and fits its check?  Not
 * *checked: it has none, as it was written before there was one.  ERR_NO,
 * ERR_BAD as repo_secret.
 */
int repo_secret_look(const struct repo *r, bool *checked, struct err *e);

/* Write the file "secret" of the ledger directory dirfd; for repo_*.c. */
int repo_secret_write(int dirfd, const struct hash *s, struct err *e);

/* The name of this node, or NULL for a copy that is none. */
const char *repo_node_name(const struct repo *r);

/*
 * This node's identity: from $CREDENTIALS_DIRECTORY/node.key or .ehr/node.key;
 * its passphrase, if it has one, is the first line of the file that
 * EHR_PASSPHRASE_FILE, else passphrase.file of the config, names.  ERR_NO when
 * there is none, others can read it, or the passphrase is absent or wrong.
 * Wipe it with identity_wipe.
 */
int repo_node_key(const struct repo *r, struct identity *id, struct err *e);

/*
 * For an audit: the file .ehr/node.key itself, whatever the environment has in
 * its place.  *locked: it has a passphrase that is not at hand, and only the
 * name is set.  ERR_NO, ERR_BAD as repo_node_key.
 */
int repo_node_key_look(const struct repo *r, struct identity *id,
    bool *locked, struct err *e);

/*
 * Read the node's key and the ledger secret now and keep them with r: what
 * repo_node_key and repo_secret find from then on is what was there, an error
 * too, and no file is read for it any more.  Wiped by repo_close.
 */
int repo_keep_keys(struct repo *r, struct err *e);
void repo_forget_keys(struct repo *r);	/* for repo_close */

/*
 * The writer's lock: whoever changes blocks, state, pending or staging holds
 * it.  Returns a descriptor to close, or -1 (ERR_AGAIN when it stays taken for
 * wait_ms).
 */
int repo_lock(const struct repo *r, int wait_ms, struct err *e);

/* Remove temporary files of processes that died more than a day ago. */
int repo_sweep(const struct repo *r, struct err *e);

#endif
