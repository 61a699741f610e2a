/*
 * err: how every function of the library says what went wrong.
 *
 * A function that can fail takes a struct err * as its last argument and
 * returns 0, or -1 after filling it in.  The kind of an error is also the
 * exit status of the command that meets it (see ehr(1), EXIT STATUS).
 */
#ifndef BASE_ERR_H
#define BASE_ERR_H

#include <stdarg.h>

enum err_kind {
	ERR_NONE = 0,
	ERR_NO = 1,		/* not verified, not found, not permitted */
	ERR_USAGE = 2,		/* the command was called wrongly */
	ERR_BAD = 3,		/* malformed or corrupt input */
	ERR_SYS = 4,		/* the system refused: I/O, memory, disk full */
	ERR_AGAIN = 75		/* no quorum, peer away, locked: try later */
};

struct err {
	enum err_kind kind;
	int errnum;		/* errno of an ERR_SYS error, else 0 */
	char msg[512];		/* one line, no newline, printable UTF-8 */
};

/*
 * Fill *e with the kind and the formatted message.  What may not be in a line
 * (utf8.h) becomes '?', because the message may quote hostile input and go to
 * a terminal.  Always returns -1.
 */
int err_set(struct err *e, enum err_kind kind, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

/* The same with kind ERR_SYS, errno kept and its text appended. */
int err_sys(struct err *e, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

/*
 * Put "<formatted text>: " before the message that *e holds already; kind and
 * errnum stay.  Always returns -1.
 */
int err_wrap(struct err *e, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

#endif
