/* What cli.h promises about stderr, stdout and the exit status. */
#include <assert.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>

#include "cli/cli.h"

#define LINE_LEN 2048

/*
 * One write for a line, so that those of two commands in a pipe do not mix.
 * What was printed on stdout before comes before it.
 */
static void __attribute__((format(printf, 2, 0)))
say(struct cli *c, const char *fmt, va_list ap, const char *tail)
{
	char line[LINE_LEN];
	size_t start, n;

	fflush(stdout);
	start = (size_t)snprintf(line, sizeof(line), "%s",
	    c->progress_up ? "\r\033[K" : "");
	c->progress_up = false;
	n = start + (size_t)snprintf(line + start, 128, "%.100s: ",
	    c->spec->name);
	vsnprintf(line + n, sizeof(line) - n - 64, fmt, ap);
	n += strlen(line + n);
	n += (size_t)snprintf(line + n, sizeof(line) - n - 1, "%.60s", tail);
	/* A message may quote hostile input: no terminal escapes. */
	for (size_t i = start; i < n; i++)
		if ((unsigned char)line[i] < 0x20 || line[i] == 0x7f)
			line[i] = '?';
	line[n++] = '\n';
	if (write(STDERR_FILENO, line, n) < 0)
		return;		/* there is no other place to complain */
}

static void __attribute__((format(printf, 2, 3)))
say_error(struct cli *c, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	say(c, fmt, ap, "");
	va_end(ap);
}

int
cli_fail(struct cli *c, const struct err *e)
{
	/* "No error" as an exit status would look like success. */
	assert(e->kind != ERR_NONE);
	if (e->kind == ERR_USAGE)
		return cli_usage(c, "%s", e->msg);
	say_error(c, "%s", e->msg);
	return (int)e->kind;
}

int
cli_usage(struct cli *c, const char *fmt, ...)
{
	char tail[64];
	va_list ap;

	snprintf(tail, sizeof(tail), "; see %.40s(1)", c->spec->name);
	va_start(ap, fmt);
	say(c, fmt, ap, tail);
	va_end(ap);
	return ERR_USAGE;
}

void
cli_note(struct cli *c, const char *fmt, ...)
{
	va_list ap;

	if (c->quiet)
		return;
	va_start(ap, fmt);
	say(c, fmt, ap, "");
	va_end(ap);
}

void
cli_verbose(struct cli *c, const char *fmt, ...)
{
	va_list ap;

	if (!c->verbose)
		return;
	va_start(ap, fmt);
	say(c, fmt, ap, "");
	va_end(ap);
}

void
cli_put(struct span data)
{
	/* A failure stays in ferror(stdout) until the end. */
	if (data.n > 0 && fwrite(data.p, 1, data.n, stdout) != data.n)
		return;
}

int
cli_close_stdout(struct cli *c, int status)
{
	bool lost = ferror(stdout) != 0;
	int errnum = lost ? errno : 0;

	if (fflush(stdout) != 0 && !lost) {
		lost = true;
		errnum = errno;
	}
	if (fclose(stdout) != 0 && !lost) {
		lost = true;
		errnum = errno;
	}
	if (!lost)
		return status;
	say_error(c, "standard output: %s", strerror(errnum));
	return cli_worse(status, ERR_SYS);
}
