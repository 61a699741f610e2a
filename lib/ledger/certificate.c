#include "ledger/certificate.h"

size_t
delegates_quorum(size_t n)
{
	return n == 0 ? 1 : n - (n - 1) / 3;
}

void
delegates_text(struct buf *out, const struct delegates *set)
{
	for (size_t i = 0; i < set->n; i++) {
		buf_addf(out, "%s ", set->d[i].name);
		sign_pub_add(out, &set->d[i].sign);
		buf_addc(out, '\n');
	}
}

int
delegates_parse(struct delegates *set, struct span whole, struct err *e)
{
	struct span line, name;
	struct text t;

	set->n = 0;
	text_init(&t, whole, "delegates");
	while (!text_end(&t)) {
		struct delegate *d = &set->d[set->n];

		if (text_line(&t, &line, e) != 0)
			return -1;
		name = text_word(&line);
		if (set->n == GENESIS_NODES_MAX)
			return text_bad(&t, e, "too many");
		if (!name_is_node(name) || delegates_find(set, name) >= 0)
			return text_bad(&t, e, "not a name, or one that is "
			    "there already");
		memcpy(d->name, name.p, name.n);
		d->name[name.n] = '\0';
		if (sign_pub_parse(&d->sign, line, e) != 0)
			return -1;
		set->n++;
	}
	return set->n > 0 ? 0 : text_bad(&t, e, "none");
}

void
delegates_digest(struct hash *out, const struct delegates *set)
{
	struct buf text = BUF_INIT(DELEGATES_TEXT_MAX);

	delegates_text(&text, set);
	hash_bytes(out, text.p, text.len);
	buf_free(&text);
}

int
delegates_find(const struct delegates *set, struct span name)
{
	for (size_t i = 0; i < set->n; i++)
		if (span_is(name, set->d[i].name))
			return (int)i;
	return -1;
}

void
certificate_text(struct buf *out, uint64_t height, uint32_t view,
    const struct hash *block, const struct hash *ledger)
{
	char id[HASH_HEX];

	hash_format(id, block);
	head_add(out, "commit", ledger);
	buf_addf(out, "height %llu\nview %u\nblock %s\n",
	    (unsigned long long)height, view, id);
}

/* The statement must be a commit to exactly this block. */
static int
check_text(struct span text, const struct block_header *h,
    const struct hash *ledger, struct err *e)
{
	uint64_t height, view;
	struct hash block;
	struct text t;

	text_init(&t, text, "certificate");
	if (head_expect(&t, "commit", ledger, e) != 0 ||
	    text_u64(&t, "height", BLOCK_HEIGHT_MAX, &height, e) != 0 ||
	    text_u64(&t, "view", BLOCK_VIEW_MAX, &view, e) != 0 ||
	    text_hash(&t, "block", block.b, e) != 0 || text_done(&t, e) != 0)
		return -1;
	if (height != h->height || !hash_eq(&block, &h->id))
		return err_set(e, ERR_NO, "block %llu: its certificate is for "
		    "another block", (unsigned long long)h->height);
	return 0;
}

int
certificate_check(struct span bytes, const struct block_header *h,
    const struct delegates *set, const struct hash *ledger, uint64_t *signers,
    struct err *e)
{
	size_t need = delegates_quorum(set->n);
	struct note n;
	int last = -1;

	*signers = 0;
	if (note_parse(&n, bytes, "certificate", e) != 0 ||
	    check_text(n.text, h, ledger, e) != 0)
		return -1;
	for (size_t i = 0; i < n.nsigs; i++) {
		int at = delegates_find(set, n.sig[i].name);

		if (at <= last)
			return err_set(e, ERR_BAD, "block %llu: certificate: "
			    "%.*s is no delegate, or out of order",
			    (unsigned long long)h->height,
			    SPAN_FMT(n.sig[i].name));
		if (note_verify(&n, i, n.sig[i].name, &set->d[at].sign,
		    e) != 0)
			return err_wrap(e, "block %llu: certificate",
			    (unsigned long long)h->height);
		*signers |= 1ULL << at;
		last = at;
	}
	if (n.nsigs < need)
		return err_set(e, ERR_NO,
		    "block %llu: %zu of %zu signatures that it needs",
		    (unsigned long long)h->height, n.nsigs, need);
	return 0;
}
