/*
 * votes: the vote journal, consensus/journal: what this delegate has signed,
 * written down before it is sent (ehr-consensus(7) has every byte).
 *
 *	ehr.v1 journal LEDGER
 *	HEIGHT TEXT HASH
 *	...
 *
 * An entry is one line, and TEXT is its writer's: printable UTF-8 and tabs.
 * HASH is SHA-256 over the HASH before it (the first line's is over that
 * line), a blank, and "HEIGHT TEXT"; so nothing in the middle changes or goes
 * unseen.  A last line without its newline, or filled up with zeros, is what a
 * crash leaves behind: it was never acknowledged, and is dropped.
 *
 * "HEIGHT floor" says that nothing may be signed at that height or below.
 *
 * Whoever reads or writes holds consensus/lock, so that two processes of a
 * node cannot vote at the same time.
 */
#ifndef STORE_VOTES_H
#define STORE_VOTES_H

#include "crypto/hash.h"
#include "store/repo.h"

#define VOTES_DIR "consensus"
#define VOTES_PATH VOTES_DIR "/journal"
#define VOTES_TEXT_MAX 65536		/* bytes of an entry's text */
#define VOTES_MAX (64u << 20)		/* bytes of a journal */
#define VOTES_HEIGHT_MAX 999999999

struct votes;

/* One entry.  text borrows, until the next append or lock. */
struct votes_entry {
	uint64_t height;
	struct span text;
};

/*
 * Write a new journal into the ledger directory dirfd; with a floor, unless
 * that is NULL.  ERR_NO when there is one.
 */
int votes_create(int dirfd, const struct hash *ledger, const uint64_t *floor,
    struct err *e);

/* A handle; nothing is opened yet.  r is borrowed. */
int votes_open(struct votes **out, struct repo *r, struct err *e);
void votes_close(struct votes *v);	/* NULL does nothing */

/*
 * Take the lock, for which up to wait_ms are waited, and read what others
 * have written since.  ERR_AGAIN: another process has the lock; ERR_NO: there
 * is no journal; ERR_BAD: it is damaged.  The lock is held only after success.
 */
int votes_lock(struct votes *v, int wait_ms, struct err *e);
void votes_unlock(struct votes *v);

/*
 * Read it without the lock, and change nothing: for who only looks.  *torn is
 * how many bytes at its end are what a crash leaves, or a vote that is just
 * being written.  ERR_NO, ERR_BAD as above.
 */
int votes_look(struct votes *v, size_t *torn, struct err *e);

/* What follows is for the holder of the lock; who looks may read. */

/* How many entries there are, and one of them. */
size_t votes_count(const struct votes *v);
struct votes_entry votes_get(const struct votes *v, size_t i);

/* The hash at the end of an entry's line. */
struct hash votes_hash(const struct votes *v, size_t i);

/* The highest floor, or 0. */
uint64_t votes_floor(const struct votes *v);

/* The hash of the last line: tells whether the journal is what it was. */
struct hash votes_last(const struct votes *v);

/*
 * Append an entry.  It is on disk only after votes_sync, which also waits for
 * what a process that died before its own sync has left.  When either fails,
 * the journal is as it was, and must be locked again before it is used.
 */
int votes_append(struct votes *v, uint64_t height, struct span text,
    struct err *e);
int votes_sync(struct votes *v, struct err *e);

/*
 * Heights up to head are final.  When the journal has grown long, replace it
 * by one with a floor there and the entries above it.
 */
int votes_trim(struct votes *v, uint64_t head, struct err *e);

#endif
