/* ehr-audit: check a ledger completely, offline; see ehr-audit(1). */
#include "base/clock.h"
#include "base/stamp.h"
#include "cli/ndjson.h"
#include "cli/progress.h"
#include "log/audit.h"

static const struct cli_spec spec = {
	.name = "ehr-audit",
	.usage = "usage: ehr-audit [-C DIR] [--json]\n",
	.takes = CLI_DIR | CLI_JSON
};

struct report {
	struct cli c;
	struct audit audit;
	struct progress progress;
	uint64_t blocks;
};

static void
advance(void *arg, uint64_t blocks)
{
	struct report *r = arg;

	progress_add(&r->progress, blocks - r->blocks, 0);
	r->blocks = blocks;
}

static int
finding(void *arg, const struct audit_finding *f, struct err *e)
{
	struct report *r = arg;
	struct buf line = BUF_INIT(8192);
	struct err safe;

	(void)e;
	progress_end(&r->progress);
	if (r->c.json) {
		ndjson_line(&r->c, json_pack("{s:s,s:s,s:o,s:o}", "finding",
		    f->absent ? "absent" : "failed", "class",
		    audit_class_name(f->class), "where",
		    ndjson_span(span_str(f->where)), "what",
		    ndjson_span(span_str(f->what))));
		return 0;
	}
	/* A file's name may hold anything: keep it to this line. */
	err_set(&safe, ERR_NO, "%s", f->where);
	buf_addf(&line, "%s %s %s: %s\n", f->absent ? "absent" : "FAILED",
	    audit_class_name(f->class), safe.msg, f->what);
	cli_put(buf_span(&line));
	buf_free(&line);
	return 0;
}

static void
summary_json(struct report *r)
{
	json_t *o = json_object();
	const struct audit *a = &r->audit;

	for (int i = 0; i < AUDIT_CLASSES; i++) {
		const struct audit_count *n = &a->count[i];

		json_object_set_new(o, audit_class_name((enum audit_class)i),
		    json_pack("{s:I,s:I,s:I,s:I}", "checked",
		    (json_int_t)n->checked, "failed", (json_int_t)n->failed,
		    "absent", (json_int_t)n->absent, "erased",
		    (json_int_t)n->erased));
	}
	ndjson_line(&r->c, json_pack("{s:o,s:I,s:o,s:o,s:b}", "ledger",
	    ndjson_hash(repo_ledger(a->repo)), "height",
	    (json_int_t)a->head.height, "head", ndjson_hash(&a->head.id),
	    "counts", o, "clean", audit_clean(a)));
}

static void
summary_text(struct report *r)
{
	char ledger[HASH_HEX], head[HASH_HEX], time[STAMP_LEN + 1];
	struct buf out = BUF_INIT(8192);
	const struct audit *a = &r->audit;

	hash_format(ledger, repo_ledger(a->repo));
	hash_format(head, &a->head.id);
	stamp_format(time, a->head.time_ms);
	buf_addf(&out, "ledger %s\nhead %llu %s %s\n", ledger,
	    (unsigned long long)a->head.height, head, time);
	for (int i = 0; i < AUDIT_CLASSES; i++) {
		const struct audit_count *n = &a->count[i];

		buf_addf(&out, "%-13s %llu checked, %llu failed, %llu absent, "
		    "%llu erased by authority\n",
		    audit_class_name((enum audit_class)i),
		    (unsigned long long)n->checked,
		    (unsigned long long)n->failed,
		    (unsigned long long)n->absent,
		    (unsigned long long)n->erased);
	}
	buf_addf(&out, "%s\n", audit_clean(a) ? "clean" : "NOT CLEAN");
	cli_put(buf_span(&out));
	buf_free(&out);
}

int
main(int argc, char **argv)
{
	static struct report r;
	struct err e;
	int status;

	cli_parse(&r.c, &spec, NULL, argc, argv);
	if (r.c.argc > 0)
		return cli_usage(&r.c, "no arguments expected");
	if (repo_open(&r.audit.repo, r.c.dir, &e) != 0)
		return cli_fail(&r.c, &e);
	r.audit.finding = finding;
	r.audit.progress = advance;
	r.audit.arg = &r;
	progress_start(&r.progress, &r.c, "blocks", 0);
	if (audit_run(&r.audit, &e) != 0) {
		progress_end(&r.progress);
		repo_close(r.audit.repo);
		return cli_fail(&r.c, &e);
	}
	progress_end(&r.progress);
	if (r.c.json)
		summary_json(&r);
	else
		summary_text(&r);
	status = audit_clean(&r.audit) ? 0 : 1;
	repo_close(r.audit.repo);
	return cli_close_stdout(&r.c, status);
}
