#include "record/hl7.h"

#define VALUE_MAX 1024		/* bytes of a value that are looked at */

/* The separators and encoding that the last MSH declared. */
struct message {
	struct fields *out;
	unsigned char field, component, repeat, escape, sub;
	enum fields_text text;
};

static struct span
after(struct span s, size_t n)
{
	return span_of(s.p + n, s.n - n);
}

/* What stands before separator c in *rest, which moves past it. */
static struct span
cut(struct span *rest, unsigned char c)
{
	const unsigned char *at = rest->n == 0 ? NULL :
	    memchr(rest->p, c, rest->n);
	struct span s = *rest;

	if (at == NULL) {
		rest->n = 0;
		return s;
	}
	s.n = (size_t)(at - rest->p);
	*rest = after(*rest, s.n + 1);
	return s;
}

/* The part number n, from 1, of s divided at c; empty when there is none. */
static struct span
part(struct span s, unsigned char c, unsigned n)
{
	struct span p = cut(&s, c);

	while (--n > 0)
		p = cut(&s, c);
	return p;
}

/* The first repetition of field n of a segment, whose name is field 0. */
static struct span
field(const struct message *m, struct span segment, unsigned n)
{
	return part(part(segment, m->field, n + 1), m->repeat, 1);
}

/* The character that an escape sequence stands for; a blank for all others. */
static char
unescape(const struct message *m, struct span name)
{
	if (name.n == 1) {
		switch (name.p[0]) {
		case 'F':
			return (char)m->field;
		case 'S':
			return (char)m->component;
		case 'T':
			return (char)m->sub;
		case 'R':
			return (char)m->repeat;
		case 'E':
			return (char)m->escape;
		}
	}
	return ' ';
}

/* Add a value, with its escape sequences replaced. */
static void
add(const struct message *m, enum field_key key, struct span raw)
{
	char text[VALUE_MAX];
	size_t n = 0;

	if (span_is(raw, "\"\""))	/* "delete the value" */
		return;
	while (raw.n > 0 && n < sizeof(text)) {
		const unsigned char *end = NULL;

		if (raw.p[0] == m->escape && raw.n > 1)
			end = memchr(raw.p + 1, m->escape,
			    raw.n - 1 < 64 ? raw.n - 1 : 64);
		if (end == NULL) {
			text[n++] = (char)raw.p[0];
			raw = after(raw, 1);
			continue;
		}
		text[n++] = unescape(m, span_of(raw.p + 1,
		    (size_t)(end - raw.p) - 1));
		raw = after(raw, (size_t)(end - raw.p) + 1);
	}
	if (raw.n > 0 && m->text == FIELDS_UTF8)
		n = fields_whole(text, n);
	fields_add(m->out, key, span_of(text, n), m->text);
}

/* XPN: family^given^further^suffix^prefix, as it is spoken. */
static void
add_name(const struct message *m, struct span xpn)
{
	static const unsigned spoken[] = { 2, 3, 1, 4 };
	char text[VALUE_MAX];
	size_t n = 0;

	for (size_t i = 0; i < sizeof(spoken) / sizeof(spoken[0]); i++) {
		struct span p = part(xpn, m->component, spoken[i]);

		p = part(p, m->sub, 1);
		if (p.n == 0 || n + p.n + 1 > sizeof(text))
			continue;
		if (n > 0)
			text[n++] = ' ';
		memcpy(text + n, p.p, p.n);
		n += p.n;
	}
	add(m, FIELD_PATIENT, span_of(text, n));
}

/* A coded element: its text, or its alternate text, or its code. */
static void
add_coded(const struct message *m, struct span ce)
{
	static const unsigned order[] = { 2, 5, 1 };

	for (size_t i = 0; i < sizeof(order) / sizeof(order[0]); i++) {
		struct span p = part(ce, m->component, order[i]);

		if (p.n == 0)
			continue;
		add(m, FIELD_CODE, p);
		return;
	}
}

/* A header declares its separators right after its name. */
static bool
header(struct message *m, struct span segment)
{
	if (segment.n < 8)
		return false;
	m->field = segment.p[3];
	m->component = segment.p[4];
	m->repeat = segment.p[5];
	m->escape = segment.p[6];
	m->sub = segment.p[7];
	return true;
}

static void
msh(struct message *m, struct span s)
{
	struct span type, event, charset;

	if (!header(m, s))
		return;
	/* MSH-1 is the separator itself, so all numbers are one less. */
	type = field(m, s, 8);
	charset = field(m, s, 17);
	if (charset.n == 0 || span_is(charset, "UNICODE UTF-8"))
		m->text = FIELDS_UTF8;
	else if (span_is(charset, "8859/1"))
		m->text = FIELDS_LATIN1;
	else
		m->text = FIELDS_ASCII;
	event = part(type, m->component, 2);
	if (event.n > 0)
		type.n = (size_t)(event.p + event.n - type.p);
	else
		type = part(type, m->component, 1);
	add(m, FIELD_TYPE, type);
	add(m, FIELD_ID, field(m, s, 9));
	add(m, FIELD_FACILITY, part(field(m, s, 3), m->component, 1));
	fields_add_day(m->out, FIELD_DATE, field(m, s, 6));
}

static void
segment(struct message *m, struct span s)
{
	if (span_starts(s, "MSH"))
		msh(m, s);
	else if (m->field == 0 || s.n < 4 || s.p[3] != m->field)
		return;
	else if (span_starts(s, "PID")) {
		add_name(m, field(m, s, 5));
		fields_add_day(m->out, FIELD_BIRTH_DATE, field(m, s, 7));
	} else if (span_starts(s, "OBR"))
		add_coded(m, field(m, s, 4));
	else if (span_starts(s, "OBX") || span_starts(s, "AL1") ||
	    span_starts(s, "DG1"))
		add_coded(m, field(m, s, 3));
}

/* Skip what MLLP and editors put before the first segment. */
static struct span
start(struct span s)
{
	if (span_starts(s, "\x0b"))
		s = after(s, 1);
	if (span_starts(s, "\xef\xbb\xbf"))
		s = after(s, 3);
	return s;
}

bool
hl7_is(struct span head)
{
	unsigned char sep;

	head = start(head);
	if (head.n < 8 || (!span_starts(head, "MSH") &&
	    !span_starts(head, "FHS") && !span_starts(head, "BHS")))
		return false;
	sep = head.p[3];
	return sep > ' ' && sep < 0x7f && sep != head.p[4] &&
	    head.p[4] > ' ' && head.p[4] < 0x7f &&
	    memchr("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
	    "0123456789", sep, 62) == NULL;
}

void
hl7_fields(struct fields *out, struct span whole)
{
	struct message m = { .out = out };

	whole = start(whole);
	while (whole.n > 0) {
		size_t n = 0;

		while (n < whole.n && whole.p[n] != '\r' && whole.p[n] != '\n')
			n++;
		if (n > 0)
			segment(&m, span_of(whole.p, n));
		whole = after(whole, n < whole.n ? n + 1 : n);
	}
}
