#include "record/names.h"

#include <stdlib.h>
#include <string.h>

static int
by_name(const void *a, const void *b)
{
	const struct name_pick *pa = a, *pb = b;

	return strcmp(pa->name, pb->name);
}

/* path without its empty, "." and ".." parts; NULL when out of memory. */
static char *
tidy_path(const char *path)
{
	char *out = malloc(strlen(path) + 1), *to = out;

	while (out != NULL && *path != '\0') {
		size_t n = strcspn(path, "/");
		struct span part = span_of(path, n);

		if (n > 0 && !span_is(part, ".") && !span_is(part, "..")) {
			if (to > out)
				*to++ = '/';
			memcpy(to, path, n);
			to += n;
		}
		path += n + (path[n] == '/');
	}
	if (out != NULL)
		*to = '\0';
	return out;
}

static int
last_part(struct name_pick *p, struct err *e)
{
	const char *slash;

	if (p->name != NULL)
		return 0;
	slash = strrchr(p->path, '/');
	p->name = slash == NULL ? p->path : slash + 1;
	if (p->name[0] == '\0' || strcmp(p->name, ".") == 0 ||
	    strcmp(p->name, "..") == 0)
		return err_set(e, ERR_BAD, "%s: is a directory", p->path);
	return 0;
}

/* Give the n picks of one name their paths. */
static int
lengthen(struct name_pick *p, size_t n, struct err *e)
{
	for (size_t i = 0; i < n; i++) {
		if (p[i].path == NULL)
			continue;
		if ((p[i].made = tidy_path(p[i].path)) == NULL)
			return err_set(e, ERR_SYS, "out of memory");
		p[i].name = p[i].made;
	}
	return 0;
}

/* Is a folder of p's name among the names? */
static bool
folder_taken(const struct name_pick *p, const struct name_pick *all, size_t n)
{
	char folder[META_NAME_MAX + 1];
	struct name_pick key = { .name = folder };
	const char *slash = p->name;

	while ((slash = strchr(slash, '/')) != NULL) {
		memcpy(folder, p->name, (size_t)(slash - p->name));
		folder[slash - p->name] = '\0';
		if (bsearch(&key, all, n, sizeof(*all), by_name) != NULL)
			return true;
		slash++;
	}
	return false;
}

int
names_pick(struct name_pick *p, size_t n, struct err *e)
{
	for (size_t i = 0; i < n; i++)
		if (last_part(&p[i], e) != 0)
			return -1;
	if (n > 1)
		qsort(p, n, sizeof(*p), by_name);
	for (size_t i = 0, k; i < n; i += k) {
		for (k = 1; i + k < n && by_name(&p[i], &p[i + k]) == 0; k++)
			;
		if (k > 1 && lengthen(&p[i], k, e) != 0)
			return -1;
	}
	if (n > 1)
		qsort(p, n, sizeof(*p), by_name);
	for (size_t i = 0; i < n; i++) {
		if (!meta_name_ok(span_str(p[i].name)))
			return err_set(e, ERR_BAD, "%s: the name must be "
			    "UTF-8 without control characters, at most %d "
			    "bytes", p[i].name, META_NAME_MAX);
		if (i > 0 && strcmp(p[i - 1].name, p[i].name) == 0)
			return err_set(e, ERR_USAGE, "%s: two files would "
			    "have this name", p[i].name);
	}
	for (size_t i = 0; i < n; i++)
		if (folder_taken(&p[i], p, n))
			return err_set(e, ERR_USAGE, "%s: a folder of this "
			    "name is a file too", p[i].name);
	return 0;
}

void
names_free(struct name_pick *p, size_t n)
{
	for (size_t i = 0; i < n; i++)
		free(p[i].made);
}
