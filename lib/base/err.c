#include "base/err.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/utf8.h"

int
err_set(struct err *e, enum err_kind kind, const char *fmt, ...)
{
	va_list ap;

	e->kind = kind;
	e->errnum = 0;
	va_start(ap, fmt);
	vsnprintf(e->msg, sizeof(e->msg), fmt, ap);
	va_end(ap);
	utf8_make_line(e->msg);
	return -1;
}

int
err_sys(struct err *e, const char *fmt, ...)
{
	int errnum = errno;
	size_t n;
	va_list ap;

	e->kind = ERR_SYS;
	e->errnum = errnum;
	va_start(ap, fmt);
	vsnprintf(e->msg, sizeof(e->msg), fmt, ap);
	va_end(ap);
	n = strlen(e->msg);
	snprintf(e->msg + n, sizeof(e->msg) - n, ": %s", strerror(errnum));
	utf8_make_line(e->msg);
	return -1;
}

int
err_wrap(struct err *e, const char *fmt, ...)
{
	char tail[sizeof(e->msg)];
	size_t n, m;
	va_list ap;

	memcpy(tail, e->msg, sizeof(tail));
	va_start(ap, fmt);
	vsnprintf(e->msg, sizeof(e->msg) - 2, fmt, ap);
	va_end(ap);
	n = strlen(e->msg);
	memcpy(e->msg + n, ": ", 2);
	n += 2;
	m = strlen(tail);
	if (m > sizeof(e->msg) - 1 - n)
		m = sizeof(e->msg) - 1 - n;
	memcpy(e->msg + n, tail, m);
	e->msg[n + m] = '\0';
	utf8_make_line(e->msg);
	return -1;
}
