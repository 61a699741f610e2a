#include "record/profile.h"

#include "crypto/age.h"
#include "ledger/perm.h"
#include "store/object.h"

int
profile_seal(struct buf *out, const struct card *c, const struct seal_pub *to,
    size_t n, struct err *e)
{
	struct buf text = BUF_INIT(PROFILE_MAX);
	int ret;

	card_profile(&text, c);
	ret = buf_check(&text, "profile", e);
	if (ret == 0)
		ret = age_seal(out, buf_span(&text), to, n, e);
	buf_wipe(&text);
	return ret;
}

int
profile_open(struct card *c, struct buf *text, struct repo *r,
    const struct lookup_user *u, const struct keyring *k, struct err *e)
{
	struct buf file = BUF_INIT(AGE_HEADER_MAX + AGE_CHUNK);
	int ret;

	if (!u->has_profile)
		return err_set(e, ERR_NO, "%s has no profile", u->handle);
	ret = object_read(&file, r, &u->profile, e);
	if (ret == 0)
		ret = age_open(text, buf_span(&file), k->secret, k->n, e);
	buf_free(&file);
	if (ret != 0)
		return -1;
	if (card_profile_parse(c, buf_span(text), e) != 0)
		return -1;
	if (!span_is(c->name, u->handle))
		return err_set(e, ERR_BAD, "the profile of %s is another's",
		    u->handle);
	return 0;
}

struct gather {
	struct seal_pub *to;
	size_t max, n;
	struct lookup_role role[32];
	size_t roles;
};

static int
add(struct gather *g, const struct seal_pub *pub)
{
	for (size_t i = 0; i < g->n; i++)
		if (memcmp(&g->to[i], pub, sizeof(*pub)) == 0)
			return 0;
	if (g->n < g->max)
		g->to[g->n++] = *pub;
	return 0;
}

static int
collect_role(void *arg, const struct lookup_role *role, struct err *e)
{
	struct gather *g = arg;

	(void)e;
	if (g->roles < 32)
		g->role[g->roles++] = *role;
	return 0;
}

static int
add_user(void *arg, const struct lookup_user *u, struct err *e)
{
	(void)e;
	return add(arg, &u->seal);
}

int
profile_readers(struct seal_pub *to, size_t max, size_t *n, struct db *db,
    const struct seal_pub *user, struct err *e)
{
	struct gather g = { .to = to, .max = max };

	add(&g, user);
	if (lookup_roles(db, collect_role, &g, e) != 0)
		return -1;
	for (size_t i = 0; i < g.roles; i++) {
		const struct lookup_role *r = &g.role[i];

		if ((r->perms & PERM_LIBRARY) != 0 && r->generation > 0)
			add(&g, &r->seal);
		if ((r->perms & PERM_USERS) != 0 && lookup_members(db,
		    span_str(r->name), add_user, &g, e) != 0)
			return -1;
	}
	*n = g.n;
	return 0;
}
