/* ehr-verify: say what holds of a thing; see ehr-verify(1). */
#define _GNU_SOURCE	/* AT_FDCWD */
#include <fcntl.h>
#include <unistd.h>

#include "base/text.h"
#include "cli/items.h"
#include "cli/open.h"
#include "ledger/receipt_report.h"
#include "log/attest.h"

static const struct cli_spec spec = {
	.name = "ehr-verify",
	.usage =
"usage: ehr-verify [-C DIR] [-q] RECORD|TRANSACTION|HEIGHT|FILE ...\n"
"       ehr-verify [-C DIR] [-q] < FILE\n"
"       ehr-verify [-q] [--genesis FILE|--ledger ID] [--policy FILE] [--text]\n"
"           RECEIPT ... | < RECEIPT\n",
	.takes = CLI_DIR
};

struct verify_cmd {
	struct ctx x;
	const char *genesis, *ledger, *policy_file;
	bool page;
	bool alone;		/* no ledger here: only receipts */
	struct hash id;
	struct receipt_trust trust;
};

static int
read_file(struct buf *bytes, const char *path, struct err *e)
{
	return path == NULL ?
	    fs_read_fd(bytes, STDIN_FILENO, "standard input", e) :
	    fs_read(bytes, AT_FDCWD, path, e);
}

static int
attest_file(struct buf *out, struct verify_cmd *v, const char *path,
    struct err *e)
{
	struct buf bytes = BUF_INIT(CHAIN_FILE_MAX);
	int ret = read_file(&bytes, path, e);

	if (ret == 0 && (v->alone || v->page))
		ret = receipt_report(out, buf_span(&bytes), &v->trust,
		    v->page, e);
	else if (ret == 0)
		ret = attest_bytes(out, v->x.repo, buf_span(&bytes), e);
	buf_free(&bytes);
	return ret;
}

/* A file of that name wins; then an id; then a height. */
static int
attest(struct buf *out, struct verify_cmd *v, const char *item,
    struct err *e)
{
	struct hash id;
	uint64_t height;

	if (item == NULL || v->alone || v->page || access(item, F_OK) == 0)
		return attest_file(out, v, item, e);
	if (hash_parse(&id, span_str(item)) == 0)
		return attest_id(out, v->x.repo, &id, e);
	if (text_parse_u64(&height, span_str(item), INT64_MAX) == 0)
		return attest_block(out, v->x.repo, height, e);
	return err_set(e, ERR_NO, "neither a file, an id nor a height");
}

static int
verify_one(void *arg, const char *item, struct err *e)
{
	struct buf out = BUF_INIT(1u << 20);
	struct verify_cmd *v = arg;
	int ret = attest(&out, v, item, e);

	if (ret == 0)
		ret = buf_check(&out, "report", e);
	if (ret == 0 && !v->x.cli.quiet)
		cli_put(buf_span(&out));
	buf_free(&out);
	return ret == 0 ? 0 : err_wrap(e, "%s", item == NULL ?
	    "standard input" : item);
}

/* --- what a receipt is verified with -------------------------------------- */

static int
read_policy(struct verify_cmd *v, struct err *e)
{
	static struct buf text = BUF_INIT(POLICY_MAX);
	static struct policy policy;

	v->trust.policy = &policy;
	if (fs_read(&text, AT_FDCWD, v->policy_file, e) != 0)
		return -1;
	if (policy_parse(&policy, buf_span(&text), e) == 0)
		return 0;
	return err_wrap(e, "%s", v->policy_file);
}

/* The genesis counts by its id, which the receipt's own must have. */
static int
read_genesis(struct verify_cmd *v, struct err *e)
{
	struct buf text = BUF_INIT(GENESIS_MAX);
	int ret = fs_read(&text, AT_FDCWD, v->genesis, e);

	if (ret == 0)
		hash_bytes(&v->id, text.p, text.len);
	buf_free(&text);
	return ret;
}

static int
read_trust(struct verify_cmd *v, struct err *e)
{
	if (v->genesis != NULL && read_genesis(v, e) != 0)
		return -1;
	if (v->ledger != NULL && hash_parse(&v->id, span_str(v->ledger)) != 0)
		return err_set(e, ERR_USAGE, "--ledger %s: not 64 hex digits",
		    v->ledger);
	if (v->genesis != NULL || v->ledger != NULL)
		v->trust.ledger = &v->id;
	return v->policy_file == NULL ? 0 : read_policy(v, e);
}

/* Given nothing to verify with, the ledger here is what is believed. */
static int
start(struct verify_cmd *v, struct err *e)
{
	if (read_trust(v, e) != 0)
		return -1;
	v->alone = v->trust.ledger != NULL || v->trust.policy != NULL;
	if (v->alone)
		return 0;
	if (ctx_open(&v->x, e) != 0)
		return -1;
	v->trust.ledger = repo_ledger(v->x.repo);
	return 0;
}

int
main(int argc, char **argv)
{
	static struct verify_cmd v;
	const struct cli_opt opt[] = {
		{ 0, "genesis", CLI_TEXT, &v.genesis, 0 },
		{ 0, "ledger", CLI_TEXT, &v.ledger, 0 },
		{ 0, "policy", CLI_TEXT, &v.policy_file, 0 },
		{ 0, "text", CLI_FLAG, &v.page, 0 },
		{ 0 }
	};
	struct err e;
	int status;

	cli_parse(&v.x.cli, &spec, opt, argc, argv);
	if (v.genesis != NULL && v.ledger != NULL)
		return cli_usage(&v.x.cli, "--genesis or --ledger, not both");
	if (start(&v, &e) != 0)
		return ctx_end(&v.x, -1, &e);
	if (v.x.cli.argc == 0) {
		status = verify_one(&v, NULL, &e);
		return ctx_end(&v.x, status, &e);
	}
	status = items_each(&v.x.cli, verify_one, &v);
	return cli_worse(status, ctx_end(&v.x, 0, NULL));
}
