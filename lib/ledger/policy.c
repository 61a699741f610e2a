#include "ledger/policy.h"

#include "base/text.h"
#include "crypto/cosign.h"

static int
bad(struct err *e, unsigned line, const char *what)
{
	return err_set(e, ERR_BAD, "policy, line %u: %s", line, what);
}

/* The next word of a line, ended by blanks and tabs; empty: there is none. */
static struct span
word(struct span *rest)
{
	struct span w;
	size_t a = 0, z;

	while (a < rest->n && (rest->p[a] == ' ' || rest->p[a] == '\t'))
		a++;
	for (z = a; z < rest->n && rest->p[z] != ' ' && rest->p[z] != '\t';)
		z++;
	w = span_of(rest->p + a, z - a);
	*rest = span_of(rest->p + z, rest->n - z);
	return w;
}

static int
find(const struct policy *p, struct span name)
{
	for (size_t i = 0; i < p->nitems; i++)
		if (span_eq(p->item[i].name, name))
			return (int)i;
	return -1;
}

/* A URL may follow, which means nothing here. */
static bool
at_end(struct span rest)
{
	word(&rest);
	return word(&rest).n == 0;
}

static int
take_log(struct policy *p, struct span rest, unsigned line, struct err *e)
{
	struct vkey *k = &p->log[p->nlogs];

	if (p->nlogs == POLICY_LOGS_MAX)
		return bad(e, line, "too many logs");
	if (vkey_parse(k, word(&rest), e) != 0)
		return err_wrap(e, "policy, line %u", line);
	if (k->cosigns)
		return bad(e, line, "the key is one that cosigns");
	for (size_t i = 0; i < p->nlogs; i++)
		if (sign_pub_eq(&p->log[i].pub, &k->pub))
			return bad(e, line, "the key is there already");
	if (!at_end(rest))
		return bad(e, line, "more than a key and a URL");
	p->nlogs++;
	return 0;
}

/* A new item with the next word as its name. */
static int
new_item(struct policy_item **out, struct policy *p, struct span *rest,
    unsigned line, struct err *e)
{
	struct policy_item *it = &p->item[p->nitems];

	if (p->nitems == POLICY_NAMES_MAX)
		return bad(e, line, "too many names");
	memset(it, 0, sizeof(*it));
	it->name = word(rest);
	if (it->name.n == 0 || span_is(it->name, "none") ||
	    find(p, it->name) >= 0)
		return bad(e, line, "a new name expected");
	*out = it;
	return 0;
}

static int
take_witness(struct policy *p, struct span rest, unsigned line, struct err *e)
{
	struct policy_item *it;

	if (new_item(&it, p, &rest, line, e) != 0)
		return -1;
	if (vkey_parse(&it->key, word(&rest), e) != 0)
		return err_wrap(e, "policy, line %u", line);
	if (!it->key.cosigns)
		return bad(e, line, "the key is not one that cosigns");
	for (size_t i = 0; i < p->nitems; i++)
		if (!p->item[i].group &&
		    sign_pub_eq(&p->item[i].key.pub, &it->key.pub))
			return bad(e, line, "the key is there already");
	if (!at_end(rest))
		return bad(e, line, "more than a key and a URL");
	p->nitems++;
	return 0;
}

/* A member: named before, and of no other group. */
static int
take_member(struct policy *p, struct policy_item *it, struct span name,
    unsigned line, struct err *e)
{
	int at = find(p, name);

	if (at < 0)
		return bad(e, line, "names nobody of the lines before");
	for (size_t i = 0; i <= p->nitems; i++)
		for (unsigned k = 0; k < p->item[i].n; k++)
			if (p->item[i].member[k] == at)
				return bad(e, line, "names a member of another "
				    "group, or one twice");
	it->member[it->n++] = (unsigned char)at;
	return 0;
}

static int
take_group(struct policy *p, struct span rest, unsigned line, struct err *e)
{
	struct policy_item *it;
	struct span need, name;
	uint64_t n = 1;

	if (new_item(&it, p, &rest, line, e) != 0)
		return -1;
	it->group = true;
	need = word(&rest);
	while ((name = word(&rest)).n > 0)
		if (take_member(p, it, name, line, e) != 0)
			return -1;
	if (span_is(need, "all"))
		n = it->n;
	else if (!span_is(need, "any") &&
	    text_parse_u64(&n, need, POLICY_NAMES_MAX) != 0)
		return bad(e, line, "\"all\", \"any\" or a number expected");
	if (n < 1 || n > it->n)
		return bad(e, line, "asks for none, or for more than there "
		    "are");
	it->need = (unsigned)n;
	p->nitems++;
	return 0;
}

static int
take_quorum(struct policy *p, struct span rest, unsigned line, bool *has,
    struct err *e)
{
	struct span name = word(&rest);

	if (*has)
		return bad(e, line, "a second quorum");
	*has = true;
	p->quorum = find(p, name);
	if ((p->quorum < 0 && !span_is(name, "none")) || word(&rest).n > 0)
		return bad(e, line, "one name of the lines before expected");
	return 0;
}

static int
take_line(struct policy *p, struct span rest, unsigned line, bool *has,
    struct err *e)
{
	struct span key;

	for (size_t i = 0; i < rest.n; i++)
		if ((rest.p[i] < ' ' && rest.p[i] != '\t') || rest.p[i] == 127)
			return bad(e, line, "a control character");
	key = word(&rest);
	if (key.n == 0 || key.p[0] == '#')
		return 0;
	if (span_is(key, "log"))
		return take_log(p, rest, line, e);
	if (span_is(key, "witness"))
		return take_witness(p, rest, line, e);
	if (span_is(key, "group"))
		return take_group(p, rest, line, e);
	if (span_is(key, "quorum"))
		return take_quorum(p, rest, line, has, e);
	return bad(e, line, "\"log\", \"witness\", \"group\" or \"quorum\" "
	    "expected");
}

int
policy_parse(struct policy *p, struct span text, struct err *e)
{
	bool has = false;

	memset(p, 0, sizeof(*p));
	for (unsigned line = 1; text.n > 0; line++) {
		const unsigned char *nl = memchr(text.p, '\n', text.n);
		size_t n;

		if (nl == NULL)
			return bad(e, line, "no newline at the end");
		n = (size_t)(nl - text.p);
		if (take_line(p, span_of(text.p, n), line, &has, e) != 0)
			return -1;
		text = span_of(nl + 1, text.n - n - 1);
	}
	return has ? 0 : err_set(e, ERR_BAD, "policy: no quorum");
}

/* --- using it ------------------------------------------------------------- */

/* Was line i made by this key, by what its name and key id say? */
static bool
claims(const struct vkey *k, const struct checkpoint *c, size_t i)
{
	unsigned char id[4], want[4], sig[SIGN_MAX];
	size_t n;

	if (!span_eq(c->note.sig[i].name, k->name) ||
	    note_sig_raw(&c->note.sig[i], id, sig, &n) != 0)
		return false;
	note_key_id_as(want, k->name, k->cosigns ? cosign_key_type() :
	    note_key_type(&k->pub), &k->pub);
	return memcmp(id, want, 4) == 0;
}

static int
line_ok(const struct vkey *k, const struct checkpoint *c, size_t i,
    struct err *e)
{
	uint64_t time_s;

	if (k->cosigns)
		return cosign_verify(&c->note, i, k->name, &k->pub, &time_s,
		    e);
	return note_verify(&c->note, i, k->name, &k->pub, e);
}

/* Has this key signed?  1, 0, or -1 when a line that says so is wrong. */
static int
has_signed(const struct vkey *k, const struct checkpoint *c, struct err *e)
{
	int found = 0;

	for (size_t i = 0; i < c->note.nsigs; i++)
		if (claims(k, c, i)) {
			if (line_ok(k, c, i, e) != 0)
				return -1;
			found = 1;
		}
	return found;
}

int
policy_knows(const struct policy *p, const struct checkpoint *c, size_t i,
    struct err *e)
{
	const struct vkey *k = NULL;

	for (size_t n = 0; n < p->nlogs; n++)
		if (claims(&p->log[n], c, i))
			k = &p->log[n];
	for (size_t n = 0; n < p->nitems; n++)
		if (!p->item[n].group && claims(&p->item[n].key, c, i))
			k = &p->item[n].key;
	if (k == NULL)
		return 0;
	return line_ok(k, c, i, e) == 0 ? 1 : -1;
}

/* The origin is the first line; a log's name must be that. */
static struct span
origin_of(const struct checkpoint *c)
{
	const unsigned char *nl = memchr(c->note.text.p, '\n',
	    c->note.text.n);

	return span_of(c->note.text.p, (size_t)(nl - c->note.text.p));
}

static int
signed_by_log(const struct policy *p, const struct checkpoint *c,
    struct err *e)
{
	int found = p->nlogs == 0, got;

	for (size_t i = 0; i < p->nlogs; i++) {
		if (!span_eq(p->log[i].name, origin_of(c)))
			continue;
		if ((got = has_signed(&p->log[i], c, e)) < 0)
			return -1;
		found |= got;
	}
	return found ? 0 : err_set(e, ERR_NO, "the checkpoint is not signed "
	    "by a log that the policy trusts");
}

int
policy_accepts(const struct policy *p, const struct checkpoint *c,
    struct err *e)
{
	bool yes[POLICY_NAMES_MAX];

	if (signed_by_log(p, c, e) != 0)
		return -1;
	for (size_t i = 0; i < p->nitems; i++) {
		const struct policy_item *it = &p->item[i];
		unsigned n = 0;
		int got;

		for (unsigned k = 0; k < it->n; k++)
			n += yes[it->member[k]];
		got = it->group ? n >= it->need : has_signed(&it->key, c, e);
		if (got < 0)
			return -1;
		yes[i] = got != 0;
	}
	if (p->quorum < 0 || yes[p->quorum])
		return 0;
	return err_set(e, ERR_NO, "the checkpoint lacks the cosignatures that "
	    "the policy asks for (\"%.*s\")",
	    SPAN_FMT(p->item[p->quorum].name));
}

/* --- making one ----------------------------------------------------------- */

void
policy_text(struct buf *out, const struct hash *ledger,
    const struct delegates *nodes)
{
	char origin[HASH_HEX];
	size_t cosigners = 0;

	hash_format(origin, ledger);
	for (size_t i = 0; i < nodes->n; i++) {
		buf_adds(out, "log ");
		vkey_add(out, span_str(origin), &nodes->d[i].sign, false);
		buf_addc(out, '\n');
	}
	for (size_t i = 0; i < nodes->n; i++) {
		if (nodes->d[i].sign.alg != SIGN_ED25519)
			continue;
		buf_addf(out, "witness %s ", nodes->d[i].name);
		vkey_add(out, span_str(nodes->d[i].name), &nodes->d[i].sign,
		    true);
		buf_addc(out, '\n');
		cosigners++;
	}
	if (cosigners == 0) {
		buf_adds(out, "quorum none\n");
		return;
	}
	/* A node's name is in lower case, so that no node is called so. */
	buf_addf(out, "group NODES %zu", delegates_quorum(cosigners));
	for (size_t i = 0; i < nodes->n; i++)
		if (nodes->d[i].sign.alg == SIGN_ED25519)
			buf_addf(out, " %s", nodes->d[i].name);
	buf_adds(out, "\nquorum NODES\n");
}
