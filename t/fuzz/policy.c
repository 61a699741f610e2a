/*
 * policy: a checkpoint that a policy accepts is signed by a log of it, and
 * more cosignatures never make it refuse.
 */
#include "../unit/proven.h"
#include "ledger/policy.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

static struct little l;
static struct buf note[16];
static struct policy policy;

static void
start(void)
{
	struct hash root;

	little_open(&l);
	little_object(&root, "a root");
	for (unsigned mask = 0; mask < 16; mask++) {
		buf_init(&note[mask], CHECKPOINT_MAX);
		proven_checkpoint(&note[mask], &l, 9, &root, &l.node[0],
		    mask);
	}
}

static bool
accepts(unsigned mask)
{
	struct checkpoint c;
	struct err e;
	int r;

	assert(checkpoint_parse(&c, buf_span(&note[mask]), &l.id, &e) == 0);
	r = policy_accepts(&policy, &c, &e);
	assert(r == 0 || e.kind == ERR_NO);
	return r == 0;
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct err e;

	if (l.ruth.sign == NULL)
		start();
	if (n > POLICY_MAX || policy_parse(&policy, span_of(p, n), &e) != 0) {
		assert(n > POLICY_MAX || e.kind == ERR_BAD);
		return 0;
	}
	assert(policy.quorum < (int)policy.nitems);
	for (unsigned few = 0; few < 16; few++)
		for (unsigned i = 0; i < 4; i++)
			assert(!accepts(few) || accepts(few | 1u << i));
	return 0;
}
