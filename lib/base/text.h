/*
 * text: a cursor over the strict line format that all our texts share.
 *
 * A text is UTF-8 lines, each ended by one newline.  A line is "KEY VALUE"
 * with one blank between; keys come in the order that the format fixes; there
 * are no blank lines, trailing blanks, carriage returns or control bytes, so
 * that each value has one encoding.  A value that is itself lines (an
 * embedded note) follows its key line, each of its lines after one blank.
 */
#ifndef BASE_TEXT_H
#define BASE_TEXT_H

#include "base/buf.h"

struct text {
	struct span rest;	/* not yet read */
	unsigned line;		/* number of the line read last, from 1 */
	const char *what;	/* what is being read, for messages; borrowed */
};

void text_init(struct text *t, struct span whole, const char *what);

/* Nothing left? */
bool text_end(const struct text *t);

/* The next line without its newline; ERR_BAD when there is none or it is
 * malformed. */
int text_line(struct text *t, struct span *line, struct err *e);

/* The next line must be "key value": give the value, which is not empty. */
int text_key(struct text *t, const char *key, struct span *value,
    struct err *e);

/* Whether the next line starts with "key " (and so text_key is due). */
bool text_next_is(const struct text *t, const char *key);

/* As text_key, for values of a type. */
int text_u64(struct text *t, const char *key, uint64_t max, uint64_t *out,
    struct err *e);
int text_time(struct text *t, const char *key, int64_t *ms, struct err *e);
int text_hash(struct text *t, const char *key, unsigned char out[32],
    struct err *e);

/*
 * The indented lines that follow: appended to out without their indent.  At
 * least one; out's ceiling is the limit.
 */
int text_block(struct text *t, struct buf *out, struct err *e);

/* ERR_BAD unless everything has been read. */
int text_done(const struct text *t, struct err *e);

/* ERR_BAD, "WHAT, line N: <message>". */
int text_bad(const struct text *t, struct err *e, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

/* Canonical decimal, no sign or leading zero, at most max.  0 or -1. */
int text_parse_u64(uint64_t *out, struct span digits, uint64_t max);

/*
 * Take "KEY LENGTH\n" and LENGTH bytes, at most max, off the front of *rest.
 * 0, or -1 when it does not begin so.
 */
int text_frame(struct span *rest, const char *key, size_t max,
    struct span *data);

/* Split at the next blank: the word before it; *rest is what follows it. */
struct span text_word(struct span *rest);

/* Append data as text_frame takes it. */
void text_add_frame(struct buf *out, const char *key, struct span data);

/* Append each line of lines, indented by one blank. */
void text_add_block(struct buf *out, struct span lines);

#endif
