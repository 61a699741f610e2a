/*
 * fetch: a chain from several peers at once, of whom one is honest, or none.
 * The others lie, stall, stream without end, or go in the middle of a word.
 */
#define _GNU_SOURCE
#include "post.h"

#include <poll.h>

#include "base/gz.h"
#include "net/fetch.h"

#define BLOCKS 40

enum vice {
	NONE,
	WRONG_BLOCK,		/* another block than was asked for */
	FORGED_BODY,		/* the right header, other transactions */
	OTHER_HEADER,		/* another header, the right certificate */
	NO_QUORUM,		/* a certificate with too few signatures */
	OTHER_HEAD,		/* it claims a head that nobody certified */
	BRAG,			/* it claims more blocks than it has */
	ENDLESS,		/* data without an end */
	HUGE,			/* a length that is none */
	JUNK,			/* no protocol at all */
	DRIP,			/* a byte now and then */
	MUTE,			/* nothing */
	CUT,			/* it closes in the middle of an answer */
	EXTRA,			/* more blocks than asked for */
	UNASKED,		/* answers to nothing */
	REFUSE,			/* it says no */
	VICES
};

static const char *const blame[VICES] = {
	[WRONG_BLOCK] = "came for block", [FORGED_BODY] = "",
	[OTHER_HEADER] = "another one than the certified",
	[NO_QUORUM] = "", [OTHER_HEAD] = "another one than the certified",
	[BRAG] = "fewer blocks", [ENDLESS] = "what came",
	[HUGE] = "length", [JUNK] = "not the protocol",
	[DRIP] = "slow", [MUTE] = "slow", [CUT] = "gone",
	[EXTRA] = "more blocks", [UNASKED] = "",
	[REFUSE] = "we are closed"
};

static struct err e;
static struct post p;

struct villain {
	pthread_t thread;
	struct pkt pkt;
	struct repo *r;
	enum vice vice;
	int fd, answers;
	struct buf body;	/* of the answer */
};

static struct villain villain[3];

/* --- who misbehaves ------------------------------------------------------- */

static int
say(struct villain *v, const char *line)
{
	struct err w;

	return pkt_line(&v->pkt, &w, "%s", line);
}

static void
greet(struct villain *v)
{
	struct buf line = BUF_INIT(PROTO_LINE_MAX);
	struct proto_version ver = { .version = PROTO_VERSION,
	    .has_ledger = true, .ledger = *repo_ledger(v->r),
	    .has_head = true, .time_ms = clock_now_ms() };
	struct head h;
	struct err w;

	little_ok(chain_head(&h, v->r, &w));
	ver.height = h.height + (v->vice == BRAG ? 5 : 0);
	ver.head = h.id;
	if (v->vice == OTHER_HEAD)
		ver.head.b[7] ^= 1;
	little_ok(pkt_read_line(&v->pkt, &line, &w));
	little_ok(pkt_read_flush(&v->pkt, &w));
	buf_reset(&line);
	proto_version_format(&line, &ver);
	little_ok(pkt_line(&v->pkt, &w, "%.*s", SPAN_FMT(buf_span(&line))));
	little_ok(pkt_flush(&v->pkt, &w));
	little_ok(pkt_read_line(&v->pkt, &line, &w));
	little_ok(pkt_read_all(&v->pkt, &line, &w));
	little_ok(say(v, "ok chain"));
	little_ok(pkt_flush(&v->pkt, &w));
	buf_free(&line);
}

/* A millisecond earlier, if that goes without a carry. */
static void
set_earlier(struct buf *file)
{
	unsigned char *z = memmem(file->p, file->len, "Z\nparent ", 9);

	if (z[-1] == '0')
		z[-1] = '9';
	else
		z[-1]--;
}

/* One block of the answer, with its vice. */
static void
add_block(struct villain *v, struct buf *out, uint64_t height, bool header)
{
	struct buf text = BUF_INIT(CHAIN_FILE_MAX), file = BUF_INIT(1u << 20);
	struct buf packed = BUF_INIT(CHAIN_FILE_MAX);
	struct span cert;
	struct block b;
	struct err w;

	if (!header && v->vice == WRONG_BLOCK)
		height = height % BLOCKS + 1;
	little_ok(chain_read(&text, v->r, height, &w));
	little_ok(block_parse(&b, buf_span(&text), true, repo_ledger(v->r),
	    &w));
	cert = b.certificate;
	if (v->vice == NO_QUORUM)
		while (cert.n > 1 && cert.p[--cert.n - 1] != '\n')
			;
	if (header) {
		proto_item_add(out, b.header);
		proto_item_add(out, cert);
	} else {
		block_join(&file, b.header, cert, b.body);
		/* A letter of the last signature. */
		if (v->vice == FORGED_BODY)
			file.p[file.len - 9] = file.p[file.len - 9] == 'A' ?
			    'B' : 'A';
		if (v->vice == OTHER_HEADER)
			set_earlier(&file);
		little_ok(gz_pack(&packed, buf_span(&file), &w));
		proto_item_add(out, buf_span(&packed));
	}
	buf_free(&text);
	buf_free(&file);
	buf_free(&packed);
}

static void
stall(struct villain *v, bool drip)
{
	struct err w;
	char c;

	/* Until the caller has had enough. */
	if (drip && (say(v, "ok") != 0 || pkt_send(&v->pkt, &w) != 0 ||
	    write(v->fd, "fff0", 4) != 4))
		return;
	for (;;) {
		struct pollfd fd = { .fd = v->fd, .events = POLLIN };

		if (poll(&fd, 1, 30) > 0 && read(v->fd, &c, 1) <= 0)
			return;
		if (drip && write(v->fd, "x", 1) != 1)
			return;
	}
}

/* Answer one request; false: that was all. */
static bool
answer(struct villain *v, const struct proto_request *rq)
{
	struct buf *body = &v->body;
	bool blocks = rq->verb == PROTO_BLOCKS;
	uint64_t n = rq->count;
	struct head h;
	struct err w;

	if (v->vice == REFUSE && blocks)
		return say(v, "no we are closed") == 0 &&
		    pkt_flush(&v->pkt, &w) == 0;
	if (v->vice == HUGE || v->vice == JUNK) {
		const char *bytes = v->vice == HUGE ? "fffffff0" : "HTTP/1.1";

		return write(v->fd, bytes, 8) != 8;
	}
	if ((v->vice == MUTE || v->vice == DRIP) && v->answers > 0) {
		stall(v, v->vice == DRIP);
		return false;
	}
	buf_reset(body);
	little_ok(chain_head(&h, v->r, &w));
	if (v->vice == EXTRA && blocks)
		n = 1000;
	for (uint64_t i = 0; i < n && rq->from + i <= h.height; i++)
		add_block(v, body, rq->from + i, !blocks);
	if (v->vice == EXTRA && blocks)
		add_block(v, body, 1, false);
	if (say(v, "ok") != 0 || pkt_write(&v->pkt, buf_span(body), &w) != 0)
		return false;
	if (v->vice == CUT && v->answers > 0) {
		pkt_send(&v->pkt, &w);
		return false;
	}
	while (v->vice == ENDLESS)
		if (pkt_write(&v->pkt, buf_span(body), &w) != 0)
			return false;
	if (pkt_flush(&v->pkt, &w) != 0)
		return false;
	if (v->vice == UNASKED && (say(v, "ok") != 0 ||
	    pkt_flush(&v->pkt, &w) != 0))
		return false;
	v->answers++;
	return true;
}

static void *
misbehave(void *arg)
{
	struct villain *v = arg;
	struct buf line = BUF_INIT(PROTO_LINE_MAX);
	struct proto_request rq;
	struct err w;

	greet(v);
	while (pkt_read_line(&v->pkt, &line, &w) == 0 &&
	    pkt_read_flush(&v->pkt, &w) == 0 &&
	    proto_request_parse(&rq, buf_span(&line), &w) == 0 &&
	    rq.verb != PROTO_BYE && answer(v, &rq))
		;
	pkt_free(&v->pkt);
	shutdown(v->fd, SHUT_WR);
	close(v->fd);
	buf_free(&line);
	buf_free(&v->body);
	return NULL;
}

static int
start(struct villain *v, enum vice vice)
{
	int fd[2];

	memset(v, 0, sizeof(*v));
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fd) != 0)
		abort();
	buf_init(&v->body, 1u << 26);
	v->fd = fd[0];
	v->vice = vice;
	little_ok(repo_open(&v->r, "h0", &e));
	pkt_init(&v->pkt, fd[0], fd[0], 20000);
	if (pthread_create(&v->thread, NULL, misbehave, v) != 0)
		abort();
	return fd[1];
}

static void
end(struct villain *v)
{
	pthread_join(v->thread, NULL);
	repo_close(v->r);
}

/* --- who fetches ---------------------------------------------------------- */

static void
add_peer(struct peers *ps, const char *name, int fd)
{
	struct hello me;

	little_ok(peers_add(ps, name, "false", &e));
	little_ok(hello_of(&me, p.f.r[3], NULL, &e));
	little_ok(session_over(&ps->v[ps->n - 1].s, &me, name, fd, dup(fd),
	    20000, &e));
	ps->v[ps->n - 1].s->repo = p.f.r[3];
}

/* h3 begins anew, without a block. */
static void
start_over(const char *timeout)
{
	struct buf genesis = BUF_INIT(GENESIS_MAX);

	buf_add(&genesis, p.f.r[0]->genesis_file.p,
	    p.f.r[0]->genesis_file.len);
	repo_close(p.f.r[3]);
	scratch_remove("h3");
	four_create(&p.f, 3, buf_span(&genesis));
	little_ok(config_set(p.f.r[3]->dirfd, "net.timeout", timeout, &e));
	repo_close(p.f.r[3]);
	little_ok(repo_open(&p.f.r[3], "h3", &e));
	buf_free(&genesis);
}

static int
fetch(struct peers *ps)
{
	struct sync_result res = { .wanted = 0 };
	struct fetch_options o = { .chain = true, .res = &res };
	int ret = fetch_run(ps, p.f.r[3], &o, &e);

	if (ret != 0)
		printf("fetch: %s\n", e.msg);
	CHECK(res.pulled.blocks == four_height(&p.f, 3));
	return ret;
}

/* All blocks from so many honest peers. */
static void
honest(unsigned n)
{
	struct post_server v[3];
	struct peers ps = { NULL, 0 };
	uint64_t sum = 0;

	start_over("20");
	for (unsigned i = 0; i < n; i++)
		add_peer(&ps, p.f.node[i].name, post_serve(&v[i], i, NULL));
	CHECK(fetch(&ps) == 0 && four_agree(&p.f, 9, BLOCKS));
	for (unsigned i = 0; i < n; i++) {
		CHECK(ps.v[i].e.kind == ERR_NONE);
		/* Each did its part. */
		CHECK(ps.v[i].res.pulled.blocks > 0);
		sum += ps.v[i].res.pulled.blocks;
	}
	CHECK(sum == BLOCKS);
	peers_free(&ps);
	for (unsigned i = 0; i < n; i++)
		post_served(&v[i]);
}

/* One honest peer makes good for the others. */
static void
with_one(enum vice vice)
{
	struct post_server v;
	struct peers ps = { NULL, 0 };
	bool said;

	start_over(vice == MUTE || vice == DRIP ? "2" : "20");
	add_peer(&ps, "villain-1", start(&villain[0], vice));
	add_peer(&ps, "hospital-a", post_serve(&v, 0, NULL));
	add_peer(&ps, "villain-2", start(&villain[1], vice));
	CHECK(fetch(&ps) == 0);
	CHECK(four_agree(&p.f, 9, BLOCKS));
	CHECK(ps.v[1].e.kind == ERR_NONE);
	said = vice == NONE || strstr(ps.v[0].e.msg, blame[vice]) != NULL ||
	    strstr(ps.v[2].e.msg, blame[vice]) != NULL;
	CHECK(said);
	if (!said)
		printf("vice %d: \"%s\", \"%s\"\n", vice, ps.v[0].e.msg,
		    ps.v[2].e.msg);
	if (vice != NONE && vice != CUT && vice != UNASKED)
		CHECK(ps.v[0].e.kind != ERR_NONE ||
		    ps.v[2].e.kind != ERR_NONE);
	peers_free(&ps);
	end(&villain[0]);
	end(&villain[1]);
	post_served(&v);
}

/* Without an honest one: an error, and nothing that is not certified. */
static void
alone(enum vice vice)
{
	struct peers ps = { NULL, 0 };
	start_over(vice == MUTE || vice == DRIP ? "2" : "20");
	add_peer(&ps, "villain-1", start(&villain[0], vice));
	CHECK(fetch(&ps) == 0);
	CHECK(ps.v[0].e.kind == ERR_BAD || ps.v[0].e.kind == ERR_AGAIN ||
	    ps.v[0].e.kind == ERR_NO || vice == UNASKED);
	/* Some give good blocks before it shows what they are. */
	if (vice != BRAG && vice != UNASKED && vice != CUT && vice != EXTRA)
		CHECK(four_height(&p.f, 3) == 0);
	CHECK(four_agree(&p.f, 8, four_height(&p.f, 3)));
	peers_free(&ps);
	end(&villain[0]);
}

/* Where it was interrupted, it goes on; what is here is not fetched again. */
static void
goes_on(void)
{
	struct post_server v;
	struct peers ps = { NULL, 0 };
	struct buf text = BUF_INIT(CHAIN_FILE_MAX);

	start_over("20");
	for (uint64_t h = 1; h <= 7; h++) {
		buf_reset(&text);
		little_ok(chain_read(&text, p.f.r[0], h, &e));
		little_ok(accept_block(p.f.r[3], buf_span(&text), false,
		    clock_now_ms(), &e));
	}
	add_peer(&ps, "hospital-a", post_serve(&v, 0, NULL));
	{
		struct sync_result res = { .wanted = 0 };
		struct fetch_options o = { .chain = true, .res = &res };

		CHECK(fetch_run(&ps, p.f.r[3], &o, &e) == 0);
		CHECK(res.pulled.blocks == BLOCKS - 7);
		CHECK(fetch_run(&ps, p.f.r[3], &o, &e) == 0);
		CHECK(res.pulled.blocks == BLOCKS - 7);
	}
	CHECK(four_agree(&p.f, 9, BLOCKS));
	peers_free(&ps);
	post_served(&v);
	buf_free(&text);
}

int
main(void)
{
	scratch_open();
	post_open(&p);
	for (int i = 0; i < BLOCKS; i++) {
		usleep(2000);
		four_enroll(&p.f, 1);
		post_block(&p, 0, NULL);
	}
	for (unsigned i = 1; i < 3; i++) {
		struct sync_result res = { .wanted = 0 };

		CHECK(post_sync(&p, i, 0, SYNC_ALL | SYNC_PULL, NULL, &res,
		    &e) == 0);
	}
	honest(1);
	honest(3);
	for (enum vice v = NONE; v < VICES; v++)
		with_one(v);
	for (enum vice v = WRONG_BLOCK; v < VICES; v++)
		alone(v);
	goes_on();
	post_close(&p);
	scratch_close();
	return check_done("fetch");
}
