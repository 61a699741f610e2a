/* ehr-authorize: a patient decides on records; see ehr-authorize(1). */
#include "base/clock.h"
#include "base/stamp.h"
#include "cli/items.h"
#include "cli/ndjson.h"
#include "cli/open.h"
#include "ledger/perm.h"
#include "record/decide.h"

static const struct cli_spec spec = {
	.name = "ehr-authorize",
	.usage =
"usage: ehr-authorize [-C DIR] -i PATIENT --list [--json]\n"
"       ehr-authorize [-C DIR] -i PATIENT [--to READER] RECORD ... | -\n"
"       ehr-authorize [-C DIR] -i PATIENT --reject RECORD ... | -\n"
"       ehr-authorize [-C DIR] -i PATIENT --withdraw READER RECORD ... | -\n"
"       ehr-authorize [-C DIR] -i PATIENT --erase REASON RECORD ... | -\n"
"       ehr-authorize [-C DIR] -i PATIENT --history RECORD\n",
	.takes = CLI_DIR | CLI_IDENTITY | CLI_JSON | CLI_NUL
};

struct readers {
	size_t n;
	struct span name[CLI_LIST_MAX];
	char handle[CLI_LIST_MAX][HANDLE_LEN + 1];
};

struct authorize {
	struct ctx x;
	struct keyring ring;
	struct decider *decider;
	struct readers to, from;
	const char *erase;
	bool list, reject, history, unkeyed;
	struct buf out;		/* ids; printed once all is durable */
};

/* --- what waits ----------------------------------------------------------- */

static int
list_one(void *arg, const struct staged *s, struct span header, struct err *e)
{
	struct authorize *a = arg;
	char hex[HASH_HEX], time[STAMP_LEN + 1];
	struct meta meta = { .root = NULL };
	struct err why;

	(void)e;
	if (!span_is(s->patient, a->x.id.name))
		return 0;
	/* The body may still be on its way here. */
	if (unseal_meta(&meta, a->x.repo, &s->body, NULL, header, &a->ring,
	    &why) != 0)
		meta.description = span_str(why.kind == ERR_NO ?
		    "(its content is not here yet)" :
		    "(its content cannot be read; do not authorize it)");
	hash_format(hex, &s->id);
	stamp_format(time, s->time_ms);
	if (a->x.cli.json)
		ndjson_line(&a->x.cli, json_pack("{s:s,s:s,s:o,s:o,s:o}",
		    "record", hex, "time", time, "author",
		    ndjson_span(s->author), "label", ndjson_span(s->label),
		    "description", ndjson_span(meta.description)));
	else {
		buf_addf(&a->out, "%s\t%s\t%.*s\t%.*s\t%.*s\n", hex, time,
		    SPAN_FMT(s->author), SPAN_FMT(s->label),
		    SPAN_FMT(meta.description));
		cli_put(buf_span(&a->out));
		buf_reset(&a->out);
	}
	meta_free(&meta);
	return 0;
}

static int
list(struct authorize *a)
{
	struct err e;
	int ret = keyring_open(&a->ring, a->x.repo, a->x.db, &a->x.id, &e);

	/* Others have nothing that could wait for them: say so. */
	if (ret == 0 && (a->ring.perms & PERM_AUTHORIZE) == 0)
		ret = err_set(&e, ERR_NO, "%s may not do this: permission "
		    "\"%s\" is missing", a->x.id.name,
		    perm_name(PERM_AUTHORIZE));
	if (ret == 0)
		ret = staging_each(a->x.repo, list_one, a, &e);
	return ctx_end(&a->x, ret, &e);
}

/* --- who did what with a record ------------------------------------------- */

static int
print_event(void *arg, const struct lookup_tx *t, struct err *e)
{
	struct authorize *a = arg;
	char hex[HASH_HEX], time[STAMP_LEN + 1];

	(void)e;
	hash_format(hex, &t->id);
	stamp_format(time, t->time_ms);
	if (a->x.cli.json)
		ndjson_line(&a->x.cli, json_pack("{s:s,s:s,s:s,s:s}", "time",
		    time, "author", t->author, "kind", t->kind, "transaction",
		    hex));
	else {
		buf_addf(&a->out, "%s\t%s\t%s\t%s\n", time, t->author,
		    t->kind, hex);
		cli_put(buf_span(&a->out));
		buf_reset(&a->out);
	}
	return 0;
}

static int
history_of(void *arg, const char *item, struct err *e)
{
	struct authorize *a = arg;
	struct lookup_record rec;
	struct hash id;
	int ret;

	if (ctx_hash(&id, item, e) != 0)
		return -1;
	ret = lookup_record(&rec, a->x.db, &id, e);
	if (ret == 1 && strcmp(rec.patient, a->x.id.name) != 0)
		ret = 0;	/* another patient's: not even that it exists */
	if (ret == 0)
		err_set(e, ERR_NO, "%s: you have no such record", item);
	if (ret != 1)
		return -1;
	return lookup_accesses(a->x.db, &id, print_event, a, e);
}

/* --- decisions ------------------------------------------------------------ */

/* A staged record is authorized, one on the ledger gets other readers. */
static int
decide(struct authorize *a, const struct hash *id, struct hash *tx,
    struct err *e)
{
	if (a->erase != NULL)
		return decide_erase(a->decider, id, a->erase, tx, e);
	if (a->reject)
		return decide_reject(a->decider, id, tx, e);
	if (a->from.n > 0)
		return decide_readers(a->decider, false, id, a->from.name,
		    a->from.n, tx, e);
	if (a->to.n > 0 && !decide_is_staged(a->decider, id))
		return decide_readers(a->decider, true, id, a->to.name,
		    a->to.n, tx, e);
	return decide_authorize(a->decider, id, a->to.name, a->to.n, tx,
	    &a->unkeyed, e);
}

static int
decide_one(void *arg, const char *item, struct err *e)
{
	struct authorize *a = arg;
	char hex[HASH_HEX];
	struct hash id, tx;

	if (ctx_hash(&id, item, e) != 0)
		return -1;
	if (decide(a, &id, &tx, e) != 0)
		return err_wrap(e, "%s", item);
	hash_format(hex, &tx);
	buf_addf(&a->out, "%s\n", hex);
	return buf_check(&a->out, "output", e);
}

static int
begin(void *arg, struct err *e)
{
	struct authorize *a = arg;

	/* Standard input may have taken its time. */
	a->x.now_ms = clock_now_ms();
	return decider_open(&a->decider, a->x.repo, &a->x.id, a->x.now_ms, e);
}

static int
end(void *arg, struct err *e)
{
	struct authorize *a = arg;

	if (decider_commit(a->decider, e) != 0)
		return -1;
	cli_put(buf_span(&a->out));
	if (a->unkeyed)
		cli_note(&a->x.cli, "a role among the readers has no key yet; "
		    "admit it again, with --to, after a member's next command");
	return 0;
}

static int
decide_all(struct authorize *a)
{
	const struct items_work work = { begin, decide_one, end };
	int status = items_together(&a->x.cli, &work, a);

	buf_free(&a->out);
	return cli_worse(status, ctx_end(&a->x, 0, NULL));
}

/* Readers as they were named: handles, e-mail addresses, "role:NAME". */
static int
readers_of(struct readers *out, struct ctx *x, const struct cli_list *l,
    struct err *e)
{
	for (out->n = 0; out->n < l->n; out->n++) {
		const char *name = l->v[out->n];

		if (strchr(name, '@') != NULL) {
			if (lookup_person(out->handle[out->n], x->repo, x->db,
			    name, e) != 0)
				return -1;
			name = out->handle[out->n];
		}
		out->name[out->n] = span_str(name);
	}
	return 0;
}

int
main(int argc, char **argv)
{
	static struct authorize a = { .out = BUF_INIT(ITEMS_MAX) };
	struct cli_list to = { .n = 0 }, from = { .n = 0 };
	const struct cli_opt opt[] = {
		{ 0, "list", CLI_FLAG, &a.list, 0 },
		{ 0, "reject", CLI_FLAG, &a.reject, 0 },
		{ 0, "history", CLI_FLAG, &a.history, 0 },
		{ 0, "to", CLI_LIST, &to, 0 },
		{ 0, "withdraw", CLI_LIST, &from, 0 },
		{ 0, "erase", CLI_TEXT, &a.erase, 0 },
		{ 0 }
	};
	struct err e;
	int status;

	cli_parse(&a.x.cli, &spec, opt, argc, argv);
	if (a.list + a.reject + a.history + (to.n > 0) + (from.n > 0) +
	    (a.erase != NULL) > 1)
		return cli_usage(&a.x.cli, "one of --list, --reject, --to, "
		    "--withdraw, --erase and --history at a time");
	if (a.list != (a.x.cli.argc == 0))
		return cli_usage(&a.x.cli, a.list ? "--list takes no argument" :
		    "RECORD or - expected");
	if (ctx_open(&a.x, &e) != 0 || ctx_identity(&a.x, &e) != 0 ||
	    readers_of(&a.to, &a.x, &to, &e) != 0 ||
	    readers_of(&a.from, &a.x, &from, &e) != 0)
		return ctx_end(&a.x, -1, &e);
	if (a.list)
		return list(&a);
	if (!a.history)
		return decide_all(&a);
	status = items_each(&a.x.cli, history_of, &a);
	return cli_worse(status, ctx_end(&a.x, 0, NULL));
}
