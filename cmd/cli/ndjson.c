#include "cli/ndjson.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/buf.h"
#include "base/stamp.h"
#include "base/utf8.h"

#define NDJSON_MAX (64u << 20)	/* bytes of one text */

/* Bytes of the well-formed character that s begins with, or 0. */
static size_t
character(struct span s)
{
	for (size_t n = 1; n <= 4 && n <= s.n; n++)
		if (utf8_valid(span_of(s.p, n)))
			return n;
	return 0;
}

/* s with U+FFFD in place of each byte that belongs to no character. */
static json_t *
replaced(struct span s)
{
	struct buf text = BUF_INIT(NDJSON_MAX);
	json_t *out = NULL;
	size_t n;

	for (size_t i = 0; i < s.n; i += n == 0 ? 1 : n) {
		n = character(span_of(s.p + i, s.n - i));
		if (n == 0)
			buf_adds(&text, "\xef\xbf\xbd");
		else
			buf_add(&text, s.p + i, n);
	}
	if (!text.failed)
		out = json_stringn((const char *)text.p, text.len);
	buf_free(&text);
	return out;
}

json_t *
ndjson_span(struct span s)
{
	if (s.n == 0)
		return json_string("");
	if (!utf8_valid(s))
		return replaced(s);
	return json_stringn((const char *)s.p, s.n);
}

json_t *
ndjson_hash(const struct hash *h)
{
	char hex[HASH_HEX];

	hash_format(hex, h);
	return json_string(hex);
}

json_t *
ndjson_time(int64_t ms)
{
	char text[STAMP_LEN + 1];

	stamp_format(text, ms);
	return json_string(text);
}

void
ndjson_line(struct cli *c, json_t *object)
{
	struct err e;

	if (object == NULL) {
		err_set(&e, ERR_SYS, "no memory for a line of JSON");
		exit(cli_fail(c, &e));
	}
	/* A failure to write stays in ferror(stdout). */
	if (json_dumpf(object, stdout, JSON_COMPACT) == 0)
		putchar('\n');
	json_decref(object);
}
