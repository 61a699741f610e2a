#include "base/text.h"

#include <stdio.h>

#include "base/hex.h"
#include "base/stamp.h"
#include "base/utf8.h"

void
text_init(struct text *t, struct span whole, const char *what)
{
	*t = (struct text){ whole, 0, what };
}

bool
text_end(const struct text *t)
{
	return t->rest.n == 0;
}

int
text_bad(const struct text *t, struct err *e, const char *fmt, ...)
{
	char msg[256];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(msg, sizeof(msg), fmt, ap);
	va_end(ap);
	return err_set(e, ERR_BAD, "%s, line %u: %s", t->what, t->line, msg);
}

/* Take bytes up to a newline; no check of what they are. */
static int
take_line(struct text *t, struct span *line, struct err *e)
{
	const unsigned char *nl;

	t->line++;
	if (t->rest.n == 0)
		return text_bad(t, e, "ends too early");
	nl = memchr(t->rest.p, '\n', t->rest.n);
	if (nl == NULL)
		return text_bad(t, e, "no newline at the end");
	*line = span_of(t->rest.p, (size_t)(nl - t->rest.p));
	t->rest = span_of(nl + 1, t->rest.n - line->n - 1);
	if (!utf8_line(*line))
		return text_bad(t, e, "control or malformed characters");
	return 0;
}

int
text_line(struct text *t, struct span *line, struct err *e)
{
	if (take_line(t, line, e) != 0)
		return -1;
	if (line->n == 0)
		return text_bad(t, e, "an empty line");
	if (line->p[0] == ' ' || line->p[line->n - 1] == ' ')
		return text_bad(t, e, "a blank at the start or end");
	return 0;
}

bool
text_next_is(const struct text *t, const char *key)
{
	size_t n = strlen(key);

	return t->rest.n > n && memcmp(t->rest.p, key, n) == 0 &&
	    t->rest.p[n] == ' ';
}

int
text_key(struct text *t, const char *key, struct span *value, struct err *e)
{
	struct span line;
	size_t n = strlen(key);

	if (!text_next_is(t, key)) {
		t->line++;
		return text_bad(t, e, "\"%s\" expected", key);
	}
	if (text_line(t, &line, e) != 0)
		return -1;
	*value = span_of(line.p + n + 1, line.n - n - 1);
	if (value->n == 0 || value->p[0] == ' ')
		return text_bad(t, e, "\"%s\" has no value", key);
	return 0;
}

int
text_parse_u64(uint64_t *out, struct span d, uint64_t max)
{
	uint64_t v = 0;

	if (d.n == 0 || d.n > 20 || (d.n > 1 && d.p[0] == '0'))
		return -1;
	for (size_t i = 0; i < d.n; i++) {
		unsigned digit = (unsigned)d.p[i] - '0';

		if (digit > 9 || v > (UINT64_MAX - digit) / 10)
			return -1;
		v = v * 10 + digit;
	}
	if (v > max)
		return -1;
	*out = v;
	return 0;
}

int
text_u64(struct text *t, const char *key, uint64_t max, uint64_t *out,
    struct err *e)
{
	struct span v;

	if (text_key(t, key, &v, e) != 0)
		return -1;
	if (text_parse_u64(out, v, max) != 0)
		return text_bad(t, e, "\"%s\" is not a number up to %llu", key,
		    (unsigned long long)max);
	return 0;
}

int
text_time(struct text *t, const char *key, int64_t *ms, struct err *e)
{
	struct span v;

	if (text_key(t, key, &v, e) != 0)
		return -1;
	if (stamp_parse(ms, v) != 0)
		return text_bad(t, e, "\"%s\" is not a time", key);
	return 0;
}

int
text_hash(struct text *t, const char *key, unsigned char out[32],
    struct err *e)
{
	struct span v;

	if (text_key(t, key, &v, e) != 0)
		return -1;
	if (hex_decode(out, 32, v) != 0)
		return text_bad(t, e, "\"%s\" is not 64 hex digits", key);
	return 0;
}

int
text_block(struct text *t, struct buf *out, struct err *e)
{
	struct span line;

	if (t->rest.n == 0 || t->rest.p[0] != ' ') {
		t->line++;
		return text_bad(t, e, "indented lines expected");
	}
	while (t->rest.n > 0 && t->rest.p[0] == ' ') {
		if (take_line(t, &line, e) != 0)
			return -1;
		buf_add(out, line.p + 1, line.n - 1);
		buf_addc(out, '\n');
	}
	return buf_check(out, t->what, e);
}

int
text_done(const struct text *t, struct err *e)
{
	struct text after = *t;

	if (text_end(t))
		return 0;
	after.line++;
	return text_bad(&after, e, "unexpected text");
}

int
text_frame(struct span *rest, const char *key, size_t max, struct span *data)
{
	const unsigned char *nl = rest->n == 0 ? NULL :
	    memchr(rest->p, '\n', rest->n < 32 ? rest->n : 32);
	size_t k = strlen(key), line;
	uint64_t n;

	if (nl == NULL || !span_starts(*rest, key) || rest->p[k] != ' ')
		return -1;
	line = (size_t)(nl - rest->p);
	if (line < k + 2 || text_parse_u64(&n,
	    span_of(rest->p + k + 1, line - k - 1), max) != 0 ||
	    n > rest->n - line - 1)
		return -1;
	*data = span_of(nl + 1, (size_t)n);
	*rest = span_of(nl + 1 + n, rest->n - line - 1 - (size_t)n);
	return 0;
}

void
text_add_frame(struct buf *out, const char *key, struct span data)
{
	buf_addf(out, "%s %zu\n", key, data.n);
	buf_add(out, data.p, data.n);
}

struct span
text_word(struct span *rest)
{
	const unsigned char *sp = rest->n == 0 ? NULL :
	    memchr(rest->p, ' ', rest->n);
	struct span word = *rest;

	if (sp == NULL) {
		*rest = span_of(rest->n == 0 ? rest->p : rest->p + rest->n, 0);
		return word;
	}
	word.n = (size_t)(sp - rest->p);
	*rest = span_of(sp + 1, rest->n - word.n - 1);
	return word;
}

void
text_add_block(struct buf *out, struct span lines)
{
	while (lines.n > 0) {
		const unsigned char *nl = memchr(lines.p, '\n', lines.n);
		size_t n = nl == NULL ? lines.n : (size_t)(nl - lines.p) + 1;

		buf_addc(out, ' ');
		buf_add(out, lines.p, n);
		lines = span_of(lines.p + n, lines.n - n);
	}
}
