/*
 * media: any bytes have a type that META.json can hold, the same with and
 * without a look at their fields.  The first line is the name.
 */
#include "found.h"
#include "record/media.h"

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	static struct fields f;
	const uint8_t *end = n == 0 ? NULL : memchr(p, '\n', n);
	char name[64] = "";
	const char *type;
	size_t len;

	if (end != NULL && (len = (size_t)(end - p)) < sizeof(name)) {
		memcpy(name, p, len);
		n -= len + 1;
		p = end + 1;
	}
	f.n = 0;
	type = media_look(&f, span_of(p, n), name);
	assert(type == media_type(span_of(p, n), name));
	found_check(&f, type);
	return 0;
}
