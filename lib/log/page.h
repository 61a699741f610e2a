/*
 * page: what an audit found as one HTML page to look at and to print, with
 * nothing in it that is run or comes from elsewhere.
 */
#ifndef LOG_PAGE_H
#define LOG_PAGE_H

#include "log/activity.h"
#include "log/audit_base.h"

#define PAGE_MAX (32u << 20)	/* bytes of a page */
#define PAGE_FINDINGS 1000	/* that are listed */
#define PAGE_NODES 128		/* nodes in the table; others count together */

struct page_node {
	char name[NAME_MAX_LEN + 1];
	uint64_t seats;		/* blocks that it could sign */
	uint64_t proposed, signed_;
};

/* What is collected while an audit runs.  Zero it, then page_open. */
struct page {
	const char *what;	/* that was audited: a file's name */
	int64_t now_ms;
	bool outside;		/* something from outside was given */
	struct activity activity;
	struct page_node node[PAGE_NODES + 1];	/* the last: all others */
	size_t nodes;
	struct buf findings;	/* rows of the table */
	uint64_t nfindings;
};

void page_open(struct page *p);
void page_free(struct page *p);

/* Of an audit's callbacks: a block that holds, a finding. */
void page_block(struct page *p, const struct block_header *h,
    const struct delegates *set, uint64_t signers);
void page_finding(struct page *p, const struct audit_finding *f);

/* Append the page, after the audit.  ERR_BAD: it would be too long. */
int page_text(struct buf *out, struct page *p, const struct audit *a,
    struct err *e);

#endif
