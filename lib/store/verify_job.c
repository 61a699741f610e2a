#include "store/verify_job.h"

#include <stdlib.h>

static struct verify_job *
pack(const struct sign_pub *pub, struct span name, struct span sig,
    struct span text)
{
	struct verify_job *j = malloc(sizeof(*j) + pub->n + name.n + 1 +
	    sig.n + text.n);
	unsigned char *p;

	if (j == NULL)
		return NULL;
	*j = (struct verify_job){ .alg = pub->alg, .pub_len = pub->n,
	    .name_len = name.n, .sig_len = sig.n, .text_len = text.n };
	p = j->bytes;
	memcpy(p, pub->b, pub->n);
	memcpy(p += pub->n, name.p, name.n);
	*(p += name.n) = '\0';
	memcpy(p += 1, sig.p, sig.n);
	memcpy(p + sig.n, text.p, text.n);
	return j;
}

int
verify_job_of(struct verify_job **j, const struct note *n, struct span name,
    const struct sign_pub *pub, struct err *e)
{
	unsigned char sig[SIGN_MAX], id[4], want[4];
	size_t len;

	if (note_sig_raw(&n->sig[0], id, sig, &len) != 0)
		return 0;
	note_key_id(want, name, pub);
	if (memcmp(id, want, 4) != 0 || !span_eq(n->sig[0].name, name))
		return 0;
	*j = pack(pub, name, span_of(sig, len), n->text);
	return *j != NULL ? 1 : err_set(e, ERR_SYS, "out of memory");
}

const char *
verify_job_name(const struct verify_job *j)
{
	return (const char *)j->bytes + j->pub_len;
}

static const unsigned char *
sig_of(const struct verify_job *j)
{
	return j->bytes + j->pub_len + j->name_len + 1;
}

bool
verify_job_run(const struct verify_job *j, struct checker *c)
{
	struct sign_pub pub = { .alg = j->alg, .n = j->pub_len };
	const unsigned char *sig = sig_of(j);

	memcpy(pub.b, j->bytes, j->pub_len);
	return checker_verify(c, &pub, span_of(sig + j->sig_len, j->text_len),
	    span_of(sig, j->sig_len));
}

bool
verify_job_eq(const struct verify_job *a, const struct verify_job *b)
{
	return a->alg == b->alg && a->pub_len == b->pub_len &&
	    a->name_len == b->name_len && a->sig_len == b->sig_len &&
	    a->text_len == b->text_len && memcmp(a->bytes, b->bytes,
	    a->pub_len + a->name_len + 1 + a->sig_len + a->text_len) == 0;
}

uint64_t
verify_job_key(const struct verify_job *j, const struct hash *seed)
{
	struct hash h;
	uint64_t key;

	hash_spans(&h, (struct span[]){ span_of(seed->b, HASH_LEN),
	    span_of(sig_of(j), j->sig_len) }, 2);
	memcpy(&key, h.b, sizeof(key));
	return key;
}
