#define _GNU_SOURCE	/* reallocarray */
#include "net/spine.h"

#include <stdatomic.h>
#include <stdlib.h>

#include "base/parallel.h"
#include "net/proto.h"

#define WORTH_A_THREAD 8	/* certificates: fewer cost less without */

/* Headers of one answer that hang together; their certificates are next. */
struct part {
	const struct spine *s;
	struct {
		struct block_header h;
		struct span certificate;
	} *v;
	size_t n;
	atomic_size_t bad;	/* least index of a bad one, or SIZE_MAX */
};

void
spine_init(struct spine *s, const struct hash *ledger, uint64_t height,
    const struct hash *id, int64_t time_ms, const struct delegates *set)
{
	memset(s, 0, sizeof(*s));
	s->ledger = *ledger;
	s->base = s->height = height;
	s->id = *id;
	s->time_ms = time_ms;
	s->set = *set;
	delegates_digest(&s->digest, set);
}

void
spine_free(struct spine *s)
{
	free(s->link);
	s->link = NULL;
	s->cap = 0;
}

bool
spine_lacks(const struct spine *s)
{
	return s->set.n == 0;
}

const struct spine_link *
spine_at(const struct spine *s, uint64_t height)
{
	return height > s->base && height <= s->height ?
	    &s->link[height - s->base - 1] : NULL;
}

int
spine_delegates(struct spine *s, struct span text, struct err *e)
{
	struct delegates set;
	struct hash digest;

	hash_bytes(&digest, text.p, text.n);
	if (!hash_eq(&digest, &s->digest))
		return err_set(e, ERR_BAD, "other delegates for height %llu "
		    "than block %llu names", (unsigned long long)s->height + 1,
		    (unsigned long long)s->height);
	if (delegates_parse(&set, text, e) != 0)
		return -1;
	s->set = set;
	return 0;
}

/* --- one answer ----------------------------------------------------------- */

/* How a header must follow the one before. */
static int
check_link(const struct block_header *h, uint64_t height,
    const struct hash *parent, int64_t time_ms, struct err *e)
{
	unsigned long long want = height;

	if (h->height != height)
		return err_set(e, ERR_BAD, "header %llu came for header %llu",
		    (unsigned long long)h->height, want);
	if (!hash_eq(&h->parent, parent))
		return err_set(e, ERR_BAD, "its block %llu does not follow "
		    "block %llu: the ledger has forked, or this peer is wrong",
		    want, want - 1);
	if (h->time_ms <= time_ms)
		return err_set(e, ERR_BAD, "its block %llu is not later than "
		    "the block before it", want);
	return 0;
}

static int
reserve(struct spine *s, size_t more, struct err *e)
{
	size_t need = (size_t)(s->height - s->base) + more, cap = s->cap;
	struct spine_link *link;

	if (need > SPINE_MAX)
		return err_set(e, ERR_BAD, "over %d headers at once",
		    SPINE_MAX);
	if (need <= cap)
		return 0;
	cap = need > 2 * cap ? need : 2 * cap;
	link = reallocarray(s->link, cap, sizeof(*link));
	if (link == NULL)
		return err_set(e, ERR_SYS, "out of memory");
	s->link = link;
	s->cap = cap;
	return 0;
}

/*
 * Gather the headers of the answer that hang together and have the delegates
 * that we know: up to the first after which they change.  *wrong is whether
 * what follows is not in order, and *e why.
 */
static int
gather(struct part *p, struct span items, uint64_t from, size_t most,
    bool *wrong, struct err *e)
{
	const struct spine *s = p->s;
	struct hash parent = s->id, digest = s->digest;
	int64_t time_ms = s->time_ms;
	struct span header, cert;
	int got;

	*wrong = false;
	for (size_t i = 0; hash_eq(&digest, &s->digest); i++) {
		struct block_header *h = &p->v[p->n].h;

		got = proto_item_next(&items, &header, BLOCK_HEADER_MAX, e);
		if (got == 0)
			return 0;
		if (got == 1)
			got = proto_item_next(&items, &cert, BLOCK_CERT_MAX,
			    e);
		if (got == 0)
			err_set(e, ERR_BAD, "a header without a certificate");
		if (got != 1)
			break;
		if (i == most) {
			err_set(e, ERR_BAD, "more headers than were asked for");
			break;
		}
		if (from + i <= s->height)
			continue;
		if (block_header_parse(h, header, &s->ledger, e) != 0 ||
		    check_link(h, s->height + p->n + 1, &parent, time_ms,
		    e) != 0)
			break;
		p->v[p->n++].certificate = cert;
		parent = h->id;
		digest = h->delegates;
		time_ms = h->time_ms;
	}
	*wrong = hash_eq(&digest, &s->digest);
	return 0;
}

static void
check_certificate(void *arg, unsigned worker, size_t i)
{
	struct part *p = arg;
	size_t bad = atomic_load(&p->bad);
	uint64_t signers;
	struct err e;

	(void)worker;
	if (bad < i || certificate_check(p->v[i].certificate, &p->v[i].h,
	    &p->s->set, &p->s->ledger, &signers, &e) == 0)
		return;
	while (i < bad && !atomic_compare_exchange_weak(&p->bad, &bad, i))
		;
}

/* The first n of them are good. */
static void
take(struct spine *s, const struct part *p, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		const struct block_header *h = &p->v[i].h;
		struct spine_link *l = &s->link[s->height++ - s->base];

		l->id = s->id = h->id;
		hash_bytes(&l->certificate, p->v[i].certificate.p,
		    p->v[i].certificate.n);
		s->time_ms = h->time_ms;
		if (hash_eq(&s->digest, &h->delegates))
			continue;
		s->digest = h->delegates;
		s->set.n = 0;
	}
}

int
spine_add(struct spine *s, uint64_t from, struct span items, size_t most,
    struct err *e)
{
	struct part p = { .s = s, .bad = SIZE_MAX };
	uint64_t signers;
	bool wrong;
	int ret;

	if (spine_lacks(s) || from > s->height + 1)
		return 0;
	if (reserve(s, most, e) != 0)
		return -1;
	p.v = calloc(most + 1, sizeof(*p.v));
	if (p.v == NULL)
		return err_set(e, ERR_SYS, "out of memory");
	ret = gather(&p, items, from, most, &wrong, e);
	parallel_run(p.n, WORTH_A_THREAD, check_certificate, &p);
	if (p.bad != SIZE_MAX) {
		take(s, &p, p.bad);
		certificate_check(p.v[p.bad].certificate, &p.v[p.bad].h,
		    &s->set, &s->ledger, &signers, e);
		e->kind = ERR_BAD;
		ret = -1;
	} else {
		take(s, &p, p.n);
		ret = wrong ? -1 : 0;
	}
	free(p.v);
	return ret;
}
