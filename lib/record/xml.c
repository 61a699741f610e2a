#include "record/xml.h"

#define REF_MAX 10		/* characters between '&' and ';' */

static bool
blank(unsigned char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static struct span
after(struct span s, size_t n)
{
	return span_of(s.p + n, s.n - n);
}

/* Where what starts in s, or s.n. */
static size_t
find(struct span s, const char *what)
{
	size_t n = strlen(what);
	const unsigned char *at = s.p;

	while ((size_t)(s.p + s.n - at) >= n) {
		at = memchr(at, what[0], (size_t)(s.p + s.n - at) - n + 1);
		if (at == NULL)
			break;
		if (memcmp(at, what, n) == 0)
			return (size_t)(at - s.p);
		at++;
	}
	return s.n;
}

/* Compare without regard to the case of ASCII letters. */
static bool
same_word(struct span s, const char *word)
{
	if (s.n != strlen(word))
		return false;
	for (size_t i = 0; i < s.n; i++) {
		unsigned char c = s.p[i];

		if (c >= 'A' && c <= 'Z')
			c += 'a' - 'A';
		if (c != (unsigned char)word[i])
			return false;
	}
	return true;
}

static enum fields_text
encoding_of(struct span doc)
{
	struct span value;

	if (!span_starts(doc, "<?xml") || doc.n < 6 || !blank(doc.p[5]))
		return FIELDS_UTF8;
	doc = after(doc, 5);
	doc.n = find(doc, "?>");
	if (!xml_attr(doc, "encoding", &value) || same_word(value, "utf-8"))
		return FIELDS_UTF8;
	return same_word(value, "iso-8859-1") ? FIELDS_LATIN1 : FIELDS_ASCII;
}

void
xml_init(struct xml *x, struct span doc)
{
	if (doc.n == 0)
		doc = span_str("");
	if (span_starts(doc, "\xef\xbb\xbf"))
		doc = after(doc, 3);
	x->rest = doc;
	x->text = encoding_of(doc);
	x->empty = false;
}

/* Pass over what runs from here to the text end, skip bytes in. */
static bool
skip_to(struct xml *x, size_t skip, const char *end)
{
	struct span s = after(x->rest, skip);
	size_t n = find(s, end);

	if (n == s.n)
		return false;
	x->rest = after(s, n + strlen(end));
	return true;
}

/* The length of the tag that starts s, '>' included; 0 when it has no end. */
static size_t
tag_length(struct span s)
{
	unsigned char quote = 0;

	for (size_t i = 1; i < s.n; i++) {
		unsigned char c = s.p[i];

		if (quote != 0)
			quote = c == quote ? 0 : quote;
		else if (c == '"' || c == '\'')
			quote = c;
		else if (c == '>')
			return i + 1;
		if (c == '<')
			return 0;
	}
	return 0;
}

static void
tag(struct xml *x, struct xml_token *t)
{
	size_t len = tag_length(x->rest), n = 0;
	struct span s;

	t->kind = XML_BAD;
	if (len < 3)
		return;
	s = span_of(x->rest.p + 1, len - 2);
	x->rest = after(x->rest, len);
	if (s.p[0] == '/') {
		t->kind = XML_CLOSE;
		s = after(s, 1);
	} else if (s.p[s.n - 1] == '/') {
		x->empty = true;
		s.n--;
	}
	while (n < s.n && !blank(s.p[n]))
		n++;
	t->name = span_of(s.p, n);
	t->attrs = after(s, n);
	n = find(t->name, ":");
	if (n < t->name.n)
		t->name = after(t->name, n + 1);
	if (t->name.n == 0)
		t->kind = XML_BAD;
	else if (t->kind != XML_CLOSE)
		t->kind = XML_OPEN;
}

void
xml_next(struct xml *x, struct xml_token *t)
{
	bool ok = true;

	*t = (struct xml_token){ .kind = XML_CLOSE };
	if (x->empty) {
		x->empty = false;
		return;
	}
	while (ok) {
		if (span_starts(x->rest, "<?"))
			ok = skip_to(x, 2, "?>");
		else if (span_starts(x->rest, "<!--"))
			ok = skip_to(x, 4, "-->");
		else
			break;
	}
	if (!ok)
		t->kind = XML_BAD;
	else if (x->rest.n == 0)
		t->kind = XML_END;
	else if (span_starts(x->rest, "<![CDATA[")) {
		t->kind = XML_TEXT;
		t->cdata = true;
		t->text = after(x->rest, 9);
		t->text.n = find(t->text, "]]>");
		if (!skip_to(x, 9, "]]>"))
			t->kind = XML_BAD;
	} else if (span_starts(x->rest, "<!"))
		t->kind = XML_BAD;
	else if (x->rest.p[0] == '<')
		tag(x, t);
	else {
		t->kind = XML_TEXT;
		t->text = span_of(x->rest.p, find(x->rest, "<"));
		x->rest = after(x->rest, t->text.n);
	}
	if (t->kind == XML_BAD) {
		x->rest.n = 0;
		x->empty = false;
	}
}

bool
xml_attr(struct span attrs, const char *name, struct span *value)
{
	while (attrs.n > 0) {
		size_t n = 0, end = 0;
		struct span key;

		while (n < attrs.n && blank(attrs.p[n]))
			n++;
		attrs = after(attrs, n);
		for (n = 0; n < attrs.n && attrs.p[n] != '='; n++)
			if (!blank(attrs.p[n]))
				end = n + 1;
		if (n == attrs.n)
			return false;
		key = span_of(attrs.p, end);
		for (n++; n < attrs.n && blank(attrs.p[n]); n++)
			;
		if (n == attrs.n || (attrs.p[n] != '"' && attrs.p[n] != '\''))
			return false;
		*value = after(attrs, n + 1);
		value->n = find(*value, attrs.p[n] == '"' ? "\"" : "'");
		if (value->n == attrs.n - n - 1)
			return false;
		if (span_is(key, name))
			return true;
		attrs = after(attrs, n + value->n + 2);
	}
	return false;
}

/* The code point of a reference, between '&' and ';'; 0 for an unknown one. */
static uint32_t
reference(struct span ref)
{
	static const struct {
		const char *name;
		uint32_t cp;
	} known[] = {
		{ "lt", '<' }, { "gt", '>' }, { "amp", '&' }, { "quot", '"' },
		{ "apos", '\'' },
	};
	uint32_t cp = 0, base = 10;

	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (span_is(ref, known[i].name))
			return known[i].cp;
	if (ref.n < 2 || ref.n > 8 || ref.p[0] != '#')
		return 0;
	ref = after(ref, 1);
	if (ref.p[0] == 'x') {
		base = 16;
		ref = after(ref, 1);
	}
	for (size_t i = 0; i < ref.n; i++) {
		unsigned char c = ref.p[i];
		uint32_t digit = c >= '0' && c <= '9' ? c - (uint32_t)'0' :
		    c >= 'a' && c <= 'f' ? c - (uint32_t)'a' + 10 :
		    c >= 'A' && c <= 'F' ? c - (uint32_t)'A' + 10 : 16;

		if (digit >= base)
			return 0;
		cp = cp * base + digit;
	}
	return cp > 0x10ffff || (cp >= 0xd800 && cp <= 0xdfff) ? 0 : cp;
}

size_t
xml_decode(char *out, size_t max, struct span raw, bool cdata,
    enum fields_text text)
{
	size_t n = 0;

	for (size_t i = 0; i < raw.n; i++) {
		unsigned char c = raw.p[i];
		char one[4] = { (char)c };
		size_t k = 1;

		if (c == '&' && !cdata) {
			struct span ref = after(raw, i + 1);
			size_t len;
			uint32_t cp;

			if (ref.n > REF_MAX)
				ref.n = REF_MAX;
			len = find(ref, ";");
			if (len == ref.n ||
			    (cp = reference(span_of(ref.p, len))) == 0)
				return 0;
			k = fields_utf8(one, cp);
			i += len + 1;
		} else if (c >= 0x80 && text == FIELDS_LATIN1)
			k = fields_utf8(one, c);
		else if (c >= 0x80 && text == FIELDS_ASCII)
			return 0;
		if (n + k > max)
			return fields_whole(out, n);
		memcpy(out + n, one, k);
		n += k;
	}
	return n;
}
