/* tally: what an exchange with peers has moved so far. */
#ifndef NET_TALLY_H
#define NET_TALLY_H

#include "net/proto.h"

struct sync_count {
	uint64_t blocks, objects, staged, pending;
	uint64_t bytes;			/* of objects */
};

/* Zero it before; counts add up over several calls. */
struct sync_result {
	struct sync_count pulled, pushed;
	uint64_t wire_bytes;	/* that came or went, whatever they were */
	uint64_t wanted;	/* objects that are not here after a pull */
	uint64_t refused;	/* of ours, by the peer */
	char reason[256];	/* and why, for the first of them */
	uint64_t declined;	/* of the peer's, by our rules */
	uint64_t damaged;	/* objects that came with other bytes */
	bool read_only;		/* the peer takes nothing; we did not push */
	enum proto_access access;	/* what it lets us do */

	/* Called when something has moved; may be NULL. */
	void (*watch)(void *arg, const struct sync_result *res);
	void *arg;
	const char *doing;	/* "blocks", ...; and how far that is */
	uint64_t done, total;	/* total 0: not known */
};

/* So far it is: tell who watches. */
void tally_moved(struct sync_result *res, const char *doing, uint64_t done,
    uint64_t total);

/* So many entries of a bundle were unpacked, of so many bytes: the same. */
void tally_entries(struct sync_result *res, uint64_t entries, uint64_t bytes);

/* So many more bytes came or went: the same. */
void tally_bytes(struct sync_result *res, size_t n);

#endif
