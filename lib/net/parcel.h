/*
 * parcel: objects on their way, as streams of packets: a line (proto.h), then
 * the object's bytes in packets of any size, then the next one.  Large ones
 * are never in memory as a whole.
 */
#ifndef NET_PARCEL_H
#define NET_PARCEL_H

#include "net/ids.h"
#include "net/pkt.h"
#include "net/proto.h"
#include "store/object.h"

/*
 * Queue one object as "object ID SIZE", for a put.  ERR_NO: it is not here, or
 * damaged, and nothing was queued; any other error: the stream is spoilt.
 * *sent is its size.
 */
int parcel_send(struct pkt *p, struct repo *r, const struct hash *id,
    uint64_t *sent, struct err *e);

/*
 * The same as an answer, "object SIZE" and its bytes without the first skip;
 * or "absent" when it is not here, damaged, or has fewer than that.
 */
int parcel_send_rest(struct pkt *p, struct repo *r, const struct hash *id,
    uint64_t skip, struct err *e);

/*
 * What arrives: small objects are gathered and stored with one fsync.  What
 * the ledger has dismissed by now is not kept: it was deleted here, or was
 * never to come.
 */
struct parcel_sink {
	struct repo *repo;
	struct object_batch *batch;	/* or NULL */
	struct ids batched;		/* what is in it */
	uint64_t batch_bytes;
	uint64_t objects, bytes;	/* taken so far */
	bool keep;		/* the first bytes of a large one that does not
				 * come whole, for parcel_part */
};

void parcel_start(struct parcel_sink *k, struct repo *r);

/*
 * Read the size bytes of object id from packets.  Returns 1 when they are
 * that object, which is durable after the next parcel_commit; 0 when they are
 * another one: nothing is stored and the stream can be read on; -1 error
 * (ERR_AGAIN, ERR_BAD of the stream, ERR_SYS of ours).
 */
int parcel_take(struct parcel_sink *k, struct pkt *p, const struct hash *id,
    uint64_t size, struct err *e);

/*
 * Open what is kept of an object, *at bytes of it, to be given to
 * parcel_take_rest, which frees it in any case, or to object_writer_keep.
 * 1; 0 nothing is kept; -1.
 */
int parcel_part(struct object_writer **out, struct parcel_sink *k,
    const struct hash *id, uint64_t *at, struct err *e);

/* As parcel_take, of the left bytes that follow them.  0 may be the fault of
 * who sent the first ones. */
int parcel_take_rest(struct parcel_sink *k, struct pkt *p,
    struct object_writer *w, const struct hash *id, uint64_t left,
    struct err *e);

/*
 * As parcel_take from elsewhere: next puts 1 to left of the bytes that follow
 * into part, which is at first what it was, and has room for PKT_DATA_MAX.
 */
typedef int parcel_source(void *arg, struct buf *part, uint64_t left,
    struct err *e);
int parcel_take_from(struct parcel_sink *k, parcel_source *next, void *arg,
    const struct hash *id, uint64_t size, struct err *e);

/* Make all that was taken durable.  The sink can be used again. */
int parcel_commit(struct parcel_sink *k, struct err *e);
void parcel_abort(struct parcel_sink *k);

#endif
