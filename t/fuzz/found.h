/* found: what must hold of fields, whatever they were read from. */
#ifndef FUZZ_FOUND_H
#define FUZZ_FOUND_H

#include <assert.h>
#include <stdlib.h>

#include "base/utf8.h"
#include "record/meta.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

struct found {
	const struct fields *f;
	size_t seen;
};

/* A value that META.json gives back must be one that was put in. */
static inline int
found_value(void *arg, const char *key, struct span value)
{
	struct found *x = arg;

	x->seen++;
	for (size_t i = 0; i < x->f->n; i++)
		if (strcmp(field_key_name(x->f->v[i].key), key) == 0 &&
		    span_eq(field_value(&x->f->v[i]), value))
			return 0;
	return 1;
}

/* Short lines, none twice; and META.json holds all of them. */
static inline void
found_check(const struct fields *f, const char *type)
{
	struct buf json = BUF_INIT(META_MAX);
	struct found x = { f, 0 };
	struct meta_writer *w;
	struct meta_file file;
	struct meta m;
	struct err e;

	assert(f->n <= FIELDS_MAX);
	for (size_t i = 0; i < f->n; i++) {
		assert(f->v[i].n > 0 && f->v[i].n <= FIELD_VALUE_MAX);
		assert(utf8_line(field_value(&f->v[i])));
		for (size_t k = 0; k < i; k++)
			assert(f->v[i].key != f->v[k].key ||
			    !span_eq(field_value(&f->v[i]),
			    field_value(&f->v[k])));
	}
	w = meta_writer_new(span_str("d"), span_str("l"), &e);
	assert(w != NULL);
	assert(meta_add(w, span_str("name"), type, 7, f, &e) == 0);
	assert(meta_finish(w, &json, &e) == 0);
	assert(json.len <= META_WRITE_MAX);
	assert(meta_parse(&m, buf_span(&json), &e) == 0);
	assert(m.nfiles == 1 && !m.truncated);
	meta_file(&file, &m, 0);
	assert(meta_fields(&file, found_value, &x) == 0 && x.seen == f->n);
	meta_free(&m);
	meta_writer_free(w);
	buf_free(&json);
}

#endif
