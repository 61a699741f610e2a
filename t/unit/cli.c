/* cli: options, items, JSON and progress, as commands meet them. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <poll.h>
#include <pty.h>
#include <stdio_ext.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "check.h"
#include "cli/items.h"
#include "cli/ndjson.h"
#include "cli/progress.h"

static const struct cli_spec spec = {
	.name = "ehr-thing",
	.usage = "usage: ehr-thing\n",
	.takes = CLI_DIR | CLI_IDENTITY | CLI_JSON | CLI_NUL
};

static struct cli c;
static bool fast;
static const char *text;
static uint64_t number;
static struct cli_list list;

/* Parse a command line of blank-separated words. */
static void
parse(const char *line, unsigned more)
{
	static char copy[8192], *argv[600];
	static struct cli_spec s;
	const struct cli_opt opt[] = {
		{ 'f', "fast", CLI_FLAG, &fast, 0 },
		{ 't', "text", CLI_TEXT, &text, 0 },
		{ 0, "number", CLI_NUMBER, &number, 1000 },
		{ 'l', NULL, CLI_LIST, &list, 0 },
		{ 0 }
	};
	int argc = 0;

	fast = false;
	text = NULL;
	number = 7;
	list.n = 0;
	s = spec;
	s.takes |= more;
	snprintf(copy, sizeof(copy), "ehr-thing %s", line);
	for (char *p = strtok(copy, " "); p != NULL; p = strtok(NULL, " "))
		argv[argc++] = p;
	argv[argc] = NULL;
	cli_parse(&c, &s, opt, argc, argv);
}

/* The exit status of a command line that ends there, or -1. */
static int
ends(const char *line)
{
	int status;
	pid_t pid = fork();

	if (pid == 0) {
		int null = open("/dev/null", O_WRONLY);

		dup2(null, 1);
		dup2(null, 2);
		parse(line, 0);
		_exit(100);
	}
	waitpid(pid, &status, 0);
	if (!WIFEXITED(status) || WEXITSTATUS(status) == 100)
		return -1;
	return WEXITSTATUS(status);
}

static void
options(void)
{
	parse("a -f b --text=x --number 12 c -l1 -l 2 -C d -i k --json d", 0);
	CHECK(c.argc == 4);
	CHECK_STR(c.argv[0], "a");
	CHECK_STR(c.argv[3], "d");
	CHECK(c.argv[4] == NULL);
	CHECK(fast && c.json && !c.nul && !c.quiet && number == 12);
	CHECK_STR(text, "x");
	CHECK_STR(c.dir, "d");
	CHECK(list.n == 2 && c.identity.n == 1);
	CHECK_STR(list.v[1], "2");

	parse("-fz a - -- -t --json", 0);
	CHECK(c.argc == 4 && c.nul && fast && text == NULL && !c.json);
	CHECK_STR(c.argv[1], "-");
	CHECK_STR(c.argv[3], "--json");
	CHECK_STR(cli_shift(&c), "a");
	CHECK_STR(cli_shift(&c), "-");
	CHECK(c.argc == 2);

	parse("", 0);
	CHECK(c.argc == 0 && c.argv[0] == NULL && cli_shift(&c) == NULL);
	CHECK(number == 7);

	setenv("POSIXLY_CORRECT", "1", 1);
	parse("a -f", 0);
	CHECK(c.argc == 1 && fast);
	unsetenv("POSIXLY_CORRECT");

	parse("-f a -t x", CLI_ORDERED);
	CHECK(c.argc == 3 && fast && text == NULL);
	CHECK_STR(c.argv[1], "-t");
}

static void
refused(void)
{
	char many[2048] = "";

	CHECK(ends("-f a") == -1);
	CHECK(ends("-h") == 0);
	CHECK(ends("--version") == 0);
	CHECK(ends("-x") == 2);
	CHECK(ends("--nothing") == 2);
	CHECK(ends("--text") == 2);
	CHECK(ends("--fast=1") == 2);
	CHECK(ends("--number 1000") == -1);
	CHECK(ends("--number 1001") == 2);
	CHECK(ends("--number 01") == 2);
	CHECK(ends("--number -1") == 2);
	CHECK(ends("--number 99999999999999999999999") == 2);
	for (int i = 0; i < CLI_LIST_MAX; i++)
		strcat(many, "-l1 ");
	CHECK(ends(many) == -1);
	strcat(many, "-l1 ");
	CHECK(ends(many) == 2);
}

static void
serious(void)
{
	static const int order[] = { 0, 1, 2, 75, 3, 4 };

	for (int i = 0; i < 6; i++)
		for (int j = 0; j < 6; j++)
			CHECK(cli_worse(order[i], order[j]) ==
			    order[i > j ? i : j]);
}

/* Give these bytes as standard input. */
static void
feed(const char *p, size_t n)
{
	FILE *f = tmpfile();

	CHECK(f != NULL && fwrite(p, 1, n, f) == n && fflush(f) == 0);
	dup2(fileno(f), 0);
	fclose(f);
	__fpurge(stdin);
	clearerr(stdin);
	lseek(0, 0, SEEK_SET);
}

/* What items_each hands out, joined by commas. */
static char got[3 * ITEM_MAX];

static int
take(void *arg, const char *item, struct err *e)
{
	(void)arg;
	strcat(got, item);
	strcat(got, ",");
	if (strcmp(item, "bad") == 0)
		return err_set(e, ERR_BAD, "bad");
	if (strcmp(item, "no") == 0)
		return err_set(e, ERR_NO, "no");
	if (strcmp(item, "disk") == 0)
		return err_set(e, ERR_SYS, "disk");
	return 0;
}

static int
each(const char *line)
{
	got[0] = '\0';
	parse(line, 0);
	return items_each(&c, take, NULL);
}

static void
items(void)
{
	static char longest[ITEM_MAX + 2];

	CHECK(each("a b - c") == 0);
	CHECK_STR(got, "a,b,-,c,");
	CHECK(each("a no bad no b") == ERR_BAD);
	CHECK_STR(got, "a,no,bad,no,b,");
	CHECK(each("a disk b") == ERR_SYS);
	CHECK_STR(got, "a,disk,");
	CHECK(each("") == ERR_USAGE);
	feed("a\n\nb c\nd", 8);
	CHECK(each("-") == 0);
	CHECK_STR(got, "a,b c,d,");
	feed("a\n\0b\0", 5);
	CHECK(each("-z -") == 0);
	CHECK_STR(got, "a\n,b,");
	feed("a\nb\0\nc\n", 7);
	CHECK(each("-") == ERR_BAD);
	CHECK_STR(got, "a,");
	feed("\n\n", 2);
	CHECK(each("-") == ERR_NO);
	memset(longest, 'x', ITEM_MAX);
	longest[ITEM_MAX - 1] = '\n';
	feed(longest, ITEM_MAX);
	CHECK(each("-") == 0 && strlen(got) == ITEM_MAX);
	longest[ITEM_MAX - 1] = 'x';
	longest[ITEM_MAX] = '\n';
	feed(longest, ITEM_MAX + 1);
	CHECK(each("-") == ERR_BAD);
}

static void
json_is(const char *p, size_t n, const char *want)
{
	json_t *j = ndjson_span(span_of(p, n));
	char *s = json_dumps(j, JSON_ENCODE_ANY);

	CHECK_STR(s, want);
	free(s);
	json_decref(j);
}

static void
json(void)
{
	json_is(NULL, 0, "\"\"");
	json_is("a\"\\\n\0b", 6, "\"a\\\"\\\\\\n\\u0000b\"");
	json_is("Gr\xc3\xbc\xc3\x9f" "e", 7, "\"Gr\xc3\xbc\xc3\x9f" "e\"");
	json_is("\xff" "a\xc3", 3, "\"\xef\xbf\xbd" "a\xef\xbf\xbd\"");
	json_is("\xed\xa0\x80", 3,
	    "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\"");
	json_is("\xf0\x9f\x98\x80\xf0\x9f", 6,
	    "\"\xf0\x9f\x98\x80\xef\xbf\xbd\xef\xbf\xbd\"");
}

/* A long job at a terminal, or not at one. */
static void
work(void)
{
	struct progress p;

	progress_start(&p, &c, "sealing");
	usleep(210000);
	progress_set(&p, 3, 10, 1536);
	progress_set(&p, 4, 10, 1536);		/* too soon to be drawn */
	cli_note(&c, "a note");
	usleep(210000);
	progress_set(&p, 5, 10, 1536);
	progress_end(&p);
}

/* What a terminal shows, until nothing comes for a while. */
static void
read_all(char *out, size_t max, int fd)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };
	size_t have = 0;
	ssize_t n;

	while (poll(&p, 1, 200) > 0 && have < max - 1 &&
	    (n = read(fd, out + have, max - 1 - have)) > 0)
		have += (size_t)n;
	out[have] = '\0';
}

static void
progress(void)
{
	char shown[1024];
	int master, slave, old = dup(2);

	CHECK(openpty(&master, &slave, NULL, NULL, NULL) == 0);
	dup2(slave, 2);
	close(slave);
	setenv("TERM", "xterm", 1);
	parse("", 0);
	work();
	read_all(shown, sizeof(shown), master);
	CHECK(strncmp(shown, "\r\033[Ksealing: 3/10, 1.5 KiB", 26) == 0);
	CHECK(strstr(shown, "\r\033[Kehr-thing: a note\r\n"
	    "\r\033[Ksealing: 5/10, 1.5 KiB") != NULL);
	CHECK(strcmp(shown + strlen(shown) - 4, "\r\033[K") == 0);
	CHECK(strstr(shown, ": 4/10") == NULL);
	parse("-q", 0);
	work();
	setenv("TERM", "dumb", 1);
	parse("", 0);
	work();
	read_all(shown, sizeof(shown), master);
	CHECK_STR(shown, "ehr-thing: a note\r\n");
	dup2(old, 2);
	close(master);
}

/* A file that is opened later does not take the place of stdout. */
static void
closed(void)
{
	int status;
	pid_t pid = fork();

	if (pid == 0) {
		for (int fd = 0; fd < 10; fd++)
			close(fd);
		parse("", 0);
		_exit(open("/dev/null", O_RDONLY) != 3 ||
		    write(1, "x", 1) != -1 || read(0, got, 1) != -1);
	}
	waitpid(pid, &status, 0);
	CHECK(status == 0);
}

/* What is said of bad items is no news. */
static void
quiet(void (*test)(void))
{
	int old = dup(2), null = open("/dev/null", O_WRONLY);

	dup2(null, 2);
	test();
	dup2(old, 2);
	close(old);
	close(null);
}

/* Whoever parsed options may open keys. */
static void
memory(void)
{
	struct rlimit most;

	parse("", 0);
	CHECK(getrlimit(RLIMIT_CORE, &most) == 0 && most.rlim_cur <= 1);
#ifndef __SANITIZE_ADDRESS__
	CHECK(prctl(PR_GET_DUMPABLE, 0, 0, 0, 0) == 0);
#endif
}

int
main(void)
{
	memory();
	options();
	refused();
	closed();
	serious();
	quiet(items);
	json();
	progress();
	return check_done("cli");
}
