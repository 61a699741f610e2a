/* tty: one line from the terminal without showing it. */
#ifndef CLI_TTY_H
#define CLI_TTY_H

#include <stddef.h>

#include "base/err.h"

/*
 * Print prompt on /dev/tty and read a line with the echo off: *n <= max bytes
 * at line, which has room for one more; its newline is dropped.  The echo is
 * back on before a signal ends or stops this process; stopped and continued,
 * it asks again.  ERR_NO when there is no terminal, at end of file, or when
 * the line has over max bytes.
 */
int tty_ask(char *line, size_t max, size_t *n, const char *prompt,
    struct err *e);

#endif
