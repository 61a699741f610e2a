#include "ledger/block.h"

#include "base/stamp.h"
#include "ledger/name.h"

void
block_header_text(struct buf *out, const struct block_header *h,
    const struct hash *ledger)
{
	char time[STAMP_LEN + 1], parent[HASH_HEX], root[HASH_HEX];
	char tree[HASH_HEX], delegates[HASH_HEX];

	stamp_format(time, h->time_ms);
	hash_format(parent, &h->parent);
	hash_format(root, &h->root);
	hash_format(tree, &h->tree);
	hash_format(delegates, &h->delegates);
	head_add(out, "block", ledger);
	buf_addf(out, "height %llu\ntime %s\nparent %s\nproposer %.*s\n"
	    "txs %u\nroot %s\nsize %llu\ntree %s\ndelegates %s\n",
	    (unsigned long long)h->height, time, parent,
	    SPAN_FMT(h->proposer), h->txs, root, (unsigned long long)h->size,
	    tree, delegates);
}

int
block_header_parse(struct block_header *h, struct span text,
    const struct hash *ledger, struct err *e)
{
	struct text t;
	uint64_t txs;

	text_init(&t, text, "block header");
	if (text.n > BLOCK_HEADER_MAX)
		return text_bad(&t, e, "too long");
	if (head_expect(&t, "block", ledger, e) != 0 ||
	    text_u64(&t, "height", BLOCK_HEIGHT_MAX, &h->height, e) != 0 ||
	    text_time(&t, "time", &h->time_ms, e) != 0 ||
	    text_hash(&t, "parent", h->parent.b, e) != 0 ||
	    text_key(&t, "proposer", &h->proposer, e) != 0 ||
	    text_u64(&t, "txs", BLOCK_TXS_MAX, &txs, e) != 0 ||
	    text_hash(&t, "root", h->root.b, e) != 0 ||
	    text_u64(&t, "size", INT64_MAX, &h->size, e) != 0 ||
	    text_hash(&t, "tree", h->tree.b, e) != 0 ||
	    text_hash(&t, "delegates", h->delegates.b, e) != 0 ||
	    text_done(&t, e) != 0)
		return -1;
	h->txs = (uint32_t)txs;
	if (h->height == 0 || !name_is_node(h->proposer))
		return text_bad(&t, e, "\"height\" or \"proposer\" is "
		    "malformed");
	hash_bytes(&h->id, text.p, text.n);
	return 0;
}

void
block_add_tx(struct buf *out, struct span note)
{
	text_add_frame(out, "tx", note);
}

int
block_next_tx(struct span *body, struct span *tx)
{
	if (body->n == 0)
		return 0;
	return text_frame(body, "tx", TX_MAX, tx) == 0 ? 1 : -1;
}

static int
check_body(const struct block *b, struct err *e)
{
	struct span rest = b->body, tx;
	uint32_t n = 0;
	int r;

	while ((r = block_next_tx(&rest, &tx)) == 1)
		n++;
	if (r < 0)
		return err_set(e, ERR_BAD, "block %llu: malformed after "
		    "transaction %u", (unsigned long long)b->h.height, n);
	if (n != b->h.txs)
		return err_set(e, ERR_BAD, "block %llu: %u transactions, its "
		    "header says %u", (unsigned long long)b->h.height, n,
		    b->h.txs);
	return 0;
}

int
block_parse(struct block *b, struct span whole, bool with_cert,
    const struct hash *ledger, struct err *e)
{
	const unsigned char *end = NULL;
	size_t max = with_cert ? BLOCK_FILE_MAX : BLOCK_CONTENT_MAX;

	memset(b, 0, sizeof(*b));
	if (whole.n > max)
		return err_set(e, ERR_BAD, "block: longer than %zu bytes", max);
	for (size_t i = 1; i < whole.n && i <= BLOCK_HEADER_MAX; i++)
		if (whole.p[i] == '\n' && whole.p[i - 1] == '\n') {
			end = whole.p + i;
			break;
		}
	if (end == NULL)
		return err_set(e, ERR_BAD, "block: no header");
	b->header = span_of(whole.p, (size_t)(end - whole.p));
	b->body = span_of(end + 1, whole.n - b->header.n - 1);
	if (block_header_parse(&b->h, b->header, ledger, e) != 0)
		return -1;
	if (with_cert && (text_frame(&b->body, "certificate", BLOCK_CERT_MAX,
	    &b->certificate) != 0 || b->certificate.n == 0))
		return err_set(e, ERR_BAD, "block %llu: no certificate",
		    (unsigned long long)b->h.height);
	return check_body(b, e);
}

int
block_check_root(const struct block *b, struct merkle *before, struct err *e)
{
	struct span rest = b->body, tx;
	struct hash id, leaf, root;
	struct merkle own;

	merkle_init(&own);
	while (block_next_tx(&rest, &tx) == 1) {
		hash_bytes(&id, tx.p, tx.n);
		merkle_leaf(&leaf, id.b, HASH_LEN);
		merkle_add(&own, &leaf);
		if (before != NULL)
			merkle_add(before, &leaf);
	}
	merkle_root(&root, &own);
	if (!hash_eq(&root, &b->h.root))
		return err_set(e, ERR_BAD, "block %llu: its transactions are "
		    "not those of its header",
		    (unsigned long long)b->h.height);
	if (before == NULL)
		return 0;
	merkle_root(&root, before);
	if (before->size != b->h.size || !hash_eq(&root, &b->h.tree))
		return err_set(e, ERR_BAD, "block %llu: its tree is not that "
		    "of the blocks up to it",
		    (unsigned long long)b->h.height);
	return 0;
}

void
block_join(struct buf *out, struct span header, struct span cert,
    struct span body)
{
	buf_add(out, header.p, header.n);
	buf_addc(out, '\n');
	if (cert.n > 0)
		text_add_frame(out, "certificate", cert);
	buf_add(out, body.p, body.n);
}
