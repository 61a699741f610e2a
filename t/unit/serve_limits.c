/* serve: what one connection may have of bytes, objects and time. */
#define _GNU_SOURCE
#include "caller.h"

#include <sys/resource.h>

/* Bytes that come: the one over the limit ends it, with a reason. */
static void
bytes_in(void)
{
	struct serve_options o = { .bytes = 4096 };
	unsigned char ids[10 * HASH_LEN] = "none of these waits";
	struct caller c;
	int n = 0;

	enter(&c, &o, 1);
	while (n < 1000 && ask(&c, "get-pending", span_of(ids,
	    sizeof(ids))) && span_is(buf_span(&c.status), "ok"))
		n++;
	/* The greeting has some hundreds. */
	CHECK(n > 5 && n < 4096 / (int)sizeof(ids));
	CHECK(span_is(buf_span(&c.status), "again over 4096 bytes came on one "
	    "connection: call again"));
	CHECK(hang_up(&c) == -1 && c.v.e.kind == ERR_AGAIN);

	/* In the middle of a payload, too, and none of it counts. */
	enter(&c, &o, 1);
	{
		unsigned char much[8192] = "item 8000\n";

		/* It may have gone before all is sent; its reason is here. */
		CHECK(ask(&c, "put-pending", span_of(much, sizeof(much))) ||
		    hear(&c));
	}
	CHECK(said(&c, "again over 4096 bytes came"));
	CHECK(hang_up(&c) == -1 && c.v.e.kind == ERR_AGAIN);
}

/* Bytes that go: the answer is whole, the next request is refused. */
static void
bytes_out(void)
{
	struct serve_options o = { .bytes = 4096 };
	struct caller c;
	uint64_t got = 0;
	int n = 0;

	enter(&c, &o, 1);
	while (n < 1000 && ask(&c, "genesis", nothing) &&
	    span_is(buf_span(&c.status), "ok")) {
		CHECK(span_eq(buf_span(&c.answer),
		    buf_span(&p.f.r[0]->genesis_file)));
		got += c.answer.len;
		n++;
	}
	CHECK(n >= 1 && got < 4096 + p.f.r[0]->genesis_file.len);
	CHECK(said(&c, "again over 4096 bytes were sent on one connection"));
	CHECK(hang_up(&c) == -1 && c.v.e.kind == ERR_AGAIN);
}

/* The same object again and again, which is here already. */
static void
objects_in(void)
{
	struct serve_options o = { .objects = 5 };
	char profile[128], line[128], hex[HASH_HEX];
	struct caller c;
	struct hash id;

	snprintf(profile, sizeof(profile), "the sealed profile of %s",
	    p.kun.name);
	hash_bytes(&id, profile, strlen(profile));
	hash_format(hex, &id);
	snprintf(line, sizeof(line), "object %s %zu", hex, strlen(profile));
	for (int most = 5; most < 7; most++) {
		enter(&c, &o, 1);
		CHECK(pkt_line(&c.pkt, &e, "put-objects") == 0);
		for (int i = 0; i < most; i++)
			CHECK(pkt_line(&c.pkt, &e, "%s", line) == 0 &&
			    pkt_write(&c.pkt, span_str(profile), &e) == 0);
		CHECK(pkt_flush(&c.pkt, &e) == 0 && hear(&c));
		CHECK(said(&c, most == 5 ? "ok" :
		    "again over 5 objects on one connection: call again"));
		CHECK(hang_up(&c) == (most == 5 ? 0 : -1));
	}
	CHECK(object_check(p.f.r[0], &id, &e) == 0);
}

static void
objects_out(void)
{
	struct serve_options o = { .objects = 5 };
	unsigned char ids[6 * HASH_LEN] = "none of these is an object";
	struct caller c;

	enter(&c, &o, 1);
	CHECK(ask(&c, "objects", span_of(ids, 5 * HASH_LEN)));
	CHECK(said(&c, "ok"));
	CHECK(ask(&c, "objects", span_of(ids, HASH_LEN)));
	CHECK(said(&c, "again over 5 objects on one connection"));
	/* It was no stream yet: the rest goes on. */
	CHECK(ask(&c, "head", nothing) && said(&c, "ok 1 "));
	CHECK(hang_up(&c) == 0);
	enter(&c, &o, 1);
	CHECK(ask(&c, "objects", span_of(ids, 6 * HASH_LEN)));
	CHECK(said(&c, "again over 5 objects"));
	CHECK(hang_up(&c) == 0);
}

/* A life has an end, for who is silent and for who is busy. */
static void
life(void)
{
	struct serve_options o = { .life_ms = 400, .timeout_ms = 20000,
	    .idle_ms = 20000 };
	int64_t start = clock_mono_ms();
	struct caller c;
	long n = 0;

	enter(&c, &o, 1);
	CHECK(hear(&c) && said(&c, "again the connection has lasted as long "
	    "as it may: call again"));
	CHECK(hang_up(&c) == -1 && c.v.e.kind == ERR_AGAIN);

	enter(&c, &o, 1);
	while (ask(&c, "head", nothing) &&
	    span_starts(buf_span(&c.status), "ok"))
		n++;
	/* It may have hung up before it was asked; what it said is there. */
	if (span_starts(buf_span(&c.status), "ok"))
		hear(&c);
	CHECK(said(&c, "again the connection has lasted"));
	CHECK(hang_up(&c) == -1 && c.v.e.kind == ERR_AGAIN);

	/* Inside a message that never ends. */
	enter(&c, &o, 1);
	CHECK(write(c.pkt.out, "0010put-objects\n", 16) == 16);
	CHECK(hear(&c) && said(&c, "again the connection has lasted"));
	CHECK(hang_up(&c) == -1 && c.v.e.kind == ERR_AGAIN);
	CHECK(clock_mono_ms() - start >= 1200 &&
	    clock_mono_ms() - start < 20000);
}

/* Bytes that RLIMIT_DATA counts. */
static rlim_t
data_now(void)
{
	unsigned long all = 0, data = 0;
	FILE *f = fopen("/proc/self/statm", "r");

	if (f != NULL) {
		if (fscanf(f, "%lu %*u %*u %*u %*u %lu", &all, &data) != 2)
			data = 0;
		fclose(f);
	}
	return (rlim_t)data * (rlim_t)sysconf(_SC_PAGESIZE);
}

/* A payload that finds no memory is refused, and the ledger is what it was. */
static void
memory(void)
{
	unsigned char *much = calloc(1, 1u << 20);
	struct rlimit old, l;
	struct caller c;
	int sent = 0;

#ifdef EHR_MEASURED
	printf("skip memory: sanitizers have memory of their own\n");
	free(much);
	return;
#endif
	if (data_now() == 0 || getrlimit(RLIMIT_DATA, &old) != 0) {
		printf("skip memory: no /proc here\n");
		free(much);
		return;
	}
	enter(&c, NULL, 1);
	l = old;
	l.rlim_cur = data_now() + (20u << 20);
	CHECK(setrlimit(RLIMIT_DATA, &l) == 0);
	CHECK(pkt_line(&c.pkt, &e, "put-block") == 0);
	while (sent < 47 && pkt_write(&c.pkt, span_of(much, 1u << 20),
	    &e) == 0)
		sent++;
	CHECK(sent < 47 && hear(&c) && said(&c, "again what came: "));
	CHECK(hang_up(&c) == -1 && c.v.e.kind == ERR_SYS);
	CHECK(setrlimit(RLIMIT_DATA, &old) == 0);
	CHECK(four_height(&p.f, 0) == 1);
	free(much);
}

int
main(void)
{
	struct sync_result res = { .wanted = 0 };

	scratch_open();
	post_open(&p);
	post_block(&p, 0, NULL);
	CHECK(post_sync(&p, 1, 0, SYNC_ALL | SYNC_PULL, NULL, &res, &e) == 0);
	bytes_in();
	bytes_out();
	objects_in();
	objects_out();
	life();
	memory();
	post_close(&p);
	scratch_close();
	return check_done("serve_limits");
}
