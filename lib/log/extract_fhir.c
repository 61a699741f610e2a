#include "log/extract_fhir.h"

#include <stdio.h>

#include "base/stamp.h"
#include "base/text.h"
#include "ledger/name.h"
#include "log/extract_json.h"

#define HL7 "http://terminology.hl7.org/CodeSystem/"
#define DCM "http://dicom.nema.org/resources/ontology/DCM"

/* What FHIR calls each kind. */
struct meaning {
	const char *type, *type_display;	/* of DICOM's events */
	const char *action;		/* create, read, update, delete, do */
	const char *operation;		/* of a Provenance: on the record */
};

#define RECORD(action, op) { "110110", "Patient Record", action, op }
#define ALERT(action) { "110113", "Security Alert", action, NULL }

static const struct meaning meanings[TX_KINDS] = {
	[TX_ENROLL] = ALERT("C"),
	[TX_REKEY] = ALERT("U"),
	[TX_ROLE_DEFINE] = ALERT("U"),
	[TX_ROLE_GRANT] = ALERT("U"),
	[TX_ROLE_REVOKE] = ALERT("U"),
	[TX_ROLE_KEY] = ALERT("U"),
	[TX_NODE_ADMIT] = ALERT("C"),
	[TX_NODE_REMOVE] = ALERT("D"),
	[TX_VOTE] = ALERT("E"),
	[TX_AUTHORIZE] = RECORD("C", "CREATE"),
	[TX_REJECT] = RECORD("D", "DELETE"),
	[TX_GRANT] = RECORD("U", "UPDATE"),
	[TX_WITHDRAW] = RECORD("U", "UPDATE"),
	[TX_ACCESS] = RECORD("R", NULL),
	[TX_ERASE] = RECORD("D", "DELETE")
};

/* --- data types ----------------------------------------------------------- */

static json_t *
coding(const char *system, const char *code, const char *display)
{
	return display == NULL ?
	    json_pack("{s:s,s:s}", "system", system, "code", code) :
	    json_pack("{s:s,s:s,s:s}", "system", system, "code", code,
	    "display", display);
}

/* A CodeableConcept of one coding. */
static json_t *
concept(const char *system, const char *code, const char *display)
{
	return json_pack("{s:[o]}", "coding", coding(system, code, display));
}

/* A reference by identifier: what the ledger calls it. */
static json_t *
reference(const struct extract_entry *x, const char *resource,
    const char *kind, struct span value)
{
	char system[HASH_HEX + 40], hex[HASH_HEX];

	hash_format(hex, x->ledger);
	snprintf(system, sizeof(system), "urn:x-ehr:%s:%s", hex, kind);
	return json_pack(resource == NULL ? "{s:{s:s,s:o}}" :
	    "{s:{s:s,s:o},s:s}", "identifier", "system", system, "value",
	    extract_json_text(value), "type", resource);
}

static json_t *
reference_hash(const struct extract_entry *x, const char *resource,
    const char *kind, const struct hash *h)
{
	char hex[HASH_HEX];

	hash_format(hex, h);
	return reference(x, resource, kind, span_str(hex));
}

/* A user or node.  What a user is shows only where it is about a record. */
static json_t *
someone(const struct extract_entry *x, struct span name)
{
	if (!name_is_handle(name))
		return reference(x, "Organization", "node", name);
	return reference(x, !x->has_record ? NULL :
	    span_eq(name, x->user) ? "Patient" : "Practitioner", "user", name);
}

/* --- AuditEvent ----------------------------------------------------------- */

static json_t *
author(const struct extract_entry *x)
{
	json_t *roles = json_array(), *agent = json_pack("{s:o,s:b}", "who",
	    someone(x, x->author), "requestor", 1);
	struct span rest = x->roles;

	while (rest.n > 0)
		json_array_append_new(roles, json_pack("{s:o}", "text",
		    extract_json_text(text_word(&rest))));
	if (json_array_size(roles) > 0)
		json_object_set_new(agent, "role", roles);
	else
		json_decref(roles);
	return agent;
}

static json_t *
agents(const struct extract_entry *x)
{
	json_t *list = json_pack("[o]", author(x));

	if (x->kind == TX_AUTHORIZE)
		json_array_append_new(list, json_pack("{s:o,s:o,s:b}", "type",
		    concept(HL7 "v3-ParticipationType", "AUT", "author"),
		    "who", someone(x, x->doctor), "requestor", 0));
	return list;
}

static json_t *
entity(json_t *what, const char *type, const char *type_display,
    const char *role, const char *role_display)
{
	json_t *o = json_pack("{s:o,s:o}", "what", what, "type",
	    coding(HL7 "audit-entity-type", type, type_display));

	if (role != NULL)
		json_object_set_new(o, "role", coding(HL7 "object-role", role,
		    role_display));
	return o;
}

static void
add_detail(json_t *list, const char *type, json_t *value)
{
	json_array_append_new(list, json_pack("{s:s,s:o}", "type", type,
	    "valueString", value));
}

/* What happened, and where on the ledger it is. */
static json_t *
statement(const struct extract_entry *x)
{
	json_t *o = entity(reference_hash(x, NULL, "transaction", &x->id),
	    "2", "System Object", NULL, NULL), *list = json_array();
	struct span rest = x->readers;
	char number[24];

	snprintf(number, sizeof(number), "%llu", (unsigned long long)x->height);
	add_detail(list, "height", json_string(number));
	snprintf(number, sizeof(number), "%llu", (unsigned long long)x->seq);
	add_detail(list, "seq", json_string(number));
	if (x->detail.n > 0)
		add_detail(list, "detail", extract_json_text(x->detail));
	while (rest.n > 0)
		add_detail(list, "reader", extract_json_text(
		    text_word(&rest)));
	json_object_set_new(o, "detail", list);
	return o;
}

static json_t *
the_record(const struct extract_entry *x)
{
	json_t *o = entity(reference_hash(x, "DocumentReference", "record",
	    &x->record), "2", "System Object", "3", "Report");

	if (x->label.n > 0)
		json_object_set_new(o, "detail", json_pack("[{s:s,s:o}]",
		    "type", "label", "valueString",
		    extract_json_text(x->label)));
	return o;
}

static json_t *
entities(const struct extract_entry *x)
{
	json_t *list = json_array();

	if (x->has_record)
		json_array_append_new(list, entity(someone(x, x->user), "1",
		    "Person", "1", "Patient"));
	else if (name_is_handle(x->user))
		json_array_append_new(list, entity(someone(x, x->user), "1",
		    "Person", "11", "Security User Entity"));
	else if (x->user.n > 0)
		json_array_append_new(list, entity(someone(x, x->user), "3",
		    "Organization", "13", "Security Resource"));
	if (x->has_record)
		json_array_append_new(list, the_record(x));
	json_array_append_new(list, statement(x));
	return list;
}

static json_t *
audit_event(const struct extract_entry *x)
{
	const struct meaning *m = &meanings[x->kind];

	return json_pack("{s:s,s:o,s:o,s:[o],s:s,s:{s:o,s:o},s:o,s:s,s:o,"
	    "s:{s:o},s:o}", "resourceType", "AuditEvent",
	    "id", extract_json_hash(&x->id),
	    "type", coding(DCM, m->type, m->type_display),
	    "subtype", coding("urn:x-ehr:kind", x->kind_name, NULL),
	    "action", m->action,
	    "period", "start", extract_json_time(x->time_ms),
	    "end", extract_json_time(x->time_ms),
	    "recorded", extract_json_time(x->recorded_ms),
	    "outcome", "0",
	    "agent", agents(x),
	    "source", "observer", someone(x, x->proposer),
	    "entity", entities(x));
}

/* --- Provenance ----------------------------------------------------------- */

static json_t *
party(const struct extract_entry *x, const char *type, const char *display,
    struct span name)
{
	return json_pack("{s:o,s:o}", "type", concept(HL7
	    "provenance-participant-type", type, display), "who",
	    someone(x, name));
}

static json_t *
provenance(const struct extract_entry *x)
{
	json_t *list = json_array(), *o;
	int64_t start_ms = x->time_ms;

	/* Two clocks: a period does not end before it starts. */
	if (x->kind == TX_AUTHORIZE && x->filled_ms < start_ms)
		start_ms = x->filled_ms;
	if (x->kind == TX_AUTHORIZE)
		json_array_append_new(list, party(x, "author", "Author",
		    x->doctor));
	json_array_append_new(list, party(x, "attester", "Attester",
	    x->author));
	o = json_pack("{s:s,s:o,s:[o],s:{s:o,s:o},s:o,s:o,s:o}",
	    "resourceType", "Provenance",
	    "id", extract_json_hash(&x->id),
	    "target", reference_hash(x, "DocumentReference", "record",
	    &x->record),
	    "occurredPeriod",
	    "start", extract_json_time(start_ms),
	    "end", extract_json_time(x->time_ms),
	    "recorded", extract_json_time(x->recorded_ms),
	    "activity", concept(HL7 "v3-DataOperation",
	    meanings[x->kind].operation, NULL),
	    "agent", list);
	if (o != NULL && x->kind == TX_ERASE)
		json_object_set_new(o, "reason", json_pack("[{s:o}]", "text",
		    extract_json_text(x->detail)));
	return o;
}

/* --- Bundle --------------------------------------------------------------- */

/* Version 8 of RFC 9562: one for each resource type and transaction. */
static json_t *
uuid(const char *type, const struct hash *id)
{
	const struct span parts[] = { span_str(type),
	    span_of(id->b, HASH_LEN) };
	char hex[HASH_HEX], text[60];
	struct hash h;

	hash_spans(&h, parts, 2);
	h.b[6] = (h.b[6] & 0x0f) | 0x80;
	h.b[8] = (h.b[8] & 0x3f) | 0x80;
	hash_format(hex, &h);
	snprintf(text, sizeof(text), "urn:uuid:%.8s-%.4s-%.4s-%.4s-%.12s",
	    hex, hex + 8, hex + 12, hex + 16, hex + 20);
	return json_string(text);
}

static int
add(struct buf *out, const char *before, const char *type,
    const struct extract_entry *x, json_t *resource, struct err *e)
{
	buf_adds(out, before);
	return extract_json_add(out, json_pack("{s:o,s:o}", "fullUrl",
	    uuid(type, &x->id), "resource", resource), e);
}

void
extract_fhir_begin(struct buf *out, int64_t head_ms)
{
	char time[STAMP_LEN + 1];

	stamp_format(time, head_ms);
	buf_addf(out, "{\"resourceType\":\"Bundle\",\"type\":\"collection\","
	    "\"timestamp\":\"%s\"", time);
}

int
extract_fhir(struct buf *out, const struct extract_entry *x, bool first,
    struct err *e)
{
	if (add(out, first ? ",\"entry\":[\n" : ",\n", "AuditEvent", x,
	    audit_event(x), e) != 0)
		return -1;
	return meanings[x->kind].operation == NULL ? 0 :
	    add(out, ",\n", "Provenance", x, provenance(x), e);
}

void
extract_fhir_end(struct buf *out, bool empty)
{
	buf_adds(out, empty ? "}\n" : "\n]}\n");
}
