/* check_part: what the parts of a check share; private. */
#ifndef LOG_CHECK_PART_H
#define LOG_CHECK_PART_H

#include "log/check.h"
#include "log/checked.h"
#include "net/ask.h"
#include "store/verify.h"

struct check {
	struct repo *repo;
	const struct check_options *o;
	struct check_result *res;
	struct db *db;		/* the state that the blocks here give */
	struct head head;	/* of it */
	struct verify_batch *batch;
	bool quick;		/* what the last check found is believed */
	bool doubt;		/* it does not fit: all is to be checked */
	bool mixed;		/* db holds more than the blocks give */
	struct checked was;	/* what the last one found, if quick */
	struct checked now;	/* and this one, so far */
	struct checked_groups same;	/* of was.groups: of objects that are
					 * still the same files */
	uint64_t known;		/* height that state.db had */
	bool broken;		/* the chain could not be repaired */
	struct peers peers;
	bool listed;		/* they are */
	bool *silent;		/* of each, for this check */
};

/* Something is wrong with that file.  It is written down before anything is
 * changed; with look, it is said and counted.  -1: it could not be written. */
int check_found(struct check *k, const char *path, const char *why,
    struct err *e);

/* An event: written down, told, said, counted. */
int check_event(struct check *k, struct err *e, enum event_kind kind,
    const char *path, const char *fmt, ...)
    __attribute__((format(printf, 5, 6)));

void check_note(struct check *k, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

/* Move a file to quarantine, or if keep have it there also; one that is not
 * there is not an error.  In words for an event: where it is, in to. */
int check_quarantine(struct check *k, char to[FS_NAME_MAX], const char *path,
    bool keep, struct err *e);

/* The peers, if there are any. */
int check_peers_list(struct check *k, struct err *e);

/* Take the next block, as its file's text and as it lies on disk, on top of
 * the state.  ERR_SYS is ours; any other error is the block's. */
int check_take(struct check *k, struct span text, struct span packed,
    enum chain_trust trust, struct err *e);

/* Take blocks from files that came meanwhile, up to that height; *there is
 * whether they are there, and right. */
int check_go_on(struct check *k, uint64_t height, bool *there,
    struct err *e);

/*
 * What the last check has found right, with the state that it made: 1, and it
 * is believed from here on; 0, there is none that can be; -1.  Then: have the
 * blocks the same bytes?  If not, that is doubt.
 */
int check_recall(struct check *k, struct err *e);
int check_recall_blocks(struct check *k, struct err *e);

/*
 * Which files of objects/ are those that the last check found right, untouched
 * since: look at all of them; then the answer for one, by its path below .ehr.
 */
int check_survey(struct check *k, struct err *e);
bool check_untouched(void *check, const char *path);

/* What this one has found right, for the next. */
int check_remember(struct check *k, struct err *e);

/* The parts, in this order; -1 is ours.  After check_chain and check_state,
 * broken or doubt may be set; then the others are of no use. */
int check_chain(struct check *k, struct err *e);
int check_state(struct check *k, struct err *e);
int check_files(struct check *k, struct err *e);
int check_objects(struct check *k, struct err *e);
int check_votes(struct check *k, struct err *e);

#endif
