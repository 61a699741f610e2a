#include "net/consensus.h"

#include "net/driver.h"
#include "net/final.h"
#include "net/judge.h"
#include "store/chain.h"

#define LOCK_WAIT_MS 10000

/* Step through the messages that are about votes. */
static int
step_all(struct driver *d, unsigned peer, struct span payload, struct err *e)
{
	struct wire_msg m;
	int got;

	while ((got = wire_next(&m, &payload, e)) == 1)
		if (m.kind != WIRE_FINAL &&
		    driver_message(d, &m, peer, e) != 0)
			return -1;
	return got;
}

/* As a delegate: take the lock, step, and gather what is for the peer. */
static int
vote(struct repo *r, struct span from, struct span payload,
    struct buf *answer, struct err *e)
{
	struct driver *d;
	int peer, ret;

	if (driver_open(&d, r, true, e) != 0)
		return -1;
	ret = driver_lock(d, LOCK_WAIT_MS, e);
	if (ret == 0) {
		peer = delegates_find(&d->set, from);
		ret = step_all(d, peer < 0 ? DBFT_NOBODY : (unsigned)peer,
		    payload, e);
		driver_unlock(d);
		for (size_t i = 0; i < d->nposts && ret == 0; i++)
			if (peer >= 0 && (d->post[i].to >> peer & 1) != 0)
				buf_add(answer, d->post[i].bytes.p,
				    d->post[i].bytes.len);
	}
	driver_close(d);
	return ret != 0 ? -1 : buf_check(answer, "answer", e);
}

/* Take final blocks in, and see what else came: the height that the votes
 * speak of, or 0. */
static int
take_blocks(uint64_t *height, struct repo *r, struct span payload,
    struct err *e)
{
	struct wire_msg m;
	int got;

	*height = 0;
	while ((got = wire_next(&m, &payload, e)) == 1) {
		if (m.kind != WIRE_FINAL) {
			if (judge_height(height, m.part[0].data,
			    repo_ledger(r), e) != 0)
				return -1;
		} else if (final_take(r, &m, e) != 0 && e->kind != ERR_AGAIN)
			return -1;
	}
	return got;
}

int
consensus_answer(struct repo *r, struct span from, struct span line,
    struct span payload, struct buf *status, struct buf *answer,
    struct err *e)
{
	uint64_t height;
	struct head h;

	if (!span_is(line, "consensus"))
		return err_set(e, ERR_BAD, "malformed request");
	if (take_blocks(&height, r, payload, e) != 0 ||
	    chain_head(&h, r, e) != 0)
		return -1;
	if (height == h.height + 1) {
		if (vote(r, from, payload, answer, e) != 0 ||
		    chain_head(&h, r, e) != 0)
			return -1;
	} else if (height != 0 && height <= h.height) {
		/* It is behind: this is what was decided there. */
		if (final_add(answer, r, height, e) != 0)
			return -1;
	}
	buf_addf(status, "ok %llu", (unsigned long long)h.height);
	return 0;
}
