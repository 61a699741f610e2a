#include "record/media.h"

#include "base/utf8.h"
#include "record/ccda.h"
#include "record/dicom.h"
#include "record/fhir.h"
#include "record/hl7.h"
#include "record/xml.h"

static const char ccda_type[] = "application/cda+xml";
static const char dicom_type[] = "application/dicom";
static const char fhir_type[] = "application/fhir+json";
static const char hl7_type[] = "x-application/hl7-v2+er7";

/* Bytes that a format starts with. */
static const struct {
	const char *bytes;
	size_t n;
	const char *type;
} magic[] = {
	{ "%PDF-", 5, "application/pdf" },
	{ "\xff\xd8\xff", 3, "image/jpeg" },
	{ "\x89PNG\r\n\x1a\n", 8, "image/png" },
	{ "GIF87a", 6, "image/gif" },
	{ "GIF89a", 6, "image/gif" },
	{ "II*\0", 4, "image/tiff" },
	{ "MM\0*", 4, "image/tiff" },
	{ "{\\rtf", 5, "application/rtf" },
	{ "\x1f\x8b", 2, "application/gzip" },
};

/* What a name may say when the content says nothing, or only "text". */
static const struct {
	const char *ext;
	const char *type;
	bool text;
} named[] = {
	{ "csv", "text/csv", true },
	{ "dcm", dicom_type, false },
	{ "docx", "application/vnd.openxmlformats-officedocument."
	    "wordprocessingml.document", false },
	{ "gz", "application/gzip", false },
	{ "htm", "text/html", true },
	{ "html", "text/html", true },
	{ "jpeg", "image/jpeg", false },
	{ "jpg", "image/jpeg", false },
	{ "json", "application/json", true },
	{ "md", "text/markdown", true },
	{ "mp4", "video/mp4", false },
	{ "odt", "application/vnd.oasis.opendocument.text", false },
	{ "pdf", "application/pdf", false },
	{ "png", "image/png", false },
	{ "tif", "image/tiff", false },
	{ "tiff", "image/tiff", false },
	{ "txt", "text/plain", true },
	{ "xlsx", "application/vnd.openxmlformats-officedocument."
	    "spreadsheetml.sheet", false },
	{ "xml", "application/xml", true },
	{ "zip", "application/zip", false },
};

static const char *
by_magic(struct span head)
{
	for (size_t i = 0; i < sizeof(magic) / sizeof(magic[0]); i++)
		if (head.n >= magic[i].n &&
		    memcmp(head.p, magic[i].bytes, magic[i].n) == 0)
			return magic[i].type;
	return NULL;
}

static bool
same_ext(const char *a, const char *lower)
{
	for (; *a != '\0' && *lower != '\0'; a++, lower++)
		if (*a != *lower && !(*a >= 'A' && *a <= 'Z' &&
		    *a - 'A' + 'a' == *lower))
			return false;
	return *a == *lower;
}

/* text: the content is text, so only a kind of text is believed. */
static const char *
by_name(const char *name, bool text)
{
	const char *dot = strrchr(name, '.');

	if (dot == NULL)
		return NULL;
	for (size_t i = 0; i < sizeof(named) / sizeof(named[0]); i++)
		if (same_ext(dot + 1, named[i].ext) &&
		    (!text || named[i].text))
			return named[i].type;
	return NULL;
}

/* Is head XML with a first element, and which is not a CDA document? */
static const char *
xml_type(struct span head)
{
	struct xml_token t;
	struct span value;
	struct xml x;

	xml_init(&x, head);
	if (x.rest.n == 0 || x.rest.p[0] != '<')
		return NULL;
	xml_next(&x, &t);
	while (t.kind == XML_TEXT)
		xml_next(&x, &t);
	if (t.kind != XML_OPEN)
		return NULL;
	if (xml_attr(t.attrs, "xmlns", &value)) {
		if (span_is(value, "http://hl7.org/fhir"))
			return "application/fhir+xml";
		if (span_is(value, "http://www.w3.org/1999/xhtml"))
			return "application/xhtml+xml";
	}
	return span_is(t.name, "html") ? "text/html" : "application/xml";
}

static bool
is_text(struct span head)
{
	size_t n = head.n;

	if (n == FIELDS_LOOK_MAX)	/* cut, perhaps within a character */
		n = fields_whole((const char *)head.p, n);
	for (size_t i = 0; i < n; i++)
		if (head.p[i] < 0x20 && (head.p[i] < '\t' || head.p[i] > '\r'))
			return false;
	return n > 0 && utf8_valid(span_of(head.p, n));
}

const char *
media_type(struct span head, const char *name)
{
	const char *type, *guess;

	if (dicom_is(head))
		return dicom_type;
	if ((type = by_magic(head)) != NULL)
		return type;
	if (hl7_is(head))
		return hl7_type;
	if (fhir_is(head))
		return fhir_type;
	if (ccda_is(head))
		return ccda_type;
	if ((type = xml_type(head)) != NULL)
		return type;
	if (is_text(head)) {
		guess = by_name(name, true);
		return guess != NULL ? guess : "text/plain";
	}
	if ((guess = by_name(name, false)) != NULL)
		return guess;
	return span_starts(head, "PK\x03\x04") ? "application/zip" :
	    "application/octet-stream";
}

const char *
media_look(struct fields *out, struct span head, const char *name)
{
	const char *type = media_type(head, name);

	if (type == fhir_type)
		fhir_fields(out, head);
	else if (type == hl7_type)
		hl7_fields(out, head);
	else if (type == ccda_type)
		ccda_fields(out, head);
	else if (type == dicom_type)
		dicom_fields(out, head);
	return type;
}
