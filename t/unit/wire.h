/*
 * wire: an exchange of hospital 1 with hospital 0 over a wire that spoils it.
 */
#ifndef UNIT_WIRE_H
#define UNIT_WIRE_H

#include "post.h"

#include <poll.h>

static struct err e;
static struct post p;

enum { KEEP, FLIP, CUT, SWAP };

/* Two sockets with us between them; what goes one way is counted. */
struct wire {
	pthread_t thread;
	int end[2];		/* of the caller, of the server */
	int what, way;		/* what is done to the bytes of which way */
	uint64_t at;		/* and where */
	const char *was, *is;	/* SWAP: words of one length, whole in a read */
	uint64_t n[2];		/* bytes so far */
};

/* Pass on what is there; false at the end. */
static inline bool
wire_pass(struct wire *w, int way)
{
	unsigned char part[4096];
	ssize_t n = read(w->end[way], part, sizeof(part));
	unsigned char *found;
	bool cut = false;

	if (n <= 0)
		return false;
	if (way == w->way && w->what == SWAP && (found = memmem(part,
	    (size_t)n, w->was, strlen(w->was))) != NULL)
		memcpy(found, w->is, strlen(w->is));
	else if (way == w->way && w->what != KEEP && w->what != SWAP &&
	    w->at >= w->n[way] &&
	    w->at < w->n[way] + (uint64_t)n) {
		if (w->what == FLIP)
			part[w->at - w->n[way]] ^=
			    (unsigned char)(1 << random() % 8);
		else {
			n = (ssize_t)(w->at - w->n[way]);
			cut = true;
		}
	}
	w->n[way] += (uint64_t)n;
	for (ssize_t off = 0; off < n;) {
		ssize_t s = send(w->end[!way], part + off, (size_t)(n - off),
		    MSG_NOSIGNAL);

		if (s < 0)
			return false;
		off += s;
	}
	return !cut;
}

static inline void *
wire_run(void *arg)
{
	struct wire *w = arg;
	struct pollfd fd[2] = { { w->end[0], POLLIN, 0 },
	    { w->end[1], POLLIN, 0 } };

	for (;;) {
		if (poll(fd, 2, -1) < 0)
			break;
		if ((fd[0].revents != 0 && !wire_pass(w, 0)) ||
		    (fd[1].revents != 0 && !wire_pass(w, 1)))
			break;
	}
	shutdown(w->end[0], SHUT_RDWR);
	shutdown(w->end[1], SHUT_RDWR);
	return NULL;
}

/* Hospital 1 exchanges with hospital 0 over it; res may be NULL. */
static inline int
wire_exchange(struct wire *w, int flags, int timeout_ms,
    struct sync_result *res)
{
	struct serve_options o = { .timeout_ms = timeout_ms,
	    .idle_ms = timeout_ms * 4 };
	struct sync_result none = { .wanted = 0 };
	struct post_server v;
	struct session *s;
	struct hello me;
	int fd[2], ret;

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fd) != 0)
		abort();
	w->end[0] = fd[0];
	w->end[1] = post_serve(&v, 0, &o);
	if (pthread_create(&w->thread, NULL, wire_run, w) != 0)
		abort();
	little_ok(hello_of(&me, p.f.r[1], &p.f.node[1], &e));
	ret = session_over(&s, &me, "hospital-a", fd[1], dup(fd[1]),
	    timeout_ms, &e);
	if (ret == 0) {
		ret = session_adopt(s, p.f.r[1], &e);
		if (ret == 0)
			ret = sync_with(p.f.r[1], s, flags,
			    res == NULL ? &none : res, &e);
		session_close(s);
	}
	pthread_join(w->thread, NULL);
	post_served(&v);
	close(w->end[0]);
	close(w->end[1]);
	return ret;
}

#endif
