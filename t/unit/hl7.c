/* hl7: what is read from version 2 messages. */
#include "said.h"
#include "record/hl7.h"

#define SAID(text, want) \
	CHECK_STR(said_of(hl7_fields, text, sizeof(text) - 1), want)

static const char result[] =
    "MSH|^~\\&|LAB|Hospital A^2.16^ISO|EHR|B|20260303081500+0200||"
    "ORU^R01^ORU_R01|A-417|P|2.5.1\r"
    "PID|1||A-1^^^A^MR||Dlamini^Anne^Thandi^Jr^Mrs~Other^Name||19910412|F\r"
    "OBR|1||L-5|58410-2^Blood count^LN\r"
    "OBX|1|NM|718-7^Hemoglobin^LN||13.4|g/dL\r"
    "OBX|2|NM|718-7||13.4\r"
    "OBX|3|NM|^^^B12^Vitamin B12^L||1\r"
    "AL1|1|DA|7980^penicillin G^RX\r"
    "DG1|1||J45^Asthma^I10\r"
    "ZZZ|1||ignored^ignored\r";

static void
messages(void)
{
	SAID(result, "type: ORU^R01\nid: A-417\nfacility: Hospital A\n"
	    "date: 2026-03-03\npatient: Anne Thandi Dlamini Jr\n"
	    "birthDate: 1991-04-12\ncode: Blood count\ncode: Hemoglobin\n"
	    "code: 718-7\ncode: Vitamin B12\ncode: penicillin G\n"
	    "code: Asthma\n");
	/* Other ends of segments, other separators, a frame around it. */
	SAID("MSH|^~\\&|||||2026||ADT^A01|7\r\nPID|||||Naidoo^Bill\r\n",
	    "type: ADT^A01\nid: 7\ndate: 2026\npatient: Bill Naidoo\n");
	SAID("MSH|^~\\&|||||2026||ADT|7\nPID|||||Naidoo^Bill\n",
	    "type: ADT\nid: 7\ndate: 2026\npatient: Bill Naidoo\n");
	SAID("\x0bMSH$%~\\&$$$$$2026$$ADT%A01$7\rPID$$$$$Naidoo%Bill\x1c\r",
	    "type: ADT%A01\nid: 7\ndate: 2026\n");
	SAID("FHS|^~\\&|x\rBHS|^~\\&|x\rMSH|^~\\&|||||2026||ADT|7\r"
	    "PID|||||A^B\rMSH#+~\\&#####2025##ADT#8\rPID#####C+D\rBTS|2\r",
	    "type: ADT\nid: 7\ndate: 2026\npatient: B A\ndate: 2025\n"
	    "patient: D C\n");
	SAID("MSH|^~\\!|||||||ADT|7\rPID|||||Naidoo^Bill~Other^Name\r"
	    "OBX|1||1^a\\T\\b\rOBXX|1||1^no\rPID|||||van Wyk!van!Wyk^Tim",
	    "type: ADT\nid: 7\npatient: Bill Naidoo\ncode: a!b\n"
	    "patient: Tim van Wyk\n");
	SAID("MSH|^~\\&|||||||ADT|7\rPID|||||\"\"||\"\"\r",
	    "type: ADT\nid: 7\n");
	/* Nothing before the first header counts. */
	SAID("PID|||||Naidoo^Bill\r", "");
	SAID("MSH|", "");
	SAID("", "");
}

static void
escapes(void)
{
	SAID("MSH|^~\\&|||||||ADT|7\rOBX|1||1^a\\F\\b\\S\\c\\T\\d\\R\\e\\E\\f\r",
	    "type: ADT\nid: 7\ncode: a|b^c&d~e\\f\n");
	SAID("MSH|^~\\&|||||||ADT|7\rOBX|1||1^a\\.br\\b\\X0D\\c\\H\\d\r",
	    "type: ADT\nid: 7\ncode: a b c d\n");
	SAID("MSH|^~\\&|||||||ADT|7\rOBX|1||1^100 \\ 2\r",
	    "type: ADT\nid: 7\ncode: 100 \\ 2\n");
}

static void
charsets(void)
{
	SAID("MSH|^~\\&|||||||ADT|7||||||||8859/1\rPID|||||Mej\xed" "a\r",
	    "type: ADT\nid: 7\npatient: Mej\xc3\xad" "a\n");
	SAID("MSH|^~\\&|||||||ADT|7||||||||UNICODE UTF-8\r"
	    "PID|||||Mej\xc3\xad" "a\r",
	    "type: ADT\nid: 7\npatient: Mej\xc3\xad" "a\n");
	SAID("MSH|^~\\&|||||||ADT|7\rPID|||||Mej\xc3\xad" "a\r",
	    "type: ADT\nid: 7\npatient: Mej\xc3\xad" "a\n");
	SAID("MSH|^~\\&|||||||ADT|7\rPID|||||Mej\xed" "a||1991\r",
	    "type: ADT\nid: 7\nbirthDate: 1991\n");
	SAID("MSH|^~\\&|||||||ADT|7||||||||8859/2\rPID|||||Mej\xc3\xad\r",
	    "type: ADT\nid: 7\n");
}

static void
detected(void)
{
	CHECK(hl7_is(span_str("MSH|^~\\&|")));
	CHECK(hl7_is(span_str("\x0bMSH|^~\\&|")));
	CHECK(hl7_is(span_str("BHS|^~\\&|")));
	CHECK(hl7_is(span_str("FHS#^~\\&#")));
	CHECK(!hl7_is(span_str("MSH|^~\\")));
	CHECK(!hl7_is(span_str("MSHA^~\\&|")));
	CHECK(!hl7_is(span_str("MSH |||||||")));
	CHECK(!hl7_is(span_str("PID|^~\\&|")));
	CHECK(!hl7_is(span_str("")));
}

/* A long value is cut; many messages do not fill the places of others. */
static void
bounded(void)
{
	static char text[200000];
	size_t n = (size_t)sprintf(text, "MSH|^~\\&|||||||ADT|7\rOBX|1||1^");

	memset(text + n, 'x', 5000);
	said_of(hl7_fields, text, n + 5000);
	CHECK(said_fields.n == 3 && said_fields.v[2].n == FIELD_VALUE_MAX);
	for (n = 0; n < sizeof(text) - 100; )
		n += (size_t)sprintf(text + n, "MSH|^~\\&|||||||T%zu|7\r"
		    "OBX|1||1^c%zu\r", n, n);
	n += (size_t)sprintf(text + n, "PID|||||Last^One\r");
	CHECK(strstr(said_of(hl7_fields, text, n), "patient: One Last\n") !=
	    NULL);
}

int
main(void)
{
	messages();
	escapes();
	charsets();
	detected();
	bounded();
	said_cuts(hl7_fields, result, sizeof(result) - 1);
	return check_done("hl7");
}
