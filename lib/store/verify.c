#define _GNU_SOURCE	/* reallocarray */
#include "store/verify.h"

#include <stdatomic.h>
#include <stdlib.h>

#include "base/base64.h"
#include "base/parallel.h"
#include "crypto/checker.h"

#define WORTH_A_THREAD 16	/* signatures: below, starting one costs more */

struct job {
	struct sign_pub pub;
	char name[NOTE_NAME_MAX + 1];
	unsigned char sig[SIGN_MAX];
	size_t sig_len;
	unsigned char *text;
	size_t text_len;
	uint64_t height;
};

struct verify_batch {
	struct job **job;
	size_t n, cap;
	atomic_size_t bad;	/* least index of a bad one, or SIZE_MAX */
	uint64_t height;
	struct checker *checker[PARALLEL_MAX];	/* of each worker */
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
	j->height = b->height;
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

static void
verify_one(void *arg, unsigned worker, size_t i)
{
	struct verify_batch *b = arg;
	const struct job *j = b->job[i];
	size_t bad = atomic_load(&b->bad);

	if (b->checker[worker] == NULL)
		b->checker[worker] = checker_open();
	if (bad < i || checker_verify(b->checker[worker], &j->pub,
	    span_of(j->text, j->text_len), span_of(j->sig, j->sig_len)))
		return;
	while (i < bad && !atomic_compare_exchange_weak(&b->bad, &bad, i))
		;
}

static void
forget(struct verify_batch *b)
{
	for (size_t i = 0; i < b->n; i++)
		free(b->job[i]);
	b->n = 0;
}

void
verify_height(struct verify_batch *b, uint64_t height)
{
	b->height = height;
}

size_t
verify_count(const struct verify_batch *b)
{
	return b->n;
}

int
verify_all(struct verify_batch *b, struct err *e)
{
	size_t bad;

	atomic_store(&b->bad, SIZE_MAX);
	parallel_run(b->n, WORTH_A_THREAD, verify_one, b);
	bad = atomic_load(&b->bad);
	if (bad != SIZE_MAX)
		err_set(e, ERR_NO, "block %llu: signature of %s: does not "
		    "verify", (unsigned long long)b->job[bad]->height,
		    b->job[bad]->name);
	forget(b);
	return bad == SIZE_MAX ? 0 : -1;
}

void
verify_free(struct verify_batch *b)
{
	if (b == NULL)
		return;
	forget(b);
	for (unsigned i = 0; i < PARALLEL_MAX; i++)
		checker_free(b->checker[i]);
	free(b->job);
	free(b);
}
