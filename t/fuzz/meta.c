/* meta: what is taken for a META.json keeps all limits, file by file. */
#include <assert.h>

#include "base/utf8.h"
#include "record/meta.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

static int
count(void *arg, const char *key, struct span value)
{
	assert(key[0] != '\0' && strlen(key) <= 32);
	assert(value.n <= FIELD_VALUE_MAX && utf8_line(value));
	return ++*(size_t *)arg > FIELDS_MAX;
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct meta_file f;
	size_t values = 0;
	struct meta m;
	struct err e;

	if (meta_parse(&m, span_of(p, n), &e) != 0) {
		assert(e.kind == ERR_BAD && m.root == NULL);
		return 0;
	}
	assert(n <= META_MAX);
	assert(utf8_line(m.description) && utf8_line(m.label));
	assert(m.label.n > 0 && m.label.n <= META_LABEL_MAX);
	for (size_t i = 0; i < m.nfiles; i++) {
		meta_file(&f, &m, i);
		assert(meta_name_ok(f.name) && f.size <= INT64_MAX);
		assert(f.type.n > 0 && utf8_line(f.type));
		values = 0;
		assert(meta_fields(&f, count, &values) == 0);
	}
	meta_free(&m);
	return 0;
}
