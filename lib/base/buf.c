#define _GNU_SOURCE	/* explicit_bzero */
#include "base/buf.h"

#include <stdio.h>
#include <stdlib.h>

void
buf_init(struct buf *b, size_t max)
{
	*b = (struct buf)BUF_INIT(max);
}

unsigned char *
buf_room(struct buf *b, size_t n)
{
	size_t want, cap;
	unsigned char *p;

	if (b->failed)
		return NULL;
	if (n > b->max || b->len > b->max - n) {
		b->failed = ERR_BAD;
		return NULL;
	}
	want = b->len + n;
	if (want <= b->cap && b->p != NULL)
		return b->p + b->len;
	cap = b->cap < 64 ? 64 : b->cap;
	while (cap < want)
		cap = cap > SIZE_MAX / 2 ? want : cap * 2;
	/*
	 * Not realloc: it may leave a copy of a secret behind, and a buffer
	 * does not know whether it holds one.
	 */
	p = malloc(cap);
	if (p == NULL) {
		b->failed = ERR_SYS;
		return NULL;
	}
	if (b->p != NULL) {
		memcpy(p, b->p, b->len);
		explicit_bzero(b->p, b->cap);
		free(b->p);
	}
	b->p = p;
	b->cap = cap;
	return b->p + b->len;
}

void
buf_add(struct buf *b, const void *p, size_t n)
{
	unsigned char *to;

	if (n == 0 || (to = buf_room(b, n)) == NULL)
		return;
	memcpy(to, p, n);
	b->len += n;
}

void
buf_adds(struct buf *b, const char *s)
{
	buf_add(b, s, strlen(s));
}

void
buf_addc(struct buf *b, unsigned char c)
{
	buf_add(b, &c, 1);
}

void
buf_addf(struct buf *b, const char *fmt, ...)
{
	char small[256];
	unsigned char *to;
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(small, sizeof(small), fmt, ap);
	va_end(ap);
	if (n < 0) {
		b->failed = ERR_SYS;
		return;
	}
	if ((size_t)n < sizeof(small)) {
		buf_add(b, small, (size_t)n);
		return;
	}
	if ((to = buf_room(b, (size_t)n + 1)) == NULL)
		return;
	va_start(ap, fmt);
	vsnprintf((char *)to, (size_t)n + 1, fmt, ap);
	va_end(ap);
	b->len += (size_t)n;
}

int
buf_check(const struct buf *b, const char *what, struct err *e)
{
	switch (b->failed) {
	case 0:
		return 0;
	case ERR_BAD:
		return err_set(e, ERR_BAD, "%s: longer than %zu bytes", what,
		    b->max);
	default:
		return err_set(e, ERR_SYS, "%s: out of memory", what);
	}
}

void
buf_reset(struct buf *b)
{
	b->len = 0;
	b->failed = 0;
}

void
buf_free(struct buf *b)
{
	free(b->p);
	buf_init(b, b->max);
}

void
buf_wipe(struct buf *b)
{
	if (b->p != NULL)
		explicit_bzero(b->p, b->cap);
	buf_free(b);
}
