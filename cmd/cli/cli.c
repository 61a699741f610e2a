#include "cli/cli.h"

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/text.h"

#define OPTS_MAX 48
#define LONG_ONLY 256		/* getopt_long's value of opt[0], opt[1]... */

/* What we know in one call: the command's own options, then the common. */
struct known {
	struct cli_opt opt[OPTS_MAX];
	size_t n;
	bool help, version;
};

static void
know(struct known *k, char letter, const char *name, enum cli_kind kind,
    void *to)
{
	if (k->n < OPTS_MAX)
		k->opt[k->n++] = (struct cli_opt){ letter, name, kind, to, 0 };
}

static void
know_all(struct known *k, struct cli *c, const struct cli_opt *own)
{
	unsigned takes = c->spec->takes;

	for (; own != NULL && own->kind != 0 && k->n < OPTS_MAX; own++)
		k->opt[k->n++] = *own;
	if (takes & CLI_DIR)
		know(k, 'C', NULL, CLI_TEXT, &c->dir);
	if (takes & CLI_IDENTITY) {
		know(k, 'i', "identity", CLI_LIST, &c->identity);
		know(k, 0, "passphrase-file", CLI_TEXT, &c->passphrase_file);
	}
	if (takes & CLI_JSON)
		know(k, 0, "json", CLI_FLAG, &c->json);
	if (takes & CLI_NUL)
		know(k, 'z', NULL, CLI_FLAG, &c->nul);
	know(k, 'q', "quiet", CLI_FLAG, &c->quiet);
	know(k, 'v', "verbose", CLI_FLAG, &c->verbose);
	know(k, 'h', "help", CLI_FLAG, &k->help);
	know(k, 0, "version", CLI_FLAG, &k->version);
}

/* getopt_long's two tables.  In its mode "-" it gives arguments in order, and
 * POSIXLY_CORRECT changes nothing; in "+" it stops at the first. */
static void
tables(char *letters, struct option *names, const struct known *k,
    unsigned takes)
{
	*letters++ = takes & CLI_ORDERED ? '+' : '-';
	*letters++ = ':';
	for (size_t i = 0; i < k->n; i++) {
		const struct cli_opt *o = &k->opt[i];
		bool value = o->kind != CLI_FLAG;

		if (o->letter != 0) {
			*letters++ = o->letter;
			if (value)
				*letters++ = ':';
		}
		if (o->name != NULL)
			*names++ = (struct option){ o->name,
			    value ? required_argument : no_argument, NULL,
			    LONG_ONLY + (int)i };
	}
	*letters = '\0';
	*names = (struct option){ NULL, 0, NULL, 0 };
}

static const struct cli_opt *
find(const struct known *k, int got)
{
	if (got >= LONG_ONLY)
		return &k->opt[got - LONG_ONLY];
	for (size_t i = 0; i < k->n; i++)
		if (k->opt[i].letter == got)
			return &k->opt[i];
	return NULL;
}

/* The option as it was given, for messages: "-x" or "--name". */
static const char *
given(char out[64], const struct cli_opt *o, const char *word)
{
	if (o != NULL && o->name != NULL)
		snprintf(out, 64, "--%s", o->name);
	else if (o != NULL)
		snprintf(out, 64, "-%c", o->letter);
	else
		snprintf(out, 64, "%.*s", (int)strcspn(word, "="), word);
	return out;
}

static int
take(struct cli *c, const struct cli_opt *o, const char *value)
{
	struct cli_list *list = o->to;
	char name[64];

	switch (o->kind) {
	case CLI_FLAG:
		*(bool *)o->to = true;
		return 0;
	case CLI_TEXT:
		*(const char **)o->to = value;
		return 0;
	case CLI_NUMBER:
		if (text_parse_u64(o->to, span_str(value), o->max) == 0)
			return 0;
		return cli_usage(c, "%s takes a number up to %llu, not \"%s\"",
		    given(name, o, NULL), (unsigned long long)o->max, value);
	case CLI_LIST:
		if (list->n == CLI_LIST_MAX)
			return cli_usage(c, "%s is given over %d times",
			    given(name, o, NULL), CLI_LIST_MAX);
		list->v[list->n++] = value;
		return 0;
	}
	return cli_usage(c, "bad option");
}

/* What getopt_long did not like; word is the argument that it was in. */
static int
refuse(struct cli *c, const struct known *k, int got, const char *word)
{
	const struct cli_opt *o = optopt == 0 ? NULL : find(k, optopt);
	char name[64];

	if (got == ':')
		return cli_usage(c, "%s needs a value", given(name, o, word));
	if (optopt >= LONG_ONLY)
		return cli_usage(c, "%s takes no value", given(name, o, word));
	if (optopt > ' ' && optopt < 0x7f)
		return cli_usage(c, "unknown option -%c", optopt);
	return cli_usage(c, "unknown option %s", given(name, NULL, word));
}

/* Returns 0 or the exit status. */
static int
read_options(struct cli *c, const struct known *k, int argc, char **argv)
{
	struct option names[OPTS_MAX + 1];
	char letters[2 * OPTS_MAX + 3];
	int got, r;

	tables(letters, names, k, c->spec->takes);
	optind = 0;		/* glibc: start afresh */
	opterr = 0;
	c->argv = argv + 1;
	while ((got = getopt_long(argc, argv, letters, names, NULL)) != -1) {
		if (got == 1)
			/* This place of argv has been read already. */
			c->argv[c->argc++] = optarg;
		else if (got == '?' || got == ':')
			return refuse(c, k, got, argv[optind - 1]);
		else if ((r = take(c, find(k, got), optarg)) != 0)
			return r;
	}
	if (c->spec->takes & CLI_ORDERED)
		c->argv = argv + optind;
	else
		memmove(c->argv + c->argc, argv + optind,
		    (size_t)(argc - optind) * sizeof(*argv));
	c->argc += argc - optind;
	c->argv[c->argc] = NULL;
	return 0;
}

/*
 * A file that we open must not become descriptor 1 of a caller who closed it.
 * The wrong direction, so that using it is an error as it was.
 */
static void
open_standard(void)
{
	for (int fd = 0; fd <= 2; fd++)
		if (fcntl(fd, F_GETFD) < 0 && errno == EBADF &&
		    open("/dev/null", fd == 0 ? O_WRONLY : O_RDONLY) < 0)
			_exit(ERR_SYS);
}

/*
 * What we open stays in memory: no core file of it, no debugger but the
 * superuser's.  A size of 1 keeps a core from a program that collects them,
 * too, which 0 does not (core(5)).
 */
static void
keep_memory(void)
{
	struct rlimit most;

	if (getrlimit(RLIMIT_CORE, &most) == 0) {
		most.rlim_cur = most.rlim_max == 0 ? 0 : 1;
		setrlimit(RLIMIT_CORE, &most);
	}
#ifndef __SANITIZE_ADDRESS__	/* its search for leaks is such a debugger */
	prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
#endif
}

void
cli_parse(struct cli *c, const struct cli_spec *spec,
    const struct cli_opt *opt, int argc, char **argv)
{
	struct known k = { .n = 0 };
	int r;

	open_standard();
	keep_memory();
	signal(SIGPIPE, SIG_DFL);
	signal(SIGXFSZ, SIG_IGN);
	memset(c, 0, sizeof(*c));
	c->spec = spec;
	if (argc < 1)
		exit(cli_usage(c, "called without its name"));
	know_all(&k, c, opt);
	if ((r = read_options(c, &k, argc, argv)) != 0)
		exit(r);
	if (k.help)
		cli_put(span_str(spec->usage));
	else if (k.version)
		printf("%s %s\n", spec->name, EHR_VERSION);
	else
		return;
	exit(cli_close_stdout(c, 0));
}

const char *
cli_shift(struct cli *c)
{
	if (c->argc == 0)
		return NULL;
	c->argc--;
	return *c->argv++;
}

int
cli_worse(int a, int b)
{
	static const int order[] = { ERR_SYS, ERR_BAD, ERR_AGAIN, ERR_USAGE,
	    ERR_NO };

	for (size_t i = 0; i < sizeof(order) / sizeof(order[0]); i++)
		if (a == order[i] || b == order[i])
			return order[i];
	return a != 0 ? a : b;
}
