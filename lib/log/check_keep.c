/* The part of a check that is about what the last one found. */
#define _GNU_SOURCE	/* faccessat, O_NOFOLLOW */
#include "log/check_part.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#define CHUNK (1u << 18)
#define HOUR_MS 3600000
#define FULL_HOURS 24		/* unless check.full says otherwise */
#define FULL_HOURS_MAX 8760

/*
 * Who can write to the directory, and not read the ledger's secret, cannot
 * write what a check believes; nor is it the word of another node, or of
 * another version, whose rules may have been others.  -1: there is no secret
 * here.
 */
static int
find_key(struct hash *key, const struct repo *r)
{
	const char *name = repo_node_name(r);
	struct hash secret;
	struct err ignored;
	char info[256];

	if (repo_secret(r, &secret, &ignored) != 0)
		return -1;
	snprintf(info, sizeof(info), "ehr.v1 checked " EHR_VERSION " %.128s",
	    name == NULL ? "-" : name);
	hash_hkdf(key->b, HASH_LEN, span_of(secret.b, HASH_LEN),
	    span_of(repo_ledger(r)->b, HASH_LEN), info);
	hash_wipe(&secret, sizeof(secret));
	return 0;
}

static int
hash_fd(struct hash *out, int fd, struct err *e)
{
	static unsigned char b[CHUNK];
	struct hash_stream *h = hash_open();
	off_t at = 0;
	ssize_t got;

	while ((got = pread(fd, b, sizeof(b), at)) > 0 ||
	    (got < 0 && errno == EINTR)) {
		hash_add(h, b, got > 0 ? (size_t)got : 0);
		at += got > 0 ? got : 0;
	}
	if (got < 0) {
		hash_discard(h);
		return err_sys(e, CHECKED_DB);
	}
	hash_finish(h, out);
	return 0;
}

static int
hash_db(struct hash *out, const struct repo *r, struct err *e)
{
	int fd = openat(r->dirfd, CHECKED_DB,
	    O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK), ret;

	if (fd < 0)
		return err_set(e, ERR_NO, CHECKED_DB ": cannot be read");
	ret = hash_fd(out, fd, e);
	close(fd);
	return ret;
}

static void
db_path(char out[FS_NAME_MAX + 16], const struct repo *r)
{
	snprintf(out, FS_NAME_MAX + 16, "%s/" CHECKED_DB, r->path);
}

/* --- recalling ------------------------------------------------------------ */

/* Is all to be checked again, because the last time is long ago? */
static int
is_due(struct check *k, struct err *e)
{
	int64_t age = k->o->now_ms - k->was.full_ms;
	uint64_t hours;

	if (config_number(&k->repo->config, "check.full", FULL_HOURS,
	    FULL_HOURS_MAX, &hours, e) != 0)
		return -1;
	return age < 0 || age >= (int64_t)hours * HOUR_MS;
}

/* The state: 1 it is that which belongs to the rest, 0, -1. */
static int
recall_state(struct check *k, struct err *e)
{
	static const char *beside[] = { CHECKED_DB "-journal",
	    CHECKED_DB "-wal" };
	char path[FS_NAME_MAX + 16];
	struct hash is;
	struct err why;

	/* SQLite would take what is beside it for a part of it. */
	for (size_t i = 0; i < sizeof(beside) / sizeof(*beside); i++)
		if (faccessat(k->repo->dirfd, beside[i], F_OK,
		    AT_SYMLINK_NOFOLLOW) == 0)
			return 0;
	if (hash_db(&is, k->repo, &why) != 0 || !hash_eq(&is, &k->was.state))
		return 0;
	db_path(path, k->repo);
	if (db_alone(&k->db, path, e) != 0)
		return e->kind == ERR_BAD ? 0 : -1;
	if (db_exec(k->db, "BEGIN", e) != 0 ||
	    state_head(&k->head, k->db, e) < 0)
		return -1;
	return k->head.height == k->was.height;
}

static int
recall(struct check *k, const struct hash *key, struct err *e)
{
	struct buf text = BUF_INIT(CHECKED_MAX);
	struct err why;
	int got;

	got = fs_read(&text, k->repo->dirfd, CHECKED_PATH, &why);
	if (got == 0)
		got = checked_parse(&k->was, buf_span(&text),
		    repo_ledger(k->repo), key, &why);
	buf_free(&text);
	if (got != 0) {
		if (why.kind != ERR_NO)
			check_note(k, "%s", why.msg);
		return 0;
	}
	got = is_due(k, e);
	return got != 0 ? (got < 0 ? -1 : 0) : recall_state(k, e);
}

int
check_recall(struct check *k, struct err *e)
{
	struct hash key;
	int got;

	if (find_key(&key, k->repo) != 0)
		return 0;
	got = recall(k, &key, e);
	hash_wipe(&key, sizeof(key));
	if (got == 1)
		return 1;
	checked_free(&k->was);
	db_close(k->db);
	k->db = NULL;
	return got;
}

int
check_recall_blocks(struct check *k, struct err *e)
{
	struct buf packed = BUF_INIT(CHAIN_FILE_MAX);
	struct err why;

	for (uint64_t at = 1; at <= k->was.height && !k->doubt; at++) {
		buf_reset(&packed);
		k->doubt = chain_read_packed(&packed, k->repo, at, &why) != 0;
		if (k->doubt && why.kind == ERR_SYS) {
			buf_free(&packed);
			*e = why;
			return -1;
		}
		checked_bind(&k->now.blocks, buf_span(&packed));
		k->res->blocks++;
	}
	buf_free(&packed);
	if (!hash_eq(&k->now.blocks, &k->was.blocks))
		k->doubt = true;
	return 0;
}

/* --- remembering ---------------------------------------------------------- */

/* What is here of segments and of what waits is not the blocks'. */
static int
unmix(struct check *k, struct err *e)
{
	return !k->mixed ? 0 : db_exec(k->db, "DELETE FROM segment; "
	    "DELETE FROM segment_object; DELETE FROM pending; "
	    "DELETE FROM pending_file; "
	    "DELETE FROM meta WHERE key='pending'", e);
}

/* The state that was made from the genesis on, in a new file. */
static int
put_state(struct check *k, struct err *e)
{
	char path[FS_NAME_MAX + 256];
	struct fs_temp t;
	struct db *to;
	int ret;

	if (unmix(k, e) != 0 ||
	    fs_temp_open(&t, k->repo->dirfd, "tmp", 0600, e) != 0)
		return -1;
	snprintf(path, sizeof(path), "%s/%.255s", k->repo->path, t.name);
	if ((ret = db_alone(&to, path, e)) == 0) {
		ret = db_replace(to, k->db, e);
		db_close(to);
	}
	if (ret == 0)
		ret = hash_fd(&k->now.state, t.fd, e);
	if (ret == 0)
		return fs_temp_commit(&t, CHECKED_DB, false, e);
	fs_temp_abort(&t);
	return -1;
}

/*
 * The state of the last check with the blocks that came since.  If this is
 * killed before the rest is written, they do not fit, and the next check is a
 * full one.
 */
static int
go_on_with_state(struct check *k, struct err *e)
{
	k->now.state = k->was.state;
	if (k->res->verified == 0)
		return 0;
	return db_exec(k->db, "COMMIT", e) != 0 ? -1 :
	    hash_db(&k->now.state, k->repo, e);
}

/* Unless it is there with the same bytes. */
static int
put_text(const struct repo *r, struct span text, struct err *e)
{
	struct buf old = BUF_INIT(CHECKED_MAX);
	struct err ignored;
	bool same = fs_read(&old, r->dirfd, CHECKED_PATH, &ignored) == 0 &&
	    span_eq(buf_span(&old), text);

	buf_free(&old);
	return same ? 0 : fs_write(r->dirfd, CHECKED_PATH, "tmp", text, 0600,
	    false, e);
}

int
check_remember(struct check *k, struct err *e)
{
	struct buf text = BUF_INIT(CHECKED_MAX);
	struct hash key;
	int ret;

	if (find_key(&key, k->repo) != 0)
		return 0;
	k->now.height = k->head.height;
	k->now.full_ms = k->quick ? k->was.full_ms : k->o->now_ms;
	ret = k->quick ? go_on_with_state(k, e) : put_state(k, e);
	if (ret == 0) {
		checked_format(&text, &k->now, repo_ledger(k->repo), &key);
		ret = buf_check(&text, CHECKED_PATH, e);
	}
	if (ret == 0)
		ret = put_text(k->repo, buf_span(&text), e);
	hash_wipe(&key, sizeof(key));
	buf_free(&text);
	return ret;
}
