/*
 * fields: what an index wants to know of a file's content.
 *
 * Extractors fill a struct fields from hostile bytes; they cannot fail, only
 * find less.  Every value is one line of UTF-8 without control characters,
 * and short, so that whoever shows it needs no further care.
 */
#ifndef RECORD_FIELDS_H
#define RECORD_FIELDS_H

#include "base/span.h"

#define FIELDS_MAX 64			/* values of one file */
#define FIELD_VALUE_MAX 256		/* bytes of a value */
#define FIELDS_LOOK_MAX (8u << 20)	/* bytes of a file that are looked at */

/* One vocabulary for all formats; ehr-record(5) says what each one holds. */
enum field_key {
	FIELD_TYPE,
	FIELD_ID,
	FIELD_PATIENT,
	FIELD_BIRTH_DATE,
	FIELD_DATE,
	FIELD_FACILITY,
	FIELD_TITLE,
	FIELD_SECTION,
	FIELD_CODE,
	FIELD_BODY_PART,
	FIELD_KEYS			/* how many there are */
};

/* How the bytes of a value are to be read. */
enum fields_text {
	FIELDS_UTF8,			/* declared so, or nothing declared */
	FIELDS_LATIN1,			/* ISO 8859-1 */
	FIELDS_ASCII			/* something else: only ASCII is safe */
};

struct field {
	enum field_key key;
	size_t n;			/* bytes of value */
	char value[FIELD_VALUE_MAX];	/* no NUL */
};

struct fields {
	size_t n;
	struct field v[FIELDS_MAX];
};

/* The key as META.json spells it; static. */
const char *field_key_name(enum field_key key);

static inline struct span
field_value(const struct field *f)
{
	return span_of(f->value, f->n);
}

/*
 * Add a value: runs of white space become one blank, none at the ends; what
 * is longer than FIELD_VALUE_MAX is cut at a character.  Nothing is added
 * when the value is empty, is there already, is not valid text, or when the
 * key has its share of the places (so that many codes leave room for a name).
 */
void fields_add(struct fields *f, enum field_key key, struct span raw,
    enum fields_text text);

/*
 * Add the day that a time of HL7, DICOM, CDA or FHIR lies in, as YYYY-MM-DD,
 * YYYY-MM or YYYY; nothing when raw does not start with one.
 */
void fields_add_day(struct fields *f, enum field_key key, struct span raw);

/* Write code point cp, a Unicode scalar value, as 1 to 4 bytes; how many. */
size_t fields_utf8(char out[4], uint32_t cp);

/* n, less an UTF-8 sequence at the end that was cut short. */
size_t fields_whole(const char *p, size_t n);

#endif
