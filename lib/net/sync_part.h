/* sync_part: the halves of sync_with and what they share; private. */
#ifndef NET_SYNC_PART_H
#define NET_SYNC_PART_H

#include "net/ids.h"
#include "net/intake.h"
#include "net/sync.h"

#define SYNC_GROUP 1000			/* ids asked for at once */
#define SYNC_LIST_MAX (1u << 20)	/* ids of a list of the peer */
#define SYNC_PUT_SOFT (4u << 20)	/* bytes of items put at once */

struct sync {
	struct repo *repo;
	struct session *s;
	struct sync_result *res;
};

/* What pending transactions and staged records have in common. */
struct sync_kind {
	const char *name;		/* also the request that lists them */
	enum proto_verb get, put;
	bool pair;			/* two items each */
	int (*items)(struct buf *out, struct repo *r,
	    const struct ids *sorted, size_t soft, bool *more, struct err *e);
	int (*intake)(struct intake *in, struct repo *r, struct span items,
	    int flags, int64_t now_ms, struct err *e);
};
extern const struct sync_kind sync_staged, sync_pending;

int sync_pull(struct sync *y, int flags, struct err *e);
int sync_push(struct sync *y, int flags, struct err *e);

/* Where is the peer by now?  s->height and s->head say it then. */
int sync_ask_head(struct sync *y, struct err *e);

/* Append the peer's list of that name: "pending", "staged", "wanted". */
int sync_list(struct ids *out, struct sync *y, const char *name,
    struct err *e);

/* Fetch these objects, none of which may have more than largest bytes. */
int sync_pull_objects(struct sync *y, const struct ids *l, uint64_t largest,
    struct err *e);

/* Fetch what waits at the peer and is not here. */
int sync_pull_waiting(struct sync *y, const struct sync_kind *k,
    struct err *e);

/* Strike from l those that are among the items; *count is how many.  ERR_BAD:
 * these are not items. */
int sync_strike(struct ids *l, const struct sync_kind *k, struct span items,
    uint64_t *count, struct err *e);

/* From now on, what comes and goes counts as res->wire_bytes. */
void sync_count_bytes(struct sync *y);

/* *e is the peer's fault: name it. */
int sync_blame(struct sync *y, struct err *e);

#endif
