/*
 * config_line: one line of a config file at a time, for those who read the
 * file and for those who edit it; only for config*.c.
 */
#ifndef STORE_CONFIG_LINE_H
#define STORE_CONFIG_LINE_H

#include "base/buf.h"

enum config_kind {
	CONFIG_NOTHING,			/* empty, or a comment */
	CONFIG_SECTION,
	CONFIG_ENTRY
};

struct config_reader {
	struct span whole, rest;
	unsigned line;			/* number of the line read last */
	const char *what;		/* for messages; borrowed */
	struct buf section;		/* "section." or "section.sub." */
};

struct config_line {
	enum config_kind kind;
	size_t at, end;			/* offsets of the line and the next */
	struct buf key;			/* "section.name", "section.sub.name" */
	struct buf value;
	size_t value_at, value_end;	/* the value's place, quotes included */
};

void config_reader_init(struct config_reader *r, struct span text,
    const char *what);
void config_reader_free(struct config_reader *r);

/*
 * The next line: 1 it is there, 0 the end, -1 ERR_BAD (names the line).  l is
 * all zero at first; its buffers are used again for each line.
 */
int config_line_read(struct config_line *l, struct config_reader *r,
    struct err *e);
void config_line_free(struct config_line *l);

/* Append a value as it must be written, quoted if need be. */
void config_value_add(struct buf *out, const char *value);

/* The length of the part of a key before its name, its last dot included. */
size_t config_key_section(const char *key);

/*
 * Append the header line of a key's section: [section] or [section "sub"].
 */
void config_section_add(struct buf *out, const char *key);

/* Is key well-formed, in the form that config_line gives? */
bool config_key_ok(const char *key);

#endif
