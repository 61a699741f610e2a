/* config: git's format, strictly; scopes; edits that keep the rest. */
#define _GNU_SOURCE
#include "scratch.h"
#include "store/config.h"

static struct err e;

/* "key=value|key=value|" of what a text holds, or its error's kind. */
static const char *
parsed(const char *text)
{
	static char out[4096];
	struct config c = { NULL, 0 };
	size_t n = 0;

	out[0] = '\0';
	if (config_parse(&c, span_str(text), "c", &e) != 0)
		snprintf(out, sizeof(out), "error %d", (int)e.kind);
	else
		for (size_t i = 0; i < c.n; i++)
			n += (size_t)snprintf(out + n, sizeof(out) - n,
			    "%s=%s|", c.entry[i].key, c.entry[i].value);
	config_free(&c);
	return out;
}

static void
good(void)
{
	static const char *const v[][2] = {
		{ "", "" },
		{ "\n\n  \n\t\n", "" },
		{ "# only\n; comments = here", "" },
		{ "[a]\n", "" },
		{ "[a]", "" },
		{ "[a]\nb = c\n", "a.b=c|" },
		{ "[a]\nb=c", "a.b=c|" },
		{ "[a]\n\t b \t=\t c d \t\n", "a.b=c d|" },
		{ "  [a] # x\nb = c # d\n", "a.b=c|" },
		{ "[a] ; x\nb = c ; d\n", "a.b=c|" },
		{ "[A]\nBc-9 = C\n", "a.bc-9=C|" },
		{ "[a \"B\"]\nb = c\n", "a.B.b=c|" },
		{ "[a\t\"b.c d\" ]\nb = c\n", "error 3" },
		{ "[a\t\"b.c d\"]\nb = c\n", "a.b.c d.b=c|" },
		{ "[a \"q\\\"\\\\\"]\nb = c\n", "a.q\"\\.b=c|" },
		{ "[a \"]\"]\nb = c\n", "a.].b=c|" },
		{ "[a]\nb =\n", "a.b=|" },
		{ "[a]\nb = # nothing\n", "a.b=|" },
		{ "[a]\nb = \"\"\n", "a.b=|" },
		{ "[a]\nb = \" x # y; \"  # c\n", "a.b= x # y; |" },
		{ "[a]\nb = \"\\\"\\\\\"\n", "a.b=\"\\|" },
		{ "[a]\nb = 'x' $y (z) = w\n", "a.b='x' $y (z) = w|" },
		{ "[a]\nb = caf\xc3\xa9\n", "a.b=caf\xc3\xa9|" },
		{ "[a]\nb=1\n[c]\nb=2\n[a]\nb=3\n", "a.b=1|c.b=2|a.b=3|" },
	};

	for (size_t i = 0; i < sizeof(v) / sizeof(*v); i++)
		CHECK_STR(parsed(v[i][0]), v[i][1]);
}

/* Each has one thing wrong, in the line that the message names. */
static void
bad(void)
{
	static const struct {
		const char *text;
		int line;
	} v[] = {
		{ "a = b\n", 1 },
		{ "\n\nx\n", 3 },
		{ "[a]\nb\n", 2 },
		{ "[a]\n= c\n", 2 },
		{ "[a]\nb c = d\n", 2 },
		{ "[a]\n9 = d\n", 2 },
		{ "[a]\nb_c = d\n", 2 },
		{ "[a]\nb.c = d\n", 2 },
		{ "[]\n", 1 },
		{ "[ a]\n", 1 },
		{ "[a\n", 1 },
		{ "[a.b]\n", 1 },
		{ "[a] b = c\n", 1 },
		{ "[a \"b]\n", 1 },
		{ "[a \"\"]\n", 1 },
		{ "[a b]\n", 1 },
		{ "[a ]\n", 1 },
		{ "[a \"b\" \"c\"]\n", 1 },
		{ "[a\"b\"]\n", 1 },
		{ "[a \"b\tc\"]\n", 1 },
		{ "[a]\nb = \"c\n", 2 },
		{ "[a]\nb = \"c\" d\n", 2 },
		{ "[a]\nb = \"c\\n\"\n", 2 },
		{ "[a]\nb = \"c\\\n", 2 },
		{ "[a]\nb = \"\xff\"\n", 2 },
		{ "[a]\nb = c \"d\" e\n", 2 },
		{ "[a]\nb = c\\\n", 2 },
		{ "[a]\nb = c;d\n", 2 },
		{ "[a]\nb =#d\n", 2 },
		{ "[a]\nb = c#d\n", 2 },
		{ "[a]\nb = c\td\n", 2 },
		{ "[a]\nb = c\r\n", 2 },
		{ "[a]\r\nb = c\n", 1 },
		{ "[a]\nb = \xe2\x80\xae\n", 2 },
		{ "\xef\xbb\xbf[a]\n", 1 },
		{ "[a]\n[b]\n\x01\n", 3 },
	};

	for (size_t i = 0; i < sizeof(v) / sizeof(*v); i++) {
		char line[32];

		CHECK_STR(parsed(v[i].text), "error 3");
		snprintf(line, sizeof(line), "c, line %d: ", v[i].line);
		if (strncmp(e.msg, line, strlen(line)) != 0)
			CHECK_STR(e.msg, line);
	}
}

static void
limits(void)
{
	struct config c = { NULL, 0 };
	struct buf b = BUF_INIT(CONFIG_MAX + 1);

	buf_adds(&b, "[a]\n");
	while (b.len < CONFIG_MAX)
		buf_adds(&b, "b=c\n");
	CHECK(b.len == CONFIG_MAX);
	CHECK(config_parse(&c, buf_span(&b), "c", &e) == 0);
	CHECK(c.n == CONFIG_MAX / 4 - 1);
	config_free(&c);
	buf_addc(&b, '\n');
	CHECK(config_parse(&c, buf_span(&b), "c", &e) != 0 &&
	    e.kind == ERR_BAD);
	/* A NUL is a control byte like others. */
	CHECK(config_parse(&c, span_of("[a]\nb=c\0d\n", 10), "c", &e) != 0 &&
	    e.kind == ERR_BAD);
	config_free(&c);
	buf_free(&b);
}

static void
asking(void)
{
	struct config c = { NULL, 0 };
	const char *value;
	struct span sub;
	uint64_t u = 9;
	size_t at = 0;

	CHECK(config_parse(&c, span_str("[n]\ni=5\nx=05\nbig=101\n"
	    "[peer \"a\"]\ncommand=1\n[peer \"b.c\"]\ncommand=2\nother=4\n"
	    "[peer \"a\"]\ncommand=3\n[peer]\ncommand=5\n"
	    "[peers \"d\"]\ncommand=6\n"), "c", &e) == 0);
	CHECK(config_get(&c, "peer.a.x") == NULL);
	CHECK_STR(config_get(&c, "peer.a.command"), "3");
	CHECK(config_number(&c, "n.i", 1, 100, &u, &e) == 0 && u == 5);
	CHECK(config_number(&c, "n.none", 1, 100, &u, &e) == 0 && u == 1);
	CHECK(config_number(&c, "n.x", 1, 100, &u, &e) != 0 &&
	    e.kind == ERR_BAD);
	CHECK(config_number(&c, "n.big", 1, 100, &u, &e) != 0);
	CHECK(config_number(&c, "n.big", 1, 101, &u, &e) == 0 && u == 101);
	CHECK(config_next(&c, "peer", "command", &at, &sub, &value));
	CHECK(span_is(sub, "b.c") && strcmp(value, "2") == 0);
	CHECK(config_next(&c, "peer", "command", &at, &sub, &value));
	CHECK(span_is(sub, "a") && strcmp(value, "3") == 0);
	CHECK(!config_next(&c, "peer", "command", &at, &sub, &value));
	config_free(&c);
	CHECK(c.n == 0 && config_get(&c, "n.i") == NULL);
}

/* The text after an edit, or the kind of its error. */
static const char *
edited(const char *text, const char *key, const char *value)
{
	static struct buf b = BUF_INIT(2 * CONFIG_MAX);

	buf_reset(&b);
	if (text != NULL)
		scratch_text("config", text);
	else
		unlink("config");
	if (config_set(AT_FDCWD, key, value, &e) != 0)
		buf_addf(&b, "error %d", (int)e.kind);
	else if (fs_read(&b, AT_FDCWD, "config", &e) != 0)
		buf_addf(&b, "no file");
	CHECK(scratch_entries("tmp") == 0);
	buf_addc(&b, '\0');
	return (char *)b.p;
}

static void
editing(void)
{
	static const char *const v[][4] = {
		{ NULL, "a.b", "c", "[a]\n\tb = c\n" },
		{ NULL, "a.b", NULL, "no file" },
		{ "", "a.S d.b", " x", "[a \"S d\"]\n\tb = \" x\"\n" },
		{ "", "a.b", "", "[a]\n\tb = \"\"\n" },
		{ "", "a.\"\\.b", "\"\\#;",
		  "[a \"\\\"\\\\\"]\n\tb = \"\\\"\\\\#;\"\n" },
		{ "# top", "a.b", "c", "# top\n[a]\n\tb = c\n" },
		{ "[a]\nb = old # why\nc = d\n", "a.b", "new one",
		  "[a]\nb = new one # why\nc = d\n" },
		{ "[a]\nb = \"o\\\"ld\" # why\n", "a.b", "n",
		  "[a]\nb = n # why\n" },
		{ "[a]\nb = \"old\"# why\n", "a.b", "n",
		  "[a]\nb = n # why\n" },
		{ "[a]\nb=\n", "a.b", "n", "[a]\nb= n\n" },
		{ "[a]\nb = # why\n", "a.b", "n", "[a]\nb = n # why\n" },
		{ "[a]\nB = 1\n[c]\n[a]\nb = 2", "a.b", "n",
		  "[a]\nB = 1\n[c]\n[a]\nb = n" },
		{ "[a]\nx = 1\n\n# of c\n[c]\nx = 1\n", "a.b", "n",
		  "[a]\nx = 1\n\tb = n\n\n# of c\n[c]\nx = 1\n" },
		{ "[a]\n[c]", "c.b", "n", "[a]\n[c]\n\tb = n\n" },
		{ "[a \"s\"]\nb = 1\n", "a.b", "n",
		  "[a \"s\"]\nb = 1\n[a]\n\tb = n\n" },
		{ "[a]\nb = 1\nc = 2\n[a]\nb = 3 # x\n", "a.b", NULL,
		  "[a]\nc = 2\n[a]\n" },
		{ "[a]\nb = 1\n", "a.c", NULL, "[a]\nb = 1\n" },
		{ "[a]\nb = 1\n", "a", "x", "error 2" },
		{ "[a]\nb = 1\n", "a.", "x", "error 2" },
		{ "[a]\nb = 1\n", ".b", "x", "error 2" },
		{ "[a]\nb = 1\n", "a..b", "x", "error 2" },
		{ "[a]\nb = 1\n", "A.b", "x", "error 2" },
		{ "[a]\nb = 1\n", "a.b c", "x", "error 2" },
		{ "[a]\nb = 1\n", "a.s\n.b", "x", "error 2" },
		{ "[a]\nb = 1\n", "a.b", "x\ny", "error 2" },
		{ "[a]\nb = 1\n", "a.b", "\xff", "error 2" },
		{ "[a\nb = 1\n", "a.b", "x", "error 3" },
	};

	for (size_t i = 0; i < sizeof(v) / sizeof(*v); i++) {
		CHECK_STR(edited(v[i][0], v[i][1], v[i][2]), v[i][3]);
		/* A refusal leaves the file as it was. */
		if (strncmp(v[i][3], "error", 5) == 0)
			CHECK(scratch_holds("config", span_str(v[i][0])));
	}
}

/* Whatever a value is, it comes back, and nothing else changes. */
static void
any_value(void)
{
	static const char part[][4] = { " ", "#", ";", "\"", "\\", "=", "[",
	    "]", "a", "\xc3\xa9", "'" };
	const char *rest = "[x]\n\ty = z # stays\n";
	struct config c = { NULL, 0 };
	int dir = open(".", O_RDONLY | O_DIRECTORY);
	struct buf b = BUF_INIT(CONFIG_MAX);

	scratch_text("config", rest);
	for (int i = 0; i < 60; i++) {
		char value[64] = "", sub[64] = "peer.";

		for (int n = (int)(random() % 6); n > 0; n--)
			strcat(value, part[(size_t)random() % 11]);
		for (int n = 1 + (int)(random() % 6); n > 0; n--)
			strcat(sub, part[(size_t)random() % 11]);
		strcat(sub, ".command");
		CHECK(config_set(AT_FDCWD, sub, value, &e) == 0);
		CHECK(config_load(&c, dir, &e) == 0);
		if (config_get(&c, sub) == NULL)
			CHECK_STR("nothing", value);
		else
			CHECK_STR(config_get(&c, sub), value);
		CHECK_STR(config_get(&c, "x.y"), "z");
		config_free(&c);
		CHECK(config_set(AT_FDCWD, sub, NULL, &e) == 0);
	}
	CHECK(fs_read(&b, dir, "config", &e) == 0);
	CHECK(span_starts(buf_span(&b), rest));
	buf_free(&b);
	close(dir);
}

static void
scopes(void)
{
	struct config c = { NULL, 0 };
	int dir = open(".", O_RDONLY | O_DIRECTORY);

	unlink("config");
	CHECK(mkdir(".config", 0700) == 0 && mkdir(".config/ehr", 0700) == 0);
	scratch_text(".config/ehr/config", "[a]\nb = user\nc = user\n");
	scratch_text("config", "[a]\nb = own\n");
	CHECK(config_load(&c, dir, &e) == 0);
	CHECK_STR(config_get(&c, "a.b"), "own");
	CHECK_STR(config_get(&c, "a.c"), "user");
	config_free(&c);
	CHECK(config_load(&c, -1, &e) == 0);
	CHECK_STR(config_get(&c, "a.b"), "user");
	config_free(&c);
	scratch_text(".config/ehr/config", "[a]\nb\n");
	CHECK(config_load(&c, dir, &e) != 0 && e.kind == ERR_BAD);
	CHECK(strstr(e.msg, "/.config/ehr/config, line 2") != NULL);
	config_free(&c);
	unlink(".config/ehr/config");
	CHECK(mkfifo(".config/ehr/config", 0600) == 0);
	CHECK(config_load(&c, -1, &e) != 0 && e.kind == ERR_BAD);
	unlink(".config/ehr/config");
	if (geteuid() == 0) {
		scratch_text(".config/ehr/config", "[a]\nb = c\n");
		CHECK(chown(".config/ehr/config", 12345, 12345) == 0);
		CHECK(config_load(&c, -1, &e) != 0 && e.kind == ERR_NO);
		CHECK(strstr(e.msg, "12345") != NULL && c.n == 0);
		unlink(".config/ehr/config");
		CHECK(chown("config", 12345, 12345) == 0);
		CHECK(config_load(&c, dir, &e) != 0 && e.kind == ERR_NO);
		unlink("config");
	} else
		printf("skip files of others: needs root\n");
	CHECK(config_load(&c, dir, &e) == 0);
	config_free(&c);
	close(dir);
}

int
main(void)
{
	scratch_open();
	CHECK(mkdir("tmp", 0700) == 0);
	srandom(20260302);
	good();
	bad();
	limits();
	asking();
	editing();
	any_value();
	scopes();
	scratch_close();
	return check_done("config");
}
