#include "ledger/proof.h"

#include "base/base64.h"
#include "base/text.h"

static const char first[] = "c2sp.org/tlog-proof@v1";

static const char *
number_key(enum proof_kind kind)
{
	return kind == PROOF_CONSISTENCY ? "old" : "index";
}

void
proof_text(struct buf *out, enum proof_kind kind, const struct proof *p)
{
	if (kind == PROOF_INCLUSION)
		buf_addf(out, "%s\n", first);
	buf_addf(out, "%s %llu\n", number_key(kind),
	    (unsigned long long)p->number);
	for (size_t i = 0; i < p->n; i++) {
		base64_add(out, p->path[i].b, HASH_LEN, true);
		buf_addc(out, '\n');
	}
	if (kind == PROOF_PATH)
		return;
	buf_addc(out, '\n');
	buf_add(out, p->checkpoint.p, p->checkpoint.n);
}

static int
take_hash(struct proof *p, struct text *t, struct err *e)
{
	struct span line;
	size_t n;

	if (text_line(t, &line, e) != 0)
		return -1;
	if (p->n == MERKLE_DEPTH)
		return text_bad(t, e, "over %d hashes", MERKLE_DEPTH);
	if (base64_decode(p->path[p->n].b, HASH_LEN, &n, line, true) != 0 ||
	    n != HASH_LEN)
		return text_bad(t, e, "not a hash in base64");
	p->n++;
	return 0;
}

int
proof_parse(struct proof *p, enum proof_kind kind, struct span whole,
    struct err *e)
{
	struct span line;
	struct text t;

	text_init(&t, whole, "proof");
	p->n = 0;
	p->checkpoint = span_of(NULL, 0);
	if (kind == PROOF_INCLUSION) {
		if (text_line(&t, &line, e) != 0)
			return -1;
		if (!span_is(line, first))
			return text_bad(&t, e, "not a %s", first);
	}
	if (text_u64(&t, number_key(kind), INT64_MAX, &p->number, e) != 0)
		return -1;
	while (!text_end(&t) && t.rest.p[0] != '\n')
		if (take_hash(p, &t, e) != 0)
			return -1;
	if (kind == PROOF_PATH)
		return text_done(&t, e);
	if (text_end(&t))
		return text_bad(&t, e, "no checkpoint");
	p->checkpoint = span_of(t.rest.p + 1, t.rest.n - 1);
	return 0;
}
