#include "record/jscan.h"

#include <jansson.h>

static struct span
after(struct span s, size_t n)
{
	return span_of(s.p + n, s.n - n);
}

static struct span
skip_blanks(struct span s)
{
	while (s.n > 0 && (s.p[0] == ' ' || s.p[0] == '\t' ||
	    s.p[0] == '\r' || s.p[0] == '\n'))
		s = after(s, 1);
	return s;
}

/* The length of the string that starts s, quotes included; s.n if cut. */
static size_t
string_length(struct span s)
{
	for (size_t i = 1; i < s.n; i++) {
		if (s.p[i] == '\\')
			i++;
		else if (s.p[i] == '"')
			return i + 1;
	}
	return s.n;
}

/* The length of the value that starts s; s.n if cut. */
static size_t
value_length(struct span s)
{
	size_t depth = 0;

	for (size_t i = 0; i < s.n; i++) {
		switch (s.p[i]) {
		case '"':
			i += string_length(after(s, i)) - 1;
			if (depth == 0)
				return i + 1;
			break;
		case '{':
		case '[':
			depth++;
			break;
		case '}':
		case ']':
			if (depth == 0)
				return i;
			if (--depth == 0)
				return i + 1;
			break;
		case ',':
			if (depth == 0)
				return i;
			break;
		}
	}
	return s.n;
}

bool
jscan_enter(struct jscan *s, struct span doc, char bracket)
{
	if (span_starts(doc, "\xef\xbb\xbf"))
		doc = after(doc, 3);
	doc = skip_blanks(doc);
	if (doc.n == 0 || doc.p[0] != (unsigned char)bracket)
		return false;
	s->rest = after(doc, 1);
	s->object = bracket == '{';
	return true;
}

bool
jscan_next(struct jscan *s, struct span *key, struct span *value)
{
	struct span at = skip_blanks(s->rest);
	size_t n;

	if (at.n > 0 && at.p[0] == ',')
		at = skip_blanks(after(at, 1));
	*key = span_of("", 0);
	if (s->object) {
		if (at.n < 2 || at.p[0] != '"')
			return false;
		n = string_length(at);
		*key = span_of(at.p + 1, n - 2);
		at = skip_blanks(after(at, n));
		if (at.n == 0 || at.p[0] != ':')
			return false;
		at = skip_blanks(after(at, 1));
	}
	n = value_length(at);
	if (n == 0)
		return false;
	*value = span_of(at.p, n);
	s->rest = after(at, n);
	return true;
}

size_t
jscan_memory(struct span doc)
{
	bool in_array[JSON_PARSER_MAX_DEPTH + 1] = { false };
	size_t sum = 0, depth = 0, n;

	/* What is nested deeper the parser does not read. */
	for (size_t i = 0; i < doc.n && depth < JSON_PARSER_MAX_DEPTH; i++) {
		switch (doc.p[i]) {
		case '"':
			n = string_length(after(doc, i));
			sum += n;
			i += n - 1;
			break;
		case '{':
			sum += 224;
			in_array[++depth] = false;
			break;
		case '[':
			sum += 176;
			in_array[++depth] = true;
			break;
		case ']':
		case '}':
			depth -= depth > 0;
			break;
		case ':':
			sum += 192;
			break;
		case ',':
			sum += in_array[depth] ? 104 : 0;
			break;
		}
	}
	return sum;
}
