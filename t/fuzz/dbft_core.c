/*
 * Any sequence of inputs, even one that more than f faulty delegates would be
 * needed for: the core does not abort, and its own votes only go up.
 */
#include <stdlib.h>

#include "dbft/core.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

struct tape {
	const uint8_t *p;
	size_t n;
};

static unsigned
take(struct tape *t)
{
	if (t->n == 0)
		return 0;
	t->n--;
	return *t->p++;
}

static struct hash
take_block(struct tape *t)
{
	struct hash h;

	memset(&h, 0, sizeof(h));
	h.b[0] = (unsigned char)(take(t) % 3);
	return h;
}

static struct dbft_signed
take_vote(struct tape *t, enum dbft_kind kind, unsigned n)
{
	unsigned b = take(t);
	struct dbft_signed v;

	memset(&v, 0, sizeof(v));
	v.signer = b % n;
	v.msg.kind = b >= 250 ? (enum dbft_kind)(b % 4) : kind;
	v.msg.height = b == 249 ? b % 3 : 1;
	v.msg.view = take(t) % 8;
	v.msg.block = take_block(t);
	if (kind == DBFT_CHANGE && take(t) % 2 == 0) {
		v.msg.prepared = true;
		v.msg.prepared_view = take(t) % 8;
	}
	return v;
}

static struct dbft_cert
take_cert(struct tape *t)
{
	struct dbft_cert c = { 1, take(t) % 8, take_block(t), 0 };

	for (int i = 0; i < 2; i++)
		c.signers = c.signers << 8 | take(t);
	if (take(t) % 16 == 0)
		c.signers = UINT64_MAX;
	return c;
}

static void
take_input(struct tape *t, struct dbft_input *in, struct dbft_signed *changes,
    unsigned n)
{
	static const enum dbft_kind of[] = {
		[DBFT_IN_PROPOSAL] = DBFT_PREPARE,
		[DBFT_IN_PREPARE] = DBFT_PREPARE,
		[DBFT_IN_COMMIT] = DBFT_COMMIT,
		[DBFT_IN_CHANGE] = DBFT_CHANGE,
		[DBFT_IN_FINAL] = DBFT_NONE
	};

	in->kind = (enum dbft_in)(take(t) % (DBFT_IN_FINAL + 1));
	in->peer = take(t) % 80;
	in->valid = take(t) % 4 != 0;
	if (of[in->kind] != DBFT_NONE)
		in->vote = take_vote(t, of[in->kind], n + 1);
	if (in->kind != DBFT_IN_TICK && in->kind != DBFT_IN_WORK)
		in->cert = take_cert(t);
	if (in->kind == DBFT_IN_PROPOSAL)
		in->nchanges = take(t) % 9;
	for (size_t i = 0; i < in->nchanges; i++)
		changes[i] = take_vote(t, DBFT_CHANGE, n + 1);
	in->changes = changes;
	in->view = take(t) % 8;
	in->block = take_block(t);
}

/* What another process of the node was given: prepares and commits, or else. */
static void
hear(struct dbft *s, struct tape *t, unsigned n)
{
	struct dbft_signed v = take_vote(t, take(t) % 2 == 0 ? DBFT_PREPARE :
	    DBFT_COMMIT, n + 1);

	dbft_replay_vote(s, &v);
}

/* The own votes in out follow *last. */
static void
check(const struct dbft_actions *out, struct dbft_msg *last, unsigned me)
{
	for (size_t i = 0; i < out->n; i++) {
		const struct dbft_msg *m = &out->a[i].msg;

		if ((out->a[i].to >> me & 1) != 0)
			abort();
		if (out->a[i].kind != DBFT_ACT_VOTE)
			continue;
		if (m->view < last->view ||
		    (m->view == last->view && m->kind <= last->kind))
			abort();
		*last = *m;
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const unsigned sizes[] = { 1, 2, 3, 4, 7, 16, 64 };
	struct tape t = { data, size };
	struct dbft_config c = { .timeout_ms = 50, .timeout_max_ms = 300,
	    .resend_ms = 20, .skip_ms = 10, .again_ms = 5 };
	struct dbft_msg last = { 0 };
	static struct dbft s;
	int64_t now = 1000;

	c.n = sizes[take(&t) % 7];
	c.me = take(&t) % c.n;
	c.passive = take(&t) % 2 == 0;
	c.all_to_all = take(&t) % 2 == 0;
	dbft_init(&s, &c, 1, 0, now);
	dbft_away(&s, take(&t));
	while (t.n > 0) {
		struct dbft_signed changes[9];
		struct dbft_input in = { 0 };
		struct dbft_actions out;

		if (take(&t) % 16 == 0)
			hear(&s, &t, c.n);
		now += (int64_t)(take(&t) % 64) - 4;
		take_input(&t, &in, changes, c.n);
		in.now_ms = now;
		in.since_ms = now - 5;
		dbft_step(&s, &in, &out);
		check(&out, &last, c.me);
	}
	return 0;
}
