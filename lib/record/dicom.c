#include "record/dicom.h"

#define PREAMBLE 128
#define UNDEFINED 0xffffffffu	/* length of what ends with a delimiter */
#define NEST_MAX 64		/* sequences within sequences */

#define TAG(group, element) ((uint32_t)(group) << 16 | (element))
#define LAST TAG(0x0020, 0x000d)	/* nothing of interest comes after */
#define ITEM TAG(0xfffe, 0xe000)
#define ITEM_END TAG(0xfffe, 0xe00d)
#define SEQUENCE_END TAG(0xfffe, 0xe0dd)

struct element {
	uint32_t tag;
	bool unknown;		/* VR is UN */
	bool nests;		/* of undefined length: items follow */
	struct span value;	/* unless it nests */
};

static uint32_t
get16(const unsigned char *p)
{
	return (uint32_t)p[0] | (uint32_t)p[1] << 8;
}

static uint32_t
get32(const unsigned char *p)
{
	return get16(p) | get16(p + 2) << 16;
}

/* Do lengths of this VR take four bytes after two that are reserved? */
static bool
long_form(const unsigned char *vr)
{
	static const char forms[][3] = {
		"OB", "OD", "OF", "OL", "OV", "OW", "SQ", "SV", "UC", "UN",
		"UR", "UT", "UV",
	};

	for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++)
		if (memcmp(vr, forms[i], 2) == 0)
			return true;
	return false;
}

/* Take one element off *rest; false at the end or where it is malformed. */
static bool
next(struct span *rest, bool explicit, struct element *el)
{
	const unsigned char *p = rest->p;
	size_t head = 8;
	uint32_t len;

	if (rest->n < 8)
		return false;
	*el = (struct element){ .tag = TAG(get16(p), get16(p + 2)) };
	if (!explicit || el->tag >> 16 == 0xfffe)
		len = get32(p + 4);
	else if (!long_form(p + 4))
		len = get16(p + 6);
	else {
		head = 12;
		if (rest->n < 12)
			return false;
		len = get32(p + 8);
		el->unknown = memcmp(p + 4, "UN", 2) == 0;
	}
	el->nests = len == UNDEFINED;
	if (el->nests)
		len = 0;
	if (len > rest->n - head)
		return false;
	el->value = span_of(p + head, len);
	*rest = span_of(p + head + len, rest->n - head - len);
	return true;
}

/* A value without its padding. */
static struct span
trim(struct span s)
{
	while (s.n > 0 && (s.p[s.n - 1] == ' ' || s.p[s.n - 1] == '\0'))
		s.n--;
	return s;
}

static struct span
component(struct span s, unsigned char sep, unsigned n)
{
	for (;;) {
		const unsigned char *at = s.n == 0 ? NULL :
		    memchr(s.p, sep, s.n);
		size_t len = at == NULL ? s.n : (size_t)(at - s.p);

		if (n-- == 0)
			return span_of(s.p, len);
		if (at == NULL)
			return span_of(s.p, 0);
		s = span_of(at + 1, s.n - len - 1);
	}
}

/* PN: family^given^middle^prefix^suffix, in up to three alphabets. */
static void
add_name(struct fields *out, struct span pn, enum fields_text text)
{
	static const unsigned spoken[] = { 1, 2, 0, 4 };

	for (unsigned g = 0; g < 3; g++) {
		struct span group = component(pn, '=', g);
		char name[512];
		size_t n = 0;

		for (size_t i = 0; i < sizeof(spoken) / sizeof(spoken[0]);
		    i++) {
			struct span p = component(group, '^', spoken[i]);

			if (p.n == 0 || n + p.n + 1 > sizeof(name))
				continue;
			if (n > 0)
				name[n++] = ' ';
			memcpy(name + n, p.p, p.n);
			n += p.n;
		}
		fields_add(out, FIELD_PATIENT, span_of(name, n), text);
	}
}

static enum fields_text
charset(struct span s)
{
	if (s.n == 0 || span_is(s, "ISO_IR 192"))
		return FIELDS_UTF8;
	return span_is(s, "ISO_IR 100") ? FIELDS_LATIN1 : FIELDS_ASCII;
}

static void
take(struct fields *out, const struct element *el, enum fields_text *text)
{
	struct span v = trim(el->value);

	switch (el->tag) {
	case TAG(0x0008, 0x0005):
		*text = charset(v);
		break;
	case TAG(0x0008, 0x0020):
		fields_add_day(out, FIELD_DATE, v);
		break;
	case TAG(0x0008, 0x0060):
		fields_add(out, FIELD_TYPE, v, *text);
		break;
	case TAG(0x0008, 0x0080):
		fields_add(out, FIELD_FACILITY, v, *text);
		break;
	case TAG(0x0008, 0x1030):
	case TAG(0x0008, 0x103e):
		fields_add(out, FIELD_TITLE, v, *text);
		break;
	case TAG(0x0010, 0x0010):
		add_name(out, v, *text);
		break;
	case TAG(0x0010, 0x0030):
		fields_add_day(out, FIELD_BIRTH_DATE, v);
		break;
	case TAG(0x0018, 0x0015):
		fields_add(out, FIELD_BODY_PART, v, *text);
		break;
	case LAST:
		fields_add(out, FIELD_ID, v, *text);
		break;
	}
}

/*
 * Read the file meta group; rest moves past it.  False when the rest cannot
 * be read by us.
 */
static bool
meta_group(struct span *rest, bool *explicit)
{
	struct element el;

	*explicit = true;
	while (rest->n >= 8 && get16(rest->p) == 0x0002) {
		struct span v;

		if (!next(rest, true, &el) || el.nests)
			return false;
		v = trim(el.value);
		if (el.tag != TAG(0x0002, 0x0010))
			continue;
		if (span_is(v, "1.2.840.10008.1.2"))
			*explicit = false;
		else if (span_is(v, "1.2.840.10008.1.2.2") ||
		    span_is(v, "1.2.840.10008.1.2.1.99"))
			return false;
	}
	return true;
}

bool
dicom_is(struct span head)
{
	return head.n >= PREAMBLE + 4 &&
	    memcmp(head.p + PREAMBLE, "DICM", 4) == 0;
}

void
dicom_fields(struct fields *out, struct span file)
{
	enum fields_text text = FIELDS_UTF8;
	unsigned depth = 0, unknown = 0;
	struct element el;
	struct span rest;
	bool explicit;

	if (!dicom_is(file))
		return;
	rest = span_of(file.p + PREAMBLE + 4, file.n - PREAMBLE - 4);
	if (!meta_group(&rest, &explicit))
		return;
	/* The content of an UN element is always implicit (PS3.5, 6.2.2). */
	while (next(&rest, explicit && unknown == 0, &el)) {
		if (el.nests) {
			if (++depth > NEST_MAX)
				return;
			if (el.unknown && unknown == 0)
				unknown = depth;
		} else if (el.tag == ITEM_END || el.tag == SEQUENCE_END) {
			if (depth == 0)
				return;
			if (unknown == depth)
				unknown = 0;
			depth--;
		} else if (depth == 0) {
			if (el.tag > LAST)
				return;
			take(out, &el, &text);
		}
	}
}
