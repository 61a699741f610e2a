/* hl7: fields of HL7 v2 messages keep their limits. */
#include "found.h"
#include "record/hl7.h"

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	static struct fields f;

	f.n = 0;
	hl7_is(span_of(p, n));
	hl7_fields(&f, span_of(p, n));
	found_check(&f, "text/plain");
	return 0;
}
