/*
 * ask: single questions to a peer that answers, for who checks what is here
 * (ehr-protocol(5)).  Nothing that comes was verified, but for its form.
 */
#ifndef NET_ASK_H
#define NET_ASK_H

#include "net/ids.h"
#include "net/peers.h"

/*
 * Connect as who has no blocks yet, so that it works when those here are
 * damaged; chain requests are answered to anybody.  Errors as
 * session_connect's.
 */
int ask_connect(struct session **out, const struct repo *r,
    const struct peer *p, struct err *e);

/* Append the block of that height, as its file: 1, 0 it has none, -1. */
int ask_block(struct buf *packed, struct session *s, uint64_t height,
    struct err *e);

/* The id of its block of that height: 1, 0 it has none, -1. */
int ask_block_id(struct hash *id, struct session *s, uint64_t height,
    struct err *e);

/*
 * The roots of its logs of so many hours from that one on, in order; fn as
 * those of lookup.h.
 */
int ask_roots(struct session *s, int64_t hour_ms, uint64_t count,
    int (*fn)(void *arg, const struct proto_root *root, struct err *e),
    void *arg, struct err *e);

/*
 * Fetch and store those of these objects that it has, each verified by its
 * hash; none may have more than largest bytes.  Errors as sync_with's.
 */
int ask_objects(struct repo *r, struct session *s, const struct ids *l,
    uint64_t largest, struct err *e);

#endif
