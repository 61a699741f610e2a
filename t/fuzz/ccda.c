/* ccda: fields of C-CDA documents keep their limits. */
#include "found.h"
#include "record/ccda.h"

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	static struct fields f;

	f.n = 0;
	ccda_is(span_of(p, n));
	ccda_fields(&f, span_of(p, n));
	found_check(&f, "text/plain");
	return 0;
}
