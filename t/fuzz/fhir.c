/* fhir: fields of FHIR resources keep their limits. */
#include "found.h"
#include "record/fhir.h"

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	static struct fields f;

	f.n = 0;
	fhir_is(span_of(p, n));
	fhir_fields(&f, span_of(p, n));
	found_check(&f, "text/plain");
	return 0;
}
