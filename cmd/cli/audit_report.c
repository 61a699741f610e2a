#include "cli/audit_report.h"

#include "base/stamp.h"
#include "cli/ndjson.h"

static void
finding_json(struct cli *c, const struct audit_finding *f)
{
	ndjson_line(c, json_pack("{s:s,s:s,s:o,s:o}", "finding",
	    f->absent ? "absent" : "failed", "class",
	    audit_class_name(f->class), "where",
	    ndjson_span(span_str(f->where)), "what",
	    ndjson_span(span_str(f->what))));
}

void
audit_report_finding(struct cli *c, const struct audit_finding *f, FILE *out)
{
	struct buf line = BUF_INIT(8192);
	struct err safe;

	if (c->json) {
		finding_json(c, f);
		return;
	}
	/* A file's name may hold anything: keep it to this line. */
	err_set(&safe, ERR_NO, "%s", f->where);
	buf_addf(&line, "%s %s %s: %s\n", f->absent ? "absent" : "FAILED",
	    audit_class_name(f->class), safe.msg, f->what);
	if (out == stdout)
		cli_put(buf_span(&line));
	else
		fwrite(line.p, 1, line.len, out);
	buf_free(&line);
}

void
audit_report_text(const struct audit *a)
{
	char ledger[HASH_HEX], head[HASH_HEX], time[STAMP_LEN + 1];
	struct buf out = BUF_INIT(8192);

	hash_format(ledger, repo_ledger(a->repo));
	hash_format(head, &a->head.id);
	stamp_format(time, a->head.time_ms);
	buf_addf(&out, "ledger %s\nhead %llu %s %s\n", ledger,
	    (unsigned long long)a->head.height, head, time);
	for (int i = 0; i < AUDIT_CLASSES; i++) {
		const struct audit_count *n = &a->count[i];

		if (i == AUDIT_BUNDLE && n->checked == 0)
			continue;
		buf_addf(&out, "%-13s %llu checked, %llu failed, %llu absent, "
		    "%llu erased by authority\n",
		    audit_class_name((enum audit_class)i),
		    (unsigned long long)n->checked,
		    (unsigned long long)n->failed,
		    (unsigned long long)n->absent,
		    (unsigned long long)n->erased);
	}
	for (int i = 0; i < AUDIT_GAPS; i++)
		if (a->gaps & 1u << i)
			buf_addf(&out, "not checked: %s\n",
			    audit_gap_text((enum audit_gap)i));
	buf_addf(&out, "%s\n", audit_clean(a) ? "clean" : "NOT CLEAN");
	cli_put(buf_span(&out));
	buf_free(&out);
}

static json_t *
counts_json(const struct audit *a)
{
	json_t *o = json_object();

	for (int i = 0; i < AUDIT_CLASSES; i++) {
		const struct audit_count *n = &a->count[i];

		json_object_set_new(o, audit_class_name((enum audit_class)i),
		    json_pack("{s:I,s:I,s:I,s:I}", "checked",
		    (json_int_t)n->checked, "failed", (json_int_t)n->failed,
		    "absent", (json_int_t)n->absent, "erased",
		    (json_int_t)n->erased));
	}
	return o;
}

void
audit_report_json(struct cli *c, const struct audit *a)
{
	json_t *gaps = json_array();

	for (int i = 0; i < AUDIT_GAPS; i++)
		if (a->gaps & 1u << i)
			json_array_append_new(gaps,
			    json_string(audit_gap_text((enum audit_gap)i)));
	ndjson_line(c, json_pack("{s:o,s:I,s:o,s:o,s:o,s:b}", "ledger",
	    ndjson_hash(repo_ledger(a->repo)), "height",
	    (json_int_t)a->head.height, "head", ndjson_hash(&a->head.id),
	    "counts", counts_json(a), "unchecked", gaps, "clean",
	    audit_clean(a)));
}
