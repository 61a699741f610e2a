/*
 * four: the ledger of several hospitals as as many directories, h0 to h6, in
 * the scratch folder, each with its node's key; and transactions for it.
 */
#ifndef UNIT_FOUR_H
#define UNIT_FOUR_H

#include "scratch.h"

#include "base/clock.h"
#include "store/chain.h"
#include "store/pool.h"

#define FOUR_MAX 7

struct four {
	unsigned n;
	struct identity node[FOUR_MAX], admin;
	struct repo *r[FOUR_MAX];
	unsigned users;
	const char *engine;
};

static inline void
four_genesis(struct buf *out, struct four *f, const struct settings *s)
{
	struct genesis *g = calloc(1, sizeof(*g));
	struct buf text = BUF_INIT(GENESIS_MAX);
	struct err e;

	assert(g != NULL);
	g->name = span_str("za-ehr");
	g->time_ms = clock_now_ms() - 1000;
	memcpy(g->nonce, "a fixed nonce 16", 16);
	g->engine = span_str(f->engine);
	g->settings = *s;
	g->nroles = genesis_default_roles(g->role);
	for (; g->nnodes < f->n; g->nnodes++) {
		struct genesis_node *n = &g->node[g->nnodes];

		n->name = span_str(f->node[g->nnodes].name);
		little_keys(&n->sign, &n->seal, &f->node[g->nnodes]);
	}
	g->nadmins = 1;
	g->admin[0].handle = span_str(f->admin.name);
	little_keys(&g->admin[0].sign, &g->admin[0].seal, &f->admin);
	genesis_text(&text, g);
	little_ok(identity_sign(out, buf_span(&text), &f->node[0], &e));
	buf_free(&text);
	free(g);
}

static inline void
four_create(struct four *f, unsigned i, struct span genesis)
{
	struct buf key = BUF_INIT(IDENTITY_FILE_MAX);
	struct repo_new n = { .genesis = genesis };
	char dir[] = "h0";
	struct hash secret;
	struct err e;

	little_object(&secret, "the secret of the ledger");
	n.secret = &secret;
	dir[1] = (char)('0' + i);
	people_file(&key, f->node[i].name, f->node[i].name);
	n.key_file = buf_span(&key);
	n.node_name = f->node[i].name;
	little_ok(repo_create(dir, &n, &e));
	little_ok(repo_open(&f->r[i], dir, &e));
	buf_free(&key);
}

/* n hospitals in the working directory. */
static inline void
four_open_engine(struct four *f, unsigned n, const struct settings *s,
    const char *engine)
{
	struct buf genesis = BUF_INIT(GENESIS_MAX);
	char name[] = "hospital-a";

	memset(f, 0, sizeof(*f));
	f->n = n;
	f->engine = engine;
	for (unsigned i = 0; i < n; i++, name[9]++)
		people_node(&f->node[i], name, name);
	people_user(&f->admin, "Ruth O");
	four_genesis(&genesis, f, s);
	for (unsigned i = 0; i < n; i++)
		four_create(f, i, buf_span(&genesis));
	buf_free(&genesis);
}

static inline void
four_open(struct four *f, unsigned n, const struct settings *s)
{
	four_open_engine(f, n, s, "dbft");
}

static inline void
four_close(struct four *f)
{
	char dir[] = "h0";

	for (unsigned i = 0; i < f->n; i++) {
		repo_close(f->r[i]);
		identity_wipe(&f->node[i]);
		dir[1] = (char)('0' + i);
		scratch_remove(dir);
	}
	identity_wipe(&f->admin);
}

/* A new user, in the pools of the hospitals of the mask. */
static inline void
four_enroll(struct four *f, unsigned mask)
{
	struct buf text = BUF_INIT(TX_MAX), note = BUF_INIT(TX_MAX);
	struct tx tx = { .kind = TX_ENROLL, .time_ms = clock_now_ms() };
	struct identity id;
	char who[32];
	struct err e;

	snprintf(who, sizeof(who), "user %u", f->users++);
	people_user(&id, who);
	tx.author = span_str(f->admin.name);
	tx.user = span_str(id.name);
	tx.role = span_str("patient");
	little_keys(&tx.sign, &tx.seal, &id);
	tx_text(&text, &tx, repo_ledger(f->r[0]));
	little_ok(identity_sign(&note, buf_span(&text), &f->admin, &e));
	for (unsigned i = 0; i < f->n; i++)
		if ((mask >> i & 1) != 0) {
			struct pool *p;
			int r = pool_open(&p, f->r[i], clock_now_ms(), &e);

			CHECK(r == 0);
			if (r == 0) {
				CHECK(pool_add(p, buf_span(&note), true, NULL,
				    NULL, &e) == 0);
				CHECK(pool_commit(p, &e) == 0);
			}
		}
	identity_wipe(&id);
	buf_free(&text);
	buf_free(&note);
}

static inline uint64_t
four_height(struct four *f, unsigned i)
{
	struct head h = { .height = 0 };
	struct err e;

	CHECK(chain_head(&h, f->r[i], &e) == 0);
	return h.height;
}

/* Are all ledgers of the mask at this height, with the same block? */
static inline bool
four_agree(struct four *f, unsigned mask, uint64_t height)
{
	struct head h, first;
	bool any = false, same = true;
	struct err e;

	for (unsigned i = 0; i < f->n; i++) {
		if ((mask >> i & 1) == 0)
			continue;
		CHECK(chain_head(&h, f->r[i], &e) == 0);
		if (!any)
			first = h;
		any = true;
		same = same && h.height == height && hash_eq(&h.id, &first.id);
	}
	return any && same;
}

#endif
