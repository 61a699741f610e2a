/*
 * serve: the other end of every pipe: answers one caller's requests
 * (ehr-protocol(5)) until it says good-bye or closes.
 */
#ifndef NET_SERVE_H
#define NET_SERVE_H

#include "net/hello.h"

#define SERVE_TIMEOUT_MS 60000		/* for what is on its way */
#define SERVE_IDLE_MS 3600000		/* between two requests */

/* Of one connection, unless the config says otherwise. */
#define SERVE_BYTES (64ULL << 30)	/* each way */
#define SERVE_OBJECTS 4000000		/* brought and fetched */
#define SERVE_LIFE_MS 86400000
#define SERVE_MEMORY_MIB 512

/* As consensus_answer (consensus.h). */
typedef int serve_consensus(struct repo *r, struct span from,
    struct span line, struct span payload, struct buf *status,
    struct buf *answer, struct err *e);

/*
 * The roots of the hourly logs of count hours from that one on, as lines
 * (proto.h), appended to answer; of those hours of which there is a log.
 */
typedef int serve_roots(struct repo *r, int64_t hour_ms, uint64_t count,
    struct buf *answer, struct err *e);

struct serve_options {
	int in, out;			/* descriptors */
	bool read_only;
	serve_consensus *consensus;	/* NULL: refused here */
	serve_roots *roots;		/* NULL: there are none here */
	int timeout_ms, idle_ms;	/* -1: none */
	uint64_t bytes, objects;	/* of the connection; 0: no limit */
	int64_t life_ms;		/* that it may last; 0: no limit */
	/* One line for each request and its answer; may be NULL. */
	void (*tell)(void *arg, const char *line);
	void *arg;
};

/*
 * Serve one connection.  0: it ended as it should, by good-bye or by the end
 * of input between two requests.  -1: ERR_NO refused at the start; ERR_BAD the
 * other end does not speak the protocol; ERR_AGAIN it fell silent or is gone;
 * ERR_SYS.  Whatever the other end sends, what it has been told "ok" about is
 * durable, and nothing else of it is kept.
 */
int serve_run(struct repo *r, const struct serve_options *o, struct err *e);

#endif
