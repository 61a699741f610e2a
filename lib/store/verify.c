#define _GNU_SOURCE
#include "store/verify.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/base64.h"

#define THREADS_MAX 16
#define WORTH_A_THREAD 16	/* signatures: below, starting one costs more */

struct job {
	struct sign_pub pub;
	char name[NOTE_NAME_MAX + 1];
	unsigned char sig[SIGN_MAX];
	size_t sig_len;
	unsigned char *text;
	size_t text_len;
};

struct verify_batch {
	struct job **job;
	size_t n, cap;
	atomic_size_t next;	/* the job that a thread takes next */
	atomic_size_t bad;	/* least index of a bad one, or SIZE_MAX */
};

int
verify_open(struct verify_batch **out, struct err *e)
{
	*out = calloc(1, sizeof(**out));
	return *out != NULL ? 0 : err_set(e, ERR_SYS, "out of memory");
}

static int
grow(struct verify_batch *b, struct err *e)
{
	size_t cap = b->cap == 0 ? 256 : b->cap * 2;
	struct job **more = reallocarray(b->job, cap, sizeof(*more));

	if (more == NULL)
		return err_set(e, ERR_SYS, "out of memory");
	b->job = more;
	b->cap = cap;
	return 0;
}

int
verify_later(void *batch, const struct note *n, struct span name,
    const struct sign_pub *pub, struct err *e)
{
	struct verify_batch *b = batch;
	unsigned char raw[SIGN_MAX + 4], id[4];
	struct job *j;
	size_t len;

	/* What costs nothing is checked now. */
	if (base64_decode(raw, sizeof(raw), &len, n->sig[0].base64,
	    true) != 0 || len <= 4)
		return 0;
	note_key_id(id, name, pub);
	if (memcmp(raw, id, 4) != 0 || !span_eq(n->sig[0].name, name))
		return 0;
	if (b->n == b->cap && grow(b, e) != 0)
		return -1;
	j = malloc(sizeof(*j) + n->text.n);
	if (j == NULL)
		return err_set(e, ERR_SYS, "out of memory");
	j->pub = *pub;
	memcpy(j->name, name.p, name.n);
	j->name[name.n] = '\0';
	memcpy(j->sig, raw + 4, len - 4);
	j->sig_len = len - 4;
	j->text = (unsigned char *)(j + 1);
	j->text_len = n->text.n;
	memcpy(j->text, n->text.p, n->text.n);
	b->job[b->n++] = j;
	return 1;
}

int
verify_never(void *unused, const struct note *n, struct span name,
    const struct sign_pub *pub, struct err *e)
{
	(void)unused, (void)n, (void)name, (void)pub, (void)e;
	return 1;
}

static void *
work(void *arg)
{
	struct verify_batch *b = arg;
	size_t i;

	while ((i = atomic_fetch_add(&b->next, 1)) < b->n) {
		const struct job *j = b->job[i];
		size_t bad;

		if (sign_verify(&j->pub, span_of(j->text, j->text_len),
		    span_of(j->sig, j->sig_len)))
			continue;
		bad = atomic_load(&b->bad);
		while (i < bad &&
		    !atomic_compare_exchange_weak(&b->bad, &bad, i))
			;
		atomic_store(&b->next, b->n);	/* no need to go on */
	}
	return NULL;
}

int
verify_all(struct verify_batch *b, struct err *e)
{
	long cores = sysconf(_SC_NPROCESSORS_ONLN);
	size_t want = b->n / WORTH_A_THREAD, started = 0, bad;
	pthread_t thread[THREADS_MAX];

	if (cores < 1)
		cores = 1;
	if (want > (size_t)cores - 1)
		want = (size_t)cores - 1;
	if (want > THREADS_MAX)
		want = THREADS_MAX;
	atomic_store(&b->next, 0);
	atomic_store(&b->bad, SIZE_MAX);
	while (started < want &&
	    pthread_create(&thread[started], NULL, work, b) == 0)
		started++;
	work(b);
	for (size_t i = 0; i < started; i++)
		pthread_join(thread[i], NULL);
	bad = atomic_load(&b->bad);
	if (bad == SIZE_MAX)
		return 0;
	return err_set(e, ERR_NO, "signature of %s: does not verify",
	    b->job[bad]->name);
}

void
verify_free(struct verify_batch *b)
{
	if (b == NULL)
		return;
	for (size_t i = 0; i < b->n; i++)
		free(b->job[i]);
	free(b->job);
	free(b);
}
