#include "net/message.h"

#include "net/proto.h"

void
message_init(struct message *m)
{
	buf_init(&m->line, PROTO_LINE_MAX);
	buf_init(&m->body, PROTO_HELLO_MAX);
	m->begun = false;
}

void
message_free(struct message *m)
{
	buf_free(&m->line);
	buf_wipe(&m->body);
}

int
message_gather(struct message *m, struct pkt *p, struct err *e)
{
	int got;

	if (!m->begun) {
		got = pkt_take_line(p, &m->line, e);
		if (got != 0)
			return got < 0 ? -1 : 0;
		m->begun = true;
		buf_reset(&m->body);
	}
	while ((got = pkt_take(p, &m->body, e)) == 1)
		;
	if (got == 0)
		m->begun = false;
	return got < 0 ? -1 : got == 0;
}
