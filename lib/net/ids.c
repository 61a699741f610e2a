#define _GNU_SOURCE	/* reallocarray */
#include "net/ids.h"

#include <stdlib.h>

_Static_assert(sizeof(struct hash) == HASH_LEN, "an array is a payload");

static int
room(struct ids *l, size_t more, struct err *e)
{
	size_t cap = l->cap == 0 ? 64 : l->cap;
	struct hash *p;

	if (l->cap - l->n >= more)
		return 0;
	while (cap - l->n < more)
		cap *= 2;
	p = reallocarray(l->id, cap, sizeof(*p));
	if (p == NULL)
		return err_set(e, ERR_SYS, "out of memory");
	l->id = p;
	l->cap = cap;
	return 0;
}

int
ids_add(struct ids *l, const struct hash *id, struct err *e)
{
	if (room(l, 1, e) != 0)
		return -1;
	l->id[l->n++] = *id;
	return 0;
}

void
ids_free(struct ids *l)
{
	free(l->id);
	*l = (struct ids)IDS_INIT;
}

int
ids_add_payload(struct ids *l, struct span payload, size_t max, struct err *e)
{
	size_t n = payload.n / HASH_LEN;

	if (payload.n % HASH_LEN != 0)
		return err_set(e, ERR_BAD, "not the protocol: a payload that "
		    "is not of whole ids");
	if (n > max)
		return err_set(e, ERR_BAD, "not the protocol: %zu ids, over "
		    "%zu", n, max);
	if (n == 0)
		return 0;
	if (room(l, n, e) != 0)
		return -1;
	memcpy(l->id + l->n, payload.p, payload.n);
	l->n += n;
	return 0;
}

struct span
ids_payload(const struct ids *l, size_t skip, size_t max)
{
	size_t n;

	if (skip >= l->n)
		return span_of(NULL, 0);
	n = l->n - skip < max ? l->n - skip : max;
	return span_of(l->id + skip, n * HASH_LEN);
}

static int
by_bytes(const void *a, const void *b)
{
	return memcmp(a, b, HASH_LEN);
}

void
ids_sort(struct ids *l)
{
	size_t n = 0;

	if (l->n == 0)
		return;
	qsort(l->id, l->n, sizeof(*l->id), by_bytes);
	for (size_t i = 0; i < l->n; i++)
		if (n == 0 || !hash_eq(&l->id[n - 1], &l->id[i]))
			l->id[n++] = l->id[i];
	l->n = n;
}

bool
ids_has(const struct ids *sorted, const struct hash *id)
{
	return sorted->n > 0 && bsearch(id, sorted->id, sorted->n,
	    sizeof(*sorted->id), by_bytes) != NULL;
}

int
ids_copy_sorted(struct ids *out, const struct ids *l, struct err *e)
{
	*out = (struct ids)IDS_INIT;
	if (ids_add_payload(out, ids_payload(l, 0, l->n), l->n, e) != 0)
		return -1;
	ids_sort(out);
	return 0;
}
