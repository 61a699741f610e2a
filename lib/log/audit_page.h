/*
 * audit_page: what an audit found as one HTML page to look at and to print,
 * with nothing in it that is run or comes from elsewhere.
 */
#ifndef LOG_AUDIT_PAGE_H
#define LOG_AUDIT_PAGE_H

#include "log/activity.h"
#include "log/audit_base.h"

#define AUDIT_PAGE_MAX (32u << 20)	/* bytes of a page */
#define AUDIT_PAGE_FINDINGS 1000	/* that are listed */
#define AUDIT_PAGE_NODES 128	/* in the table; others count together */

struct audit_page_node {
	char name[NAME_MAX_LEN + 1];
	uint64_t seats;		/* blocks that it could sign */
	uint64_t proposed, signed_;
};

/* What is collected while an audit runs.  Zero it, then audit_page_open. */
struct audit_page {
	const char *what;	/* that was audited: a file's name */
	int64_t now_ms;
	bool outside;		/* something from outside was given */
	struct activity activity;
	/* The last one: all others. */
	struct audit_page_node node[AUDIT_PAGE_NODES + 1];
	size_t nodes;
	struct buf findings;	/* rows of the table */
	uint64_t nfindings;
};

void audit_page_open(struct audit_page *p);
void audit_page_free(struct audit_page *p);

/* Of an audit's callbacks: a block that holds, a finding. */
void audit_page_block(struct audit_page *p, const struct block_header *h,
    const struct delegates *set, uint64_t signers);
void audit_page_finding(struct audit_page *p, const struct audit_finding *f);

/* Append the page, after the audit.  ERR_BAD: it would be too long. */
int audit_page_text(struct buf *out, struct audit_page *p,
    const struct audit *a, struct err *e);

#endif
