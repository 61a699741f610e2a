/* ehr-block: blocks, one by one; see ehr-block(1). */
#include <stdio.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/gz.h"
#include "base/stamp.h"
#include "base/text.h"
#include "cli/items.h"
#include "cli/ndjson.h"
#include "store/accept.h"
#include "store/blocks.h"
#include "store/propose.h"

static const struct cli_spec spec = {
	.name = "ehr-block",
	.usage =
"usage: ehr-block [-C DIR] [-n COUNT] [--json] list\n"
"       ehr-block [-C DIR] show HEIGHT|ID ... | -\n"
"       ehr-block [-C DIR] make\n"
"       ehr-block [-C DIR] apply < BLOCK\n",
	.takes = CLI_DIR | CLI_JSON
};

struct context {
	struct cli cli;
	struct repo *repo;
	struct db *db;
	uint64_t count;		/* -n: of the newest; 0: all */
};

/* --- list ----------------------------------------------------------------- */

static int
print_item(void *arg, const struct blocks_item *b, struct err *e)
{
	struct context *x = arg;
	char hex[HASH_HEX], time[STAMP_LEN + 1];

	(void)e;
	if (x->cli.json) {
		ndjson_line(&x->cli, json_pack("{s:I, s:o, s:o, s:I, s:I, "
		    "s:s}", "height", (json_int_t)b->height, "id",
		    ndjson_hash(&b->id), "time", ndjson_time(b->time_ms),
		    "txs", (json_int_t)b->txs, "size", (json_int_t)b->size,
		    "proposer", b->proposer));
		return 0;
	}
	hash_format(hex, &b->id);
	stamp_format(time, b->time_ms);
	printf("%llu %s %s %llu %s\n", (unsigned long long)b->height, hex,
	    time, (unsigned long long)b->txs, b->proposer);
	return 0;
}

static int
list(struct context *x, struct err *e)
{
	uint64_t from = 1;
	struct head h;

	if (chain_head(&h, x->repo, e) != 0)
		return -1;
	if (x->count > 0 && h.height > x->count)
		from = h.height - x->count + 1;
	return blocks_each(x->db, from, print_item, x, e);
}

/* --- show ----------------------------------------------------------------- */

/* What a line of list begins with, or a block's id. */
static int
height_of(uint64_t *height, struct context *x, const char *item,
    struct err *e)
{
	struct span rest = span_str(item), word = text_word(&rest);
	struct hash id;
	int got;

	if (text_parse_u64(height, word, BLOCK_HEIGHT_MAX) == 0) {
		if (*height > 0)
			return 0;
		return err_set(e, ERR_NO, "height 0 is the genesis, and no "
		    "block");
	}
	if (hash_parse(&id, word) != 0)
		return err_set(e, ERR_NO, "%.80s: neither a height nor a "
		    "block's id", item);
	got = blocks_find(height, x->db, &id, e);
	if (got == 0)
		return err_set(e, ERR_NO, "%s: no block has this id", item);
	return got < 0 ? -1 : 0;
}

static int
show(void *arg, const char *item, struct err *e)
{
	struct buf text = BUF_INIT(CHAIN_FILE_MAX);
	struct context *x = arg;
	uint64_t height;
	int ret;

	ret = height_of(&height, x, item, e);
	if (ret == 0 && (ret = chain_read(&text, x->repo, height, e)) != 0 &&
	    e->kind == ERR_NO)
		err_set(e, ERR_NO, "there is no block %llu",
		    (unsigned long long)height);
	if (ret == 0)
		cli_put(buf_span(&text));
	buf_free(&text);
	return ret;
}

/* --- make and apply ------------------------------------------------------- */

static int
make(struct context *x, struct err *e)
{
	const char *node = repo_node_name(x->repo);
	struct buf content = BUF_INIT(BLOCK_CONTENT_MAX);
	size_t skipped = 0;
	int ret;

	if (node == NULL)
		return err_set(e, ERR_NO, "this copy of the ledger is no node, "
		    "and proposes nothing");
	ret = propose_block(&content, x->repo, node, clock_now_ms(), &skipped,
	    e);
	if (ret == 0)
		cli_put(buf_span(&content));
	if (skipped > 0)
		cli_verbose(&x->cli, "%zu pending transactions are refused "
		    "by the rules, and left out", skipped);
	buf_free(&content);
	return ret;
}

/* A block's text, or its file as it lies in blocks/. */
static int
apply(struct context *x, struct err *e)
{
	static const unsigned char magic[2] = { 0x1f, 0x8b };
	struct buf in = BUF_INIT(CHAIN_FILE_MAX);
	struct buf text = BUF_INIT(CHAIN_FILE_MAX);
	struct span block;
	int ret;

	ret = fs_read_fd(&in, STDIN_FILENO, "standard input", e);
	block = buf_span(&in);
	if (ret == 0 && in.len > sizeof(magic) &&
	    memcmp(in.p, magic, sizeof(magic)) == 0) {
		ret = gz_unpack(&text, block, "standard input", e);
		block = buf_span(&text);
	}
	if (ret == 0)
		ret = accept_block(x->repo, block, false, clock_now_ms(), e);
	buf_free(&in);
	buf_free(&text);
	return ret;
}

/* --- verbs ---------------------------------------------------------------- */

static int
run(struct context *x, const char *verb)
{
	struct err e;
	int ret;

	if (repo_open(&x->repo, x->cli.dir, &e) != 0 ||
	    chain_catch_up(x->repo, &e) != 0 ||
	    db_of(&x->db, x->repo, &e) != 0)
		return cli_fail(&x->cli, &e);
	if (strcmp(verb, "show") == 0)
		return items_each(&x->cli, show, x);
	if (strcmp(verb, "list") == 0)
		ret = list(x, &e);
	else
		ret = strcmp(verb, "make") == 0 ? make(x, &e) : apply(x, &e);
	return ret == 0 ? 0 : cli_fail(&x->cli, &e);
}

int
main(int argc, char **argv)
{
	struct context x = { .repo = NULL };
	const struct cli_opt opt[] = {
		{ 'n', NULL, CLI_NUMBER, &x.count, BLOCK_HEIGHT_MAX },
		{ 0 }
	};
	const char *verb;
	bool is_list;
	int ret;

	cli_parse(&x.cli, &spec, opt, argc, argv);
	verb = cli_shift(&x.cli);
	if (verb == NULL)
		return cli_usage(&x.cli, "list, show, make or apply?");
	is_list = strcmp(verb, "list") == 0;
	if (!is_list && strcmp(verb, "show") != 0 &&
	    strcmp(verb, "make") != 0 && strcmp(verb, "apply") != 0)
		return cli_usage(&x.cli, "no verb \"%s\"", verb);
	if (x.cli.argc > 0 && strcmp(verb, "show") != 0)
		return cli_usage(&x.cli, "an argument too many: \"%s\"",
		    x.cli.argv[0]);
	if (!is_list && (x.cli.json || x.count > 0))
		return cli_usage(&x.cli, "-n and --json are for list");
	ret = run(&x, verb);
	repo_close(x.repo);
	return cli_close_stdout(&x.cli, ret);
}
