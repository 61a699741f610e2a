#include "cli/items.h"

#include <stdio.h>

void
items_start(struct items *it, struct cli *c)
{
	it->c = c;
	it->from_stdin = c->argc == 1 && strcmp(c->argv[0], "-") == 0;
	it->at = 0;
	it->count = 0;
}

/* One line (or part) of stdin into it->buf: 1, 0 at the end, -1. */
static int
read_item(struct items *it, struct err *e)
{
	int end = it->c->nul ? '\0' : '\n';
	size_t n = 0;
	int ch;

	while ((ch = getc_unlocked(stdin)) != EOF && ch != end) {
		if (ch == '\0')
			return err_set(e, ERR_BAD,
			    "standard input: a NUL in a line");
		if (n == ITEM_MAX - 1)
			return err_set(e, ERR_BAD,
			    "standard input: over %d bytes without a %s",
			    ITEM_MAX - 1, it->c->nul ? "NUL" : "newline");
		it->buf[n++] = (char)ch;
	}
	if (ch == EOF && ferror(stdin))
		return err_sys(e, "standard input");
	it->buf[n] = '\0';
	return ch != EOF || n > 0;
}

int
items_next(struct items *it, const char **item, struct err *e)
{
	int r;

	if (!it->from_stdin) {
		if (it->at == it->c->argc)
			return 0;
		*item = it->c->argv[it->at++];
		it->count++;
		return 1;
	}
	do
		r = read_item(it, e);
	while (r == 1 && it->buf[0] == '\0');
	if (r == 1) {
		*item = it->buf;
		it->count++;
	}
	return r;
}

/* A bad call, before anything is read; 0 or the exit status. */
static int
check_named(struct cli *c)
{
	return c->argc == 0 ? cli_usage(c, "nothing to do is named") : 0;
}

static int
nothing_came(struct cli *c)
{
	struct err e;

	err_set(&e, ERR_NO, "nothing on standard input");
	return cli_fail(c, &e);
}

int
items_each(struct cli *c, items_fn *fn, void *arg)
{
	struct items it;
	struct err e;
	const char *item;
	int r, status = 0;

	if ((r = check_named(c)) != 0)
		return r;
	items_start(&it, c);
	while ((r = items_next(&it, &item, &e)) == 1) {
		if (fn(arg, item, &e) == 0)
			continue;
		status = cli_worse(status, cli_fail(c, &e));
		if (e.kind == ERR_SYS)
			return status;
	}
	if (r < 0)
		return cli_worse(status, cli_fail(c, &e));
	return it.count == 0 ? nothing_came(c) : status;
}

/* All items, each with its NUL, one after another. */
static int
read_all(struct buf *all, struct cli *c, struct err *e)
{
	struct items it;
	const char *item;
	int r;

	items_start(&it, c);
	while ((r = items_next(&it, &item, e)) == 1) {
		buf_add(all, item, strlen(item) + 1);
		if (buf_check(all, "standard input", e) != 0)
			return -1;
	}
	return r;
}

/* Call fn for each of them; the exit status. */
static int
each_of(struct cli *c, const struct buf *all, items_fn *fn, void *arg)
{
	struct err e;
	int status = 0;

	for (size_t at = 0; at < all->len;) {
		const char *item = (const char *)all->p + at;

		at += strlen(item) + 1;
		if (fn(arg, item, &e) == 0)
			continue;
		status = cli_worse(status, cli_fail(c, &e));
		if (e.kind == ERR_SYS)
			break;
	}
	return status;
}

int
items_together(struct cli *c, const struct items_work *w, void *arg)
{
	struct buf all = BUF_INIT(ITEMS_MAX);
	struct err e;
	int status = check_named(c);

	if (status == 0 && read_all(&all, c, &e) != 0)
		status = cli_fail(c, &e);
	else if (status == 0 && all.len == 0)
		status = nothing_came(c);
	else if (status == 0 && w->begin(arg, &e) != 0)
		status = cli_fail(c, &e);
	else if (status == 0) {
		status = each_of(c, &all, w->each, arg);
		if (w->end(arg, &e) != 0)
			status = cli_worse(status, cli_fail(c, &e));
	}
	buf_free(&all);
	return status;
}
