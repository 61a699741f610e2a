#include "ledger/rules_base.h"

int
rules_verify_now(void *arg, const struct note *n, struct span name,
    const struct sign_pub *pub, struct err *e)
{
	(void)arg;
	if (note_verify(n, 0, name, pub, e) == 0)
		return 1;
	return e->kind == ERR_NO ? 0 : -1;
}

int
rules_refuse(struct err *e, const char *why)
{
	return err_set(e, ERR_NO, "%s", why);
}

int
rules_need(const struct rules_view *v, struct span who, enum perm perm,
    struct err *e)
{
	unsigned perms;
	int r = v->perms(v->arg, who, &perms, e);

	if (r < 0)
		return -1;
	if (r == 0)
		return err_set(e, ERR_NO, "%.*s is not a user of this ledger",
		    SPAN_FMT(who));
	if ((perms & perm) == 0)
		return err_set(e, ERR_NO, "%.*s may not do this: permission "
		    "\"%s\" is missing", SPAN_FMT(who),
		    perm_name(perm));
	return 0;
}

int
rules_new_object(const struct rules_view *v, const struct hash *id,
    struct err *e)
{
	int r = v->object(v->arg, id, e);

	if (r < 0)
		return -1;
	return r == 0 ? 0 : rules_refuse(e,
	    "it names an object that the ledger named before");
}

int
rules_signature(const struct rules_view *v, const struct note *n,
    struct span author, struct err *e)
{
	struct sign_pub pub;
	int r = v->key(v->arg, author, &pub, e);

	if (r < 0)
		return -1;
	if (r == 0)
		return err_set(e, ERR_NO,
		    "%.*s is not known to this ledger", SPAN_FMT(author));
	r = v->verify(v->arg, n, author, &pub, e);
	if (r < 0)
		return -1;
	if (r == 0)
		return err_set(e, ERR_NO, "the signature of %.*s does not "
		    "verify with the key on the ledger", SPAN_FMT(author));
	return 0;
}

int
rules_time(const struct rules_view *v, int64_t time_ms, int64_t now_ms,
    struct err *e)
{
	if (time_ms > now_ms && time_ms - now_ms > v->skew_ms)
		return rules_refuse(e, "its time lies in the future");
	return 0;
}

int
rules_check_staged(const struct rules_view *v, const struct staged *s,
    int64_t now_ms, struct err *e)
{
	unsigned perms;
	int r;

	if (rules_time(v, s->time_ms, now_ms, e) != 0 ||
	    rules_need(v, s->author, PERM_FILL, e) != 0)
		return -1;
	r = v->perms(v->arg, s->patient, &perms, e);
	if (r < 0)
		return -1;
	if (r == 0 || (perms & PERM_AUTHORIZE) == 0)
		return err_set(e, ERR_NO, "%.*s is not a patient of this "
		    "ledger", SPAN_FMT(s->patient));
	return rules_signature(v, &s->note, s->author, e);
}
