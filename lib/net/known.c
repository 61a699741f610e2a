#include "net/known.h"

#include "base/stamp.h"
#include "ledger/head.h"
#include "ledger/tail.h"

bool
known_address_ok(struct span a)
{
	bool word = false;	/* the character before belongs to a word */

	if (a.n == 0 || a.n > KNOWN_ADDRESS_MAX)
		return false;
	for (size_t i = 0; i < a.n; i++) {
		unsigned char c = a.p[i];
		bool letter = (c >= 'a' && c <= 'z') ||
		    (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');

		if (!letter && (c == 0 || strchr("._:/@-", c) == NULL))
			return false;
		if (c == '-' && !word)
			return false;
		word = letter || c == '_' || c == '-';
	}
	return true;
}

/* --- the list ------------------------------------------------------------- */

struct known_peer *
known_find(struct known *k, struct span name)
{
	for (size_t i = 0; i < k->n; i++)
		if (span_is(name, k->p[i].name))
			return &k->p[i];
	return NULL;
}

struct known_peer *
known_add(struct known *k, struct span name)
{
	struct known_peer *p = known_find(k, name);
	size_t at = 0;

	if (p != NULL)
		return p;
	if (!name_is_node(name) || k->n == KNOWN_MAX)
		return NULL;
	while (at < k->n && name_cmp(name, span_str(k->p[at].name)) > 0)
		at++;
	p = &k->p[at];
	memmove(p + 1, p, (k->n++ - at) * sizeof(*p));
	memset(p, 0, sizeof(*p));
	memcpy(p->name, name.p, name.n);
	return p;
}

void
known_remove(struct known *k, struct known_peer *p)
{
	size_t after = (size_t)(&k->p[k->n--] - p) - 1;

	memmove(p, p + 1, after * sizeof(*p));
}

/* --- text ----------------------------------------------------------------- */

/* "NAME ADDRESS": names in order, each once. */
static int
parse_address(struct known *k, struct span line)
{
	struct span name = text_word(&line);
	struct known_peer *p;

	if (k->n > 0 && name_cmp(name, span_str(k->p[k->n - 1].name)) <= 0)
		return -1;
	if (!known_address_ok(line) || (p = known_add(k, name)) == NULL)
		return -1;
	memcpy(p->address, line.p, line.n);
	return 0;
}

/* "NAME TIME REASON", the same. */
static int
parse_bad(struct known *k, struct span line, struct span *last)
{
	struct span name = text_word(&line);
	struct known_peer *p;

	if (last->n > 0 && name_cmp(name, *last) <= 0)
		return -1;
	*last = name;
	p = known_add(k, name);
	if (p == NULL || stamp_parse(&p->bad_ms, text_word(&line)) != 0 ||
	    p->bad_ms == 0 || line.n == 0 || line.n > KNOWN_WHY_MAX)
		return -1;
	memcpy(p->why, line.p, line.n);
	return 0;
}

int
known_parse(struct known *k, struct span whole, const struct hash *ledger,
    struct err *e)
{
	struct span line, last = { NULL, 0 };
	struct text t;

	k->n = 0;
	text_init(&t, whole, "peers");
	if (head_expect(&t, "peers", ledger, e) != 0)
		return -1;
	while (text_next_is(&t, "address"))
		if (text_key(&t, "address", &line, e) != 0 ||
		    parse_address(k, line) != 0)
			return text_bad(&t, e, "not an address, or out of "
			    "order");
	while (!text_end(&t))
		if (text_key(&t, "bad", &line, e) != 0 ||
		    parse_bad(k, line, &last) != 0)
			return text_bad(&t, e, "not a bad peer, or out of "
			    "order");
	return 0;
}

void
known_format(struct buf *out, const struct known *k,
    const struct hash *ledger)
{
	char time[STAMP_LEN + 1];

	head_add(out, "peers", ledger);
	for (size_t i = 0; i < k->n; i++)
		if (k->p[i].address[0] != '\0')
			buf_addf(out, "address %s %s\n", k->p[i].name,
			    k->p[i].address);
	for (size_t i = 0; i < k->n; i++) {
		if (k->p[i].bad_ms == 0)
			continue;
		stamp_format(time, k->p[i].bad_ms);
		buf_addf(out, "bad %s %s %s\n", k->p[i].name, time,
		    k->p[i].why);
	}
}

int
known_parse_file(struct known *k, struct span whole,
    const struct hash *ledger, struct err *e)
{
	struct text t;
	size_t at;

	k->n = 0;
	/* The last line begins there. */
	for (at = whole.n == 0 ? 0 : whole.n - 1; at > 0; at--)
		if (whole.p[at - 1] == '\n')
			break;
	text_init(&t, whole, "peers");
	t.rest = span_of(whole.p + at, whole.n - at);
	if (tail_expect(&t, whole, e) != 0)
		return err_set(e, ERR_BAD, "peers: its last line is no check "
		    "of the lines before");
	return known_parse(k, span_of(whole.p, at), ledger, e);
}

void
known_format_file(struct buf *out, const struct known *k,
    const struct hash *ledger)
{
	size_t start = out->len;

	known_format(out, k, ledger);
	tail_add(out, start);
}

int
known_parse_answer(struct known *k, struct span lines, struct err *e)
{
	struct span line;
	struct text t;

	k->n = 0;
	text_init(&t, lines, "addr");
	while (!text_end(&t))
		if (text_line(&t, &line, e) != 0 ||
		    parse_address(k, line) != 0)
			return text_bad(&t, e, "not an address, or out of "
			    "order");
	return 0;
}

void
known_format_answer(struct buf *out, const struct known *k)
{
	for (size_t i = 0; i < k->n; i++)
		if (k->p[i].address[0] != '\0')
			buf_addf(out, "%s %s\n", k->p[i].name,
			    k->p[i].address);
}
