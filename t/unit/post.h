/*
 * post: what the hospitals of four.h have to send to each other, records,
 * decisions and blocks, and conversations between two of them.
 */
#ifndef UNIT_POST_H
#define UNIT_POST_H

#include "four.h"

#include <pthread.h>
#include <sys/socket.h>

#include "net/serve.h"
#include "net/sync.h"
#include "store/accept.h"
#include "store/object.h"
#include "store/propose.h"
#include "store/staging.h"

struct post {
	struct four f;
	struct identity kun, bill;
};

/* --- what there is to send ------------------------------------------------ */

/* Sign tx as author and add it to what waits at hospital i. */
static inline void
post_submit(struct post *p, unsigned i, struct tx *tx,
    const struct identity *author)
{
	struct buf text = BUF_INIT(TX_MAX), note = BUF_INIT(TX_MAX);
	struct pool *pool;
	struct err e;

	tx->time_ms = clock_now_ms();
	tx->author = span_str(author->name);
	tx_text(&text, tx, repo_ledger(p->f.r[i]));
	little_ok(identity_sign(&note, buf_span(&text), author, &e));
	little_ok(pool_open(&pool, p->f.r[i], tx->time_ms, &e));
	if (pool_add(pool, buf_span(&note), false, NULL, NULL, &e) != 0)
		printf("post_submit: %s\n", e.msg);
	little_ok(pool_commit(pool, &e));
	buf_free(&text);
	buf_free(&note);
}

/* Enrol a user at hospital i, with a profile that is an object there. */
static inline void
post_enroll(struct post *p, unsigned i, const struct identity *id,
    const char *role)
{
	struct tx tx = { .kind = TX_ENROLL, .user = span_str(id->name),
	    .role = span_str(role), .has_profile = true };
	char profile[128];
	struct err e;

	little_keys(&tx.sign, &tx.seal, id);
	snprintf(profile, sizeof(profile), "the sealed profile of %s",
	    id->name);
	little_ok(object_put(p->f.r[i], span_str(profile), &tx.profile, &e));
	post_submit(p, i, &tx, &p->f.admin);
}

/* Stage a record with a body of n bytes at hospital i. */
static inline void
post_stage(struct post *p, unsigned i, size_t n, unsigned char fill,
    struct hash *record)
{
	struct staged s = { .time_ms = clock_now_ms() };
	struct buf text = BUF_INIT(STAGED_MAX), note = BUF_INIT(STAGED_MAX);
	unsigned char *body = malloc(n + 1);
	struct staging *st;
	char header[32];
	struct err e;

	assert(body != NULL);
	memset(body, fill, n);
	snprintf(header, sizeof(header), "first header %u", fill);
	little_ok(object_put(p->f.r[i], span_of(body, n), &s.body, &e));
	s.author = span_str(p->kun.name);
	s.patient = span_str(p->bill.name);
	s.label = span_str("laboratory");
	s.body_size = n;
	hash_bytes(&s.header, header, strlen(header));
	staged_text(&text, &s, repo_ledger(p->f.r[i]));
	little_ok(identity_sign(&note, buf_span(&text), &p->kun, &e));
	hash_bytes(record, note.p, note.len);
	little_ok(staging_open(&st, p->f.r[i], s.time_ms, &e));
	if (staging_add(st, buf_span(&note), span_str(header), false,
	    &e) != 0)
		printf("post_stage: %s\n", e.msg);
	little_ok(staging_commit(st, &e));
	free(body);
	buf_free(&text);
	buf_free(&note);
}

/* Bill takes a record in, at hospital i; header gets the object's id. */
static inline void
post_authorize(struct post *p, unsigned i, const struct hash *record,
    struct hash *header)
{
	struct buf old = BUF_INIT(1 << 20);
	struct tx tx = { .kind = TX_AUTHORIZE, .record = *record };
	char text[HASH_HEX + 16] = "header for ";
	struct err e;

	buf_init(&tx.manifest, STAGED_MAX);
	little_ok(staging_find(&tx.manifest, &old, p->f.r[i], record, &e));
	hash_format(text + strlen(text), record);
	little_ok(object_put(p->f.r[i], span_str(text), &tx.header, &e));
	*header = tx.header;
	tx.reader[tx.nreaders++] = span_str("role:doctor");
	post_submit(p, i, &tx, &p->bill);
	buf_free(&tx.manifest);
	buf_free(&old);
}

/* The text of a block of what waits at hospital i, with the signatures of so
 * many delegates; nobody has it yet. */
static inline void
post_make(struct post *p, unsigned i, unsigned signers, struct buf *text)
{
	struct buf content = BUF_INIT(BLOCK_CONTENT_MAX);
	struct buf cert = BUF_INIT(BLOCK_CERT_MAX);
	struct buf say = BUF_INIT(1024);
	struct block b;
	struct err e;

	if (propose_block(&content, p->f.r[i], p->f.node[i].name,
	    clock_now_ms(), NULL, &e) != 0)
		printf("post_make: %s\n", e.msg);
	little_ok(block_parse(&b, buf_span(&content), false,
	    repo_ledger(p->f.r[i]), &e));
	certificate_text(&say, b.h.height, 0, &b.h.id,
	    repo_ledger(p->f.r[i]));
	buf_add(&cert, say.p, say.len);
	buf_addc(&cert, '\n');
	for (unsigned k = 0; k < signers; k++)
		little_ok(note_sign_line(&cert, buf_span(&say),
		    span_str(p->f.node[k].name), p->f.node[k].sign, &e));
	block_join(text, b.header, buf_span(&cert), b.body);
	buf_free(&content);
	buf_free(&cert);
	buf_free(&say);
}

/* A certified block of what waits at hospital i, which has it then; its text
 * is appended to text, which may be NULL. */
static inline void
post_block(struct post *p, unsigned i, struct buf *text)
{
	struct buf file = BUF_INIT(CHAIN_FILE_MAX);
	struct err e;

	post_make(p, i, delegates_quorum(p->f.n), &file);
	if (accept_block(p->f.r[i], buf_span(&file), true, clock_now_ms(),
	    &e) != 0)
		printf("post_block: %s\n", e.msg);
	if (text != NULL)
		buf_add(text, file.p, file.len);
	buf_free(&file);
}

/* Four hospitals; the first has Kun, a doctor, and Bill, a patient, in its
 * pool. */
static inline void
post_open_with(struct post *p, const struct settings *s)
{
	/* As pipe_open and ehr-serve do. */
	signal(SIGPIPE, SIG_IGN);
	memset(p, 0, sizeof(*p));
	four_open(&p->f, 4, s);
	people_user(&p->kun, "Kun M");
	people_user(&p->bill, "Bill");
	post_enroll(p, 0, &p->kun, "doctor");
	post_enroll(p, 0, &p->bill, "patient");
}

static inline void
post_open(struct post *p)
{
	struct settings s;

	settings_default(&s);
	post_open_with(p, &s);
}

static inline void
post_close(struct post *p)
{
	identity_wipe(&p->kun);
	identity_wipe(&p->bill);
	four_close(&p->f);
}

/* --- conversations -------------------------------------------------------- */

/* A server in a thread, with a ledger handle of its own. */
struct post_server {
	pthread_t thread;
	char dir[PATH_MAX];
	struct serve_options o;
	int fd;			/* its end */
	int ret;		/* of serve_run */
	struct err e;
};

static inline void *
post_server_run(void *arg)
{
	struct post_server *v = arg;
	struct repo *r;

	v->ret = repo_open(&r, v->dir, &v->e);
	if (v->ret == 0) {
		v->ret = serve_run(r, &v->o, &v->e);
		repo_close(r);
	}
	close(v->fd);
	return NULL;
}

/* Serve hospital i's ledger; returns the caller's end.  o.in and o.out, and
 * times that are 0, are set here. */
static inline int
post_serve(struct post_server *v, unsigned i, const struct serve_options *o)
{
	int fd[2];

	memset(v, 0, sizeof(*v));
	if (o != NULL)
		v->o = *o;
	snprintf(v->dir, sizeof(v->dir), "h%u", i);
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fd) != 0)
		abort();
	v->fd = v->o.in = v->o.out = fd[0];
	if (v->o.timeout_ms == 0)
		v->o.timeout_ms = 10000;
	if (v->o.idle_ms == 0)
		v->o.idle_ms = 10000;
	if (pthread_create(&v->thread, NULL, post_server_run, v) != 0)
		abort();
	return fd[1];
}

/* Wait for it to end: what serve_run returned. */
static inline int
post_served(struct post_server *v)
{
	pthread_join(v->thread, NULL);
	return v->ret;
}

/* A session of hospital i over fd, which waits for 10 s at most; key NULL: as
 * nobody. */
static inline int
post_call(struct session **s, struct post *p, unsigned i, int fd,
    const struct identity *key, const char *peer, struct err *e)
{
	struct hello me;

	little_ok(hello_of(&me, p->f.r[i], key, e));
	if (session_over(s, &me, peer, fd, dup(fd), 10000, e) != 0)
		return -1;
	if (session_adopt(*s, p->f.r[i], e) == 0)
		return 0;
	session_close(*s);
	return -1;
}

/* Hospital i exchanges with hospital k. */
static inline int
post_sync(struct post *p, unsigned i, unsigned k, int flags,
    const struct serve_options *o, struct sync_result *res, struct err *e)
{
	struct post_server v;
	struct session *s;
	int fd = post_serve(&v, k, o), ret;

	ret = post_call(&s, p, i, fd, &p->f.node[i], p->f.node[k].name, e);
	if (ret == 0) {
		ret = sync_with(p->f.r[i], s, flags, res, e);
		session_close(s);
	}
	post_served(&v);
	return ret;
}

#endif
