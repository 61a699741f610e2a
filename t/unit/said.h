/* said: fields as text, "key: value" lines, to compare with what is wanted. */
#ifndef UNIT_SAID_H
#define UNIT_SAID_H

#include <stdlib.h>

#include "check.h"
#include "record/fields.h"

static struct fields said_fields;
static char said_text[FIELDS_MAX * (FIELD_VALUE_MAX + 16) + 1];

/* The text of f, until the next call. */
static inline const char *
said(const struct fields *f)
{
	size_t n = 0;

	said_text[0] = '\0';
	for (size_t i = 0; i < f->n; i++)
		n += (size_t)snprintf(said_text + n, sizeof(said_text) - n,
		    "%s: %.*s\n", field_key_name(f->v[i].key),
		    (int)f->v[i].n, f->v[i].value);
	return said_text;
}

/* What an extractor finds in bytes that are exactly as long as they say. */
typedef void said_extractor(struct fields *, struct span);
static inline const char *
said_of(said_extractor *extract, const void *p, size_t n)
{
	unsigned char *copy = malloc(n + (n == 0));

	memcpy(copy, p, n);
	said_fields.n = 0;
	extract(&said_fields, span_of(copy, n));
	free(copy);
	return said(&said_fields);
}

/* It must bear every beginning of the bytes, for the sanitizers to see. */
static inline void
said_cuts(said_extractor *extract, const void *p, size_t n)
{
	for (size_t i = 0; i < n; i++)
		said_of(extract, p, i);
}

#endif
