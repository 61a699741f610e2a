/* ehr-add: seal files into staged records for a patient; see ehr-add(1). */
#define _GNU_SOURCE	/* strdup */
#include <stdlib.h>
#include <unistd.h>

#include "cli/items.h"
#include "cli/open.h"
#include "cli/progress.h"
#include "record/seal.h"

static const struct cli_spec spec = {
	.name = "ehr-add",
	.usage =
"usage: ehr-add [-C DIR] -i DOCTOR -p PATIENT -d TEXT -l LABEL FILE ...\n"
"       ehr-add [-C DIR] -i DOCTOR -p PATIENT -d TEXT -l LABEL [-z] -\n",
	.takes = CLI_DIR | CLI_IDENTITY | CLI_NUL
};

struct add {
	struct ctx x;
	struct sealer *sealer;
	char **path;		/* of the records that wait for a commit */
	size_t npaths, cap;
	uint64_t done;
	struct progress progress;
	int status;
};

static int
made(void *arg, size_t i, const struct hash *id, const struct err *why,
    struct err *e)
{
	struct add *a = arg;
	char line[HASH_HEX + 1];

	(void)e;
	if (id == NULL) {
		struct err wrapped = *why;

		if (a->npaths > 0 && strstr(why->msg, a->path[i]) == NULL)
			err_wrap(&wrapped, "%s", a->path[i]);
		a->status = cli_worse(a->status,
		    cli_fail(&a->x.cli, &wrapped));
		return 0;
	}
	progress_end(&a->progress);
	hash_format(line, id);
	line[HASH_HEX - 1] = '\n';
	cli_put(span_of(line, HASH_HEX));
	a->done++;
	progress_set(&a->progress, a->done, 0, 0);
	return 0;
}

/* Ids are printed only once their records are durable. */
static int
commit(struct add *a, struct err *e)
{
	int ret = sealer_commit(a->sealer, made, a, e);

	for (size_t i = 0; i < a->npaths; i++)
		free(a->path[i]);
	a->npaths = 0;
	return ret;
}

/* All arguments are the files of one record. */
static int
add_one_record(struct add *a, struct err *e)
{
	struct payload_input *in = calloc((size_t)a->x.cli.argc, sizeof(*in));
	int ret;

	if (in == NULL)
		return err_set(e, ERR_SYS, "out of memory");
	for (int i = 0; i < a->x.cli.argc; i++)
		in[i].path = a->x.cli.argv[i];
	ret = sealer_add(a->sealer, in, (size_t)a->x.cli.argc, e);
	free(in);
	return ret == 0 ? commit(a, e) : -1;
}

/* Each name on standard input is a record of its own. */
static int
add_many(struct add *a, struct err *e)
{
	struct items it;
	const char *item;
	int ret;

	items_start(&it, &a->x.cli);
	while ((ret = items_next(&it, &item, e)) == 1) {
		struct payload_input in = { 0 };

		if (a->npaths == a->cap) {
			size_t cap = a->cap == 0 ? 1024 : a->cap * 2;
			char **more = realloc(a->path, cap * sizeof(*more));

			if (more == NULL)
				return err_set(e, ERR_SYS, "out of memory");
			a->path = more;
			a->cap = cap;
		}
		if ((in.path = strdup(item)) == NULL)
			return err_set(e, ERR_SYS, "out of memory");
		a->path[a->npaths++] = (char *)(uintptr_t)in.path;
		if (sealer_add(a->sealer, &in, 1, e) != 0)
			return -1;
		if (sealer_full(a->sealer) && commit(a, e) != 0)
			return -1;
	}
	if (ret == 0 && commit(a, e) == 0) {
		if (a->done == 0 && a->status == 0)
			return err_set(e, ERR_NO, "no file was named");
		return 0;
	}
	return -1;
}

int
main(int argc, char **argv)
{
	static struct add a;
	struct sealer_new n = { .description = "" };
	const char *patient = NULL;
	char handle[HANDLE_LEN + 1];
	const struct cli_opt opt[] = {
		{ 'p', "patient", CLI_TEXT, &patient, 0 },
		{ 'd', "description", CLI_TEXT, &n.description, 0 },
		{ 'l', "label", CLI_TEXT, &n.label, 0 },
		{ 0 }
	};
	struct err e;
	int ret;

	cli_parse(&a.x.cli, &spec, opt, argc, argv);
	if (patient == NULL || n.label == NULL || a.x.cli.argc == 0)
		return cli_usage(&a.x.cli, "-p, -l and files are needed");
	ret = ctx_open(&a.x, &e);
	if (ret == 0)
		ret = ctx_identity(&a.x, &e);
	if (ret == 0)
		ret = lookup_person(handle, a.x.repo, a.x.db, patient, &e);
	n.repo = a.x.repo;
	n.author = &a.x.id;
	n.patient = handle;
	n.now_ms = a.x.now_ms;
	if (ret == 0)
		ret = sealer_open(&a.sealer, &n, &e);
	progress_start(&a.progress, &a.x.cli, "sealing");
	if (ret == 0)
		ret = a.x.cli.argc == 1 && strcmp(a.x.cli.argv[0], "-") == 0 ?
		    add_many(&a, &e) : add_one_record(&a, &e);
	progress_end(&a.progress);
	sealer_free(a.sealer);
	free(a.path);
	return cli_worse(a.status, ctx_end(&a.x, ret, &e));
}
