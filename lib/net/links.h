/* links: a link (link.h) to each of the other delegates. */
#ifndef NET_LINKS_H
#define NET_LINKS_H

#include "dbft/core.h"
#include "ledger/certificate.h"
#include "net/driver.h"
#include "net/link.h"

struct links {
	struct repo *repo;	/* borrowed */
	int bell[2];		/* a byte for any news; neither end blocks */
	bool keep;		/* connect again when the connection is lost */
	int sync;		/* what is exchanged first: LINK_PULL... */
	struct {
		char name[NAME_MAX_LEN + 1];
		struct link *link;
	} to[DBFT_MAX_NODES];
	size_t n;
};

/* What they are like, together. */
struct links_sum {
	uint64_t away;		/* mask of delegates that do not answer */
	unsigned present;	/* delegates not away, and we if we are one */
	unsigned ready;		/* of these, who have nothing to do */
	bool busy;		/* somebody has, */
	bool taking;		/* and is connected */
};

int links_open(struct links *ls, struct repo *r, bool keep, int sync,
    struct err *e);

/*
 * End all connections, for which up to wait_ms are waited.  False: a thread
 * still hangs on a peer that is silent, and the process has to end with it.
 */
bool links_close(struct links *ls, int wait_ms);

/* Have links to the delegates of the set but `me`, as the config says. */
int links_want(struct links *ls, const struct delegates *set, int me,
    struct err *e);

/* Delegate i of the set as its link sees it; without one it is away. */
struct link_info links_info(const struct links *ls,
    const struct delegates *set, unsigned i);
struct links_sum links_sum(const struct links *ls,
    const struct delegates *set, int me);

/* Give a driver's posts to the links of its delegates. */
void links_send(struct links *ls, const struct driver *d);

/* Exchange what waits with a delegate, or with all who have nothing to do
 * (NULL). */
void links_sync(struct links *ls, const char *name, int what);

/* Try those who are away again soon: one of them may be back. */
void links_retry(struct links *ls);

/* The messages that came from somebody: true and the name, appended to out;
 * or false.  *at starts with 0. */
bool links_answer(struct links *ls, size_t *at, const char **name,
    struct buf *out);

/* Wait for news, up to ms; then take the bytes out of the bell. */
void links_wait(struct links *ls, int ms);
void links_hush(struct links *ls);

#endif
