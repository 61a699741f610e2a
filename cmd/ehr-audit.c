/* ehr-audit: check a ledger completely, offline; see ehr-audit(1). */
#define _GNU_SOURCE	/* AT_FDCWD */
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "cli/audit_report.h"
#include "cli/bundle.h"
#include "cli/extract.h"
#include "cli/progress.h"
#include "log/audit_bundle.h"
#include "log/audit_page.h"

static const struct cli_spec spec = {
	.name = "ehr-audit",
	.usage =
"usage: ehr-audit [-C DIR | [--bundle] FILE] [--json] [--checkpoint FILE]\n"
"           [--policy FILE] [--html FILE]\n"
"           [--format csv|ndjson|fhir] [-o FILE] [--since TIME]\n"
"           [--until TIME] [-p PATIENT] [-a ACTOR]\n",
	.takes = CLI_DIR | CLI_JSON
};

struct report {
	struct cli c;
	struct audit audit;
	struct progress progress;
	const char *file, *checkpoint_file, *policy_file;
	struct buf checkpoint, policy_text;
	struct policy policy;
	struct audit_bundle bundle;
	struct extraction extraction;
	const char *html_file;
	struct audit_page page;
	bool done;			/* the audit came to its end */
};

static void
advance(void *arg, uint64_t blocks, uint64_t of)
{
	struct report *r = arg;

	progress_set(&r->progress, blocks, of, 0);
}

static void
unpacking(void *arg, uint64_t entries, uint64_t bytes)
{
	struct report *r = arg;

	progress_set(&r->progress, entries, 0, bytes);
}

static void
block(void *arg, const struct block_header *h, const struct delegates *set,
    uint64_t signers)
{
	struct report *r = arg;

	audit_page_block(&r->page, h, set, signers);
}

static int
finding(void *arg, const struct audit_finding *f, struct err *e)
{
	struct report *r = arg;

	(void)e;
	progress_end(&r->progress);
	if (r->html_file != NULL)
		audit_page_finding(&r->page, f);
	audit_report_finding(&r->c, f,
	    extraction_on_stdout(&r->extraction) ? stderr : stdout);
	return 0;
}

/* What the auditor brought along. */
static int
read_outside(struct report *r, struct err *e)
{
	buf_init(&r->checkpoint, CHECKPOINT_MAX);
	buf_init(&r->policy_text, POLICY_MAX);
	if (r->checkpoint_file != NULL) {
		if (fs_read(&r->checkpoint, AT_FDCWD, r->checkpoint_file,
		    e) != 0)
			return -1;
		r->audit.checkpoint = buf_span(&r->checkpoint);
		if (r->checkpoint.len == 0)
			return err_set(e, ERR_BAD, "%s: is empty",
			    r->checkpoint_file);
	}
	if (r->policy_file == NULL)
		return 0;
	if (fs_read(&r->policy_text, AT_FDCWD, r->policy_file, e) != 0)
		return -1;
	if (policy_parse(&r->policy, buf_span(&r->policy_text), e) != 0)
		return err_wrap(e, "%s", r->policy_file);
	r->audit.policy = &r->policy;
	return 0;
}

static int
open_bundle(struct report *r, struct err *e)
{
	const char *tmp = getenv("TMPDIR"), *name;
	int fd = bundle_open(r->file, &name, e), ret;

	if (fd < 0)
		return -1;
	r->bundle.in.progress = unpacking;
	r->bundle.in.arg = r;
	progress_start(&r->progress, &r->c, "entries");
	ret = audit_bundle_open(&r->bundle, &r->audit.repo, fd,
	    tmp == NULL || tmp[0] == '\0' ? "/tmp" : tmp, e);
	progress_end(&r->progress);
	if (fd != STDIN_FILENO)
		close(fd);
	return ret;
}

static int
audit(struct report *r, struct err *e)
{
	int ret;

	r->audit.finding = finding;
	r->audit.block = r->html_file != NULL ? block : NULL;
	r->audit.progress = advance;
	r->audit.arg = r;
	progress_start(&r->progress, &r->c, "blocks");
	ret = audit_run(&r->audit, e);
	progress_end(&r->progress);
	return ret == 0 && r->file != NULL ?
	    audit_bundle_check(&r->bundle, &r->audit, e) : ret;
}

/* Where stdout has an extract, only what it lacks is said. */
static void
summary(struct report *r)
{
	struct err e;

	if (r->c.json)
		audit_report_json(&r->c, &r->audit);
	else if (!extraction_on_stdout(&r->extraction))
		audit_report_text(&r->audit);
	else if (!audit_clean(&r->audit)) {
		err_set(&e, ERR_NO, "NOT CLEAN: this is of the blocks up to "
		    "%llu, which were verified",
		    (unsigned long long)r->audit.verified);
		cli_fail(&r->c, &e);
	}
}

static int
write_page(struct report *r, struct err *e)
{
	struct buf text = BUF_INIT(AUDIT_PAGE_MAX);
	int ret = 0;

	if (r->html_file == NULL)
		return 0;
	r->page.what = r->file != NULL ? r->file :
	    r->c.dir != NULL ? r->c.dir : ".";
	r->page.now_ms = clock_now_ms();
	r->page.outside = r->audit.checkpoint.n > 0 || r->audit.policy != NULL;
	ret = audit_page_text(&text, &r->page, &r->audit, e);
	if (ret == 0)
		ret = fs_write(AT_FDCWD, r->html_file, NULL, buf_span(&text),
		    0600, false, e);
	buf_free(&text);
	return ret;
}

/* One argument: a bundle, or the directory of a ledger. */
static int
take_argument(struct report *r)
{
	const char *arg = cli_shift(&r->c);
	struct stat st;

	if (arg == NULL)
		return r->file == NULL || r->c.dir == NULL ? 0 : -1;
	if (r->file != NULL || r->c.dir != NULL || r->c.argc > 0)
		return -1;
	if (stat(arg, &st) == 0 && S_ISDIR(st.st_mode))
		r->c.dir = arg;
	else
		r->file = arg;
	return 0;
}

int
main(int argc, char **argv)
{
	static struct report r;
	struct cli_opt opt[] = {
		{ 0, "bundle", CLI_TEXT, &r.file, 0 },
		{ 0, "checkpoint", CLI_TEXT, &r.checkpoint_file, 0 },
		{ 0, "policy", CLI_TEXT, &r.policy_file, 0 },
		{ 0, "html", CLI_TEXT, &r.html_file, 0 },
		{ 0, "format", CLI_TEXT, &r.extraction.format, 0 },
		{ 'o', "output", CLI_TEXT, &r.extraction.file, 0 },
		{ 0, "since", CLI_TEXT, &r.extraction.since, 0 },
		{ 0, "until", CLI_TEXT, &r.extraction.until, 0 },
		{ 'p', "patient", CLI_TEXT, &r.extraction.x.patient, 0 },
		{ 'a', "actor", CLI_TEXT, &r.extraction.x.actor, 0 },
		{ 0 }
	};
	struct err e, later;
	int ret, status;

	cli_parse(&r.c, &spec, opt, argc, argv);
	if (take_argument(&r) != 0)
		return cli_usage(&r.c, "one directory or bundle expected");
	if (extraction_options(&r.extraction, &e) != 0)
		return cli_fail(&r.c, &e);
	if (r.c.json && extraction_on_stdout(&r.extraction))
		return cli_usage(&r.c, "--json and an extract need -o FILE");
	audit_page_open(&r.page);
	ret = read_outside(&r, &e);
	if (ret == 0)
		ret = r.file != NULL ? open_bundle(&r, &e) :
		    repo_open(&r.audit.repo, r.c.dir, &e);
	if (ret == 0)
		ret = audit(&r, &e);
	r.done = ret == 0;
	if (ret == 0)
		ret = extraction_run(&r.extraction, &r.audit, &e);
	if (ret == 0)
		ret = write_page(&r, &e);
	if (r.done)
		summary(&r);
	status = ret != 0 ? cli_fail(&r.c, &e) : audit_clean(&r.audit) ? 0 : 1;
	audit_close(&r.audit);
	repo_close(r.audit.repo);
	if (audit_bundle_close(&r.bundle, &later) != 0)
		status = cli_worse(status, cli_fail(&r.c, &later));
	audit_page_free(&r.page);
	buf_free(&r.checkpoint);
	buf_free(&r.policy_text);
	return cli_close_stdout(&r.c, status);
}
