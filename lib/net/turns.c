#include "net/turns.h"

#include "dbft/core.h"
#include "store/blocks.h"

struct looking {
	const struct delegates *set;
	uint64_t missed;
};

/* The speakers before the proposer had their turn, and then it did. */
static int
look(void *arg, const struct blocks_item *b, struct err *e)
{
	struct looking *l = arg;
	unsigned n = (unsigned)l->set->n, speaker;
	int who = delegates_find(l->set, span_str(b->proposer));

	(void)e;
	for (uint32_t view = 0; who >= 0 && view < n; view++) {
		speaker = dbft_speaker(b->height, view, n);
		if (speaker == (unsigned)who) {
			l->missed &= ~(UINT64_C(1) << who);
			break;
		}
		l->missed |= UINT64_C(1) << speaker;
	}
	return 0;
}

int
turns_missed(uint64_t *mask, struct db *db, const struct delegates *set,
    uint64_t height, struct err *e)
{
	uint64_t from = height > set->n ? height - set->n : 1, since;
	struct looking l = { set, 0 };

	/* Under another set, others spoke. */
	if (blocks_set_since(&since, db, height, e) != 0 ||
	    blocks_each(db, from > since ? from : since, look, &l, e) != 0)
		return -1;
	*mask = l.missed;
	return 0;
}
