/* ccda: what is read from clinical documents. */
#include "said.h"
#include "record/ccda.h"

#define SAID(text, want) \
	CHECK_STR(said_of(ccda_fields, text, sizeof(text) - 1), want)

#define DOC(inner) "<ClinicalDocument>" inner "</ClinicalDocument>"

static const char whole[] =
    "<?xml version='1.0' encoding='UTF-8'?>\n<!-- <title>no</title> -->\n"
    "<c:ClinicalDocument xmlns:c='urn:hl7-org:v3'>"
    "<c:code code='34133-9' displayName='Summary &amp; more'/>"
    "<c:title>Visit of <b>3 March</b></c:title>"
    "<c:effectiveTime value='20260303081500+0200'/>"
    "<c:recordTarget><c:patientRole><c:patient>"
    "<c:name><c:given>Tim</c:given> <c:family>van Wyk</c:family></c:name>"
    "<c:birthTime value='19721130'/>"
    "<c:guardian><c:guardianPerson><c:name>No Body</c:name>"
    "</c:guardianPerson></c:guardian>"
    "</c:patient></c:patientRole></c:recordTarget>"
    "<c:custodian><c:assignedCustodian>"
    "<c:representedCustodianOrganization><c:name>Hospital C</c:name>"
    "</c:representedCustodianOrganization></c:assignedCustodian>"
    "</c:custodian>"
    "<c:component><c:section><c:code displayName='Problem list'/>"
    "<c:title><![CDATA[Problems & more]]></c:title>"
    "<c:entry><c:observation><c:code displayName='Condition'/>"
    "<c:value displayName='Asthma' code='1'/>"
    "<c:author><c:assignedAuthor><c:code displayName='Surgeon'/>"
    "</c:assignedAuthor></c:author></c:observation></c:entry>"
    "<c:section><c:title>Within</c:title></c:section>"
    "</c:section></c:component></c:ClinicalDocument>";

int
main(void)
{
	static char deep[4096];
	size_t n;

	SAID(whole, "type: Summary & more\ntitle: Visit of 3 March\n"
	    "date: 2026-03-03\npatient: Tim van Wyk\nbirthDate: 1972-11-30\n"
	    "facility: Hospital C\nsection: Problems & more\n"
	    "code: Condition\ncode: Asthma\nsection: Within\n");
	said_cuts(ccda_fields, whole, sizeof(whole) - 1);

	SAID("<?xml version='1.0' encoding='iso-8859-1'?>"
	    DOC("<title>R\xe9sum\xe9</title>"),
	    "title: R\xc3\xa9sum\xc3\xa9\n");
	SAID("<?xml version='1.0' encoding='utf-16'?>"
	    DOC("<title>R\xe9sum\xe9</title><effectiveTime value='2026'/>"),
	    "date: 2026\n");
	SAID("<!DOCTYPE a [<!ENTITY x 'y'>]>" DOC("<title>no</title>"), "");
	SAID(DOC("<title>&x;</title><effectiveTime value='2026'/>"),
	    "date: 2026\n");
	/* What came before the damage stays. */
	SAID("<ClinicalDocument><title>a</title><effectiveTime value='2026'"
	    " <", "title: a\n");
	SAID("</a></a><ClinicalDocument><title>a</title>", "");
	SAID("", "");

	/* Deeper than the path that is remembered, and back again. */
	strcpy(deep, "<ClinicalDocument>");
	for (int i = 0; i < 200; i++)
		strcat(deep, "<a>");
	strcat(deep, "<title>no</title>");
	for (int i = 0; i < 200; i++)
		strcat(deep, "</a>");
	strcat(deep, "<title>yes</title></ClinicalDocument>");
	n = strlen(deep);
	CHECK_STR(said_of(ccda_fields, deep, n), "title: yes\n");

	CHECK(ccda_is(span_str(whole)));
	CHECK(ccda_is(span_str("<ClinicalDocument xmlns='urn:hl7-org:v3'>")));
	CHECK(!ccda_is(span_str("<Other><ClinicalDocument/></Other>")));
	CHECK(!ccda_is(span_str("<ClinicalDocuments>")));
	CHECK(!ccda_is(span_str("<ClinicalDocument")));
	CHECK(!ccda_is(span_str("")));
	return check_done("ccda");
}
