#include "record/fhir.h"

#include <jansson.h>

#include "record/jscan.h"

#define BUNDLES_MAX 3		/* a Bundle within a Bundle within a Bundle */
#define CODES_DEEP 8		/* levels below a member that holds codes */

/* Members of a resource that hold what happened, as codes with texts. */
static const char *const codes[] = {
	"code", "type", "vaccineCode", "medicationCodeableConcept",
	"reasonCode", "valueCodeableConcept", "bodySite", "reaction",
	"component", "conclusionCode", "procedureCode", "class",
};

/* Members that hold when it happened: a time, or a period. */
static const char *const days[] = {
	"date", "issued", "effectiveDateTime", "effectivePeriod",
	"onsetDateTime", "recordedDate", "authoredOn", "occurrenceDateTime",
	"performedDateTime", "performedPeriod", "period", "started", "created",
	"recorded", "sent",
};

static const char *const titles[] = { "title", "description" };
static const char *const patients[] = { "subject", "patient" };
static const char *const facilities[] = {
	"managingOrganization", "serviceProvider", "custodian",
};

#define EACH(name, list) \
	for (size_t i_ = 0; i_ < sizeof(list) / sizeof((list)[0]) && \
	    (name = (list)[i_], true); i_++)

static struct span
string(const json_t *j)
{
	if (!json_is_string(j))
		return span_of("", 0);
	return span_of(json_string_value(j), json_string_length(j));
}

static void
add(struct fields *out, enum field_key key, const json_t *j)
{
	fields_add(out, key, string(j), FIELDS_UTF8);
}

/* HumanName: its text, or its parts as they are spoken. */
static void
add_name(struct fields *out, const json_t *name)
{
	struct span text = string(json_object_get(name, "text"));
	const json_t *given, *part;
	char spoken[512];
	size_t n = 0, i;

	if (text.n > 0) {
		fields_add(out, FIELD_PATIENT, text, FIELDS_UTF8);
		return;
	}
	given = json_object_get(name, "given");
	for (i = 0; i <= json_array_size(given); i++) {
		part = i < json_array_size(given) ? json_array_get(given, i) :
		    json_object_get(name, "family");
		text = string(part);
		if (text.n == 0 || n + text.n + 1 > sizeof(spoken))
			continue;
		if (n > 0)
			spoken[n++] = ' ';
		memcpy(spoken + n, text.p, text.n);
		n += text.n;
	}
	fields_add(out, FIELD_PATIENT, span_of(spoken, n), FIELDS_UTF8);
}

static void
add_patient(struct fields *out, const json_t *patient)
{
	const json_t *names = json_object_get(patient, "name"), *name;
	size_t i;

	json_array_foreach(names, i, name)
		add_name(out, name);
	fields_add_day(out, FIELD_BIRTH_DATE,
	    string(json_object_get(patient, "birthDate")));
}

/* Every "text" and "display" at or below j. */
static void
add_codes(struct fields *out, json_t *j, int deep)
{
	json_t *below;
	const char *key;
	size_t i;

	if (deep == 0)
		return;
	if (json_is_array(j))
		json_array_foreach(j, i, below)
			add_codes(out, below, deep - 1);
	if (!json_is_object(j))
		return;
	add(out, FIELD_CODE, json_object_get(j, "text"));
	add(out, FIELD_CODE, json_object_get(j, "display"));
	json_object_foreach(j, key, below)
		if (!json_is_string(below))
			add_codes(out, below, deep - 1);
}

static void
add_resource(struct fields *out, const json_t *res, int bundles)
{
	const json_t *j, *entry;
	const char *key;
	size_t i;

	add(out, FIELD_TYPE, json_object_get(res, "resourceType"));
	if (span_is(string(json_object_get(res, "resourceType")), "Patient")) {
		add_patient(out, res);
		return;
	}
	if (span_is(string(json_object_get(res, "resourceType")),
	    "Organization"))
		add(out, FIELD_FACILITY, json_object_get(res, "name"));
	EACH(key, patients)
		add(out, FIELD_PATIENT, json_object_get(json_object_get(res,
		    key), "display"));
	EACH(key, facilities)
		add(out, FIELD_FACILITY, json_object_get(json_object_get(res,
		    key), "display"));
	EACH(key, titles)
		add(out, FIELD_TITLE, json_object_get(res, key));
	EACH(key, days) {
		j = json_object_get(res, key);
		if (json_is_object(j))
			j = json_object_get(j, "start");
		fields_add_day(out, FIELD_DATE, string(j));
	}
	EACH(key, codes)
		add_codes(out, json_object_get(res, key), CODES_DEEP);
	if (bundles == 0)
		return;
	json_array_foreach(json_object_get(res, "entry"), i, entry)
		add_resource(out, json_object_get(entry, "resource"),
		    bundles - 1);
}

bool
fhir_is(struct span head)
{
	struct span key, value;
	struct jscan s;

	if (!jscan_enter(&s, head, '{'))
		return false;
	while (jscan_next(&s, &key, &value))
		if (span_is(key, "resourceType"))
			return true;
	return false;
}

/* Read a part of a document, unless it is too much; the caller owns it. */
static json_t *
parse(struct span part)
{
	json_error_t why;

	if (part.n == 0 || jscan_memory(part) > FHIR_MEMORY_MAX)
		return NULL;
	return json_loadb((const char *)part.p, part.n,
	    JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, &why);
}

static void
add_entries(struct fields *out, struct span entries)
{
	struct span key, value;
	struct jscan s;

	if (!jscan_enter(&s, entries, '['))
		return;
	while (out->n < FIELDS_MAX && jscan_next(&s, &key, &value)) {
		json_t *entry = parse(value);

		add_resource(out, json_object_get(entry, "resource"),
		    BUNDLES_MAX - 1);
		json_decref(entry);
	}
}

/* A Bundle that is too large, or cut: read one entry at a time. */
static void
add_large(struct fields *out, struct span doc)
{
	struct span key, value;
	struct jscan s;

	if (!jscan_enter(&s, doc, '{'))
		return;
	while (jscan_next(&s, &key, &value)) {
		json_t *j;

		if (span_is(key, "entry")) {
			add_entries(out, value);
			continue;
		}
		if (!span_is(key, "resourceType") && !span_is(key, "id"))
			continue;
		j = parse(value);
		add(out, span_is(key, "id") ? FIELD_ID : FIELD_TYPE, j);
		json_decref(j);
	}
}

void
fhir_fields(struct fields *out, struct span doc)
{
	json_t *root;

	if (span_starts(doc, "\xef\xbb\xbf"))
		doc = span_of(doc.p + 3, doc.n - 3);
	root = parse(doc);
	if (root == NULL) {
		add_large(out, doc);
		return;
	}
	add(out, FIELD_ID, json_object_get(root, "id"));
	add_resource(out, root, BUNDLES_MAX);
	json_decref(root);
}
