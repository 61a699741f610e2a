/*
 * rejoin: a delegate that comes back to a ledger with a past votes again: with
 * its state, without it, and without any block.
 */
#define _GNU_SOURCE
#include "carry.h"
#include "net/renew.h"
#include "past.h"

#define BLOCKS 150		/* more than are applied in one go */

static struct past p;
static struct err e;

/* Four hospitals at that height, whose journals begin there. */
static void
begin(void)
{
	struct buf body = BUF_INIT(1u << 20);
	char dir[] = "h0";

	past_open(&p);
	for (unsigned i = 0; i < 4; i++) {
		dir[1] = (char)('0' + i);
		past_add(&p, dir, i);
	}
	past_begin(&p);
	while (p.height < BLOCKS) {
		buf_reset(&body);
		past_access(&p, NULL, &body);
		past_block(&p, &body, PAST_HOUR(1) + 60000 +
		    (int64_t)p.height);
	}
	f.n = 4;
	f.admin = p.l.ruth;
	for (unsigned i = 0; i < 4; i++) {
		f.r[i] = p.r[i];
		f.node[i] = p.l.node[i];
		CHECK(unlinkat(f.r[i]->dirfd, VOTES_PATH, 0) == 0);
		CHECK(renew_with_floor(f.r[i], BLOCKS, &e) == 0);
	}
	buf_free(&body);
}

/* Does hospital i have a vote for that height in its journal? */
static bool
voted(unsigned i, uint64_t height)
{
	struct buf journal = BUF_INIT(1u << 20);
	char line[32], *at;
	bool found;

	CHECK(fs_read(&journal, f.r[i]->dirfd, VOTES_PATH, &e) == 0);
	buf_addc(&journal, '\0');
	snprintf(line, sizeof(line), "\n%llu ", (unsigned long long)height);
	at = strstr((char *)journal.p, line);
	found = at != NULL && strstr(at, " prepare ") != NULL;
	buf_free(&journal);
	return found;
}

/* All make the next block, and hospital 3 takes part. */
static void
test_block(void)
{
	uint64_t height = four_height(&f, 0) + 1;

	four_enroll(&f, 15);
	CHECK(!voted(3, height));
	act((unsigned)height % 4, 60000);
	CHECK(four_agree(&f, 15, height));
	CHECK(voted(3, height));
}

/* The process of hospital 3 ends; lose is a shell's command. */
static void
come_back(const char *lose)
{
	repo_close(f.r[3]);
	CHECK(system(lose) == 0);
	CHECK(repo_open(&f.r[3], "h3", &e) == 0);
	p.r[3] = f.r[3];
}

int
main(void)
{
	scratch_open();
	begin();
	test_block();
	come_back(":");
	test_block();
	come_back("rm h3/.ehr/state.db*");
	test_block();
	come_back("rm -r h3/.ehr/state.db* h3/.ehr/blocks/*");
	CHECK(four_height(&f, 3) == 0);
	push_blocks(0, 3);
	test_block();
	past_close(&p);
	scratch_close();
	return check_done("rejoin");
}
