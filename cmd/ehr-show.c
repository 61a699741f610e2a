/* ehr-show: open a record, and leave a mark of it; see ehr-show(1). */
#define _GNU_SOURCE	/* AT_FDCWD */
#include <fcntl.h>
#include <unistd.h>

#include "cli/items.h"
#include "cli/open.h"
#include "record/reading.h"

static const struct cli_spec spec = {
	.name = "ehr-show",
	.usage =
"usage: ehr-show [-C DIR] -i IDENTITY RECORD -o DIR [-f]\n"
"       ehr-show [-C DIR] -i IDENTITY RECORD [-n NAME]\n"
"       ehr-show [-C DIR] -i IDENTITY --list RECORD\n"
"       ehr-show [-C DIR] -i IDENTITY --sealed RECORD > FILE.age\n",
	.takes = CLI_DIR | CLI_IDENTITY
};

struct show {
	struct ctx x;
	const char *out, *name;
	bool list, force, sealed;
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

/* Into the folder of -o, which is made if need be. */
static int
extract(struct show *s, struct unseal *u, struct err *e)
{
	int fd, ret;

	if (fs_mkdir(AT_FDCWD, s->out, 0700, e) != 0)
		return -1;
	fd = open(s->out, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return err_sys(e, "%s", s->out);
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
		ret = extract(s, &u, e);
	else
		ret = payload_stream(unseal_read, &u, s->name, put, NULL, e);
	unseal_close(&u);
	return ret == 0 ? 0 : err_wrap(e, "%s", record);
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
	if (s.x.cli.argc != 1)
		return cli_usage(&s.x.cli, "one RECORD expected");
	ret = ctx_open(&s.x, &e);
	if (ret == 0)
		ret = ctx_identity(&s.x, &e);
	if (ret == 0)
		ret = show(&s, s.x.cli.argv[0], &e);
	return ctx_end(&s.x, ret, &e);
}
