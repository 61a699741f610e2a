#include "ledger/card.h"

#include "ledger/head.h"
#include "ledger/name.h"

#define NFIELDS 5

/* The particulars, in the order in which they stand in a card. */
static struct span *
field(struct card *c, int i, const char **key)
{
	static const char *const keys[NFIELDS] = {
		"full-name", "email", "born", "phone", "sex"
	};
	struct span *at[NFIELDS] = {
		&c->full_name, &c->email, &c->born, &c->phone, &c->sex
	};

	*key = keys[i];
	return at[i];
}

static int
read_fields(struct card *c, struct text *t, struct err *e)
{
	const char *key;

	for (int i = 0; i < NFIELDS; i++) {
		struct span *v = field(c, i, &key);

		*v = span_of(NULL, 0);
		if (!text_next_is(t, key))
			continue;
		if (text_key(t, key, v, e) != 0)
			return -1;
		if (v->n > CARD_VALUE_MAX)
			return text_bad(t, e, "\"%s\" is over %d bytes", key,
			    CARD_VALUE_MAX);
	}
	if (c->email.n > 0 && !name_is_email(c->email))
		return text_bad(t, e, "not an e-mail address");
	return text_done(t, e);
}

static void
add_fields(struct buf *out, const struct card *c)
{
	const char *key;

	for (int i = 0; i < NFIELDS; i++) {
		const struct span *v = field((struct card *)(uintptr_t)c, i,
		    &key);

		if (v->n > 0)
			buf_addf(out, "%s %.*s\n", key, SPAN_FMT(*v));
	}
}

static int
read_name(struct card *c, struct text *t, bool replaces, struct err *e)
{
	char handle[HANDLE_LEN + 1];

	if (c->kind == CARD_NODE) {
		if (!name_is_node(c->name))
			return text_bad(t, e, "not a node's name");
		return 0;
	}
	name_handle(handle, &c->sign);
	if (!name_is_handle(c->name) ||
	    (!replaces && !span_is(c->name, handle)))
		return text_bad(t, e, "the name is not this key's handle");
	return 0;
}

static int
read_text(struct card *c, struct span text, bool replaces, struct err *e)
{
	struct span kind, v;
	struct text t;

	text_init(&t, text, "card");
	if (head_expect(&t, "card", NULL, e) != 0 ||
	    text_key(&t, "kind", &kind, e) != 0)
		return -1;
	if (span_is(kind, "node"))
		c->kind = CARD_NODE;
	else if (span_is(kind, "user"))
		c->kind = CARD_USER;
	else
		return text_bad(&t, e, "neither a user's nor a node's");
	if (text_key(&t, "name", &c->name, e) != 0 ||
	    text_key(&t, "sign", &v, e) != 0 ||
	    sign_pub_parse(&c->sign, v, e) != 0 ||
	    text_key(&t, "seal", &v, e) != 0 ||
	    seal_pub_parse(&c->seal, v, e) != 0)
		return -1;
	if (read_name(c, &t, replaces, e) != 0)
		return -1;
	return read_fields(c, &t, e);
}

int
card_parse(struct card *c, struct span whole, bool replaces, struct err *e)
{
	struct note n;

	memset(c, 0, sizeof(*c));
	if (whole.n > CARD_MAX)
		return err_set(e, ERR_BAD, "card: longer than %d bytes",
		    CARD_MAX);
	if (note_parse(&n, whole, "card", e) != 0 ||
	    read_text(c, n.text, replaces, e) != 0)
		return -1;
	if (n.nsigs != 1)
		return err_set(e, ERR_BAD, "card: one signature expected");
	if (note_verify(&n, 0, c->name, &c->sign, e) != 0)
		return err_wrap(e, "card");
	return 0;
}

int
card_make(struct buf *out, const struct card *c, const struct identity *id,
    struct err *e)
{
	struct buf text = BUF_INIT(CARD_MAX);
	struct card back;
	struct sign_pub sign;
	struct seal_pub seal;
	int r;

	sign_public(&sign, id->sign);
	if (seal_public(&seal, &id->seal[0], e) != 0)
		return -1;
	head_add(&text, "card", NULL);
	buf_addf(&text, "kind %s\nname %s\nsign ",
	    c->kind == CARD_NODE ? "node" : "user", id->name);
	sign_pub_add(&text, &sign);
	buf_adds(&text, "\nseal ");
	seal_pub_add(&text, &seal);
	buf_adds(&text, "\n");
	add_fields(&text, c);
	/* What we would refuse to read, we refuse to write. */
	r = buf_check(&text, "card", e);
	if (r == 0)
		r = read_text(&back, buf_span(&text), true, e);
	if (r == 0)
		r = identity_sign(out, buf_span(&text), id, e);
	buf_free(&text);
	return r;
}

void
card_profile(struct buf *out, const struct card *c)
{
	head_add(out, "profile", NULL);
	buf_addf(out, "name %.*s\n", SPAN_FMT(c->name));
	add_fields(out, c);
}

int
card_profile_parse(struct card *c, struct span text, struct err *e)
{
	struct text t;

	memset(c, 0, sizeof(*c));
	text_init(&t, text, "profile");
	if (head_expect(&t, "profile", NULL, e) != 0 ||
	    text_key(&t, "name", &c->name, e) != 0)
		return -1;
	if (!name_is_handle(c->name) && !name_is_node(c->name))
		return text_bad(&t, e, "neither a handle nor a node's name");
	return read_fields(c, &t, e);
}
