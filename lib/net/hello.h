/*
 * hello: who we are to a peer, and who the peer is (ehr-protocol(5)).  Both
 * sides of a connection use it: session.c for who called, serve.c for who was
 * called.
 */
#ifndef NET_HELLO_H
#define NET_HELLO_H

#include "net/proto.h"
#include "store/repo.h"

#define HELLO_CALLER "hello"	/* kinds of the notes; see proto_hello_text */
#define HELLO_CALLED "welcome"

/* What we say of ourselves. */
struct hello {
	bool has_ledger;		/* false: a clone that takes any */
	struct hash ledger;
	uint64_t height;
	bool has_head;
	struct hash head;
	char node[NAME_MAX_LEN + 1];	/* our name as a node, or "" */
	const struct identity *key;	/* to show it; borrowed, or NULL */
	bool has_skew;
	uint32_t skew_ms;
	unsigned char nonce[PROTO_NONCE];	/* fresh for each connection */
};

/* From a ledger directory and the node's key, which may be NULL. */
int hello_of(struct hello *h, struct repo *r, const struct identity *key,
    struct err *e);

/* Append our version line, without newline. */
void hello_version(struct buf *out, const struct hello *h, int64_t now_ms);

/*
 * Can we talk with them: the same protocol, ledger and time?  ERR_NO with a
 * reason that names both values.
 */
int hello_agree(const struct hello *h, const struct proto_version *them,
    int64_t now_ms, struct err *e);

/* Only the clocks; hello_agree does this when has_skew. */
int hello_check_clock(int64_t theirs_ms, int64_t now_ms, uint32_t skew_ms,
    struct err *e);

/*
 * Append a note of that kind by our key, for peer ("" when it is no node),
 * over its nonce.
 */
int hello_sign(struct buf *note, const struct hello *h, const char *kind,
    const struct hash *ledger, const char *peer,
    const unsigned char nonce[PROTO_NONCE], struct err *e);

/*
 * Does the note show that its signer has the key that this ledger knows for
 * node?  It was signed for peer (us; "" when we are no node) over our nonce.
 * 1 it does; 0 the ledger knows no such node (now); -1: ERR_NO, ERR_BAD: it
 * does not.
 */
int hello_proves(struct repo *r, struct span note, const char *kind,
    const char *node, const char *peer,
    const unsigned char nonce[PROTO_NONCE], struct err *e);

#endif
