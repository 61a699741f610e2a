#include "record/fields.h"

#include <stdio.h>

#include "base/utf8.h"

static const struct {
	const char *name;
	size_t share;			/* values of this key in one file */
} keys[FIELD_KEYS] = {
	[FIELD_TYPE] = { "type", 10 },
	[FIELD_ID] = { "id", 1 },
	[FIELD_PATIENT] = { "patient", 4 },
	[FIELD_BIRTH_DATE] = { "birthDate", 2 },
	[FIELD_DATE] = { "date", 8 },
	[FIELD_FACILITY] = { "facility", 4 },
	[FIELD_TITLE] = { "title", 4 },
	[FIELD_SECTION] = { "section", 16 },
	[FIELD_CODE] = { "code", 36 },
	[FIELD_BODY_PART] = { "bodyPart", 4 },
};

const char *
field_key_name(enum field_key key)
{
	return keys[key].name;
}

size_t
fields_utf8(char out[4], uint32_t cp)
{
	if (cp < 0x80) {
		out[0] = (char)cp;
		return 1;
	}
	if (cp < 0x800) {
		out[0] = (char)(0xc0 | cp >> 6);
		out[1] = (char)(0x80 | (cp & 0x3f));
		return 2;
	}
	if (cp < 0x10000) {
		out[0] = (char)(0xe0 | cp >> 12);
		out[1] = (char)(0x80 | (cp >> 6 & 0x3f));
		out[2] = (char)(0x80 | (cp & 0x3f));
		return 3;
	}
	out[0] = (char)(0xf0 | cp >> 18);
	out[1] = (char)(0x80 | (cp >> 12 & 0x3f));
	out[2] = (char)(0x80 | (cp >> 6 & 0x3f));
	out[3] = (char)(0x80 | (cp & 0x3f));
	return 4;
}

size_t
fields_whole(const char *p, size_t n)
{
	for (size_t back = 1; back <= 3 && back <= n; back++) {
		unsigned char c = (unsigned char)p[n - back];
		size_t need = c >= 0xf0 ? 4 : c >= 0xe0 ? 3 : 2;

		if (c < 0x80)
			break;
		if (c >= 0xc0)
			return need > back ? n - back : n;
	}
	return n;
}

static bool
blank(unsigned char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

/* Clean raw into out; the length, or 0 when there is no value in it. */
static size_t
clean(char out[FIELD_VALUE_MAX], struct span raw, enum fields_text text)
{
	bool gap = false;
	size_t n = 0;

	for (size_t i = 0; i < raw.n; i++) {
		unsigned char c = raw.p[i];
		char one[4] = { (char)c };
		size_t k = 1;

		if (blank(c)) {
			gap = n > 0;
			continue;
		}
		if (c >= 0x80 && text == FIELDS_ASCII)
			return 0;
		if (c >= 0x80 && text == FIELDS_LATIN1)
			k = fields_utf8(one, c);
		if (n + gap + k > FIELD_VALUE_MAX) {
			n = fields_whole(out, n);
			break;
		}
		if (gap)
			out[n++] = ' ';
		gap = false;
		memcpy(out + n, one, k);
		n += k;
	}
	return utf8_line(span_of(out, n)) ? n : 0;
}

void
fields_add(struct fields *f, enum field_key key, struct span raw,
    enum fields_text text)
{
	size_t of_key = 0;
	struct field *new;

	if (f->n == FIELDS_MAX)
		return;
	new = &f->v[f->n];
	if ((new->n = clean(new->value, raw, text)) == 0)
		return;
	for (size_t i = 0; i < f->n; i++) {
		if (f->v[i].key != key)
			continue;
		of_key++;
		if (span_eq(field_value(&f->v[i]), field_value(new)))
			return;
	}
	if (of_key >= keys[key].share)
		return;
	new->key = key;
	f->n++;
}

/* Two digits, compared as such. */
static bool
between(const char *d, const char *low, const char *high)
{
	return memcmp(d, low, 2) >= 0 && memcmp(d, high, 2) <= 0;
}

void
fields_add_day(struct fields *f, enum field_key key, struct span raw)
{
	char d[8], day[16];
	size_t n = 0, len;

	for (size_t i = 0; i < raw.n && n < sizeof(d); i++) {
		if (raw.p[i] >= '0' && raw.p[i] <= '9')
			d[n++] = (char)raw.p[i];
		else if ((raw.p[i] != '-' && raw.p[i] != '.') || n == 0)
			break;
	}
	if (n != 4 && n != 6 && n != 8)
		return;
	if (n >= 6 && !between(d + 4, "01", "12"))
		return;
	if (n == 8 && !between(d + 6, "01", "31"))
		return;
	len = (size_t)snprintf(day, sizeof(day), "%.4s-%.2s-%.2s", d,
	    n >= 6 ? d + 4 : "", n == 8 ? d + 6 : "");
	/* The dashes that stand before nothing go. */
	while (day[len - 1] == '-')
		len--;
	fields_add(f, key, span_of(day, len), FIELDS_UTF8);
}
