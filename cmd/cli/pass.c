#define _GNU_SOURCE	/* open's flags, fstat */
#include "cli/pass.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/utf8.h"
#include "cli/tty.h"
#include "crypto/hash.h"

#define HOW "give --passphrase-file FILE or set EHR_PASSPHRASE_FILE"

void
pass_wipe(struct pass *p)
{
	hash_wipe(p, sizeof(*p));
}

/* The first line, byte by byte: what follows it may be somebody else's. */
static int
read_line(struct pass *out, int fd, const char *path, struct err *e)
{
	ssize_t n;
	char c;

	out->n = 0;
	while ((n = read(fd, &c, 1)) != 0) {
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_sys(e, "%s", path);
		if (c == '\n')
			break;
		if (out->n == PASS_MAX || c == '\0')
			return err_set(e, ERR_NO, "%s: no passphrase: its "
			    "first line %s", path, c == '\0' ? "has a NUL" :
			    "is too long");
		out->b[out->n++] = c;
	}
	if (out->n == 0)
		return err_set(e, ERR_NO, "%s: no passphrase: its first line "
		    "is empty", path);
	return 0;
}

static int
from_file(struct pass *out, struct cli *c, const char *path, struct err *e)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	struct stat st;
	int r;

	if (fd < 0 && errno == ENOENT)
		return err_set(e, ERR_NO, "%s: no such file", path);
	if (fd < 0)
		return err_sys(e, "%s", path);
	if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode) &&
	    (st.st_mode & 077) != 0)
		cli_note(c, "warning: others can read %s; chmod 600 it", path);
	r = read_line(out, fd, path, e);
	close(fd);
	if (r != 0)
		pass_wipe(out);
	return r;
}

const char *
pass_file(const struct cli *c)
{
	const char *path = c->passphrase_file;

	if (path == NULL)
		path = getenv("EHR_PASSPHRASE_FILE");
	return path != NULL && path[0] != '\0' ? path : NULL;
}

/* Ask at the terminal; the name of a file must not play with it. */
static int
from_tty(struct pass *out, const char *before, const char *what,
    struct err *e)
{
	char prompt[256];

	snprintf(prompt, sizeof(prompt), "%s%.180s: ", before, what);
	for (char *p = prompt; *p != '\0'; p++)
		if ((unsigned char)*p < 0x20 || *p == 0x7f)
			*p = '?';
	if (tty_ask(out->b, PASS_MAX, &out->n, prompt, e) != 0) {
		pass_wipe(out);
		return -1;
	}
	return 0;
}

int
pass_get(struct pass *out, struct cli *c, const char *what, struct err *e)
{
	const char *path = pass_file(c);

	if (path != NULL)
		return from_file(out, c, path, e);
	if (from_tty(out, "Passphrase for ", what, e) != 0)
		return err_wrap(e, "%s needs a passphrase (" HOW ")", what);
	if (out->n == 0)
		return err_set(e, ERR_NO, "%s needs a passphrase", what);
	return 0;
}

/* Long enough, and the same on every keyboard and terminal. */
static int
check_new(const struct pass *p, struct err *e)
{
	size_t characters = 0;

	if (!utf8_valid(pass_span(p)))
		return err_set(e, ERR_BAD, "the passphrase is not UTF-8");
	for (size_t i = 0; i < p->n; i++)
		if (((unsigned char)p->b[i] & 0xc0) != 0x80)
			characters++;
	if (characters < PASS_MIN)
		return err_set(e, ERR_NO, "a passphrase of at least %d "
		    "characters is needed", PASS_MIN);
	return 0;
}

/* Ask once more; the two must be the same. */
static int
confirm(const struct pass *first, struct err *e)
{
	struct pass again = { .n = 0 };
	bool same;

	if (from_tty(&again, "The same again", "", e) != 0)
		return -1;
	same = again.n == first->n &&
	    hash_secret_eq(again.b, first->b, first->n);
	pass_wipe(&again);
	return same ? 0 : err_set(e, ERR_NO, "the two do not match");
}

int
pass_new(struct pass *out, struct cli *c, const char *file, const char *what,
    struct err *e)
{
	int r;

	if (file != NULL) {
		r = from_file(out, c, file, e);
		if (r == 0)
			r = check_new(out, e);
	} else {
		r = from_tty(out, "New passphrase for ", what, e);
		if (r != 0)
			err_wrap(e, "%s needs a new passphrase (give "
			    "--passphrase-file or --new-passphrase-file)",
			    what);
		if (r == 0)
			r = check_new(out, e);
		if (r == 0)
			r = confirm(out, e);
	}
	if (r != 0)
		pass_wipe(out);
	return r;
}
