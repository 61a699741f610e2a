/*
 * items: what a command works on: its arguments, or, when the only argument
 * is "-", the lines of standard input (with -z: parts ended by a NUL).
 */
#ifndef CLI_ITEMS_H
#define CLI_ITEMS_H

#include "base/buf.h"
#include "cli/cli.h"

#define ITEM_MAX 4096		/* bytes of an item, NUL included */
#define ITEMS_MAX (256u << 20)	/* bytes of all that are read together */

/* A walk over them, for a command that works in batches. */
struct items {
	struct cli *c;
	bool from_stdin;
	int at;			/* of c->argv */
	uint64_t count;		/* given so far */
	char buf[ITEM_MAX];
};

void items_start(struct items *it, struct cli *c);

/*
 * The next item in *item, NUL-terminated, valid until the next call.
 * Returns 1, 0 at the end, or -1: ERR_BAD when it is too long or a line
 * holds a NUL, ERR_SYS when reading fails.  Blank lines are passed over.
 */
int items_next(struct items *it, const char **item, struct err *e);

/*
 * Call fn for each item.  fn returns 0, or -1 with *e set: that costs one
 * line on stderr and the others still get their turn, but for ERR_SYS, which
 * ends it.  Returns the exit status of the most serious failure; no argument
 * at all is 2, nothing on standard input 1: nothing done is never success.
 */
typedef int items_fn(void *arg, const char *item, struct err *e);
int items_each(struct cli *c, items_fn *fn, void *arg);

/*
 * The same for work that holds a lock: all items are read before begin is
 * called, as who writes them to our standard input may want the lock first.
 * When begin has returned 0, end is called whatever each says; both return 0,
 * or -1 with *e set.
 */
struct items_work {
	int (*begin)(void *arg, struct err *e);
	items_fn *each;
	int (*end)(void *arg, struct err *e);
};
int items_together(struct cli *c, const struct items_work *w, void *arg);

#endif
