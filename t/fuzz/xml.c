/* xml: tokens lie within the input, one after the other, and come to an end. */
#include <assert.h>

#include "base/utf8.h"
#include "record/xml.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

static void
within(struct span s, struct span whole)
{
	assert(s.n == 0 || (s.p >= whole.p &&
	    s.p + s.n <= whole.p + whole.n));
}

static void
decode(struct span raw, bool cdata, enum fields_text text)
{
	char out[64];
	size_t n = xml_decode(out, sizeof(out), raw, cdata, text);

	assert(n <= sizeof(out));
	assert(text == FIELDS_UTF8 || utf8_valid(span_of(out, n)));
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct span whole = span_of(p, n), value;
	size_t tokens = 0, left = n;
	struct xml_token t;
	struct xml x;

	xml_init(&x, whole);
	do {
		xml_next(&x, &t);
		assert(x.rest.n < left || t.kind >= XML_CLOSE);
		left = x.rest.n;
		within(t.name, whole);
		within(t.attrs, whole);
		within(t.text, whole);
		assert(t.kind != XML_OPEN || t.name.n + t.attrs.n > 0);
		if (t.kind == XML_OPEN &&
		    xml_attr(t.attrs, "value", &value)) {
			within(value, t.attrs);
			decode(value, false, x.text);
		}
		if (t.kind == XML_TEXT)
			decode(t.text, t.cdata, x.text);
		assert(++tokens <= 2 * n + 1);
	} while (t.kind < XML_END);
	xml_next(&x, &t);
	assert(t.kind >= XML_END);
	return 0;
}
