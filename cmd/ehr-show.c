/* ehr-show: open a record, and leave a mark of it; see ehr-show(1). */
#define _GNU_SOURCE	/* AT_FDCWD */
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "cli/items.h"
#include "cli/open.h"
#include "record/reading.h"

static const struct cli_spec spec = {
	.name = "ehr-show",
	.usage =
"usage: ehr-show [-C DIR] -i IDENTITY -o DIR [-f] RECORD ... | -\n"
"       ehr-show [-C DIR] -i IDENTITY RECORD [-n NAME]\n"
"       ehr-show [-C DIR] -i IDENTITY --list RECORD\n"
"       ehr-show [-C DIR] -i IDENTITY --sealed RECORD > FILE.age\n",
	.takes = CLI_DIR | CLI_IDENTITY | CLI_NUL
};

#define BATCH 256		/* records whose marks are left together */

struct show {
	struct ctx x;
	const char *out, *name;
	bool list, force, sealed;
	int status;		/* of many */
	size_t n;
	struct reading of[BATCH];
};

static int
put(void *arg, const void *p, size_t n, struct err *e)
{
	(void)arg, (void)e;
	cli_put(span_of(p, n));
	return 0;
}

static int
put_name(void *arg, struct span name, uint64_t size, struct err *e)
{
	struct buf line = BUF_INIT(8192);

	(void)arg;
	buf_addf(&line, "%llu\t%.*s\n", (unsigned long long)size,
	    SPAN_FMT(name));
	cli_put(buf_span(&line));
	buf_free(&line);
	(void)e;
	return 0;
}

/* Into that folder, which is made if need be. */
static int
extract(struct show *s, struct unseal *u, const char *dir, struct err *e)
{
	int fd, ret;

	if (fs_mkdir(AT_FDCWD, dir, 0700, e) != 0)
		return -1;
	fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return err_sys(e, "%s", dir);
	ret = payload_extract(unseal_read, u, fd, s->force, e);
	close(fd);
	return ret;
}

static int
show(struct show *s, const char *record, struct err *e)
{
	struct unseal u;
	struct hash id;
	int ret;

	if (ctx_hash(&id, record, e) != 0)
		return -1;
	if (s->sealed)
		return reading_sealed(s->x.repo, &s->x.id, &id, s->x.now_ms,
		    put, NULL, e);
	if (reading_open(&u, s->x.repo, &s->x.id, &id, s->x.now_ms, e) != 0)
		return err_wrap(e, "%s", record);
	if (s->list)
		ret = payload_list(unseal_read, &u, put_name, NULL, e);
	else if (s->out != NULL)
		ret = extract(s, &u, s->out, e);
	else
		ret = payload_stream(unseal_read, &u, s->name, put, NULL, e);
	unseal_close(&u);
	return ret == 0 ? 0 : err_wrap(e, "%s", record);
}

/* --- many ----------------------------------------------------------------- */

static int
extract_marked(struct show *s, const struct reading *of, struct err *e)
{
	char dir[FS_NAME_MAX], hex[HASH_HEX];
	struct unseal u;
	int ret;

	hash_format(hex, &of->record);
	if (snprintf(dir, sizeof(dir), "%s/%s", s->out, hex) >=
	    (int)sizeof(dir))
		return err_set(e, ERR_USAGE, "%s: too long a path", s->out);
	if (reading_unseal(&u, s->x.repo, &s->x.id, &of->record, e) != 0)
		return err_wrap(e, "%s", hex);
	ret = extract(s, &u, dir, e);
	unseal_close(&u);
	return ret == 0 ? 0 : err_wrap(e, "%s", hex);
}

static void
complain(struct show *s, const struct err *e)
{
	s->status = cli_worse(s->status, cli_fail(&s->x.cli, e));
}

/* Mark and write those that were gathered. */
static int
flush(struct show *s, struct err *e)
{
	char hex[HASH_HEX];

	if (fs_mkdir(AT_FDCWD, s->out, 0700, e) != 0 ||
	    reading_mark(s->x.repo, &s->x.id, s->of, s->n, s->x.now_ms,
	    e) != 0)
		return -1;
	for (size_t i = 0; i < s->n; i++) {
		if (!s->of[i].marked) {
			hash_format(hex, &s->of[i].record);
			err_wrap(&s->of[i].why, "%s", hex);
			complain(s, &s->of[i].why);
		} else if (extract_marked(s, &s->of[i], e) != 0) {
			if (e->kind == ERR_SYS)
				return -1;
			complain(s, e);
		}
	}
	s->n = 0;
	return 0;
}

static int
show_many(struct show *s, struct err *e)
{
	struct items it;
	const char *item;
	int ret;

	items_start(&it, &s->x.cli);
	while ((ret = items_next(&it, &item, e)) == 1) {
		if (ctx_hash(&s->of[s->n].record, item, e) != 0)
			complain(s, e);
		else if (++s->n == BATCH && flush(s, e) != 0)
			return -1;
	}
	if (ret < 0)
		return -1;
	if (it.count == 0)
		return err_set(e, ERR_NO, "no record was named");
	return s->n > 0 ? flush(s, e) : 0;
}

/* One RECORD, as it is asked for; or several, to folders of their own. */
static int
run(struct show *s, struct err *e)
{
	if (s->x.cli.argc == 1 && strcmp(s->x.cli.argv[0], "-") != 0)
		return show(s, s->x.cli.argv[0], e);
	return show_many(s, e);
}

int
main(int argc, char **argv)
{
	static struct show s;
	const struct cli_opt opt[] = {
		{ 'o', "output", CLI_TEXT, &s.out, 0 },
		{ 'n', "name", CLI_TEXT, &s.name, 0 },
		{ 0, "list", CLI_FLAG, &s.list, 0 },
		{ 0, "sealed", CLI_FLAG, &s.sealed, 0 },
		{ 'f', "force", CLI_FLAG, &s.force, 0 },
		{ 0 }
	};
	struct err e;
	int ret;

	cli_parse(&s.x.cli, &spec, opt, argc, argv);
	if (s.x.cli.argc == 0)
		return cli_usage(&s.x.cli, "RECORD expected");
	if (s.list + s.sealed + (s.out != NULL) + (s.name != NULL) > 1)
		return cli_usage(&s.x.cli, "one of --list, --sealed, -n and "
		    "-o at a time");
	if (s.out == NULL && (s.x.cli.argc > 1 ||
	    strcmp(s.x.cli.argv[0], "-") == 0))
		return cli_usage(&s.x.cli, "several records need -o");
	ret = ctx_open(&s.x, &e);
	if (ret == 0)
		ret = ctx_identity(&s.x, &e);
	if (ret == 0)
		ret = run(&s, &e);
	return cli_worse(s.status, ctx_end(&s.x, ret, &e));
}
