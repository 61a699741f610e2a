#include "log/audit_page.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/stamp.h"
#include "base/utf8.h"

static const char style[] =
"body { font: 15px/1.45 system-ui, sans-serif; color: #1a1f24;\n"
"  max-width: 60rem; margin: 2rem auto; padding: 0 1rem; }\n"
"h1 { font-size: 1.5rem; margin: 0 0 .5rem; }\n"
"h2 { font-size: 1.1rem; margin: 2rem 0 .5rem;\n"
"  border-bottom: 1px solid #c4ccd4; }\n"
".verdict { font-weight: 600; padding: .6rem .9rem; border-left: 6px solid; }\n"
".clean { background: #e8f4ec; border-color: #1f7a3d; }\n"
".bad { background: #fbe9e7; border-color: #b3261e; }\n"
"table { border-collapse: collapse; width: 100%; }\n"
"th, td { text-align: left; vertical-align: top; padding: .25rem .6rem;\n"
"  border-bottom: 1px solid #e1e6ea; overflow-wrap: anywhere; }\n"
"td.n, th.n { text-align: right; font-variant-numeric: tabular-nums;\n"
"  width: 6rem; }\n"
"td.n, td.w { white-space: nowrap; overflow-wrap: normal; }\n"
"td.w { width: 6rem; }\n"
"tr.bad td { background: #fbe9e7; }\n"
".facts th { width: 9rem; font-weight: 600; }\n"
".hex { font-family: ui-monospace, monospace; font-size: .9em; }\n"
"svg { width: 100%; height: auto; }\n"
"svg rect { fill: #2b6ca3; }\n"
"svg text { font-size: 12px; fill: #47525d; }\n"
"svg text.end { text-anchor: end; }\n"
"svg line.grid { stroke: #d7dde2; }\n"
"footer { margin-top: 2rem; color: #47525d; font-size: .9em; }\n"
"@page { margin: 16mm; }\n"
"@media print {\n"
"  body { font-size: 10.5pt; max-width: none; margin: 0; padding: 0; }\n"
"  h2 { break-after: avoid; }\n"
"  tr, svg { break-inside: avoid; }\n"
"  * { print-color-adjust: exact; -webkit-print-color-adjust: exact; }\n"
"}\n";

/* --- parts ---------------------------------------------------------------- */

/*
 * Text that stands between tags or in quotes.  What is not a character, and
 * what controls how others are shown, becomes U+FFFD.
 */
static void
add(struct buf *out, const char *s)
{
	size_t len = strlen(s), n;

	for (size_t i = 0; i < len; i += n) {
		for (n = 1; n < 4 && i + n < len; n++)
			if (utf8_line(span_of(s + i, n)))
				break;
		if (strchr("&<>\"'", s[i]) != NULL)
			buf_addf(out, "&#%d;", s[i]);
		else if (utf8_line(span_of(s + i, n)))
			buf_add(out, s + i, n);
		else {
			buf_adds(out, "\xef\xbf\xbd");
			n = 1;
		}
	}
}

static void
add_number(struct buf *out, uint64_t n)
{
	buf_addf(out, "<td class=\"n\">%llu</td>", (unsigned long long)n);
}

/* A row of two columns. */
static void
add_fact(struct buf *out, const char *name, const char *class,
    const char *value)
{
	buf_addf(out, "<tr><th>%s</th><td%s>", name, class);
	add(out, value);
	buf_adds(out, "</td></tr>\n");
}

/* --- what is collected ---------------------------------------------------- */

void
audit_page_open(struct audit_page *p)
{
	buf_init(&p->findings, AUDIT_PAGE_MAX);
	memcpy(p->node[AUDIT_PAGE_NODES].name, "all others", 11);
}

void
audit_page_free(struct audit_page *p)
{
	buf_free(&p->findings);
}

static struct audit_page_node *
node_of(struct audit_page *p, const char *name)
{
	for (size_t i = 0; i < p->nodes; i++)
		if (strcmp(p->node[i].name, name) == 0)
			return &p->node[i];
	if (p->nodes == AUDIT_PAGE_NODES)
		return &p->node[AUDIT_PAGE_NODES];
	memcpy(p->node[p->nodes].name, name, strlen(name) + 1);
	return &p->node[p->nodes++];
}

void
audit_page_block(struct audit_page *p, const struct block_header *h,
    const struct delegates *set, uint64_t signers)
{
	activity_add(&p->activity, h->time_ms, h->txs);
	for (size_t i = 0; i < set->n; i++) {
		struct audit_page_node *n = node_of(p, set->d[i].name);

		n->seats++;
		n->signed_ += signers >> i & 1;
		n->proposed += span_is(h->proposer, set->d[i].name);
	}
}

void
audit_page_finding(struct audit_page *p, const struct audit_finding *f)
{
	if (p->nfindings++ >= AUDIT_PAGE_FINDINGS)
		return;
	buf_addf(&p->findings, "<tr><td class=\"w\">%s</td><td class=\"w\">%s"
	    "</td><td class=\"hex\">",
	    f->absent ? "absent" : "failed", audit_class_name(f->class));
	add(&p->findings, f->where);
	buf_adds(&p->findings, "</td><td>");
	add(&p->findings, f->what);
	buf_adds(&p->findings, "</td></tr>\n");
}

/* --- sections ------------------------------------------------------------- */

static void
add_verdict(struct buf *out, const struct audit_page *p,
    const struct audit *a)
{
	bool clean = audit_clean(a);

	buf_addf(out, "<p class=\"verdict %s\">%s</p>\n", clean ? "clean" :
	    "bad", !clean ? "NOT CLEAN: something failed, is absent, or "
	    "nothing was checked." : p->outside ? "clean: everything that was "
	    "checked is as it must be, and continues what was given to "
	    "compare with." : "clean: everything that was checked is as it "
	    "must be. Nothing from outside was given to compare with.");
}

static void
add_summary(struct buf *out, const struct audit_page *p,
    const struct audit *a)
{
	char hex[HASH_HEX], time[STAMP_LEN + 1], text[LEDGER_NAME_MAX + 1];

	buf_adds(out, "<h2>The ledger</h2>\n<table class=\"facts\">\n");
	snprintf(text, sizeof(text), "%.*s",
	    SPAN_FMT(a->repo->genesis->name));
	add_fact(out, "Name", "", text);
	hash_format(hex, repo_ledger(a->repo));
	add_fact(out, "Ledger", " class=\"hex\"", hex);
	add_fact(out, "Audited", "", p->what);
	stamp_format(time, p->now_ms);
	add_fact(out, "Audited at", "", time);
	stamp_format(time, a->repo->genesis->time_ms);
	add_fact(out, "Founded", "", time);
	buf_addf(out, "<tr><th>Head</th><td>block %llu, ",
	    (unsigned long long)a->head.height);
	stamp_format(time, a->head.time_ms);
	buf_addf(out, "%s<br><span class=\"hex\">", time);
	hash_format(hex, &a->head.id);
	buf_addf(out, "%s</span></td></tr>\n", hex);
	snprintf(text, sizeof(text), "%llu",
	    (unsigned long long)a->head.tree.size);
	add_fact(out, "Transactions", "", text);
	buf_adds(out, "</table>\n");
}

static void
add_counts(struct buf *out, const struct audit *a)
{
	buf_adds(out, "<h2>What was checked</h2>\n<table>\n<tr><th>Class</th>"
	    "<th class=\"n\">checked</th><th class=\"n\">failed</th>"
	    "<th class=\"n\">absent</th><th class=\"n\">erased by authority"
	    "</th></tr>\n");
	for (int i = 0; i < AUDIT_CLASSES; i++) {
		const struct audit_count *n = &a->count[i];

		if (i == AUDIT_BUNDLE && n->checked == 0)
			continue;
		buf_addf(out, "<tr%s><td>%s</td>", n->failed + n->absent > 0 ?
		    " class=\"bad\"" : "",
		    audit_class_name((enum audit_class)i));
		add_number(out, n->checked);
		add_number(out, n->failed);
		add_number(out, n->absent);
		add_number(out, n->erased);
		buf_adds(out, "</tr>\n");
	}
	buf_adds(out, "</table>\n");
}

static void
add_findings(struct buf *out, const struct audit_page *p)
{
	buf_adds(out, "<h2>Findings</h2>\n");
	if (p->nfindings == 0) {
		buf_adds(out, "<p>None.</p>\n");
		return;
	}
	buf_adds(out, "<table>\n<tr><th>Finding</th><th>Class</th><th>Where"
	    "</th><th>What</th></tr>\n");
	buf_add(out, p->findings.p, p->findings.len);
	buf_adds(out, "</table>\n");
	if (p->nfindings > AUDIT_PAGE_FINDINGS)
		buf_addf(out, "<p>And %llu more, which are not listed here.</p>"
		    "\n", (unsigned long long)(p->nfindings -
		    AUDIT_PAGE_FINDINGS));
}

static void
add_gaps(struct buf *out, const struct audit *a)
{
	buf_adds(out, "<h2>What could not be checked</h2>\n");
	if (a->gaps == 0) {
		buf_adds(out, "<p>Nothing else was there to check.</p>\n");
		return;
	}
	buf_adds(out, "<ul>\n");
	for (int i = 0; i < AUDIT_GAPS; i++)
		if (a->gaps & 1u << i) {
			buf_adds(out, "<li>");
			add(out, audit_gap_text((enum audit_gap)i));
			buf_adds(out, "</li>\n");
		}
	buf_adds(out, "</ul>\n");
}

static void
add_activity(struct buf *out, const struct audit_page *p)
{
	buf_addf(out, "<h2>Transactions by %s</h2>\n",
	    activity_unit_name(&p->activity));
	if (p->activity.n == 0)
		buf_adds(out, "<p>There are no blocks.</p>\n");
	else
		activity_svg(out, &p->activity);
}

static int
by_name(const void *a, const void *b)
{
	const struct audit_page_node *x = a, *y = b;

	return strcmp(x->name, y->name);
}

static void
add_nodes(struct buf *out, struct audit_page *p)
{
	size_t rows = p->nodes + (p->node[AUDIT_PAGE_NODES].seats > 0);

	qsort(p->node, p->nodes, sizeof(p->node[0]), by_name);
	buf_adds(out, "<h2>Blocks and signers</h2>\n");
	if (rows == 0) {
		buf_adds(out, "<p>There are no blocks.</p>\n");
		return;
	}
	buf_adds(out, "<table>\n<tr><th>Node</th><th class=\"n\">blocks as "
	    "delegate</th><th class=\"n\">signed</th><th class=\"n\">proposed"
	    "</th></tr>\n");
	for (size_t i = 0; i < rows; i++) {
		const struct audit_page_node *n = i < p->nodes ? &p->node[i] :
		    &p->node[AUDIT_PAGE_NODES];

		buf_adds(out, "<tr><td>");
		add(out, n->name);
		buf_adds(out, "</td>");
		add_number(out, n->seats);
		add_number(out, n->signed_);
		add_number(out, n->proposed);
		buf_adds(out, "</tr>\n");
	}
	buf_adds(out, "</table>\n<p>A block needs the signatures of a quorum, "
	    "and not of all: who is slow or away is not in it.</p>\n");
}

int
audit_page_text(struct buf *out, struct audit_page *p,
    const struct audit *a, struct err *e)
{
	if (buf_check(&p->findings, "page", e) != 0)
		return -1;
	buf_adds(out, "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n"
	    "<meta charset=\"utf-8\">\n<meta name=\"viewport\" "
	    "content=\"width=device-width\">\n<title>Audit of ");
	add(out, p->what);
	buf_addf(out, "</title>\n<style>\n%s</style>\n</head>\n<body>\n"
	    "<h1>Audit of a ledger</h1>\n", style);
	add_verdict(out, p, a);
	add_summary(out, p, a);
	add_counts(out, a);
	add_findings(out, p);
	add_gaps(out, a);
	add_activity(out, p);
	add_nodes(out, p);
	buf_adds(out, "<footer><p>Made by ehr-audit " EHR_VERSION ". What each "
	    "finding means, and what an audit cannot tell: "
	    "ehr-audit-guide(7).</p></footer>\n</body>\n</html>\n");
	return buf_check(out, "page", e);
}
