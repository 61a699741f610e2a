#include "store/pool_walk.h"

#include <stdio.h>
#include <stdlib.h>

#include "store/settle.h"

/* One that does not read goes to quarantine with its whole segment. */
static int
drop_segment(struct pool_walk *w, const struct pool_row *row, struct err *e)
{
	char path[FS_NAME_MAX];

	if (e->kind != ERR_BAD && e->kind != ERR_NO)
		return -1;
	snprintf(w->damaged, sizeof(w->damaged), "%s", row->segment);
	if (e->kind == ERR_NO)
		return 0;	/* settled and removed by another process */
	snprintf(path, sizeof(path), POOL_DIR "/%s", row->segment);
	return settle_quarantine(w->repo, path, e);
}

static int
visit(struct pool_walk *w, const struct pool_row *row, struct err *e)
{
	int got = settle_tx(w->db, &row->id, e);

	if (got != 0)
		return got < 0 ? -1 : 0;
	if (strcmp(row->segment, w->damaged) == 0)
		return 0;
	buf_reset(&w->note);
	if (pool_reader_get(&w->note, &w->reader, row, e) != 0)
		return drop_segment(w, row, e);
	return w->fn(w->arg, row, buf_span(&w->note), e);
}

static void
begin_walk(struct pool_walk *w)
{
	w->reader = (struct pool_reader)POOL_READER(w->repo);
	buf_init(&w->note, TX_MAX);
}

static void
end_walk(struct pool_walk *w)
{
	pool_reader_close(&w->reader);
	buf_free(&w->note);
}

int
pool_walk(struct pool_walk *w, struct err *e)
{
	struct pool_row *row = malloc(POOL_PAGE * sizeof(*row)), after;
	bool more = false;
	size_t n = POOL_PAGE;
	int got = 0;

	if (row == NULL)
		return err_set(e, ERR_SYS, "out of memory");
	begin_walk(w);
	while (got == 0 && n == POOL_PAGE) {
		got = pool_index_page(row, POOL_PAGE, &n, w->db,
		    more ? &after : NULL, w->system, w->record, e);
		for (size_t i = 0; i < n && got == 0; i++)
			got = visit(w, &row[i], e);
		if (n > 0)
			after = row[n - 1];
		more = true;
	}
	end_walk(w);
	free(row);
	return got;
}

int
pool_walk_rows(struct pool_walk *w, const struct pool_row *row, size_t n,
    struct err *e)
{
	int got = 0;

	begin_walk(w);
	for (size_t i = 0; i < n && got == 0; i++)
		got = visit(w, &row[i], e);
	end_walk(w);
	return got;
}

/* 1 done, 0 it does not wait any more. */
int
pool_walk_one(struct buf *out, struct pool_walk *w,
    const struct pool_row *row, struct err *e)
{
	int got = 1;

	begin_walk(w);
	if (pool_reader_get(out, &w->reader, row, e) != 0)
		got = drop_segment(w, row, e);
	end_walk(w);
	return got;
}
