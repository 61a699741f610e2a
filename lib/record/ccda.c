#include "record/ccda.h"

#include "record/xml.h"

#define DEPTH_MAX 64		/* deeper elements are passed over */
#define TEXT_MAX 1024		/* bytes of text collected for one value */

/* The elements that matter, and all others. */
enum element {
	OTHER, DOCUMENT, TITLE, TIME, CODE, VALUE, SECTION, ENTRY, TARGET,
	ROLE, PATIENT, NAME, BIRTH, CUSTODIAN, STAFF
};

static const struct {
	const char *name;
	enum element id;
} names[] = {
	{ "ClinicalDocument", DOCUMENT },
	{ "title", TITLE },
	{ "effectiveTime", TIME },
	{ "code", CODE },
	{ "value", VALUE },
	{ "section", SECTION },
	{ "entry", ENTRY },
	{ "recordTarget", TARGET },
	{ "patientRole", ROLE },
	{ "patient", PATIENT },
	{ "name", NAME },
	{ "birthTime", BIRTH },
	{ "representedCustodianOrganization", CUSTODIAN },
	{ "assignedAuthor", STAFF },
	{ "assignedEntity", STAFF },
};

struct scan {
	struct fields *out;
	enum fields_text text;
	unsigned depth;				/* open elements */
	unsigned entries;			/* of them, <entry> */
	enum element path[DEPTH_MAX];
	unsigned collect;			/* depth of the element whose
						 * text is wanted; 0: none */
	enum field_key key;			/* what it is wanted as */
	size_t n;
	char value[TEXT_MAX];
};

static enum element
identify(struct span name)
{
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (span_is(name, names[i].name))
			return names[i].id;
	return OTHER;
}

/* The element up levels above the one opened last. */
static enum element
above(const struct scan *s, unsigned up)
{
	return s->depth > up ? s->path[s->depth - 1 - up] : OTHER;
}

static void
add_attr(struct scan *s, enum field_key key, struct span attrs,
    const char *name)
{
	char text[TEXT_MAX];
	struct span raw;
	size_t n;

	if (!xml_attr(attrs, name, &raw))
		return;
	n = xml_decode(text, sizeof(text), raw, false, s->text);
	if (key == FIELD_DATE || key == FIELD_BIRTH_DATE)
		fields_add_day(s->out, key, span_of(text, n));
	else
		fields_add(s->out, key, span_of(text, n), FIELDS_UTF8);
}

static void
want_text(struct scan *s, enum field_key key)
{
	if (s->collect != 0)
		return;
	s->collect = s->depth;
	s->key = key;
	s->n = 0;
}

static void
opened(struct scan *s, const struct xml_token *t)
{
	switch (above(s, 0)) {
	case TITLE:
		if (s->depth == 2)
			want_text(s, FIELD_TITLE);
		else if (above(s, 1) == SECTION)
			want_text(s, FIELD_SECTION);
		break;
	case TIME:
		if (s->depth == 2)
			add_attr(s, FIELD_DATE, t->attrs, "value");
		break;
	case CODE:
	case VALUE:
		/* What a physician is specialised in is not a finding. */
		if (s->entries > 0 && above(s, 1) != STAFF)
			add_attr(s, FIELD_CODE, t->attrs, "displayName");
		else if (s->depth == 2)
			add_attr(s, FIELD_TYPE, t->attrs, "displayName");
		break;
	case NAME:
		if (above(s, 1) == PATIENT && above(s, 2) == ROLE &&
		    above(s, 3) == TARGET)
			want_text(s, FIELD_PATIENT);
		else if (above(s, 1) == CUSTODIAN)
			want_text(s, FIELD_FACILITY);
		break;
	case BIRTH:
		if (above(s, 1) == PATIENT && above(s, 2) == ROLE)
			add_attr(s, FIELD_BIRTH_DATE, t->attrs, "value");
		break;
	default:
		break;
	}
}

static void
collect(struct scan *s, const struct xml_token *t)
{
	if (s->n > 0 && s->n < sizeof(s->value))
		s->value[s->n++] = ' ';
	s->n += xml_decode(s->value + s->n, sizeof(s->value) - s->n, t->text,
	    t->cdata, s->text);
}

/* Returns false when a tag closes that was not open. */
static bool
closed(struct scan *s)
{
	if (s->depth == 0)
		return false;
	if (s->collect == s->depth) {
		fields_add(s->out, s->key, span_of(s->value, s->n),
		    FIELDS_UTF8);
		s->collect = 0;
	}
	if (s->depth <= DEPTH_MAX && above(s, 0) == ENTRY)
		s->entries--;
	s->depth--;
	return true;
}

bool
ccda_is(struct span doc)
{
	struct xml_token t;
	struct xml x;

	xml_init(&x, doc);
	do
		xml_next(&x, &t);
	while (t.kind == XML_TEXT);
	return t.kind == XML_OPEN && identify(t.name) == DOCUMENT;
}

void
ccda_fields(struct fields *out, struct span doc)
{
	struct scan s = { .out = out };
	struct xml_token t;
	struct xml x;

	xml_init(&x, doc);
	s.text = x.text;
	for (xml_next(&x, &t); t.kind < XML_END; xml_next(&x, &t)) {
		if (t.kind == XML_TEXT && s.collect != 0)
			collect(&s, &t);
		else if (t.kind == XML_CLOSE && !closed(&s))
			return;
		if (t.kind != XML_OPEN)
			continue;
		if (++s.depth > DEPTH_MAX)
			continue;
		s.path[s.depth - 1] = identify(t.name);
		s.entries += above(&s, 0) == ENTRY;
		opened(&s, &t);
	}
}
