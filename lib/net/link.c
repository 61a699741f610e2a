#define _GNU_SOURCE	/* strdup */
#include "net/link.h"

#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/text.h"
#include "base/thread.h"
#include "ledger/block.h"
#include "net/final.h"
#include "net/sync.h"

#define QUEUE 64		/* messages that wait */
#define ANSWER_MAX (2 * WIRE_PAYLOAD_MAX)
#define BACKOFF_MIN_MS 500
#define BACKOFF_MAX_MS 8000	/* who is back votes soon */

struct item {
	uint64_t height;
	enum wire_kind kind;
	struct buf bytes;
};

struct link {
	/* Set at the start. */
	char *repo, *peer, *command;
	int bell, timeout_ms;
	bool keep;
	int first_sync;
	pthread_t thread;

	/* Under the lock. */
	pthread_mutex_t lock;
	pthread_cond_t wake;
	struct link_info info;
	struct item queue[QUEUE];
	size_t n;
	struct buf answers;
	int sync;		/* LINK_PULL, LINK_PUSH that is wanted */
	bool retry;		/* link_retry was called */

	/* The thread's. */
	struct repo *r;
	struct session *s;
	bool met;		/* and taken what there was then */
};

/* --- shared state --------------------------------------------------------- */

static void
ring(struct link *l)
{
	/* Full means that a byte is there to be seen. */
	if (write(l->bell, "", 1) < 0)
		return;
}

/* Nothing more can be sent for the present. */
static void
clear(struct link *l)
{
	for (size_t i = 0; i < l->n; i++)
		buf_free(&l->queue[i].bytes);
	l->n = 0;
	l->sync = 0;
}

static void
set_state(struct link *l, enum link_state state, const struct err *e)
{
	pthread_mutex_lock(&l->lock);
	if (l->info.state != LINK_ENDED)
		l->info.state = state;
	if (e != NULL)
		l->info.e = *e;
	else if (state == LINK_READY)
		l->info.e.kind = ERR_NONE;
	if (state == LINK_AWAY)
		clear(l);
	l->info.busy = l->n > 0 || l->sync != 0;
	pthread_mutex_unlock(&l->lock);
	ring(l);
}

static void
set_height(struct link *l, uint64_t height)
{
	pthread_mutex_lock(&l->lock);
	l->info.height = height;
	pthread_mutex_unlock(&l->lock);
}

/* Remove messages that what comes now makes useless. */
static void
supersede(struct link *l, uint64_t height, enum wire_kind kind)
{
	size_t keep = 0;

	for (size_t i = 0; i < l->n; i++) {
		if (l->queue[i].kind != WIRE_FINAL &&
		    (l->queue[i].height < height || kind == WIRE_FINAL))
			buf_free(&l->queue[i].bytes);
		else
			l->queue[keep++] = l->queue[i];
	}
	l->n = keep;
}

/* Append the message to the queue; the bytes are copied. */
static void
enqueue(struct link *l, uint64_t height, enum wire_kind kind,
    struct span bytes)
{
	struct item *it;

	supersede(l, height, kind);
	for (size_t i = 0; i < l->n; i++)
		if (span_eq(buf_span(&l->queue[i].bytes), bytes))
			return;
	if (l->n == QUEUE)
		return;
	it = &l->queue[l->n];
	it->height = height;
	it->kind = kind;
	buf_init(&it->bytes, WIRE_PAYLOAD_MAX);
	buf_add(&it->bytes, bytes.p, bytes.n);
	if (it->bytes.failed) {
		buf_free(&it->bytes);
		return;
	}
	l->n++;
	l->info.busy = true;
	pthread_cond_signal(&l->wake);
}

void
link_send(struct link *l, uint64_t height, enum wire_kind kind,
    struct span bytes)
{
	pthread_mutex_lock(&l->lock);
	if (l->info.state == LINK_OPENING || l->info.state == LINK_READY)
		enqueue(l, height, kind, bytes);
	pthread_mutex_unlock(&l->lock);
}

void
link_sync(struct link *l, int what)
{
	pthread_mutex_lock(&l->lock);
	if (l->info.state == LINK_READY) {
		l->sync |= what;
		l->info.busy = true;
		pthread_cond_signal(&l->wake);
	}
	pthread_mutex_unlock(&l->lock);
}

bool
link_answer(struct link *l, struct buf *out)
{
	bool any;

	pthread_mutex_lock(&l->lock);
	any = l->answers.len > 0;
	if (any)
		buf_add(out, l->answers.p, l->answers.len);
	buf_reset(&l->answers);
	pthread_mutex_unlock(&l->lock);
	return any;
}

void
link_info(struct link *l, struct link_info *out)
{
	pthread_mutex_lock(&l->lock);
	*out = l->info;
	pthread_mutex_unlock(&l->lock);
}

void
link_retry(struct link *l)
{
	pthread_mutex_lock(&l->lock);
	if (l->info.state == LINK_AWAY) {
		l->retry = true;
		pthread_cond_signal(&l->wake);
	}
	pthread_mutex_unlock(&l->lock);
}

/* --- the thread ----------------------------------------------------------- */

enum task { TASK_END, TASK_SEND, TASK_SYNC, TASK_NONE };

/* What is to be done next?  Waits until there is something. */
static enum task
next_task(struct link *l, struct item *it, int *what)
{
	enum task task = TASK_NONE;

	pthread_mutex_lock(&l->lock);
	while (l->info.state != LINK_ENDED && l->n == 0 && l->sync == 0)
		pthread_cond_wait(&l->wake, &l->lock);
	if (l->n > 0) {
		task = TASK_SEND;
		*it = l->queue[0];
		memmove(l->queue, l->queue + 1,
		    --l->n * sizeof(l->queue[0]));
	} else if (l->info.state == LINK_ENDED)
		task = TASK_END;
	else if (l->sync != 0) {
		task = TASK_SYNC;
		*what = l->sync;
		l->sync = 0;
	}
	pthread_mutex_unlock(&l->lock);
	return task;
}

static int
exchange(struct link *l, int what, struct err *e)
{
	struct sync_result res = { .wanted = 0 };
	int flags = SYNC_BLOCKS | SYNC_PENDING | (l->met ? SYNC_LATER : 0);

	if ((what & LINK_PULL) != 0 &&
	    sync_with(l->r, l->s, SYNC_PULL | flags, &res, e) != 0)
		return -1;
	/* Blocks went with the messages, to those who lacked them. */
	if (l->keep)
		flags &= ~SYNC_BLOCKS;
	if ((what & LINK_PUSH) != 0)
		return sync_with(l->r, l->s, SYNC_PUSH | flags, &res, e);
	return 0;
}

/* One exchange: *height is the peer's, what it says is appended to answer. */
static int
ask(struct link *l, struct span bytes, uint64_t *height, struct buf *answer,
    struct err *e)
{
	struct buf status = BUF_INIT(PROTO_LINE_MAX);
	struct span rest;
	int ret;

	ret = session_ask(l->s, "consensus", bytes, &status, answer, e);
	rest = buf_span(&status);
	text_word(&rest);
	if (ret == 0 && text_parse_u64(height, rest, BLOCK_HEIGHT_MAX) != 0)
		ret = err_set(e, ERR_BAD, "%s: consensus: malformed answer",
		    l->peer);
	if (ret == 0)
		set_height(l, *height);
	buf_free(&status);
	return ret;
}

/* Give the peer our blocks above *height, up to the height `to`. */
static int
push_blocks(struct link *l, uint64_t *height, uint64_t to, struct err *e)
{
	struct buf msg = BUF_INIT(WIRE_PAYLOAD_MAX);
	uint64_t before;
	int ret = 0;

	while (ret == 0 && *height < to) {
		before = *height;
		buf_reset(&msg);
		ret = final_add(&msg, l->r, *height + 1, e);
		if (ret == 0)
			ret = ask(l, buf_span(&msg), height, NULL, e);
		if (ret == 0 && *height <= before)
			ret = err_set(e, ERR_NO, "%s: does not take block "
			    "%llu", l->peer, (unsigned long long)before + 1);
	}
	buf_free(&msg);
	return ret;
}

/* Send a message, after which peer and we are at the same height. */
static int
converse(struct link *l, const struct item *it, struct buf *answer,
    struct err *e)
{
	uint64_t height, need = it->height - 1;

	if (ask(l, buf_span(&it->bytes), &height, answer, e) != 0)
		return -1;
	if (it->kind == WIRE_FINAL)
		return push_blocks(l, &height, it->height, e);
	if (height < need) {
		buf_reset(answer);
		if (push_blocks(l, &height, need, e) != 0 ||
		    ask(l, buf_span(&it->bytes), &height, answer, e) != 0)
			return -1;
	}
	return height > it->height ? exchange(l, LINK_PULL, e) : 0;
}

static int
send_item(struct link *l, struct item *it, struct err *e)
{
	struct buf answer = BUF_INIT(WIRE_PAYLOAD_MAX);
	int ret = converse(l, it, &answer, e);

	buf_free(&it->bytes);
	pthread_mutex_lock(&l->lock);
	buf_add(&l->answers, answer.p, answer.len);
	pthread_mutex_unlock(&l->lock);
	buf_free(&answer);
	return ret;
}

static int
connect_peer(struct link *l, struct err *e)
{
	if (session_open(&l->s, l->r, l->peer, l->command, e) != 0)
		return -1;
	if (l->timeout_ms > 0)
		l->s->pkt.timeout_ms = l->timeout_ms;
	if (strcmp(l->s->node, l->peer) != 0)
		return err_set(e, ERR_NO, "%s: has not shown to be that node",
		    l->peer);
	set_height(l, l->s->height);
	l->met = false;
	if (exchange(l, l->first_sync, e) != 0)
		return -1;
	l->met = true;
	return 0;
}

/* Until the connection is lost (-1) or to be ended (0). */
static int
serve_link(struct link *l, struct err *e)
{
	struct item it;
	int what, ret;

	if (connect_peer(l, e) != 0)
		return -1;
	set_state(l, LINK_READY, NULL);
	for (;;) {
		ret = 0;
		switch (next_task(l, &it, &what)) {
		case TASK_END:
			return 0;
		case TASK_SEND:
			ret = send_item(l, &it, e);
			break;
		case TASK_SYNC:
			ret = exchange(l, what, e);
			break;
		case TASK_NONE:
			break;
		}
		if (ret != 0 && (l->s->broken || e->kind == ERR_SYS))
			return -1;
		set_state(l, LINK_READY, ret == 0 ? NULL : e);
	}
}

/* Wait for up to ms, or until link_retry if it counts: what it was. */
static enum link_state
rest(struct link *l, int64_t ms, bool counts)
{
	int64_t until = clock_mono_ms() + ms;
	struct timespec at = { until / 1000, until % 1000 * 1000000 };
	enum link_state state;

	pthread_mutex_lock(&l->lock);
	while (l->info.state != LINK_ENDED && !(counts && l->retry) &&
	    pthread_cond_timedwait(&l->wake, &l->lock, &at) == 0)
		;
	if (counts)
		l->retry = false;
	state = l->info.state;
	pthread_mutex_unlock(&l->lock);
	return state;
}

static void *
run(void *arg)
{
	int64_t backoff = BACKOFF_MIN_MS;
	struct link *l = arg;
	enum link_state state;
	struct err e;
	int ret;

	do {
		ret = repo_open(&l->r, l->repo, &e);
		if (ret == 0 && (ret = serve_link(l, &e)) != 0 &&
		    l->s != NULL && l->s->node[0] != '\0')
			backoff = BACKOFF_MIN_MS;
		session_close(l->s);
		repo_close(l->r);
		l->s = NULL;
		l->r = NULL;
		if (ret == 0)
			break;
		set_state(l, LINK_AWAY, &e);
		if (!l->keep)
			break;
		/* It stays away until it has answered.  Whoever calls, and
		 * however often, it is tried at most twice a second. */
		state = rest(l, BACKOFF_MIN_MS, false);
		if (state != LINK_ENDED)
			state = rest(l, backoff - BACKOFF_MIN_MS, true);
		backoff = 2 * backoff > BACKOFF_MAX_MS ? BACKOFF_MAX_MS :
		    2 * backoff;
	} while (state != LINK_ENDED);
	return NULL;
}

/* --- beginning and end ---------------------------------------------------- */

static void
destroy(struct link *l)
{
	for (size_t i = 0; i < l->n; i++)
		buf_free(&l->queue[i].bytes);
	buf_free(&l->answers);
	pthread_mutex_destroy(&l->lock);
	pthread_cond_destroy(&l->wake);
	free(l->repo);
	free(l->peer);
	free(l->command);
	free(l);
}

int
link_start(struct link **out, const struct link_config *c, struct err *e)
{
	struct link *l = calloc(1, sizeof(*l));
	pthread_condattr_t attr;

	if (l == NULL)
		return err_set(e, ERR_SYS, "out of memory");
	l->repo = strdup(c->repo);
	l->peer = strdup(c->peer);
	l->command = strdup(c->command);
	l->bell = c->bell;
	l->keep = c->keep;
	l->first_sync = c->sync;
	l->timeout_ms = c->timeout_ms;
	buf_init(&l->answers, ANSWER_MAX);
	pthread_mutex_init(&l->lock, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&l->wake, &attr);
	pthread_condattr_destroy(&attr);
	l->info.busy = true;
	if (l->repo == NULL || l->peer == NULL || l->command == NULL ||
	    thread_start(&l->thread, run, l) != 0) {
		destroy(l);
		return err_set(e, ERR_SYS, "a thread for %s", c->peer);
	}
	*out = l;
	return 0;
}

void
link_end(struct link *l)
{
	pthread_mutex_lock(&l->lock);
	l->info.state = LINK_ENDED;
	pthread_cond_signal(&l->wake);
	pthread_mutex_unlock(&l->lock);
}

bool
link_join(struct link *l, int64_t until_mono_ms)
{
	if (!thread_join(l->thread, until_mono_ms))
		return false;
	destroy(l);
	return true;
}
