/*
 * bundle: the texts and names of a bundle, a ledger in one tar
 * (ehr-bundle(5)).  Nothing here reads the tar.
 */
#ifndef LEDGER_BUNDLE_H
#define LEDGER_BUNDLE_H

#include "base/buf.h"
#include "crypto/hash.h"

#define BUNDLE_TEXT_MAX 512		/* bytes of the entry "bundle" */
#define BUNDLE_NAME_MAX 100		/* bytes of an entry's name */
#define BUNDLE_TAIL 2048		/* bytes: the last entry and the end */
#define BUNDLE_END_LEN HASH_HEX		/* bytes of the entry "end" */

/* What a bundle says of itself. */
struct bundle_head {
	struct hash ledger;
	uint64_t since;		/* 0: it is whole; else the block before it */
	uint64_t height;	/* of its last block; and that one's id */
	struct hash head;
};

void bundle_format(struct buf *out, const struct bundle_head *h);
int bundle_parse(struct bundle_head *h, struct span text, struct err *e);

/* The kinds of entries, in their order. */
enum bundle_kind {
	BUNDLE_HEAD, BUNDLE_GENESIS, BUNDLE_BLOCKS, BUNDLE_OBJECTS,
	BUNDLE_LOGS, BUNDLE_TILES, BUNDLE_CHECKPOINTS, BUNDLE_STAGING,
	BUNDLE_PENDING, BUNDLE_END, BUNDLE_KINDS
};

/* "bundle", "genesis", "blocks", ...; the first two and the last are files. */
const char *bundle_kind_name(enum bundle_kind k);

/* The kind of the entry of that name, or -1 when no bundle has such a one. */
int bundle_name(struct span name);

/* How many bytes one of that kind may have. */
uint64_t bundle_limit(enum bundle_kind k);

/* Two names of one kind in their order: < 0, 0, > 0. */
int bundle_cmp(struct span a, struct span b);

#endif
