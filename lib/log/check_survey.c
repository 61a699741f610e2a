/*
 * The part of a check that is about which files of objects/ were touched since
 * the last one.  The files of a folder, and the segments of a day, are a group;
 * of those that were there before a moment, a digest over what the file system
 * says of each tells whether one was changed, removed, put back or exchanged.
 */
#define _GNU_SOURCE	/* fstatat */
#include "log/check_part.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>

#define SEG "objects/seg"
#define DAY 8			/* digits that a segment's name begins with */
#define GROUPS_MAX 30000	/* whose lines CHECKED_MAX has room for */

/* What is younger may still change without another time stamp. */
#define YOUNG_MS 2000

/* A group whose files are looked at. */
struct survey {
	struct check *k;
	char name[CHECKED_NAME_MAX];
	const struct checked_group *was;	/* or NULL */
	int64_t until_ms;
	struct hash then, now;	/* files up to was's time; up to until_ms */
};

/* Which group is that file of?  -1: none. */
static int
group_of(char out[CHECKED_NAME_MAX], const char *path)
{
	size_t n = sizeof("objects/xx") - 1;

	if (strncmp(path, SEG "/", sizeof(SEG)) == 0) {
		n = sizeof(SEG) + DAY;
		if (strspn(path + sizeof(SEG), "0123456789") < DAY)
			return -1;
	} else if (strspn(path + n - 2, "0123456789abcdef") < 2 ||
	    path[n] != '/')
		return -1;
	snprintf(out, CHECKED_NAME_MAX, "%.*s", (int)n, path);
	return 0;
}

static int64_t
changed_ms(const struct stat *st)
{
	return (int64_t)st->st_ctim.tv_sec * 1000 +
	    st->st_ctim.tv_nsec / 1000000;
}

/* One more file of the group. */
static void
take(struct survey *s, const char *path)
{
	struct buf line = BUF_INIT(FS_NAME_MAX + 256);
	struct stat st;

	if (fstatat(s->k->repo->dirfd, path, &st, AT_SYMLINK_NOFOLLOW) != 0)
		return;
	buf_addf(&line, "%llu %llu %lld.%09ld %lld.%09ld ",
	    (unsigned long long)st.st_ino, (unsigned long long)st.st_size,
	    (long long)st.st_mtim.tv_sec, st.st_mtim.tv_nsec,
	    (long long)st.st_ctim.tv_sec, st.st_ctim.tv_nsec);
	buf_adds(&line, path);
	if (s->was != NULL && changed_ms(&st) <= s->was->time_ms)
		checked_bind(&s->then, buf_span(&line));
	if (changed_ms(&st) <= s->until_ms)
		checked_bind(&s->now, buf_span(&line));
	buf_free(&line);
}

static void
begin(struct survey *s, const char *name)
{
	snprintf(s->name, sizeof(s->name), "%s", name);
	s->was = checked_find(&s->k->was.groups, name);
	memset(&s->then, 0, sizeof(s->then));
	memset(&s->now, 0, sizeof(s->now));
}

/* When nothing is new, what is remembered stays as it is. */
static int
end(struct survey *s, struct err *e)
{
	bool same = s->was != NULL && hash_eq(&s->was->digest, &s->then);
	int64_t time_ms = same && hash_eq(&s->then, &s->now) ?
	    s->was->time_ms : s->until_ms;

	if (s->name[0] == '\0' || s->k->now.groups.n == GROUPS_MAX)
		return 0;
	if (same && checked_add(&s->k->same, s->name, s->was->time_ms,
	    &s->then, e) != 0)
		return -1;
	return checked_add(&s->k->now.groups, s->name, time_ms, &s->now, e);
}

/* All files of a folder: one group, or several that follow each other. */
static int
survey(struct survey *s, const char *folder, struct err *e)
{
	struct fs_names list;
	int ret = 0;

	if (fs_list(&list, s->k->repo->dirfd, folder, e) != 0)
		return -1;
	s->name[0] = '\0';
	for (size_t i = 0; i < list.n && ret == 0; i++) {
		char path[FS_NAME_MAX], name[CHECKED_NAME_MAX];

		snprintf(path, sizeof(path), "%s/%.255s", folder,
		    list.name[i]);
		if (group_of(name, path) != 0)
			continue;
		if (strcmp(name, s->name) != 0) {
			ret = end(s, e);
			begin(s, name);
		}
		take(s, path);
	}
	fs_names_free(&list);
	return ret == 0 ? end(s, e) : -1;
}

int
check_survey(struct check *k, struct err *e)
{
	struct survey s = { .k = k, .until_ms = k->o->now_ms - YOUNG_MS };
	char folder[sizeof("objects/xx")];

	if (s.until_ms < 0)
		s.until_ms = 0;
	for (unsigned i = 0; i < 256; i++) {
		snprintf(folder, sizeof(folder), "objects/%02x", i);
		if (survey(&s, folder, e) != 0)
			return -1;
	}
	return survey(&s, SEG, e);
}

bool
check_untouched(void *check, const char *path)
{
	const struct checked_group *g;
	struct check *k = check;
	char name[CHECKED_NAME_MAX];
	struct stat st;

	if (group_of(name, path) != 0 ||
	    (g = checked_find(&k->same, name)) == NULL ||
	    fstatat(k->repo->dirfd, path, &st, AT_SYMLINK_NOFOLLOW) != 0)
		return false;
	return S_ISREG(st.st_mode) && changed_ms(&st) <= g->time_ms;
}
