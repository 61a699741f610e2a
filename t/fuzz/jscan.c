/*
 * jscan: of what the JSON parser accepts, jscan finds all members and
 * elements, and each of them the parser accepts too.
 */
#include <assert.h>
#include <jansson.h>

#include "record/jscan.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

static json_t *
parse(struct span s)
{
	json_error_t why;

	return json_loadb((const char *)s.p, s.n, JSON_REJECT_DUPLICATES |
	    JSON_DECODE_ANY, &why);
}

static void
walk(struct span doc, char bracket, json_t *whole)
{
	struct span key, value;
	struct jscan s;
	size_t n = 0;

	if (!jscan_enter(&s, doc, bracket)) {
		assert(whole == NULL);
		return;
	}
	for (; jscan_next(&s, &key, &value); n++) {
		json_t *part;

		assert(value.n > 0 && value.p >= doc.p &&
		    value.p + value.n <= doc.p + doc.n);
		if (whole == NULL)
			continue;
		part = parse(value);
		assert(part != NULL);
		assert(bracket == '{' ||
		    json_equal(part, json_array_get(whole, n)));
		json_decref(part);
	}
	if (whole != NULL)
		assert(n == (bracket == '{' ? json_object_size(whole) :
		    json_array_size(whole)));
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct span doc = span_of(p, n);
	json_t *whole = parse(doc);

	walk(doc, '{', json_is_object(whole) ? whole : NULL);
	walk(doc, '[', json_is_array(whole) ? whole : NULL);
	jscan_memory(doc);
	json_decref(whole);
	return 0;
}
