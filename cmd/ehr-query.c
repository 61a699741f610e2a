/* ehr-query: find records that one may open; see ehr-query(1). */
#include "base/stamp.h"
#include "cli/ndjson.h"
#include "cli/open.h"
#include "cli/when.h"
#include "record/reading.h"
#include "store/blocks.h"

static const struct cli_spec spec = {
	.name = "ehr-query",
	.usage =
"usage: ehr-query [-C DIR] -i IDENTITY [-p PATIENT] [-a AUTHOR] [-l LABEL]\n"
"           [--since TIME] [--until TIME] [--hour HOUR] [--limit N] [--json]\n"
"           [WORD ...]\n",
	.takes = CLI_DIR | CLI_IDENTITY | CLI_JSON
};

struct query {
	struct ctx x;
	uint64_t found, limit;
	struct buf out;
};

static int
print_json(struct query *q, const struct lookup_record *r,
    const struct meta *m)
{
	json_t *files = json_array();

	for (size_t i = 0; i < m->nfiles; i++) {
		struct meta_file f;

		meta_file(&f, m, i);
		json_array_append_new(files, json_pack("{s:o,s:o,s:I}", "name",
		    ndjson_span(f.name), "type", ndjson_span(f.type), "size",
		    (json_int_t)f.size));
	}
	ndjson_line(&q->x.cli, json_pack("{s:o,s:o,s:s,s:s,s:s,s:o,s:I,s:o}",
	    "record", ndjson_hash(&r->id), "time", ndjson_time(r->time_ms),
	    "patient", r->patient, "doctor", r->author, "label", r->label,
	    "description", ndjson_span(m->description), "height",
	    (json_int_t)r->height, "files", files));
	return 0;
}

static int
print(void *arg, const struct lookup_record *r, const struct meta *m,
    struct err *e)
{
	char hex[HASH_HEX], time[STAMP_LEN + 1];
	struct query *q = arg;

	(void)e;
	q->found++;
	if (q->x.cli.json)
		print_json(q, r, m);
	else {
		hash_format(hex, &r->id);
		stamp_format(time, r->time_ms);
		buf_addf(&q->out, "%s\t%s\t%s\t%s\t%s\t%.*s\n", hex, time,
		    r->patient, r->author, r->label, SPAN_FMT(m->description));
		cli_put(buf_span(&q->out));
		buf_reset(&q->out);
	}
	return q->limit > 0 && q->found == q->limit;
}

/* Only what the log of that hour has; the state tells where that is. */
static int
hour_of(struct lookup_filter *f, const char *hour, struct ctx *x,
    struct err *e)
{
	int64_t ms;

	if (stamp_hour_parse(&ms, span_str(hour)) != 0)
		return err_set(e, ERR_USAGE, "%s: not an hour "
		    "(YYYY-MM-DD_HH)", hour);
	f->by_seq = true;
	if (blocks_size_before(&f->from_seq, x->db, x->head.height, ms,
	    e) != 0)
		return -1;
	return blocks_size_before(&f->until_seq, x->db, x->head.height,
	    ms + STAMP_HOUR_MS, e);
}

/* Names as the state has them. */
struct who {
	const char *patient, *author, *since, *until, *hour;
	char patient_handle[HANDLE_LEN + 1], author_handle[HANDLE_LEN + 1];
};

static int
resolve(struct lookup_filter *f, struct who *w, struct ctx *x, struct err *e)
{
	if (w->patient != NULL) {
		if (lookup_person(w->patient_handle, x->repo, x->db,
		    w->patient, e) != 0)
			return -1;
		f->patient = w->patient_handle;
	}
	if (w->author != NULL) {
		if (lookup_person(w->author_handle, x->repo, x->db, w->author,
		    e) != 0)
			return -1;
		f->author = w->author_handle;
	}
	if (w->since != NULL && when_parse(&f->since_ms, w->since, e) != 0)
		return -1;
	if (w->until != NULL && when_parse(&f->until_ms, w->until, e) != 0)
		return -1;
	return w->hour == NULL ? 0 : hour_of(f, w->hour, x, e);
}

int
main(int argc, char **argv)
{
	static struct query q = { .out = BUF_INIT(8192) };
	struct lookup_filter f = { .until_ms = INT64_MAX };
	struct who who = { .patient = NULL };
	const struct cli_opt opt[] = {
		{ 'p', "patient", CLI_TEXT, &who.patient, 0 },
		{ 'a', "author", CLI_TEXT, &who.author, 0 },
		{ 'l', "label", CLI_TEXT, &f.label, 0 },
		{ 0, "since", CLI_TEXT, &who.since, 0 },
		{ 0, "until", CLI_TEXT, &who.until, 0 },
		{ 0, "hour", CLI_TEXT, &who.hour, 0 },
		{ 0, "limit", CLI_NUMBER, &q.limit, INT64_MAX },
		{ 0 }
	};
	size_t sealed = 0;
	struct err e;
	int ret;

	cli_parse(&q.x.cli, &spec, opt, argc, argv);
	ret = ctx_open(&q.x, &e);
	if (ret == 0)
		ret = ctx_identity(&q.x, &e);
	if (ret == 0 && f.label != NULL && !name_is_label(span_str(f.label)))
		ret = err_set(&e, ERR_NO, "\"%s\" is not a label; see "
		    "ehr-add(1)", f.label);
	if (ret == 0)
		ret = resolve(&f, &who, &q.x, &e);
	if (ret == 0)
		ret = reading_search(q.x.repo, &q.x.id, &f,
		    (const char *const *)q.x.cli.argv, (size_t)q.x.cli.argc,
		    print, &q, &sealed, &e);
	if (ret == 0 && sealed > 0)
		cli_note(&q.x.cli, "%zu more could not be looked into: their "
		    "content is not here, or not sealed for you", sealed);
	buf_free(&q.out);
	ret = ctx_end(&q.x, ret, &e);
	return ret == 0 && q.found == 0 ? 1 : ret;	/* as grep */
}
