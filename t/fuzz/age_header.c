/*
 * age_header: what is taken for a header has one form: its stanzas, written
 * again, are its bytes.  Opening it may not change that.
 */
#include <assert.h>
#include <stdlib.h>

#include "base/base64.h"
#include "crypto/age.h"
#include "crypto/stanza.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

/* Words of visible ASCII with one blank between. */
static void
check_words(struct span all)
{
	for (size_t i = 0; i < all.n; i++) {
		assert(all.p[i] >= ' ' && all.p[i] <= '~');
		assert(all.p[i] != ' ' || (i > 0 && i < all.n - 1 &&
		    all.p[i - 1] != ' '));
	}
}

static void
write_stanza(struct buf *out, const struct stanza *s)
{
	unsigned char *body = malloc(s->body_n + 1);
	size_t at = 0, n;

	assert(body != NULL && stanza_body(body, s->body_n, s) == 0);
	assert(stanza_body(body, s->body_n + 1, s) != 0);
	assert(s->type.n > 0 && memchr(s->type.p, ' ', s->type.n) == NULL);
	check_words(s->type);
	check_words(s->args);
	buf_adds(out, "-> ");
	buf_add(out, s->type.p, s->type.n);
	if (s->args.n > 0)
		buf_addc(out, ' ');
	buf_add(out, s->args.p, s->args.n);
	buf_addc(out, '\n');
	do {
		n = s->body_n - at < 48 ? s->body_n - at : 48;
		base64_add(out, body + at, n, false);
		buf_addc(out, '\n');
		at += n;
	} while (n == 48);
	free(body);
}

static void
write_again(struct buf *out, struct span header)
{
	size_t first = strlen(STANZA_FIRST);
	struct span rest = span_of(header.p + first, header.n - first);
	unsigned char mac[STANZA_MAC];
	struct stanza s;
	struct err e;

	buf_adds(out, STANZA_FIRST);
	while (!stanza_at_mac(rest)) {
		assert(stanza_take(&s, &rest, &e) == 0);
		write_stanza(out, &s);
	}
	assert(stanza_take_mac(mac, &rest, &e) == 0 && rest.n == 0);
	buf_adds(out, "--- ");
	base64_add(out, mac, sizeof(mac), false);
	buf_addc(out, '\n');
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct buf again = BUF_INIT(AGE_HEADER_MAX);
	struct seal_secret secret;
	struct age_key key;
	size_t len, shorter;
	struct err e;

	if (age_header_length(&len, span_of(p, n), &e) != 0) {
		assert(e.kind == ERR_BAD && len == 0);
		return 0;
	}
	assert(len <= n && len <= AGE_HEADER_MAX);
	assert(age_header_length(&shorter, span_of(p, len - 1), &e) != 0);
	write_again(&again, span_of(p, len));
	assert(span_eq(buf_span(&again), span_of(p, len)));
	buf_free(&again);
	memset(secret.b, 0x42, sizeof(secret.b));	/* the seeds' key */
	if (age_header_open(&key, span_of(p, len), &secret, 1, &e) != 0)
		assert(e.kind == ERR_BAD || e.kind == ERR_NO);
	return 0;
}
