/*
 * xml: a scanner for XML that we did not write, without memory of its own.
 *
 * It knows tags, attributes, text, CDATA, comments and processing
 * instructions, the five predefined entities and character references.  A
 * document type declaration is refused, and with it every entity trick.  It
 * does not check that tags match by name, nor name spaces.
 */
#ifndef RECORD_XML_H
#define RECORD_XML_H

#include "record/fields.h"

enum xml_kind {
	XML_OPEN,		/* <name attrs>; an empty tag is also closed */
	XML_CLOSE,
	XML_TEXT,		/* between tags, never empty */
	XML_END,		/* the input has been read */
	XML_BAD			/* malformed; nothing comes after this */
};

struct xml {
	struct span rest;
	enum fields_text text;	/* encoding, from the declaration */
	bool empty;		/* the tag read last closes itself */
};

struct xml_token {
	enum xml_kind kind;
	struct span name;	/* of a tag, without its prefix */
	struct span attrs;	/* what an opening tag holds after its name */
	struct span text;	/* as it stands there */
	bool cdata;		/* text holds no references */
};

/* Start at doc, which the scanner and its tokens borrow. */
void xml_init(struct xml *x, struct span doc);

/* The next token. */
void xml_next(struct xml *x, struct xml_token *t);

/* The value of the attribute, quotes removed; false when there is none. */
bool xml_attr(struct span attrs, const char *name, struct span *value);

/*
 * Turn text or an attribute's value into UTF-8 at out: at most max bytes,
 * the rest is cut off.  Returns the length; 0 also when a reference in it is
 * not one that we know.
 */
size_t xml_decode(char *out, size_t max, struct span raw, bool cdata,
    enum fields_text text);

#endif
