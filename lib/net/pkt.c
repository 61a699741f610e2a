#define _GNU_SOURCE	/* explicit_bzero, PIPE_BUF */
#include "net/pkt.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/utf8.h"

#define AHEAD 131072		/* bytes that are read ahead: a packet fits */
#define GATHER 65536		/* bytes that are sent at once */
#define HEAD 4			/* hex digits */

void
pkt_init(struct pkt *p, int in, int out, int timeout_ms)
{
	memset(p, 0, sizeof(*p));
	p->in = in;
	p->out = out;
	p->timeout_ms = timeout_ms;
	buf_init(&p->pending, GATHER + PKT_DATA_MAX + HEAD);
}

void
pkt_free(struct pkt *p)
{
	/* Secrets may have passed. */
	buf_wipe(&p->pending);
	if (p->ahead.p != NULL)
		explicit_bzero(p->ahead.p, AHEAD);
	free(p->ahead.p);
	p->ahead.p = NULL;
	p->ahead.at = p->ahead.n = 0;
}

static int
gone(struct err *e)
{
	return err_set(e, ERR_AGAIN, "the other end is gone");
}

int
pkt_check_end(const struct pkt *p, struct err *e)
{
	if (p->end_ms == 0 || clock_mono_ms() < p->end_ms)
		return 0;
	return err_set(e, ERR_AGAIN, "the connection has lasted as long as it "
	    "may: call again");
}

/* The earlier of a time and end_ms; 0 is never. */
static int64_t
no_later(const struct pkt *p, int64_t ms)
{
	if (p->end_ms == 0 || (ms != 0 && ms < p->end_ms))
		return ms;
	return p->end_ms;
}

/*
 * Wait for fd until the time, 0 for ever: 1 it is ready (or broken: the call
 * that follows tells), 0 time is up, -1.
 */
static int
wait_for(int fd, short what, int64_t until_ms, struct err *e)
{
	struct pollfd pfd = { .fd = fd, .events = what };

	for (;;) {
		int64_t left = until_ms == 0 ? -1 :
		    until_ms - clock_mono_ms();
		int got;

		if (until_ms != 0 && left < 0)
			left = 0;
		got = poll(&pfd, 1, left > INT_MAX ? INT_MAX : (int)left);
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return err_sys(e, "poll");
		return got > 0;
	}
}

/* --- writing -------------------------------------------------------------- */

static int
queue_head(struct pkt *p, unsigned n, struct err *e)
{
	char head[HEAD + 1];

	if (p->pending.len >= GATHER && pkt_send(p, e) != 0)
		return -1;
	snprintf(head, sizeof(head), "%04x", n);
	buf_add(&p->pending, head, HEAD);
	return 0;
}

int
pkt_write(struct pkt *p, struct span data, struct err *e)
{
	while (data.n > 0) {
		size_t n = data.n < PKT_DATA_MAX ? data.n : PKT_DATA_MAX;

		if (queue_head(p, (unsigned)n + HEAD, e) != 0)
			return -1;
		buf_add(&p->pending, data.p, n);
		if (buf_check(&p->pending, "packet", e) != 0)
			return -1;
		data = span_of(data.p + n, data.n - n);
	}
	return 0;
}

int
pkt_line(struct pkt *p, struct err *e, const char *fmt, ...)
{
	char line[1024];
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(line, sizeof(line) - 1, fmt, ap);
	va_end(ap);
	if (n < 0 || (size_t)n >= sizeof(line) - 1)
		return err_set(e, ERR_BAD, "a line of over %zu bytes",
		    sizeof(line) - 2);
	line[n] = '\n';
	return pkt_write(p, span_of(line, (size_t)n + 1), e);
}

int
pkt_end(struct pkt *p, struct err *e)
{
	return queue_head(p, 0, e);
}

int
pkt_flush(struct pkt *p, struct err *e)
{
	return pkt_end(p, e) == 0 ? pkt_send(p, e) : -1;
}

/* Write once what p->out takes; -1 error, else how many bytes. */
static ssize_t
write_some(struct pkt *p, const unsigned char *from, size_t n, struct err *e)
{
	int flags = fcntl(p->out, F_GETFL);
	/* What poll(2) calls writable takes PIPE_BUF bytes without blocking. */
	size_t most = flags >= 0 && (flags & O_NONBLOCK) ? GATHER : PIPE_BUF;
	ssize_t w = write(p->out, from, n < most ? n : most);

	if (w < 0 && (errno == EINTR || errno == EAGAIN))
		return 0;
	if (w < 0)
		return errno == EPIPE || errno == ECONNRESET ? gone(e) :
		    err_sys(e, "write");
	p->bytes_out += (size_t)w;
	if (p->moved != NULL)
		p->moved(p->moved_arg, (size_t)w);
	return w;
}

int
pkt_send(struct pkt *p, struct err *e)
{
	int64_t until_ms = p->timeout_ms < 0 ? 0 :
	    clock_mono_ms() + p->timeout_ms;
	size_t at = 0;

	until_ms = no_later(p, until_ms);
	while (at < p->pending.len) {
		int ready = wait_for(p->out, POLLOUT, until_ms, e);
		ssize_t w;

		if (ready < 0)
			return -1;
		if (ready == 0)
			return err_set(e, ERR_AGAIN, "the other end does not "
			    "read");
		w = write_some(p, p->pending.p + at, p->pending.len - at, e);
		if (w < 0)
			return -1;
		at += (size_t)w;
	}
	buf_reset(&p->pending);
	return 0;
}

int
pkt_drain(struct pkt *p, struct err *e)
{
	while (p->pending.len > 0) {
		int ready = wait_for(p->out, POLLOUT, clock_mono_ms(), e);
		ssize_t w;

		if (ready <= 0)
			return ready;
		w = write_some(p, p->pending.p, p->pending.len, e);
		if (w <= 0)
			return (int)w;
		p->pending.len -= (size_t)w;
		memmove(p->pending.p, p->pending.p + w, p->pending.len);
	}
	return 0;
}

/* --- reading -------------------------------------------------------------- */

/* Read once what p->in has, behind what is ahead: 1, 0 nothing, -1; at the end
 * of it p->ended is set. */
static int
read_some(struct pkt *p, struct err *e)
{
	ssize_t n;

	if (p->ahead.p == NULL && (p->ahead.p = malloc(AHEAD)) == NULL)
		return err_set(e, ERR_SYS, "out of memory");
	if (p->ahead.at > 0) {
		p->ahead.n -= p->ahead.at;
		memmove(p->ahead.p, p->ahead.p + p->ahead.at, p->ahead.n);
		p->ahead.at = 0;
	}
	n = read(p->in, p->ahead.p + p->ahead.n, AHEAD - p->ahead.n);
	if (n < 0 && (errno == EINTR || errno == EAGAIN))
		return 0;
	if (n < 0 && errno != ECONNRESET)
		return err_sys(e, "read");
	if (n <= 0) {
		p->ended = true;
		return 0;
	}
	p->ahead.n += (size_t)n;
	p->bytes_read += (uint64_t)n;
	if (p->moved != NULL)
		p->moved(p->moved_arg, (size_t)n);
	return 1;
}

/* More bytes into ahead, which is not full: 1, 0 the other end closed, -1. */
static int
fill(struct pkt *p, int64_t until_ms, struct err *e)
{
	int got;

	while (!p->ended) {
		got = wait_for(p->in, POLLIN, no_later(p, until_ms), e);
		if (got < 0)
			return -1;
		if (got == 0)
			return pkt_check_end(p, e) != 0 ? -1 : err_set(e,
			    ERR_AGAIN, "the other end is silent or too slow");
		if ((got = read_some(p, e)) != 0)
			return got;
	}
	return 0;
}

int
pkt_wait_more(struct pkt *p, int timeout_ms, struct err *e)
{
	int64_t until = timeout_ms < 0 ? 0 : clock_mono_ms() + timeout_ms;
	int got = fill(p, until, e);

	return got == 1 ? 0 : got == 0 ? gone(e) : -1;
}

int
pkt_fill(struct pkt *p, struct err *e)
{
	int got;

	if (!p->ended && p->ahead.n - p->ahead.at < AHEAD) {
		got = wait_for(p->in, POLLIN, clock_mono_ms(), e);
		if (got == 1)
			got = read_some(p, e);
		if (got != 0 || !p->ended)
			return got;
	}
	return p->ended ? gone(e) : 0;
}

int
pkt_wait(struct pkt *p, int timeout_ms, struct err *e)
{
	if (p->ahead.at < p->ahead.n)
		return 1;
	return fill(p, timeout_ms < 0 ? 0 : clock_mono_ms() + timeout_ms, e);
}

static int
check_limit(const struct pkt *p, size_t n, struct err *e)
{
	if (pkt_check_end(p, e) != 0)
		return -1;
	if (p->limit_in == 0 || p->limit_in - p->bytes_in >= n)
		return 0;
	return err_set(e, ERR_AGAIN, "over %llu bytes came on one connection: "
	    "call again", (unsigned long long)p->limit_in);
}

/* Bytes came: a millisecond more for each, never over timeout_ms ahead. */
static void
give_time(struct pkt *p, int64_t n)
{
	int64_t most_ms = clock_mono_ms() + p->timeout_ms;

	if (p->until_ms != 0)
		p->until_ms = p->until_ms + n < most_ms ? p->until_ms + n :
		    most_ms;
}

/* Exactly n bytes. */
static int
take(struct pkt *p, unsigned char *to, size_t n, struct err *e)
{
	if (check_limit(p, n, e) != 0)
		return -1;
	while (n > 0) {
		size_t part = p->ahead.n - p->ahead.at;
		int got;

		if (part == 0) {
			if ((got = fill(p, p->until_ms, e)) < 0)
				return -1;
			if (got == 0)
				return gone(e);
			continue;
		}
		if (part > n)
			part = n;
		memcpy(to, p->ahead.p + p->ahead.at, part);
		p->ahead.at += part;
		p->bytes_in += part;
		give_time(p, (int64_t)part);
		to += part;
		n -= part;
	}
	return 0;
}

/*
 * The time that a peer has: timeout_ms for a packet, and for a message so
 * much credit at most.
 */
static void
set_time(struct pkt *p)
{
	int64_t most_ms = clock_mono_ms() + p->timeout_ms;

	if (p->timeout_ms < 0)
		p->until_ms = 0;
	else if (!p->inside || p->until_ms > most_ms)
		p->until_ms = most_ms;
	p->inside = true;
}

/* What the head of a packet says of its data: 1 and *n bytes, 0 a flush, -1. */
static int
parse_head(const unsigned char head[HEAD], size_t *n, struct err *e)
{
	*n = 0;
	for (int i = 0; i < HEAD; i++) {
		unsigned c = head[i], digit = c - '0';

		if (digit > 9)
			digit = c - 'a' < 6 ? c - 'a' + 10 : 16;
		if (digit > 15)
			return err_set(e, ERR_BAD, "not the protocol: a "
			    "packet's length was expected");
		*n = *n * 16 + digit;
	}
	if (*n == 0)
		return 0;
	if (*n <= HEAD || *n > PKT_DATA_MAX + HEAD)
		return err_set(e, ERR_BAD, "not the protocol: a packet of "
		    "length %04zx", *n);
	*n -= HEAD;
	return 1;
}

/* The length of the next packet's data: 1, 0 a flush, -1. */
static int
take_head(struct pkt *p, size_t *n, struct err *e)
{
	unsigned char head[HEAD];
	int got;

	set_time(p);
	if (take(p, head, HEAD, e) != 0)
		return -1;
	got = parse_head(head, n, e);
	if (got == 0)
		p->inside = false;
	return got;
}

/* The next packet, appended. */
static int
read_packet(struct pkt *p, struct buf *out, struct err *e)
{
	unsigned char *to;
	size_t n;
	int got = take_head(p, &n, e);

	if (got <= 0)
		return got;
	if ((to = buf_room(out, n)) == NULL)
		return buf_check(out, "what came", e);
	if (take(p, to, n, e) != 0)
		return -1;
	out->len += n;
	return 1;
}

int
pkt_read(struct pkt *p, struct buf *out, struct err *e)
{
	buf_reset(out);
	return read_packet(p, out, e);
}

static int
no_line(struct err *e)
{
	return err_set(e, ERR_BAD, "not the protocol: a line was expected");
}

/* A packet that is a line: without its newline. */
static int
cut_line(struct buf *out, struct err *e)
{
	if (out->len == 0 || out->p[out->len - 1] != '\n')
		return no_line(e);
	out->len--;
	if (out->len == 0 || !utf8_line(buf_span(out)))
		return err_set(e, ERR_BAD, "not the protocol: a line with "
		    "control or malformed characters");
	return 0;
}

int
pkt_read_line(struct pkt *p, struct buf *out, struct err *e)
{
	int got = pkt_read(p, out, e);

	if (got < 0)
		return -1;
	return got == 0 ? no_line(e) : cut_line(out, e);
}

int
pkt_read_all(struct pkt *p, struct buf *out, struct err *e)
{
	int got;

	while ((got = read_packet(p, out, e)) == 1)
		;
	return got;
}

int
pkt_read_flush(struct pkt *p, struct err *e)
{
	size_t n;
	int got = take_head(p, &n, e);

	if (got == 1)
		return err_set(e, ERR_BAD, "not the protocol: more than was "
		    "asked for");
	return got;
}

/* --- without waiting ------------------------------------------------------ */

int
pkt_take(struct pkt *p, struct buf *out, struct err *e)
{
	size_t n, have = p->ahead.n - p->ahead.at;
	const unsigned char *at;
	int got;

	if (have < HEAD)
		return PKT_NOT_YET;
	at = p->ahead.p + p->ahead.at;
	if ((got = parse_head(at, &n, e)) < 0 ||
	    check_limit(p, n + HEAD, e) != 0)
		return -1;
	if (have < n + HEAD)
		return PKT_NOT_YET;
	buf_add(out, at + HEAD, n);
	p->ahead.at += n + HEAD;
	p->bytes_in += n + HEAD;
	return buf_check(out, "what came", e) == 0 ? got : -1;
}

int
pkt_take_line(struct pkt *p, struct buf *out, struct err *e)
{
	int got;

	buf_reset(out);
	got = pkt_take(p, out, e);
	if (got < 0 || got == PKT_NOT_YET)
		return got;
	return got == 0 ? no_line(e) : cut_line(out, e);
}
