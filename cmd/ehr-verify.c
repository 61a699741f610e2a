/* ehr-verify: say what holds of a thing; see ehr-verify(1). */
#define _GNU_SOURCE	/* AT_FDCWD */
#include <fcntl.h>
#include <unistd.h>

#include "base/text.h"
#include "cli/items.h"
#include "cli/open.h"
#include "log/attest.h"

static const struct cli_spec spec = {
	.name = "ehr-verify",
	.usage =
"usage: ehr-verify [-C DIR] [-q] RECORD|TRANSACTION|HEIGHT|FILE ...\n"
"       ehr-verify [-C DIR] [-q] < FILE\n",
	.takes = CLI_DIR
};

static int
attest_file(struct buf *out, struct ctx *x, const char *path, struct err *e)
{
	struct buf bytes = BUF_INIT(CHAIN_FILE_MAX);
	int ret = path == NULL ?
	    fs_read_fd(&bytes, STDIN_FILENO, "standard input", e) :
	    fs_read(&bytes, AT_FDCWD, path, e);

	if (ret == 0)
		ret = attest_bytes(out, x->repo, buf_span(&bytes), e);
	buf_free(&bytes);
	return ret;
}

/* A file of that name wins; then an id; then a height. */
static int
attest(struct buf *out, struct ctx *x, const char *item, struct err *e)
{
	struct hash id;
	uint64_t height;

	if (item == NULL || access(item, F_OK) == 0)
		return attest_file(out, x, item, e);
	if (hash_parse(&id, span_str(item)) == 0)
		return attest_id(out, x->repo, &id, e);
	if (text_parse_u64(&height, span_str(item), INT64_MAX) == 0)
		return attest_block(out, x->repo, height, e);
	return err_set(e, ERR_NO, "neither a file, an id nor a height");
}

static int
verify_one(void *arg, const char *item, struct err *e)
{
	struct buf out = BUF_INIT(1u << 20);
	struct ctx *x = arg;
	int ret = attest(&out, x, item, e);

	if (ret == 0)
		ret = buf_check(&out, "report", e);
	if (ret == 0 && !x->cli.quiet)
		cli_put(buf_span(&out));
	buf_free(&out);
	return ret == 0 ? 0 : err_wrap(e, "%s", item == NULL ?
	    "standard input" : item);
}

int
main(int argc, char **argv)
{
	static struct ctx x;
	struct err e;
	int status;

	cli_parse(&x.cli, &spec, NULL, argc, argv);
	if (ctx_open(&x, &e) != 0)
		return ctx_end(&x, -1, &e);
	if (x.cli.argc == 0) {
		status = verify_one(&x, NULL, &e);
		return ctx_end(&x, status, &e);
	}
	status = items_each(&x.cli, verify_one, &x);
	return cli_worse(status, ctx_end(&x, 0, NULL));
}
