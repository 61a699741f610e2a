/*
 * known: the peers that others told us of, and those that we left for a
 * reason, as the text of the file peers (ehr-repository(5)) and of an answer
 * (ehr-protocol(5)).
 *
 * An address is what an ssh destination may be: it has no character that
 * means something to a shell, and no word in it begins like an option, so
 * that a stranger's address can stand in a command.
 */
#ifndef NET_KNOWN_H
#define NET_KNOWN_H

#include "crypto/hash.h"
#include "ledger/name.h"

#define KNOWN_MAX 128			/* peers, at most */
#define KNOWN_ADDRESS_MAX 255		/* bytes */
#define KNOWN_WHY_MAX 300		/* bytes of a reason */
#define KNOWN_TEXT_MAX (KNOWN_MAX * 1024)	/* bytes */

struct known_peer {
	char name[NAME_MAX_LEN + 1];
	char address[KNOWN_ADDRESS_MAX + 1];	/* "": none */
	int64_t bad_ms;		/* until then it is left; 0: it is not */
	char why[KNOWN_WHY_MAX + 1];
};

struct known {
	struct known_peer p[KNOWN_MAX];	/* by name */
	size_t n;
};

bool known_address_ok(struct span address);

/* The text.  ERR_BAD when it is malformed or another ledger's. */
int known_parse(struct known *k, struct span text, const struct hash *ledger,
    struct err *e);
void known_format(struct buf *out, const struct known *k,
    const struct hash *ledger);

/* The file: that text, and a check of it (tail.h). */
int known_parse_file(struct known *k, struct span whole,
    const struct hash *ledger, struct err *e);
void known_format_file(struct buf *out, const struct known *k,
    const struct hash *ledger);

/* The answer to addr: "NAME ADDRESS\n" for each that has one. */
int known_parse_answer(struct known *k, struct span lines, struct err *e);
void known_format_answer(struct buf *out, const struct known *k);

/* Find a peer, or NULL. */
struct known_peer *known_find(struct known *k, struct span name);

/* Find or add one; NULL when there is no room, or no such name can be. */
struct known_peer *known_add(struct known *k, struct span name);

/* Forget one. */
void known_remove(struct known *k, struct known_peer *p);

#endif
