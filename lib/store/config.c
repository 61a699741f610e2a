#define _GNU_SOURCE
#include "store/config.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/text.h"
#include "store/config_line.h"

static int
append(struct config *c, const struct config_line *l, struct err *e)
{
	struct config_entry *more;
	char *key, *value;

	/* A power of two is when the array is full. */
	if ((c->n & (c->n - 1)) == 0) {
		more = reallocarray(c->entry, c->n == 0 ? 1 : c->n * 2,
		    sizeof(*more));
		if (more == NULL)
			return err_set(e, ERR_SYS, "out of memory");
		c->entry = more;
	}
	key = strndup((const char *)l->key.p, l->key.len);
	value = l->value.len == 0 ? strdup("") :
	    strndup((const char *)l->value.p, l->value.len);
	if (key == NULL || value == NULL) {
		free(key);
		free(value);
		return err_set(e, ERR_SYS, "out of memory");
	}
	c->entry[c->n++] = (struct config_entry){ key, value };
	return 0;
}

int
config_parse(struct config *c, struct span text, const char *what,
    struct err *e)
{
	struct config_line l = { .kind = CONFIG_NOTHING };
	struct config_reader r;
	int got;

	if (text.n > CONFIG_MAX)
		return err_set(e, ERR_BAD, "%s: longer than %d bytes", what,
		    CONFIG_MAX);
	config_reader_init(&r, text, what);
	while ((got = config_line_read(&l, &r, e)) > 0)
		if (l.kind == CONFIG_ENTRY && append(c, &l, e) != 0) {
			got = -1;
			break;
		}
	config_line_free(&l);
	config_reader_free(&r);
	return got;
}

/*
 * Whoever may write a config decides what we run.  owner: whom we trust
 * besides root and ourselves.
 */
static int
check_file(int fd, const char *what, uid_t owner, struct err *e)
{
	struct stat st;

	if (fstat(fd, &st) != 0)
		return err_sys(e, "%s", what);
	if (!S_ISREG(st.st_mode))
		return err_set(e, ERR_BAD, "%s: not a file", what);
	if (st.st_uid != geteuid() && st.st_uid != 0 && st.st_uid != owner)
		return err_set(e, ERR_NO, "%s belongs to user %lu, not to you: "
		    "not read", what, (unsigned long)st.st_uid);
	return 0;
}

/* Append the content of a file to text; one that is not there has none. */
static int
read_file(struct buf *text, int dirfd, const char *path, uid_t owner,
    struct err *e)
{
	int fd, r;

	fd = openat(dirfd, path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	if (fd < 0)
		return errno == ENOENT || errno == ENOTDIR ? 0 :
		    err_sys(e, "%s", path);
	r = check_file(fd, path, owner, e);
	if (r == 0)
		r = fs_read_fd(text, fd, path, e);
	close(fd);
	return r;
}

static int
load_file(struct config *c, int dirfd, const char *path, uid_t owner,
    struct err *e)
{
	struct buf text = BUF_INIT(CONFIG_MAX);
	int r = read_file(&text, dirfd, path, owner, e);

	if (r == 0)
		r = config_parse(c, buf_span(&text), path, e);
	buf_free(&text);
	return r;
}

int
config_load(struct config *c, int dirfd, struct err *e)
{
	const char *home = getenv("HOME");
	char path[FS_NAME_MAX];
	struct stat st;

	if (load_file(c, AT_FDCWD, "/etc/ehr/config", 0, e) != 0)
		return -1;
	if (home != NULL && home[0] == '/' && (size_t)snprintf(path,
	    sizeof(path), "%s/.config/ehr/config", home) < sizeof(path) &&
	    load_file(c, AT_FDCWD, path, geteuid(), e) != 0)
		return -1;
	if (dirfd < 0)
		return 0;
	/* To trust a directory (repo_open) is to trust its owner. */
	if (fstat(dirfd, &st) != 0)
		return err_sys(e, "ledger directory");
	return load_file(c, dirfd, "config", st.st_uid, e);
}

const char *
config_get(const struct config *c, const char *key)
{
	for (size_t i = c->n; i-- > 0;)
		if (strcmp(c->entry[i].key, key) == 0)
			return c->entry[i].value;
	return NULL;
}

int
config_number(const struct config *c, const char *key, uint64_t def,
    uint64_t max, uint64_t *out, struct err *e)
{
	const char *v = config_get(c, key);

	*out = def;
	if (v == NULL || text_parse_u64(out, span_str(v), max) == 0)
		return 0;
	return err_set(e, ERR_BAD, "config: %s is not a number up to %llu",
	    key, (unsigned long long)max);
}

/* If key is section.SUB.name: SUB. */
static bool
match(struct span *sub, const char *key, const char *section,
    const char *name)
{
	size_t head = strlen(section) + 1, tail = config_key_section(key);

	if (tail < head + 2 || strncmp(key, section, head - 1) != 0 ||
	    key[head - 1] != '.' || strcmp(key + tail, name) != 0)
		return false;
	*sub = span_of(key + head, tail - 1 - head);
	return true;
}

bool
config_next(const struct config *c, const char *section, const char *name,
    size_t *at, struct span *sub, const char **value)
{
	while (*at < c->n) {
		const struct config_entry *x = &c->entry[(*at)++];

		/* A later one with the same key is the one in force. */
		if (match(sub, x->key, section, name) &&
		    config_get(c, x->key) == x->value) {
			*value = x->value;
			return true;
		}
	}
	return false;
}

void
config_free(struct config *c)
{
	for (size_t i = 0; i < c->n; i++) {
		free(c->entry[i].key);
		free(c->entry[i].value);
	}
	free(c->entry);
	*c = (struct config){ NULL, 0 };
}
