/*
 * liar: a peer that answers wrongly, as the command of a peer.  Behind it is
 * an honest ehr-serve, so that it greets as the node that it is; its answers
 * are changed, delayed or made up.
 */
#ifndef UNIT_LIAR_H
#define UNIT_LIAR_H

#include "tape.h"

#include "base/gz.h"
#include "base/text.h"

/* An answer to a request's line: what goes to the caller in its place. */
struct liar {
	const char *how;
	int from, to;		/* the honest server */
	unsigned n;		/* requests after the greeting so far */
	struct buf last;	/* answer */
};

/* One message, with its flush, appended: 1, 0 the end, -1 not the protocol. */
static inline int
liar_read(int fd, struct buf *out)
{
	unsigned char head[5] = "", data[65536];
	unsigned n, have;
	ssize_t got;

	for (;;) {
		for (have = 0; have < 4; have += (unsigned)got)
			if ((got = read(fd, head + have, 4 - have)) <= 0)
				return 0;
		if (sscanf((const char *)head, "%4x", &n) != 1 ||
		    (n > 0 && n < 5))
			return -1;
		buf_add(out, head, 4);
		if (n == 0)
			return 1;
		for (have = 4; have < n; have += (unsigned)got)
			if ((got = read(fd, data + have, n - have)) <= 0)
				return 0;
		buf_add(out, data + 4, n - 4);
	}
}

static inline void
liar_say(struct buf *out, const char *line)
{
	buf_addf(out, "%04zx%s\n", strlen(line) + 5, line);
}

/* Write, unless the caller has gone: then that is the end. */
static inline void
liar_send(const void *bytes, size_t n)
{
	if (fs_write_all(1, bytes, n) != 0)
		_exit(0);
}

static inline void
liar_random(struct buf *out, size_t n)
{
	unsigned char *p = buf_room(out, n);

	hash_random(p, n);
	out->len += n;
}

/* n random bytes as a payload, in packets. */
static inline void
liar_noise(struct buf *out, size_t n)
{
	for (; n > 0; n -= n < 65516 ? n : 65516) {
		size_t part = n < 65516 ? n : 65516;

		buf_addf(out, "%04zx", part + 4);
		liar_random(out, part);
	}
}

/* --- bytes ---------------------------------------------------------------- */

static inline void
liar_endless(void)
{
	struct buf b = BUF_INIT(1 << 20);

	liar_say(&b, "ok");
	liar_send(b.p, b.len);
	buf_reset(&b);
	liar_noise(&b, 65516);
	for (;;)
		liar_send(b.p, b.len);
}

/* A byte now and then. */
static inline void
liar_drip(struct span s)
{
	for (size_t i = 0; i < s.n; i++) {
		liar_send(s.p + i, 1);
		usleep(200000);
	}
}

/* --- messages ------------------------------------------------------------- */

static inline bool
liar_is(const struct liar *l, const char *how)
{
	return strcmp(l->how, how) == 0;
}

/* The block without a quorum in the place of the second. */
static inline void
liar_fork(struct buf *answer, struct span line)
{
	struct buf text = BUF_INIT(CHAIN_FILE_MAX), part = text, out = text;
	struct block b;
	struct err e;

	little_ok(fs_read(&text, AT_FDCWD, "fork", &e));
	if (span_starts(line, "blocks 2 ")) {
		little_ok(gz_pack(&part, buf_span(&text), &e));
		proto_item_add(&out, buf_span(&part));
	} else if (span_starts(line, "headers 2 ")) {
		struct hash ledger;
		size_t n = 0;

		/* Its first line ends with the ledger's id. */
		while (text.p[n] != '\n')
			n++;
		little_ok(hash_parse(&ledger, span_of(text.p + n - 64, 64)));
		little_ok(block_parse(&b, buf_span(&text), true, &ledger,
		    &e));
		proto_item_add(&out, b.header);
		proto_item_add(&out, b.certificate);
	}
	if (out.len > 0) {
		buf_reset(answer);
		liar_say(answer, "ok");
		tape_packet(answer, buf_span(&out));
		buf_adds(answer, "0000");
	}
	buf_free(&text);
	buf_free(&part);
	buf_free(&out);
}

/* The first line of an answer with another word (from 0) at that place. */
static inline void
liar_word(struct buf *answer, unsigned at, const char *word)
{
	struct buf out = BUF_INIT(TAPE_MAX), line = out;
	struct span rest = buf_span(answer), first;

	if (!tape_next(&rest, &first) || first.n < 2)
		return;
	first.n--;
	for (unsigned i = 0; first.n > 0; i++) {
		struct span w = text_word(&first);

		if (i > 0)
			buf_addc(&line, ' ');
		if (i == at)
			buf_adds(&line, word);
		else
			buf_add(&line, w.p, w.n);
	}
	buf_addc(&line, '\n');
	tape_packet(&out, buf_span(&line));
	buf_add(&out, rest.p, rest.n);
	buf_reset(answer);
	buf_add(answer, out.p, out.len);
	buf_free(&out);
	buf_free(&line);
}

/* Ids that nothing has: a short list, or a full page again and again. */
static inline void
liar_ids(struct buf *answer, bool full)
{
	buf_reset(answer);
	liar_say(answer, "ok");
	liar_noise(answer, (full ? PROTO_IDS_MAX : 1000) * HASH_LEN);
	buf_adds(answer, "0000");
}

/* Objects of other bytes, or of a size that never ends. */
static inline void
liar_objects(struct buf *answer, const char *size, size_t n)
{
	char line[64];

	buf_reset(answer);
	liar_say(answer, "ok");
	for (int i = 0; i < 8; i++) {
		snprintf(line, sizeof(line), "object %s", size);
		liar_say(answer, line);
		liar_noise(answer, n);
	}
	buf_adds(answer, "0000");
}

/* What the honest answer becomes. */
static inline void
liar_change(struct liar *l, struct span line, struct buf *answer)
{
	bool list = span_starts(line, "pending ") ||
	    span_starts(line, "staged ") || span_starts(line, "wanted ");

	if (liar_is(l, "fork"))
		liar_fork(answer, line);
	else if (liar_is(l, "tall") && span_is(line, "head"))
		liar_word(answer, 1, "999999");
	else if (liar_is(l, "ids") && list)
		liar_ids(answer, span_starts(line, "pending "));
	else if (liar_is(l, "bytes") && span_is(line, "objects"))
		liar_objects(answer, "5", 5);
	else if (liar_is(l, "large") && span_is(line, "objects"))
		liar_objects(answer, "1099511627776", 1 << 20);
	else if (liar_is(l, "echo") && l->n % 2 == 1) {
		/* The answer to what was asked before. */
		buf_reset(answer);
		buf_add(answer, l->last.p, l->last.len);
	} else if (liar_is(l, "votes") && span_is(line, "consensus")) {
		buf_reset(answer);
		liar_say(answer, "ok 0");
		liar_noise(answer, 100000);
		buf_adds(answer, "0000");
	} else if (liar_is(l, "no") || liar_is(l, "again")) {
		char why[300];

		snprintf(why, sizeof(why), "%s %0250d", l->how, 0);
		buf_reset(answer);
		liar_say(answer, why);
		buf_adds(answer, "0000");
	}
}

/* --- the peer ------------------------------------------------------------- */

/* One request and its answer; false at the end. */
static inline bool
liar_step(struct liar *l, bool greeting)
{
	struct buf request = BUF_INIT(TAPE_MAX), answer = BUF_INIT(TAPE_MAX);
	struct span rest, line;
	bool more;

	more = liar_read(0, &request) == 1 &&
	    fs_write_all(l->to, request.p, request.len) == 0;
	if (more && !greeting && liar_is(l, "mute"))
		for (;;)
			pause();
	more = more && liar_read(l->from, &answer) == 1;
	rest = buf_span(&request);
	if (more && tape_next(&rest, &line) && line.n > 0) {
		line.n--;
		if (greeting) {
			if (liar_is(l, "tall") && span_starts(line, "version"))
				liar_word(&answer, 3, "999999");
		} else if (liar_is(l, "endless"))
			liar_endless();
		else if (liar_is(l, "length"))
			liar_send("0007ok\nfff0", 11);
		else if (liar_is(l, "drip"))
			liar_drip(buf_span(&answer));
		else
			liar_change(l, line, &answer);
	}
	if (more)
		liar_send(answer.p, answer.len);
	buf_reset(&l->last);
	buf_add(&l->last, answer.p, answer.len);
	buf_free(&request);
	buf_free(&answer);
	l->n += !greeting;
	return more;
}

static inline int
liar_run(const char *how, const char *server)
{
	struct liar l = { .how = how };
	int sv[2];
	pid_t pid;

	signal(SIGPIPE, SIG_IGN);
	buf_init(&l.last, TAPE_MAX);
	if (strcmp(how, "silent") == 0)
		for (;;)
			pause();
	if (strcmp(how, "noise") == 0) {
		struct buf b = BUF_INIT(TAPE_MAX);

		liar_random(&b, 100000);
		liar_send(b.p, b.len);
		return 0;
	}
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sv) != 0)
		return 4;
	if ((pid = fork()) == 0) {
		dup2(sv[1], 0);
		dup2(sv[1], 1);
		execlp("ehr-serve", "ehr-serve", "-C", server, (char *)NULL);
		_exit(4);
	}
	close(sv[1]);
	l.from = l.to = sv[0];
	if (liar_step(&l, true) && liar_step(&l, true))
		while (liar_step(&l, false))
			;
	close(sv[0]);
	buf_free(&l.last);
	waitpid(pid, NULL, 0);
	return 0;
}

#endif
