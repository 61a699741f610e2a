#define _GNU_SOURCE	/* AT_FDCWD */
#include "cli/extract.h"

#include <fcntl.h>

#include "base/fs.h"
#include "cli/when.h"
#include "log/extract_fhir.h"
#include "log/extract_text.h"

#define FULL (64u << 10)	/* bytes that are written at once */
#define OUT_MAX (8u << 20)	/* of an entry more than that */

enum { CSV = 1, NDJSON, FHIR };

struct output {
	struct extraction *n;
	struct fs_temp t;
	struct buf out;
	bool begun;
};

int
extraction_options(struct extraction *n, struct err *e)
{
	static const char *const formats[] = { NULL, "csv", "ndjson", "fhir" };
	struct extract *x = &n->x;
	bool asked = n->file != NULL || n->since != NULL || n->until != NULL ||
	    x->patient != NULL || x->actor != NULL;

	if (n->format == NULL && asked)
		n->format = "csv";
	for (int i = CSV; n->format != NULL && i <= FHIR; i++)
		if (strcmp(n->format, formats[i]) == 0)
			n->kind = i;
	if (n->format != NULL && n->kind == 0)
		return err_set(e, ERR_USAGE, "%s: not a format (csv, ndjson "
		    "or fhir)", n->format);
	x->since_ms = 0;
	x->until_ms = INT64_MAX;
	if (n->since != NULL && when_parse(&x->since_ms, n->since, e) != 0)
		return -1;
	return n->until == NULL ? 0 : when_parse(&x->until_ms, n->until, e);
}

bool
extraction_on_stdout(const struct extraction *n)
{
	return n->kind != 0 && (n->file == NULL || strcmp(n->file, "-") == 0);
}

static int
flush(struct output *o, struct err *e)
{
	if (buf_check(&o->out, "extract", e) != 0)
		return -1;
	if (extraction_on_stdout(o->n))
		cli_put(buf_span(&o->out));
	else if (fs_write_all(o->t.fd, o->out.p, o->out.len) != 0)
		return err_sys(e, "%s", o->n->file);
	buf_reset(&o->out);
	return 0;
}

/* What comes before the first entry, once. */
static void
begin(struct output *o)
{
	if (!o->begun && o->n->kind == CSV)
		extract_csv_head(&o->out);
	else if (!o->begun && o->n->kind == FHIR)
		extract_fhir_begin(&o->out, o->n->x.head_ms);
	o->begun = true;
}

static int
entry(void *arg, const struct extract_entry *x, struct err *e)
{
	struct output *o = arg;
	bool first = !o->begun;
	int ret = 0;

	begin(o);
	if (o->n->kind == CSV)
		extract_csv(&o->out, x);
	else if (o->n->kind == NDJSON)
		ret = extract_ndjson(&o->out, x, e);
	else
		ret = extract_fhir(&o->out, x, first, e);
	if (ret == 0 && o->out.len >= FULL)
		ret = flush(o, e);
	return ret;
}

static int
write_all(struct output *o, struct audit *a, struct err *e)
{
	struct extract *x = &o->n->x;

	x->entry = entry;
	x->arg = o;
	if (extract_run(x, a, e) != 0)
		return -1;
	begin(o);
	if (o->n->kind == FHIR)
		extract_fhir_end(&o->out, x->found == 0);
	return flush(o, e);
}

int
extraction_run(struct extraction *n, struct audit *a, struct err *e)
{
	struct output o = { .n = n, .out = BUF_INIT(OUT_MAX) };
	bool file = n->kind != 0 && !extraction_on_stdout(n);
	int ret = 0;

	if (n->kind == 0 || (file && (ret = fs_temp_beside(&o.t, AT_FDCWD,
	    n->file, 0600, e)) != 0))
		return ret;
	ret = write_all(&o, a, e);
	buf_free(&o.out);
	if (!file)
		return ret;
	if (ret == 0)
		return fs_temp_commit(&o.t, n->file, false, e);
	fs_temp_abort(&o.t);
	return -1;
}
