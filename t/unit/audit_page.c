/* audit_page: who signed which blocks, of few delegates and of too many. */
#include "check.h"

#include "log/audit_page.h"

static struct err e;
static struct audit_page p;

/* A block that nodes FIRST to FIRST + 3 could sign. */
static void
block(unsigned first, const char *proposer, uint64_t signers)
{
	static struct delegates set;
	struct block_header h = { .txs = 1, .proposer = span_str(proposer) };

	set.n = 4;
	for (unsigned i = 0; i < 4; i++)
		snprintf(set.d[i].name, sizeof(set.d[i].name), "n%03u",
		    first + i);
	audit_page_block(&p, &h, &set, signers);
}

static bool
is_row(const char *name, uint64_t seats, uint64_t signed_,
    uint64_t proposed)
{
	for (size_t i = 0; i <= AUDIT_PAGE_NODES; i++) {
		const struct audit_page_node *n = &p.node[i];

		if (strcmp(n->name, name) == 0)
			return n->seats == seats && n->signed_ == signed_ &&
			    n->proposed == proposed;
	}
	return false;
}

static void
signers(void)
{
	audit_page_open(&p);
	block(0, "n001", 0x7);
	block(0, "n003", 0xd);
	block(0, "n001", 0xf);
	block(1, "n004", 0xe);
	CHECK(p.nodes == 5 && p.activity.bar[0].txs == 4);
	CHECK(is_row("n000", 3, 3, 0));
	CHECK(is_row("n001", 4, 2, 2));
	CHECK(is_row("n002", 4, 4, 0));
	CHECK(is_row("n003", 4, 3, 1));
	CHECK(is_row("n004", 1, 1, 1));
	audit_page_free(&p);
}

static void
more_than_fit(void)
{
	audit_page_open(&p);
	for (unsigned i = 0; i < AUDIT_PAGE_NODES + 8; i += 4)
		block(i, "n000", 0x3);
	CHECK(p.nodes == AUDIT_PAGE_NODES);
	CHECK(is_row("n000", 1, 1, 1) && is_row("n127", 1, 0, 0));
	CHECK(is_row("all others", 8, 4, 0));
	audit_page_free(&p);
}

/* One finding too many is counted; a long one breaks nothing. */
static void
findings(void)
{
	static char where[4096];
	struct audit_finding f = { AUDIT_LOGS, false, where, "<" };

	memset(where, '&', sizeof(where) - 1);
	audit_page_open(&p);
	for (int i = 0; i <= AUDIT_PAGE_FINDINGS; i++)
		audit_page_finding(&p, &f);
	CHECK(p.nfindings == AUDIT_PAGE_FINDINGS + 1);
	CHECK(buf_check(&p.findings, "page", &e) == 0);
	audit_page_free(&p);
}

int
main(void)
{
	signers();
	memset(&p, 0, sizeof(p));
	more_than_fit();
	memset(&p, 0, sizeof(p));
	findings();
	return check_done("audit_page");
}
