/*
 * buf: bytes that grow, with a ceiling.
 *
 * Errors are sticky: an append that would pass the ceiling or finds no memory
 * marks the buffer as failed and changes nothing; so do all later ones.  A
 * caller appends as much as it likes and asks once, with buf_check().
 */
#ifndef BASE_BUF_H
#define BASE_BUF_H

#include "base/err.h"
#include "base/span.h"

struct buf {
	unsigned char *p;	/* owned; NULL while empty */
	size_t len;		/* bytes in use */
	size_t cap;		/* bytes allocated */
	size_t max;		/* ceiling for len, bytes */
	int failed;		/* 0, or the err_kind of the first failure */
};

#define BUF_INIT(ceiling) { NULL, 0, 0, (ceiling), 0 }

void buf_init(struct buf *b, size_t max);

/*
 * Append n bytes; a string; formatted text (of more than 255 bytes needs room
 * for one byte more); one byte.
 */
void buf_add(struct buf *b, const void *p, size_t n);
void buf_adds(struct buf *b, const char *s);
void buf_addf(struct buf *b, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
void buf_addc(struct buf *b, unsigned char c);

/*
 * Make room for n more bytes and return where they go, or NULL when the
 * buffer has failed.  The caller writes there and then adds to b->len.
 */
unsigned char *buf_room(struct buf *b, size_t n);

/* 0 if every append so far succeeded; else -1, ERR_BAD (ceiling) or ERR_SYS. */
int buf_check(const struct buf *b, const char *what, struct err *e);

/* The bytes so far, borrowed until the next append. */
static inline struct span
buf_span(const struct buf *b)
{
	return span_of(b->p, b->len);
}

/* Forget the content, keep the memory. */
void buf_reset(struct buf *b);

/* Release; buf_wipe overwrites first, for secrets.  The buffer is reusable. */
void buf_free(struct buf *b);
void buf_wipe(struct buf *b);

#endif
