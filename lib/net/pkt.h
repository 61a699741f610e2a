/*
 * pkt: git's pkt-line framing over two descriptors (ehr-protocol(5)).
 *
 * Four lower-case hex digits give the length of a packet, these four digits
 * included, then up to 65,516 bytes of data; "0000" is a flush.  Lengths 1 to
 * 4 are errors here.
 */
#ifndef NET_PKT_H
#define NET_PKT_H

#include "base/buf.h"

#define PKT_DATA_MAX 65516	/* bytes of data in a packet */

struct pkt {
	int in, out;		/* descriptors, owned by the caller */
	int timeout_ms;		/* for each packet; -1 none */
	uint64_t bytes_in, bytes_out;	/* so far */
	uint64_t bytes_read;		/* of which some may be ahead */
	uint64_t limit_in;	/* bytes that may arrive in all; 0: no limit */
	int64_t end_ms;		/* clock_mono_ms when all must be over, or 0 */
	struct buf pending;	/* written, not yet sent */
	/*
	 * When what we read must be there (clock_mono_ms), or 0: timeout_ms
	 * for a message and a millisecond more for each byte that arrives,
	 * never over timeout_ms ahead.  So a peer that drips is left, and a
	 * slow line is not.
	 */
	int64_t until_ms;
	bool inside;		/* a message: its flush has not come */
	struct {
		unsigned char *p;	/* owned: read, not yet given out */
		size_t at, n;
	} ahead;
	bool ended;		/* the other end closed */
	/* Called for each piece that came or went; may be NULL. */
	void (*moved)(void *arg, size_t bytes);
	void *moved_arg;
};

/*
 * Nothing is read or written yet.  A descriptor that blocks is written to in
 * pieces that a pipe or socket with room takes at once.
 */
void pkt_init(struct pkt *p, int in, int out, int timeout_ms);
void pkt_free(struct pkt *p);

/* Queue a packet, a line of text (its newline is added), a flush; data longer
 * than one packet is split into several.  Sent when much has gathered, or by
 * pkt_send. */
int pkt_write(struct pkt *p, struct span data, struct err *e);
int pkt_line(struct pkt *p, struct err *e, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
int pkt_end(struct pkt *p, struct err *e);	/* queues "0000" */
int pkt_flush(struct pkt *p, struct err *e);	/* the same, and sends */
int pkt_send(struct pkt *p, struct err *e);

/*
 * Wait until there is something to read: 1 there is, 0 the other end closed,
 * -1 error (ERR_AGAIN: nothing came for timeout_ms; -1 waits for ever).
 * Waiting and reading are ERR_AGAIN after end_ms, and over limit_in; so is
 * writing to who takes nothing.
 */
int pkt_wait(struct pkt *p, int timeout_ms, struct err *e);

/* Is it before end_ms?  -1 ERR_AGAIN: no. */
int pkt_check_end(const struct pkt *p, struct err *e);

/*
 * The next packet into out (emptied first): 1 data, 0 a flush, -1 error.
 * ERR_AGAIN: the other end is gone or silent; ERR_BAD: not the protocol.
 */
int pkt_read(struct pkt *p, struct buf *out, struct err *e);

/*
 * The next packet must be a line of text; its newline is taken off.  ERR_BAD
 * when it is a flush, or no line of text.
 */
int pkt_read_line(struct pkt *p, struct buf *out, struct err *e);

/* Append data packets up to the flush to out, whose ceiling limits them. */
int pkt_read_all(struct pkt *p, struct buf *out, struct err *e);

/* The next packet must be a flush. */
int pkt_read_flush(struct pkt *p, struct err *e);

/*
 * Wait until more has been read than was: 0; -1 ERR_AGAIN: nothing came for
 * timeout_ms (-1: for ever), or the other end is gone; ERR_SYS.
 */
int pkt_wait_more(struct pkt *p, int timeout_ms, struct err *e);

/* --- without waiting, for who talks with several at once ------------------ */

/* Read what is there: 1 some, 0 nothing now, -1 (ERR_AGAIN: the other end
 * closed; ERR_SYS). */
int pkt_fill(struct pkt *p, struct err *e);

/*
 * The next packet, appended to out, of which nothing is taken before all of it
 * was read: 1 data, 0 a flush, PKT_NOT_YET, -1 ERR_BAD.
 */
#define PKT_NOT_YET 2
int pkt_take(struct pkt *p, struct buf *out, struct err *e);

/* The same for a line, into out: 0, PKT_NOT_YET, -1. */
int pkt_take_line(struct pkt *p, struct buf *out, struct err *e);

/* Send as much as the other end takes now; the rest stays in p->pending. */
int pkt_drain(struct pkt *p, struct err *e);

#endif
