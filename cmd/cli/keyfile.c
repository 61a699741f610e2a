#define _GNU_SOURCE	/* realpath, fcntl's AT_FDCWD */
#include "cli/keyfile.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "base/fs.h"

int
keyfile_card_name(char *out, const char *key, struct err *e)
{
	int n = snprintf(out, FS_NAME_MAX, "%s.card", key);

	if (n < 0 || n >= FS_NAME_MAX)
		return err_set(e, ERR_USAGE, "a path of over %d bytes",
		    FS_NAME_MAX - 1);
	return 0;
}

int
keyfile_absent(const char *path, struct err *e)
{
	struct stat st;

	if (lstat(path, &st) == 0)
		return err_set(e, ERR_NO, "%s: exists already", path);
	return errno == ENOENT ? 0 : err_sys(e, "%s", path);
}

int
keyfile_make_card(const char *path, const struct identity *id,
    const struct card *card, struct err *e)
{
	struct buf file = BUF_INIT(CARD_MAX);
	int r;

	r = card_make(&file, card, id, e);
	if (r == 0)
		r = fs_write(AT_FDCWD, path, NULL, buf_span(&file), 0644,
		    true, e);
	buf_free(&file);
	return r;
}

int
keyfile_make(const char *path, const struct identity *id, struct span pass,
    const struct card *card, struct err *e)
{
	struct buf file = BUF_INIT(IDENTITY_FILE_MAX);
	char card_path[FS_NAME_MAX];
	struct err ignored;
	int r;

	if (keyfile_card_name(card_path, path, e) != 0 ||
	    keyfile_absent(path, e) != 0 || keyfile_absent(card_path, e) != 0)
		return -1;
	r = identity_format(&file, id, pass, e);
	if (r == 0)
		r = fs_write(AT_FDCWD, path, NULL, buf_span(&file), 0600,
		    true, e);
	buf_wipe(&file);
	if (r != 0)
		return -1;
	/* The key first: a card without its key would be worth nothing. */
	if (keyfile_make_card(card_path, id, card, e) != 0) {
		fs_remove(AT_FDCWD, path, &ignored);
		return -1;
	}
	return 0;
}

/* Do these bytes give the same identity back? */
static int
check_file(struct span file, const struct identity *id, struct span pass,
    struct err *e)
{
	struct sign_pub a, b;
	struct identity back;
	bool same;

	if (identity_parse(&back, file, pass, e) != 0)
		return -1;
	sign_public(&a, id->sign);
	sign_public(&b, back.sign);
	same = strcmp(back.name, id->name) == 0 && sign_pub_eq(&a, &b) &&
	    back.nseals == id->nseals && hash_secret_eq(back.seal, id->seal,
	    id->nseals * sizeof(id->seal[0]));
	identity_wipe(&back);
	return same ? 0 : err_set(e, ERR_SYS, "the key was not written right");
}

int
keyfile_rewrite(const char *path, const struct identity *id,
    struct span pass, struct err *e)
{
	struct buf file = BUF_INIT(IDENTITY_FILE_MAX);
	char *real = realpath(path, NULL);
	int r;

	if (real == NULL)
		return err_sys(e, "%s", path);
	r = identity_format(&file, id, pass, e);
	if (r == 0)
		r = check_file(buf_span(&file), id, pass, e);
	if (r == 0)
		r = fs_write(AT_FDCWD, real, NULL, buf_span(&file), 0600,
		    false, e);
	buf_wipe(&file);
	free(real);
	return r;
}
