#include "base/clock.h"
#include "net/cosign.h"
#include "net/exchange.h"
#include "store/blocks.h"
#include "store/lookup.h"

static int
count_active(void *arg, const struct lookup_node *n, struct err *e)
{
	size_t *count = arg;

	(void)e;
	*count += n->active;
	return 0;
}

/* Does a peer have the same blocks as we do, as far as it goes? */
static int
compare(const struct session *s, struct db *db, const struct head *head,
    const struct hash *ledger, struct err *e)
{
	struct blocks_item b = { .id = *ledger };

	if (s->height > head->height)
		return err_set(e, ERR_AGAIN, "%s has %llu blocks, and here are "
		    "%llu: ehr-sync brings the others", s->peer,
		    (unsigned long long)s->height,
		    (unsigned long long)head->height);
	if (s->height > 0 && blocks_get(&b, db, s->height, e) != 1)
		return -1;
	if (hash_eq(&b.id, &s->head))
		return 0;
	return err_set(e, ERR_NO, "%s has another block %llu: this node "
	    "signs nothing; compare them", s->peer,
	    (unsigned long long)s->height);
}

/* How many nodes have the same; ERR_NO, ERR_AGAIN when one differs. */
static int
ask_all(size_t *same, struct peers *p, struct repo *r, struct db *db,
    const struct head *head, struct err *e)
{
	*same = 0;
	if (exchange_greet(p, r, e) != 0)
		return -1;
	for (size_t i = 0; i < p->n; i++) {
		const struct session *s = p->v[i].s;
		bool again = s == NULL || s->node[0] == '\0';

		/* Two ways to one node are one answer. */
		for (size_t k = 0; k < i && !again; k++)
			again = p->v[k].s != NULL &&
			    strcmp(p->v[k].s->node, s->node) == 0;
		if (again)
			continue;
		if (compare(s, db, head, repo_ledger(r), e) != 0)
			return -1;
		++*same;
	}
	return 0;
}

int
cosign_renew(struct repo *r, struct err *e)
{
	size_t nodes = 0, need, same = 0;
	struct peers p = { NULL, 0 };
	struct head head;
	struct db *db;
	int ret;

	if (repo_node_name(r) == NULL)
		return err_set(e, ERR_NO, "this copy is no node and signs "
		    "nothing");
	if (chain_head(&head, r, e) != 0 || db_of(&db, r, e) != 0 ||
	    lookup_nodes(db, count_active, &nodes, e) != 0)
		return -1;
	/* More than may be faulty, and as many again as may lag behind. */
	need = nodes == 0 ? 0 : 2 * ((nodes - 1) / 3) + 1;
	if (need >= nodes)
		need = nodes == 0 ? 0 : nodes - 1;
	ret = peers_of(&p, r, NULL, clock_now_ms(), e);
	if (ret != 0 && e->kind == ERR_NO)
		ret = 0;
	if (ret == 0)
		ret = ask_all(&same, &p, r, db, &head, e);
	peers_free(&p);
	if (ret != 0)
		return -1;
	if (same < need)
		return err_set(e, ERR_AGAIN, "%zu of the other nodes answered: "
		    "%zu have to, before this one signs checkpoints", same,
		    need);
	return signer_renew(r, &head, clock_now_ms(), e);
}
