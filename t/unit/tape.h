/*
 * tape: a recorded conversation between a caller and ehr-serve, to be played
 * again by either side, with a byte changed or cut off somewhere.
 *
 * The greeting cannot be repeated, as each side signs the other's nonce: it is
 * made anew, with the same number of bytes, so that a place on the tape is the
 * same place in what is played.
 */
#ifndef UNIT_TAPE_H
#define UNIT_TAPE_H

#include "post.h"

#include <poll.h>

#include "net/pkt.h"

#define TAPE_MAX (16u << 20)	/* bytes that went one way */

enum { TO_SERVER, TO_CALLER };

struct tape {
	struct buf way[2];	/* TO_SERVER, TO_CALLER */
};

/* What is done to the bytes that go one way. */
enum tape_what { TAPE_KEEP, TAPE_CHANGE, TAPE_CUT };
struct tape_spoil {
	enum tape_what what;
	size_t at;
	unsigned by;		/* of a change: xor, 1 to 255 */
};

/* --- packets -------------------------------------------------------------- */

/* The next packet of *rest; empty for a flush.  False at the end. */
static inline bool
tape_next(struct span *rest, struct span *data)
{
	char head[5] = "";
	unsigned n;

	if (rest->n < 4)
		return false;
	memcpy(head, rest->p, 4);
	if (sscanf(head, "%4x", &n) != 1 || n > rest->n || (n > 0 && n < 5))
		return false;
	*data = n == 0 ? span_of(NULL, 0) : span_of(rest->p + 4, n - 4);
	n = n == 0 ? 4 : n;
	*rest = span_of(rest->p + n, rest->n - n);
	return true;
}

static inline void
tape_packet(struct buf *out, struct span data)
{
	buf_addf(out, "%04zx", data.n + 4);
	buf_add(out, data.p, data.n);
}

/* Two messages of a way: its greeting; the first packet of each, the second
 * of the second (may be empty), and what follows. */
struct tape_greeting {
	struct span version, word, note, rest;
};
static inline bool
tape_parse(struct tape_greeting *g, const struct tape *t, int way)
{
	struct span s = buf_span(&t->way[way]), end;

	memset(g, 0, sizeof(*g));
	if (!tape_next(&s, &g->version) || !tape_next(&s, &end) ||
	    end.n != 0 || !tape_next(&s, &g->word) || g->word.n == 0 ||
	    !tape_next(&s, &g->note))
		return false;
	if (g->note.n > 0 && (!tape_next(&s, &end) || end.n != 0))
		return false;
	g->rest = s;
	return true;
}

/* --- the greeting --------------------------------------------------------- */

static const unsigned char tape_nonce[PROTO_NONCE] = "tape tape tape!";

/* The first message of that way, as it is now. */
static inline bool
tape_version(struct buf *out, const struct tape_greeting *g)
{
	struct buf line = BUF_INIT(PROTO_LINE_MAX);
	struct proto_version v;
	struct err e;
	bool ok = proto_version_parse(&v, span_of(g->version.p,
	    g->version.n - 1), &e) == 0;

	if (ok) {
		v.time_ms = clock_now_ms();
		memcpy(v.nonce, tape_nonce, PROTO_NONCE);
		proto_version_format(&line, &v);
		buf_addc(&line, '\n');
		tape_packet(out, buf_span(&line));
		buf_adds(out, "0000");
	}
	buf_free(&line);
	return ok;
}

/* The second message, signed by key over the other side's nonce. */
static inline bool
tape_proof(struct buf *out, const struct tape_greeting *g,
    const unsigned char nonce[PROTO_NONCE], const struct identity *key)
{
	struct buf text = BUF_INIT(PROTO_HELLO_MAX), note = text;
	struct err e;
	struct note n;

	tape_packet(out, g->word);
	if (g->note.n > 0) {
		if (note_parse(&n, g->note, "proof", &e) != 0)
			return false;
		/* "nonce HEX" is its last line. */
		buf_add(&text, n.text.p, n.text.n - 2 * PROTO_NONCE - 1);
		for (int i = 0; i < PROTO_NONCE; i++)
			buf_addf(&text, "%02x", nonce[i]);
		buf_addc(&text, '\n');
		little_ok(identity_sign(&note, buf_span(&text), key, &e));
		tape_packet(out, buf_span(&note));
	}
	buf_adds(out, "0000");
	buf_free(&text);
	buf_free(&note);
	return true;
}

/* --- spoiling ------------------------------------------------------------- */

/* Spoil a part that begins at byte `from` of its way; what is to be sent. */
static inline struct span
tape_apply(const struct tape_spoil *s, struct buf *part, size_t from)
{
	size_t at = s->at - from;

	if (s->what == TAPE_KEEP || s->at < from || at >= part->len)
		return buf_span(part);
	if (s->what == TAPE_CUT)
		return span_of(part->p, at);
	part->p[at] ^= (unsigned char)s->by;
	return buf_span(part);
}

/* --- carrying ------------------------------------------------------------- */

/*
 * Write all of bytes to `to` and read what comes from `from` until its end;
 * close_to(to) once all is written.  What came is appended to out (may be
 * NULL), until it has a whole message if first.  False: no end within ms.
 */
static inline bool
tape_pump(int from, int to, struct span bytes, struct buf *out, bool first,
    int ms)
{
	int64_t until = clock_mono_ms() + ms;
	struct pollfd fd[2] = { { from, POLLIN, 0 }, { to, POLLOUT, 0 } };
	unsigned char part[65536];
	ssize_t n;

	for (;;) {
		fd[1].fd = bytes.n > 0 ? to : -1;
		if (clock_mono_ms() > until || poll(fd, 2, 100) < 0)
			return false;
		if (fd[1].revents != 0) {
			n = write(to, bytes.p, bytes.n < 4096 ? bytes.n :
			    4096);
			/* Who hangs up has perhaps said why. */
			bytes = n <= 0 ? span_of(NULL, 0) :
			    span_of(bytes.p + n, bytes.n - (size_t)n);
		}
		if (bytes.n == 0 && to >= 0 && !first) {
			if (shutdown(to, SHUT_WR) != 0)
				close(to);
			to = -1;
		}
		if (fd[0].revents == 0)
			continue;
		if ((n = read(from, part, first ? 1 : sizeof(part))) <= 0)
			return true;
		if (out != NULL)
			buf_add(out, part, (size_t)n);
		if (first && bytes.n == 0 && out->len >= 4 &&
		    memcmp(out->p + out->len - 4, "0000", 4) == 0) {
			struct span rest = buf_span(out), line;

			if (tape_next(&rest, &line) &&
			    tape_next(&rest, &line) && line.n == 0)
				return true;
		}
	}
}

/* The nonce in a version message; zero when it is none. */
static inline void
tape_their_nonce(unsigned char nonce[PROTO_NONCE], struct span message)
{
	struct proto_version v = { .version = 0 };
	struct span line;
	struct err e;

	memset(nonce, 0, PROTO_NONCE);
	if (tape_next(&message, &line) && line.n > 0 &&
	    proto_version_parse(&v, span_of(line.p, line.n - 1), &e) == 0)
		memcpy(nonce, v.nonce, PROTO_NONCE);
}

static inline bool
tape_load(struct tape *t, const char *name)
{
	char path[PATH_MAX];
	struct err e;
	bool ok = true;

	for (int way = 0; way < 2; way++) {
		buf_init(&t->way[way], TAPE_MAX);
		snprintf(path, sizeof(path), "%s.%d", name, way);
		ok = fs_read(&t->way[way], AT_FDCWD, path, &e) == 0 && ok;
	}
	return ok;
}

static inline void
tape_free(struct tape *t)
{
	buf_free(&t->way[TO_SERVER]);
	buf_free(&t->way[TO_CALLER]);
}

/*
 * As a peer's command: run another one and keep what goes through.  When the
 * words of `mark` pass to the server, `then` is run before they do.
 */
static inline int
tape_record(const char *name, const char *command, const char *mark,
    const char *then)
{
	struct buf seen = BUF_INIT(TAPE_MAX);
	char path[PATH_MAX];
	int sv[2], keep[2], left = 2;
	pid_t pid;

	signal(SIGPIPE, SIG_IGN);
	if (socketpair(AF_UNIX, SOCK_STREAM, 0, sv) != 0)
		return 4;
	for (int way = 0; way < 2; way++) {
		snprintf(path, sizeof(path), "%s.%d", name, way);
		keep[way] = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC,
		    0600);
	}
	if (keep[0] < 0 || keep[1] < 0)
		return 4;
	if ((pid = fork()) == 0) {
		close(sv[0]);
		dup2(sv[1], 0);
		dup2(sv[1], 1);
		execl("/bin/sh", "sh", "-c", command, (char *)NULL);
		_exit(4);
	}
	close(sv[1]);
	while (left > 0) {
		struct pollfd fd[2] = { { left == 2 ? 0 : -1, POLLIN, 0 },
		    { sv[0], POLLIN, 0 } };
		unsigned char part[4096];

		if (poll(fd, 2, -1) < 0)
			return 4;
		for (int way = 0; way < 2; way++) {
			int to = way == 0 ? sv[0] : 1;
			ssize_t n;

			if (fd[way].revents == 0)
				continue;
			n = read(fd[way].fd, part, sizeof(part));
			if (n <= 0) {
				if (way == 0)
					shutdown(to, SHUT_WR);
				left = way == 0 ? 1 : 0;
				continue;
			}
			if (way == 0 && mark != NULL) {
				buf_add(&seen, part, (size_t)n);
				if (memmem(seen.p, seen.len, mark,
				    strlen(mark)) != NULL) {
					mark = NULL;
					if (system(then) != 0)
						return 4;
				}
			}
			if (fs_write_all(keep[way], part, (size_t)n) != 0 ||
			    fs_write_all(to, part, (size_t)n) != 0)
				left = 0;
		}
	}
	buf_free(&seen);
	close(sv[0]);
	waitpid(pid, NULL, 0);
	return 0;
}

/* As a peer's command: the server of the tape, spoilt. */
static inline int
tape_serve(const struct tape *t, const struct tape_spoil *s,
    const struct identity *key)
{
	struct buf all = BUF_INIT(TAPE_MAX + 65536), hello = BUF_INIT(65536);
	unsigned char nonce[PROTO_NONCE];
	struct tape_greeting g;

	signal(SIGPIPE, SIG_IGN);
	if (!tape_parse(&g, t, TO_CALLER))
		return 4;
	tape_pump(0, -1, span_of(NULL, 0), &hello, true, 10000);
	tape_their_nonce(nonce, buf_span(&hello));
	if (!tape_version(&all, &g) || !tape_proof(&all, &g, nonce, key))
		return 4;
	buf_add(&all, g.rest.p, g.rest.n);
	tape_pump(0, 1, tape_apply(s, &all, 0), NULL, false, 60000);
	buf_free(&all);
	buf_free(&hello);
	return 0;
}

/*
 * The caller of the tape, spoilt, over fd, which is closed.  False when there
 * is no end within ms.
 */
static inline bool
tape_call(const struct tape *t, const struct tape_spoil *s,
    const struct identity *key, int fd, struct buf *said, int ms)
{
	struct buf part = BUF_INIT(TAPE_MAX + 65536);
	unsigned char nonce[PROTO_NONCE] = { 0 };
	struct tape_greeting g;
	size_t first;
	bool ended = true;

	if (!tape_parse(&g, t, TO_SERVER) || !tape_version(&part, &g))
		abort();
	first = part.len;
	/* To a spoilt version there may be no answer: all at once, then. */
	if (s->what == TAPE_KEEP || s->at >= first) {
		ended = tape_pump(fd, fd, buf_span(&part), said, true, ms);
		tape_their_nonce(nonce, buf_span(said));
		buf_reset(&part);
	} else
		first = 0;
	if (!tape_proof(&part, &g, nonce, key))
		abort();
	buf_add(&part, g.rest.p, g.rest.n);
	ended = ended && tape_pump(fd, fd, tape_apply(s, &part, first), said,
	    false, ms);
	close(fd);
	buf_free(&part);
	return ended;
}

#endif
