#include "record/found.h"

#include <stdlib.h>

#include "crypto/age.h"

/* What is put together on the way. */
struct founding {
	const struct found *f;
	struct hash secret;
	struct genesis g;
	struct card node[GENESIS_NODES_MAX];
	struct card admin[GENESIS_ADMINS_MAX];
	struct buf profile[GENESIS_ADMINS_MAX];
};

static int
node_order(const void *a, const void *b)
{
	const struct genesis_node *x = a, *y = b;

	return name_cmp(x->name, y->name);
}

static int
add_nodes(struct founding *w, struct err *e)
{
	const struct found *f = w->f;
	struct genesis *g = &w->g;

	if (!name_is_node(span_str(f->node->name)))
		return err_set(e, ERR_NO, "%s: the key is not a node's",
		    f->node->name);
	if (f->nothers + 1 > GENESIS_NODES_MAX)
		return err_set(e, ERR_NO, "over %d nodes", GENESIS_NODES_MAX);
	g->node[0].name = span_str(f->node->name);
	sign_public(&g->node[0].sign, f->node->sign);
	if (seal_public(&g->node[0].seal, &f->node->seal[0], e) != 0)
		return -1;
	g->nnodes = 1;
	for (size_t i = 0; i < f->nothers; i++) {
		struct card *c = &w->node[i];
		struct genesis_node *n = &g->node[g->nnodes++];

		if (card_parse(c, f->other[i], false, e) != 0)
			return -1;
		if (c->kind != CARD_NODE)
			return err_set(e, ERR_NO, "%.*s: the card is not a "
			    "node's", SPAN_FMT(c->name));
		n->name = c->name;
		n->sign = c->sign;
		n->seal = c->seal;
	}
	qsort(g->node, g->nnodes, sizeof(g->node[0]), node_order);
	for (size_t i = 1; i < g->nnodes; i++)
		if (span_eq(g->node[i].name, g->node[i - 1].name))
			return err_set(e, ERR_NO, "%.*s: there twice",
			    SPAN_FMT(g->node[i].name));
	return 0;
}

static int
admin_order(const void *a, const void *b)
{
	const struct card *x = a, *y = b;

	return name_cmp(x->name, y->name);
}

static bool
email_twice(const struct genesis *g, size_t i)
{
	for (size_t k = 0; g->admin[i].has_email && k < i; k++)
		if (g->admin[k].has_email &&
		    hash_eq(&g->admin[k].email, &g->admin[i].email))
			return true;
	return false;
}

static int
add_admins(struct founding *w, struct err *e)
{
	struct seal_pub to[GENESIS_ADMINS_MAX];
	const struct found *f = w->f;

	if (f->nadmins == 0 || f->nadmins > GENESIS_ADMINS_MAX)
		return err_set(e, ERR_NO, "1 to %d administrators expected",
		    GENESIS_ADMINS_MAX);
	for (size_t i = 0; i < f->nadmins; i++) {
		if (card_parse(&w->admin[i], f->admin[i], false, e) != 0)
			return -1;
		if (w->admin[i].kind != CARD_USER)
			return err_set(e, ERR_NO, "%.*s: the card is a node's,"
			    " not an administrator's",
			    SPAN_FMT(w->admin[i].name));
	}
	qsort(w->admin, f->nadmins, sizeof(w->admin[0]), admin_order);
	for (size_t i = 1; i < f->nadmins; i++)
		if (span_eq(w->admin[i].name, w->admin[i - 1].name))
			return err_set(e, ERR_NO, "%.*s: there twice",
			    SPAN_FMT(w->admin[i].name));
	for (size_t i = 0; i < f->nadmins; i++)
		to[i] = w->admin[i].seal;
	w->g.nadmins = f->nadmins;
	for (size_t i = 0; i < f->nadmins; i++) {
		const struct card *c = &w->admin[i];
		struct genesis_admin *a = &w->g.admin[i];

		a->handle = c->name;
		a->sign = c->sign;
		a->seal = c->seal;
		a->has_email = c->email.n > 0;
		if (a->has_email)
			name_email_digest(&a->email, &w->secret, c->email);
		if (email_twice(&w->g, i))
			return err_set(e, ERR_NO, "%.*s: the e-mail address "
			    "is there twice", SPAN_FMT(c->name));
		if (profile_seal(&w->profile[i], c, to, f->nadmins, e) != 0)
			return -1;
		hash_bytes(&a->profile, w->profile[i].p, w->profile[i].len);
		a->has_profile = true;
	}
	return 0;
}

/* The signed genesis, checked by the parser that everybody else will use. */
static int
sign_genesis(struct buf *out, struct founding *w, struct err *e)
{
	struct buf text = BUF_INIT(GENESIS_MAX);
	struct genesis *check = malloc(sizeof(*check));
	int ret;

	genesis_text(&text, &w->g);
	ret = buf_check(&text, "genesis", e);
	if (ret == 0)
		ret = identity_sign(out, buf_span(&text), w->f->node, e);
	if (ret == 0 && check == NULL)
		ret = err_set(e, ERR_SYS, "out of memory");
	if (ret == 0)
		ret = genesis_parse(check, buf_span(out), e);
	free(check);
	buf_free(&text);
	return ret;
}

static int
build(const char *dir, struct founding *w, struct hash *ledger, struct err *e)
{
	struct buf genesis = BUF_INIT(GENESIS_MAX);
	struct span profile[GENESIS_ADMINS_MAX];
	struct repo_new n = {
		.key_file = w->f->node_key_file,
		.secret = &w->secret,
		.node_name = w->f->node->name,
		.object = profile,
		.nobjects = w->g.nadmins
	};
	int ret = sign_genesis(&genesis, w, e);

	for (size_t i = 0; i < n.nobjects; i++)
		profile[i] = buf_span(&w->profile[i]);
	if (ret == 0) {
		hash_bytes(ledger, genesis.p, genesis.len);
		n.genesis = buf_span(&genesis);
		ret = repo_create(dir, &n, e);
	}
	buf_free(&genesis);
	return ret;
}

int
found_ledger(const char *dir, const struct found *f, struct hash *ledger,
    struct err *e)
{
	struct founding *w;
	int ret;

	if (settings_check(&f->settings, e) != 0)
		return -1;
	if (f->name == NULL || strlen(f->name) == 0 ||
	    strlen(f->name) > LEDGER_NAME_MAX)
		return err_set(e, ERR_USAGE, "a name of 1 to %d bytes for the "
		    "ledger expected", LEDGER_NAME_MAX);
	if ((w = calloc(1, sizeof(*w))) == NULL)
		return err_set(e, ERR_SYS, "out of memory");
	w->f = f;
	for (int i = 0; i < GENESIS_ADMINS_MAX; i++)
		buf_init(&w->profile[i], AGE_HEADER_MAX + AGE_CHUNK);
	hash_random(&w->secret, sizeof(w->secret));
	hash_random(w->g.nonce, sizeof(w->g.nonce));
	w->g.name = span_str(f->name);
	w->g.time_ms = f->now_ms;
	w->g.engine = span_str(f->pbft ? "pbft" : "dbft");
	w->g.settings = f->settings;
	w->g.nroles = genesis_default_roles(w->g.role);
	ret = add_nodes(w, e);
	if (ret == 0)
		ret = add_admins(w, e);
	if (ret == 0)
		ret = build(dir, w, ledger, e);
	for (int i = 0; i < GENESIS_ADMINS_MAX; i++)
		buf_free(&w->profile[i]);
	hash_wipe(w, sizeof(*w));
	free(w);
	return ret;
}
