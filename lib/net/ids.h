/* ids: lists of 32-byte ids, as payloads and as sets. */
#ifndef NET_IDS_H
#define NET_IDS_H

#include "base/buf.h"
#include "crypto/hash.h"

struct ids {
	struct hash *id;	/* owned */
	size_t n, cap;
};

#define IDS_INIT { NULL, 0, 0 }

int ids_add(struct ids *l, const struct hash *id, struct err *e);
void ids_free(struct ids *l);		/* an all-zero one is fine */

/* Append a payload of at most max ids.  ERR_BAD when it is not whole ids. */
int ids_add_payload(struct ids *l, struct span payload, size_t max,
    struct err *e);

/* The ids from number skip on, at most max of them, as a payload. */
struct span ids_payload(const struct ids *l, size_t skip, size_t max);

/* Sort bytewise and drop doubles; then ids_has may be asked. */
void ids_sort(struct ids *l);
bool ids_has(const struct ids *sorted, const struct hash *id);

/* A sorted copy. */
int ids_copy_sorted(struct ids *out, const struct ids *l, struct err *e);

#endif
