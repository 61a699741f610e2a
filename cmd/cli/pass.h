/*
 * pass: passphrases, from a file or the terminal, never from argv.
 *
 * The file is --passphrase-file, else EHR_PASSPHRASE_FILE; its first line
 * counts.  The terminal is /dev/tty, so that standard input stays free for
 * data; its echo comes back whatever signal ends or stops us.
 */
#ifndef CLI_PASS_H
#define CLI_PASS_H

#include "base/err.h"
#include "base/span.h"
#include "cli/cli.h"

#define PASS_MIN 8	/* characters of a new passphrase */
#define PASS_MAX 1024	/* bytes */

/* Secret: pass_wipe it. */
struct pass {
	char b[PASS_MAX + 2];
	size_t n;
};

static inline struct span
pass_span(const struct pass *p)
{
	return span_of(p->b, p->n);
}

void pass_wipe(struct pass *p);

/* The file that is to be used, or NULL: ask at the terminal. */
const char *pass_file(const struct cli *c);

/*
 * The passphrase that opens what (a file's name, for the prompt).  ERR_NO
 * when there is neither a file nor a terminal, and the message says how to
 * give one.
 */
int pass_get(struct pass *out, struct cli *c, const char *what,
    struct err *e);

/*
 * A passphrase that is to protect what: from file, or, when that is NULL, from
 * the terminal, where it is asked for twice.  ERR_NO when it is shorter than
 * PASS_MIN characters or when the two differ; ERR_BAD when it is not UTF-8.
 */
int pass_new(struct pass *out, struct cli *c, const char *file,
    const char *what, struct err *e);

#endif
