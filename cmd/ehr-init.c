/* ehr-init: make a ledger; see ehr-init(1). */
#define _GNU_SOURCE	/* AT_FDCWD */
#include <fcntl.h>

#include "base/clock.h"
#include "cli/ident.h"
#include "ledger/card.h"
#include "record/found.h"

static const struct cli_spec spec = {
	.name = "ehr-init",
	.usage =
"usage: ehr-init [-C DIR] --name NAME --node-key FILE --admin CARD ...\n"
"           [--node CARD ...] [--delegates N] [--engine dbft|pbft]\n"
"           [--interval MS] [--timeout MS] [--skew MS] [--block-txs N]\n"
"           [--block-bytes N]\n",
	.takes = CLI_DIR | CLI_IDENTITY
};

/* The files of a list, read whole. */
struct files {
	struct buf buf[CLI_LIST_MAX];
	struct span span[CLI_LIST_MAX];
	size_t n;
};

/* Cards; parsed here only to say which file is no good. */
static int
read_files(struct files *f, const struct cli_list *l, struct err *e)
{
	for (f->n = 0; f->n < l->n; f->n++) {
		struct buf *b = &f->buf[f->n];
		struct card c;

		buf_init(b, CARD_MAX);
		if (fs_read(b, AT_FDCWD, l->v[f->n], e) != 0)
			return -1;
		f->span[f->n] = buf_span(b);
		if (card_parse(&c, f->span[f->n], false, e) != 0)
			return err_wrap(e, "%s", l->v[f->n]);
	}
	return 0;
}

static void
free_files(struct files *f)
{
	for (size_t i = 0; i < CLI_LIST_MAX; i++)
		buf_free(&f->buf[i]);
}

#define UNSET UINT64_MAX

/* Numbers as they were given; those that were not keep their default, but of
 * delegates, which the engine decides. */
struct numbers {
	uint64_t delegates, interval, timeout, skew, txs, bytes;
};

static void
defaults(struct numbers *n)
{
	struct settings s;

	settings_default(&s);
	*n = (struct numbers){ UNSET, s.interval_ms, s.timeout_ms,
	    s.skew_ms, s.block_txs, s.block_bytes };
}

/* 0, or the status of a wrong usage. */
static int
choose_engine(struct cli *c, struct found *f, struct numbers *n,
    const char *engine)
{
	struct settings s;

	f->pbft = strcmp(engine, "pbft") == 0;
	if (!f->pbft && strcmp(engine, "dbft") != 0)
		return cli_usage(c, "no engine \"%s\"", engine);
	if (f->pbft && n->delegates != UNSET)
		return cli_usage(c, "with pbft all nodes vote, there are no "
		    "--delegates");
	settings_default(&s);
	if (f->pbft)
		n->delegates = GENESIS_NODES_MAX;
	else if (n->delegates == UNSET)
		n->delegates = s.delegates;
	return 0;
}

static struct settings
settings_of(const struct numbers *n)
{
	return (struct settings){
		.interval_ms = (uint32_t)n->interval,
		.timeout_ms = (uint32_t)n->timeout,
		.block_txs = (uint32_t)n->txs,
		.block_bytes = (uint32_t)n->bytes,
		.delegates = (uint32_t)n->delegates,
		.skew_ms = (uint32_t)n->skew
	};
}

static int
init(struct cli *c, struct found *f, const char *node_key,
    const struct cli_list *admins, const struct cli_list *nodes,
    struct hash *ledger, struct err *e)
{
	static struct files admin, other;	/* large */
	struct buf key = BUF_INIT(IDENTITY_FILE_MAX);
	struct identity id = { .nseals = 0 };
	int ret;

	ret = ident_read(&id, c, node_key, e);
	if (ret == 0)
		ret = fs_read(&key, AT_FDCWD, node_key, e);
	if (ret == 0)
		ret = read_files(&admin, admins, e);
	if (ret == 0)
		ret = read_files(&other, nodes, e);
	f->node_key_file = buf_span(&key);
	f->node = &id;
	f->admin = admin.span;
	f->nadmins = admin.n;
	f->other = other.span;
	f->nothers = other.n;
	if (ret == 0)
		ret = found_ledger(c->dir == NULL ? "." : c->dir, f, ledger, e);
	identity_wipe(&id);
	buf_wipe(&key);
	free_files(&admin);
	free_files(&other);
	return ret;
}

int
main(int argc, char **argv)
{
	struct cli_list admins = { .n = 0 }, nodes = { .n = 0 };
	struct found f = { .now_ms = clock_now_ms() };
	const char *node_key = NULL, *engine = "dbft";
	struct numbers n;
	const struct cli_opt opt[] = {
		{ 0, "name", CLI_TEXT, &f.name, 0 },
		{ 0, "node-key", CLI_TEXT, &node_key, 0 },
		{ 0, "admin", CLI_LIST, &admins, 0 },
		{ 0, "node", CLI_LIST, &nodes, 0 },
		{ 0, "delegates", CLI_NUMBER, &n.delegates, UINT32_MAX },
		{ 0, "engine", CLI_TEXT, &engine, 0 },
		{ 0, "interval", CLI_NUMBER, &n.interval, UINT32_MAX },
		{ 0, "timeout", CLI_NUMBER, &n.timeout, UINT32_MAX },
		{ 0, "skew", CLI_NUMBER, &n.skew, UINT32_MAX },
		{ 0, "block-txs", CLI_NUMBER, &n.txs, UINT32_MAX },
		{ 0, "block-bytes", CLI_NUMBER, &n.bytes, UINT32_MAX },
		{ 0 }
	};
	char hex[HASH_HEX];
	struct hash ledger;
	struct cli c;
	struct err e;
	int status;

	defaults(&n);
	cli_parse(&c, &spec, opt, argc, argv);
	if (c.argc > 0)
		return cli_usage(&c, "no arguments expected");
	if (c.identity.n > 0)
		return cli_usage(&c, "it is --node-key that signs");
	if (f.name == NULL || node_key == NULL || admins.n == 0)
		return cli_usage(&c,
		    "--name, --node-key and --admin are needed");
	if ((status = choose_engine(&c, &f, &n, engine)) != 0)
		return status;
	f.settings = settings_of(&n);
	if (init(&c, &f, node_key, &admins, &nodes, &ledger, &e) != 0)
		return cli_fail(&c, &e);
	hash_format(hex, &ledger);
	cli_put(span_str(hex));
	cli_put(span_str("\n"));
	return cli_close_stdout(&c, 0);
}
