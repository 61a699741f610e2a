/*
 * proto: the lines and frames of the protocol between ehr-sync and ehr-serve
 * (ehr-protocol(5)), read and written; nothing else.
 *
 * A message is a packet with one line, packets with its payload, and a flush
 * (pkt.h).  Lines are given here without their newline.
 */
#ifndef NET_PROTO_H
#define NET_PROTO_H

#include "base/buf.h"
#include "crypto/hash.h"
#include "ledger/block.h"
#include "ledger/name.h"

#define PROTO_VERSION 1
#define PROTO_LINE_MAX 1000		/* bytes of a line, newline included */
#define PROTO_NONCE 16			/* bytes */
#define PROTO_IDS_MAX 65536		/* ids in a payload */
#define PROTO_COUNT_MAX 1000	/* headers, blocks or hours asked for at once */
#define PROTO_COSIGN_MAX (256u << 10)	/* bytes of what is to be cosigned */
#define PROTO_HELLO_MAX 4096		/* bytes of a hello or welcome note */

/* An answer of items ends with the one that brings it over this. */
#define PROTO_ANSWER_SOFT (8u << 20)	/* bytes */
#define PROTO_PUT_MAX (16u << 20)	/* bytes of items that are put */
#define PROTO_BODY_MAX (48u << 20)	/* bytes of any payload in memory */

/* --- version -------------------------------------------------------------- */

/* version 1 LEDGER|- HEIGHT HEAD|- TIME NODE|- NONCE */
struct proto_version {
	uint64_t version;	/* another than ours: nothing else is set */
	bool has_ledger, has_head;
	struct hash ledger;
	uint64_t height;
	struct hash head;	/* block id; of height 0: the ledger's id */
	int64_t time_ms;
	struct span node;	/* empty when none; borrows from the line */
	unsigned char nonce[PROTO_NONCE];
};

/* ERR_BAD when malformed. */
int proto_version_parse(struct proto_version *v, struct span line,
    struct err *e);
void proto_version_format(struct buf *out, const struct proto_version *v);

/*
 * The text that a node signs to show that it has its key: kind is "hello"
 * (who called) or "welcome" (who was called); node signs for peer, "-" when
 * that is no node, over the nonce that the peer sent.
 */
void proto_hello_text(struct buf *out, const char *kind,
    const struct hash *ledger, const char *node, const char *peer,
    const unsigned char nonce[PROTO_NONCE]);

/* --- requests ------------------------------------------------------------- */

enum proto_verb {
	PROTO_ADDR,
	PROTO_BLOCKS,		/* blocks FROM COUNT */
	PROTO_BYE,
	PROTO_CONSENSUS,	/* consensus ...: see consensus.h */
	PROTO_COSIGN,		/* + a proof and checkpoints: cosign.h */
	PROTO_DELEGATES,	/* delegates HEIGHT */
	PROTO_GENESIS,
	PROTO_GET_PENDING,	/* + ids */
	PROTO_GET_STAGED,	/* + ids */
	PROTO_HEAD,
	PROTO_HEADERS,		/* headers FROM COUNT [STOP] */
	PROTO_KEEPALIVE,
	PROTO_OBJECTS,		/* + ids */
	PROTO_PENDING,		/* pending SKIP */
	PROTO_PUT_BLOCK,	/* + a block file */
	PROTO_PUT_OBJECTS,	/* + objects */
	PROTO_PUT_PENDING,	/* + items */
	PROTO_PUT_STAGED,	/* + items */
	PROTO_REST,		/* rest OFFSET + an id */
	PROTO_ROOTS,		/* roots HOUR COUNT */
	PROTO_SECRET,
	PROTO_STAGED,		/* staged SKIP */
	PROTO_WANTED,		/* wanted SKIP */
	PROTO_VERBS
};

struct proto_request {
	enum proto_verb verb;
	uint64_t from;		/* FROM, SKIP, HEIGHT or OFFSET */
	uint64_t count;		/* COUNT, 1 to PROTO_COUNT_MAX */
	int64_t hour_ms;	/* HOUR: its start */
	bool has_stop;
	struct hash stop;	/* STOP: a block's id */
};

/* ERR_BAD when malformed, ERR_NO when there is no such request. */
int proto_request_parse(struct proto_request *r, struct span line,
    struct err *e);
void proto_request_format(struct buf *out, const struct proto_request *r);

/* The word that a request begins with, and the most its payload may have. */
const char *proto_verb_name(enum proto_verb verb);
size_t proto_verb_body(enum proto_verb verb);

/* --- answers -------------------------------------------------------------- */

enum proto_answer {
	PROTO_OK,		/* ok [WORDS] */
	PROTO_NO,		/* no REASON: and asking again won't help */
	PROTO_AGAIN		/* again REASON: try later */
};

/* *rest is what follows the first word, and may be empty after "ok". */
int proto_answer_parse(enum proto_answer *a, struct span *rest,
    struct span line, struct err *e);

/* Append the refusal that an error asks for: "no" or "again", one line. */
void proto_refusal(struct buf *out, const struct err *e);

/* What a connection may do; the server says so after verack: "ok ACCESS". */
enum proto_access {
	PROTO_CHAIN,		/* genesis, headers, blocks */
	PROTO_PUBLIC,		/* objects too */
	PROTO_READER,		/* everything that does not change the ledger */
	PROTO_NODE,		/* everything */
	PROTO_ACCESSES
};
const char *proto_access_name(enum proto_access a);
int proto_access_parse(enum proto_access *a, struct span word, struct err *e);

/* Of put-pending and put-staged, after "ok". */
enum proto_put {
	PROTO_TAKEN,		/* ok */
	PROTO_NEED,		/* ok need; ids: objects first, nothing taken */
	PROTO_REFUSED		/* ok refused N; "ID REASON" lines: the others
				 * were taken */
};
int proto_put_parse(enum proto_put *p, uint64_t *n, struct span rest,
    struct err *e);
void proto_put_format(struct buf *out, enum proto_put p, uint64_t n);

/* Of head, after "ok": HEIGHT ID. */
int proto_head_parse(uint64_t *height, struct hash *id, struct span rest,
    struct err *e);
void proto_head_format(struct buf *out, uint64_t height,
    const struct hash *id);

/* A line of roots: HOUR SIZE ROOT, of an hourly log (ehr-log(5)). */
struct proto_root {
	int64_t hour_ms;		/* its start */
	uint64_t size;			/* transactions in it */
	struct hash root;
};
int proto_root_parse(struct proto_root *r, struct span line, struct err *e);
void proto_root_format(struct buf *out, const struct proto_root *r);

/* --- payloads ------------------------------------------------------------- */

/*
 * What stands before an object's bytes: "object SIZE" or "absent" in an
 * answer, "object ID SIZE" in a put.  id is NULL for the former.
 */
struct proto_object {
	bool absent;
	uint64_t size;		/* bytes, at most OBJECT_MAX */
};
int proto_object_parse(struct proto_object *o, struct hash *id,
    struct span line, struct err *e);
void proto_object_format(struct buf *out, const struct proto_object *o,
    const struct hash *id);

/*
 * An item: "item SIZE", newline, its bytes.  proto_item_next takes the next
 * one of *rest, at most max bytes: 1, 0 at the end, -1 ERR_BAD.
 */
void proto_item_add(struct buf *out, struct span data);
int proto_item_next(struct span *rest, struct span *item, size_t max,
    struct err *e);

#endif
