#include "store/later.h"

#include <stdlib.h>

struct later {
	struct db *db;
	const struct hash *ledger;
	uint64_t height, seq;
	size_t done;		/* bytes of the body that are in the state */
	struct hash *seen;	/* hash table: what the rest touched */
	bool *used;		/* which places of it are taken */
	size_t n, places;	/* a power of two, or 0 */
};

int
later_open(struct later **out, struct db *db, const struct hash *ledger,
    uint64_t height, uint64_t seq, struct err *e)
{
	struct later *l = calloc(1, sizeof(*l));

	if (l == NULL)
		return err_set(e, ERR_SYS, "out of memory");
	l->db = db;
	l->ledger = ledger;
	l->height = height;
	l->seq = seq;
	*out = l;
	return 0;
}

void
later_free(struct later *l)
{
	if (l == NULL)
		return;
	free(l->seen);
	free(l->used);
	free(l);
}

/* --- what the rest has touched -------------------------------------------- */

/* Where it is in the table, or the free place for it. */
static size_t
place(const struct later *l, const struct hash *h)
{
	uint64_t at;

	memcpy(&at, h->b, sizeof(at));
	for (at &= l->places - 1; l->used[at] && !hash_eq(&l->seen[at], h);)
		at = (at + 1) & (l->places - 1);
	return (size_t)at;
}

static bool
has(const struct later *l, const struct hash *h)
{
	return l->n > 0 && l->used[place(l, h)];
}

/* Twice the places, before half of them are taken. */
static int
grow(struct later *l, struct err *e)
{
	struct later old = *l;

	l->places = old.places == 0 ? 256 : 2 * old.places;
	l->seen = malloc(l->places * sizeof(*l->seen));
	l->used = calloc(l->places, sizeof(*l->used));
	if (l->seen == NULL || l->used == NULL) {
		free(l->seen);
		free(l->used);
		l->seen = old.seen;
		l->used = old.used;
		l->places = old.places;
		return err_set(e, ERR_SYS, "out of memory");
	}
	for (size_t i = 0; i < old.places; i++)
		if (old.used[i]) {
			size_t at = place(l, &old.seen[i]);

			l->seen[at] = old.seen[i];
			l->used[at] = true;
		}
	free(old.seen);
	free(old.used);
	return 0;
}

static int
add(struct later *l, const struct hash *h, struct err *e)
{
	size_t at;

	if (2 * (l->n + 1) > l->places && grow(l, e) != 0)
		return -1;
	at = place(l, h);
	l->n += !l->used[at];
	l->used[at] = true;
	l->seen[at] = *h;
	return 0;
}

/* The record that tx is about, and the objects that it names: how many. */
static size_t
touched(const struct hash *h[3], const struct tx *tx)
{
	size_t n = 0;

	h[n++] = &tx->record;
	switch (tx->kind) {
	case TX_AUTHORIZE:
		h[n++] = &tx->staged.body;
		/* FALLTHROUGH */
	case TX_GRANT:
	case TX_WITHDRAW:
		h[n++] = &tx->header;
		break;
	default:
		break;
	}
	return n;
}

/* -------------------------------------------------------------------------- */

/* Write the rest to the state. */
static int
apply_rest(struct later *l, struct span body, struct err *e)
{
	struct span rest = span_of(body.p + l->done, body.n - l->done), note;
	struct tx tx;
	int ret = 0;

	while (ret == 0 && block_next_tx(&rest, &note) == 1) {
		if (tx_parse(&tx, note, l->ledger, e) != 0)
			return -1;
		ret = state_apply(l->db, &tx, l->height, l->seq++, e);
		tx_free(&tx);
	}
	l->done = body.n;
	if (l->n > 0)
		memset(l->used, 0, l->places * sizeof(*l->used));
	l->n = 0;
	return ret;
}

int
later_ask(struct later *l, const struct tx *tx, struct span body,
    struct err *e)
{
	const struct hash *h[3];
	size_t n;

	if (l->n == 0)
		return 0;
	if (!tx_names_record(tx->kind))
		return apply_rest(l, body, e);
	n = touched(h, tx);
	for (size_t i = 0; i < n; i++)
		if (has(l, h[i]))
			return apply_rest(l, body, e);
	return 0;
}

int
later_take(struct later *l, const struct tx *tx, struct span body,
    struct err *e)
{
	const struct hash *h[3];
	size_t n;

	if (!tx_names_record(tx->kind)) {
		l->done = body.n;
		return state_apply(l->db, tx, l->height, l->seq++, e);
	}
	n = touched(h, tx);
	for (size_t i = 0; i < n; i++)
		if (add(l, h[i], e) != 0)
			return -1;
	return 0;
}
