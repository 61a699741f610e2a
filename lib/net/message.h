/*
 * message: one message of the protocol, line, payload and flush, as it comes
 * in pieces (ehr-protocol(5)).
 */
#ifndef NET_MESSAGE_H
#define NET_MESSAGE_H

#include "net/pkt.h"

struct message {
	struct buf line;	/* without its newline */
	struct buf body;	/* the payload; its ceiling may be set */
	bool begun;		/* the line has come */
};

void message_init(struct message *m);
void message_free(struct message *m);

/*
 * Take what p has read (pkt_fill): 1 the message is whole, and the next call
 * begins another; 0 more has to come; -1 ERR_BAD.
 */
int message_gather(struct message *m, struct pkt *p, struct err *e);

#endif
