/*
 * cli: what all commands share: options, messages, exit status, output.
 *
 * A command's main parses, makes one or two calls of the library, and ends:
 *
 *	static const struct cli_spec spec = {
 *		.name = "ehr-thing",
 *		.usage = "usage: ehr-thing [-C DIR] [--fast] ID...\n",
 *		.takes = CLI_DIR | CLI_IDENTITY | CLI_JSON,
 *	};
 *	...
 *	struct cli_opt opt[] = {
 *		{ 'f', "fast", CLI_FLAG, &fast, 0 },
 *		{ 0 }
 *	};
 *	cli_parse(&c, &spec, opt, argc, argv);
 *	if (thing(&c, &e) != 0)
 *		return cli_fail(&c, &e);
 *	return cli_close_stdout(&c, 0);
 *
 * Nothing here may be called by two threads at once.
 */
#ifndef CLI_CLI_H
#define CLI_CLI_H

#include "base/err.h"
#include "base/span.h"

#define CLI_LIST_MAX 256	/* times that an option may be repeated */

/* Options of all commands that a command takes; -q -v -h --version: always. */
enum {
	CLI_DIR = 1 << 0,	/* -C DIR */
	CLI_IDENTITY = 1 << 1,	/* -i FILE, --passphrase-file FILE */
	CLI_JSON = 1 << 2,	/* --json */
	CLI_NUL = 1 << 3,	/* -z */
	/* Options end at the first argument (only the dispatcher needs it). */
	CLI_ORDERED = 1 << 4
};

/* The values of an option that may be repeated; borrowed from argv. */
struct cli_list {
	const char *v[CLI_LIST_MAX];
	size_t n;
};

enum cli_kind {
	CLI_FLAG = 1,		/* no value; to is a bool * */
	CLI_TEXT,		/* to is a const char ** */
	CLI_NUMBER,		/* canonical decimal up to max; an uint64_t * */
	CLI_LIST		/* may be repeated; a struct cli_list * */
};

/*
 * An option of one command.  It comes before one of the same name that all
 * commands have.  What is not given keeps its value.
 */
struct cli_opt {
	char letter;		/* or 0: only the long name */
	const char *name;	/* without "--"; or NULL: only the letter */
	enum cli_kind kind;
	void *to;
	uint64_t max;		/* of a CLI_NUMBER */
};

struct cli_spec {
	const char *name;	/* "ehr-add" */
	const char *usage;	/* what -h prints: whole lines */
	unsigned takes;		/* CLI_DIR | ... */
};

struct cli {
	const struct cli_spec *spec;
	const char *dir;		/* -C, or NULL; for repo_open() */
	struct cli_list identity;	/* -i */
	const char *passphrase_file;	/* --passphrase-file, or NULL */
	bool json, nul, quiet, verbose;
	int argc;			/* arguments that are no options, */
	char **argv;			/* NULL-terminated */
	bool progress_up;		/* a progress line is on the terminal */
};

/*
 * Take the options out of argv, wherever they stand before "--".  opt ends
 * with { 0 }, or is NULL.  c->argv is then what is left; it reorders argv.
 * -h and --version print and exit 0; a bad option is one line and exit 2.
 * Also keeps our memory from core files and debuggers, puts SIGPIPE back to
 * its default, makes a limit on file sizes an error like a full disk, and makes
 * sure that descriptors 0 to 2 are open.
 */
void cli_parse(struct cli *c, const struct cli_spec *spec,
    const struct cli_opt *opt, int argc, char **argv);

/* Take the next argument (a verb, say), or NULL when there is none. */
const char *cli_shift(struct cli *c);

/* One line on stderr, "ehr-thing: <message>"; the value is the exit status. */
int cli_fail(struct cli *c, const struct err *e);

/* The same for a wrong call, with "; see ehr-thing(1)" after it; returns 2. */
int cli_usage(struct cli *c, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

/* A line of narration on stderr, unless -q; and only with -v. */
void cli_note(struct cli *c, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
void cli_verbose(struct cli *c, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

/* The more serious of two exit statuses: 4, 3, 75, 2, 1, 0. */
int cli_worse(int a, int b);

/*
 * Write bytes to stdout (errors show in cli_close_stdout).  Flush and close
 * it at the end of main: returns status; or prints a line and returns 4 when
 * any output was lost (a full disk).
 */
void cli_put(struct span data);
int cli_close_stdout(struct cli *c, int status);

#endif
