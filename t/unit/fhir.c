/* fhir: what is read from resources and bundles. */
#include <assert.h>

#include "said.h"
#include "base/buf.h"
#include "record/fhir.h"

#define SAID(text, want) \
	CHECK_STR(said_of(fhir_fields, text, sizeof(text) - 1), want)

static const char bundle[] =
    "{\"resourceType\":\"Bundle\",\"id\":\"b1\",\"entry\":["
    "{\"resource\":{\"resourceType\":\"Patient\",\"id\":\"p1\",\"name\":["
    "{\"family\":\"Naidoo\",\"given\":[\"Bill\",\"Andr\\u00e9\"]},"
    "{\"text\":\"B. Naidoo\",\"family\":\"no\"}],"
    "\"birthDate\":\"1984-07-19\",\"maritalStatus\":{\"text\":\"no\"}}},"
    "{\"resource\":{\"resourceType\":\"AllergyIntolerance\","
    "\"code\":{\"coding\":[{\"code\":\"7980\",\"display\":\"penicillin\"}],"
    "\"text\":\"Allergy to penicillin\"},"
    "\"recordedDate\":\"2026-03-02T10:15:00+02:00\","
    "\"reaction\":[{\"manifestation\":[{\"text\":\"Urticaria\"}]}],"
    "\"text\":{\"status\":\"generated\",\"div\":\"<div>no</div>\"}}},"
    "{\"resource\":{\"resourceType\":\"Encounter\","
    "\"subject\":{\"display\":\"Bill N.\"},"
    "\"period\":{\"start\":\"2026-02-27\",\"end\":\"2026-02-28\"},"
    "\"serviceProvider\":{\"display\":\"Hospital A\"}}}]}";

static void
resources(void)
{
	SAID(bundle, "id: b1\ntype: Bundle\ntype: Patient\n"
	    "patient: Bill Andr\xc3\xa9 Naidoo\npatient: B. Naidoo\n"
	    "birthDate: 1984-07-19\ntype: AllergyIntolerance\n"
	    "date: 2026-03-02\ncode: Allergy to penicillin\n"
	    "code: penicillin\ncode: Urticaria\ntype: Encounter\n"
	    "patient: Bill N.\nfacility: Hospital A\ndate: 2026-02-27\n");
	said_cuts(fhir_fields, bundle, sizeof(bundle) - 1);
	SAID("\xef\xbb\xbf{\"resourceType\":\"Composition\",\"id\":\"c\","
	    "\"title\":\"Letter\",\"date\":\"2026\"}",
	    "id: c\ntype: Composition\ntitle: Letter\ndate: 2026\n");
	/* Other types than the specification has do no harm. */
	SAID("{\"resourceType\":\"Patient\",\"id\":7,\"name\":\"x\","
	    "\"birthDate\":[1]}", "type: Patient\n");
	SAID("{\"resourceType\":[],\"entry\":{},\"code\":1,\"date\":{}}", "");
	SAID("[]", "");
	SAID("{}", "");
	SAID("7", "");
	SAID("", "");
}

/* What can't be read as one is read by entries. */
static void
damaged(void)
{
	static const char cut[] = "id: b1\ntype: Bundle\ntype: Patient\n"
	    "patient: A\n";

	SAID("{\"id\":\"b1\",\"resourceType\":\"Bundle\",\"entry\":["
	    "{\"resource\":{\"resourceType\":\"Patient\",\"name\":["
	    "{\"text\":\"A\"}]}},{\"resource\":{\"resourceType\":\"Pat", cut);
	/* A name twice: that entry is not believed. */
	SAID("{\"id\":\"b1\",\"resourceType\":\"Bundle\",\"entry\":["
	    "{\"resource\":{\"resourceType\":\"Patient\",\"birthDate\":\"2001\","
	    "\"birthDate\":\"2002\"}},"
	    "{\"resource\":{\"resourceType\":\"Patient\",\"name\":["
	    "{\"text\":\"A\"}]}}]}", cut);
	SAID("{\"resourceType\":\"Patient\",\"resourceType\":\"Group\","
	    "\"birthDate\":\"2001\"}", "type: Patient\ntype: Group\n");
}

/* A bundle that takes too much memory as a whole. */
static void
large(void)
{
	struct buf b = BUF_INIT(8 << 20);

	buf_adds(&b, "{\"resourceType\":\"Bundle\",\"entry\":[");
	buf_adds(&b, "{\"resource\":{\"resourceType\":\"Binary\",\"a\":[");
	while (b.len < 1 << 20)
		buf_adds(&b, "[],");
	buf_adds(&b, "[]]}}");
	for (int i = 0; b.len < 3 << 20; i++)
		buf_addf(&b, ",{\"resource\":{\"resourceType\":\"Observation\","
		    "\"code\":{\"text\":\"code %d\"}}}", i);
	buf_adds(&b, ",{\"resource\":{\"resourceType\":\"Bundle\",\"entry\":["
	    "{\"resource\":{\"resourceType\":\"Patient\",\"name\":["
	    "{\"text\":\"A\"}]}}]}}]}");
	assert(b.failed == 0);
	said_of(fhir_fields, b.p, b.len);
	CHECK(said_fields.n == 2 + 36 + 1 + 1);
	CHECK(strstr(said(&said_fields), "code: code 35\n") != NULL);
	CHECK(strstr(said(&said_fields), "patient: A\n") != NULL);
	/* The entry that alone is too large yields nothing. */
	CHECK(strstr(said(&said_fields), "Binary") == NULL);
	buf_free(&b);
}

int
main(void)
{
	resources();
	damaged();
	large();
	CHECK(fhir_is(span_str(" {\"id\":1,\"resourceType\" : \"X\"}")));
	CHECK(fhir_is(span_str("\xef\xbb\xbf{\"resourceType\":\"X\"")));
	CHECK(!fhir_is(span_str("{\"a\":{\"resourceType\":\"X\"}}")));
	CHECK(!fhir_is(span_str("{\"a\":\"resourceType\"}")));
	CHECK(!fhir_is(span_str("[{\"resourceType\":\"X\"}]")));
	CHECK(!fhir_is(span_str("")));
	return check_done("fhir");
}
