/*
 * peer: whatever an ehr-serve answers, the caller ends with an error, and
 * takes nothing in that is not signed.
 */
#define _GNU_SOURCE
#include "../unit/post.h"

#include <sys/mman.h>

#include "net/pkt.h"

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

static struct post p;
static struct hash wanted;
static int nowhere;

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
	char text[128];
	struct err e;

	scratch_open();
	post_open(&p);
	/* It has something to push, and wants something. */
	post_block(&p, 0, NULL);
	snprintf(text, sizeof(text), "the sealed profile of %s", p.bill.name);
	hash_bytes(&wanted, text, strlen(text));
	little_ok(object_erase(p.f.r[0], &wanted, &e));
	post_stage(&p, 0, 700, 'a', &record);
	post_authorize(&p, 0, &record, &header);
	post_stage(&p, 0, 500, 'b', &record);
	nowhere = open("/dev/null", O_WRONLY | O_CLOEXEC);
	if (home == NULL || chdir(home) != 0 || atexit(leave) != 0 ||
	    nowhere < 0)
		abort();
	free(home);
}

/* Of what it wants, these bytes are here. */
static void
part(const char *text)
{
	struct object_writer *w;
	uint64_t at;
	struct err e;

	little_ok(object_writer_part(&w, p.f.r[0], &wanted, true, &at, &e));
	little_ok(object_writer_add(w, text, strlen(text), &e));
	object_writer_keep(w);
}

/* The peer's greeting, which is in order, and then the fuzzer's bytes. */
static int
script(const uint8_t *bytes, size_t n)
{
	int fd = memfd_create("peer", MFD_CLOEXEC);
	struct buf line = BUF_INIT(PROTO_LINE_MAX);
	struct proto_version v = {
		.version = PROTO_VERSION,
		.has_ledger = true,
		.ledger = *repo_ledger(p.f.r[0]),
		.has_head = true,
		.height = 3,
		.time_ms = clock_now_ms()
	};
	struct pkt pkt;
	struct err e;

	pkt_init(&pkt, -1, fd, 1000);
	proto_version_format(&line, &v);
	little_ok(pkt_line(&pkt, &e, "%.*s", SPAN_FMT(buf_span(&line))));
	little_ok(pkt_flush(&pkt, &e));
	little_ok(pkt_line(&pkt, &e, "ok node"));
	little_ok(pkt_flush(&pkt, &e));
	if (fs_write_all(fd, bytes, n) != 0 || lseek(fd, 0, SEEK_SET) != 0)
		abort();
	pkt_free(&pkt);
	buf_free(&line);
	return fd;
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
	/* The first byte chooses where it begins. */
	static const int flags[] = { SYNC_BLOCKS | SYNC_PULL,
	    SYNC_OBJECTS | SYNC_PULL, SYNC_STAGED | SYNC_PULL,
	    SYNC_PENDING | SYNC_PULL, SYNC_OBJECTS | SYNC_PUSH,
	    SYNC_STAGED | SYNC_PUSH, SYNC_PENDING | SYNC_PUSH,
	    SYNC_SECRET | SYNC_PULL };
	struct sync_result res = { .wanted = 0 };
	struct session *s;
	struct hello me;
	struct err e;
	size_t pending;

	if (p.f.n == 0)
		enter();
	if (n == 0)
		return 0;
	if (bytes[0] & 8)
		part("the s");
	else
		little_ok(object_part_forget(p.f.r[0], &wanted, &e));
	little_ok(hello_of(&me, p.f.r[0], &p.f.node[0], &e));
	little_ok(session_over(&s, &me, "hospital-b", script(bytes + 1, n - 1),
	    dup(nowhere), 1000, &e));
	s->repo = p.f.r[0];
	/* Else nothing would be asked of it that only nodes are. */
	strcpy(s->node, "hospital-b");
	e.kind = ERR_NONE;
	if (sync_with(p.f.r[0], s, flags[bytes[0] % 8], &res, &e) != 0)
		assert(e.kind == ERR_BAD || e.kind == ERR_AGAIN ||
		    e.kind == ERR_NO);
	session_close(s);
	assert(res.pulled.blocks == 0 && res.pulled.staged == 0 &&
	    res.pulled.pending == 0 && res.pulled.objects == 0);
	assert(pool_count(p.f.r[0], &pending, &e) == 0 && pending == 1);
	return 0;
}
