#include "cli/open.h"

#include "base/clock.h"

int
ctx_open(struct ctx *x, struct err *e)
{
	x->now_ms = clock_now_ms();
	if (repo_open(&x->repo, x->cli.dir, e) != 0 ||
	    chain_head(&x->head, x->repo, e) != 0)
		return -1;
	return db_of(&x->db, x->repo, e);
}

int
ctx_identity(struct ctx *x, struct err *e)
{
	if (ident_get(&x->id, &x->cli, &x->repo->config, e) != 0)
		return -1;
	return keyring_keep(x->repo, &x->id, x->now_ms, e);
}

int
ctx_end(struct ctx *x, int ret, const struct err *e)
{
	identity_wipe(&x->id);
	repo_close(x->repo);
	if (ret != 0)
		return cli_close_stdout(&x->cli, cli_fail(&x->cli, e));
	return cli_close_stdout(&x->cli, 0);
}

int
ctx_hash(struct hash *out, const char *text, struct err *e)
{
	if (hash_parse(out, span_str(text)) == 0)
		return 0;
	return err_set(e, ERR_NO, "%s: not an id (64 hex digits)", text);
}
