/*
 * serve: whatever a node sends once it is let in, the server ends in time,
 * and its ledger is what it was.
 */
#define _GNU_SOURCE
#include "../unit/post.h"

#include "net/ids.h"

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

static struct post p;
static struct ids objects;

static void
leave(void)
{
	post_close(&p);
	scratch_close();
}

static void
enter(void)
{
	char *home = getcwd(NULL, 0);
	struct hash record, header;

	scratch_open();
	post_open(&p);
	post_block(&p, 0, NULL);
	post_stage(&p, 0, 700, 'a', &record);
	post_authorize(&p, 0, &record, &header);
	/* The fuzzer's own files are named from where it was. */
	if (home == NULL || chdir(home) != 0 || atexit(leave) != 0)
		abort();
	free(home);
}

static int
agree(struct repo *r, struct span from, struct span line,
    struct span payload, struct buf *status, struct buf *answer,
    struct err *e)
{
	(void)r, (void)from, (void)line;
	buf_adds(status, "ok");
	buf_add(answer, payload.p, payload.n);
	return payload.n % 2 == 0 ? 0 : err_set(e, ERR_NO, "an odd message");
}

static void *
run(void *arg)
{
	struct post_server *v = arg;

	v->ret = serve_run(p.f.r[0], &v->o, &v->e);
	close(v->fd);
	return NULL;
}

static int
see(void *arg, const struct hash *id, uint64_t size, struct err *e)
{
	(void)size;
	return ids_add(arg, id, e);
}

/* What the fuzzer cannot have signed is not there. */
static void
check_ledger(void)
{
	size_t before = objects.n;
	size_t n = 0;
	struct err e;

	objects.n = 0;
	assert(object_each(p.f.r[0], see, &objects, &e) == 0);
	assert(before == 0 || objects.n == before);
	assert(pool_count(p.f.r[0], &n, &e) == 0 && n == 1);
	assert(four_height(&p.f, 0) == 1);
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
	struct serve_options o = { .timeout_ms = 5000, .idle_ms = 5000,
	    .consensus = agree };
	struct post_server v = { .o = o };
	static unsigned runs;
	struct session *s;
	struct hello me;
	char drop[65536];
	struct err e;
	int fd[2];

	if (p.f.n == 0)
		enter();
	if (n > 65536 || socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0,
	    fd) != 0)
		return 0;
	v.fd = v.o.in = v.o.out = fd[0];
	if (pthread_create(&v.thread, NULL, run, &v) != 0)
		abort();
	little_ok(hello_of(&me, p.f.r[1], &p.f.node[1], &e));
	if (session_over(&s, &me, "hospital-a", fd[1], dup(fd[1]), 5000,
	    &e) != 0 || write(fd[1], bytes, n) != (ssize_t)n)
		abort();
	shutdown(fd[1], SHUT_WR);
	while (read(fd[1], drop, sizeof(drop)) > 0)
		;
	pthread_join(v.thread, NULL);
	assert(v.ret == 0 || v.e.kind == ERR_BAD || v.e.kind == ERR_AGAIN ||
	    v.e.kind == ERR_NO);
	s->broken = true;	/* it has ended */
	session_close(s);
	if (runs++ % 64 == 0)
		check_ledger();
	return 0;
}
