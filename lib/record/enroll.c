#include "record/enroll.h"

#include "crypto/age.h"
#include "ledger/rules.h"
#include "store/object.h"
#include "store/verify.h"

static int
store_profile(struct hash *id, struct repo *r, struct pool *p,
    const struct card *c, struct err *e)
{
	struct buf file = BUF_INIT(AGE_HEADER_MAX + AGE_CHUNK);
	struct seal_pub to[AGE_RECIPIENTS_MAX];
	size_t n;
	int ret;

	ret = profile_readers(to, AGE_RECIPIENTS_MAX, &n, pool_db(p), &c->seal,
	    e);
	if (ret == 0)
		ret = profile_seal(&file, c, to, n, e);
	if (ret == 0)
		ret = object_put(r, buf_span(&file), id, e);
	buf_free(&file);
	return ret;
}

/* Refuse what the rules would refuse before a profile is stored for it. */
static int
check_early(struct tx *tx, struct pool *p, const struct identity *admin,
    int64_t now_ms, struct err *e)
{
	struct state_view v;

	tx->author = span_str(admin->name);
	tx->time_ms = now_ms;
	state_view_init(&v, pool_repo(p), pool_db(p));
	v.verify = verify_never;
	return rules_check(&v.v, tx, now_ms, e);
}

int
enroll_user(char handle[HANDLE_LEN + 1], struct repo *r, struct pool *p,
    const struct identity *admin, struct span bytes, const char *role,
    int64_t now_ms, struct err *e)
{
	struct tx tx = { .kind = TX_ENROLL, .role = span_str(role) };
	struct hash secret;
	struct card c;

	if (card_parse(&c, bytes, false, e) != 0)
		return -1;
	if (c.kind != CARD_USER)
		return err_set(e, ERR_NO, "it is the card of a node, not of a "
		    "user");
	tx.user = c.name;
	tx.sign = c.sign;
	tx.seal = c.seal;
	if (c.email.n > 0) {
		if (repo_secret(r, &secret, e) != 0)
			return -1;
		name_email_digest(&tx.email, &secret, c.email);
		hash_wipe(&secret, sizeof(secret));
		tx.has_email = true;
	}
	if (check_early(&tx, p, admin, now_ms, e) != 0 ||
	    store_profile(&tx.profile, r, p, &c, e) != 0)
		return -1;
	tx.has_profile = true;
	if (submit_tx(p, admin, &tx, now_ms, NULL, e) != 0)
		return -1;
	memcpy(handle, c.name.p, c.name.n);
	handle[c.name.n] = '\0';
	return 0;
}

int
enroll_rekey(char name[NAME_MAX_LEN + 1], struct pool *p,
    const struct identity *author, struct span bytes, int64_t now_ms,
    struct err *e)
{
	struct tx tx = { .kind = TX_REKEY };
	struct card c;

	if (card_parse(&c, bytes, true, e) != 0)
		return -1;
	tx.user = c.name;
	tx.sign = c.sign;
	tx.seal = c.seal;
	if (submit_tx(p, author, &tx, now_ms, NULL, e) != 0)
		return -1;
	memcpy(name, c.name.p, c.name.n);
	name[c.name.n] = '\0';
	return 0;
}
