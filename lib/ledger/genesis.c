#include "ledger/genesis.h"

#include "base/hex.h"
#include "base/stamp.h"
#include "ledger/name.h"
#include "ledger/perm.h"

void
settings_default(struct settings *s)
{
	*s = (struct settings){
		.interval_ms = 1000,
		.timeout_ms = 15000,
		.block_txs = 2000,
		.block_bytes = 8u << 20,
		.delegates = 7,
		.skew_ms = 60000
	};
}

/* Each setting with its key and limits, in the order of the text. */
struct setting {
	const char *key;
	size_t at;
	uint32_t min, max;
};

static const struct setting table[] = {
	{ "interval-ms", offsetof(struct settings, interval_ms), 0, 3600000 },
	{ "timeout-ms", offsetof(struct settings, timeout_ms), 10, 3600000 },
	{ "block-txs", offsetof(struct settings, block_txs), 1, 100000 },
	{ "block-bytes", offsetof(struct settings, block_bytes), 65536,
	  32u << 20 },
	{ "delegates", offsetof(struct settings, delegates), 4, 64 },
	{ "skew-ms", offsetof(struct settings, skew_ms), 1000, 3600000 },
};
#define NSETTINGS (sizeof(table) / sizeof(*table))

static uint32_t *
value_at(struct settings *s, size_t i)
{
	return (uint32_t *)(void *)((char *)s + table[i].at);
}

int
settings_check(const struct settings *s, struct err *e)
{
	struct settings copy = *s;

	for (size_t i = 0; i < NSETTINGS; i++) {
		uint32_t v = *value_at(&copy, i);

		if (v < table[i].min || v > table[i].max)
			return err_set(e, ERR_USAGE,
			    "%s: %u is not within %u and %u", table[i].key, v,
			    table[i].min, table[i].max);
	}
	return 0;
}

bool
genesis_all_to_all(const struct genesis *g)
{
	return span_is(g->engine, "pbft");
}

size_t
genesis_default_roles(struct genesis_role role[3])
{
	role[0] = (struct genesis_role){ span_str("administrator"),
	    PERM_SYSTEM | PERM_USERS };
	role[1] = (struct genesis_role){ span_str("doctor"),
	    PERM_FILL | PERM_LIBRARY };
	role[2] = (struct genesis_role){ span_str("patient"),
	    PERM_AUTHORIZE | PERM_VIEW_OWN };
	return 3;
}

static void
add_keys(struct buf *out, const struct sign_pub *sign,
    const struct seal_pub *seal)
{
	buf_addc(out, ' ');
	sign_pub_add(out, sign);
	buf_addc(out, ' ');
	seal_pub_add(out, seal);
}

static void
add_hash_or_none(struct buf *out, bool has, const struct hash *h)
{
	char hex[HASH_HEX] = "none";

	if (has)
		hash_format(hex, h);
	buf_addf(out, " %s", hex);
}

void
genesis_text(struct buf *out, const struct genesis *g)
{
	struct settings s = g->settings;
	char time[STAMP_LEN + 1], nonce[33];

	stamp_format(time, g->time_ms);
	hex_encode(nonce, g->nonce, sizeof(g->nonce));
	head_add(out, "genesis", NULL);
	buf_addf(out, "name %.*s\ntime %s\nnonce %s\nengine %.*s\n",
	    SPAN_FMT(g->name), time, nonce, SPAN_FMT(g->engine));
	for (size_t i = 0; i < NSETTINGS; i++)
		buf_addf(out, "%s %u\n", table[i].key, *value_at(&s, i));
	for (size_t i = 0; i < g->nroles; i++) {
		buf_addf(out, "role %.*s ", SPAN_FMT(g->role[i].name));
		perm_add(out, g->role[i].perms);
		buf_addc(out, '\n');
	}
	for (size_t i = 0; i < g->nnodes; i++) {
		buf_addf(out, "node %.*s", SPAN_FMT(g->node[i].name));
		add_keys(out, &g->node[i].sign, &g->node[i].seal);
		buf_addc(out, '\n');
	}
	for (size_t i = 0; i < g->nadmins; i++) {
		const struct genesis_admin *a = &g->admin[i];

		buf_addf(out, "admin %.*s", SPAN_FMT(a->handle));
		add_keys(out, &a->sign, &a->seal);
		add_hash_or_none(out, a->has_email, &a->email);
		add_hash_or_none(out, a->has_profile, &a->profile);
		buf_addc(out, '\n');
	}
}

static int
read_settings(struct settings *s, struct text *t, struct err *e)
{
	for (size_t i = 0; i < NSETTINGS; i++) {
		uint64_t v;

		if (text_u64(t, table[i].key, table[i].max, &v, e) != 0)
			return -1;
		if (v < table[i].min)
			return text_bad(t, e, "\"%s\" is under %u",
			    table[i].key, table[i].min);
		*value_at(s, i) = (uint32_t)v;
	}
	return 0;
}

static int
read_roles(struct genesis *g, struct text *t, struct err *e)
{
	struct span v;

	for (g->nroles = 0; text_next_is(t, "role"); g->nroles++) {
		struct genesis_role *r = &g->role[g->nroles];

		if (g->nroles == GENESIS_ROLES_MAX)
			return text_bad(t, e, "too many roles");
		if (text_key(t, "role", &v, e) != 0)
			return -1;
		r->name = text_word(&v);
		if (!name_is_role(r->name) || perm_parse(&r->perms, v) != 0)
			return text_bad(t, e, "malformed role");
		if (g->nroles > 0 && name_cmp(r[-1].name, r->name) >= 0)
			return text_bad(t, e, "roles not in order");
	}
	return 0;
}

static int
read_keys(struct sign_pub *sign, struct seal_pub *seal, struct span *v,
    struct err *e)
{
	if (sign_pub_parse(sign, text_word(v), e) != 0)
		return -1;
	return seal_pub_parse(seal, text_word(v), e);
}

static int
read_nodes(struct genesis *g, struct text *t, struct err *e)
{
	struct span v;

	for (g->nnodes = 0; text_next_is(t, "node"); g->nnodes++) {
		struct genesis_node *n = &g->node[g->nnodes];

		if (g->nnodes == GENESIS_NODES_MAX)
			return text_bad(t, e, "too many nodes");
		if (text_key(t, "node", &v, e) != 0)
			return -1;
		n->name = text_word(&v);
		if (read_keys(&n->sign, &n->seal, &v, e) != 0)
			return err_wrap(e, "%s, line %u", t->what, t->line);
		if (!name_is_node(n->name) || v.n != 0)
			return text_bad(t, e, "malformed node");
		if (g->nnodes > 0 && name_cmp(n[-1].name, n->name) >= 0)
			return text_bad(t, e, "nodes not in order");
		for (size_t i = 0; i < g->nnodes; i++)
			if (sign_pub_eq(&g->node[i].sign, &n->sign))
				return text_bad(t, e, "two nodes, one key");
	}
	return g->nnodes > 0 ? 0 : text_bad(t, e, "no node");
}

static int
read_hash_or_none(bool *has, struct hash *h, struct span v)
{
	*has = !span_is(v, "none");
	return *has ? hash_parse(h, v) : 0;
}

static int
read_admins(struct genesis *g, struct text *t, struct err *e)
{
	struct span v;

	for (g->nadmins = 0; text_next_is(t, "admin"); g->nadmins++) {
		struct genesis_admin *a = &g->admin[g->nadmins];
		char handle[HANDLE_LEN + 1];

		if (g->nadmins == GENESIS_ADMINS_MAX)
			return text_bad(t, e, "too many administrators");
		if (text_key(t, "admin", &v, e) != 0)
			return -1;
		a->handle = text_word(&v);
		if (read_keys(&a->sign, &a->seal, &v, e) != 0)
			return err_wrap(e, "%s, line %u", t->what, t->line);
		name_handle(handle, &a->sign);
		if (!span_is(a->handle, handle) ||
		    read_hash_or_none(&a->has_email, &a->email,
		    text_word(&v)) != 0 ||
		    read_hash_or_none(&a->has_profile, &a->profile, v) != 0)
			return text_bad(t, e, "malformed administrator");
		if (g->nadmins > 0 && name_cmp(a[-1].handle, a->handle) >= 0)
			return text_bad(t, e, "administrators not in order");
	}
	return g->nadmins > 0 ? 0 : text_bad(t, e, "no administrator");
}

/* One key has one owner, one address one user. */
static bool
admins_distinct(const struct genesis *g)
{
	for (size_t i = 0; i < g->nadmins; i++) {
		const struct genesis_admin *a = &g->admin[i];

		for (size_t k = 0; k < g->nnodes; k++)
			if (sign_pub_eq(&g->node[k].sign, &a->sign))
				return false;
		for (size_t k = 0; k < i; k++)
			if (a->has_email && g->admin[k].has_email &&
			    hash_eq(&a->email, &g->admin[k].email))
				return false;
	}
	return true;
}

/* The administrators' role must let them manage, or nobody ever could. */
static bool
manageable(const struct genesis *g)
{
	unsigned need = PERM_SYSTEM | PERM_USERS;

	for (size_t i = 0; i < g->nroles; i++)
		if (span_is(g->role[i].name, "administrator"))
			return (g->role[i].perms & need) == need;
	return false;
}

static int
read_text(struct genesis *g, struct span text, struct err *e)
{
	struct span nonce;
	struct text t;

	text_init(&t, text, "genesis");
	if (head_expect(&t, "genesis", NULL, e) != 0 ||
	    text_key(&t, "name", &g->name, e) != 0 ||
	    text_time(&t, "time", &g->time_ms, e) != 0 ||
	    text_key(&t, "nonce", &nonce, e) != 0)
		return -1;
	if (g->name.n > LEDGER_NAME_MAX)
		return text_bad(&t, e, "the name is too long");
	if (hex_decode(g->nonce, sizeof(g->nonce), nonce) != 0)
		return text_bad(&t, e, "\"nonce\" is not 32 hex digits");
	if (text_key(&t, "engine", &g->engine, e) != 0)
		return -1;
	if (!span_is(g->engine, "dbft") && !genesis_all_to_all(g))
		return text_bad(&t, e, "an engine we do not have");
	if (read_settings(&g->settings, &t, e) != 0)
		return -1;
	if (genesis_all_to_all(g) && g->settings.delegates != GENESIS_NODES_MAX)
		return text_bad(&t, e, "pbft without a seat for every node");
	if (read_roles(g, &t, e) != 0 ||
	    read_nodes(g, &t, e) != 0 || read_admins(g, &t, e) != 0 ||
	    text_done(&t, e) != 0)
		return -1;
	if (!admins_distinct(g))
		return text_bad(&t, e, "a key or address is there twice");
	return manageable(g) ? 0 : text_bad(&t, e, "its role "
	    "\"administrator\" is missing, or cannot manage");
}

int
genesis_parse(struct genesis *g, struct span whole, struct err *e)
{
	struct note n;

	memset(g, 0, sizeof(*g));
	if (whole.n > GENESIS_MAX)
		return err_set(e, ERR_BAD, "genesis: longer than %u bytes",
		    GENESIS_MAX);
	if (note_parse(&n, whole, "genesis", e) != 0 ||
	    read_text(g, n.text, e) != 0)
		return -1;
	if (n.nsigs != 1)
		return err_set(e, ERR_BAD, "genesis: one signature expected");
	hash_bytes(&g->id, whole.p, whole.n);
	for (size_t i = 0; i < g->nnodes; i++)
		if (span_eq(g->node[i].name, n.sig[0].name)) {
			if (note_verify(&n, 0, g->node[i].name,
			    &g->node[i].sign, e) != 0)
				return err_wrap(e, "genesis");
			return 0;
		}
	return err_set(e, ERR_BAD, "genesis: signed by none of its nodes");
}
