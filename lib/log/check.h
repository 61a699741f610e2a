/*
 * check: what is stored here against the blocks, the blocks against their
 * certificates from the genesis on, and both against what peers have; what is
 * damaged is repaired (ehr-log-merkle(1)).
 *
 * Blocks are believed for their certificates, objects for their hashes, and
 * all else is made again from the blocks; no peer is believed for what it says,
 * nor are many.
 */
#ifndef LOG_CHECK_H
#define LOG_CHECK_H

#include "log/event.h"
#include "log/hourly.h"

struct check_options {
	bool look;		/* only local things, and change nothing */
	bool full;		/* believe nothing that an earlier one found */
	int64_t now_ms;
	/* A line for people: an event, or if kind is EVENT_DAMAGED what is
	 * wrong and stays so; and what is of lesser interest. */
	void (*event)(void *arg, enum event_kind kind, const char *path,
	    const char *text);
	void (*note)(void *arg, const char *text);
	void *arg;
};

struct check_result {
	uint64_t blocks, objects, logs, tiles, checkpoints;	/* checked */
	uint64_t verified;	/* blocks, of which the others have the bytes
				 * that were verified before */
	uint64_t hashed;	/* objects, of which the others are in files
				 * that nobody has touched since they were */
	unsigned bad;		/* found, and left as they were: look */
	unsigned repaired, outvoted, alarms;	/* events */
	unsigned asked, answered;	/* peers */
};

/*
 * One check at a time: ERR_AGAIN when another runs.  0, and what was found and
 * done is in *res; -1 when it could not be finished, and *res is as far as it
 * came.
 */
int check_run(struct check_result *res, struct repo *r,
    const struct check_options *o, struct err *e);

#endif
