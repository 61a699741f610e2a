/* ehr: run a command of the toolchain, or list them; see ehr(1). */
#define _GNU_SOURCE	/* readlink, execv, AT_FDCWD */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/fs.h"
#include "cli/ident.h"
#include "ledger/perm.h"
#include "store/chain.h"
#include "store/lookup.h"

static const struct cli_spec spec = {
	.name = "ehr",
	.usage =
"usage: ehr [-C DIR] [-i KEY] COMMAND [ARGUMENT ...]\n"
"       ehr help [COMMAND]\n"
"       ehr\n",
	.takes = CLI_DIR | CLI_IDENTITY | CLI_ORDERED
};

#define ANYBODY 0

/* need: the permissions of which a user has to have one. */
static const struct command {
	const char *name;
	unsigned need;
	const char *does;
} command[] = {
	{ "keygen", ANYBODY, "make an identity and its public card" },
	{ "init", ANYBODY, "make a ledger" },
	{ "user", PERM_USERS, "register users; grant and revoke roles" },
	{ "node", PERM_SYSTEM, "admit, remove and list nodes; vote; peers" },
	{ "add", PERM_FILL, "seal files into a record for a patient" },
	{ "authorize", PERM_AUTHORIZE, "decide what becomes of your records" },
	{ "query", PERM_VIEW_OWN | PERM_LIBRARY, "find records" },
	{ "show", PERM_VIEW_OWN | PERM_LIBRARY, "open a record" },
	{ "sign", ANYBODY, "sign a text" },
	{ "verify", ANYBODY, "check a note, record, block or receipt" },
	{ "block", ANYBODY, "make, show, list and apply blocks" },
	{ "dbft", ANYBODY, "agree with the other nodes on blocks" },
	{ "sync", ANYBODY, "exchange blocks and records with peers" },
	{ "serve", ANYBODY, "answer a peer on stdin and stdout" },
	{ "log-merkle", ANYBODY, "roll, check and prove the hourly log" },
	{ "audit", ANYBODY, "check a whole ledger, offline" }
};
#define NCOMMANDS (sizeof(command) / sizeof(command[0]))

/* The commands that somebody with these permissions can use. */
static void
list(unsigned perms)
{
	for (size_t i = 0; i < NCOMMANDS; i++)
		if (command[i].need == ANYBODY ||
		    (command[i].need & perms) != 0)
			printf("%-12s%s\n", command[i].name, command[i].does);
}

/* Letters to change, insert, drop or swap until a is b (at most 15 long). */
static size_t
distance(const char *a, const char *b)
{
	size_t d[16][16], n = strlen(a), m = strlen(b);

	if (n > 15 || m > 15)
		return 16;
	for (size_t i = 0; i <= n; i++)
		for (size_t j = 0; j <= m; j++) {
			size_t best;

			if (i == 0 || j == 0) {
				d[i][j] = i + j;
				continue;
			}
			best = d[i - 1][j - 1] + (a[i - 1] != b[j - 1]);
			if (best > d[i - 1][j] + 1)
				best = d[i - 1][j] + 1;
			if (best > d[i][j - 1] + 1)
				best = d[i][j - 1] + 1;
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] &&
			    a[i - 2] == b[j - 1] && best > d[i - 2][j - 2] + 1)
				best = d[i - 2][j - 2] + 1;
			d[i][j] = best;
		}
	return d[n][m];
}

/* The commands that name may have meant: those that it begins, or the nearest
 * within two letters, or one of a short name. */
static int
unknown(struct cli *c, const char *name)
{
	char near[256] = "";
	size_t dist[NCOMMANDS], n = strlen(name), least = n < 4 ? 1 : 2;

	for (size_t i = 0; i < NCOMMANDS; i++) {
		dist[i] = distance(name, command[i].name);
		if (n > 0 && strncmp(name, command[i].name, n) == 0)
			dist[i] = 0;
		if (dist[i] < least)
			least = dist[i];
	}
	for (size_t i = 0; i < NCOMMANDS; i++)
		if (dist[i] == least) {
			strcat(near, near[0] == '\0' ? "; did you mean " :
			    " or ");
			strcat(near, command[i].name);
		}
	return cli_usage(c, "no command \"%.64s\"%s", name, near);
}

/* Could this be part of a file's name "ehr-..."? */
static bool
is_word(const char *s)
{
	return s[0] != '\0' && s[0] != '-' && strlen(s) <= 64 &&
	    s[strspn(s, "abcdefghijklmnopqrstuvwxyz0123456789-")] == '\0';
}

static int
no_exec(struct cli *c, const char *what)
{
	struct err e;

	err_sys(&e, "%s", what);
	return cli_fail(c, &e);
}

/*
 * Run ehr-NAME from the folder of this program, else from PATH.  Returns only
 * when it cannot: the exit status.
 */
static int
run(struct cli *c, const char *name, char **argv)
{
	char path[FS_NAME_MAX + 80], file[72], *slash;
	ssize_t n;

	if (!is_word(name))
		return unknown(c, name);
	snprintf(file, sizeof(file), "ehr-%s", name);
	argv[0] = file;
	n = readlink("/proc/self/exe", path, FS_NAME_MAX);
	path[n > 0 ? n : 0] = '\0';
	if ((slash = strrchr(path, '/')) != NULL) {
		strcpy(slash + 1, file);
		execv(path, argv);
		if (errno != ENOENT)
			return no_exec(c, path);
	}
	execvp(file, argv);
	return errno == ENOENT ? unknown(c, name) : no_exec(c, file);
}

static int
help(struct cli *c)
{
	const char *name = cli_shift(c);
	char page[72] = "ehr";

	if (name != NULL && !is_word(name))
		return unknown(c, name);
	if (name != NULL)
		snprintf(page, sizeof(page), "ehr-%s", name);
	execlp("man", "man", page, (char *)NULL);
	return no_exec(c, "man");
}

/* --- without a command: who you are, and what you may do ------------------ */

/*
 * The name in the key file of who acts, for which no passphrase is needed: 1;
 * 0 when nobody is named, -1.
 */
static int
who(char name[NAME_MAX_LEN + 1], struct cli *c, const struct repo *r,
    struct err *e)
{
	struct buf file = BUF_INIT(IDENTITY_FILE_MAX);
	char path[FS_NAME_MAX];
	struct span s;
	int ret;

	if (ident_path(path, c, &r->config, e) != 0)
		return e->kind == ERR_USAGE && c->identity.n == 0 ? 0 : -1;
	ret = fs_read(&file, AT_FDCWD, path, e);
	if (ret == 0 && identity_name(&s, buf_span(&file), e) != 0)
		ret = err_wrap(e, "%s", path);
	if (ret == 0)
		snprintf(name, NAME_MAX_LEN + 1, "%.*s", SPAN_FMT(s));
	buf_wipe(&file);
	return ret == 0 ? 1 : -1;
}

/* Say what the ledger knows of name; *perms is what it may do there. */
static int
introduce(unsigned *perms, const char *name, struct repo *r, struct err *e)
{
	struct span ledger = r->genesis->name;
	struct lookup_node node;
	struct lookup_user user;
	struct head head;
	struct db *db;
	int ret;

	*perms = 0;
	if (chain_head(&head, r, e) != 0 || db_of(&db, r, e) != 0)
		return -1;
	ret = lookup_user(&user, db, span_str(name), e);
	if (ret == 1) {
		*perms = user.perms;
		printf("You are %s on the ledger %.*s; your roles: %s\n\n",
		    name, SPAN_FMT(ledger), user.roles[0] == '\0' ? "none" :
		    user.roles);
		return 0;
	}
	if (ret == 0)
		ret = lookup_node(&node, db, span_str(name), e);
	if (ret < 0)
		return -1;
	if (ret == 1 && node.active)
		*perms = PERM_SYSTEM;
	printf(ret == 1 ? "You are the node %s of the ledger %.*s\n\n" :
	    "You are %s, whom the ledger %.*s does not know (yet)\n\n", name,
	    SPAN_FMT(ledger));
	return 0;
}

static int
alone(struct cli *c)
{
	char name[NAME_MAX_LEN + 1];
	unsigned perms = ~0u;
	struct repo *r;
	struct err e;
	int ret;

	if (repo_open(&r, c->dir, &e) != 0) {
		const char *dir = getenv("EHR_DIR");

		/* No ledger here is no error, unless one was named. */
		if (c->dir != NULL || (dir != NULL && dir[0] != '\0'))
			return cli_fail(c, &e);
		list(perms);
		return cli_close_stdout(c, 0);
	}
	ret = who(name, c, r, &e);
	if (ret == 1)
		ret = introduce(&perms, name, r, &e);
	repo_close(r);
	if (ret < 0)
		return cli_fail(c, &e);
	list(perms);
	return cli_close_stdout(c, 0);
}

int
main(int argc, char **argv)
{
	struct cli c;
	const char *name;
	char **rest;
	int before, status;

	cli_parse(&c, &spec, NULL, argc, argv);
	name = cli_shift(&c);
	if (name == NULL)
		return alone(&c);
	if (strcmp(name, "help") == 0)
		return help(&c);
	/*
	 * The options before the name become the command's: "ehr -C A add x"
	 * is "ehr-add -C A x".
	 */
	before = argc - c.argc - 1;
	if (strcmp(argv[before - 1], "--") == 0)
		before--;
	rest = calloc((size_t)argc + 1, sizeof(*rest));
	if (rest == NULL)
		return no_exec(&c, "memory");
	memcpy(rest, argv, (size_t)before * sizeof(*rest));
	memcpy(rest + before, c.argv, (size_t)c.argc * sizeof(*rest));
	status = run(&c, name, rest);
	free(rest);
	return status;
}
