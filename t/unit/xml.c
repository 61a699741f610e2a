/* xml: the tokens of a document, and what is refused. */
#include <stdlib.h>

#include "check.h"
#include "base/buf.h"
#include "record/xml.h"

/* All tokens as one text: <name|attrs> </> [text] and a last word. */
static const char *
tokens(const char *doc, size_t n)
{
	static struct buf out = BUF_INIT(1 << 16);
	unsigned char *copy = malloc(n + 1);
	struct xml_token t;
	struct xml x;

	memcpy(copy, doc, n);
	buf_reset(&out);
	xml_init(&x, span_of(copy, n));
	for (xml_next(&x, &t); t.kind < XML_END; xml_next(&x, &t)) {
		if (t.kind == XML_OPEN)
			buf_addf(&out, "<%.*s|%.*s>", SPAN_FMT(t.name),
			    SPAN_FMT(t.attrs));
		else if (t.kind == XML_CLOSE)
			buf_adds(&out, "</>");
		else
			buf_addf(&out, "[%s%.*s]", t.cdata ? "!" : "",
			    SPAN_FMT(t.text));
	}
	buf_adds(&out, t.kind == XML_END ? "." : "?");
	xml_next(&x, &t);
	CHECK(t.kind >= XML_END);
	buf_addc(&out, '\0');
	free(copy);
	return (const char *)out.p;
}

#define TOKENS(doc, want) CHECK_STR(tokens(doc, strlen(doc)), want)

static const char whole[] =
    "\xef\xbb\xbf<?xml version=\"1.0\"?><!-- <no> --><a b='1>2'>x"
    "<?pi?><![CDATA[<&>]]><n:c d = \"e\"/></a >\n";

static void
documents(void)
{
	TOKENS(whole, "<a| b='1>2'>[x][!<&>]<c| d = \"e\"></></>[\n].");
	TOKENS("", ".");
	TOKENS("text", "[text].");
	TOKENS("<a/>", "<a|></>.");
	TOKENS("<!DOCTYPE a><a/>", "?");
	TOKENS("<!ENTITY x 'y'>", "?");
	TOKENS("<a><!-- no end </a>", "<a|>?");
	TOKENS("<a><![CDATA[ no end </a>", "<a|>?");
	TOKENS("<?no end", "?");
	TOKENS("<a b='no end></a>", "?");
	TOKENS("<a b=<c>/>", "?");
	TOKENS("<", "?");
	TOKENS("<>", "?");
	TOKENS("</>", "?");
	TOKENS("< a>", "?");
	TOKENS("< />", "?");
	TOKENS("<a:>", "?");
	for (size_t n = 0; n < sizeof(whole) - 1; n++)
		tokens(whole, n);
}

static const char *
attr(const char *attrs, const char *name)
{
	static char out[64];
	struct span v;

	if (!xml_attr(span_str(attrs), name, &v))
		return "-";
	snprintf(out, sizeof(out), "%.*s", SPAN_FMT(v));
	return out;
}

static void
attributes(void)
{
	CHECK_STR(attr(" a='1' b=\"2\"", "b"), "2");
	CHECK_STR(attr(" a='1' b=\"2\"", "a"), "1");
	CHECK_STR(attr(" a = '' b='2'", "a"), "");
	CHECK_STR(attr(" ab='1'", "a"), "-");
	CHECK_STR(attr(" a='b=3'", "b"), "-");
	CHECK_STR(attr(" a=1 b='2'", "b"), "-");
	CHECK_STR(attr(" a='1", "a"), "-");
	CHECK_STR(attr(" a", "a"), "-");
	CHECK_STR(attr(" a=", "a"), "-");
	CHECK_STR(attr("", "a"), "-");
}

static const char *
decoded(const char *raw, enum fields_text text)
{
	static char out[9];
	size_t n = xml_decode(out, sizeof(out) - 1, span_str(raw), false,
	    text);

	out[n] = '\0';
	return out;
}

static void
references(void)
{
	CHECK_STR(decoded("a&lt;&gt;&amp;", FIELDS_UTF8), "a<>&");
	CHECK_STR(decoded("&quot;&apos;", FIELDS_UTF8), "\"'");
	CHECK_STR(decoded("&#233;&#xE9;", FIELDS_UTF8),
	    "\xc3\xa9\xc3\xa9");
	CHECK_STR(decoded("&#x1F418;", FIELDS_UTF8), "\xf0\x9f\x90\x98");
	CHECK_STR(decoded("&nbsp;", FIELDS_UTF8), "");
	CHECK_STR(decoded("&#xD800;", FIELDS_UTF8), "");
	CHECK_STR(decoded("&#x110000;", FIELDS_UTF8), "");
	CHECK_STR(decoded("&#;", FIELDS_UTF8), "");
	CHECK_STR(decoded("&#1A;", FIELDS_UTF8), "");
	CHECK_STR(decoded("&#x;", FIELDS_UTF8), "");
	CHECK_STR(decoded("&#0;", FIELDS_UTF8), "");
	CHECK_STR(decoded("&amp", FIELDS_UTF8), "");
	CHECK_STR(decoded("&", FIELDS_UTF8), "");
	CHECK_STR(decoded("caf\xe9", FIELDS_LATIN1), "caf\xc3\xa9");
	CHECK_STR(decoded("caf\xe9", FIELDS_ASCII), "");
	CHECK_STR(decoded("0123456\xc3\xa9", FIELDS_UTF8), "0123456");
}

static enum fields_text
encoding(const char *doc)
{
	struct xml x;

	xml_init(&x, span_str(doc));
	return x.text;
}

static void
encodings(void)
{
	CHECK(encoding("<?xml version='1.0' encoding='UTF-8'?><a/>") ==
	    FIELDS_UTF8);
	CHECK(encoding("<?xml version='1.0' encoding=\"utf-8\"?>") ==
	    FIELDS_UTF8);
	CHECK(encoding("<?xml version='1.0'?>") == FIELDS_UTF8);
	CHECK(encoding("<?xml encoding='iso-8859-1' ?>") == FIELDS_LATIN1);
	CHECK(encoding("<?xml encoding='ISO-8859-1'?>") == FIELDS_LATIN1);
	CHECK(encoding("<?xml encoding='windows-1252'?>") == FIELDS_ASCII);
	CHECK(encoding("<?xmlencoding='koi8-r'?>") == FIELDS_UTF8);
	CHECK(encoding("<?xml-stylesheet encoding='koi8-r'?>") ==
	    FIELDS_UTF8);
}

int
main(void)
{
	documents();
	attributes();
	references();
	encodings();
	return check_done("xml");
}
