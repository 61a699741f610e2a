#define _GNU_SOURCE	/* faccessat */
#include "log/checkpoints.h"

#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/stamp.h"
#include "crypto/cosign.h"
#include "net/cosign.h"
#include "net/peers.h"
#include "store/blocks.h"

#define LOCK_WAIT_MS 30000
#define NEWEST TREE_DIR "/checkpoint"

void
checkpoints_path(char out[CHECKPOINTS_PATH_LEN], int64_t hour_ms)
{
	char hour[STAMP_HOUR_LEN + 1];

	stamp_hour_format(hour, hour_ms);
	snprintf(out, CHECKPOINTS_PATH_LEN, CHECKPOINT_DIR "/%s", hour);
}

int
checkpoints_read(struct checkpoint *c, struct buf *out, struct repo *r,
    const char *name, struct err *e)
{
	char path[FS_NAME_MAX];

	snprintf(path, sizeof(path), CHECKPOINT_DIR "/%s", name);
	if (fs_read(out, r->dirfd, path, e) != 0)
		return -1;
	if (checkpoint_parse(c, buf_span(out), repo_ledger(r), e) == 0)
		return 0;
	return err_wrap(e, "%s", path);
}

/* --- signing -------------------------------------------------------------- */

/* The signer; a node that never signed here asks the others first. */
static int
open_signer(struct signer *s, struct repo *r, const struct sign_pub *pub,
    struct err *e)
{
	bool lost;

	if (signer_open(s, r, pub, &lost, e) == 0)
		return 0;
	if (!lost || cosign_renew(r, e) != 0)
		return -1;
	return signer_open(s, r, pub, &lost, e);
}

/* The note: the ledger's signature, and our cosignature if it is the latest. */
static int
sign(struct buf *note, struct repo *r, const struct identity *key,
    uint64_t size, const struct hash *root, struct err *e)
{
	int64_t now_ms = clock_now_ms();
	struct span text, name = span_str(key->name);
	struct sign_pub pub;
	struct signer s;
	int ret;

	sign_public(&pub, key->sign);
	if (open_signer(&s, r, &pub, e) != 0)
		return -1;
	ret = signer_advance(&s, size, root, now_ms, e);
	if (ret == 0) {
		struct buf body = BUF_INIT(1024);

		checkpoint_text(&body, repo_ledger(r), size, root);
		text = buf_span(&body);
		buf_add(note, text.p, text.n);
		buf_addc(note, '\n');
		ret = checkpoint_sign_line(note, text, repo_ledger(r),
		    key->sign, e);
		if (ret == 0 && pub.alg == SIGN_ED25519 &&
		    size == s.last.size)
			ret = cosign_line(note, text, name, key->sign,
			    (uint64_t)now_ms / 1000, e);
		buf_free(&body);
	}
	signer_close(&s);
	return ret;
}

/* The newest one once more beside the tiles; the caller has the lock. */
static int
publish(struct repo *r, struct err *e)
{
	struct buf text = BUF_INIT(CHECKPOINT_MAX);
	struct buf copy = BUF_INIT(CHECKPOINT_MAX);
	struct fs_names list;
	struct checkpoint c;
	int ret;

	if (fs_list(&list, r->dirfd, CHECKPOINT_DIR, e) != 0)
		return -1;
	ret = list.n == 0 ? 1 : checkpoints_read(&c, &text, r,
	    list.name[list.n - 1], e);
	if (ret == 0 && (fs_read(&copy, r->dirfd, NEWEST, e) != 0 ||
	    !span_eq(buf_span(&copy), buf_span(&text)))) {
		ret = fs_mkdir(r->dirfd, TREE_DIR, 0700, e);
		if (ret == 0)
			ret = fs_write(r->dirfd, NEWEST, "tmp",
			    buf_span(&text), 0600, false, e);
	}
	fs_names_free(&list);
	buf_free(&text);
	buf_free(&copy);
	return ret < 0 ? -1 : 0;
}

static int
make(struct repo *r, const char *path, uint64_t size, const struct hash *root,
    struct err *e)
{
	struct identity key = { .sign = NULL };
	struct buf note = BUF_INIT(CHECKPOINT_MAX);
	int ret = repo_node_key(r, &key, e);

	if (ret == 0)
		ret = sign(&note, r, &key, size, root, e);
	if (ret == 0)
		ret = fs_write(r->dirfd, path, "tmp", buf_span(&note), 0600,
		    false, e);
	identity_wipe(&key);
	buf_free(&note);
	return ret;
}

/* Which one is due, at the end of which tree?  1, 0: none. */
static int
due(char path[CHECKPOINTS_PATH_LEN], uint64_t *size, struct repo *r,
    struct db *db, const struct head *head, struct err *e)
{
	int64_t hour = head->time_ms - head->time_ms % STAMP_HOUR_MS;

	if (repo_node_name(r) == NULL || hour <= r->genesis->time_ms)
		return 0;
	checkpoints_path(path, hour - STAMP_HOUR_MS);
	if (faccessat(r->dirfd, path, F_OK, AT_SYMLINK_NOFOLLOW) == 0)
		return 0;
	if (blocks_size_before(size, db, head->height, hour, e) != 0)
		return -1;
	return *size > 0;
}

int
checkpoints_roll(struct repo *r, struct db *db, const struct head *head,
    bool *made, struct err *e)
{
	char path[CHECKPOINTS_PATH_LEN];
	struct hash root;
	uint64_t size;
	int lock, ret;

	*made = false;
	lock = fs_lock(r->dirfd, "logs.lock", LOCK_WAIT_MS, e);
	if (lock < 0)
		return -1;
	ret = due(path, &size, r, db, head, e);
	if (ret == 1) {
		ret = signer_root(&root, r, db, head, size, e);
		if (ret == 1)
			ret = make(r, path, size, &root, e);
		*made = ret == 0;
	}
	if (ret >= 0)
		ret = publish(r, e);
	close(lock);
	return ret < 0 ? -1 : 0;
}

/* --- cosigning ------------------------------------------------------------ */

static bool
has_line(const struct checkpoint *c, const char *node)
{
	return note_find(&c->note, span_str(node)) >= 0;
}

/* Add a line to a file, unless another process has. */
static int
add_line(struct repo *r, const char *name, const char *node,
    struct span line, struct err *e)
{
	struct buf text = BUF_INIT(CHECKPOINT_MAX);
	char path[FS_NAME_MAX];
	struct checkpoint c;
	int lock, ret;

	lock = fs_lock(r->dirfd, "logs.lock", LOCK_WAIT_MS, e);
	if (lock < 0)
		return -1;
	ret = checkpoints_read(&c, &text, r, name, e);
	if (ret == 0 && !has_line(&c, node) &&
	    c.note.nsigs < NOTE_SIGS_MAX) {
		buf_add(&text, line.p, line.n);
		snprintf(path, sizeof(path), CHECKPOINT_DIR "/%s", name);
		ret = buf_check(&text, path, e);
		if (ret == 0)
			ret = fs_write(r->dirfd, path, "tmp",
			    buf_span(&text), 0600, false, e);
		if (ret == 0)
			ret = publish(r, e);
	}
	close(lock);
	buf_free(&text);
	return ret;
}

/* The newest checkpoint that has a line of that node, as far as we look. */
static void
find_seen(struct cosign_wish *w, struct buf *seen, struct repo *r,
    const struct fs_names *list, const char *node)
{
	struct checkpoint c;
	struct err ignored;

	w->old = 0;
	w->seen = span_of(NULL, 0);
	for (size_t i = list->n, n = 0; i-- > 0 && n < 24; n++) {
		buf_reset(seen);
		if (checkpoints_read(&c, seen, r, list->name[i],
		    &ignored) == 0 && has_line(&c, node)) {
			w->old = c.size;
			w->seen = buf_span(seen);
			return;
		}
	}
}

/* One peer, which answers at s. */
static int
ask_peer(struct repo *r, struct session *s, struct cosign_wish *w,
    const struct fs_names *list, struct err *e)
{
	struct buf line = BUF_INIT(CHECKPOINT_MAX);
	struct buf seen = BUF_INIT(CHECKPOINT_MAX);
	int ret;

	find_seen(w, &seen, r, list, s->node);
	ret = cosign_ask(&line, s, w, e);
	if (ret == 1)
		ret = add_line(r, list->name[list->n - 1], s->node,
		    buf_span(&line), e);
	buf_free(&line);
	buf_free(&seen);
	return ret;
}

/* May this node cosign, and has it not? */
static bool
is_wanted(struct db *db, const struct checkpoint *c, const char *node)
{
	struct lookup_node n;
	struct err ignored;

	return !has_line(c, node) &&
	    (lookup_node(&n, db, span_str(node), &ignored) != 1 ||
	    (n.active && n.sign.alg == SIGN_ED25519));
}

static void
ask_peers(struct peers *p, struct repo *r, struct db *db,
    const struct checkpoint *c, struct cosign_wish *w,
    const struct fs_names *list, checkpoints_said *said, void *arg)
{
	for (size_t i = 0; i < p->n; i++) {
		struct peer *peer = &p->v[i];
		struct err e = { .kind = ERR_NONE };

		if (!is_wanted(db, c, peer->name))
			continue;
		if (session_open(&peer->s, r, peer->name, peer->command,
		    &e) != 0) {
			peer->s = NULL;
			said(arg, peer->name, &e);
			continue;
		}
		if (peer->s->node[0] == '\0' ||
		    !is_wanted(db, c, peer->s->node))
			continue;
		said(arg, peer->name, ask_peer(r, peer->s, w, list, &e) < 0 ?
		    &e : NULL);
	}
}

/* The checkpoint is there and we can prove what it contains. */
static int
cosign(struct repo *r, struct db *db, const struct fs_names *list,
    checkpoints_said *said, void *arg, struct err *e)
{
	struct buf text = BUF_INIT(CHECKPOINT_MAX);
	struct cosign_wish w = { .node = tree_node };
	struct peers p = { NULL, 0 };
	struct tree *t = NULL;
	struct checkpoint c;
	int ret;

	ret = checkpoints_read(&c, &text, r, list->name[list->n - 1], e);
	if (ret == 0 && peers_of(&p, r, NULL, clock_now_ms(), e) != 0)
		ret = e->kind == ERR_NO ? 0 : -1;
	if (ret == 0)
		ret = tree_open(&t, r, db, e);
	if (ret == 0) {
		w.checkpoint = buf_span(&text);
		w.size = c.size;
		w.arg = t;
		ask_peers(&p, r, db, &c, &w, list, said, arg);
	}
	tree_close(t);
	peers_free(&p);
	buf_free(&text);
	return ret;
}

int
checkpoints_cosign(struct repo *r, struct db *db, checkpoints_said *said,
    void *arg, struct err *e)
{
	struct fs_names list;
	int ret = 0;

	if (repo_node_name(r) == NULL)
		return 0;
	if (fs_list(&list, r->dirfd, CHECKPOINT_DIR, e) != 0)
		return -1;
	if (list.n > 0)
		ret = cosign(r, db, &list, said, arg, e);
	fs_names_free(&list);
	return ret;
}
