/* status: where the consensus stands at this node, for people to read. */
#ifndef NET_STATUS_H
#define NET_STATUS_H

#include "net/driver.h"
#include "net/link.h"

struct status_delegate {
	char name[NAME_MAX_LEN + 1];
	bool me;
	bool answers;
	uint64_t height;	/* its last final block, if it answers */
	struct err e;		/* why not */
	bool certified;		/* it signed the last block's certificate */
	bool prepared;		/* the prepare certificate that we hold */
	bool missed;		/* it did not speak in its last turn */
	bool missing;		/* its vote of the kind `lack` */
};

struct status {
	struct head head;
	bool pbft;		/* the engine; else dBFT */
	uint64_t pending;
	bool running;		/* an ehr-dbft of this node is at work */

	/* The last block's certificate; cert_n 0: there is no block. */
	uint32_t cert_view;
	size_t cert_n;

	/* The height being decided. */
	uint64_t height;
	bool voting;		/* this node may vote; else why */
	char why[512];
	bool live;		/* the journal could be read: what follows */
	uint32_t view;
	bool entered;		/* false: it waits for others to come to view */
	unsigned speaker;	/* of delegate[] */
	bool work;		/* something waits for a block */
	int64_t left_ms;	/* until the view times out; INT64_MAX: never */
	struct dbft_msg last;	/* the last own vote; kind NONE: none */
	struct dbft_cert high;	/* the prepare certificate; signers 0: none */
	enum dbft_kind lack;	/* which votes the view waits for, as far as
				 * the ehr-dbft at work knows; NONE: unknown */

	size_t quorum, n;
	struct status_delegate delegate[GENESIS_NODES_MAX];
	struct fs_names evidence;	/* names of files in consensus/ */
};

/*
 * Look at the ledger directory, and ask the other delegates how far they are,
 * unless local.  Changes nothing.  Release with status_free.
 */
int status_get(struct status *st, struct repo *r, bool local, struct err *e);
void status_free(struct status *st);

#endif
