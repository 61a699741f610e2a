/* sync: two ledgers come to the same state, in either direction. */
#define _GNU_SOURCE
#include "post.h"

#include "net/parcel.h"
#include "net/waiting.h"

static struct err e;
static struct post p;

static size_t
count_pending(unsigned i)
{
	size_t n = 0;

	CHECK(pool_count(p.f.r[i], &n, &e) == 0);
	return n;
}

static int
count_one(void *arg, const struct staged *s, struct span header,
    struct err *err)
{
	(void)s, (void)header, (void)err;
	++*(size_t *)arg;
	return 0;
}

static size_t
count_staged(unsigned i)
{
	size_t n = 0;

	CHECK(staging_each(p.f.r[i], count_one, &n, &e) == 0);
	return n;
}

static size_t
count_wanted(unsigned i)
{
	struct ids l = IDS_INIT;
	size_t n;

	CHECK(waiting_wanted(&l, p.f.r[i], SIZE_MAX, &e) == 0);
	n = l.n;
	ids_free(&l);
	return n;
}

static bool
has(unsigned i, const struct hash *id)
{
	return object_check(p.f.r[i], id, &e) == 0;
}

static int
sync_two(unsigned i, unsigned k, int flags, struct sync_result *res)
{
	memset(res, 0, sizeof(*res));
	if (post_sync(&p, i, k, flags, NULL, res, &e) == 0)
		return 0;
	printf("sync of h%u with h%u: %s\n", i, k, e.msg);
	return -1;
}

/* Transactions with their objects, and then the block. */
static void
pending_and_blocks(void)
{
	struct sync_result res;

	/* h1 pulls: what the transactions name comes with them. */
	CHECK(count_pending(0) == 2 && count_pending(1) == 0);
	CHECK(sync_two(1, 0, SYNC_ALL | SYNC_PULL, &res) == 0);
	CHECK(res.pulled.pending == 2 && res.pulled.objects == 2);
	CHECK(count_pending(1) == 2);
	/* h0 pushes to h2. */
	CHECK(sync_two(0, 2, SYNC_ALL | SYNC_PUSH, &res) == 0);
	CHECK(res.pushed.pending == 2 && res.pushed.objects == 2);
	CHECK(count_pending(2) == 2);
	/* Nothing moves twice. */
	CHECK(sync_two(0, 2, SYNC_ALL | SYNC_PUSH | SYNC_PULL, &res) == 0);
	CHECK(res.pushed.pending == 0 && res.pushed.objects == 0);
	CHECK(res.pulled.pending == 0 && res.pulled.objects == 0);

	post_block(&p, 0, NULL);
	CHECK(four_agree(&p.f, 1, 1));
	CHECK(sync_two(1, 0, SYNC_ALL | SYNC_PULL, &res) == 0);
	CHECK(res.pulled.blocks == 1 && count_pending(1) == 0);
	CHECK(sync_two(0, 2, SYNC_ALL | SYNC_PUSH, &res) == 0);
	CHECK(res.pushed.blocks == 1 && count_pending(2) == 0);
	/* h3 gets the block alone, and then the profiles that it names. */
	CHECK(sync_two(3, 0, SYNC_BLOCKS | SYNC_PULL, &res) == 0);
	CHECK(res.pulled.blocks == 1 && count_wanted(3) == 2);
	CHECK(sync_two(3, 1, SYNC_ALL | SYNC_PULL, &res) == 0);
	CHECK(res.pulled.objects == 2 && res.wanted == 0);
	CHECK(count_wanted(3) == 0);
	CHECK(four_agree(&p.f, 15, 1));
}

/* Staged records: the body comes first, small or large. */
static void
records(void)
{
	struct sync_result res;
	struct hash small, large, head, body;
	unsigned char *bytes = malloc(3u << 20);

	post_stage(&p, 0, 1000, 'a', &small);
	post_stage(&p, 0, 3u << 20, 'b', &large);
	memset(bytes, 'b', 3u << 20);
	hash_bytes(&body, bytes, 3u << 20);
	free(bytes);
	CHECK(sync_two(0, 1, SYNC_ALL | SYNC_PUSH, &res) == 0);
	CHECK(res.pushed.staged == 2 && res.pushed.objects == 2);
	CHECK(res.pushed.bytes == 1000 + (3u << 20));
	CHECK(count_staged(1) == 2 && has(1, &body));
	CHECK(sync_two(2, 1, SYNC_ALL | SYNC_PULL, &res) == 0);
	CHECK(res.pulled.staged == 2 && res.pulled.objects == 2);
	CHECK(count_staged(2) == 2 && has(2, &body));
	CHECK(sync_two(2, 0, SYNC_ALL | SYNC_PULL | SYNC_PUSH, &res) == 0);
	CHECK(res.pulled.staged == 0 && res.pushed.staged == 0);

	/* The patient is at h2; the others learn of it, with the header. */
	post_authorize(&p, 2, &large, &head);
	CHECK(sync_two(2, 0, SYNC_ALL | SYNC_PULL | SYNC_PUSH, &res) == 0);
	CHECK(res.pushed.pending == 1 && res.pushed.objects == 1);
	CHECK(has(0, &head) && !has(1, &head));
	post_block(&p, 0, NULL);
	CHECK(sync_two(1, 0, SYNC_ALL | SYNC_PULL, &res) == 0);
	CHECK(res.pulled.blocks == 1 && res.pulled.objects == 1);
	CHECK(has(1, &head) && count_staged(1) == 1 && count_wanted(1) == 0);
	/* h3 had nothing of all this; it wants body and header. */
	CHECK(sync_two(0, 3, SYNC_ALL | SYNC_PUSH, &res) == 0);
	CHECK(res.pushed.blocks == 1 && res.pushed.objects == 3);
	CHECK(has(3, &body) && has(3, &head) && count_staged(3) == 1);
}

/* An object that nobody has does not stop anything. */
static void
missing_object(void)
{
	struct sync_result res;
	struct hash record, head;

	post_stage(&p, 0, 500, 'c', &record);
	post_authorize(&p, 0, &record, &head);
	post_block(&p, 0, NULL);
	CHECK(object_erase(p.f.r[0], &head, &e) == 0);
	CHECK(sync_two(1, 0, SYNC_ALL | SYNC_PULL, &res) == 0);
	CHECK(res.pulled.blocks == 1 && res.wanted == 1);
	CHECK(count_wanted(1) == 1);
	/* It comes back, and is fetched the next time. */
	{
		char text[HASH_HEX + 16] = "header for ";

		hash_format(text + strlen(text), &record);
		CHECK(object_put(p.f.r[0], span_str(text), NULL, &e) == 0);
	}
	CHECK(sync_two(1, 0, SYNC_ALL | SYNC_PULL, &res) == 0);
	CHECK(res.pulled.objects == 1 && res.wanted == 0 && has(1, &head));
}

/* A transaction whose object is lost here is not offered to others. */
static void
lost_object(void)
{
	struct sync_result res;
	struct hash record, head;
	size_t before;

	post_stage(&p, 0, 600, 'd', &record);
	post_authorize(&p, 0, &record, &head);
	CHECK(object_erase(p.f.r[0], &head, &e) == 0);
	before = count_pending(1);
	CHECK(sync_two(0, 1, SYNC_ALL | SYNC_PUSH, &res) == 0);
	CHECK(res.pushed.pending == 0 && res.refused == 0);
	CHECK(sync_two(1, 0, SYNC_ALL | SYNC_PULL, &res) == 0);
	CHECK(res.pulled.pending == 0 && count_pending(1) == before);
	{
		char text[HASH_HEX + 16] = "header for ";

		hash_format(text + strlen(text), &record);
		CHECK(object_put(p.f.r[0], span_str(text), NULL, &e) == 0);
	}
	CHECK(sync_two(0, 1, SYNC_ALL | SYNC_PUSH, &res) == 0);
	CHECK(res.pushed.pending == 1 && count_pending(1) == before + 1);
	post_block(&p, 0, NULL);
}

/* A body that is damaged on disk keeps only its own record back. */
static void
damaged_body(void)
{
	struct sync_result res;
	struct hash one, two, body;
	char path[100] = "h0/.ehr/objects/", hex[HASH_HEX];
	unsigned char bytes[640];

	post_stage(&p, 0, sizeof(bytes), 'p', &one);
	post_stage(&p, 0, 650, 'q', &two);
	memset(bytes, 'p', sizeof(bytes));
	hash_bytes(&body, bytes, sizeof(bytes));
	hash_format(hex, &body);
	snprintf(path + strlen(path), 70, "%.2s/%s", hex, hex);
	chmod(path, 0600);
	scratch_flip(path, 100, 3);
	CHECK(sync_two(0, 1, SYNC_ALL | SYNC_PUSH, &res) == 0);
	CHECK(res.pushed.staged == 1 && res.refused == 1);
	CHECK(strstr(res.reason, "damaged here") != NULL);
	CHECK(!has(1, &body));
	scratch_flip(path, 100, 3);
	CHECK(sync_two(0, 1, SYNC_ALL | SYNC_PUSH, &res) == 0);
	CHECK(res.pushed.staged == 1 && res.refused == 0 && has(1, &body));
}

/* What was erased does not come back, whoever still has it. */
static void
erased(void)
{
	struct tx tx = { .kind = TX_ERASE, .reason =
	    span_str("patient-request") };
	struct sync_result res;
	unsigned char bytes[560];
	struct hash record, head, body;

	post_stage(&p, 0, sizeof(bytes), 'r', &record);
	memset(bytes, 'r', sizeof(bytes));
	hash_bytes(&body, bytes, sizeof(bytes));
	CHECK(sync_two(0, 2, SYNC_ALL | SYNC_PUSH, &res) == 0);
	post_authorize(&p, 0, &record, &head);
	post_block(&p, 0, NULL);
	tx.record = record;
	post_submit(&p, 0, &tx, &p.bill);
	post_block(&p, 0, NULL);
	CHECK(!has(0, &body) && !has(0, &head) && has(2, &body));
	/* h2 does not know yet, and offers the record again. */
	CHECK(sync_two(2, 0, SYNC_STAGED | SYNC_PUSH, &res) == 0);
	CHECK(!has(0, &body) && res.pushed.objects == 0);
	CHECK(sync_two(0, 2, SYNC_STAGED | SYNC_PULL, &res) == 0);
	CHECK(!has(0, &body) && count_wanted(0) == 0);
	/* Nor when it is on its way already. */
	{
		struct parcel_sink sink;
		struct pkt pkt;
		int fd[2];

		CHECK(waiting_is_dismissed(p.f.r[0], &body, &e) == 1);
		CHECK(waiting_is_dismissed(p.f.r[2], &body, &e) == 0);
		CHECK(pipe(fd) == 0);
		pkt_init(&pkt, fd[0], fd[1], 1000);
		CHECK(pkt_write(&pkt, span_of(bytes, sizeof(bytes)), &e) == 0);
		CHECK(pkt_flush(&pkt, &e) == 0);
		parcel_start(&sink, p.f.r[0]);
		CHECK(parcel_take(&sink, &pkt, &body, sizeof(bytes), &e) == 1);
		CHECK(parcel_commit(&sink, &e) == 0 && !has(0, &body));
		/* Taken when it was not dismissed yet, as it seemed. */
		CHECK(object_batch_open(&sink.batch, p.f.r[0], &e) == 0);
		CHECK(object_batch_add(sink.batch, span_of(bytes,
		    sizeof(bytes)), NULL, &e) == 0);
		CHECK(ids_add(&sink.batched, &body, &e) == 0);
		CHECK(parcel_commit(&sink, &e) == 0 && !has(0, &body));
		pkt_free(&pkt);
		close(fd[0]);
		close(fd[1]);
	}
	CHECK(sync_two(0, 2, SYNC_ALL | SYNC_PUSH, &res) == 0);
	CHECK(!has(2, &body) && !has(2, &head));
}

/* Two hospitals took transactions in that exclude each other. */
static void
conflict(void)
{
	struct tx tx = { .kind = TX_ROLE_DEFINE, .role = span_str("nurse"),
	    .perms = PERM_VIEW_OWN };
	struct tx one = { .kind = TX_ROLE_GRANT, .role = span_str("nurse"),
	    .user = span_str(p.bill.name) };
	struct tx two = one;
	struct sync_result res;

	for (unsigned i = 1; i < 4; i++)
		CHECK(sync_two(0, i, SYNC_ALL | SYNC_PUSH, &res) == 0);
	post_submit(&p, 0, &tx, &p.f.admin);
	post_block(&p, 0, NULL);
	CHECK(sync_two(1, 0, SYNC_ALL | SYNC_PULL, &res) == 0);
	post_submit(&p, 0, &one, &p.f.admin);
	usleep(2000);		/* another time, so another id */
	post_submit(&p, 1, &two, &p.f.admin);
	CHECK(sync_two(0, 1, SYNC_ALL | SYNC_PULL | SYNC_PUSH, &res) == 0);
	CHECK(res.declined == 1 && res.pulled.pending == 0);
	CHECK(res.refused == 1 && strstr(res.reason, "has the role") != NULL);
	/* The block decides; the other one is not passed on any more. */
	post_block(&p, 0, NULL);
	CHECK(sync_two(1, 0, SYNC_ALL | SYNC_PULL | SYNC_PUSH, &res) == 0);
	CHECK(res.pulled.blocks == 1 && res.refused == 0);
	CHECK(res.pushed.pending == 0);
}

/* Two certified chains, which a quorum of liars can make. */
static void
fork_shows(void)
{
	struct sync_result res;
	uint64_t height;

	CHECK(sync_two(2, 0, SYNC_ALL | SYNC_PULL, &res) == 0);
	height = four_height(&p.f, 0);
	four_enroll(&p.f, 1u << 0);
	four_enroll(&p.f, 1u << 2);
	post_block(&p, 0, NULL);
	usleep(2000);
	post_block(&p, 2, NULL);
	CHECK(post_sync(&p, 2, 0, SYNC_ALL | SYNC_PULL, NULL, &res, &e) != 0);
	CHECK(e.kind == ERR_BAD && strstr(e.msg, "forked") != NULL);
	CHECK(strstr(e.msg, "hospital-a") != NULL);
	CHECK(four_height(&p.f, 2) == height + 1);
	/* The longer of the two does not win either. */
	four_enroll(&p.f, 1u << 0);
	post_block(&p, 0, NULL);
	CHECK(post_sync(&p, 2, 0, SYNC_ALL | SYNC_PULL, NULL, &res, &e) != 0);
	CHECK(e.kind == ERR_BAD && strstr(e.msg, "does not follow") != NULL);
	CHECK(post_sync(&p, 0, 2, SYNC_ALL | SYNC_PUSH, NULL, &res, &e) != 0);
	CHECK(four_height(&p.f, 2) == height + 1);
}

static void
read_only(void)
{
	struct serve_options o = { .read_only = true };
	struct sync_result res = { .wanted = 0 };

	four_enroll(&p.f, 1u << 1);
	CHECK(count_pending(1) > 0);
	CHECK(post_sync(&p, 1, 0, SYNC_ALL | SYNC_PULL | SYNC_PUSH, &o, &res,
	    &e) == 0);
	CHECK(res.read_only && res.pushed.pending == 0);
}

int
main(void)
{
	scratch_open();
	post_open(&p);
	pending_and_blocks();
	records();
	missing_object();
	lost_object();
	damaged_body();
	erased();
	conflict();
	fork_shows();
	read_only();
	post_close(&p);
	scratch_close();
	return check_done("sync");
}
