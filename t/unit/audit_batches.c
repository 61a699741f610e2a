/*
 * audit_batches: of signatures that are verified in several batches, the first
 * false one of each is named, and nothing from the very first on is said to be
 * verified, however good the later ones are.
 */
#include "past.h"

#include "log/audit.h"

#define TXS 1000		/* in a block: five fill a batch, of 4096 */
#define BLOCKS 17		/* three batches: up to 7, 12, 17 */

static struct err e;
static struct past p;
static char all[1024];		/* findings, each a line */

static int
finding(void *arg, const struct audit_finding *f, struct err *err)
{
	size_t n = strlen(all);

	(void)arg, (void)err;
	if (f->class == AUDIT_OBJECTS)
		return 0;	/* they are not there */
	snprintf(all + n, sizeof(all) - n, "%s: %s\n", f->where, f->what);
	return 0;
}

/* A block of many; the signature of its bad-th is another. */
static void
add_block(unsigned bad)
{
	struct buf body = BUF_INIT(4u << 20);

	for (unsigned i = 1; i <= TXS; i++) {
		unsigned char *c;

		past_access(&p, NULL, &body);
		c = &body.p[body.len - 20];
		if (i == bad)
			*c = *c == 'A' ? 'B' : 'A';
	}
	past_block(&p, &body, PAST_HOUR(2) + (int64_t)p.height * 1000);
	buf_free(&body);
}

int
main(void)
{
	static struct audit a = { .finding = finding };
	const struct audit_count *n = a.count;
	char want[1024];

	scratch_open();
	past_open(&p);
	past_add(&p, "a", 0);
	past_begin(&p);
	p.blind = true;
	while (p.height < BLOCKS)
		switch (p.height + 1) {
		case 4: add_block(400); break;
		case 9: add_block(900); break;
		case 10: add_block(1); break;
		default: add_block(0);
		}
	CHECK(repo_open(&a.repo, "a", &e) == 0);
	CHECK(audit_run(&a, &e) == 0);
	snprintf(want, sizeof(want),
	    "blocks: block 4: signature of %s: does not verify\n"
	    "blocks: block 9: signature of %s: does not verify\n",
	    p.l.kun.name, p.l.kun.name);
	CHECK_STR(all, want);
	CHECK(a.verified == 3 && a.head.height == BLOCKS);
	CHECK(n[AUDIT_SIGNATURES].failed == 2 && n[AUDIT_BLOCKS].failed == 0);
	/* A record's author signs, too; and four, each block. */
	CHECK(n[AUDIT_SIGNATURES].checked == n[AUDIT_TRANSACTIONS].checked +
	    1 + 4 * BLOCKS);
	CHECK(n[AUDIT_TRANSACTIONS].checked == 5 + (BLOCKS - 2) * TXS);
	audit_close(&a);
	repo_close(a.repo);
	past_close(&p);
	scratch_close();
	return check_done("audit_batches");
}
