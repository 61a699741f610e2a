#include "net/hello.h"

#include "store/chain.h"
#include "store/lookup.h"

int
hello_of(struct hello *h, struct repo *r, const struct identity *key,
    struct err *e)
{
	const char *node = repo_node_name(r);
	struct head head;

	memset(h, 0, sizeof(*h));
	if (chain_head(&head, r, e) != 0)
		return -1;
	h->has_ledger = h->has_head = h->has_skew = true;
	h->ledger = *repo_ledger(r);
	h->height = head.height;
	h->head = head.id;
	h->skew_ms = r->genesis->settings.skew_ms;
	if (key != NULL && node != NULL) {
		if (strcmp(key->name, node) != 0)
			return err_set(e, ERR_NO, "the key of this node is "
			    "%s's, but its name is %s", key->name, node);
		if (strlen(node) > NAME_MAX_LEN)
			return err_set(e, ERR_BAD, "config: node.name is no "
			    "name for a node");
		strcpy(h->node, node);
		h->key = key;
	}
	hash_random(h->nonce, sizeof(h->nonce));
	return 0;
}

void
hello_version(struct buf *out, const struct hello *h, int64_t now_ms)
{
	struct proto_version v = {
		.version = PROTO_VERSION,
		.has_ledger = h->has_ledger,
		.ledger = h->ledger,
		.height = h->height,
		.has_head = h->has_head,
		.head = h->head,
		.time_ms = now_ms,
		.node = span_str(h->node)
	};

	memcpy(v.nonce, h->nonce, PROTO_NONCE);
	proto_version_format(out, &v);
}

int
hello_check_clock(int64_t theirs_ms, int64_t now_ms, uint32_t skew_ms,
    struct err *e)
{
	int64_t apart = theirs_ms > now_ms ? theirs_ms - now_ms :
	    now_ms - theirs_ms;

	if (apart <= skew_ms)
		return 0;
	return err_set(e, ERR_NO, "the clocks are %lld ms apart, more than "
	    "the %lu ms that this ledger allows", (long long)apart,
	    (unsigned long)skew_ms);
}

int
hello_agree(const struct hello *h, const struct proto_version *them,
    int64_t now_ms, struct err *e)
{
	char ours[HASH_HEX], theirs[HASH_HEX];

	if (them->version != PROTO_VERSION)
		return err_set(e, ERR_NO, "protocol version %llu meets "
		    "version %d", (unsigned long long)them->version,
		    PROTO_VERSION);
	if (h->has_ledger && them->has_ledger &&
	    !hash_eq(&h->ledger, &them->ledger)) {
		hash_format(ours, &h->ledger);
		hash_format(theirs, &them->ledger);
		return err_set(e, ERR_NO, "ledger %s meets another ledger, "
		    "%s", theirs, ours);
	}
	if (!h->has_skew)
		return 0;
	return hello_check_clock(them->time_ms, now_ms, h->skew_ms, e);
}

static const char *
or_dash(const char *name)
{
	return name[0] == '\0' ? "-" : name;
}

int
hello_sign(struct buf *note, const struct hello *h, const char *kind,
    const struct hash *ledger, const char *peer,
    const unsigned char nonce[PROTO_NONCE], struct err *e)
{
	struct buf text = BUF_INIT(PROTO_HELLO_MAX);
	int r;

	proto_hello_text(&text, kind, ledger, h->node, or_dash(peer), nonce);
	r = buf_check(&text, kind, e);
	if (r == 0)
		r = identity_sign(note, buf_span(&text), h->key, e);
	buf_free(&text);
	return r;
}

int
hello_proves(struct repo *r, struct span note, const char *kind,
    const char *node, const char *peer,
    const unsigned char nonce[PROTO_NONCE], struct err *e)
{
	struct buf text = BUF_INIT(PROTO_HELLO_MAX);
	struct lookup_node known;
	struct note n;
	struct db *db;
	int got;

	if (chain_catch_up(r, e) != 0 || db_of(&db, r, e) != 0 ||
	    (got = lookup_node(&known, db, span_str(node), e)) < 0)
		return -1;
	if (got == 0 || !known.active)
		return 0;
	if (note_parse(&n, note, kind, e) != 0)
		return -1;
	/* There is one text that it can be. */
	proto_hello_text(&text, kind, repo_ledger(r), node, or_dash(peer),
	    nonce);
	if (buf_check(&text, kind, e) != 0)
		got = -1;
	else if (n.nsigs != 1 || !span_eq(n.text, buf_span(&text)))
		got = err_set(e, ERR_BAD, "what should show that this is %s "
		    "is about something else", node);
	else if (note_verify(&n, 0, span_str(node), &known.sign, e) != 0)
		got = err_wrap(e, "it does not have the key of %s", node);
	else
		got = 1;
	buf_free(&text);
	return got;
}
